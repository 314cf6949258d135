"""A training has overfitted when unseen images fare worse again while those it learns from fare better."""

from __future__ import annotations

import random

import pytest

from dgm.vae.analysis.overfitting import overfitting, rolling_means
from dgm.vae.training.trainer import History, Metrics


def history(train: list[float], valid: list[float]) -> History:
    """The loss split between the two terms."""
    train_part, valid_part = (tuple(Metrics(loss - 3.0, 3.0, 0.0) for loss in losses) for losses in (train, valid))
    return History(train_part, valid_part)


FALLING = [float(-epoch) for epoch in range(100)]


@pytest.mark.parametrize("turn", [10, 50, 80])
def test_the_turn_is_found_with_what_followed(turn: int) -> None:
    found = overfitting(history(FALLING, [float(abs(epoch - turn)) for epoch in range(100)]))
    assert found is not None
    assert found.last - found.first == 9
    assert found.first <= turn + 1 <= found.last
    assert found.rise == pytest.approx((99 - 4.5 - turn) - 2.5)  # the last window's mean, less the least one's
    assert found.fall == pytest.approx(100 - found.last)


def test_no_turn_where_the_loss_falls_or_training_does_no_better_or_it_only_scatters() -> None:
    chance = random.Random(0)
    rising = [float(abs(epoch - 30)) for epoch in range(100)]
    assert overfitting(history(FALLING, FALLING)) is None
    assert overfitting(history(rising, rising)) is None
    assert overfitting(history(FALLING, [chance.gauss(0, 5) for _ in range(100)])) is None
    assert overfitting(history(FALLING[:19], rising[:19])) is None


def test_rolling_means() -> None:
    values = [random.Random(1).random() for _ in range(12)]
    assert rolling_means(values, 5) == pytest.approx([sum(values[at:at + 5]) / 5 for at in range(8)])
