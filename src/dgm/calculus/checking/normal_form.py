r"""Normal form of expressions: two that reduce to the same are equal for all densities.

Rules, each a theorem where the integrals converge absolutely: a logarithm of products and powers is a sum;
:math:`\log p(a|b)=\log p(a,b)-\log p(b)`; expectation is linear; an expectation over a variable of which
nothing depends leaves the body as it is; :math:`E_{p(b)}E_{p(a|b)}=E_{p(a,b)}`; integrating a density over one
of its variables gives a marginal; the logarithm of a product over coordinates is the sum over j.

The result is a SymPy expression in which every irreducible term, such as :math:`E_{q(z|x)}[\log p(x,z)]`, is
one symbol.  Explicit laws (Gaussian, Laplace) are integrated by SymPy.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache

import sympy as sp

from dgm.calculus.checking.expectation import laplace_mean, normal_mean
from dgm.calculus.checking.worlds import scalar_symbol
from dgm.calculus.language.expression import (
    Call,
    Constant,
    Density,
    Derivative,
    Expectation,
    Expr,
    Integral,
    Laplace,
    Mean,
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
    Unknown,
    definition,
    is_scalar,
)
from dgm.errors import CalculusError

Variables = frozenset[str]
COORDINATE = "z_j"


@dataclass(frozen=True)
class Assumptions:
    """Independences that hold in the model at hand.

    ``factorised`` lists densities, each as (law, of, given), whose coordinates of z are independent: a
    factorised prior is ``("p", ("z",), ())``.
    """

    factorised: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = ()

    def splits(self, e: Density) -> bool:
        """Whether the density is a product over the coordinates of z."""
        return e.bar or (e.law, e.of, e.given) in self.factorised


NO_ASSUMPTIONS = Assumptions()


@dataclass(frozen=True, order=True)
class Base:
    """A positive function that is not taken apart: a joint density, an unknown function, or an integral.

    ``summed`` bases speak of z_j and stand for the product over all coordinates j.
    """

    kind: str
    variables: tuple[str, ...]
    summed: bool = False


@dataclass(frozen=True, order=True)
class Weight:
    """The density under which a term is averaged."""

    law: str
    of: tuple[str, ...]
    given: tuple[str, ...]


@dataclass(frozen=True, order=True)
class Term:
    """An irreducible quantity: the logarithm or the value of a base, averaged by the weights, outermost first."""

    weights: tuple[Weight, ...]
    base: Base
    logarithm: bool

    @property
    def free(self) -> Variables:
        """The variables that the term is a function of."""
        inner = set(self.base.variables)
        for weight in reversed(self.weights):
            inner = (inner - set(weight.of)) | set(weight.given)
        return frozenset(inner)


Linear = dict[Term, sp.Expr]
CONSTANTS: dict[str, sp.Expr] = {r"\pi": sp.pi, "e": sp.E}
ONE = Term((), Base("1", ()), False)


def reduce(e: Expr, assumptions: Assumptions = NO_ASSUMPTIONS) -> sp.Expr:
    """The normal form of ``e``.

    Raises:
        CalculusError: a construct without a rule.

    >>> x, xz, z_x = Density("p", ("x",)), Density("p", ("x", "z")), Density("p", ("z",), ("x",))
    >>> from dgm.calculus.language.expression import log
    >>> reduce(log(x)) - reduce(log(xz / z_x))
    0
    """
    if is_scalar(e):
        return scalar(e)
    terms = _Reducer(assumptions).linear(e)
    return sp.Add(*(c if term == ONE else c * _symbol(term) for term, c in sorted(terms.items())))


def laws(e: Expr, assumptions: Assumptions = NO_ASSUMPTIONS) -> frozenset[str]:
    """The laws that the value of ``e`` depends on.

    >>> from dgm.calculus.language.expression import Divergence
    >>> gap = Divergence(Density("q", ("z",)), Density("p", ("z",)))
    >>> sorted(laws(gap)), sorted(laws(gap - gap))
    (['p', 'q'], [])
    """
    terms = _Reducer(assumptions).linear(e)
    weights = {weight.law for term in terms for weight in term.weights}
    return frozenset(weights | {term.base.kind.removeprefix("law ") for term in terms if term != ONE})


def scalar(e: Expr) -> sp.Expr:
    """A numeric expression in SymPy, its explicit expectations integrated."""
    match e:
        case Number(value):
            return sp.Rational(value.numerator, value.denominator)
        case Symbol():
            return scalar_symbol(e)
        case Constant(name):
            return CONSTANTS[name]
        case Sum(terms):
            return sp.Add(*map(scalar, terms))
        case Negative(body):
            return -scalar(body)
        case Product(factors):
            return sp.Mul(*map(scalar, factors))
        case Quotient(top, bottom):
            return scalar(top) / scalar(bottom)
        case Power(base, exponent):
            return scalar(base) ** scalar(exponent)
        case Call(function, argument):
            return _FUNCTIONS[function](scalar(argument))
        case Derivative(body, by):
            return sp.diff(scalar(body), scalar(by))
        case Mean(law, body):
            return _explicit_mean(law, body)
        case SumOver(body):
            return _scalar_sum(scalar(body))
        case Normal() | Laplace():
            return _explicit_density(e)
        case _:
            inner = definition(e)
            if inner is e:
                raise CalculusError(f"{type(e).__name__} is no number")
            return scalar(inner)


def _scalar_sum(body: sp.Expr) -> sp.Expr:
    """A sum over j of numbers: linear, and otherwise one function of what is summed."""
    parts = (term.as_coeff_Mul() for term in sp.Add.make_args(sp.expand(sp.expand_log(body, force=True))))
    return sp.Add(*(c * sp.Function("sum_j")(rest) for c, rest in parts))


_FUNCTIONS: dict[str, Callable[[sp.Expr], sp.Expr]] = {"log": sp.log, "exp": sp.exp, "sqrt": sp.sqrt,
                                                       "abs": sp.Abs}


@cache
def _explicit_mean(law: Normal | Laplace, body: Expr) -> sp.Expr:
    z, g = scalar(law.of), sp.expand_log(sp.expand(scalar(body)), force=True)
    if isinstance(law, Normal):
        return normal_mean(g, z, scalar(law.mean), scalar(law.deviation))
    return laplace_mean(g, z, scalar(law.location), scalar(law.scale))


def _explicit_density(law: Normal | Laplace) -> sp.Expr:
    z = scalar(law.of)
    if isinstance(law, Normal):
        s = scalar(law.deviation)
        return sp.exp(-(z - scalar(law.mean)) ** 2 / (2 * s**2)) / (s * sp.sqrt(2 * sp.pi))
    b = scalar(law.scale)
    return sp.exp(-sp.Abs(z - scalar(law.location)) / b) / (2 * b)


def _symbol(term: Term) -> sp.Symbol:
    return sp.Symbol(repr(term), real=True)


@dataclass(frozen=True)
class _Reducer:
    assumptions: Assumptions

    def linear(self, e: Expr) -> Linear:
        """``e`` as a combination of irreducible terms."""
        if is_scalar(e):
            return {ONE: scalar(e)}
        match e:
            case Sum(terms):
                return _added(map(self.linear, terms))
            case Negative(body):
                return _scaled(self.linear(body), sp.Integer(-1))
            case Product() | Quotient():
                return self._scaled_or_value(e)
            case Call("log", argument):
                return self._logarithm(argument)
            case Expectation(density, body):
                return self._average(density, self.linear(body))
            case SumOver(body):
                return {_summed(term): c for term, c in self.linear(body).items()}
            case _:
                inner = definition(e)
                return self.linear(inner) if inner is not e else self._value(e)

    def _scaled_or_value(self, e: Product | Quotient) -> Linear:
        if isinstance(e, Quotient):
            return _scaled(self.linear(e.top), 1 / scalar(e.bottom)) if is_scalar(e.bottom) else self._value(e)
        random = [factor for factor in e.factors if not is_scalar(factor)]
        factor = sp.Mul(*(scalar(f) for f in e.factors if is_scalar(f)))
        return _scaled(self.linear(random[0]), factor) if len(random) == 1 else self._value(e)

    def _logarithm(self, argument: Expr) -> Linear:
        powers, factor = self.product(argument)
        logs = {Term((), base, True): power for base, power in powers.items()}
        return _added([logs, {ONE: sp.expand_log(sp.log(factor), force=True)}])

    def _value(self, e: Expr) -> Linear:
        powers, factor = self.product(e)
        return {Term((), _packed(powers), False): factor}

    def _average(self, density: Density, body: Linear) -> Linear:
        return _added({_averaged(density, term): c} for term, c in body.items())

    def product(self, e: Expr) -> tuple[dict[Base, sp.Expr], sp.Expr]:
        """A positive expression as powers of bases and a number."""
        if is_scalar(e):
            return {}, scalar(e)
        match e:
            case Density():
                return self._density(e), sp.Integer(1)
            case Unknown(name, of):
                return {Base(name, of): sp.Integer(1)}, sp.Integer(1)
            case Product(factors):
                return _multiplied([self.product(f) for f in factors])
            case Quotient(top, bottom):
                return _multiplied([self.product(top), _raised(self.product(bottom), sp.Integer(-1))])
            case Power(base, exponent):
                return _raised(self.product(base), scalar(exponent))
            case Named(body):
                return self.product(body)
            case Sum() | Negative():
                return self._factored(e)
            case Expectation(density, body):
                return self._integrated(density.of, density * body)
            case Integral(variable, body):
                return self._integrated((variable,), body)
            case _:
                return {self._opaque(e): sp.Integer(1)}, sp.Integer(1)

    def _density(self, e: Density) -> dict[Base, sp.Expr]:
        split = self.assumptions.splits(e)
        of = tuple(COORDINATE if v == "z" else v for v in e.of) if split else e.of
        joint = Base(f"law {e.law}", _sorted((*of, *e.given)), summed=split)
        if not e.given:
            return {joint: sp.Integer(1)}
        below = {replace(joint, variables=_sorted(e.given)): sp.Integer(1)} if split else self._density(
            Density(e.law, e.given))
        return {joint: sp.Integer(1)} | {base: -power for base, power in below.items()}

    def _integrated(self, variables: tuple[str, ...], body: Expr) -> tuple[dict[Base, sp.Expr], sp.Expr]:
        """Integrate a product of bases over variables: a marginal where the rule applies, else one opaque base."""
        powers, factor = self.product(body)
        inside = {b: n for b, n in powers.items() if set(b.variables) & {*variables, COORDINATE}}
        outside = {b: n for b, n in powers.items() if b not in inside}
        (only, power), *others = inside.items() or [(None, None)]
        if only is None or others or power != 1 or only.summed or not only.kind.startswith("law"):
            return _multiplied([({_packed(inside, variables): sp.Integer(1)}, factor), (outside, sp.Integer(1))])
        kept = _sorted(v for v in only.variables if v not in variables)
        marginal = {Base(only.kind, kept): sp.Integer(1)} if kept else {}
        return _multiplied([(marginal, factor), (outside, sp.Integer(1))])

    def _factored(self, e: Expr) -> tuple[dict[Base, sp.Expr], sp.Expr]:
        """A sum of products of bases: brought to one denominator and factored, what is irreducible a new base."""
        known: dict[sp.Symbol, Base] = {}
        number, powers = sp.Integer(1), {}
        for factor, power in sp.factor(sp.together(self._rational(e, known))).as_powers_dict().items():
            inside = [known[s] for s in factor.free_symbols if s in known]
            if not inside:
                number *= factor**power
            elif factor in known:
                powers[known[factor]] = power
            else:
                free = {v for base in inside for v in base.variables}
                powers[Base(f"sum {sp.srepr(factor)}", _sorted(free))] = power
        return powers, number

    def _rational(self, e: Expr, known: dict[sp.Symbol, Base]) -> sp.Expr:
        match e:
            case Sum(terms):
                return sp.Add(*(self._rational(term, known) for term in terms))
            case Negative(body):
                return -self._rational(body, known)
            case Product(factors):
                return sp.Mul(*(self._rational(factor, known) for factor in factors))
            case Quotient(top, bottom):
                return self._rational(top, known) / self._rational(bottom, known)
            case Named(body):
                return self._rational(body, known)
        powers, number = self.product(e)
        symbols = {sp.Symbol(repr(base), positive=True): base for base in powers}
        known.update(symbols)
        return number * sp.Mul(*(s ** powers[base] for s, base in symbols.items()))

    def _opaque(self, e: Expr) -> Base:
        terms = self.linear(e)
        free = _sorted({v for term in terms for v in term.free})
        return Base(f"value {sorted((term, sp.srepr(c)) for term, c in terms.items())}", free)


def _averaged(density: Density, term: Term) -> Term:
    """One term under one more expectation, in normal form."""
    needed = set(_needed(density.of, term.free))
    if not needed:
        return term
    inner = term.weights[0] if term.weights else None
    if inner and inner.law == density.law and set(inner.given) == {*density.of, *density.given}:
        rest = replace(term, weights=term.weights[1:])
        merged = Density(density.law, (*density.of, *inner.of), density.given)
        return _averaged(merged, rest)
    weight = Weight(density.law, _sorted(needed), _sorted(density.given))
    return replace(term, weights=(weight, *term.weights))


def _needed(of: Iterable[str], free: Variables) -> Iterable[str]:
    """Which of the averaged variables a term is a function of; of z perhaps one coordinate alone."""
    for variable in of:
        if variable in free:
            yield variable
        elif variable == "z" and COORDINATE in free:
            yield COORDINATE


def _summed(term: Term) -> Term:
    return replace(term, base=replace(term.base, summed=True))


def _packed(powers: dict[Base, sp.Expr], integrated: tuple[str, ...] = ()) -> Base:
    """A product of bases, perhaps integrated, as one base that is not taken apart again."""
    if not powers:
        return Base("1", ())
    body = sorted((base, sp.srepr(power)) for base, power in powers.items())
    gone = {*integrated, COORDINATE} if "z" in integrated else set(integrated)
    free = {v for base in powers for v in base.variables} - gone
    return Base(f"integral over {integrated} of {body}", _sorted(free))


def _added(parts: Iterable[Linear]) -> Linear:
    total: dict[Term, sp.Expr] = defaultdict(lambda: sp.Integer(0))
    for part in parts:
        for term, c in part.items():
            total[term] += c
    return {term: c for term, value in total.items() if (c := sp.expand(value)) != 0}


def _scaled(part: Linear, factor: sp.Expr) -> Linear:
    return {term: factor * c for term, c in part.items()}


def _multiplied(parts: Iterable[tuple[dict[Base, sp.Expr], sp.Expr]]) -> tuple[dict[Base, sp.Expr], sp.Expr]:
    total: dict[Base, sp.Expr] = defaultdict(lambda: sp.Integer(0))
    number = sp.Integer(1)
    for powers, factor in parts:
        number *= factor
        for base, power in powers.items():
            total[base] += power
    return {base: n for base, power in total.items() if (n := sp.expand(power)) != 0}, number


def _raised(part: tuple[dict[Base, sp.Expr], sp.Expr], exponent: sp.Expr) -> tuple[dict[Base, sp.Expr], sp.Expr]:
    powers, factor = part
    return {base: power * exponent for base, power in powers.items()}, factor**exponent


def _sorted(variables: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(variables)))
