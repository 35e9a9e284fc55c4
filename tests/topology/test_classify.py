"""Verdicts on spaces whose homology is known, and diagrams against ripser."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topomod.topology.betti import betti_numbers, count_components, count_holes, shape_of
from topomod.topology.classify import classify_manifold
from topomod.topology.complexes import alpha_diagrams, farthest_points, rips_diagrams
from topomod.topology.diagrams import diagram_distance

TAU = 2 * np.pi


def unit(angle):
    return np.column_stack([np.cos(angle), np.sin(angle)])


def group_cloud(shape: str, p: int, frequency: int = 3, ratio: float = 1.0) -> np.ndarray:
    angle = TAU * frequency * np.arange(p) / p
    a, b = (grid.ravel() for grid in np.meshgrid(angle, angle + 0.7, indexing="ij"))
    return {
        "disc": lambda: unit(a) + unit(b),
        "circle": lambda: unit(a + b),
        "annulus": lambda: unit(a) + ratio * unit(b),
        "torus": lambda: np.column_stack([unit(a), ratio * unit(b)]),
        "pizza": lambda: np.abs(np.cos((a - b) / 2))[:, None] * unit(a + b),
    }[shape]()


def random_space(name: str, n: int, rng: np.random.Generator) -> np.ndarray:
    u, v, w = rng.uniform(size=(3, n))
    normal = rng.normal(size=(n, 3))
    side = np.where(w < 0.5, 1.0, -1.0)[:, None] * np.array([1.0, 0.0])
    return {
        "disc": lambda: unit(TAU * u) * np.sqrt(v)[:, None],
        "circle": lambda: unit(TAU * u),
        "annulus": lambda: unit(TAU * u) * np.sqrt(0.2 + 0.8 * v)[:, None],
        "torus": lambda: np.column_stack([unit(TAU * u), unit(TAU * v)]),
        "segment": lambda: np.column_stack([u, 2 * u]),
        "ball": lambda: normal,
        "sphere": lambda: normal / np.linalg.norm(normal, axis=1)[:, None],
        "figure eight": lambda: unit(TAU * u) + side,
        "two circles": lambda: unit(TAU * u) + 1.7 * side,
        "clusters": lambda: 0.1 * normal + 2 * np.eye(3)[rng.integers(0, 3, n)],
    }[name]()


KNOWN = {
    "disc": ("disc", (1, 0, 0)),
    "circle": ("circle", (1, 1, 0)),
    "annulus": ("circle", (1, 1, 0)),
    "torus": ("torus", (1, 2, 1)),
    "segment": ("other", (1, 0, 0)),
    "ball": ("other", (1, 0, 0)),
    "sphere": ("other", (1, 0, 1)),
    "figure eight": ("other", (1, 2, 0)),
    "two circles": ("other", (2, 2, 0)),
    "clusters": ("other", (3, 0, 0)),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_spaces_without_group_order(name):
    rng = np.random.default_rng(7)
    X = random_space(name, 1500, rng)
    verdict = classify_manifold(X + 0.02 * rng.normal(size=X.shape))
    assert (verdict.label, verdict.betti) == KNOWN[name]
    assert (verdict.reason == "") == (verdict.label != "other")
    assert verdict.share is None
    assert verdict.winding is None


@pytest.mark.parametrize("name", KNOWN)
def test_sixty_points_are_never_confidently_wrong(name):
    verdict = classify_manifold(random_space(name, 60, np.random.default_rng(8)))
    assert verdict.label in {KNOWN[name][0], "uncertain"} or verdict.confidence < 0.9


@pytest.mark.parametrize("p", [31, 59])
@pytest.mark.parametrize("noise", [0.0, 0.05])
@pytest.mark.parametrize(
    ("shape", "ratio", "label", "betti", "winding"),
    [
        ("disc", 1.0, "disc", (1, 0, 0), None),
        ("circle", 1.0, "circle", (1, 1, 0), (1, 1)),
        ("annulus", 0.5, "circle", (1, 1, 0), (1, 0)),
        ("torus", 0.6, "torus", (1, 2, 1), None),
    ],
)
def test_references_in_group_order(p, noise, shape, ratio, label, betti, winding):
    rng = np.random.default_rng(9)
    X = group_cloud(shape, p, ratio=ratio)
    verdict = classify_manifold(X + noise * rng.normal(size=X.shape), p=p)
    assert (verdict.label, verdict.forced_label, verdict.betti) == (label, label, betti)
    assert verdict.frequency == 3
    assert verdict.share > 0.95
    assert 0.5 < verdict.confidence <= 1
    if winding is not None:
        assert verdict.winding == winding


@pytest.mark.parametrize(("p", "label"), [(5, "uncertain"), (7, "uncertain"), (11, "circle"), (13, "circle")])
def test_circles_at_tiny_p(p, label):
    assert classify_manifold(group_cloud("circle", p, frequency=2), p=p).label == label


def test_every_input_circle_is_told_from_the_sum():
    p = 31
    angle = TAU * 4 * np.arange(p) / p
    a, b = (grid.ravel() for grid in np.meshgrid(angle, angle, indexing="ij"))
    assert classify_manifold(unit(a), p=p).winding == (1, 0)
    assert classify_manifold(unit(b), p=p).winding == (0, 1)
    assert classify_manifold(unit(a - b), p=p).winding == (1, -1)


def test_hole_is_measured_in_rms_units():
    verdict = classify_manifold(group_cloud("annulus", 59, ratio=1 / 3), p=59)
    assert verdict.hole == pytest.approx((1 - 1 / 3) / np.sqrt(1 + 1 / 9), abs=0.03)
    assert verdict.hole_upper_bound >= verdict.hole


def test_disc_bound_covers_the_hole_of_unequal_amplitudes():
    X = group_cloud("annulus", 59, ratio=0.96)
    verdict = classify_manifold(X, p=59)
    assert verdict.label == "disc"
    assert verdict.hole_upper_bound >= 0.04 / np.sqrt(1 + 0.96**2)


def test_resolution_is_what_a_disc_must_resolve():
    X = group_cloud("disc", 31) + 0.1 * np.random.default_rng(0).normal(size=(961, 2))
    verdict = classify_manifold(X, p=31, resolution=0.1)
    assert verdict.label == "uncertain"
    assert verdict.forced_label == "disc"
    assert "cannot be excluded" in verdict.reason
    assert classify_manifold(X, p=31, resolution=1.0).label == "disc"


@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_a_circle_pinched_to_a_point_is_a_disc_that_winds(noise):
    X = group_cloud("pizza", 59)
    verdict = classify_manifold(X + noise * np.random.default_rng(0).normal(size=X.shape), p=59)
    assert (verdict.label, verdict.winding) == ("disc", (1, 1))
    assert verdict.hole_upper_bound < 0.4


def pinched(ratio: float, p: int = 59) -> np.ndarray:
    angle = TAU * 3 * np.arange(p) / p
    a, b = (grid.ravel() for grid in np.meshgrid(angle, angle, indexing="ij"))
    return (ratio + (1 - ratio) * np.abs(np.cos((a - b) / 2)))[:, None] * unit(a + b)


@pytest.mark.parametrize(("ratio", "label"), [(0.02, "disc"), (0.2, "circle"), (0.5, "circle")])
def test_rows_in_order_prove_a_hole_that_noise_has_narrowed(ratio, label):
    X = pinched(ratio) + 0.05 * np.random.default_rng(1).normal(size=(3481, 2))
    verdict = classify_manifold(X, p=59)
    assert (verdict.label, verdict.winding) == (label, (1, 1))
    truth = ratio / np.sqrt(np.mean(np.sum(pinched(ratio) ** 2, axis=1)))
    assert verdict.hole_upper_bound >= truth
    shuffled = classify_manifold(X[np.random.default_rng(2).permutation(3481)])
    assert shuffled.label in {label, "uncertain"}


def test_a_torus_says_which_loops_it_has():
    verdict = classify_manifold(group_cloud("torus", 31, ratio=0.7), p=31)
    assert verdict.label == "torus"
    (a, b), (c, d) = verdict.winding_matrix
    assert abs(a * d - b * c) == 1
    assert classify_manifold(group_cloud("torus", 31, ratio=0.7)).winding_matrix is None


def test_a_torus_whose_loops_are_not_those_of_the_inputs_is_uncertain():
    p = 31
    angle = TAU * np.arange(p) / p
    a, b = (grid.ravel() for grid in np.meshgrid(angle, angle, indexing="ij"))
    verdict = classify_manifold(np.column_stack([unit(a + b), unit(a - b)]), p=p)
    assert (verdict.label, verdict.forced_label) == ("uncertain", "torus")
    assert "not once around a and b" in verdict.reason


def test_two_frequencies_are_not_one_manifold():
    X = group_cloud("disc", 31, 3) + group_cloud("disc", 31, 8)
    verdict = classify_manifold(X, p=31)
    assert verdict.label == "uncertain"
    assert verdict.share == pytest.approx(0.5, abs=0.02)
    assert "not one frequency" in verdict.reason


def test_shuffled_rows_with_p_are_not_believed():
    X = group_cloud("circle", 31)[np.random.default_rng(0).permutation(961)]
    assert classify_manifold(X, p=31).label == "uncertain"


def test_klein_bottle_is_not_called_a_torus():
    u, v = np.random.default_rng(2).uniform(0, TAU, size=(2, 1500))
    tube = 2 + np.cos(v)
    X = np.column_stack([tube * np.cos(u), tube * np.sin(u), 1.5 * np.sin(v)[:, None] * unit(u / 2)])
    assert classify_manifold(X).label in {"uncertain", "other"}


def test_more_than_four_components_are_not_read():
    u, v, w = np.random.default_rng(3).uniform(0, TAU, size=(3, 400))
    verdict = classify_manifold(np.column_stack([unit(u), unit(v), unit(w)]))
    assert (verdict.label, verdict.rank) == ("uncertain", 6)
    assert "rank 6" in verdict.reason


@settings(max_examples=8, deadline=None)
@given(
    seed=st.integers(0, 1000),
    shape=st.sampled_from(["disc", "circle", "annulus"]),
    scale=st.sampled_from([1e-6, 1.0, 1e6]),
    constants=st.integers(0, 3),
)
def test_verdict_does_not_depend_on_the_frame(seed, shape, scale, constants):
    rng = np.random.default_rng(seed)
    X = np.column_stack([group_cloud(shape, 23, ratio=0.4), np.zeros((529, 4))])
    X = X + 0.02 * rng.normal(size=X.shape)
    rotation = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    moved = scale * (X @ rotation + rng.normal(size=6))
    moved = np.column_stack([moved, np.full((529, constants), scale)])[:, rng.permutation(6 + constants)]
    first, second = classify_manifold(X, p=23), classify_manifold(moved, p=23)
    assert (first.label, first.betti, first.rank) == (second.label, second.betti, second.rank)
    # the "hole" of a disc is the widest gap of its lattice, which the jitter moves by a few hundredths at p = 23
    assert first.hole == pytest.approx(second.hole, abs=0.05)
    assert first.sigma == pytest.approx(second.sigma, rel=0.02)
    assert first.winding_agreement == pytest.approx(second.winding_agreement, abs=0.1)


def test_same_seed_same_verdict_and_global_state_untouched():
    X = group_cloud("annulus", 23, ratio=0.6)
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first, second = classify_manifold(X, p=23, seed=5), classify_manifold(X, p=23, seed=5)
    assert first.confidence == second.confidence
    for one, two in zip(first.diagrams, second.diagrams, strict=True):
        np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def test_many_rows_are_thinned():
    X = random_space("annulus", 50_000, np.random.default_rng(0))
    verdict = classify_manifold(X)
    assert verdict.label == "circle"
    assert verdict.n_points_used <= 20_000


def test_verdict_reports_its_diagrams():
    verdict = classify_manifold(group_cloud("torus", 23), p=23)
    assert len(verdict.diagrams) == 3
    assert np.isinf(verdict.diagrams[0][:, 1]).sum() == 1
    persistence = [np.max(d[:, 1] - d[:, 0]) for d in verdict.diagrams[1:]]
    assert [verdict.h1_persistence, verdict.h2_persistence] == pytest.approx(persistence)
    assert len(classify_manifold(group_cloud("disc", 23), p=23).diagrams) == 2


@pytest.mark.parametrize("p", [None, 23])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dead_group_is_other(p, dtype):
    X = np.full((529, 5), 0.1, dtype) * np.arange(1, 6, dtype=dtype)
    verdict = classify_manifold(X, p=p)
    assert (verdict.label, verdict.forced_label, verdict.reason) == ("other", "other", "no signal")
    assert verdict.confidence == 0 and verdict.doubtful


def test_rows_of_one_frequency_group_of_composite_p_do_not_crash():
    assert classify_manifold(group_cloud("disc", 9, frequency=3), p=9).label == "uncertain"
    assert classify_manifold(group_cloud("disc", 32, frequency=3), p=32).label == "disc"


@pytest.mark.parametrize(
    ("X", "p", "match"),
    [
        (np.ones(30), None, "n_points, n_features"),
        (np.ones((30, 1)), None, "at least 2 features"),
        (np.full((30, 2), np.nan), None, "found 60 NaN"),
        (np.full((30, 2), np.inf), None, "found 60 NaN or infinite"),
        (np.eye(4), None, "at least 5 points, found 4"),
        (np.zeros((0, 3)), None, "at least 5 points, found 0"),
        (np.tile(np.eye(3), (10, 1)), None, "5 distinct points, found 3"),
        (np.zeros((30, 2)), 5, "p \\* p = 25 rows.*30"),
        (np.zeros((16, 2)), 4, "p at least 5"),
        (np.ones((30, 2), complex), None, "real numbers, found dtype complex128"),
    ],
)
def test_bad_input(X, p, match):
    with pytest.raises(ValueError, match=match):
        classify_manifold(X, p=p)


def test_transposed_cloud_warns():
    X = random_space("circle", 300, np.random.default_rng(0)) @ np.ones((2, 12))
    with pytest.warns(UserWarning, match="300 features and only 12 points: is it transposed"):
        classify_manifold(X.T)


def test_counting_rules():
    def bars(*pairs):
        return np.array(pairs, float).reshape(-1, 2)

    assert count_holes(bars((0.1, 1.0), (0.15, 0.2)), 1) == 1
    assert count_holes(bars((0.1, 1.0), (0.1, 0.9), (0.15, 0.2)), 1) == 2
    assert count_holes(bars((0.0, 0.09)), 1) == 0  # below the lattice scale
    assert count_holes(bars((0.6, 1.0)), 1) == 0  # born late
    assert count_holes(bars((0.6, 1.0)), 2) == 1
    assert count_holes(bars(), 1) == 0
    assert count_components(bars((0, np.inf), (0, 0.5), (0, 0.1))) == 2
    assert count_components(bars((0, np.inf), (0, 0.5), (0, 0.4))) == 3
    assert count_components(bars((0, np.inf), (0, 0.15), (0, 0.01))) == 1
    assert betti_numbers((bars((0, np.inf)), bars((0.1, 1.0)))) == (1, 1, 0)
    assert shape_of((1, 0, 0), 3, 0.5) == "other"
    assert shape_of((1, 0, 0), 3, 0.2) == "disc"
    assert shape_of((1, 1, 0), 1, 0.0) == "other"


def test_alpha_agrees_with_ripser_on_a_small_circle():
    t = TAU * (np.arange(40) + np.random.default_rng(1).uniform(0, 0.4, 40)) / 40
    alpha = alpha_diagrams(unit(t), maxdim=1)
    rips = rips_diagrams(unit(t), n_perm=None)
    # H0 merges at half the distance; a loop is born with its longest gap in both complexes
    np.testing.assert_allclose(np.sort(alpha[0][:, 1]), np.sort(rips.diagrams[0][:, 1]) / 2, atol=1e-6)
    (birth, death), (rips_birth, rips_death) = alpha[1][-1], rips.diagrams[1][-1]
    assert birth == pytest.approx(rips_birth / 2, abs=1e-6)
    assert death == pytest.approx(1.0, abs=0.02)
    assert rips_death / 2 == pytest.approx(np.sqrt(3) / 2, abs=0.05)  # Rips fills a circle at an inscribed triangle
    assert rips.r_cover == 0


def test_rips_landmarks_report_their_covering_radius():
    X = random_space("annulus", 800, np.random.default_rng(0))
    result = rips_diagrams(X, n_perm=100, seed=3, do_cocycles=True)
    assert len(set(result.landmarks)) == 100
    distance = np.linalg.norm(X[:, None] - X[result.landmarks], axis=2).min(axis=1).max()
    assert result.r_cover == pytest.approx(distance)
    assert len(result.cocycles[1]) == len(result.diagrams[1])
    np.testing.assert_array_equal(result.landmarks, rips_diagrams(X, n_perm=100, seed=3).landmarks)
    with pytest.raises(ValueError, match="finite"):
        rips_diagrams(np.full((5, 2), np.nan))


def test_rips_sees_the_coefficients_of_the_projective_plane():
    x = np.random.default_rng(0).normal(size=(1500, 3))
    x /= np.linalg.norm(x, axis=1)[:, None]
    i, j = np.triu_indices(3)
    plane = (x[:, i] * x[:, j])[farthest_points(x[:, i] * x[:, j], 60)] * np.where(i == j, 1, np.sqrt(2))
    top = {c: np.ptp(rips_diagrams(plane, n_perm=None, coeff=c).diagrams[1], axis=1).max(initial=0) for c in (2, 3)}
    assert top[2] > 0.4
    assert top[3] < 0.5 * top[2]


def test_farthest_points_spread_out():
    line = np.linspace(0, 1, 101)[:, None]
    assert farthest_points(line, 3).tolist() == [0, 100, 50]
    assert sorted(farthest_points(line, 500)) == list(range(101))


def test_diagram_distances_by_hand():
    one, two = np.array([[0.0, 1.0], [0.2, 0.4]]), np.array([[0.0, 1.5]])
    assert diagram_distance(one, two) == pytest.approx(0.5)
    assert diagram_distance(one, two, "wasserstein") == pytest.approx(0.5 + 0.1, rel=0.02)
    assert diagram_distance(one, one) == pytest.approx(0)
    empty = np.zeros((0, 2))
    assert diagram_distance(empty, two) == pytest.approx(0.75)


def test_infinite_bars_are_handled_only_as_told():
    one, two = np.array([[0.0, np.inf], [0.0, 1.0]]), np.array([[0.3, np.inf], [0.0, 1.1]])
    with pytest.raises(ValueError, match="1 and 1 infinite bars"):
        diagram_distance(one, two)
    assert diagram_distance(one, two, infinite="drop") == pytest.approx(0.1)
    assert diagram_distance(one, two, infinite="match") == pytest.approx(0.3)
    assert diagram_distance(one, two, "wasserstein", infinite="match") == pytest.approx(0.4, rel=0.02)
    assert diagram_distance(one, two[1:], infinite="match") == np.inf
    with pytest.raises(ValueError, match="bottleneck, wasserstein"):
        diagram_distance(one, two, "euclidean")
    with pytest.raises(ValueError, match="error, drop, match"):
        diagram_distance(one, two, infinite="ignore")
    with pytest.raises(ValueError, match="d2 must hold.*found 1 NaN"):
        diagram_distance(one[1:], np.array([[0.0, np.nan]]))
