"""Circular coordinates of known angles; loops that wind once; a basis that no whole-number change makes simpler."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import topomod
from topomod.topology.circular import LoopCoordinates
from topomod.topology.complexes import Edges
from topomod.topology.kinds import TAU, unit
from topomod.topology.loops import shortest_loop
from topomod.topology.more_kinds import revolve
from topomod.topology.toroidal import simplest_basis


def embedded(points: np.ndarray, n_features: int, sigma: float, rng: np.random.Generator) -> np.ndarray:
    frame = np.linalg.qr(rng.normal(size=(n_features, points.shape[1])))[0]
    return points @ frame.T + sigma * rng.normal(size=(len(points), n_features))


def correlation(turns: np.ndarray, angle: np.ndarray) -> float:
    """1 where the two angles differ by a sign and a constant alone."""
    return max(abs(np.mean(np.exp(1j * (TAU * turns + sign * angle)))) for sign in (1, -1))


def steps(turns: np.ndarray, loop: np.ndarray) -> np.ndarray:
    """Changes of each coordinate along a closed loop of rows, each the short way round."""
    change = np.roll(turns[:, loop], -1, axis=1) - turns[:, loop]
    return change - np.rint(change)


def check_loops(found: LoopCoordinates, n_rows: int) -> None:
    """Each loop is closed, visits rows that are there, and winds once in its own coordinate and not in the others."""
    assert found.turns.shape == (len(found.loops), n_rows) and found.bars.shape == (len(found.loops), 2)
    assert ((found.turns >= 0) & (found.turns < 1)).all()
    for own, loop in enumerate(found.loops):
        assert len(set(loop.tolist())) == len(loop) > 2 and 0 <= loop.min() and loop.max() < n_rows
        change = steps(found.turns, loop)
        np.testing.assert_allclose(change.sum(axis=1), np.eye(len(found.loops))[own], atol=1e-9)
        assert np.abs(change).max() < 0.3  # an edge of the loop is a step and no leap


@settings(max_examples=8)
@given(
    seed=st.integers(0, 10**6),
    n_features=st.sampled_from([2, 3, 20]),
    sigma=st.sampled_from([0.0, 0.05]),
    unit_of=st.sampled_from([1e-300, 1.0, 1e300]),
)
def test_a_circle_gets_its_angle_in_any_unit(seed: int, n_features: int, sigma: float, unit_of: float) -> None:
    rng = np.random.default_rng(seed)
    angle = TAU * (np.arange(400) + rng.uniform(size=400)) / 400
    X = unit_of * embedded(unit(angle), n_features, sigma, rng)
    found = topomod.circular_coordinates(X, seed=seed)
    assert correlation(found.turns[0], angle) > 0.99
    check_loops(found, 400)
    # the loop goes round the circle: its angle runs once through all values
    assert abs(steps(angle[None] / TAU, found.loops[0]).sum()) == pytest.approx(1)


@pytest.mark.parametrize("dtype", [np.float32, np.int64])
def test_other_numbers_are_numbers(dtype: type) -> None:
    angle = TAU * np.arange(60) / 60
    found = topomod.circular_coordinates((1000 * unit(angle)).astype(dtype))
    assert correlation(found.turns[0], angle) > 0.99


def flat_torus(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.hstack([unit(u), 0.5 * unit(v)])


# seed 2 is one for which ripser's classes are u and u + v
@pytest.mark.parametrize(("draw", "seed"), [(flat_torus, 2), (flat_torus, 3), (lambda u, v: revolve(u, v, 0.4), 0)])
def test_a_torus_has_two_independent_coordinates(draw, seed: int) -> None:
    rng = np.random.default_rng(seed)
    u, v = TAU * rng.uniform(size=(2, 2000))
    found = topomod.circular_coordinates(draw(u, v), n_coordinates=2)
    check_loops(found, 2000)
    table = np.array([[correlation(turns, angle) for angle in (u, v)] for turns in found.turns])
    table = table if table[0, 0] > table[0, 1] else table[::-1]
    # the inner side of a torus in space is shorter than its outer one, so that its coordinate is no angle
    assert table[0, 0] > 0.99 and table[1, 1] > 0.85 and table[0, 1] < 0.1 and table[1, 0] < 0.1


def test_three_loops_and_no_more_than_are_wanted() -> None:
    rng = np.random.default_rng(0)
    angles = TAU * rng.uniform(size=(3, 3000))
    X = np.hstack([unit(angle) for angle in angles])
    found = topomod.circular_coordinates(X, n_coordinates=2)
    assert len(found.turns) == 2
    circle = topomod.circular_coordinates(unit(angles[0]), n_coordinates=3)
    assert len(circle.turns) == len(circle.loops) == 1


def test_group_order_takes_noise_away() -> None:
    p, rng = 31, np.random.default_rng(0)
    a, b = (grid.ravel() for grid in np.meshgrid(*2 * [TAU * 5 * np.arange(p) / p], indexing="ij"))
    found = topomod.circular_coordinates(embedded(unit(a + b), 30, 0.15, rng), p=p)
    assert correlation(found.turns[0], a + b) > 0.99
    check_loops(found, p * p)
    torus = topomod.circular_coordinates(embedded(flat_torus(a, b), 30, 0.05, rng), p=p, n_coordinates=2)
    check_loops(torus, p * p)
    assert sorted(round(correlation(turns, a)) for turns in torus.turns) == [0, 1]


@pytest.mark.parametrize("unit_of", [1e-200, 1.0, 1e200])
def test_new_points_take_the_turns_of_their_neighbours(unit_of: float) -> None:
    rng = np.random.default_rng(1)
    angle = TAU * rng.uniform(size=900)
    X = unit_of * embedded(unit(angle), 10, 0.03, rng)
    found = topomod.circular_coordinates(X[:600])
    new = found.transform(X[600:])
    assert new.shape == (1, 300) and ((new >= 0) & (new < 1)).all()
    nearest = np.argmin(np.abs(np.exp(1j * angle[600:, None]) - np.exp(1j * angle[None, :600])), axis=1)
    change = new[0] - found.turns[0, nearest]
    assert np.abs(change - np.rint(change)).max() < 0.05
    both = np.concatenate([found.turns[0], new[0]])
    assert correlation(both, angle) > 0.98
    own = found.transform(X[:600]) - found.turns
    assert np.abs(own - np.rint(own)).max() < 1e-6


def test_a_cloud_of_many_rows_gets_a_turn_for_each() -> None:
    rng = np.random.default_rng(0)
    angle = TAU * rng.uniform(size=21_000)
    found = topomod.circular_coordinates(3e5 * unit(angle))
    assert correlation(found.turns[0], angle) > 0.99
    check_loops(found, 21_000)


def test_a_long_ellipse_has_a_loop() -> None:
    angle = TAU * np.random.default_rng(0).uniform(size=1000)
    found = topomod.circular_coordinates(unit(angle) * [10, 1])
    check_loops(found, 1000)
    assert abs(steps(angle[None] / TAU, found.loops[0]).sum()) == pytest.approx(1)


rng = np.random.default_rng(0)
LOOPLESS = {
    "blob": rng.normal(size=(500, 3)),
    "blob in twenty dimensions": rng.normal(size=(300, 20)),
    "disc": np.sqrt(rng.uniform(size=800))[:, None] * unit(TAU * rng.uniform(size=800)),
    "segment": np.outer(rng.uniform(size=100), [1.0, 2.0]),
    "arc": unit(0.7 * TAU * rng.uniform(size=300)),
    "square lattice": np.stack(np.meshgrid(np.arange(20.0), np.arange(20.0)), axis=-1).reshape(-1, 2),
}


@pytest.mark.parametrize("X", LOOPLESS.values(), ids=LOOPLESS)
def test_a_cloud_without_a_loop_says_so(X: np.ndarray) -> None:
    with pytest.raises(ValueError, match="^X has no clear loop: none is filled at 0.35 rms or later"):
        topomod.circular_coordinates(X)


CIRCLE = unit(TAU * np.arange(40) / 40)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"X": np.where(np.eye(40, 2), np.nan, CIRCLE)}, "^X must be finite, found 2 NaN or infinite entries$"),
        ({"X": np.ma.masked_greater(CIRCLE, 0.99)}, "^X has . masked value"),
        ({"X": np.ones((40, 2))}, "^X must have at least 10 distinct points, found 1$"),
        ({"X": CIRCLE[:8]}, "^X must have at least 10 distinct points, found 8$"),
        ({"X": CIRCLE, "p": 7}, "^with p = 7 X needs"),
        ({"X": CIRCLE, "n_coordinates": 0}, "^n_coordinates is 0; it must be a whole number from 1 to 3$"),
        ({"X": CIRCLE, "n_coordinates": True}, "^n_coordinates is True; it must be a whole number from 1 to 3$"),
        ({"X": CIRCLE, "n_coordinates": 4}, "^n_coordinates is 4;"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(arguments: dict, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        topomod.circular_coordinates(**arguments)


@pytest.mark.parametrize(
    ("X_new", "match"),
    [
        (np.ones((3, 3)), r"^X_new must be \(n_points, 2\) like X, found shape \(3, 3\)$"),
        (np.ones(2), r"^X_new must be .* found shape \(2,\)$"),
        (np.full((1, 2), np.nan), "^X_new must be finite"),
    ],
)
def test_new_points_of_another_kind_are_refused(X_new: np.ndarray, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        topomod.circular_coordinates(CIRCLE).transform(X_new)


def test_the_shortest_loop_is_the_short_one() -> None:
    """A ring of 8 points with a detour: the loop takes the straight way, whatever the cut."""
    angle = TAU * np.arange(8) / 8
    points = np.vstack([unit(angle), 1.5 * unit(angle[:1] + TAU / 16)])
    turns = np.append(np.arange(8), 0.5) / 8
    i, j = np.append(np.arange(8), [0, 8]), np.append(np.roll(np.arange(8), -1), [8, 1])
    for shift in (0, 0.3, 0.99):
        loop = shortest_loop(points, Edges(i, j, np.ones(10)), (turns + shift) % 1)
        assert sorted(loop.tolist()) == list(range(8))
        detour = shortest_loop(points, Edges(i[1:], j[1:], np.ones(9)), (turns + shift) % 1)
        assert sorted(detour.tolist()) == list(range(9))
    assert len(shortest_loop(points, Edges(i[1:8], j[1:8], np.ones(7)), turns)) == 0


@settings(max_examples=30)
@given(changes=st.lists(st.sampled_from([(0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1)]), max_size=5))
def test_any_basis_of_a_torus_is_reduced_to_its_angles(changes: list[tuple[int, int]]) -> None:
    rng = np.random.default_rng(0)
    turns = rng.uniform(size=(3, 400))
    mixed = np.eye(3, dtype=int)
    for row, other in changes:
        mixed[row] += mixed[other] if np.abs(mixed[row] + mixed[other]).sum() <= 4 else 0
    i = rng.integers(0, 400, 2000)
    j = rng.integers(0, 400, 2000)
    # nearby points alone: no coordinate of a mixed basis changes by half a turn
    gap = turns[:, i] - turns[:, j]
    near = np.abs(gap - np.rint(gap)).max(axis=0) < 0.12
    steps = Edges(i[near], j[near], np.ones(near.sum()))
    if near.sum() < 20:
        raise AssertionError("too few edges to test anything")
    basis = simplest_basis(mixed @ turns % 1.0, steps)
    assert abs(round(np.linalg.det(basis))) == 1
    assert np.abs(basis @ mixed).sum() == 3 and (np.abs(basis @ mixed).sum(axis=0) == 1).all()
