"""Overfitting: the epochs after which the loss of unseen images rises while that of the training images falls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import pstdev

from dgm.vae.training.trainer import History

WINDOWS = 10  # a window is such a part of the epochs


@dataclass(frozen=True)
class Overfitting:
    """The epochs, from 1, in whose mean the unseen images' loss was least, and what followed until the last ones."""

    first: int
    last: int
    rise: float  # of the unseen images' loss since, in nats an image
    fall: float  # of the training images' loss since


def overfitting(history: History) -> Overfitting | None:
    """Where the loss of unseen images turned, if it has risen since by more than it scatters and training's has fallen.

    The loss is both terms' sum, in means over a tenth of the epochs; fewer than twenty epochs show nothing.
    """
    parts = (history.train, history.valid)
    seen, unseen = ([metrics.loss() for metrics in part] for part in parts)
    window = len(unseen) // WINDOWS
    if window < 2:
        return None
    trained, held_out = rolling_means(seen, window), rolling_means(unseen, window)
    best = min(range(len(held_out)), key=held_out.__getitem__)
    rise, fall = held_out[-1] - held_out[best], trained[best] - trained[-1]
    if rise <= pstdev(unseen[-window:]) or fall <= 0:
        return None
    return Overfitting(best + 1, best + window, rise, fall)


def rolling_means(values: Sequence[float], window: int) -> list[float]:
    """The mean of each ``window`` neighbours."""
    sums = [0.0, *accumulate(values)]
    return [(end - start) / window for start, end in zip(sums, sums[window:], strict=False)]
