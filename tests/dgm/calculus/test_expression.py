"""The expression language: what is printed is what is evaluated, and what is proved holds on models."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import mpmath
import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from dgm.calculus.checking.cached import verified
from dgm.calculus.checking.gaussian_worlds import Gaussian, GaussianWorld
from dgm.calculus.checking.normal_form import laws, reduce
from dgm.calculus.checking.numbers import number
from dgm.calculus.checking.verification import (
    nonnegative,
    positive,
    prove_independent,
    prove_positive,
    prove_stationary,
    verify,
)
from dgm.calculus.checking.worlds import TableWorld, random_table_world, symbolic_table_world
from dgm.calculus.closed_forms import finite
from dgm.calculus.closed_forms.gaussian import kl_parts
from dgm.calculus.identities import elbo, total_correlation
from dgm.calculus.identities.vocabulary import (
    AGGREGATE,
    DATA,
    ELBO,
    ENCODER,
    EVIDENCE,
    GAP,
    HALF,
    LIKELIHOOD,
    MARGINALS,
    PRIOR,
)
from dgm.calculus.language.derivation import Derivation, WorldKind
from dgm.calculus.language.expression import (
    Density,
    Divergence,
    Entropy,
    Expectation,
    Expr,
    MutualInformation,
    Integral,
    Laplace,
    Mean,
    Negative,
    Normal,
    Number,
    Quotient,
    Sum,
    SumOver,
    Symbol,
    TotalCorrelation,
    Unknown,
    free_variables,
    log,
)
from dgm.calculus.language.ledger import entries
from dgm.calculus.language.notation import latex
from dgm.errors import CalculusError

a, b, t = Symbol("a"), Symbol("b", positive=True), Symbol("t")


# --- printing ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("e", "tex"), [
    (a - (b - 1), "a-(b-1)"),
    (-(a + b), "-(a+b)"),
    (-HALF * a, r"-\frac{1}{2}\,a"),
    ((a + b) * (a - b), "(a+b)(a-b)"),
    ((a + b) ** 2 / b, r"\frac{(a+b)^{2}}{b}"),
    (log(a * b) * b, r"(\log(a b))\,b"),
    (b ** (1 / b), "b^{1/b}"),
    (Symbol(r"\lambda") * b**2, r"\lambda b^{2}"),
    (Divergence(ENCODER, PRIOR), r"D_{\mathrm{KL}}\bigl(q_\phi(z\mid x)\,\Vert\,p(z)\bigr)"),
    (Expectation(AGGREGATE, log(AGGREGATE / MARGINALS)),
     r"\mathbb{E}_{q(z)}\left[\log \frac{q(z)}{\bar{q}(z)}\right]"),
    (SumOver(Divergence(Density("q", ("z_j",)), Density("p", ("z_j",)))),
     r"\sum_jD_{\mathrm{KL}}\bigl(q(z_j)\,\Vert\,p(z_j)\bigr)"),
])
def test_latex_is_what_an_author_would_write(e: Expr, tex: str) -> None:
    assert latex(e) == tex


scalars = st.recursive(
    st.sampled_from([a, b, Number(Fraction(2)), Number(Fraction(1, 3))]),
    lambda inner: st.one_of(
        st.builds(lambda x, y: x + y, inner, inner), st.builds(lambda x, y: x - y, inner, inner),
        st.builds(lambda x, y: x * y, inner, inner), st.builds(lambda x, y: Quotient(x, y), inner, inner),
        st.builds(Negative, inner), st.builds(lambda x: x**2, inner)), max_leaves=7)


@settings(max_examples=150, deadline=None)
@given(scalars)
def test_what_is_printed_has_the_value_of_what_is_checked(e: Expr) -> None:
    """The LaTeX, read by the usual rules, has the expression's value."""
    at = {"a": mpmath.mpf(1.7), "b": mpmath.mpf(0.6)}
    try:
        value = number(e, at)
    except ZeroDivisionError:
        return
    assert mpmath.almosteq(read_back(latex(e), at), value, rel_eps=1e-9, abs_eps=1e-9)


def read_back(tex: str, at: dict[str, mpmath.mpf]) -> mpmath.mpf:
    """The value of arithmetic LaTeX, by rewriting it as Python."""
    import re

    code = tex.replace(r"\left", "").replace(r"\right", "").replace(r"\bigl", "").replace(r"\bigr", "")
    while r"\frac" in code:
        code = re.sub(r"\\frac\{([^{}]*)\}\{([^{}]*)\}", r"((\1)/(\2))", re.sub(r"\^\{2\}", "**2", code))
    code = re.sub(r"\^\{2\}", "**2", code).replace(r"\,", " ")
    code = re.sub(r"(?<=[\w)]) *(?=[a-b(])|(?<=\)) *(?=\d)|(?<=[ab\d]) +(?=[ab\d(])", "*", code)
    return eval(code, {"__builtins__": {}}, {**at})  # digits, letters and operators of our own


