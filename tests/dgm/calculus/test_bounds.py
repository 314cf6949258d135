"""Gaussian divergences, the evidence bound, the gradient estimators and the price of a nat."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dgm.calculus.closed_forms import estimators, gaussian, rate
from dgm.calculus.closed_forms.linear import LinearModel, coordinate_ascent
from dgm.errors import CalculusError

real = st.floats(-3, 3)
scale = st.floats(0.1, 3)


@given(real, scale, real, scale)
def test_kl_agrees_with_torch(m: float, s: float, m0: float, s0: float) -> None:
    normal = torch.distributions.Normal
    two = (normal(*(torch.tensor(v, dtype=torch.float64) for v in pair)) for pair in ((m, s), (m0, s0)))
    oracle = float(torch.distributions.kl_divergence(*two))
    assert float(gaussian.kl_normal(m, s, m0, s0)) == pytest.approx(oracle, abs=1e-9)


@given(real, scale, real, real, scale)
def test_the_evidence_is_bound_plus_gap(w: float, tau: float, x: float, a: float, s: float) -> None:
    model = LinearModel(w, tau)
    evidence, bound = float(model.log_evidence(x)), float(model.elbo(x, a, s))
    assert bound <= evidence + 1e-9 * (1 + abs(bound))
    assert bound + float(model.gap(x, a, s)) == pytest.approx(evidence, rel=1e-9, abs=1e-7)
    assert float(model.elbo(x, *model.posterior(x))) == pytest.approx(evidence, abs=1e-7)  # equality at the posterior


@given(st.floats(0.05, 3), st.integers(0, 99))
def test_coordinate_ascent_never_lowers_the_evidence(w: float, seed: int) -> None:
    data = 2 * np.random.default_rng(seed).standard_normal(30)
    run = coordinate_ascent(data, w, 1.0, steps=12)
    assert all(b.evidence >= a.evidence - 1e-12 for a, b in pairwise(run))
    assert all(step.gap_before >= 0 for step in run)


@given(st.integers(1, 8), st.integers(1, 8), st.integers(0, 999), st.floats(0.1, 2))
def test_the_three_parts_sum_to_the_averaged_divergence(d: int, k: int, seed: int, noise: float) -> None:
    parts = gaussian.kl_parts(np.random.default_rng(seed).standard_normal((d, k)), noise)
    assert parts.averaged == pytest.approx(parts.information + parts.correlation + parts.marginals, rel=1e-9)
    assert min(parts.information, parts.correlation, parts.marginals) >= -1e-9


def test_total_correlation_ignores_scales_and_refuses_singular() -> None:
    S, D = np.array([[2.0, 0.7], [0.7, 1.0]]), np.diag([3.0, 0.2])
    assert gaussian.total_correlation(D @ S @ D) == pytest.approx(gaussian.total_correlation(S))
    with pytest.raises(CalculusError, match="positive definite"):
        gaussian.total_correlation(np.ones((2, 2)))


@settings(max_examples=10, deadline=None)
@given(st.floats(-2, 2), st.floats(0.3, 2), st.integers(1, 20), st.integers(0, 99))
def test_both_estimators_are_unbiased_with_the_stated_variance(delta: float, sigma: float, d: int, seed: int) -> None:
    problem = estimators.Problem(delta, sigma, d)
    eps = np.random.default_rng(seed).standard_normal((40000, d))
    path = estimators.pathwise(problem, eps)
    score = estimators.score_function(problem, eps)
    based = estimators.score_function(problem, eps, problem.mean_f)
    for estimate in (path, score, based):
        assert np.all(np.abs(estimate.mean - problem.gradient) < 6 * estimate.standard_error)
    assert path.variance[0] == pytest.approx(estimators.pathwise_variance(problem), rel=0.1)
    assert score.variance[0] == pytest.approx(estimators.score_variance(problem), rel=0.3)
    assert based.variance[0] == pytest.approx(estimators.score_variance(problem, problem.mean_f), rel=0.3)


@pytest.mark.parametrize("d", [1, 2, 7, 50])
def test_variance_at_the_optimum_is_the_text_s_formula(d: int) -> None:
    problem = estimators.Problem(0.0, 1.5, d)
    assert estimators.score_variance(problem) == pytest.approx(1.5**2 * (d + 2) * (d + 4))
    assert estimators.score_variance(problem, problem.mean_f) == pytest.approx(1.5**2 * (2 * d + 8))


def test_the_pathwise_draw_is_what_autograd_computes() -> None:
    eps = np.random.default_rng(3).standard_normal((5, 4))
    ours = estimators.pathwise(estimators.Problem(0.7, 1.3, 4), eps).draws
    for row, noise in zip(ours, torch.tensor(eps), strict=True):
        mu = torch.full((4,), 0.7, dtype=torch.float64, requires_grad=True)
        sigma = torch.full((4,), 1.3, dtype=torch.float64, requires_grad=True)
        ((mu + sigma * noise) ** 2).sum().backward()
        assert mu.grad is not None
        assert sigma.grad is not None
        assert row == pytest.approx([float(mu.grad[0]), float(sigma.grad[0])])


@settings(max_examples=15, deadline=None)
@given(st.floats(0.2, 6), st.floats(0.02, 0.14))
def test_beta_is_the_slope_at_its_own_optimum(beta: float, tau2: float) -> None:
    code = rate.maximise(beta, tau2)
    assert code.rate == pytest.approx(rate.rate_at(beta, tau2), abs=1e-7)
    assert code.reconstruction(tau2) == pytest.approx(rate.best_reconstruction(code.rate, tau2), abs=1e-6)
    assert rate.price(code.rate, tau2) == pytest.approx(beta, rel=1e-5)


@given(st.floats(-1, 2), st.floats(0.02, 3), st.floats(-2, 2), st.floats(0.05, 2))
def test_no_code_beats_the_curve(a: float, s2: float, w: float, tau2: float) -> None:
    code = rate.Code(a, s2, w)
    assert code.reconstruction(tau2) <= rate.best_reconstruction(code.rate, tau2) + 1e-9


def test_the_posterior_collapses_at_the_stated_price() -> None:
    assert rate.rate_at(9.99, 0.1) > 0 == rate.rate_at(10.0, 0.1)
    assert rate.maximise(14.0, 0.1).rate == pytest.approx(0, abs=1e-9)
