"""The kernel's judgements: an expression is well formed, it is positive or nonnegative, densities are densities.

Standing hypotheses, printed once in the report: the distributions have densities, positive on one common support;
every expectation and integral of a proof converges absolutely; z has at least one coordinate.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import reduce
from itertools import permutations
from math import comb, factorial

from dgm.calculus.checking.arithmetic import (
    MINUS_ONE,
    ONE,
    ZERO,
    Arithmetic,
    Monomial,
    Rational,
    RefusalError,
    Sign,
    require,
)
from dgm.calculus.checking.certificate import Hypothesis
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
    closure,
    definition,
    free_variables,
)

RANDOM = (Density, Unknown, Expectation, Integral, Divergence, Entropy, MutualInformation, TotalCorrelation)
HALF = Number(Fraction(1, 2))
LONGEST_GAP = 12  # terms of a sum among which a known inequality is looked for


# ---- densities


def conditional_factors(p: Expr) -> list[Density] | None:
    """The densities whose product ``p`` is; None where it is no product of densities."""
    parts = p.factors if isinstance(p, Product) else (p,)
    found = [part for part in parts if isinstance(part, Density)]
    return found if len(found) == len(parts) else None


def in_chain_order(densities: list[Density]) -> bool:
    """True if the densities multiply to one density: each is given only variables of those before it, or of none."""
    left = list(densities)
    while left:
        first = next((d for d in left if not any(_clash(d.given, o.of) for o in left)), None)
        if first is None:
            return False
        left.remove(first)
    return all(not _clash(a.of, b.of) for i, a in enumerate(densities) for b in densities[:i])


def _clash(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    return bool(closure(a) & closure(b))


def index_free(e: object) -> bool:
    """True if nothing in ``e`` carries the index j that a sum around it would bind: no z_j, no indexed symbol."""
    match e:
        case SumOver():
            return True
        case Symbol():
            return not e.indexed
        case Density(_, of, given):
            return "z_j" not in (*of, *given)
        case Unknown(_, of):
            return "z_j" not in of
        case Integral(variable, body):
            return variable != "z_j" and index_free(body)
        case MutualInformation(_, left, right):
            return "z_j" not in (left, right)
        case Expr():
            return all(map(index_free, e.children()))
        case _:
            return True


def occurs(what: Symbol, e: Expr) -> bool:
    """True if a symbol stands free or bound in ``e``."""
    return any(part == what for part in e.walk())


class Judge(Arithmetic):
    """Judgements under hypotheses; every answer but a refusal is a theorem."""

    def __init__(self, hypotheses: tuple[Hypothesis, ...] = ()) -> None:
        super().__init__()
        self.hypotheses = hypotheses
        self._signs: dict[Expr, Sign] = {}
        self._good: set[tuple[Expr, frozenset[Symbol]]] = set()

    # ---- well formed: defined and real at every point

    def check(self, e: Expr, bound: frozenset[Symbol] = frozenset()) -> None:
        """Refuse an expression that need not be defined; ``bound`` are the variables of means around it.

        Raises:
            RefusalError: a side condition is not proved.
        """
        if (e, bound) not in self._good:
            self._check(e, bound)
            self._good.add((e, bound))

    def _check(self, e: Expr, bound: frozenset[Symbol]) -> None:
        match e:
            case Number() | Constant() | Symbol() | Density() | Unknown() | TotalCorrelation() | MutualInformation():
                return
            case Expectation(density, body):
                self.check(body, bound)
                self._require_averaging(density.of, body)
            case Integral(variable, body):
                self.check(body, bound)
                require(variable in free_variables(body), f"an integral over {variable}, of which nothing depends")
                self._require_averaging((variable,), body)
            case Divergence(q, p):
                self._check_divergence(q, p, bound)
            case Mean(law, body):
                self._check_mean(law, body, bound)
            case Normal(_, location, scale) | Laplace(_, location, scale):
                self._check_law(e, location, scale, bound)
            case Derivative(body, by):
                require(by not in _bound_inside(body), f"a derivative by {by.name}, which is bound inside")
                self.check(body, bound)
                self.check(self.derivative(self.closed(body), by), bound)
            case Sum(parts) | Product(parts):
                require(parts, "an empty sum or product")
                for part in parts:
                    self.check(part, bound)
            case Power() | Quotient() | Call():
                for part in e.children():
                    self.check(part, bound)
                self._check_domain(e)
            case Entropy(density):
                return
            case Negative(body) | SumOver(body):
                self.check(body, bound)
            case _:
                raise RefusalError(f"no term of the kernel: {type(e).__name__}")

    def _require_averaging(self, variables: tuple[str, ...], body: Expr) -> None:
        """A coordinate is not averaged in a term that speaks of the whole of z."""
        require("z_j" not in variables or "z" not in free_variables(body), "z_j is averaged in a term that speaks of z")

    def _check_domain(self, e: Expr) -> None:
        match e:
            case Quotient(_, bottom):
                require(self.nonzero(bottom), "a denominator is not proved to differ from zero")
            case Call("log", argument):
                require(self.sign(argument) == "+", "the logarithm of what is not proved positive")
            case Call("sqrt", argument):
                require(self.sign(argument), "the root of what is not proved nonnegative")
            case Call(name, _):
                require(name in ("exp", "abs"), f"unknown function {name!r}; valid: log, exp, sqrt, abs")
            case Power(base, Number(r)):
                whole = r.denominator == 1 and (r >= 0 or self.nonzero(base))
                good = whole or self.sign(base) == "+" or (r > 0 and self.sign(base))
                require(good, "a power whose base is not proved to allow it")
            case Power(base, _):
                require(self.sign(base) == "+", "a power with a symbol in its exponent needs a positive base")

    def _check_divergence(self, q: Expr, p: Expr, bound: frozenset[Symbol]) -> None:
        if isinstance(q, Normal | Laplace):
            require(isinstance(p, Normal | Laplace) and p.of == q.of, "a divergence of laws of two variables")
            self.check(q, bound | {q.of})
            self.check(p, bound | {q.of})
            return self.check(definition(Divergence(q, p)), bound)
        require(isinstance(q, Density), "a divergence from what is no density")
        assert isinstance(q, Density)
        of, given = self.density(p)
        require(set(of) == set(q.of) and not _clash(given, q.of), "a divergence of densities over other variables")
        return None

    def density(self, p: Expr) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The variables that a density is of, and those it is given.

        Raises:
            RefusalError: ``p`` is no density: no product of densities in chain order, and
                no f / ∫f with f proved positive.
        """
        if isinstance(p, Quotient) and isinstance(p.bottom, Integral):
            variable, body = p.bottom.variable, p.bottom.body
            self.check(p)
            require(body == p.top and self.sign(p.top) == "+", "normalised, but not proved positive")
            return (variable,), tuple(free_variables(body) - closure((variable,)))
        factors = conditional_factors(p)
        require(factors, "no density")
        assert factors is not None
        require(in_chain_order(factors), "a product of densities in no chain order")
        of = tuple(v for d in factors for v in d.of)
        require(not {"z", "z_j"} <= set(of), "a density of z and of its coordinate")
        return of, tuple({v for d in factors for v in d.given} - set(of))

    def _check_law(self, e: Expr, location: Expr, scale: Expr, bound: frozenset[Symbol]) -> None:
        assert isinstance(e, Normal | Laplace)
        self.check(location, bound)
        self.check(scale, bound)
        require(self.sign(scale) == "+", "a scale that is not proved positive")

    def _check_mean(self, law: Normal | Laplace, body: Expr, bound: frozenset[Symbol]) -> None:
        require(law.of not in bound and law.of not in _bound_inside(body), f"{law.of.name} is bound twice")
        self.check(law, bound)
        self.check(body, bound | {law.of})
        self.moment(law, self.closed(body))  # its closed form exists, so it converges

    # ---- sign

    def nonzero(self, e: Expr) -> bool:
        """True where ``e`` is proved to differ from zero everywhere."""
        if self.sign(e) == "+" or self.sign(self.simplified(Negative(e))) == "+":
            return True
        match e:
            case Product(factors):
                return all(map(self.nonzero, factors))
            case Quotient(top, _):
                return self.nonzero(top)
            case Power(base, Number(r)):
                return r != 0 and self.nonzero(base)
            case Negative(body):
                return self.nonzero(body)
            case _:
                return False

    def sign(self, e: Expr) -> Sign:
        """The proved sign; a question that leads back to itself is not known."""
        if e not in self._signs:
            self._signs[e] = None
            self._signs[e] = self._sign(e)
        return self._signs[e]

    def _sign(self, e: Expr) -> Sign:
        match e:
            case Number(value):
                return "+" if value > 0 else "0+" if value == 0 else None
            case Constant() | Density() | Unknown() | Normal() | Laplace() | Call("exp", _):
                return "+"
            case Symbol():
                return "+" if e.positive or e.unit else None
            case Divergence() | MutualInformation() | TotalCorrelation():
                return "0+"
            case Expectation(_, body) | Integral(_, body) | SumOver(body) | Mean(_, body):
                return self.sign(body)
            case Call("abs", argument):
                return "+" if self.nonzero(argument) else "0+"
            case Call("sqrt", argument):
                return self.sign(argument)
            case Call("log", argument):
                return self._sign_of_log(argument)
            case Power(base, Number(r)):
                return self._sign_of_power(base, r)
            case Power(base, _):
                return self.sign(base) if self.sign(base) == "+" else None
            case Quotient(top, bottom):
                return self.sign(top) if self.sign(bottom) == "+" else self._sign_of_polynomial(e)
            case Product(parts):
                return self._combined([self.sign(p) for p in parts], all) or self._sign_of_polynomial(e)
            case Sum(parts):
                return self._sign_of_sum(parts) or self._sign_of_polynomial(e)
            case Negative():
                return self._sign_of_polynomial(e)
            case _:
                return None

    def _sign_of_log(self, argument: Expr) -> Sign:
        """``log u`` is nonnegative where ``u - 1`` is."""
        if isinstance(argument, Sum) and ONE in argument.terms:
            rest = list(argument.terms)
            rest.remove(ONE)
            return self._combined([self.sign(t) for t in rest], any) if rest else "0+"
        return self.sign(Sum((argument, MINUS_ONE)))

    def _sign_of_power(self, base: Expr, r: Fraction) -> Sign:
        sign, even = self.sign(base), r.denominator == 1 and r % 2 == 0
        if sign == "+" or (even and self.nonzero(base)) or r == 0:
            return "+"
        return "0+" if r > 0 and (even or sign) else None

    @staticmethod
    def _combined(signs: list[Sign], how: object) -> Sign:
        if not all(signs):
            return None
        strict = all(s == "+" for s in signs) if how is all else any(s == "+" for s in signs)
        return "+" if strict else "0+"

    def _sign_of_sum(self, terms: tuple[Expr, ...]) -> Sign:
        """Nonnegative terms, after the known inequalities among them are taken away."""
        rest, taken = list(terms), False
        while (group := next(self._inequalities(rest), None)) is not None:
            rest, taken = [t for i, t in enumerate(rest) if i not in group], True
        signs = [self.sign(t) for t in rest]
        return self._combined(signs, any) if signs else "0+" if taken else None

    def _inequalities(self, terms: list[Expr]) -> Iterator[tuple[int, ...]]:
        """Positions of terms that add to a known nonnegative quantity.

        ``u - 1 - log u`` for u > 0; ``log E f - E log f`` for f > 0 (Jensen); ``a + b - |a - b|`` for a, b >= 0;
        ``e^t - 1`` and ``1 - e^(-t)`` for t >= 0.
        """
        for i, t in enumerate(terms if len(terms) <= LONGEST_GAP else ()):
            match t:
                case Call("exp", u) if self.sign(u):
                    yield from ((i, k) for k, other in enumerate(terms) if other in (Negative(ONE), MINUS_ONE))
                case Negative(Call("exp", u)) if self.sign(Negative(u)):
                    yield from ((i, k) for k, other in enumerate(terms) if other == ONE)
                case Negative(Call("log", v)):
                    yield from self._tangent(terms, i, v)
                case Negative(Expectation(density, Call("log", f))) if self.sign(f) == "+":
                    whole = Call("log", Expectation(density, f))
                    yield from ((i, k) for k, other in enumerate(terms) if other == whole)
                case Negative(Call("abs", difference)):
                    yield from self._smaller(terms, i, difference)

    def _tangent(self, terms: list[Expr], i: int, v: Expr) -> Iterator[tuple[int, ...]]:
        ones = [k for k, t in enumerate(terms) if t in (Negative(ONE), MINUS_ONE)]
        if ones and self.sign(v) == "+":
            yield from ((i, ones[0], k) for k, t in enumerate(terms) if k not in (i, ones[0]) and self.same(t, v))

    def _smaller(self, terms: list[Expr], i: int, difference: Expr) -> Iterator[tuple[int, ...]]:
        for j, k in permutations([n for n in range(len(terms)) if n != i], 2):
            if (
                self.sign(terms[j])
                and self.sign(terms[k])
                and self.same(difference, Sum((terms[j], Negative(terms[k]))))
            ):
                yield (i, j, k)

    def _sign_of_polynomial(self, e: Expr) -> Sign:
        """The sign that the normal form shows: positive coefficients, or ``1 - u``, or a hypothesis."""
        form = self.normal(e)
        if any(h.kind == "positive" and self.same(e, h.term) for h in self.hypotheses):
            return "+"
        if self.is_one_minus_unit(form):
            return "+"
        factors = [self.polynomial(key) for key in form.factors]
        if not form.numerator or e in factors or any(self.sign(f) != "+" for f in factors):
            return None
        if any(c <= 0 for c in form.numerator.values()):
            return None
        signs = [self._sign_of_monomial(m, e) for m in form.numerator]
        return self._combined(signs, any)

    def _sign_of_monomial(self, m: Monomial, whole: Expr) -> Sign:
        signs: list[Sign] = ["+"]
        for e, n in m:
            own = None if e == whole else self.sign(e)
            even = n.denominator == 1 and n % 2 == 0
            signs.append("+" if own == "+" else "0+" if n > 0 and (even or own) else None)
        return self._combined(signs, all)

    # ---- explicit means and derivatives

    def closed(self, e: Expr) -> Expr:
        """``e`` with its means and derivatives carried out.

        Raises:
            RefusalError: one has no closed form here.
        """
        match e:
            case Mean(law, body):
                return self.moment(law, self.closed(body))
            case Derivative(body, by):
                return self.derivative(self.closed(body), by)
            case Divergence(Normal(), _) | Normal() | Laplace():
                return self.closed(definition(e))
            case Divergence(Laplace(), _):
                return self.closed(definition(e))
            case _:
                inside = parts(e)
                return with_parts(e, tuple(map(self.closed, inside))) if inside else e

    def moment(self, law: Normal | Laplace, body: Expr) -> Expr:
        """The mean of a polynomial in the variable, times ``|variable - location|`` or exponentials linear in it.

        Raises:
            RefusalError: the body is no such sum, so that its mean is not known to converge.
        """
        form, v = self.normal(body), law.of
        require(not any(occurs(v, self.polynomial(key)) for key in form.factors), "the mean of a quotient")
        outside = [Power(self.polynomial(key), Number(Fraction(n))) for key, n in form.factors.items()]
        terms: list[Expr] = [ZERO]
        for m, c in form.numerator.items():
            terms += self._moment_of_monomial(law, m, [Number(Fraction(c)), *outside])
        return self.simplified(Sum(tuple(terms)))

    def _moment_of_monomial(self, law: Normal | Laplace, m: Monomial, outside: list[Expr]) -> list[Expr]:
        location, scale = parameters(law)
        power, kink, rate = 0, 0, list[Expr]([ZERO])
        for e, n in m:
            if e == law.of:
                require(n.denominator == 1 and n > 0, "the mean of a power of the variable that is not whole")
                power = int(n)
            elif not occurs(law.of, e):
                outside = [*outside, Power(e, Number(Fraction(n)))]
            elif isinstance(e, Call) and e.function == "abs":
                kink = self._kink(law, e.argument, n)
            else:
                rate = [*rate, self._rate(law, e, n)]
        tilt = self.simplified(Sum(tuple(rate)))
        require(not kink or tilt == ZERO, "the mean of a kink times an exponential")
        centre = Sum((location, Product((tilt, Power(scale, Number(Fraction(2)))))))
        exponent = Sum(
            (
                Product((tilt, location)),
                Product((HALF, Power(tilt, Number(Fraction(2))), Power(scale, Number(Fraction(2))))),
            )
        )
        factor = Call("exp", exponent)
        return [
            Product(
                (
                    *outside,
                    factor,
                    Number(Fraction(comb(power, i))),
                    Power(centre, Number(Fraction(power - i))),
                    Power(scale, Number(Fraction(i + kink))),
                    central_moment(law, i + kink),
                )
            )
            for i in range(0, power + 1, 2)
        ]

    def _kink(self, law: Normal | Laplace, argument: Expr, n: Rational) -> int:
        require(n.denominator == 1 and n > 0, "the mean of a power of a kink that is not whole")
        away = Sum((law.of, Negative(parameters(law)[0])))
        require(self.same(argument, away) or self.same(argument, Negative(away)), "the mean of a kink off the centre")
        return int(n)

    def _rate(self, law: Normal | Laplace, e: Expr, n: Rational) -> Expr:
        """The factor of the variable in the exponent of an exponential to a power."""
        good = isinstance(e, Call) and e.function == "exp" and isinstance(law, Normal)
        require(good, "the mean of what is neither a polynomial nor an exponential under a Gaussian")
        assert isinstance(e, Call)
        slope = self.simplified(Product((Number(Fraction(n)), e.argument, Power(law.of, MINUS_ONE))))
        require(not occurs(law.of, slope), "the mean of an exponential that is not linear")
        return slope

    def derivative(self, e: Expr, by: Symbol) -> Expr:
        """The derivative by a symbol, by the rules of sums, products and the chain rule.

        A sum over j holds one term with the coordinate of an indexed symbol.

        Raises:
            RefusalError: ``e`` has no derivative here (a kink, an expectation that speaks of the symbol).
        """
        if e == by:
            return ONE
        if not occurs(by, e):
            return ZERO
        match e:
            case Sum(terms):
                return Sum(tuple(self.derivative(t, by) for t in terms))
            case Negative(body):
                return Negative(self.derivative(body, by))
            case Product(factors):
                return Sum(
                    tuple(
                        Product((*factors[:i], self.derivative(f, by), *factors[i + 1 :]))
                        for i, f in enumerate(factors)
                    )
                )
            case Quotient(top, bottom):
                return self.derivative(Product((top, Power(bottom, MINUS_ONE))), by)
            case Power(base, Number(r)):
                return Product((Number(r), Power(base, Number(r - 1)), self.derivative(base, by))) if r else ZERO
            case Power(base, exponent):
                return self.derivative(Call("exp", Product((exponent, Call("log", base)))), by)
            case Call("exp", argument):
                return Product((e, self.derivative(argument, by)))
            case Call("log", argument):
                return Quotient(self.derivative(argument, by), argument)
            case Call("sqrt", argument):
                return self.derivative(Power(argument, HALF), by)
            case SumOver(body):
                return self._derivative_of_sum(body, by)
            case _:
                raise RefusalError(f"no derivative of {type(e).__name__}")

    def _derivative_of_sum(self, body: Expr, by: Symbol) -> Expr:
        slope = self.derivative(body, by)
        if not by.indexed:
            return SumOver(slope)
        nested = any(isinstance(part, SumOver) and occurs(by, part) for part in body.walk())
        require(not nested, "a derivative by a coordinate of a sum in a sum")
        return slope


