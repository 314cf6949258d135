"""Verification of derivations: every step is proved with a certificate, or openly stated; a false one is refused.

A step that the kernel does not prove is tried on adversarial models, to tell a false one, with its counterexample,
from one that is out of reach.  No step is accepted because models did not refute it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from dgm.calculus.checking.arithmetic import ZERO, RefusalError
from dgm.calculus.checking.certificate import Certificate, Hypothesis
from dgm.calculus.checking.conditions import conditions, definitions
from dgm.calculus.checking.counterexamples import counterexample
from dgm.calculus.checking.kernel import Relation, names_of_laws
from dgm.calculus.checking.ledger import Step
from dgm.calculus.checking.optimum import gaps
from dgm.calculus.checking.search import find, normal_form
from dgm.calculus.language.derivation import Assumptions, Derivation, Link
from dgm.calculus.language.encoding import digest, encode
from dgm.calculus.language.expression import Expr, Symbol, substitute
from dgm.calculus.language.notation import latex
from dgm.calculus.language.reading import require_readable
from dgm.errors import CalculusError

Prover = Callable[..., Certificate]


def verify(derivation: Derivation, prover: Prover = find) -> tuple[Step, ...]:
    """Prove every step of a chain; one record a step, and one for each name that it prints.

    ``prover`` finds certificates; whatever it returns is replayed by the independent checker.

    Raises:
        CalculusError: a step is false on a model, which is named with the values of both sides, or out of the
            kernel's reach; or the printed formula could be read as another object than the one proved.

    >>> from dgm.calculus.language.expression import Density, log
    >>> p, joint, rest = Density("p", ("x",)), Density("p", ("x", "z")), Density("p", ("z",), ("x",))
    >>> verify(Derivation("eq-bayes", log(p)).equals(log(joint / rest), "قاعدهٔ بیز"))[0].how
    'proved'
    """
    with _OneLine(derivation.label):
        require_readable(derivation)
        named = tuple(Step(derivation.label, text, "defined") for text in definitions(derivation.sides))
        links = enumerate(zip(derivation.sides, derivation.links, strict=False))
        return (
            *named,
            *(_checked(derivation, k, left, link, prover) for k, (left, link) in links if link.relation != ":="),
        )


class _OneLine:
    """Errors of a very deep expression, or of a rule, as one line."""

    def __init__(self, label: str) -> None:
        self._label = label

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, RecursionError):
            raise CalculusError(f"{self._label}: out of reach: the expression is too deep") from None
        if isinstance(error, RefusalError):
            raise CalculusError(f"{self._label}: out of reach: {error}") from None


def _checked(derivation: Derivation, k: int, left: Expr, link: Link, prover: Prover) -> Step:
    if link.stated:
        about = digest(encode(left), link.relation, encode(link.side))
        return Step(derivation.label, f"{link.reason} ({link.stated})", "stated", about=about)
    place = f"step {k + 1} of {derivation.label}"
    assert link.relation != ":="
    hypotheses = hypotheses_of(derivation.assuming, link.given)
    return _proved(derivation.label, link.reason, place, left, link.relation, link.side, hypotheses, link.slack, prover)


def _proved(
    label: str,
    claim: str,
    place: str,
    left: Expr,
    relation: Relation,
    right: Expr,
    hypotheses: tuple[Hypothesis, ...] = (),
    slack: Expr | None = None,
    prover: Prover = find,
) -> Step:
    try:
        certificate = prover(left, relation, right, hypotheses, slack)
    except RefusalError as refused:
        raise CalculusError(_refusal(place, left, relation, right, hypotheses, refused)) from None
    if not certificate.speaks_of(left, relation, right, hypotheses):
        raise CalculusError(f"{place}: the certificate is one of another statement")
    return Step(label, claim, "proved", certificate, conditions=conditions(certificate, (left, right)))


def _refusal(
    place: str, left: Expr, relation: Relation, right: Expr, hypotheses: tuple[Hypothesis, ...], refused: RefusalError
) -> str:
    found = counterexample(left, relation, right) if not hypotheses else None
    text = f"{latex(left)} {relation} {latex(right)}"
    if found:
        return f"{place} is false: {text} {found}"
    return f"{place} is out of reach ({refused}), and may be stated with a reason: {text}"


def hypotheses_of(assuming: Assumptions, zeros: Sequence[Expr] = ()) -> tuple[Hypothesis, ...]:
    """What a derivation assumes, as the kernel's hypotheses."""
    return (
        *(Hypothesis("independent", law) for law in assuming.factorised),
        *(Hypothesis("independent", law, ("x",)) for law in assuming.encoders),
        *(Hypothesis("positive", term=e) for e in assuming.positive),
        *(Hypothesis("zero", term=e) for e in zeros),
    )


