"""The scores know a perfect code from a random and from a rotated one, and see neither order nor scale."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dgm.disentangle import trees
from dgm.disentangle.importance import Importance, importance
from dgm.disentangle.information import information, modularity, mutual_information, mutual_information_gap, ranked
from dgm.disentangle.separated import separated_predictability
from dgm.disentangle.truth import Array, Truth
from dgm.disentangle.vote import Votes, factor_metric
from dgm.errors import DataError

COUNT = 4000
CLASSES = (3, 0, 0, 0)  # a class and three continuous factors
RNG = np.random.default_rng


def draw(rng: np.random.Generator, count: int) -> Array:
    return np.stack([rng.integers(3, size=count).astype(float), *rng.uniform(-1, 1, (3, count))], 1)


TRUTH = Truth(draw(RNG(0), COUNT), CLASSES)
PERFECT = np.concatenate([TRUTH.values, 0.001 * RNG(1).standard_normal((COUNT, 2))], 1)  # and two idle dimensions
RANDOM = RNG(2).standard_normal((COUNT, 6))
ROTATION = np.kron([[1, 1], [1, -1]], [[1, 1], [1, -1]]) / 2  # after which every dimension holds all factors alike
ROTATED = (TRUTH.values / TRUTH.values.std(0)) @ ROTATION
QUICK = trees.Boosting(rounds=20)


def vote(encode: Callable[[Array], Array], count: int = 300, size: int = 40) -> float:
    rng = RNG(4)
    fixed, groups = rng.integers(4, size=count), []
    for factor in fixed:
        values = draw(rng, size)
        values[:, factor] = draw(rng, 1)[0, factor]
        groups.append(encode(values))
    deviation = encode(draw(rng, 2000)).std(0)
    return factor_metric(Votes(np.array(groups), fixed), deviation, deviation > 0.01)


def scores(codes: Array, truth: Truth = TRUTH) -> dict[str, float]:
    found = importance(codes, truth, QUICK)
    return {"MIG": mutual_information_gap(codes, truth), "SAP": separated_predictability(codes, truth),
            "modularity": modularity(codes, truth), "disentanglement": found.disentanglement,
            "completeness": found.completeness, "informativeness": found.informativeness}


def test_a_perfect_code_has_every_score_near_one() -> None:
    found = scores(PERFECT)
    assert min(found.values()) > 0.95, found
    assert vote(lambda values: np.concatenate([values, 0 * values], 1)) == 1.0


def test_a_random_code_has_none() -> None:
    found = scores(RANDOM)
    assert max(found[name] for name in ("MIG", "SAP", "modularity", "disentanglement", "completeness")) < 0.1, found
    assert found["informativeness"] < 0.15  # a third of the classes are right by chance, and nothing else is
    rng = RNG(5)
    assert vote(lambda values: rng.standard_normal((len(values), 6))) < 0.4


def test_a_rotated_code_informs_but_does_not_disentangle() -> None:
    found, best = scores(ROTATED), scores(PERFECT)
    assert found["informativeness"] > 0.7
    assert all(found[name] < best[name] - 0.3 for name in ("MIG", "SAP", "disentanglement", "completeness")), found
    assert found["modularity"] < best["modularity"] - 0.02  # it squares, and so forgives most
    assert vote(lambda values: (values / TRUTH.values.std(0)) @ ROTATION) < 0.5


def test_a_slight_rotation_escapes_the_vote_but_not_the_gap() -> None:
    """Of each dimension one factor is still the largest part, and the vote asks for no more."""
    turn = np.array([[np.cos(0.5), -np.sin(0.5)], [np.sin(0.5), np.cos(0.5)]])
    slight = np.kron(np.eye(2), turn)
    assert vote(lambda values: (values / TRUTH.values.std(0)) @ slight) == 1.0
    assert mutual_information_gap((TRUTH.values / TRUTH.values.std(0)) @ slight, TRUTH) < 0.5


@pytest.mark.parametrize("codes", [PERFECT, RANDOM, ROTATED], ids=["perfect", "random", "rotated"])
def test_order_scale_and_place_of_the_dimensions_do_not_count(codes: Array) -> None:
    width = codes.shape[1]
    moved = codes[:, RNG(6).permutation(width)] * np.geomspace(0.01, 100, width) + np.arange(width)
    assert scores(moved) == pytest.approx(scores(codes), abs=0.01)


def test_the_sign_of_a_dimension_does_not_count() -> None:
    plain, turned = scores(ROTATED), scores(-ROTATED)
    assert turned == pytest.approx(plain, abs=0.03)  # bins are cut from the other side


def test_a_monotone_map_changes_no_score_of_ranks() -> None:
    assert mutual_information_gap(np.exp(ROTATED), TRUTH) == pytest.approx(mutual_information_gap(ROTATED, TRUTH))
    assert modularity(np.exp(ROTATED), TRUTH) == pytest.approx(modularity(ROTATED, TRUTH))


def test_a_factor_held_twice_is_disentangled_but_not_complete() -> None:
    twice = np.concatenate([TRUTH.values, TRUTH.values + 0.2 * RNG(7).standard_normal(TRUTH.values.shape)], 1)
    table = np.kron([[1.0], [1.0]], np.eye(4)) / 2  # (8, 4)
    assert Importance(table, 1.0).disentanglement == pytest.approx(1)
    assert Importance(table, 1.0).completeness == pytest.approx(1 - np.log(2) / np.log(8))
    assert mutual_information_gap(twice, TRUTH) < 0.75
    assert modularity(twice, TRUTH) > 0.9


def test_a_code_of_two_factors_is_not_modular() -> None:
    truth = Truth(np.stack([RNG(8).integers(4, size=COUNT), RNG(9).integers(4, size=COUNT)], 1).astype(float), (4, 4))
    both = (truth.values[:, :1] * 4 + truth.values[:, 1:])
    shared = modularity(both, truth)
    assert shared < 0.75
    assert modularity(truth.values, truth) > 0.99


def test_silent_and_constant_dimensions_change_nothing() -> None:
    idle = np.concatenate([ROTATED, np.zeros((COUNT, 3))], 1)
    one, other = scores(ROTATED), scores(idle)
    for name in ("MIG", "SAP", "modularity", "disentanglement", "informativeness"):
        assert other[name] == pytest.approx(one[name], abs=1e-9), name
    assert scores(np.zeros((COUNT, 3)))["MIG"] == 0
    assert scores(np.zeros((COUNT, 3)))["modularity"] == 0


def test_no_active_dimension_is_a_guess() -> None:
    votes = Votes(RNG(0).standard_normal((400, 10, 3)), RNG(1).integers(4, size=400))
    assert factor_metric(votes, np.ones(3), np.zeros(3, dtype=bool)) < 0.4


def test_information_is_that_of_a_known_pair() -> None:
    """A symmetric binary channel with error 0.1 has log 2 - H(0.1)."""
    rng = RNG(0)
    sent = rng.integers(2, size=50_000)
    received = np.where(rng.random(50_000) < 0.1, 1 - sent, sent)
    exact = np.log(2) + 0.1 * np.log(0.1) + 0.9 * np.log(0.9)
    assert mutual_information(sent, received) == pytest.approx(exact, rel=0.03)
    assert information(sent[:, None].astype(float), Truth(received[:, None].astype(float), (2,))).shape == (1, 1)


def test_chance_adds_no_information() -> None:
    rng = RNG(0)
    found = [mutual_information(ranked(rng.random(1000)), ranked(rng.random(1000))) for _ in range(40)]
    assert np.mean(found) < 0.05  # without the correction it were 0.18


@settings(max_examples=50, deadline=None)
@given(st.integers(40, 300), st.integers(2, 30), st.integers(0, 9))
def test_bins_are_equally_full(count: int, bins: int, seed: int) -> None:
    sizes = np.bincount(ranked(RNG(seed).random(count), bins), minlength=bins)
    assert sizes.max() - sizes.min() <= 1


def test_trees_fit_what_no_line_does() -> None:
    x = RNG(0).uniform(-1, 1, (4000, 6))
    y = np.stack([np.sin(3 * x[:, 0]) * x[:, 1], (x[:, 2] > 0).astype(float)], 1)
    fitted = trees.fit(x[:2000], y[:2000], trees.Boosting(rounds=150))
    left = ((fitted.predict(x[2000:]) - y[2000:]) ** 2).mean(0) / y.var(0)
    assert (left < 0.1).all()
    assert fitted.importance[:3].sum() > 0.95
    assert fitted.importance.sum() == pytest.approx(1)


def test_trees_take_away_what_they_say() -> None:
    """With weight 1 the squared error falls by the importances' gains, tree by tree, to the rest's own."""
    x, y = RNG(0).random((500, 3)), RNG(1).random((500, 1))
    gains = np.zeros(3)
    edges = np.quantile(x, np.arange(1, trees.BINS) / trees.BINS, axis=0).T
    rest = y - y.mean(0)
    tree = trees._grow(trees._binned(x, edges), rest, 3, gains)
    after = rest - tree.predict(trees._binned(x, edges))
    assert gains.sum() == pytest.approx((rest**2).sum() - (after**2).sum())


@pytest.mark.parametrize(("call", "message"), [
    (lambda: Truth(np.zeros((5, 2)), (0,)), r"factors of shape \(5, 2\) for 1 kinds; nearest: \(N, 1\)"),
    (lambda: Truth(np.full((5, 1), 3.0), (3,)), "factor 0 has values that are none of its 3 classes 0 to 2"),
    (lambda: modularity(np.zeros((4, 2)), TRUTH), r"codes of shape \(4, 2\) for 4000 rows of factors"),
    (lambda: Votes(np.zeros((3, 2)), np.zeros(3, dtype=np.int64)), "votes of shape"),
])
def test_what_does_not_fit_is_named(call: Callable[[], object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        call()
