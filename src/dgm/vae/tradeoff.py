"""What a sweep's results say of theory: the slope of the rate-distortion curve, and pairs of settings seed by seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import mean, stdev

from dgm.errors import DataError
from dgm.vae.sweep import Result, Summary


@dataclass(frozen=True)
class Point:
    """A place in the plane of rate and distortion, in nats, and the slope that theory gives the curve there, -beta.

    The optimum of distortion + beta rate touches the lowest reachable curve with this slope; a penalty on the total
    correlation takes the optimum off that curve, so only points of gamma 0 are held to it.
    """

    beta: float
    gamma: float
    rate: float
    distortion: float

    @property
    def slope(self) -> float:
        """Of the tangent d(distortion) / d(rate)."""
        return -self.beta


@dataclass(frozen=True)
class Secant:
    """Two points of gamma 0, the one of smaller beta first."""

    first: Point
    second: Point

    @property
    def price(self) -> float:
        """Nats of distortion for a nat of rate.

        If both are optima, it lies from the one's beta to the other's: neither's objective is lower at the other.
        """
        return (self.second.distortion - self.first.distortion) / (self.first.rate - self.second.rate)

    @property
    def as_in_theory(self) -> bool:
        """Whether the price lies between the two betas."""
        return self.first.beta <= self.price <= self.second.beta


@dataclass(frozen=True)
class Paired:
    """A finding's differences, one setting's minus another's, for each seed that both have."""

    finding: str
    differences: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Over the seeds."""
        return mean(self.differences)

    @property
    def deviation(self) -> float:
        """Over the seeds."""
        return stdev(self.differences)

    @property
    def higher(self) -> int:
        """For how many seeds the first setting's is the higher one."""
        return sum(difference > 0 for difference in self.differences)


def points(found: Sequence[Summary]) -> tuple[Point, ...]:
    """The means of rate and distortion, for a figure."""
    return tuple(Point(one.beta, one.gamma, one.findings["rate"][0], one.findings["distortion"][0]) for one in found)


def place_of(result: Result) -> Point:
    """One run's rate and distortion."""
    return Point(result.beta, result.gamma, result.findings["rate"], result.findings["distortion"])


def secants(found: Sequence[Point]) -> tuple[Secant, ...]:
    """Between neighbours in beta, of those without a penalty on the total correlation.

    >>> [between] = secants([Point(1, 0, 12.0, 100.0), Point(4, 0, 10.0, 105.0), Point(1, 10, 11.0, 99.0)])
    >>> between.price, between.as_in_theory
    (2.5, True)
    """
    plain = sorted((point for point in found if not point.gamma), key=lambda point: point.beta)
    return tuple(Secant(one, other) for one, other in pairwise(plain))


def paired(results: Sequence[Result], one: tuple[float, float], other: tuple[float, float], finding: str) -> Paired:
    """Compare two settings, pairs of beta and gamma, seed by seed.

    Raises:
        DataError: they share fewer than two seeds.
    """
    values = {(r.beta, r.gamma, r.run.factor.training.seed): r.findings[finding] for r in results}
    shared = [seed for beta, gamma, seed in values if (beta, gamma) == one and (*other, seed) in values]
    if len(shared) < 2:
        raise DataError(f"settings {one} and {other} share {len(shared)} seeds; nearest: 2")
    return Paired(finding, tuple(values[*one, seed] - values[*other, seed] for seed in sorted(shared)))


def alike(found: Sequence[Summary], to: Summary) -> Summary:
    """Of the settings without a penalty on the total correlation, the one whose squared error is nearest to ``to``'s.

    Raises:
        DataError: there is none.
    """
    plain = [one for one in found if not one.gamma]
    if not plain:
        raise DataError("no setting of the sweep has gamma = 0; nearest: --gamma 0")
    return min(plain, key=lambda one: abs(one.findings["squared_error"][0] - to.findings["squared_error"][0]))
