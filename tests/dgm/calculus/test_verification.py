"""Certificates, the store, the ledger and the printed form: what is proved is what is shown."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import mpmath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dgm.calculus.checking.certificate import Certificate
from dgm.calculus.checking.checker import InvalidCertificateError, replay
from dgm.calculus.checking.counterexamples import HistogramModel
from dgm.calculus.checking.judgements import Judge
from dgm.calculus.checking.ledger import Step, entries, measure, state
from dgm.calculus.checking.search import find
from dgm.calculus.checking.store import ProofStore, verified
from dgm.calculus.checking.verification import prove, verify
from dgm.calculus.closed_forms import finite
from dgm.calculus.closed_forms.quadrature import integral
from dgm.calculus.identities import beta, density_ratio, elbo, gradient, laplace, loss, total_correlation
from dgm.calculus.identities.vocabulary import (
    AGGREGATE,
    ELBO,
    ENCODER,
    EVIDENCE,
    HALF,
    LIKELIHOOD,
    MARGINALS,
    PRIOR,
)
from dgm.calculus.language.derivation import SHOWN, Derivation, displayed
from dgm.calculus.language.encoding import decode, encode
from dgm.calculus.language.expression import (
    Density,
    Divergence,
    Expectation,
    Expr,
    Integral,
    Laplace,
    Named,
    Negative,
    Normal,
    Number,
    Quotient,
    SumOver,
    Symbol,
    as_expr,
    bare,
    exp,
    log,
    sqrt,
)
from dgm.calculus.language.notation import latex
from dgm.calculus.language.reading import UnreadableError, read, shape, vocabulary
from dgm.errors import CalculusError
from tests.dgm.calculus.terms import well_formed

a, b = Symbol("a"), Symbol("b", positive=True)
z, m, s = Symbol("z"), Symbol("m"), Symbol("s", positive=True)
MODULES = (elbo, gradient, laplace, loss, beta, total_correlation, density_ratio)
BAYES = Derivation("eq-bayes", log(EVIDENCE)).equals(log(Integral("z", PRIOR * LIKELIHOOD)), "حاشیه‌گیری")


# --- the printed form -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("e", "tex"),
    [
        (a - (b - 1), "a-(b-1)"),
        (-HALF * a, r"-\frac{1}{2}\,a"),
        ((a + b) ** 2 / b, r"\frac{(a+b)^{2}}{b}"),
        (log(a * b) * b, r"(\log(a b))\,b"),
        (as_expr(2) * as_expr(2) ** a, r"2\cdot 2^{a}"),
        (as_expr(3) * HALF, r"3\cdot \frac{1}{2}"),
        (Number(Fraction(-2)) ** a, "(-2)^{a}"),
        (HALF**a, r"(\frac{1}{2})^{a}"),
        (b ** ((a + 1) / b), "b^{(a+1)/b}"),
        (Divergence(ENCODER, PRIOR), r"D_{\mathrm{KL}}\bigl(q_\phi(z\mid x)\,\Vert\,p(z)\bigr)"),
        (
            Expectation(AGGREGATE, log(AGGREGATE / MARGINALS)),
            r"\mathbb{E}_{q(z)}\left[\log \frac{q(z)}{\bar{q}(z)}\right]",
        ),
        (
            SumOver(Divergence(Density("q", ("z_j",)), Density("p", ("z_j",)))),
            r"\sum_jD_{\mathrm{KL}}\bigl(q(z_j)\,\Vert\,p(z_j)\bigr)",
        ),
    ],
)
def test_latex_is_what_an_author_would_write(e: Expr, tex: str) -> None:
    assert latex(e) == tex


scalars = st.recursive(
    st.sampled_from([a, b, Number(Fraction(2)), Number(Fraction(1, 3)), Symbol(r"\mu_1")]),
    lambda inner: st.one_of(
        st.builds(lambda x, y: x + y, inner, inner),
        st.builds(lambda x, y: x - y, inner, inner),
        st.builds(lambda x, y: x * y, inner, inner),
        st.builds(Quotient, inner, inner),
        st.builds(lambda x, y: x**y, inner, inner),
        st.builds(Negative, inner),
        st.builds(log, inner),
        st.builds(exp, inner),
        st.builds(sqrt, inner),
    ),
    max_leaves=7,
)


@settings(max_examples=150, deadline=None)
@given(scalars)
def test_latex_reads_back_as_the_expression(e: Expr) -> None:
    assert shape(read(latex(e), vocabulary([e]))) == shape(e)


def test_random_probability_terms_read_back_or_are_refused() -> None:
    """No formula reads as another object."""
    read_back = 0
    for e in well_formed(seed=3, count=60):
        try:
            found = read(latex(e), vocabulary([e]))
        except (UnreadableError, CalculusError):
            continue
        assert shape(found) == shape(e)
        read_back += 1
    assert read_back > 45


def test_a_displayed_relation_is_one_that_is_proved() -> None:
    (step,) = verify(BAYES)
    shown = BAYES._repr_mimebundle_()[SHOWN]
    assert [relation["statement"] for relation in shown] == [step.statement]  # type: ignore[attr-defined]
    assert "" in [relation["statement"] for relation in displayed(BAYES, "=0").relations]


# --- certificates -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rpartition(".")[2])
def test_every_step_of_the_report_is_proved_and_replayed(module: object) -> None:
    for derivation in module.DERIVATIONS:  # type: ignore[attr-defined]
        assert {step.how for step in verify(derivation)} <= {"proved", "defined", "stated"}


def test_a_changed_certificate_proves_nothing_but_its_own_statement() -> None:
    """A certificate with one expression in it replaced is refused, or still proves what it says."""
    rng, derivations = random.Random(0), [BAYES, elbo.IDENTITY, total_correlation.PARTS]
    for derivation in derivations:
        certificates = [step.certificate for step in verify(derivation) if step.certificate]
        for _ in range(25):
            record = rng.choice(certificates).record
            key = rng.choice(["left", "right", "slack", "steps", "hypotheses", "relation", "zeros"])
            _change(record, key, rng)
            forged = json.dumps(record)
            try:
                replay(forged)
            except InvalidCertificateError:
                continue
            assert prove_again(record)


def _change(record: dict[str, object], key: str, rng: random.Random) -> None:
    value = record[key]
    if key in ("left", "right"):
        record[key] = encode(rng.choice([log(EVIDENCE), as_expr(0), ELBO]))
    elif isinstance(value, list) and value:
        value.pop(rng.randrange(len(value)))
    else:
        record[key] = rng.choice([None, ">=", [[1, 0]], "="])


def prove_again(record: dict[str, object]) -> bool:
    return bool(find(decode(record["left"]), record["relation"], decode(record["right"])))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", '{"left": 1}', '{"steps": [[[0], "arithmetic", ["Number", "0"]]]}']
)
def test_what_is_no_certificate_is_refused(text: str) -> None:
    with pytest.raises(InvalidCertificateError):
        replay(text)


def test_a_certificate_of_another_statement_is_not_taken() -> None:
    other = find(a, "=", a + 0)
    with pytest.raises(CalculusError, match="another statement"):
        verify(BAYES, lambda *statement: other)
    with pytest.raises(CalculusError, match="proves nothing"):
        Step("eq-a", "", "proved", Certificate(other.text.replace('"a"', '"b"', 1)))


@settings(max_examples=40, deadline=None)
@given(scalars)
def test_the_record_of_an_expression_gives_it_back(e: Expr) -> None:
    assert decode(json.loads(json.dumps(encode(e)))) == e


# --- the store --------------------------------------------------------------------------------------------------


def test_kept_proofs_are_the_found_ones(tmp_path: Path) -> None:
    first = verified([BAYES, elbo.GAUSS], tmp_path)
    assert first == verified([BAYES, elbo.GAUSS], tmp_path) == (*verify(BAYES), *verify(elbo.GAUSS))


def test_a_forged_or_damaged_file_is_found_anew(tmp_path: Path) -> None:
    verified([BAYES], tmp_path)
    (entry,) = tmp_path.iterdir()
    whole = entry.read_text()
    for text in (whole[:-3], "{}", find(a, "=", a + 0).text, json.dumps(json.loads(whole) | {"steps": []})):
        entry.write_text(text)
        assert verified([BAYES], tmp_path) == verify(BAYES)
    assert entry.read_text() == whole


def test_a_forged_file_for_a_false_statement_proves_nothing(tmp_path: Path) -> None:
    wrong = Derivation("eq-wrong", log(EVIDENCE)).equals(ELBO, "")
    store = ProofStore(tmp_path)
    path = store.path(wrong.start, "=", wrong.sides[1], (), None)
    path.parent.mkdir(exist_ok=True)
    (step,) = verify(BAYES)
    assert step.certificate
    path.write_text(json.dumps(step.certificate.record | {"right": encode(ELBO)}))
    with pytest.raises(CalculusError, match="step 1 of eq-wrong is false"):
        verified([wrong], tmp_path)


# --- refusals and the ledger ------------------------------------------------------------------------------------


def test_a_false_step_names_the_step_both_values_and_the_model() -> None:
    with pytest.raises(CalculusError) as caught:
        verify(Derivation("eq-wrong", log(EVIDENCE)).equals(ELBO, "فراموش شدن واگرایی"))
    message = str(caught.value)
    assert "step 1 of eq-wrong is false" in message
    assert "histograms" in message
    assert "the left is" in message
    assert "\n" not in message


def test_a_hypothesis_is_used_and_not_invented() -> None:
    without = replace(elbo.ASCENT, links=tuple(replace(link, given=()) for link in elbo.ASCENT.links))
    with pytest.raises(CalculusError, match="step 3"):
        verify(without)


def test_the_ledger_tells_the_ways_apart() -> None:
    steps = [
        *verify(elbo.ASCENT),
        prove("eq-b", "", a, a + 0),
        measure("eq-c", "", list(range(120)), list(range(120)), 0),
        state("eq-d", "تعریف"),
    ]
    rows = entries(steps)
    assert {row["how"] for row in rows} == {"defined", "proved", "tested", "stated"}
    assert all(row["label"] == "eq-elbo-ascent" for row in rows[:-3])


def test_a_printed_name_is_a_definition_of_its_own() -> None:
    steps = verify(Derivation("eq-a", Named(a + 1, "c") + b).equals(b + a + 1, ""))
    assert (steps[0].how, steps[0].claim) == ("defined", "$c:=a+1$")


# --- explicit means, against quadrature --------------------------------------------------------------------------


@pytest.mark.parametrize("k", range(7))
def test_moments_agree_with_quadrature(k: int) -> None:
    gaussian = Normal(z, HALF, as_expr(2))
    by_sum = integral(lambda v: v**k * mpmath.npdf(v, 0.5, 2), breaks=(0.5,), scale=2.0, reach=20)
    assert _number(Judge().moment(gaussian, bare(z ** as_expr(k)))) == pytest.approx(by_sum, rel=1e-10)
    by_sum = integral(lambda v: v**k * mpmath.exp(-abs(v - 0.5) / 2) / 4, breaks=(0.5,), scale=2.0)
    assert _number(Judge().moment(Laplace(z, HALF, as_expr(2)), bare(z ** as_expr(k)))) == pytest.approx(
        by_sum, rel=1e-10
    )


@pytest.mark.parametrize("rate", [-1, 0, 2])
def test_exponentials_are_averaged_too(rate: int) -> None:
    body = bare(z**2 * exp(rate * z))
    by_sum = integral(
        lambda v: v**2 * mpmath.exp(rate * v) * mpmath.npdf(v, 0.25, 0.5), breaks=(0.3,), scale=1.0, reach=20
    )
    law = Normal(z, Number(Fraction(1, 4)), HALF)
    assert _number(Judge().moment(law, body)) == pytest.approx(by_sum, rel=1e-10)


def _number(e: Expr) -> float:
    return float(HistogramModel("", (1,), mpmath.mpf(1), {}, {}, {}).value(e, {}))


def test_exact_tables_agree_with_the_identities() -> None:
    """The decomposition that the kernel proves holds exactly on rational tables that know nothing of it."""
    parts = finite.parts(finite.random_encoder(3, (2, 3), 0))
    assert parts.averaged == parts.information + parts.correlation + parts.marginals
