"""The Laplace posterior: closed forms against quadrature and an optimiser that knows none of them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from dgm.calculus.closed_forms import laplace
from dgm.errors import CalculusError

reading = st.floats(-5, 5)
noise = st.floats(0.2, 4)
models = st.builds(laplace.Model, noise, noise)


@given(reading, reading, models)
def test_the_posterior_is_bayes_rule(x1: float, x2: float, model: laplace.Model) -> None:
    post = laplace.posterior(x1, x2, model)
    for z in (-1.0, 0.3, 2.0):
        joint = (laplace.log_normal(z, 0, 1) + laplace.log_normal(x1, z, model.sigma1**2)
                 + laplace.log_normal(x2, z, model.sigma2**2))
        by_bayes = joint - laplace.log_evidence(x1, x2, model)
        assert laplace.log_normal(z, post.mean, 1 / post.precision) == pytest.approx(by_bayes, abs=1e-7)


@given(reading, reading, models)
def test_the_evidence_is_the_bivariate_gaussian(x1: float, x2: float, model: laplace.Model) -> None:
    covariance = [[1 + model.sigma1**2, 1], [1, 1 + model.sigma2**2]]
    oracle = stats.multivariate_normal([0, 0], covariance).logpdf([x1, x2])
    assert laplace.log_evidence(x1, x2, model) == pytest.approx(oracle, abs=1e-8)


@given(reading, reading, models, st.floats(-3, 3), st.floats(0.05, 3))
def test_evidence_is_bound_plus_divergence(x1: float, x2: float, model: laplace.Model, mu: float, b: float) -> None:
    q = laplace.Laplace(mu, b)
    divergence = laplace.kl(q, laplace.posterior(x1, x2, model))
    evidence = laplace.log_evidence(x1, x2, model)
    assert divergence > 0
    assert laplace.elbo(q, x1, x2, model) + divergence == pytest.approx(evidence, rel=1e-9, abs=1e-7)


@settings(max_examples=20, deadline=None)
@given(st.floats(-3, 3), st.floats(1, 40), st.floats(-2, 2), st.floats(0.3, 3))
def test_the_closed_divergence_is_the_integral(m: float, precision: float, shift: float, widen: float) -> None:
    p = laplace.Normal(m, precision)
    q = laplace.Laplace(m + shift, widen * laplace.optimum(p).b)
    assert laplace.kl(q, p) == pytest.approx(laplace.kl_by_quadrature(q, p), rel=1e-8)


@settings(max_examples=20, deadline=None)
@given(st.floats(-3, 3), st.floats(1, 40))
def test_an_optimiser_finds_the_closed_optimum(m: float, precision: float) -> None:
    p = laplace.Normal(m, precision)
    found = optimize.minimize(lambda v: laplace.kl(laplace.Laplace(v[0], math.exp(v[1])), p), [0.0, 0.0],
                              method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-14, "maxiter": 4000})
    best = laplace.optimum(p)
    assert (found.x[0], math.exp(found.x[1])) == pytest.approx((best.mu, best.b), abs=1e-5)
    assert laplace.kl(best, p) == pytest.approx(0.5 * math.log(math.pi / math.e), abs=1e-12)
    assert 2 * best.b**2 == pytest.approx(1 / precision)  # the variance is kept


@given(st.floats(1, 40), st.floats(-2, 2), st.floats(0.05, 2), st.floats(-2, 2), st.floats(0.05, 2))
def test_the_divergence_is_convex(precision: float, mu: float, b: float, mu2: float, b2: float) -> None:
    p = laplace.Normal(0.0, precision)
    ends = [laplace.kl(laplace.Laplace(*v), p) for v in ((mu, b), (mu2, b2))]
    middle = laplace.kl(laplace.Laplace((mu + mu2) / 2, (b + b2) / 2), p)
    assert middle <= np.mean(ends) + 1e-9


def test_evidence_by_quadrature_agrees() -> None:
    model = laplace.Model(0.2, 2.0)
    assert laplace.evidence_by_quadrature(-2, 4, model) == pytest.approx(laplace.log_evidence(-2, 4, model), abs=1e-10)


def test_impossible_scales_are_refused() -> None:
    for wrong in (lambda: laplace.Model(0.0, 1.0), lambda: laplace.Laplace(0.0, -1.0)):
        with pytest.raises(CalculusError, match="positive"):
            wrong()
