"""The exact decomposition on finite tables, and the density-ratio estimate of the total correlation."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from dgm.calculus.closed_forms import density_ratio, finite, gaussian
from dgm.errors import CalculusError

rational = st.fractions(min_value=Fraction(1, 50), max_value=50, max_denominator=60)


@given(st.lists(st.tuples(st.fractions(max_denominator=30), rational), min_size=1, max_size=6))
def test_a_log_sum_has_the_value_of_its_terms(terms: list[tuple[Fraction, Fraction]]) -> None:
    parts = [float(r) * np.log(float(t)) for r, t in terms]
    rounding = 1e-14 * sum(map(abs, parts))  # of the parts, which may cancel
    assert float(finite.LogSum.of(terms)) == pytest.approx(sum(parts), rel=1e-9, abs=1e-9 + rounding)


@given(rational, rational)
def test_the_logarithm_of_a_product_is_exact(a: Fraction, b: Fraction) -> None:
    one = Fraction(1)
    assert finite.LogSum.of([(one, a * b)]) == finite.LogSum.of([(one, a)]) + finite.LogSum.of([(one, b)])


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 5), st.lists(st.integers(1, 3), min_size=1, max_size=3), st.integers(0, 9999))
def test_the_decomposition_is_exact(data: int, sizes: list[int], seed: int) -> None:
    p = finite.parts(finite.random_encoder(data, tuple(sizes), seed))
    assert p.averaged == p.information + p.aggregate
    assert p.aggregate == p.correlation + p.marginals
    assert min(map(float, (p.information, p.correlation, p.marginals))) >= -1e-12
    assert float(p.information) <= np.log(data) + 1e-12  # z cannot know more than which datum it was


def test_kl_agrees_with_scipy_and_refuses_a_missing_support() -> None:
    q = {(0,): Fraction(1, 3), (1,): Fraction(2, 3)}
    p = {(0,): Fraction(1, 2), (1,): Fraction(1, 2)}
    assert float(finite.kl(q, p)) == pytest.approx(stats.entropy([1 / 3, 2 / 3], [0.5, 0.5]))
    with pytest.raises(CalculusError, match="no mass"):
        finite.kl(q, {(0,): Fraction(1)})


@given(st.integers(1, 40), st.integers(1, 5), st.integers(0, 999))
def test_permuting_keeps_every_marginal(B: int, d: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    z = rng.integers(0, 9, (B, d)).astype(float)
    kept = z.copy()
    out = density_ratio.permute_dims(z, rng)
    assert np.array_equal(z, kept)  # the batch itself is left alone
    assert all(Counter(a.tolist()) == Counter(b.tolist()) for a, b in zip(z.T, out.T, strict=True))


def test_permuting_permutes_columns_apart() -> None:
    z = np.repeat(np.arange(4000.0)[:, None], 3, axis=1)
    out = density_ratio.permute_dims(z, np.random.default_rng(0))
    off = np.corrcoef(out.T)[np.triu_indices(3, 1)]
    assert np.abs(off).max() < 0.1


@pytest.mark.parametrize("rho", [0.0, 0.4, 0.8, 0.95])
def test_the_density_ratio_estimate_finds_the_exact_total_correlation(rho: float) -> None:
    rng = np.random.default_rng(7)
    root = np.linalg.cholesky([[1, rho], [rho, 1]]).T
    batches = (rng.standard_normal((2, 8000, 2)) @ root for _ in range(6))
    values = [density_ratio.total_correlation(train, held_out, rng).value for train, held_out in batches]
    assert np.mean(values) == pytest.approx(gaussian.total_correlation([[1, rho], [rho, 1]]), abs=0.04)


def test_the_fitted_logit_is_the_log_ratio() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.standard_normal((60000, 1)) * 0.7 + 0.3, rng.standard_normal((60000, 1))
    grid = np.linspace(-1, 1.5, 9)[:, None]
    exact = stats.norm(0.3, 0.7).logpdf(grid[:, 0]) - stats.norm(0, 1).logpdf(grid[:, 0])
    assert density_ratio.fit(a, b).logit(grid) == pytest.approx(exact, abs=0.06)


def test_the_minibatch_estimate_lies_above_and_comes_down() -> None:
    rng = np.random.default_rng(2)
    A = 0.6 * np.eye(6) + 0.3
    exact = gaussian.total_correlation(A @ A.T + 0.16 * np.eye(6))
    small, large = (np.mean([density_ratio.minibatch_total_correlation(rng.standard_normal((B, 6)) @ A.T, 0.4, rng)
                             for _ in range(2048 // B)]) for B in (32, 256))
    assert exact < large < small


def test_batches_of_the_wrong_shape_are_refused() -> None:
    with pytest.raises(CalculusError, match="shape"):
        density_ratio.permute_dims(np.zeros(3), np.random.default_rng(0))
    with pytest.raises(CalculusError, match="shape"):
        density_ratio.fit(np.zeros((4, 2)), np.zeros((5, 2)))