# --- evaluation, against oracles ---------------------------------------------------------------------------------

def world_of(encoder: finite.Encoder) -> TableWorld:
    """The table world that an exact encoder is."""
    sizes = (len(encoder.data), *(len(f) for f in encoder.prior))
    prior = finite.independent(list(encoder.prior))
    rows = enumerate(zip(encoder.data, encoder.rows, strict=True))
    q = {(x, *z): w * m for x, (w, row) in rows for z, m in row.items()}
    p = {(x, *z): m / sizes[0] for x in range(sizes[0]) for z, m in prior.items()}
    tables = {law: {point: mpmath.mpf(v.numerator) / v.denominator for point, v in table.items()}
              for law, table in (("q", q), ("p", p))}
    return TableWorld(sizes, tables, lambda s: mpmath.mpf(1), lambda name, point: mpmath.mpf(0.5))


@pytest.mark.parametrize("seed", range(6))
def test_tables_agree_with_the_exact_quantities(seed: int) -> None:
    encoder = finite.random_encoder(3, (2, 3), seed)
    world, exact = world_of(encoder), finite.parts(encoder)
    for e, value in ((total_correlation.AVERAGED, exact.averaged), (MutualInformation("q", "x", "z"), exact.information),
                     (TotalCorrelation("q"), exact.correlation), (total_correlation.COORDINATES, exact.marginals)):
        assert float(world.value(e, {})) == pytest.approx(float(value), abs=1e-14)


@pytest.mark.parametrize("d", [1, 2, 3])
def test_gaussians_agree_with_the_closed_forms(d: int) -> None:
    rng = np.random.default_rng(d)
    A, noise = rng.standard_normal((d, 1)), 0.6
    mean = mpmath.zeros(d + 1, 1)
    joint = np.block([[np.ones((1, 1)), A.T], [A, A @ A.T + noise**2 * np.eye(d)]])
    world = GaussianWorld(d + 1, {"q": Gaussian(mean, mpmath.matrix(joint.tolist())),
                                  "p": Gaussian(mean, mpmath.eye(d + 1))}, lambda s: mpmath.mpf(1))
    exact = kl_parts(A, noise)
    for e, value in ((total_correlation.AVERAGED, exact.averaged), (MutualInformation("q", "x", "z"), exact.information),
                     (TotalCorrelation("q"), exact.correlation), (total_correlation.COORDINATES, exact.marginals)):
        assert float(world.value(e).at(mpmath.ones(d + 1, 1))) == pytest.approx(value, abs=1e-10)


@pytest.mark.parametrize("k", range(6))
def test_explicit_means_agree_with_sympy(k: int) -> None:
    for law in (Normal(t, a, b), Laplace(t, a, b)):
        e = Mean(law, t**k) if k else Mean(law, Number(Fraction(1)))
        at = {"a": mpmath.mpf(0.7), "b": mpmath.mpf(1.3)}
        symbolic = reduce(e).subs({sp.Symbol("a", real=True): 0.7, sp.Symbol("b", positive=True): 1.3})
        with mpmath.workdps(30):
            assert float(number(e, at)) == pytest.approx(float(symbolic), rel=1e-12)


@pytest.mark.parametrize("derivation", [elbo.JENSEN, elbo.IDENTITY, elbo.JOINT_DIVERGENCE, total_correlation.PROOF],
                         ids=lambda d: d.label)
def test_what_the_normal_form_proves_sympy_finds_on_symbolic_tables(derivation: Derivation) -> None:
    """An exact witness without the prover's rules: tables of symbols, logarithms expanded by SymPy."""
    world = symbolic_table_world((2, 2))
    for before, link in zip(derivation.sides, derivation.links, strict=False):
        if link.relation == "=":
            for point in world.points(free_variables(before)):
                difference = world.value(before, point) - world.value(link.side, point)
                assert sp.simplify(sp.expand(sp.expand_log(sp.factor_terms(difference), force=True))) == 0


# --- the normal form ---------------------------------------------------------------------------------------------

terms = st.sampled_from([
    log(EVIDENCE), ELBO, GAP, Expectation(ENCODER, log(LIKELIHOOD)), Divergence(ENCODER, PRIOR), Entropy(DATA),
    Expectation(DATA, Divergence(ENCODER, PRIOR)), MutualInformation("q", "x", "z"), TotalCorrelation("q"),
    log(Integral("z", PRIOR * LIKELIHOOD)), Expectation(AGGREGATE, log(Unknown("D", ("z",)))),
])


@settings(max_examples=60, deadline=None)
@given(st.lists(terms, min_size=2, max_size=4), st.lists(st.sampled_from([1, -1, 2]), min_size=4, max_size=4))
def test_a_normal_form_of_zero_is_zero_on_every_model(parts: list[Expr], factors: list[int]) -> None:
    """The prover's soundness: what it calls equal is equal on tables that know nothing of its rules."""
    e = Sum(tuple(part * factor for part, factor in zip(parts, factors, strict=False)))
    zero = reduce(e) == 0
    with mpmath.workdps(40):
        worlds = [random_table_world(WorldKind(), seed) for seed in range(4)]
        values = [w.value(e, p) for w in worlds for p in w.points({"x", "z"})]
    assert zero == (max(map(abs, values)) < 1e-30)


