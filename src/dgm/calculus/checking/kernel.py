"""The proof kernel: rules that take an expression to an equal one, and the proofs made of them.

A rule checks its own side conditions and raises :class:`RefusalError` where one is not proved; nothing else can
prove.  A :class:`Proof` of ``A = B`` rewrites ``A - B`` to 0; one of ``A >= B`` has a nonnegative slack s and rewrites
``A - B - s`` to 0.  Its certificate is replayed by :mod:`dgm.calculus.checking.checker`, which shares no code with
this module.

Where the rules hold: see :mod:`dgm.calculus.checking.judgements`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from dgm.calculus.checking.arithmetic import ONE, require
from dgm.calculus.checking.certificate import Certificate, Hypothesis
from dgm.calculus.checking.judgements import Judge, at, index_free, put
from dgm.calculus.language.expression import (
    Call,
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
    Product,
    Quotient,
    Sum,
    SumOver,
    Symbol,
    TotalCorrelation,
    bare,
    closure,
    definition,
    free_variables,
)

Relation = Literal["=", ">=", "<=", ">"]
Rule = Callable[[Judge, Expr], Expr]


def marginal(law: str, of: Iterable[str]) -> Expr:
    """The marginal density of a law; of no variable, 1."""
    variables = tuple(sorted(of))
    return Density(law, variables) if variables else ONE


def is_constant(outer: Expr, e: Expr) -> bool:
    """True if ``e`` may be taken out of an expectation, integral or sum: it speaks of nothing bound there."""
    if isinstance(outer, SumOver):
        return index_free(e)
    bound = outer.density.of if isinstance(outer, Expectation) else (outer.variable,)  # type: ignore[attr-defined]
    return not closure(bound) & closure(free_variables(e))


def arithmetic(judge: Judge, e: Expr) -> Expr:
    """The canonical expression with the same normal form."""
    return judge.simplified(e)


def unfold(judge: Judge, e: Expr) -> Expr:
    """A divergence, entropy, mutual information, total correlation or explicit density by its definition."""
    named = (Divergence, Entropy, MutualInformation, TotalCorrelation, Normal, Laplace)
    require(isinstance(e, named), "nothing to unfold")
    return definition(e)


def bayes(judge: Judge, e: Expr) -> Expr:
    """A conditional density as joint over marginal."""
    require(isinstance(e, Density) and e.given, "no conditional density")
    assert isinstance(e, Density)
    return Quotient(marginal(e.law, (*e.of, *e.given)), marginal(e.law, e.given))


def split(judge: Judge, e: Expr) -> Expr:
    """The logarithm of a density with independent coordinates as a sum over them.

    The density is a product of marginals, or a joint of z and of what the coordinates are independent given.
    """
    require(isinstance(e, Call) and e.function == "log" and isinstance(e.argument, Density), "no log of a density")
    assert isinstance(e, Call)
    density = e.argument
    assert isinstance(density, Density)
    if density.bar:
        return SumOver(Call("log", Density(density.law, ("z_j",))))
    rest = tuple(sorted(set(density.of) - {"z"}))
    assumed = Hypothesis("independent", density.law, rest)
    require(not density.given and "z" in density.of and assumed in judge.hypotheses, "not known to be independent")
    coordinate = Call("log", marginal(density.law, (*rest, "z_j")))
    if not rest:
        return SumOver(coordinate)
    base = Call("log", marginal(density.law, rest))
    return Sum((base, SumOver(Sum((coordinate, Negative(base))))))


def linear(judge: Judge, e: Expr) -> Expr:
    """Expectation, integral or sum of a sum term by term; of a product, its constant factors outside."""
    require(isinstance(e, Expectation | Integral | SumOver | Mean), "not linear")
    body = e.body  # type: ignore[attr-defined]
    if isinstance(body, Sum):
        return Sum(tuple(_around(e, term) for term in body.terms))
    require(not isinstance(e, Mean), "a factor stays inside a mean")
    factors = body.factors if isinstance(body, Product) else (body,)
    outside = [f for f in factors if is_constant(e, f)]
    inside = [f for f in factors if not is_constant(e, f)]
    require(outside and (inside or (isinstance(e, SumOver) and body != ONE)), "no factor to take out")
    return Product((*outside, _around(e, _product(inside))))


def _around(outer: Expr, body: Expr) -> Expr:
    match outer:
        case Expectation(density, _):
            return Expectation(density, body)
        case Integral(variable, _):
            return Integral(variable, body)
        case Mean(law, _, name):
            return Mean(law, body, name)
        case _:
            return SumOver(body)


def _product(factors: list[Expr]) -> Expr:
    return ONE if not factors else factors[0] if len(factors) == 1 else Product(tuple(factors))


def drop(judge: Judge, e: Expr) -> Expr:
    """The expectation of what does not depend on its variables."""
    require(isinstance(e, Expectation) and is_constant(e, e.body), "depends on the variable of its expectation")
    assert isinstance(e, Expectation)
    return e.body


def narrow(judge: Judge, e: Expr) -> Expr:
    """An expectation under the marginal of the variables that its body depends on."""
    require(isinstance(e, Expectation), "no expectation")
    assert isinstance(e, Expectation)
    density, free = e.density, free_variables(e.body)
    kept = tuple(sorted("z_j" if v == "z" and "z" not in free else v for v in density.of if closure((v,)) & free))
    require(kept and kept != density.of, "depends on all its variables")
    return Expectation(Density(density.law, kept, density.given), e.body)


def tower(judge: Judge, e: Expr) -> Expr:
    """An expectation of a conditional expectation as one expectation under the joint density."""
    good = isinstance(e, Expectation) and isinstance(e.body, Expectation)
    require(good, "no expectation of an expectation")
    assert isinstance(e, Expectation)
    assert isinstance(e.body, Expectation)
    outer, inner = e.density, e.body.density
    same = outer.law == inner.law and not outer.bar and not inner.bar
    require(
        same and set(inner.given) == {*outer.of, *outer.given}, "the inner density is not given the outer variables"
    )
    joint = Density(outer.law, tuple(sorted((*outer.of, *inner.of))), outer.given)
    return Expectation(joint, e.body.body)


def exchange(judge: Judge, e: Expr) -> Expr:
    """The expectation of a sum over j as the sum of expectations."""
    require(isinstance(e, Expectation) and isinstance(e.body, SumOver), "no expectation of a sum over j")
    assert isinstance(e, Expectation)
    assert isinstance(e.body, SumOver)
    require("z_j" not in (*e.density.of, *e.density.given), "the expectation speaks of j")
    return SumOver(Expectation(e.density, e.body.body))


def integrate(judge: Judge, e: Expr) -> Expr:
    """The integral of a density over one of its variables: the density of the others, or 1."""
    require(isinstance(e, Integral) and isinstance(e.body, Density), "no integral of a density")
    assert isinstance(e, Integral)
    assert isinstance(e.body, Density)
    density, variable = e.body, e.variable
    require(variable in density.of, "no density of the variable")
    others = tuple(v for v in density.of if v != variable)
    return Density(density.law, others, density.given) if others else ONE


def as_expectation(judge: Judge, e: Expr) -> Expr:
    """The integral of one density of the variable times a rest, as an expectation."""
    require(isinstance(e, Integral) and isinstance(e.body, Product), "no integral of a product")
    assert isinstance(e, Integral)
    assert isinstance(e.body, Product)
    found = [i for i, f in enumerate(e.body.factors) if isinstance(f, Density) and e.variable in f.of]
    require(len(found) == 1, "not one density of the variable")
    density = e.body.factors[found[0]]
    assert isinstance(density, Density)
    require(not density.given, "a conditional density")
    rest = _product([f for i, f in enumerate(e.body.factors) if i != found[0]])
    if density.bar:
        return Expectation(density, rest)
    others = tuple(v for v in density.of if v != e.variable)
    weight = Density(density.law, (e.variable,), others)
    return Product((marginal(density.law, others), Expectation(weight, rest)))


def as_integral(judge: Judge, e: Expr) -> Expr:
    """An expectation over one variable as an integral."""
    require(isinstance(e, Expectation) and len(e.density.of) == 1, "an expectation over several variables")
    assert isinstance(e, Expectation)
    return Integral(e.density.of[0], Product((e.density, e.body)))


def mean(judge: Judge, e: Expr) -> Expr:
    """The closed form of a mean under an explicit law."""
    require(isinstance(e, Mean), "no mean")
    assert isinstance(e, Mean)
    return judge.moment(e.law, e.body)


def differentiate(judge: Judge, e: Expr) -> Expr:
    """A derivative carried out."""
    require(isinstance(e, Derivative), "no derivative")
    assert isinstance(e, Derivative)
    return judge.simplified(judge.derivative(e.body, e.by))


RULES: dict[str, Rule] = {
    rule.__name__: rule
    for rule in (
        arithmetic,
        unfold,
        bayes,
        split,
        linear,
        drop,
        narrow,
        tower,
        exchange,
        integrate,
        as_expectation,
        as_integral,
        mean,
        differentiate,
    )
}


def rewritten(judge: Judge, name: str, e: Expr) -> Expr:
    """What a rule makes of ``e``.

    Raises:
        RefusalError: it does not apply, or changes nothing.
    """
    out = RULES[name](judge, e)
    require(out != e, "nothing to do")
    return out


@dataclass(frozen=True)
class Statement:
    """``left relation right``, with the hypotheses that a proof may use."""

    left: Expr
    relation: Relation
    right: Expr
    hypotheses: tuple[Hypothesis, ...] = ()


class Proof:
    """A proof under construction: rules are applied at places of the difference until it is 0.

    ``zeros`` are multiples of hypotheses that say that a quantity is zero, as (factor, position).

    Raises:
        RefusalError: a side is not well formed, or the slack is not proved nonnegative.
    """

    def __init__(
        self, statement: Statement, slack: Expr | None = None, zeros: tuple[tuple[int, int], ...] = ()
    ) -> None:
        self.statement, self.slack, self.zeros = statement, slack, zeros
        self.judge = Judge(tuple(Hypothesis(h.kind, h.law, h.given, bare(h.term)) for h in statement.hypotheses))
        self.steps: list[tuple[tuple[int, ...], str, Expr]] = []
        self.now = self._difference()

    def _difference(self) -> Expr:
        left, right = bare(self.statement.left), bare(self.statement.right)
        used = [bare(self.slack)] if self.slack is not None else []
        for e in (left, right, *used, *(h.term for h in self.judge.hypotheses)):
            self.judge.check(e)
        require(
            (self.slack is None) == (self.statement.relation == "="), "an inequality needs a slack, an equality none"
        )
        if used:
            wanted = ("+",) if self.statement.relation == ">" else ("+", "0+")
            require(self.judge.sign(used[0]) in wanted, "the slack is not proved nonnegative")
        big, small = (right, left) if self.statement.relation == "<=" else (left, right)
        terms = [big, Negative(small), *map(Negative, used)]
        for factor, position in self.zeros:
            hypothesis = self.judge.hypotheses[position]
            require(hypothesis.kind == "zero" and factor in (1, -1), "not a hypothesis of zero")
            terms.append(Product((Number(Fraction(-factor)), hypothesis.term)))
        return Sum(tuple(terms))

    def step(self, path: tuple[int, ...], rule: str) -> None:
        """Apply a rule at a place.

        Raises:
            RefusalError: the rule does not apply there.
        """
        out = rewritten(self.judge, rule, at(self.now, path))
        self.judge.check(out, _bound_at(self.now, path))
        self.now = put(self.now, path, out)
        self.steps.append((path, rule, out))

    def certificate(self) -> Certificate:
        """The finished proof.

        Raises:
            RefusalError: the difference is not 0 yet.
        """
        require(self.judge.is_zero(self.now), "the two sides are not proved equal")
        s = self.statement
        return Certificate.of(s.left, s.relation, s.right, s.hypotheses, self.slack, self.zeros, self.steps)


def _bound_at(e: Expr, path: tuple[int, ...]) -> frozenset[Symbol]:
    """The variables of the means around a place."""
    around = [at(e, path[:k]) for k in range(len(path))]
    return frozenset(outer.law.of for outer in around if isinstance(outer, Mean))


def names_of_laws(e: Expr) -> frozenset[str]:
    """The names of the laws that an expression speaks of."""
    return frozenset(part.law for part in e.walk() if isinstance(part, Density | MutualInformation | TotalCorrelation))
