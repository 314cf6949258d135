"""What is said of a sweep's results follows from them, and theory's bounds hold for optima."""

from __future__ import annotations

import doctest
import math

import pytest

from dgm.errors import DataError
from dgm.vae.experiments import results as tradeoff
from dgm.vae.experiments.results import Point, Result, alike, paired, points, secants, summaries
from dgm.vae.experiments.run import with_values
from dgm.vae.experiments.sweep import BASE


def result(beta: float, gamma: float, seed: int, **findings: float) -> Result:
    return Result(with_values(BASE, beta, gamma, seed), findings, {}, 1.0)


def optimum(beta: float, noise: float) -> Point:
    """Of the Gaussian whose distortion is that of variance exp(-2 rate) seen with the decoder's variance ``noise``."""
    rate = max(0.0, -math.log(beta * noise) / 2)
    return Point(beta, 0.0, rate, math.exp(-2 * rate) / (2 * noise))


@pytest.mark.parametrize("noise", [0.01, 0.05, 0.2])
def test_between_two_optima_a_nats_price_lies_between_the_betas(noise: float) -> None:
    betas = (4.0, 0.5, 1.0, 2.0)
    found = secants([optimum(beta, noise) for beta in betas])
    assert [(one.first.beta, one.second.beta) for one in found] == [(0.5, 1), (1, 2), (2, 4)]
    assert all(one.as_in_theory for one in found)
    missed = Point(2.0, 0.0, optimum(2.0, noise).rate, optimum(2.0, noise).distortion + 5)
    assert not secants([optimum(1.0, noise), missed])[0].as_in_theory


def test_points_of_a_penalty_are_not_held_to_the_slope() -> None:
    found = summaries([result(beta, gamma, seed, rate=8 - beta - gamma / 10, distortion=beta + gamma)
                       for beta in (1, 2) for gamma in (0, 10) for seed in range(2)])
    assert [(point.slope, point.gamma) for point in points(found)] == [(-1, 0), (-1, 10), (-2, 0), (-2, 10)]
    (only,) = secants(points(found))
    assert (only.first.gamma, only.second.gamma, only.price) == (0, 0, 1.0)


def test_pairs_are_of_the_same_seed() -> None:
    plain = [result(1, 0, seed, mig=seed / 10) for seed in (2, 0, 1)]
    results = plain + [result(1, 30, seed, mig=seed / 10 + 0.5 - seed) for seed in (1, 2, 3)]
    found = paired(results, (1, 30), (1, 0), "mig")
    assert found.differences == pytest.approx((-0.5, -1.5))
    assert (found.mean, found.deviation, found.higher) == (pytest.approx(-1.0), pytest.approx(0.5**0.5), 0)
    with pytest.raises(DataError, match=r"settings \(1, 30\) and \(2, 0\) share 0 seeds; nearest: 2"):
        paired(results, (1, 30), (2, 0), "mig")


def test_a_setting_is_compared_with_the_one_that_reconstructs_alike() -> None:
    found = summaries([result(beta, gamma, seed, squared_error=error) for beta, gamma, error in (
        (1, 0, 0.1), (2, 0, 0.2), (4, 0, 0.4), (1, 30, 0.25)) for seed in range(2)])
    penalised = next(one for one in found if one.gamma)
    assert (alike(found, penalised).beta, alike(found, penalised).gamma) == (2, 0)
    with pytest.raises(DataError, match="no setting of the sweep has gamma = 0"):
        alike([penalised], penalised)


def test_the_example_holds() -> None:
    assert doctest.testmod(tradeoff).failed == 0
