"""False statements are never proved and true ones are: by kinds of error that an author, or a doubter, would make."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest

from dgm.calculus.checking.ledger import Step, compare, measure, survey
from dgm.calculus.checking.verification import (
    prove,
    prove_independent,
    prove_maximum,
    prove_minimum,
    prove_positive,
    verify,
)
from dgm.calculus.language.derivation import Assumptions, Derivation
from dgm.calculus.language.expression import (
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
    Operand,
    Power,
    Product,
    SumOver,
    Symbol,
    TotalCorrelation,
    Unknown,
    absolute,
    as_expr,
    exp,
    log,
    sqrt,
    substitute,
)
from dgm.errors import CalculusError

X, Z, ZJ, XZ = ("x",), ("z",), ("z_j",), ("x", "z")
a, b, c = Symbol("a"), Symbol("b"), Symbol("c")
pa, pb, t, s = (Symbol(n, positive=True) for n in ("a", "b", "t", r"\sigma"))
D, z, mu = Symbol("D", unit=True), Symbol("z"), Symbol(r"\mu")
w_j, m_j, s_j = Symbol("w_j", positive=True), Symbol(r"\mu_j"), Symbol(r"\sigma_j", positive=True)
HALF = Number(Fraction(1, 2))
Try = Callable[[], object]


def p(of: tuple[str, ...], given: tuple[str, ...] = ()) -> Density:
    return Density("p", of, given)


def q(of: tuple[str, ...], given: tuple[str, ...] = ()) -> Density:
    return Density("q", of, given)


QBAR = Density("q", Z, bar=True)
KL, KL_J = Divergence(q(X), p(X)), Divergence(q(ZJ), p(ZJ))
LARGE = 10**7 * KL  # zero where p(x) = q(x), which few models come near


def equal(left: Expr, right: Operand, assuming: Assumptions | None = None) -> tuple[Step, ...]:
    return verify(Derivation("eq-a", left, assuming=assuming or Assumptions()).equals(right, ""))


def at_least(left: Expr, right: Operand, slack: Expr | None = None) -> tuple[Step, ...]:
    return verify(Derivation("eq-a", left).at_least(right, "", slack))


def at_most(left: Expr, right: Operand, slack: Expr | None = None) -> tuple[Step, ...]:
    return verify(Derivation("eq-a", left).at_most(right, "", slack))


def normalised(f: Expr) -> Expr:
    return f / Integral("z", f)


FALSE: dict[str, tuple[Try, ...]] = {
    "a product of densities that is no density": (
        lambda: at_least(Divergence(q(XZ), p(X, Z) * p(Z, X)), 0, Divergence(q(XZ), p(X, Z) * p(Z, X))),
        lambda: at_least(Divergence(q(X), p(X) * p(X)), 0, Divergence(q(X), p(X) * p(X))),
        lambda: at_least(Divergence(q(Z), normalised(2 * p(Z) - q(Z))), 0),
        lambda: at_least(Divergence(q(Z, X), p(X, Z)), 0),
        lambda: at_least(Divergence(q(Z), 2 * p(Z)), 0),
        lambda: at_least(Divergence(q(Z), p(Z) + 0), 0),
    ),
    "a sign without its domain": (
        lambda: at_least(10 - pa, 0, sqrt(10 - pa) ** 2),
        lambda: at_least(10 - pa, 0, Power(Power(10 - pa, HALF), as_expr(2))),
        lambda: at_least(log(10 - pa) ** 2, 0, log(10 - pa) ** 2),
        lambda: at_least(50 - KL, 0, sqrt(50 - KL) ** 2),
        lambda: prove_positive("eq-a", "", exp(log(a))),
        lambda: prove_positive("eq-a", "", Power(pa, 1 / (b - b))),
        lambda: prove_positive("eq-a", "", absolute(a)),
        lambda: at_least(absolute(log(a)), 0, absolute(log(a))),
        lambda: at_least((1 / a) ** 2, 0, (1 / a) ** 2),
        lambda: at_least(Power(a, as_expr(-2)), 0),
    ),
    "a logarithm or a root split where it may not be": (
        lambda: equal(log(a**2), 2 * log(a)),
        lambda: equal(log(a * b), log(a) + log(b)),
        lambda: equal(sqrt((10 - pa) ** 2), 10 - pa),
        lambda: equal(absolute(a), a),
        lambda: equal(sqrt(a**2), a),
        lambda: equal(sqrt(-pa) * sqrt(-pb), -sqrt(pa * pb)),
        lambda: equal(log(Power(10 - pa, pb)), pb * log(10 - pa)),
        lambda: equal(log((p(X) - q(X)) ** 2), 2 * log(p(X) - q(X))),
        lambda: equal(a / a, 1),
        lambda: equal(a**0 / a**0 * (a / a), 1),
        lambda: equal(exp(log(a)), a),
        lambda: equal(Power(a**2, HALF), a),
        lambda: equal(Power(a, as_expr(-1)) * a, 1),
    ),
    "a variable captured": (
        lambda: at_least(101 - Mean(Laplace(z, t, s), z), 0, as_expr(100)),
        lambda: prove_minimum("eq-a", "", Mean(Laplace(z, t, s), (z - a) ** 2), [(a, as_expr(1))]),
        lambda: prove_minimum("eq-a", "", Mean(Normal(z, mu, s), (z - a) ** 2), [(a, z)]),
        lambda: equal(Mean(Normal(z, z, s), z), z),
        lambda: equal(Mean(Normal(z, mu, s), Mean(Normal(z, mu, s), z)), mu),
        lambda: equal(Mean(Normal(t, mu, s), absolute(t)), mu),
        lambda: equal(Derivative(Mean(Normal(z, mu, s), z), z), 0),
        lambda: substitute(SumOver(w_j * a), {a: s_j}),
        lambda: substitute(Derivative(a * b, a), {a: b}),
    ),
    "a product of marginals taken for the joint": (
        lambda: at_least(LARGE + Expectation(QBAR, log(p(Z))), Expectation(q(Z), log(p(Z))), LARGE),
        lambda: equal(Expectation(QBAR, log(p(Z))), Expectation(q(Z), log(p(Z)))),
        lambda: equal(log(QBAR), log(q(Z))),
        lambda: equal(Entropy(q(Z)), SumOver(Entropy(q(ZJ)))),
        lambda: equal(log(q(Z)), SumOver(log(q(ZJ)))),
    ),
    "a coordinate and its vector": (
        lambda: at_least(LARGE + Expectation(q(ZJ), log(p(Z))), log(p(Z)), LARGE),
        lambda: at_least(LARGE + log(p(ZJ)), log(Integral("z", p(ZJ))), LARGE),
        lambda: at_least(Divergence(Density("q", ("z", "z_j")), p(Z) * p(ZJ)), 0),
        lambda: equal(MutualInformation("q", "z", "z_j"), Entropy(q(ZJ))),
        lambda: equal(Integral("z_j", p(Z)), p(X) / p(X)),
        lambda: equal(Expectation(q(ZJ), p(Z)), p(Z)),
        lambda: equal(Integral("z", p(ZJ)), 1),
    ),
    "a number of one coordinate outside its sum": (
        lambda: equal(SumOver(w_j * KL_J), w_j * SumOver(KL_J)),
        lambda: equal(SumOver(w_j), w_j),
        lambda: equal(SumOver(a), a),
        lambda: equal(SumOver(as_expr(1)), 3),
        lambda: equal(SumOver(m_j**2), SumOver(m_j) ** 2),
        lambda: equal(Derivative(SumOver(m_j**2), m_j), Number(Fraction(49, 18)) * m_j),
        lambda: equal(SumOver(m_j / s_j), SumOver(m_j) / SumOver(s_j)),
        lambda: equal(Derivative(SumOver(m_j * SumOver(m_j)), m_j), 1),
    ),
    "masses taken for densities": (
        lambda: at_least(Entropy(q(X)), 0),
        lambda: at_most(p(XZ), p(X)),
        lambda: at_most(Expectation(q(X), p(X)), 1),
        lambda: at_least(Entropy(q(XZ)), Entropy(q(X))),
        lambda: at_most(MutualInformation("q", "x", "z"), Entropy(q(X))),
        lambda: at_most(log(q(X)), 0),
    ),
    "kind models": (
        lambda: at_most(Divergence(q(Z), p(Z)), 10**9),
        lambda: at_least(KL, Number(Fraction(1, 10**6))),
        lambda: at_least(MutualInformation("q", "x", "z"), Number(Fraction(1, 10**4))),
        lambda: equal(KL, Divergence(p(X), q(X))),
        lambda: at_most(SumOver(MutualInformation("q", "x", "z_j")), MutualInformation("q", "x", "z")),
        lambda: at_least(SumOver(MutualInformation("q", "x", "z_j")), MutualInformation("q", "x", "z")),
        lambda: at_most(MutualInformation("q", "x", "z"), Divergence(q(XZ), p(XZ))),
        lambda: at_most(TotalCorrelation("q"), 0),
        lambda: equal(exp(1000 * pa) + 1, exp(1000 * pa)),
        lambda: equal(Number(Fraction(1, 10**40)), 0),
    ),
    "a mean that diverges": (
        lambda: at_most(Mean(Laplace(z, as_expr(0), s), exp(z)), 10**60),
        lambda: at_least(Mean(Normal(z, mu, s), exp(z**2)), 0),
        lambda: at_least(Mean(Normal(z, mu, s), 1 / z**2), 0),
        lambda: equal(Mean(Normal(z, mu, s), (z - mu) ** 2), s**2 / 2),
        lambda: equal(Mean(Laplace(z, mu, s), (z - mu) ** 2), s**2),
    ),
    "stationary taken for optimal": (
        lambda: prove_minimum("eq-a", "", -((a - b) ** 2), [(a, b)]),
        lambda: prove_maximum("eq-a", "", (a - b) ** 2, [(a, b)]),
        lambda: prove_minimum("eq-a", "", a**2 - c**2, [(a, as_expr(0)), (c, as_expr(0))]),
        lambda: prove_minimum("eq-a", "", a**3, [(a, as_expr(0))]),
        lambda: prove_minimum("eq-a", "", (pa - b) ** 2, [(pa, b)]),
        lambda: prove_minimum("eq-a", "", exp(a) - (Constant("e") - 1) * a**2 / 2 - a, [(a, as_expr(0))]),
        lambda: prove_minimum("eq-a", "", a**2, [(c, as_expr(0))]),
        lambda: prove_minimum("eq-a", "", D, [(D, as_expr(0))]),
    ),
    "independence by name": (
        lambda: prove_independent("eq-a", "", log(Integral("z", p(XZ) * q(Z, X))), "p"),
        lambda: prove_independent("eq-a", "", KL, "q_phi"),
        lambda: prove_independent("eq-a", "", Expectation(p(X), log(1 + q(X) / p(X))), "q"),
        lambda: prove_independent("eq-a", "", KL, "q"),
        lambda: prove_independent("eq-a", "", Expectation(QBAR, log(p(Z))) - Expectation(q(Z), log(p(Z))), "q"),
    ),
    "a name that says another thing": (
        lambda: equal(Named(q(X), "p(x)"), q(X)),
        lambda: equal(Density("q", X, symbol="p"), q(X)),
        lambda: equal(Density("q", X, symbol=r"q_\phi"), q(X)),
        lambda: equal(-Named(a - b, "a-b"), b - a),
        lambda: equal(Mean(Normal(z, mu, s), z) - Mean(Laplace(z, b, s), z), mu - b),
        lambda: equal(Symbol("1+1"), 2),
        lambda: equal(Mean(Laplace(z, mu, s), Named(-log(s) - absolute(z - mu) / s, r"\log q")), -log(s) - 1),
        lambda: equal(Named(a, "H(q)"), a),
        lambda: equal(Named(a, r"\mathrm{TC}(z)"), a),
        lambda: equal(Named(a, "b") + b, a + b),
        lambda: equal(Named(a, "c") - Named(b, "c"), a - b),
        lambda: equal(Symbol("a") - Symbol("a", positive=True), a - pa),
        lambda: equal(Symbol(r"\mu_j^2"), m_j**2),
        lambda: at_least(Integral("z", Unknown("q", Z)), 0),
        lambda: equal(Symbol("e", positive=True) - exp(1), exp(1) - exp(1)),
    ),
    "numerals that run together": (
        lambda: equal(2 * Power(as_expr(2), a), Power(as_expr(2), a + 1)),
        lambda: equal(Power(Number(Fraction(-2)), as_expr(2)), 4),
        lambda: equal(as_expr(3) * HALF, Number(Fraction(3, 2))),
        lambda: equal(Power(HALF, as_expr(2)), Number(Fraction(1, 4))),
    ),
    "marks by hand": (
        lambda: Step("eq-a", "1 = 2", "proved"),
        lambda: Step("eq-a", "1 = 2", "tested"),
        lambda: Step("eq-a", "1 = 2", "proved", "certificate"),  # type: ignore[arg-type]
        lambda: compare("eq-a", "", [1] * 100, [1] * 100),
        lambda: measure("eq-a", "", [1.0] * 100, [2.0] * 100, 5.0),
        lambda: measure("eq-a", "", [0.5] * 100, [0.5], 1e-9),
        lambda: measure("eq-a", "", [1.0] * 100, [9.0] * 100, float("inf")),
        lambda: survey("eq-a", "", 5000, ["one"]),
        lambda: prove("eq-a", "", 1, 1),
        lambda: measure("eq-a", "", [float("nan")] * 100, [float("nan")] * 100, 1e-9),
    ),  # type: ignore[arg-type]
    "Jensen and the order of averages": (
        lambda: at_most(log(Expectation(q(Z), Unknown("D", Z))), Expectation(q(Z), log(Unknown("D", Z)))),
        lambda: equal(Expectation(q(Z), log(p(X, Z))), Expectation(q(Z, X), log(p(X, Z)))),
        lambda: equal(
            Expectation(q(Z), log(p(Z)) * log(q(Z))), Expectation(q(Z), log(p(Z))) * Expectation(q(Z), log(q(Z)))
        ),
        lambda: equal(Divergence(q(Z), p(Z)), TotalCorrelation("q") + SumOver(KL_J)),
        lambda: equal(log(p(X)), log(q(X))),
    ),
}

TRUE: dict[str, tuple[Try, ...]] = {
    "absolute values and roots": (
        lambda: at_least(absolute(a), 0),
        lambda: at_least(sqrt(pa), 0),
        lambda: at_least(a**2 + b**2, 2 * a * b, (a - b) ** 2),
        lambda: at_most(log(pa), pa - 1),
        lambda: equal(absolute(Negative(a)), absolute(a)),
    ),
    "integrals in any order": (
        lambda: equal(Integral("z", log(q(Z) / p(Z)) * q(Z)), Divergence(q(Z), p(Z))),
        lambda: equal(Integral("x", q(X, Z)), 1),
        lambda: equal(Integral("x", Integral("z", q(XZ) * log(q(XZ) / p(XZ)))), Divergence(q(XZ), p(XZ))),
        lambda: at_most(Integral("z", sqrt(p(Z) * q(Z))), 1),
        lambda: at_most(Integral("z", absolute(p(Z) - q(Z))), 2),
    ),
    "means under explicit laws": (
        lambda: equal(Mean(Normal(z, as_expr(0), s), absolute(z)), s * sqrt(2 / Constant(r"\pi"))),
        lambda: equal(Mean(Normal(z, mu, s), exp(t * z)), exp(t * mu + t**2 * s**2 / 2)),
        lambda: equal(
            Mean(Normal(z, mu, s), log(Normal(z, mu, s))), -HALF * log(2 * Constant(r"\pi") * Constant("e") * s**2)
        ),
        lambda: at_least(Mean(Normal(z, mu, s), (z - b) ** 2), 0),
        lambda: equal(Mean(Laplace(z, mu, s), (z - mu) ** 2), 2 * s**2),
    ),
    "gradients": (
        lambda: equal(Derivative(HALF * SumOver(m_j**2 + s_j**2 - 1 - log(s_j**2)), m_j), m_j),
        lambda: equal(Derivative(HALF * SumOver(m_j**2 + s_j**2 - 1 - log(s_j**2)), s_j), s_j - 1 / s_j),
    ),
    "information": (
        lambda: equal(MutualInformation("q", "x", "z"), Entropy(q(X)) + Entropy(q(Z)) - Entropy(q(XZ))),
        lambda: at_least(
            Divergence(q(XZ), p(XZ)), Divergence(q(Z), p(Z)), Expectation(q(Z), Divergence(q(X, Z), p(X, Z)))
        ),
        lambda: at_least(TotalCorrelation("q"), 0),
        lambda: at_least(log(Expectation(q(Z), Unknown("D", Z))), Expectation(q(Z), log(Unknown("D", Z)))),
        lambda: equal(log(p(XZ)), log(p(Z)) + log(p(X, Z)), Assumptions(factorised=("p",))),
        lambda: at_most(
            HALF * Expectation(p(X), log(p(X) / ((p(X) + q(X)) / 2)))
            + HALF * Expectation(q(X), log(q(X) / ((p(X) + q(X)) / 2))),
            log(2),
        ),
    ),
    "optima": (
        lambda: prove_maximum("eq-a", "", pa * log(D) + pb * log(1 - D), [(D, pa / (pa + pb))]),
        lambda: prove_minimum("eq-a", "", HALF * log(t) + s / (2 * t), [(t, s)]),
    ),
}


def cases(table: dict[str, tuple[Try, ...]]) -> list[object]:
    return [pytest.param(case, id=f"{kind} {k}") for kind, every in table.items() for k, case in enumerate(every)]


@pytest.mark.parametrize("statement", cases(FALSE))
def test_a_false_statement_is_refused_in_one_line(statement: Try) -> None:
    with pytest.raises(CalculusError) as caught:
        statement()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("statement", cases(TRUE))
def test_a_true_statement_is_proved(statement: Try) -> None:
    steps = statement()
    last = steps[-1] if isinstance(steps, tuple) else steps
    assert isinstance(last, Step)
    assert last.how == "proved"


@pytest.mark.parametrize(
    "beyond",
    [
        Mean(Laplace(z, mu, s), absolute(z - a)),
        Mean(Laplace(z, as_expr(0), HALF), exp(z)),
        Mean(Normal(z, mu, s), absolute(z)),
    ],
)
def test_what_is_out_of_reach_is_never_called_false(beyond: Expr) -> None:
    with pytest.raises(CalculusError) as caught:
        at_least(beyond + 1, 1)  # true: each is positive
    assert "is false" not in str(caught.value)


def test_a_very_deep_expression_is_out_of_reach_in_one_line() -> None:
    deep: Expr = a
    for _ in range(3000):
        deep = Negative(Product((deep,)))
    with pytest.raises(CalculusError, match="too deep"):
        equal(deep, a)


def test_hypotheses_stand_beside_the_mark() -> None:
    (step,) = equal(TotalCorrelation("q"), 0, Assumptions(factorised=("q",)))
    assert any("مستقل" in condition for condition in step.conditions)
    (step,) = verify(Derivation("eq-a", a).equals(b, "", given=(a - b,)))
    assert any("$a-b=0$" in condition for condition in step.conditions)
    (step,) = verify(Derivation("eq-a", sqrt(1 - pa) ** 2, assuming=Assumptions(positive=(1 - pa,))).equals(1 - pa, ""))
    assert any("$1-a>0$" in condition for condition in step.conditions)
    *_, step = equal(Expectation(q(Z), p(Z) / q(Z)), 1)
    assert any("تکیه‌گاه" in condition for condition in step.conditions)
