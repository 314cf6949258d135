r"""Reading LaTeX back: a formula is displayed only if it reads as the very object that is proved.

:func:`read` is a recursive-descent parser of the LaTeX that ``notation`` writes.  A :class:`Vocabulary` says what each
name stands for; it is one-to-one, so that no formula shows one name for two things.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from fractions import Fraction

from dgm.calculus.language.derivation import Derivation
from dgm.calculus.language.expression import (
    VARIABLES,
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
    bare,
    is_scalar,
)
from dgm.calculus.language.notation import latex
from dgm.errors import CalculusError

# printed names of laws beside their own letter: the model's, the encoder's, the model's after a step, the data's
LAW_SYMBOLS = {r"p_\theta": "p", r"q_\phi": "q", r"p_{\theta'}": "r", r"p_{\mathcal{D}}": "q"}
_ARGUMENTS = r"\((?:[A-Za-z]|\\[A-Za-z]+|\^\\?\w+|[_^]\{\w+\}|_\w|[',;| ]|\\mid )+\)"
_HEAD = (
    r"(?:\\(?:mathcal|mathrm|bar|hat|tilde)\{\w+\}|[A-Za-z]|\\(?!log|exp|int|sum|frac|sqrt|partial|mathbb)[A-Za-z]+)"
)
_NAME = re.compile(rf"{_HEAD}'?(?:_(?:\w|\\[A-Za-z]+|\{{\w+\}}))?(?:\^(?:\\star|\*))?'?(?:{_ARGUMENTS})?")
_DENSITY_NAME = re.compile(r"[a-z]'?(?:_(?:\w|\\[A-Za-z]+))?\((?:x|z|z_j|,|\\mid| )+\)")
_FUNCTION_NAME = re.compile(r"(?:[HI]|\\mathrm\{(?:TC|KL|Laplace|Var)\}|\\mathcal\{N\}|D_\{)(?![a-z])")
_SPACE = re.compile(r"(?:\\,(?!d(?:z_j|x|z)(?![A-Za-z_]))|\\;|\s|\\cdot(?![A-Za-z]))+")
_OPEN = re.compile(r"\\bigl\(|\\left\(|\(")
_CLOSE = {r"\bigl(": r"\bigr)", r"\left(": r"\right)", "(": ")"}


class UnreadableError(Exception):
    """The text is no formula, or reads in no way that the vocabulary knows."""


@dataclass
class Vocabulary:
    """What printed names stand for; entered once, a name keeps its meaning.

    Raises:
        CalculusError: one name is given two meanings.
    """

    meanings: dict[str, tuple[str, object]] = field(default_factory=dict)

    def enter(self, name: str, kind: str, meaning: object) -> None:
        """Give a name its meaning."""
        known = self.meanings.setdefault(name, (kind, meaning))
        if known != (kind, meaning):
            raise CalculusError(f"one name, two things: {name}")

    def of_kind(self, kind: str) -> dict[str, object]:
        """The names of one kind, longest first."""
        found = {name: m for name, (k, m) in self.meanings.items() if k == kind}
        return dict(sorted(found.items(), key=lambda item: -len(item[0])))


def vocabulary(sides: Iterable[Expr]) -> Vocabulary:
    """The names that stand in expressions, with what they stand for.

    Raises:
        CalculusError: a name has two meanings, reads as a formula, or as the density of a law that it is not.
    """
    words, every = Vocabulary(), [part for side in sides for part in side.walk()]
    random = any(not is_scalar(part) for part in every)
    for part in every:
        match part:
            case Symbol(name):
                words.enter(name, "symbol", part)
                if random and name in (*VARIABLES, "d"):
                    raise CalculusError(f"{name} is a number here, and a random variable beside it")
            case Named(body, name, brace):
                for one in name.split("=") if brace else (name,):
                    _require_name(one, body, random)
                    words.enter(one, "name", bare(body))
            case Density(law, of, _, symbol):
                _enter_law(words, law, symbol, of)
            case Unknown(name):
                words.enter(name, "function", name)
            case Mean(law, _, name):
                words.enter("E " + name, "mean", bare(law))
            case TotalCorrelation(law):
                if law != "q":
                    raise CalculusError(f"the total correlation is printed without its law; valid: q, not {law}")
    _require_apart(words, every)
    return words


def _require_name(name: str, body: Expr, random: bool) -> None:
    if not _NAME.fullmatch(name):
        raise CalculusError(f"{name!r} is no name: one letter, with a subscript and arguments")
    correlation = Divergence(Density("q", ("z",)), Density("q", ("z",), bar=True))
    if _FUNCTION_NAME.match(name) and not (name == r"\mathrm{TC}(z)" and bare(body) == correlation):
        raise CalculusError(f"{name!r} reads as an entropy, an information or a law")
    explicit = isinstance(bare(body), Normal | Laplace) and not random
    if _DENSITY_NAME.fullmatch(name) and not explicit:
        raise CalculusError(f"{name!r} reads as the density of a law")


def _enter_law(words: Vocabulary, law: str, symbol: str, of: tuple[str, ...]) -> None:
    if symbol and symbol != law and LAW_SYMBOLS.get(symbol) != law:
        raise CalculusError(
            f"{symbol} is no printed name of the law {law}; valid: "
            + ", ".join([law, *(s for s, own in LAW_SYMBOLS.items() if own == law)])
        )
    if symbol == r"p_{\mathcal{D}}" and of != ("x",):
        raise CalculusError(f"{symbol} is the law of x alone")
    words.enter(symbol or law, "law", law)


def _require_apart(words: Vocabulary, every: list[Expr]) -> None:
    """No explicit law under the name of another law, and no e beside a number named e."""
    means = {name[2:]: law for name, law in words.of_kind("mean").items()}
    for name, law in means.items():
        other = words.meanings.get(name)
        own = isinstance(law, Normal | Laplace) and other == ("symbol", law.of)
        if other and not own:
            raise CalculusError(f"one name, two things: {name}")
    exponential = any(part == Constant("e") or (isinstance(part, Call) and part.function == "exp") for part in every)
    if exponential and "e" in words.meanings:
        raise CalculusError("e is a number here, and the base of the exponential beside it")


def require_readable(derivation: Derivation) -> None:
    """Refuse a derivation whose printed formulas do not read back as its expressions.

    Raises:
        CalculusError: a name is ambiguous, or a formula reads as another object.
    """
    words = vocabulary(derivation.sides)
    bodies = [part.body for side in derivation.sides for part in side.walk() if isinstance(part, Named)]
    for e in (*derivation.sides, *bodies):
        _require_round_trip(e, words, derivation.label)
    printed: dict[str, str] = {}
    for e in (part for side in derivation.sides for part in side.walk() if isinstance(part, Density)):
        if printed.setdefault(latex(bare(e)), e.symbol) != e.symbol:
            raise CalculusError(f"{derivation.label}: {latex(bare(e))} is printed in two ways")


def _require_round_trip(e: Expr, words: Vocabulary, label: str) -> None:
    _require_plain_numerals(e, label)
    text = latex(e)
    try:
        found = read(text, words)
    except UnreadableError as reason:
        raise CalculusError(f"{label}: {text} does not read back: {reason}") from None
    if shape(found) != shape(e):
        raise CalculusError(f"{label}: {text} reads as another expression than the one that is proved")


def _require_plain_numerals(e: Expr, label: str) -> None:
    """Numerals are not multiplied or raised in print: a reader takes 3 1/2 for three and a half."""
    for part in e.walk():
        match part:
            case Power(Number(value), _) if value < 0 or value.denominator != 1:
                raise CalculusError(f"{label}: a power of {value}: write the number itself")
            case Product(factors):
                heads = [f.base if isinstance(f, Power) else f for f in factors]
                if any(_numeral(a) and _numeral(b) for a, b in zip(factors, heads[1:], strict=False)):
                    raise CalculusError(f"{label}: two numerals side by side: write their product")


def _numeral(e: Expr) -> bool:
    return isinstance(e, Number) or (isinstance(e, Quotient) and _numeral(e.top) and _numeral(e.bottom))


# ---- one shape for what is written in several ways


def shape(e: Expr) -> Expr:
    """``e`` with sums and products flat, rational numbers whole, and no names: what its LaTeX can tell."""
    return _shape(bare(e))


def _shape(e: Expr) -> Expr:
    match e:
        case Sum(terms):
            inside = tuple(part for t in map(_shape, terms) for part in (t.terms if isinstance(t, Sum) else (t,)))
            return Sum(inside) if len(inside) > 1 else inside[0]
        case Product(factors):
            inside = tuple(
                part for f in map(_shape, factors) for part in (f.factors if isinstance(f, Product) else (f,))
            )
            return Product(inside) if len(inside) > 1 else inside[0]
        case Negative(body):
            inner = _shape(body)
            return Number(-inner.value) if isinstance(inner, Number) else Negative(inner)
        case Quotient(top, bottom):
            a, b = _shape(top), _shape(bottom)
            return (
                Number(a.value / b.value)
                if isinstance(a, Number) and isinstance(b, Number) and b.value
                else Quotient(a, b)
            )
        case Power(Constant("e"), exponent):
            return Call("exp", _shape(exponent))
        case Mean(law, body):
            return Mean(_shape(law), _shape(body), "")  # type: ignore[arg-type]
        case _:
            changed = {f: _shape_value(getattr(e, f)) for f in e.__dataclass_fields__}  # type: ignore[attr-defined]
            return replace(e, **changed)  # type: ignore[type-var]


def _shape_value(value: object) -> object:
    if isinstance(value, tuple):
        return tuple(map(_shape_value, value))
    return _shape(value) if isinstance(value, Expr) else value


# ---- the parser


def read(tex: str, words: Vocabulary) -> Expr:
    r"""The expression that LaTeX shows.

    Raises:
        UnreadableError: it is no formula in these words.

    >>> a = Symbol("a")
    >>> read(r"\frac{a+1}{2}", vocabulary([a])) == Quotient(a + 1, Number(Fraction(2)))
    True
    """
    reader = _Reader(tex, words)
    found = reader.sum()
    reader.skip()
    if reader.rest:
        raise UnreadableError(f"at {reader.rest[:20]!r}")
    return found


class _Reader:
    """A position in LaTeX text, and the expressions that start there."""

    def __init__(self, text: str, words: Vocabulary) -> None:
        self.text, self.words, self.place = text, words, 0
        self._starts: tuple[tuple[str, Callable[[], Expr]], ...] = (
            (r"\frac{\partial", self._derivative),
            (r"\frac{", self._fraction),
            (r"\sqrt{", self._root),
            ("e^{", self._exponential),
            (r"\log", self._logarithm),
            (r"\lvert ", self._absolute),
            (r"\mathbb{E}_{", self._mean),
            (r"\int ", self._integral),
            (r"\sum_j", self._sum_over),
            (r"D_{\mathrm{KL}}", self._divergence),
            (r"\mathcal{N}\bigl(", self._normal),
            (r"\mathrm{Laplace}\bigl(", self._laplace),
            (r"\mathrm{TC}(z)", self._correlation),
            (r"\underbrace{", self._brace),
            (r"\pi", lambda: Constant(r"\pi")),
            ("e", lambda: Constant("e")),
        )

    @property
    def rest(self) -> str:
        return self.text[self.place :]

    def skip(self) -> bool:
        """Pass over room between factors; True if there was any."""
        found = _SPACE.match(self.text, self.place)
        self.place = found.end() if found else self.place
        return bool(found)

    def take(self, word: str) -> bool:
        """Pass over a word if it stands here."""
        if not self.text.startswith(word, self.place):
            return False
        self.place += len(word)
        return True

    def expect(self, word: str) -> None:
        if not self.take(word):
            raise UnreadableError(f"no {word!r} at {self.rest[:20]!r}")

    # ---- sums and products

    def sum(self, end: Callable[[], bool] = lambda: False) -> Expr:
        terms = [Negative(self.product()) if self.take("-") else self.product()]
        while not end() and (self.text.startswith(("+", "-"), self.place)):
            minus = not self.take("+") and self.take("-")
            terms.append(Negative(self.product()) if minus else self.product())
        return terms[0] if len(terms) == 1 else Sum(tuple(terms))

    def product(self) -> Expr:
        factors = [self.power()]
        while True:
            start = self.place
            apart = self.skip()
            if not self._at_factor():
                self.place = start
                break
            if not apart and self._digits_meet(start):
                raise UnreadableError("numerals without a sign between them")
            factors.append(self.power())
        return factors[0] if len(factors) == 1 else Product(tuple(factors))

    def _digits_meet(self, start: int) -> bool:
        return self.text[start - 1 : start].isdigit() and self.text[start : start + 1].isdigit()

    def _at_factor(self) -> bool:
        stops = (
            ")",
            "]",
            "}",
            "+",
            "-",
            "/",
            ",",
            ";",
            r"\right",
            r"\bigr",
            r"\rvert",
            r"\,d",
            r"\,\Vert",
            r"\Vert",
            r"\mid",
            "=",
        )
        return bool(self.rest) and not self.rest.startswith(stops)

    def power(self) -> Expr:
        base = self.factor()
        if not self.take("^{"):
            return base
        exponent = self.sum()
        if self.take("/"):
            exponent = Quotient(exponent, self.power())
        self.expect("}")
        return Power(base, exponent)

    def factor(self) -> Expr:
        word = self._word()
        for start, parse in self._starts:
            if not word and self.take(start):
                return parse()
        if word:
            return word
        if opening := _OPEN.match(self.text, self.place):
            return self._parenthesised(opening[0])
        if digits := re.compile(r"\d+").match(self.text, self.place):
            self.place = digits.end()
            return Number(Fraction(digits[0]))
        return self._applied()

    def _parenthesised(self, opening: str) -> Expr:
        self.expect(opening)
        inner = self.sum()
        self.expect(_CLOSE[opening])
        return inner

    def _word(self) -> Expr | None:
        """A name or a symbol, the longest that stands here; not the beginning of a longer word."""
        names = {**self.words.of_kind("name"), **self.words.of_kind("symbol")}
        for name in sorted(names, key=len, reverse=True):
            after = self.text[self.place + len(name) : self.place + len(name) + 1]
            cut = re.search(r"\\[A-Za-z]+$", name) and after.isalpha()
            applied = after == "(" and (name in self.words.of_kind("law") or name in self.words.of_kind("function"))
            if self.text.startswith(name, self.place) and not cut and not applied and after not in ("_", "'"):
                self.place += len(name)
                meaning = names[name]
                assert isinstance(meaning, Expr)
                return meaning
        return None

    # ---- functions

    def _fraction(self) -> Expr:
        top = self.sum()
        self.expect("}{")
        bottom = self.sum()
        self.expect("}")
        return Quotient(top, bottom)

    def _root(self) -> Expr:
        inner = self.sum()
        self.expect("}")
        return Call("sqrt", inner)

    def _exponential(self) -> Expr:
        inner = self.sum()
        if self.take("/"):
            inner = Quotient(inner, self.power())
        self.expect("}")
        return Call("exp", inner)

    def _logarithm(self) -> Expr:
        self.skip()
        return Call("log", self.power())

    def _absolute(self) -> Expr:
        inner = self.sum()
        self.expect(r"\rvert")
        return Call("abs", inner)

    def _brace(self) -> Expr:
        inner = self.sum()
        self.expect("}_{")
        names = [name for name in self.words.of_kind("name") if bare(inner) == self.words.meanings[name][1]]
        shown = "=".join(sorted(names, key=lambda name: self.rest.find(name)))
        self.expect(shown + "}")
        return inner

    def _derivative(self) -> Expr:
        twice = self.take("^2")
        self.take(" ")
        body = None if self.rest.startswith("}{") else self.power()
        self.expect(r"}{\partial ")
        symbols = [self._symbol()]
        if self.take(r"\,\partial "):
            symbols.append(self._symbol())
        elif twice:
            self.expect("^2")
            symbols *= 2
        self.expect("}")
        if body is None:
            opening = _OPEN.match(self.text, self.place)
            if not opening:
                raise UnreadableError("a derivative of nothing")
            body = self._parenthesised(opening[0])
        for symbol in reversed(symbols):
            body = Derivative(body, symbol)
        return body

    def _symbol(self) -> Symbol:
        found = self._word()
        if not isinstance(found, Symbol):
            raise UnreadableError("no symbol to differentiate by")
        return found

    # ---- densities, averages

    def _variables(self) -> tuple[str, ...]:
        found = re.compile(r"(z_j|x|z)(,(z_j|x|z))*").match(self.text, self.place)
        if not found:
            raise UnreadableError(f"no variables at {self.rest[:20]!r}")
        self.place = found.end()
        return tuple(found[0].split(","))

    def _applied(self) -> Expr:
        """A density or an unknown function of variables."""
        for name, law in self.words.of_kind("law").items():
            if self.take(rf"\bar{{{name}}}(z)"):
                return Density(str(law), ("z",), bar=True)
            if self.take(name + "("):
                of = self._variables()
                given = self._variables() if self.take(r"\mid ") else ()
                self.expect(")")
                return Density(str(law), of, given)
        for name in self.words.of_kind("function"):
            if self.take(name + "("):
                of = self._variables()
                self.expect(")")
                return Unknown(name, of)
        if self.take(r"H\bigl("):
            return self._entropy()
        if self.take("I_{"):
            return self._information()
        raise UnreadableError(f"at {self.rest[:20]!r}")

    def _entropy(self) -> Expr:
        density = self._density()
        self.expect(r"\bigr)")
        return Entropy(density)

    def _density(self) -> Density:
        found = self._applied()
        if not isinstance(found, Density):
            raise UnreadableError("no density")
        return found

    def _information(self) -> Expr:
        law = next((str(law) for name, law in self.words.of_kind("law").items() if self.take(name)), None)
        law = law or self.text[self.place : self.place + 1]
        self.place += not self.text[self.place :].startswith("}")
        self.expect("}(")
        (left,) = self._variables()
        self.expect(";")
        (right,) = self._variables()
        self.expect(")")
        return MutualInformation(law, left, right)

    def _mean(self) -> Expr:
        for name, law in self.words.of_kind("mean").items():
            if self.take(name[2:] + "}"):
                assert isinstance(law, Normal | Laplace)
                return Mean(law, self._bracketed(), name[2:])
        density = self._density()
        self.expect("}")
        return Expectation(density, self._bracketed())

    def _bracketed(self) -> Expr:
        tall = self.take(r"\left")
        self.expect("[")
        inner = self.sum()
        self.expect(r"\right]" if tall else "]")
        return inner

    def _integral(self) -> Expr:
        body = self.product()
        self.expect(r"\,d")
        (variable,) = self._variables()
        return Integral(variable, body)

    def _sum_over(self) -> Expr:
        return SumOver(self.product())

    def _divergence(self) -> Expr:
        opening = _OPEN.match(self.text, self.place)
        if not opening:
            raise UnreadableError("a divergence of nothing")
        self.expect(opening[0])
        q = self.factor()
        self.expect(r"\,\Vert\,")
        p = self.product()
        self.expect(_CLOSE[opening[0]])
        return Divergence(q, p)

    def _correlation(self) -> Expr:
        return TotalCorrelation("q")

    def _normal(self) -> Expr:
        of, first, second = self._parameters()
        if not isinstance(second, Power) or second.exponent != Number(Fraction(2)):
            if second != Number(Fraction(1)):
                raise UnreadableError("a Gaussian whose variance is no square")
            return Normal(of, first, second)
        return Normal(of, first, second.base)

    def _laplace(self) -> Expr:
        return Laplace(*self._parameters())

    def _parameters(self) -> tuple[Symbol, Expr, Expr]:
        of = self._symbol()
        self.expect(";")
        first = self.sum()
        self.expect(",")
        second = self.sum()
        self.expect(r"\bigr)")
        return of, first, second