def parameters(law: Normal | Laplace) -> tuple[Expr, Expr]:
    """Location and scale of an explicit law."""
    return (law.mean, law.deviation) if isinstance(law, Normal) else (law.location, law.scale)


def central_moment(law: Normal | Laplace, k: int) -> Expr:
    """``E|noise|**k`` of the law with location 0 and scale 1."""
    if isinstance(law, Laplace):
        return Number(Fraction(factorial(k)))
    h = k // 2
    if k % 2 == 0:
        return Number(Fraction(factorial(k), 2**h * factorial(h)))
    root = Power(Quotient(Number(Fraction(2)), Constant(r"\pi")), HALF)
    return Product((Number(Fraction(2**h * factorial(h))), root))


def _bound_inside(e: Expr) -> frozenset[Symbol]:
    """The variables that means and divergences of explicit laws bind inside ``e``."""
    laws = (part.law if isinstance(part, Mean) else part.q for part in e.walk() if isinstance(part, Mean | Divergence))
    return frozenset(law.of for law in laws if isinstance(law, Normal | Laplace))


# ---- places at which an equal part may be put


def parts(e: Expr) -> tuple[Expr, ...]:
    """The parts of ``e`` that may be replaced by equal ones, in order; none inside a density or a divergence."""
    match e:
        case Sum(inside) | Product(inside):
            return inside
        case (
            Negative(body)
            | Expectation(_, body)
            | Integral(_, body)
            | SumOver(body)
            | Mean(_, body)
            | Derivative(body, _)
        ):
            return (body,)
        case Quotient(a, b) | Power(a, b):
            return (a, b)
        case Call(_, argument):
            return (argument,)
        case _:
            return ()


def with_parts(e: Expr, new: tuple[Expr, ...]) -> Expr:
    """``e`` with its parts replaced."""
    match e:
        case Sum():
            return Sum(new)
        case Product():
            return Product(new)
        case Negative():
            return Negative(*new)
        case Quotient():
            return Quotient(*new)
        case Power():
            return Power(*new)
        case Call(function, _):
            return Call(function, *new)
        case Expectation(density, _):
            return Expectation(density, *new)
        case Integral(variable, _):
            return Integral(variable, *new)
        case SumOver():
            return SumOver(*new)
        case Mean(law, _, name):
            return Mean(law, new[0], name)
        case Derivative(_, by):
            return Derivative(new[0], by)
        case _:
            raise RefusalError(f"{type(e).__name__} has no parts")


def at(e: Expr, path: tuple[int, ...]) -> Expr:
    """The part of ``e`` at a path."""
    return reduce(lambda inner, i: parts(inner)[i], path, e)


def put(e: Expr, path: tuple[int, ...], new: Expr) -> Expr:
    """``e`` with the part at a path replaced."""
    if not path:
        return new
    inside = list(parts(e))
    inside[path[0]] = put(inside[path[0]], path[1:], new)
    return with_parts(e, tuple(inside))
