"""Each rule of the kernel and of the checker alone, and the judgement of sign, against adversarial models."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator

import mpmath

from dgm.calculus.checking import arithmetic, kernel
from dgm.calculus.checking.arithmetic import ONE
from dgm.calculus.checking.checker import Checker, InvalidCertificateError, tuples
from dgm.calculus.checking.counterexamples import DIGITS, UndefinedError
from dgm.calculus.checking.judgements import HALF, Judge, at, parts
from dgm.calculus.language.encoding import decode, encode
from dgm.calculus.language.expression import (
    Call,
    Density,
    Divergence,
    Expectation,
    Expr,
    Integral,
    Negative,
    Power,
    Sum,
    SumOver,
    Symbol,
    as_expr,
    bare,
    free_variables,
)
from dgm.errors import CalculusError
from tests.dgm.calculus.terms import differ, random_term, well_formed, worlds

X, Z, ZJ, XZ = ("x",), ("z",), ("z_j",), ("x", "z")
TWO = as_expr(2)
A, W, B = Symbol("a"), Symbol("w_j", positive=True), Symbol("b", positive=True)


def q(of: tuple[str, ...], given: tuple[str, ...] = (), law: str = "q") -> Density:
    return Density(law, of, given)


QBAR = Density("q", Z, bar=True)


def edges() -> tuple[Expr, ...]:
    """Well-formed terms near the side conditions of the rules."""
    square = (A**2 + 1) * A**2 + 1
    return (
        Expectation(QBAR, Call("log", q(Z, law="p"))),
        Expectation(QBAR, Call("log", q(ZJ, law="p"))),
        Expectation(q(Z), q(ZJ)),
        Expectation(q(ZJ), A * q(ZJ)),
        Expectation(q(Z), q(ZJ) * q(Z, law="p")),
        SumOver(W * q(ZJ)),
        SumOver(B * W),
        SumOver(q(ZJ) * q(X)),
        SumOver(q(Z) * q(ZJ)),
        SumOver(A * W),
        Expectation(q(X), Expectation(q(Z, X), q(Z, law="p"))),
        Expectation(q(X), Expectation(q(Z), q(XZ, law="p"))),
        Expectation(q(X), Expectation(q(Z, X, "p"), q(XZ))),
        Expectation(q(X), Expectation(q(ZJ, X), q(ZJ))),
        Expectation(q(ZJ), SumOver(q(ZJ, law="p"))),
        Expectation(q(X), SumOver(q(("x", "z_j"), law="p"))),
        Expectation(q(X, ZJ), SumOver(q(("x", "z_j"), law="p"))),
        Expectation(q(Z), SumOver(q(ZJ, law="p"))),
        Expectation(q(X), q(Z) * A),
        Expectation(q(Z), q(X)),
        Expectation(q(XZ), q(X, law="p")),
        Expectation(q(XZ), q(ZJ)),
        Expectation(q(X), q(X, law="p") * q(Z)),
        Expectation(q(Z, X), q(X) * q(Z)),
        Integral("x", q(XZ)),
        Integral("z", q(Z, X)),
        Integral("x", q(Z, X)),
        Integral("z", QBAR),
        Integral("z", q(Z) * q(Z, law="p")),
        Integral("x", q(XZ) * A),
        Integral("x", q(XZ) * q(X, law="p")),
        Integral("x", q(Z, X) * q(X, Z, "p")),
        Integral("x", q(X, Z) * B),
        Integral("z", QBAR * Call("log", q(Z))),
        Integral("z_j", q(ZJ) * B),
        Integral("z", q(X, Z)),
        Call("log", square),
        Call("sqrt", A**2),
        Call("sqrt", (A**2) * B),
        Call("log", B**2),
        Call("abs", A),
        Call("abs", A - 1),
        Call("abs", B),
        Call("log", (A**2 + 1) * B),
        Call("log", 1 + A**2),
        Power(A**2, HALF),
        Call("log", QBAR),
        Call("log", q(Z)),
        q(X, Z),
        Call("exp", Call("log", B) * A),
        Call("exp", A + B),
        1 - Symbol("u", unit=True),
        A**3 * B,
        A * B,
        (A - 1) ** 2,
        A**2 - 1,
    )


def ill_formed() -> tuple[Expr, ...]:
    """Terms that are undefined or negative somewhere, each past one side condition."""
    p_x, p_z, u = q(X, law="p"), q(Z, law="p"), Symbol("u", unit=True)
    return (
        Divergence(q(XZ), q(X, Z, "p") * q(Z, X, "p")),
        Divergence(q(Z), q(Z) / Integral("z", q(Z))),
        Divergence(q(Z), (2 * p_z - q(Z)) / Integral("z", 2 * p_z - q(Z))),
        Divergence(q(X), q(X, law="p") * q(X)),
        Call("abs", Call("log", A)),
        Call("abs", 1 / A),
        Call("abs", Call("sqrt", A)),
        Call("abs", Power(A, HALF)),
        Power(A, HALF),
        Power(A, Negative(HALF)),
        Power(A, B),
        Call("log", A - 1),
        A - 1 - Call("log", B),
        B - 1 - Call("log", A),
        Sum((A**2, Negative(ONE))),
        Call("exp", A) - 1,
        Sum((ONE, Negative(Call("exp", B)))),
        B + 2 - Call("abs", B - 3),
        A + B - Call("abs", A - B),
        Call("log", Expectation(q(X), p_x)) - Expectation(q(X, law="p"), Call("log", p_x)),
        Call("log", B),
        1 - B,
        1 - A,
        B - u,
        2 - u,
        Call("log", A + 1),
        A * B,
        A**3,
        Negative(B),
        Call("log", p_x),
        p_x - q(X),
        Power(A - 1, TWO) - 1,
        Call("log", Expectation(q(X), A)) - Expectation(q(X), Call("log", A)),
        1 - u * B,
        Call("sqrt", A - 1),
    )


def corpus() -> Iterator[Expr]:
    yield from edges()
    yield from well_formed(seed=1, count=60)


def kernel_faults(terms: Iterable[Expr]) -> Iterator[str]:
    """Rules of the kernel that change the value of a term, with the term."""
    for e in terms:
        for name in kernel.RULES:
            for inner in _places(e):
                try:
                    judge = Judge()
                    out = kernel.rewritten(judge, name, inner)
                    judge.check(inner)
                    judge.check(out)
                except arithmetic.RefusalError:
                    continue
                if found := differ(inner, out, every=9):
                    yield f"{name} of {inner}: {found}"


def checker_faults(terms: Iterable[Expr]) -> Iterator[str]:
    """The same of the checker; its rules are asked for what they make of a term."""
    names = [name for name in kernel.RULES if name != "arithmetic"]
    for e in terms:
        for name in names:
            term = tuples(encode(e))
            try:
                replayer = Checker()
                replayer.check(term)
                out = replayer.apply(name, term, term)
                replayer.check(out)
            except (InvalidCertificateError, LookupError, ValueError):
                continue
            if found := differ(e, decode(json.loads(json.dumps(out))), every=9):
                yield f"{name} of {e}: {found}"


def sign_faults(terms: Iterable[Expr], sign: Callable[[Expr], str | None]) -> Iterator[str]:
    """Terms that are said to be positive or nonnegative and are not."""
    for e in terms:
        said = sign(e)
        if not said:
            continue
        with mpmath.workdps(DIGITS):
            for model in worlds(5):
                for point in model.around(sorted(free_variables(e)), {}):
                    try:
                        value = model.value(e, point)
                    except UndefinedError as reason:
                        yield f"{e} is undefined ({reason}) on {model.name}"
                        break
                    if value < -(mpmath.mpf(10) ** -40) or (said == "+" and value <= 0):
                        yield f"{said}: {e} is {mpmath.nstr(value, 5)} on {model.name}"
                        break


def _places(e: Expr) -> Iterator[Expr]:
    yield e
    for i in range(len(parts(e))):
        yield from _places(at(e, (i,)))


def kernel_sign(e: Expr) -> str | None:
    """The sign of a term that the kernel finds well formed."""
    judge = Judge()
    try:
        judge.check(e)
        return judge.sign(e)
    except arithmetic.RefusalError:
        return None


def checker_sign(e: Expr) -> str:
    """The sign of a term that the checker finds well formed."""
    replayer, term = Checker(), tuples(encode(e))
    try:
        replayer.check(term)
        return replayer.sign(term)
    except InvalidCertificateError:
        return ""


def test_no_rule_of_the_kernel_changes_a_value() -> None:
    assert not list(kernel_faults(corpus()))


def test_no_rule_of_the_checker_changes_a_value() -> None:
    assert not list(checker_faults(corpus()))


def test_what_is_called_positive_is_positive() -> None:
    assert not list(sign_faults((*corpus(), *ill_formed()), kernel_sign))
    assert not list(sign_faults((*corpus(), *ill_formed()), checker_sign))


def test_what_is_well_formed_is_defined() -> None:
    assert not [found for e in corpus() if "well-formed" in (found := differ(e, e))]


def test_what_the_checker_finds_well_formed_is_defined() -> None:
    """Terms that the kernel did not choose."""
    rng, found = random.Random(5), []
    while len(found) < 120:
        try:
            e = bare(random_term(rng, 2))
            Checker().check(tuples(encode(e)))
        except (CalculusError, InvalidCertificateError):
            continue
        found.append(e)
    assert not [fault for e in found if "well-formed" in (fault := differ(e, e, every=13))]
