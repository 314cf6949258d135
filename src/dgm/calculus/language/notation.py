r"""LaTeX of expressions, in the form in which they were written."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from dgm.calculus.language.expression import (
    Call,
    Constant,
    Density,
    Derivative,
    Divergence,
    Entropy,
    Expectation,
    Expr,
    Integral,
    Laplace,
    Mean,
    MutualInformation,
    Named,
    Negative,
    Normal,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    SumOver,
    Symbol,
    TotalCorrelation,
    Unknown,
)
from dgm.errors import CalculusError

BINARY_SUM, BINARY_PRODUCT, FACTOR = 1, 2, 3  # how tightly an expression holds together
_TALL = (Quotient, Expectation, Integral, SumOver, Mean, Derivative, Divergence)


def latex(e: Expr) -> str:
    r"""LaTeX of ``e``.

    >>> from dgm.calculus.language.expression import log
    >>> q = Density("q", ("z",), ("x",), symbol=r"q_\phi")
    >>> latex(Expectation(q, log(Density("p", ("x", "z")) / q)))
    '\\mathbb{E}_{q_\\phi(z\\mid x)}\\left[\\log \\frac{p(x,z)}{q_\\phi(z\\mid x)}\\right]'
    """
    match e:
        case Number(value):
            return _number(value)
        case Symbol(name) | Constant(name):
            return name
        case Sum(terms):
            return latex(terms[0]) + "".join(_signed(term) for term in terms[1:])
        case Negative(body):
            return "-" + _wrapped(body, BINARY_PRODUCT)
        case Product(factors):
            return _product(factors)
        case Quotient(top, bottom):
            return rf"\frac{{{latex(top)}}}{{{latex(bottom)}}}"
        case Power(base, exponent):
            return _power(base, exponent)
        case Call():
            return _call(e)
        case Derivative(body, by):
            return _derivative(body, by)
        case Named(body, name, brace):
            return rf"\underbrace{{{latex(body)}}}_{{{name}}}" if brace else name
        case _:
            return _random(e)


def _random(e: Expr) -> str:
    match e:
        case Density():
            return _density(e)
        case Unknown(name, of):
            return f"{name}({','.join(of)})"
        case Expectation(density, body):
            return rf"\mathbb{{E}}_{{{latex(density)}}}{_bracketed(body)}"
        case Mean(_, body, name):
            return rf"\mathbb{{E}}_{{{name}}}{_bracketed(body)}"
        case Integral(variable, body):
            return rf"\int {_wrapped(body, BINARY_PRODUCT)}\,d{variable}"
        case SumOver(body):
            return rf"\sum_j{_wrapped(body, BINARY_PRODUCT)}"
        case Divergence(q, p):
            size = (r"\left(", r"\right)") if isinstance(p, Quotient | Product) else (r"\bigl(", r"\bigr)")
            return rf"D_{{\mathrm{{KL}}}}{size[0]}{latex(q)}\,\Vert\,{latex(p)}{size[1]}"
        case Entropy(density):
            return rf"H\bigl({latex(density)}\bigr)"
        case MutualInformation(law, left, right):
            return rf"I_{{{law}}}({left};{right})"
        case TotalCorrelation():
            return r"\mathrm{TC}(z)"
        case Normal(of, mean, Number(Fraction(numerator=1, denominator=1))):
            return rf"\mathcal{{N}}\bigl({of.name};{latex(mean)},1\bigr)"
        case Normal(of, mean, deviation):
            return rf"\mathcal{{N}}\bigl({of.name};{latex(mean)},{_power(deviation, Number(Fraction(2)))}\bigr)"
        case Laplace(of, location, scale):
            return rf"\mathrm{{Laplace}}\bigl({of.name};{latex(location)},{latex(scale)}\bigr)"
        case _:
            raise CalculusError(f"{type(e).__name__} has no notation")


def _number(value: Fraction) -> str:
    if value.denominator == 1:
        return str(value.numerator)
    sign = "-" if value < 0 else ""
    return rf"{sign}\frac{{{abs(value.numerator)}}}{{{value.denominator}}}"


def _density(e: Density) -> str:
    name = e.symbol or e.law
    if e.bar:
        return rf"\bar{{{name}}}(z)"
    given = rf"\mid {','.join(e.given)}" if e.given else ""
    return f"{name}({','.join(e.of)}{given})"


def _signed(term: Expr) -> str:
    if isinstance(term, Negative):
        return "-" + _wrapped(term.body, BINARY_PRODUCT)
    return "+" + _wrapped(term, BINARY_PRODUCT)


def _product(factors: tuple[Expr, ...]) -> str:
    written = [*(_closed(factor) for factor in factors[:-1]), _wrapped(factors[-1], FACTOR)]
    out = written[0]
    for before, factor, text in zip(factors, factors[1:], written[1:], strict=False):
        out += _space(before, factor, text) + text
    return out


def _space(before: Expr, factor: Expr, text: str) -> str:
    """Room between two factors: none where TeX makes its own or both are plain letters or digits."""
    if _ends_in_digit(before) and text[:1].isdigit():
        return r"\cdot "
    if _numeral(before) and text.startswith(r"\frac"):
        return r"\cdot "
    if text.startswith((r"\log", r"\left", "(")):
        return ""
    if (isinstance(before, Number) and before.value.denominator == 1) or (_is_letter(before) and _is_letter(factor)):
        return " "
    return r"\,"


def _numeral(e: Expr) -> bool:
    return isinstance(e, Number) or (isinstance(e, Quotient) and _numeral(e.top) and _numeral(e.bottom))


def _ends_in_digit(e: Expr) -> bool:
    return isinstance(e, Number) or (isinstance(e, Symbol) and e.name[-1].isdigit())


def _closed(factor: Expr) -> str:
    """A factor before others: an open-ended one, such as a logarithm, is put in parentheses."""
    if isinstance(factor, SumOver) or (isinstance(factor, Call) and factor.function == "log"):
        return _in_parentheses(factor)
    return _wrapped(factor, FACTOR)


def _is_letter(e: Expr) -> bool:
    return isinstance(e, Symbol | Constant) or (isinstance(e, Power) and isinstance(e.base, Symbol))


def _power(base: Expr, exponent: Expr) -> str:
    whole = isinstance(base, Number) and base.value >= 0 and base.value.denominator == 1
    plain = whole or isinstance(base, Symbol | Constant) or (isinstance(base, Named) and not base.brace)
    inside = latex(base) if plain or _delimited(base) else _in_parentheses(base)
    return rf"{inside}^{{{_flat(exponent)}}}"


def _delimited(base: Expr) -> bool:
    return isinstance(base, Density) or (isinstance(base, Call) and base.function == "abs")


def _flat(exponent: Expr) -> str:
    """An exponent, its fractions written with a slash."""
    if isinstance(exponent, Number) and exponent.value.denominator != 1:
        return f"{exponent.value.numerator}/{exponent.value.denominator}"
    if isinstance(exponent, Quotient):
        return f"{_wrapped(exponent.top, BINARY_PRODUCT)}/{_wrapped(exponent.bottom, FACTOR)}"
    return latex(exponent)


def _derivative(body: Expr, by: Symbol) -> str:
    if isinstance(body, Derivative) and isinstance(body.body, Symbol | Named):
        below = rf"\partial {by.name}^2" if by == body.by else rf"\partial {by.name}\,\partial {body.by.name}"
        return rf"\frac{{\partial^2 {latex(body.body)}}}{{{below}}}"
    if isinstance(body, Symbol | Named):
        return rf"\frac{{\partial {latex(body)}}}{{\partial {by.name}}}"
    return rf"\frac{{\partial}}{{\partial {by.name}}}{_in_parentheses(body)}"


def _call(e: Call) -> str:
    match e:
        case Call("log", argument):
            simple = isinstance(argument, Sum | Product | Negative)
            return r"\log" + (_in_parentheses(argument) if simple else " " + latex(argument))
        case Call("exp", argument):
            return rf"e^{{{latex(argument)}}}"
        case Call("sqrt", argument):
            return rf"\sqrt{{{latex(argument)}}}"
        case Call("abs", argument):
            return rf"\lvert {latex(argument)}\rvert"
        case _:
            raise CalculusError(f"unknown function {e.function!r}; valid: log, exp, sqrt, abs")


def _bracketed(body: Expr) -> str:
    tall = any(isinstance(part, _TALL) for part in _visible(body))
    return rf"\left[{latex(body)}\right]" if tall else f"[{latex(body)}]"


def _in_parentheses(e: Expr) -> str:
    tall = any(isinstance(part, _TALL) for part in _visible(e))
    return rf"\left({latex(e)}\right)" if tall else rf"\bigl({latex(e)}\bigr)" if _deep(e) else f"({latex(e)})"


def _deep(e: Expr) -> bool:
    """Whether parentheses stand inside already."""
    return any(isinstance(part, Density | Divergence | Unknown) for part in _visible(e))


def _visible(e: Expr) -> Iterator[Expr]:
    """``e`` and what is printed of its inside: nothing of what stands under a name."""
    yield e
    if not isinstance(e, Named) or e.brace:
        for child in e.children():
            yield from _visible(child)


def _wrapped(e: Expr, tightness: int) -> str:
    """``e`` in parentheses when it holds together less tightly than its place asks."""
    loose = isinstance(e, Sum | Negative) or (isinstance(e, Number) and e.value < 0)
    own = BINARY_SUM if loose else BINARY_PRODUCT if isinstance(e, Product) else FACTOR
    return latex(e) if own >= tightness else _in_parentheses(e)
