"""Five to nine points in a cyclic order: an answer with its limits. And clouds that are none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topomod.topology.classify import classify_manifold

LIMIT = "at least 10 distinct points are needed for homology"


def ring(n: int, turns: int = 1, features: int = 2, seed: int = 0, noise: float = 0.0) -> np.ndarray:
    """A ring of n points in random directions of space, gone round so many times in the order of the rows."""
    angle = 2 * np.pi * turns * np.arange(n) / n
    rng = np.random.default_rng(seed)
    plane = np.linalg.qr(rng.normal(size=(features, 2)))[0]
    return np.column_stack([np.cos(angle), np.sin(angle)]) @ plane.T + noise * rng.normal(size=(n, features))


@settings(max_examples=40)
@given(
    n=st.integers(5, 9),
    features=st.integers(2, 5),
    seed=st.integers(0, 10**6),
    start=st.integers(0, 8),
    size=st.sampled_from([1e-300, 1.0, 1e300]),
)
def test_a_ring_in_order_goes_round_once(n: int, features: int, seed: int, start: int, size: float) -> None:
    X = size * (ring(n, 1, features, seed, noise=0.03) + np.random.default_rng(seed).normal(size=features))
    for rows in (X, X[::-1], np.roll(X, start, axis=0)):
        verdict = classify_manifold(rows)
        assert (verdict.label, verdict.forced_label, verdict.confidence) == ("uncertain", "other", 0)
        assert (verdict.betti, verdict.n_points_used) == ((n, 0, 0), n)
        assert verdict.reason.startswith(f"{n} points: {LIMIT}; in the given order they go round their centre once, ")


@pytest.mark.parametrize(
    ("X", "said"),
    [
        (ring(7, 2), "go round their centre twice"),
        (ring(7, 3), "go round their centre 3 times"),
        (np.tile(ring(7), (10, 1)), "go round their centre 10 times"),
        (np.repeat(ring(7), 10, axis=0), "go round their centre once"),
        (np.concatenate([ring(5), 2 * ring(5)[3::-1]]), "do not go round their centre"),
        (np.concatenate([ring(6), np.zeros((1, 2))]), "pass through their centre"),
        (np.column_stack([np.arange(7.0), 2 * np.arange(7)]), "they lie on a line"),
        (np.column_stack([np.arange(9.0), 2 * np.arange(9)]).astype(np.float32), "they lie on a line"),
        (np.eye(5), "their order is not read"),
    ],
)
def test_what_the_order_says(X: np.ndarray, said: str) -> None:
    verdict = classify_manifold(X)
    assert verdict.label == "uncertain"
    assert f": {LIMIT}; " in verdict.reason and said in verdict.reason


def test_the_share_of_the_plane_is_a_limit_that_is_said() -> None:
    X = np.column_stack([ring(8), 0.5 * (-1.0) ** np.arange(8)])  # variances 1/2, 1/2 and 1/4
    assert "(80% of the variance)" in classify_manifold(X).reason


def test_few_points_of_many_features_are_read_and_warned_of() -> None:
    with pytest.warns(UserWarning, match="12 features and only 7 points: is it transposed"):
        verdict = classify_manifold(ring(7, 1, 12, noise=0.02))
    assert "go round their centre once" in verdict.reason


@pytest.mark.parametrize("p", [None, 2, 3])
def test_fewer_than_five_points_are_refused(p: int | None) -> None:
    with pytest.raises(ValueError, match="at least 5 points, found 4 rows"):
        classify_manifold(ring(4), p=p)


CIRCLE = ring(40)


@pytest.mark.parametrize(
    ("X", "match"),
    [
        (np.ma.masked_equal(np.where(np.eye(40, 2), -999, CIRCLE), -999), "X has 2 masked value"),
        (list(np.ma.masked_greater(CIRCLE, 0.99)), r"X has \d masked value"),
        (CIRCLE * 1j, "X must hold real numbers, found dtype complex128"),
        (CIRCLE.astype(object), "X must hold real numbers, found dtype object"),
        (CIRCLE.astype(str), "X must hold real numbers, found dtype <U"),
        ([[1.0, 2.0], [3.0]], "X of type list cannot be read as an array"),
        (np.zeros((0, 2)), "at least 5 points, found 0 rows"),
        (np.zeros((40, 0)), "at least 2 features"),
        ([], "X must be .n_points, n_features"),
        (CIRCLE.reshape(5, 8, 2), r"found shape \(5, 8, 2\)"),
    ],
)
def test_what_is_no_cloud_is_refused_in_a_sentence(X: object, match: str) -> None:
    with pytest.raises(ValueError, match=match) as caught:
        classify_manifold(X)
    assert "\n" not in str(caught.value)


def test_lists_and_empty_masks_are_clouds() -> None:
    plain = classify_manifold(CIRCLE)
    for same in (CIRCLE.tolist(), [tuple(row) for row in CIRCLE], np.ma.array(CIRCLE)):
        assert classify_manifold(same).label == plain.label == "circle"
        assert classify_manifold(same).hole == plain.hole