def test_the_normal_form_knows_which_laws_matter() -> None:
    assert laws(ELBO + GAP) == {"p"}
    assert laws(ELBO) == {"p", "q"}
    with pytest.raises(CalculusError, match="depends on q"):
        prove_independent("eq-x", "claim", ELBO, "q")


# --- derivations -------------------------------------------------------------------------------------------------

def test_a_false_step_names_the_step_both_values_and_the_model() -> None:
    wrong = Derivation("eq-wrong", log(EVIDENCE)).equals(ELBO, "فراموش شدن واگرایی")
    with pytest.raises(CalculusError) as caught:
        verify(wrong)
    message = str(caught.value)
    assert "step 1 of eq-wrong is false" in message
    assert "values of x" in message
    assert "the left is -" in message
    assert "\n" not in message


def test_what_sympy_cannot_reduce_is_tested_and_never_called_proved() -> None:
    x = Symbol("x", unit=True)
    above = Derivation("eq-tested", x).at_least(x**2, "کوچک‌تر شدن توان")  # true between 0 and 1, no slack given
    (step,) = verify(above)
    assert step.how == "tested"
    assert step.cases >= 100


def test_a_slack_must_show_that_it_is_not_negative() -> None:
    x = Symbol("x", unit=True)
    (step,) = verify(Derivation("eq-a", x).at_least(x**2, "", x - x**2))  # equal to the slack, but of no known form
    assert step.how == "tested"
    (step,) = verify(Derivation("eq-b", x + x**2).at_least(x, "", x**2))
    assert step.how == "proved"
    assert not nonnegative(Divergence(AGGREGATE, PRIOR * 2))  # no density, so Gibbs' inequality says nothing
    assert not positive(a)


def test_a_hypothesis_is_used_and_not_invented() -> None:
    without = replace(elbo.ASCENT, links=tuple(replace(link, given=()) for link in elbo.ASCENT.links))
    steps = verify(without)  # still true on models made to satisfy it, but no longer proved
    assert [step.how for step in steps] == ["proved", "stated", "tested"]
    free = replace(elbo.ASCENT, kind=WorldKind(("p", "q", "r")))
    with pytest.raises(CalculusError, match="step 3"):
        verify(free)


def test_stationary_points_must_be_the_only_ones() -> None:
    assert prove_stationary("eq-s", "", (a - b) ** 2, [(a, b)]).how == "proved"
    for f, point in (((a**2 - 1) ** 2, Number(Fraction(1))), ((a - b) ** 2, b + 1)):
        with pytest.raises(CalculusError, match="stationary points are"):
            prove_stationary("eq-s", "claim", f, [(a, point)])
    with pytest.raises(CalculusError, match="need not be positive"):
        prove_positive("eq-s", "claim", a)


# --- the kept proofs ---------------------------------------------------------------------------------------------

BAYES = Derivation("eq-bayes", log(EVIDENCE)).equals(log(Integral("z", PRIOR * LIKELIHOOD)), "حاشیه‌گیری")


def test_kept_steps_are_the_verified_ones(tmp_path: Path) -> None:
    first = verified([BAYES, elbo.GAUSS], tmp_path)
    assert first == verified([BAYES, elbo.GAUSS], tmp_path) == (*verify(BAYES), *verify(elbo.GAUSS))
    assert len(list(tmp_path.iterdir())) == 2


def test_a_changed_derivation_or_a_damaged_entry_is_checked_anew(tmp_path: Path) -> None:
    verified([BAYES], tmp_path)
    (entry,) = tmp_path.iterdir()
    entry.write_text(json.dumps([{"label": "eq-bayes"}])[:-3])
    assert verified([BAYES], tmp_path) == verify(BAYES)
    with pytest.raises(CalculusError, match="is false"):
        verified([BAYES.equals(ELBO, "")], tmp_path)
    assert len(list(tmp_path.iterdir())) == 1  # nothing is kept of a false one


def test_the_ledger_tells_the_three_ways_apart() -> None:
    rows = entries(verify(elbo.ASCENT))
    assert [row["how"] for row in rows] == ["proved", "stated", "proved"]
    assert all(row["label"] == "eq-elbo-ascent" for row in rows)


def test_every_derivation_of_the_report_is_printed_in_one_piece() -> None:
    for module in (elbo, total_correlation):
        for derivation in module.DERIVATIONS:
            tex = derivation.latex()
            assert tex.count("{") == tex.count("}")
            assert all(latex(side) in tex for side in (derivation.start, *(link.side for link in derivation.links)))