def prove(label: str, claim: str, left: Expr, right: Expr) -> Step:
    """Prove ``left = right``.

    Raises:
        CalculusError: it is false, or out of the kernel's reach, or a side is no expression.

    >>> t = Symbol("t", positive=True)
    >>> from dgm.calculus.language.expression import log
    >>> prove("eq-square", "log of a square", log(t**2), 2 * log(t)).how
    'proved'
    """
    for side in (left, right):
        if not isinstance(side, Expr):
            raise CalculusError(f"{label}: step '{claim}' is about {side!r}, which is no expression")
    return verify(Derivation(label, left).equals(right, claim))[-1]


def prove_independent(label: str, claim: str, e: Expr, law: str) -> Step:
    """Prove that the value of ``e`` does not depend on a law: it equals an expression that does not speak of it.

    Raises:
        CalculusError: ``e`` does not speak of the law at all, or its normal form still does.
    """
    names = names_of_laws(e)
    if law not in names:
        raise CalculusError(
            f"{label}: step '{claim}': {latex(e)} speaks of no {law!r}; valid: {', '.join(sorted(names))}"
        )
    with _OneLine(label):
        free = normal_form(e)
        if law in names_of_laws(free):
            raise CalculusError(f"{label}: step '{claim}' is not proved: {latex(e)} depends on {law}")
        return _proved(label, claim, f"'{claim}' of {label}", e, "=", free)


def prove_positive(label: str, claim: str, *expressions: Expr) -> tuple[Step, ...]:
    """Prove that expressions are greater than zero; one record each.

    Raises:
        CalculusError: one is not proved defined and positive.
    """
    with _OneLine(label):
        return tuple(_proved(label, claim, f"'{claim}' of {label}", e, ">", ZERO) for e in expressions)


def prove_minimum(label: str, claim: str, f: Expr, point: Sequence[tuple[Symbol, Expr]]) -> Step:
    """Prove that ``f`` has its global minimum at ``point``: ``f >= f(point)`` for all values of the symbols.

    Raises:
        CalculusError: the point is not in the domain, or the inequality is not proved.

    >>> a, b = Symbol("a"), Symbol("b")
    >>> prove_minimum("eq-square", "lowest point", (a - b) ** 2, [(a, b)]).how
    'proved'
    """
    return _optimum(label, claim, f, ">=", point)


def prove_maximum(label: str, claim: str, f: Expr, point: Sequence[tuple[Symbol, Expr]]) -> Step:
    """Prove that ``f`` has its global maximum at ``point``: ``f <= f(point)`` for all values of the symbols.

    Raises:
        CalculusError: the point is not in the domain, or the inequality is not proved.
    """
    return _optimum(label, claim, f, "<=", point)


def _optimum(label: str, claim: str, f: Expr, relation: Relation, point: Sequence[tuple[Symbol, Expr]]) -> Step:
    at = dict(point)
    _require_in_domain(label, claim, f, point)
    best = substitute(f, at)
    with _OneLine(label):
        refused = RefusalError("no inequality is known that gives it")
        for slack in gaps(f, best, relation, at):
            try:
                certificate = find(f, relation, best, (), slack)
            except RefusalError as reason:
                refused = reason
            else:
                return Step(label, claim, "proved", certificate, conditions=conditions(certificate, (f,)))
        place = f"'{claim}' of {label}"
        raise CalculusError(_refusal(place, f, relation, best, (), refused))


def _require_in_domain(label: str, claim: str, f: Expr, point: Sequence[tuple[Symbol, Expr]]) -> None:
    for symbol, value in point:
        if symbol not in set(f.walk()):
            raise CalculusError(f"{label}: step '{claim}': {symbol.name} does not stand in {latex(f)}")
        if symbol.positive or symbol.unit:
            prove_positive(label, f"{symbol.name} > 0", value)
        if symbol.unit:
            prove_positive(label, f"{symbol.name} < 1", 1 - value)


def relabelled(steps: Iterable[Step], label: str) -> tuple[Step, ...]:
    """The same steps for another equation that displays the same relations."""
    return tuple(replace(step, label=label) for step in steps)
