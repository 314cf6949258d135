"""Results of a sweep: records, summaries over seeds, the slope of the rate-distortion curve, pairs seed by seed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import mean, stdev

from dgm.errors import DataError, DgmError, ModelError
from dgm.vae.common.files import write_whole
from dgm.vae.experiments.run import Run, run_of


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


@dataclass(frozen=True)
class Result:
    """What one run found; ``findings`` are the fields of :class:`dgm.vae.analysis.measure.Findings` by name."""

    run: Run
    findings: dict[str, float]
    history: dict[str, list[float]]
    seconds: float

    @property
    def beta(self) -> float:
        """The weight of the KL."""
        return self.run.factor.training.beta

    @property
    def gamma(self) -> float:
        """The weight of the total correlation."""
        return self.run.factor.gamma


@dataclass(frozen=True)
class Summary:
    """Mean and standard deviation over the seeds of each finding, by its name."""

    beta: float
    gamma: float
    seeds: int
    findings: dict[str, tuple[float, float]]


def summaries(results: Sequence[Result]) -> tuple[Summary, ...]:
    """A summary for each beta and gamma, in their order; only of those with at least two seeds."""
    settings = sorted({(result.beta, result.gamma) for result in results})
    groups = {one: [r.findings for r in results if (r.beta, r.gamma) == one] for one in settings}
    return tuple(Summary(beta, gamma, len(group), spreads(group))
                 for (beta, gamma), group in groups.items() if len(group) > 1)


def spreads(findings: Sequence[Mapping[str, float]]) -> dict[str, tuple[float, float]]:
    """Mean and standard deviation of each finding over several runs."""
    columns = {name: [float(one[name]) for one in findings] for name in findings[0]}
    return {name: (mean(values), stdev(values)) for name, values in columns.items()}


def read(folder: Path, run: Run) -> Result | None:
    """The result of a run of these very inputs, if it is kept in ``folder``."""
    try:
        return _result(json.loads((folder / f"{run.digest}.json").read_bytes()), run)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _result(record: dict[str, object], run: Run) -> Result | None:
    if not run.is_of(record["inputs"]):  # type: ignore[arg-type]
        return None
    found: dict[str, float] = record["findings"]  # type: ignore[assignment]
    return Result(run, found, record["history"], float(str(record["seconds"])))  # type: ignore[arg-type]


def write_results(results: Sequence[Result], path: Path) -> None:
    """All results as one file, which :func:`recorded` reads."""
    rows = [json.dumps({"inputs": r.run.inputs(), "findings": r.findings, "history": r.history, "seconds": r.seconds})
            for r in results]
    try:
        write_whole(path, ("[\n" + ",\n".join(rows) + "\n]\n").encode())
    except OSError as error:
        raise ModelError(f"{path}: the results cannot be written there ({error.strerror})") from None


def recorded(path: Path) -> tuple[Result, ...]:
    """The results kept in ``path`` that were made by this very code; none where the file is missing or damaged."""
    try:
        rows = json.loads(path.read_bytes())
        found = [_result(row, run_of(row["inputs"])) for row in rows]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, DgmError):
        return ()
    return tuple(result for result in found if result is not None)


def table(found: Sequence[Summary]) -> str:
    """The summaries' main measures as lines of text."""
    names = ("rate", "distortion", "total_correlation", "active", "factor_metric", "mig", "disentanglement", "sap",
             "modularity")
    rows = [["beta", "gamma", *(name.replace("_", " ") for name in names)]]
    for one in found:
        cells = [f"{middle:.{1 if abs(middle) >= 10 else 2}f} ± {spread:.2f}"
                 for middle, spread in (one.findings[name] for name in names)]
        rows.append([f"{one.beta:g}", f"{one.gamma:g}", *cells])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
