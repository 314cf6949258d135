"""Exact arithmetic on expressions: a normal form as a quotient of polynomials over irreducible expressions.

Sums, products, powers, exponentials and logarithms of numbers, symbols, densities, expectations … are brought to
``numerator * product(factor ** n)``: the numerator is a polynomial with rational coefficients, whose monomials hold
irreducible expressions with rational exponents, and each factor is a monic polynomial of several terms.  Two
expressions with one normal form are equal wherever both are defined.

A logarithm is split, and a root taken, only of factors that :meth:`Arithmetic.sign` proves positive.  The work is
bounded: what needs more raises :class:`RefusalError`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache, reduce
from math import floor
from typing import Literal

from dgm.calculus.language.expression import (
    Call,
    Constant,
    Expr,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    Symbol,
    Unknown,
)

Rational = int | Fraction
Monomial = tuple[tuple[Expr, Rational], ...]
Polynomial = dict[Monomial, Rational]
Monic = tuple[tuple[Monomial, Rational], ...]
Sign = Literal["+", "0+"] | None  # positive, nonnegative, not known

WORK = 60_000  # products of two monomials that one proof may take
HIGHEST_POWER, LARGEST_PRIME, LARGEST_NUMBER = 200, 10**5, 10**10
ONE_MONOMIAL: Monomial = ()
ZERO, ONE, MINUS_ONE = Number(Fraction(0)), Number(Fraction(1)), Number(Fraction(-1))


class RefusalError(Exception):
    """A rule does not apply, a side condition is not proved, or the work is too much."""


def require(good: object, why: str) -> None:
    """Refuse unless a side condition holds.

    Raises:
        RefusalError: it does not.
    """
    if not good:
        raise RefusalError(why)


@dataclass(frozen=True)
class Form:
    """A normal form: ``numerator`` times the product of the ``factors`` to their integer powers."""

    numerator: Polynomial
    factors: dict[Monic, int]


UNIT_FORM, ZERO_FORM = Form({ONE_MONOMIAL: 1}, {}), Form({}, {})


def whole(value: Fraction) -> Rational:
    """A rational number, an integer where it is whole: exponents mostly are, and integers are quick."""
    return value.numerator if value.denominator == 1 else value


def constant(value: Fraction) -> Form:
    """The form of a rational number."""
    return Form({ONE_MONOMIAL: whole(value)} if value else {}, {})


def atom(e: Expr, exponent: Rational = 1) -> Form:
    """The form of one irreducible expression to a power."""
    return Form({((e, exponent),): 1}, {})


@lru_cache(maxsize=65536)
def order(e: Expr) -> str:
    """A key that sorts expressions."""
    return repr(e)


def _monomial_order(m: Monomial) -> list[tuple[str, Rational]]:
    return [(order(e), exponent) for e, exponent in m]


def _leading(p: Polynomial) -> Rational:
    return p[min(p, key=_monomial_order)]


def monic(p: Polynomial) -> tuple[Rational, Monic]:
    """A polynomial as its leading coefficient and the rest in order."""
    lead = _leading(p)
    return lead, tuple((m, whole(Fraction(p[m]) / lead)) for m in sorted(p, key=_monomial_order))


def prime_powers(value: Fraction) -> list[tuple[int, int]]:
    """The primes of a positive rational number with their exponents."""
    found: dict[int, int] = {}
    for number, side in ((value.numerator, 1), (value.denominator, -1)):
        divisor = 2
        while number > 1:
            if divisor * divisor > number:
                divisor = number
            while number % divisor == 0:
                number //= divisor
                found[divisor] = found.get(divisor, 0) + side
            divisor += 1
            require(divisor < LARGEST_PRIME or number < LARGEST_NUMBER, "a number is too large to factor")
    return sorted(found.items())


class Arithmetic(ABC):
    """Normal forms of expressions, remembered; signs are judged by the kernel."""

    def __init__(self) -> None:
        self._forms: dict[Expr, Form] = {}
        self._work = WORK

    @abstractmethod
    def sign(self, e: Expr) -> Sign:
        """The proved sign of an expression."""

    def normal(self, e: Expr) -> Form:
        """The normal form of ``e``.

        Raises:
            RefusalError: a division by zero, or too much work.
        """
        if e not in self._forms:
            self._forms[e] = self._normal(e)
        return self._forms[e]

    def is_zero(self, e: Expr) -> bool:
        """True where the normal form is 0; False proves nothing."""
        return not self.normal(e).numerator

    def same(self, a: Expr, b: Expr) -> bool:
        """True where both have one normal form."""
        return a == b or self.is_zero(Sum((a, Negative(b))))

    def _normal(self, e: Expr) -> Form:
        match e:
            case Number(value):
                return constant(value)
            case Constant("e"):
                return self.normal(Call("exp", ONE))
            case Sum(terms):
                return self.add([self.normal(t) for t in terms])
            case Negative(body):
                return self.scale(self.normal(body), -1)
            case Product(factors):
                return reduce(self.multiply, map(self.normal, factors), UNIT_FORM)
            case Quotient(top, bottom):
                return self.multiply(self.normal(top), self.power(self.normal(bottom), -1))
            case Power(base, exponent):
                return self._normal_power(base, exponent)
            case Call(function, argument):
                return self._normal_call(function, argument)
            case _:
                return atom(e)

    def _normal_power(self, base: Expr, exponent: Expr) -> Form:
        form = self.normal(exponent)
        if not form.factors and set(form.numerator) <= {ONE_MONOMIAL}:
            return self.power(self.normal(base), form.numerator.get(ONE_MONOMIAL, 0))
        require(self.sign(base) == "+", "a power with a symbol in its exponent needs a positive base")
        return self.normal(Call("exp", Product((exponent, Call("log", base)))))

    def _normal_call(self, function: str, argument: Expr) -> Form:
        if function == "sqrt":
            return self.power(self.normal(argument), Fraction(1, 2))
        if function == "exp":
            return self.exponential(self.normal(argument))
        if function == "log":
            return self._normal_log(argument)
        require(function == "abs", f"unknown function {function}")
        return self._normal_abs(argument)

    def _normal_abs(self, argument: Expr) -> Form:
        form = self.normal(argument)
        if self.sign(argument) or not form.numerator:
            return form
        upright = form if _leading(form.numerator) > 0 else self.scale(form, -1)
        return atom(Call("abs", self.term(upright)))

    def _normal_log(self, argument: Expr) -> Form:
        """The logarithm of a product of positive factors as a sum, before the product is multiplied out."""
        match argument:
            case Product(factors) if all(self.sign(f) == "+" for f in factors):
                return self.add([self._normal_log(f) for f in factors])
            case Quotient(top, bottom) if self.sign(top) == "+" == self.sign(bottom):
                return self.add([self._normal_log(top), self.scale(self._normal_log(bottom), -1)])
            case Power(base, Number(value)) if self.sign(base) == "+":
                return self.scale(self._normal_log(base), value)
            case Call("exp", inner):
                return self.normal(inner)
            case _:
                return self.logarithm(self.normal(argument))

    # ---- forms

    def scale(self, form: Form, by: Rational) -> Form:
        """A form times a rational number."""
        return Form({m: c * by for m, c in form.numerator.items()}, form.factors) if by else ZERO_FORM

    def add(self, forms: list[Form]) -> Form:
        """The sum of forms over their common factors."""
        keys = {key for form in forms for key in form.factors}
        low = {key: min(form.factors.get(key, 0) for form in forms) for key in keys}
        total: Polynomial = {}
        for form in forms:
            numerator = form.numerator
            for key in keys:
                numerator = self._times_power(numerator, dict(key), form.factors.get(key, 0) - low[key])
            for m, c in numerator.items():
                total[m] = total.get(m, 0) + c
        total = {m: c for m, c in total.items() if c}
        return Form(total, {key: n for key, n in low.items() if n and total})

    def multiply(self, a: Form, b: Form) -> Form:
        """The product of two forms."""
        factors = {key: a.factors.get(key, 0) + b.factors.get(key, 0) for key in {**a.factors, **b.factors}}
        return Form(self._product(a.numerator, b.numerator), {key: n for key, n in factors.items() if n})

    def _times_power(self, p: Polynomial, q: Polynomial, n: int) -> Polynomial:
        require(n <= HIGHEST_POWER, "a power is too large")
        for _ in range(n):
            p = self._product(p, q)
        return p

    def _product(self, a: Polynomial, b: Polynomial) -> Polynomial:
        self._work -= len(a) * len(b)
        require(self._work >= 0, "too much arithmetic")
        out: Polynomial = {}
        for left, c in a.items():
            for right, d in b.items():
                for m, value in self._monomial_product(left, right).items():
                    out[m] = out.get(m, 0) + c * d * value
        return {m: c for m, c in out.items() if c}

    def _monomial_product(self, a: Monomial, b: Monomial) -> Polynomial:
        """The product of two monomials; roots of numbers and of sums that became whole are multiplied out."""
        exponents, factor = dict(a), Fraction(1)
        for e, n in b:
            exponents[e] = exponents.get(e, 0) + n
        for e, n in list(exponents.items()):
            if isinstance(e, Number):
                factor *= e.value ** floor(n)
                exponents[e] = n - floor(n)
        full = [
            (e, n)
            for e, n in exponents.items()
            if isinstance(e, Sum | Product | Power) and n.denominator == 1 and n > 0
        ]
        for e, _ in full:
            del exponents[e]
        rest = tuple(sorted(((e, n) for e, n in exponents.items() if n), key=lambda pair: order(pair[0])))
        out: Polynomial = {rest: whole(factor)}
        for e, n in full:
            form = self.normal(e)
            require(not form.factors, "a root of a quotient of sums")
            out = self._times_power(out, form.numerator, int(n))
        return out

    def power(self, form: Form, r: Rational) -> Form:
        """A form to a rational power."""
        require(-HIGHEST_POWER <= r <= HIGHEST_POWER, "a power is too large")
        if r.denominator == 1 and r >= 0:
            numerator = self._times_power({ONE_MONOMIAL: 1}, form.numerator, int(r))
            return Form(numerator, {key: n * int(r) for key, n in form.factors.items() if r})
        require(form.numerator, "a division by zero")
        if len(form.numerator) == 1:
            direct = self._monomial_power(form, r)
            if direct is not None:
                return direct
        elif r.denominator == 1:
            lead, key = monic(form.numerator)
            inverted = Form(
                {ONE_MONOMIAL: whole(Fraction(lead) ** int(r))}, {k: n * int(r) for k, n in form.factors.items()}
            )
            return self.multiply(inverted, Form({ONE_MONOMIAL: 1}, {key: int(r)}))
        require(not form.factors, "a root of a quotient of sums")
        return atom(self.term(form), r)

    def _monomial_power(self, form: Form, r: Rational) -> Form | None:
        """A product to a power, factor by factor: for a root each of them must be proved positive."""
        ((m, c),) = form.numerator.items()
        if r.denominator != 1 and not (c > 0 and self._all_positive(form, m, r)):
            return None
        number = {ONE_MONOMIAL: whole(Fraction(c) ** int(r))} if r.denominator == 1 else self._number_power(c, r)
        powers: Polynomial = {tuple((e, n * r) for e, n in m): 1}
        return Form(self._product(number, powers), {key: int(n * r) for key, n in form.factors.items()})

    def _all_positive(self, form: Form, m: Monomial, r: Rational) -> bool:
        return all(self.sign(e) == "+" for e, _ in m) and all(
            (n * r).denominator == 1 and self.sign(self.polynomial(key)) == "+" for key, n in form.factors.items()
        )

    def _number_power(self, c: Rational, r: Rational) -> Polynomial:
        roots: Monomial = tuple((Number(Fraction(p)), n * r) for p, n in prime_powers(Fraction(c)))
        return self._product({ONE_MONOMIAL: 1}, {roots: 1})

    def exponential(self, form: Form) -> Form:
        """``exp`` of a sum as a product; ``exp(c log a)`` is ``a ** c``."""
        out = UNIT_FORM
        for m, c in form.numerator.items():
            single = m[0] if not form.factors and len(m) == 1 else None
            if single and single[1] == 1 and isinstance(single[0], Call) and single[0].function == "log":
                part = self.power(self.normal(single[0].argument), c)
            else:
                part = atom(Call("exp", self.term(Form({m: 1}, form.factors))), c)
            out = self.multiply(out, part)
        return out

    def logarithm(self, form: Form) -> Form:
        """The logarithm of a product of positives as a sum; what is not proved positive stays whole."""
        if not form.numerator:
            raise RefusalError("the logarithm of zero")
        common = self._common_positive(form.numerator)
        lead, key = monic(_divided(form.numerator, common))
        sums = [(self.polynomial(k), n) for k, n in {**form.factors, **({key: 1} if len(key) > 1 else {})}.items()]
        split = len(key) > 1 or key[0][0] == ONE_MONOMIAL
        if lead <= 0 or not split or not all(self.sign(p) == "+" for p, _ in sums):
            return atom(Call("log", self.term(form)))
        parts: list[tuple[Expr, Rational]] = [(p, n) for p, n in sums]
        parts += [*common.items(), *((Number(Fraction(p)), n) for p, n in prime_powers(Fraction(lead)))]
        return self.add([ZERO_FORM] + [self.scale(self._log_of_atom(e), n) for e, n in parts if n])

    def _log_of_atom(self, e: Expr) -> Form:
        return self.normal(e.argument) if isinstance(e, Call) and e.function == "exp" else atom(Call("log", e))

    def _common_positive(self, p: Polynomial) -> dict[Expr, Rational]:
        """The positive expressions that every monomial holds, with their lowest exponents."""
        every = {e for m in p for e, _ in m if self.sign(e) == "+"}
        return {e: min(dict(m).get(e, 0) for m in p) for e in sorted(every, key=order)}

    # ---- back to expressions

    def polynomial(self, key: Monic) -> Expr:
        """A factor as an expression."""
        return self.term(Form(dict(key), {}))

    def term(self, form: Form) -> Expr:
        """The canonical expression of a form: a sum of products."""
        outside = [
            _raised(self.polynomial(key), n)
            for key, n in sorted(form.factors.items(), key=lambda item: order(self.polynomial(item[0])))
        ]
        terms = [_monomial_term(m, form.numerator[m], outside) for m in sorted(form.numerator, key=_monomial_order)]
        return ZERO if not terms else terms[0] if len(terms) == 1 else Sum(tuple(terms))

    def simplified(self, e: Expr) -> Expr:
        """The canonical expression equal to ``e``."""
        return self.term(self.normal(e))

    def is_one_minus_unit(self, form: Form) -> bool:
        """True for ``1 - u`` where u is a product of powers of numbers and functions in (0, 1)."""
        others = [(m, c) for m, c in form.numerator.items() if m]
        if form.factors or form.numerator.get(ONE_MONOMIAL) != 1 or len(others) != 1:
            return False
        m, c = others[0]
        return c == -1 and all(n > 0 and in_unit_interval(e) for e, n in m)


def in_unit_interval(e: Expr) -> bool:
    """True for a number or a function that lies in (0, 1) by its sort."""
    return isinstance(e, Unknown) or (isinstance(e, Symbol) and e.unit)


def _divided(p: Polynomial, common: dict[Expr, Rational]) -> Polynomial:
    out: Polynomial = {}
    for m, c in p.items():
        exponents = dict(m)
        for e, n in common.items():
            exponents[e] = exponents.get(e, 0) - n
        rest = tuple(sorted(((e, n) for e, n in exponents.items() if n), key=lambda pair: order(pair[0])))
        out[rest] = c
    return out


def _raised(e: Expr, n: Rational) -> Expr:
    return e if n == 1 else Power(e, Number(Fraction(n)))


def _monomial_term(m: Monomial, c: Rational, outside: list[Expr]) -> Expr:
    parts = [*(_raised(e, n) for e, n in m), *outside]
    if c != 1 or not parts:
        parts.insert(0, Number(Fraction(c)))
    return parts[0] if len(parts) == 1 else Product(tuple(parts))
