"""Search for proofs: the difference of two sides is normalised by the kernel's rules, and slacks are guessed.

Nothing here is trusted: a wrong search only fails to find a proof.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from dgm.calculus.checking.arithmetic import ONE, ZERO, RefusalError, require
from dgm.calculus.checking.certificate import Certificate, Hypothesis
from dgm.calculus.checking.judgements import HALF, Judge, at, parts
from dgm.calculus.checking.kernel import Proof, Relation, Statement, bayes
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
    Power,
    Product,
    Quotient,
    Sum,
    SumOver,
    TotalCorrelation,
    bare,
    closure,
    free_variables,
)

MINUS_HALF = Number(Fraction(-1, 2))
LONGEST = 2000  # steps of one proof
ELEMENTARY = (Sum, Product, Negative, Quotient, Power, Call, Number)
NAMED = (Divergence, Entropy, MutualInformation, TotalCorrelation, Normal, Laplace)
ORDER: tuple[tuple[type, tuple[str, ...]], ...] = (
    (Expectation, ("drop", "tower", "exchange", "linear", "narrow", "as_integral")),
    (Integral, ("linear", "integrate", "as_expectation")),
    (SumOver, ("linear",)),
    (Mean, ("mean",)),
    (Derivative, ("differentiate",)),
)


class Search:
    """Brings the difference of a proof to a normal form, innermost parts first."""

    def __init__(self, proof: Proof) -> None:
        self.proof = proof
        self._done: set[tuple[Expr, bool]] = set()

    def run(self) -> None:
        """Normalise the whole difference.

        Raises:
            RefusalError: the proof grows too long, or takes too much arithmetic.
        """
        self._normalise((), True)

    def _attempt(self, path: tuple[int, ...], rule: str) -> bool:
        try:
            self.proof.step(path, rule)
        except RefusalError as refused:
            if "too much" in str(refused):
                raise
            return False
        require(len(self.proof.steps) < LONGEST, "a proof takes too many steps")
        return True

    def _normalise(self, path: tuple[int, ...], top: bool) -> None:
        """``top``: no elementary operation stands around this place, so that it is worth while to simplify here."""
        e = at(self.proof.now, path)
        if (e, top) in self._done:
            return None
        if isinstance(e, Integral) and self._attempt(path, "integrate"):
            return self._normalise(path, top)
        if isinstance(e, Density) and e.given and self._attempt(path, "bayes"):
            return self._normalise(path, top)
        if isinstance(e, NAMED) and self._attempt(path, "unfold"):
            return self._normalise(path, top)
        for i in range(len(parts(e))):
            self._normalise((*path, i), not isinstance(e, ELEMENTARY))
        e = at(self.proof.now, path)
        if isinstance(e, ELEMENTARY):
            split = isinstance(e, Call) and e.function == "log" and self._attempt(path, "split")
            if split or (top and self._attempt(path, "arithmetic")):
                return self._normalise(path, top)
        if any(self._attempt(path, rule) for rule in self._rules(e)):
            return self._normalise(path, top)
        self._done.add((at(self.proof.now, path), top))
        return None

    def _rules(self, e: Expr) -> Iterator[str]:
        for kind, rules in ORDER:
            if isinstance(e, kind):
                yield from (rule for rule in rules if rule != "as_integral" or self._better_integral(e))

    def _better_integral(self, e: Expr) -> bool:
        """True for an average whose weight joins its body to one density, or to a product of densities."""
        if not isinstance(e, Expectation) or len(e.density.of) != 1 or e.density.bar:
            return False
        weight = bayes(self.proof.judge, e.density) if e.density.given else e.density
        try:
            whole = self.proof.judge.simplified(Product((weight, e.body)))
        except RefusalError:
            return False
        factors = whole.factors if isinstance(whole, Product) else (whole,)
        return all(isinstance(f, Density) for f in factors if closure(e.density.of) & free_variables(f))


def normal_form(e: Expr, hypotheses: tuple[Hypothesis, ...] = ()) -> Expr:
    """The expression to which the search brings ``e``."""
    proof = Proof(Statement(e, "=", ZERO, hypotheses))
    Search(proof).run()
    return proof.now


def prove_with(statement: Statement, slack: Expr | None = None, zeros: tuple[tuple[int, int], ...] = ()) -> Certificate:
    """A certificate of a statement with a given slack.

    Raises:
        RefusalError: none is found.
    """
    proof = Proof(statement, slack, zeros)
    Search(proof).run()
    return proof.certificate()


def find(
    left: Expr, relation: Relation, right: Expr, hypotheses: tuple[Hypothesis, ...] = (), slack: Expr | None = None
) -> Certificate:
    """A certificate of a statement from as few hypotheses as do.

    Raises:
        RefusalError: none is found; the first reason is given.
    """
    first: RefusalError | None = None
    for used, zeros in _hypotheses_to_try(hypotheses):
        for guess in _slacks(left, relation, right, slack):
            try:
                return prove_with(Statement(left, relation, right, used), guess, zeros)
            except RefusalError as refused:
                first = first or refused
    raise first or RefusalError("no slack is known")


def _hypotheses_to_try(
    every: tuple[Hypothesis, ...],
) -> Iterator[tuple[tuple[Hypothesis, ...], tuple[tuple[int, int], ...]]]:
    plain = tuple(h for h in every if h.kind != "zero")
    sets = [(), *((h,) for h in plain if len(plain) > 1), plain] if plain else [()]
    yield from ((chosen, ()) for chosen in sets)
    for zero in (h for h in every if h.kind == "zero"):
        yield from (((zero, *chosen), ((factor, 0),)) for chosen in sets for factor in (1, -1))


def _slacks(left: Expr, relation: Relation, right: Expr, given: Expr | None) -> Iterator[Expr | None]:
    """The given slack, or guesses, each of which has still to be proved nonnegative and equal to the difference."""
    if relation == "=":
        yield None
        return
    big, small = (right, left) if relation == "<=" else (left, right)
    if given is not None:
        yield given
        return
    zero = bare(small) == ZERO
    yield big if zero else Sum((big, Negative(small)))
    yield from _known_gaps(Sum((bare(big), Negative(bare(small)))))


def _known_gaps(difference: Expr) -> Iterator[Expr]:
    for e in difference.walk():
        match e:
            case Divergence() | MutualInformation() | TotalCorrelation():
                yield e
            case Call("log", Expectation(density, f)):
                yield Sum((e, Negative(Expectation(density, Call("log", f)))))
            case Call("log", Sum((a, b))):
                yield _log_of_sum_gap(a, b)
            case Call("log", u):
                yield Sum((u, Negative(ONE), Negative(e)))
            case Integral(variable, body):
                yield from _integral_gaps(variable, body)
            case Call("abs", Sum((a, Negative(b)))):
                yield Sum((a, b, Negative(e)))
    yield from _entropy_gaps(difference)


def _log_of_sum_gap(a: Expr, b: Expr) -> Expr:
    """``log((a + b) / 2 sqrt(a b))``, the gap between the arithmetic and the geometric mean."""
    half = Power(Sum((Power(a, HALF), Negative(Power(b, HALF)))), Number(Fraction(2)))
    return Call("log", Sum((ONE, Product((HALF, half, Power(a, MINUS_HALF), Power(b, MINUS_HALF))))))


def _integral_gaps(variable: str, body: Expr) -> Iterator[Expr]:
    for e in body.walk():
        match e:
            case Call("abs", Sum((a, Negative(b)))):
                yield Integral(variable, Sum((a, b, Negative(e))))
    judge = Judge()
    flat = judge.simplified(body)
    match flat:
        case Product((Power(a, Number(m)), Power(b, Number(n)))) if m == n == Fraction(1, 2):
            root = Sum((Power(a, HALF), Negative(Power(b, HALF))))
            hellinger = Product((HALF, Integral(variable, Power(root, Number(Fraction(2))))))
            yield hellinger
            whole = Integral(variable, body)
            tangent = Sum((whole, Negative(ONE), Negative(Call("log", whole))))
            yield Sum((Product((Number(Fraction(2)), tangent)), Product((Number(Fraction(2)), hellinger))))


def _entropy_gaps(difference: Expr) -> Iterator[Expr]:
    """``E_a log(1 + b/a) + E_b log(1 + a/b)``, halved: the gap of the Jensen-Shannon divergence below log 2."""
    densities = [e.density for e in difference.walk() if isinstance(e, Expectation)]
    for a, b in (
        (a, b) for i, a in enumerate(densities) for b in densities[i + 1 :] if a.law != b.law and a.of == b.of
    ):
        yield Sum(
            (
                Product((HALF, Expectation(a, Call("log", Sum((ONE, Quotient(b, a))))))),
                Product((HALF, Expectation(b, Call("log", Sum((ONE, Quotient(a, b))))))),
            )
        )
