"""Clouds that are easily mistaken for something else: the label is right, or uncertain, or at least not sure."""

import numpy as np
import pytest

from topomod.topology.classify import classify_manifold
from topomod.topology.kinds import TAU, unit
from topomod.topology.more_kinds import MORE_FREE_SHAPES, MORE_GROUP_SHAPES, revolve
from topomod.topology.shapes import draw_cloud


def pairs(p: int) -> tuple[np.ndarray, np.ndarray]:
    a, b = np.meshgrid(*(2 * [TAU * np.arange(p) / p]), indexing="ij")
    return a.ravel(), b.ravel()


def bowl(p: int) -> np.ndarray:
    a, b = pairs(p)
    flat = unit(a) + unit(b)
    return np.column_stack([flat, 0.6 * np.sum(flat**2, axis=1)])


def embedded(points: np.ndarray, n_features: int, sigma: float, rng: np.random.Generator) -> np.ndarray:
    frame = np.linalg.qr(rng.normal(size=(n_features, points.shape[1])))[0]
    return points @ frame.T + sigma * rng.normal(size=(len(points), n_features))


def projective_plane(rng: np.random.Generator) -> np.ndarray:
    a, b, c = (x := rng.normal(size=(3, 3000))) / np.linalg.norm(x, axis=0)
    return np.column_stack([a * b, b * c, a * c, (a**2 - b**2) / 2, (a**2 + b**2 - 2 * c**2) / np.sqrt(12)])


def cap(rng: np.random.Generator, least: float = -0.5) -> np.ndarray:
    z = rng.uniform(least, 1, 2000)
    return np.column_stack([np.sqrt(1 - z**2)[:, None] * unit(TAU * rng.uniform(size=2000)), z])


def angles(rng: np.random.Generator, n: int) -> np.ndarray:
    return TAU * rng.uniform(size=(2, n))


def thick_ring(rng: np.random.Generator) -> np.ndarray:
    ring = np.column_stack([unit(angles(rng, 1000)[0]), 1.5 * rng.normal(size=1000)])
    return embedded(ring, 20, 0.05, rng)


def helix(rng: np.random.Generator) -> np.ndarray:
    t = rng.uniform(size=1000)
    return np.column_stack([unit(2 * TAU * t), t])


MISTAKEN = {
    "projective plane": (projective_plane, {"other"}),
    "projective plane in 20 dimensions": (lambda rng: embedded(projective_plane(rng), 20, 0.02, rng), {"other"}),
    "fat torus of 1000 points": (lambda rng: revolve(*angles(rng, 1000), 0.7), {"torus"}),
    "fat torus of 2500 points": (lambda rng: revolve(*angles(rng, 2500), 0.7), {"torus"}),
    "thin torus of 1000 points": (lambda rng: revolve(*angles(rng, 1000), 0.3), {"torus"}),
    "thin torus of 2500 points": (lambda rng: revolve(*angles(rng, 2500), 0.3), {"torus"}),
    "very thin torus": (lambda rng: revolve(*angles(rng, 2000), 0.2), {"torus"}),
    "sparse torus": (lambda rng: revolve(*angles(rng, 500), 0.36), {"torus"}),
    "torus with a narrow middle": (lambda rng: revolve(*angles(rng, 2000), 0.8), {"torus"}),
    "uneven torus": (lambda rng: np.hstack([unit(t) for t in rng.vonmises(0, 1.5, (2, 2000))]), {"torus"}),
    "very uneven torus": (lambda rng: np.hstack([unit(t) for t in rng.vonmises(0, 3.0, (2, 2000))]), {"torus"}),
    "cap": (cap, {"disc"}),
    "cap that nearly closes": (lambda rng: cap(rng, -0.7), {"disc"}),
    "thick ring": (thick_ring, {"circle"}),
    "noise in 50 dimensions": (lambda rng: embedded(unit(angles(rng, 1000)[0]), 50, 0.25, rng), {"circle"}),
    "long ellipse": (lambda rng: unit(angles(rng, 1000)[0]) * [10, 1], {"circle"}),
    "helix": (helix, {"disc", "other"}),
}


@pytest.mark.parametrize("name", MISTAKEN)
def test_a_cloud_that_was_once_mistaken_is_labelled_rightly_or_uncertain(name: str) -> None:
    draw, right = MISTAKEN[name]
    verdict = classify_manifold(draw(np.random.default_rng(0)))
    assert verdict.label in right | {"uncertain"}, verdict.missing


def test_a_loop_under_noise_in_many_dimensions_is_found_and_not_sure() -> None:
    rng = np.random.default_rng(3)
    verdict = classify_manifold(embedded(unit(angles(rng, 1000)[0]), 50, 0.25, rng))
    assert (verdict.label, verdict.doubtful) == ("circle", True)
    ball = classify_manifold(embedded(rng.normal(size=(1000, 2)), 50, 0.25, rng))
    assert ball.label != "circle" and ball.confidence < 0.9


def test_outliers_do_not_close_a_cap() -> None:
    cloud = draw_cloud("cap", np.random.default_rng(5), size=20_000, outliers=0.05, n_features=10)
    assert classify_manifold(cloud.X).label in {"disc", "uncertain"}


@pytest.mark.parametrize(("ratio", "seed"), [(0.3, 0), (0.5, 1), (0.7, 1)])
def test_a_torus_of_revolution_is_a_torus(ratio: float, seed: int) -> None:
    verdict = classify_manifold(revolve(*angles(np.random.default_rng(seed), 5000), ratio))
    assert (verdict.label, verdict.betti) == ("torus", (1, 2, 1))
    assert verdict.confidence > 0.9 and verdict.missing == ""


def test_a_torus_of_revolution_in_group_order_winds_once_around_each_input() -> None:
    verdict = classify_manifold(revolve(*pairs(59), 0.5), p=59)
    assert (verdict.label, verdict.winding_matrix) == ("torus", ((1, 0), (0, 1)))


def test_a_bowl_in_group_order_is_contractible() -> None:
    verdict = classify_manifold(bowl(31), p=31)
    assert verdict.label in {"disc", "uncertain"}
    assert verdict.confidence < 0.9


@pytest.mark.parametrize("shape", [*MORE_FREE_SHAPES, *MORE_GROUP_SHAPES])
def test_no_kind_is_sure_and_wrong(shape: str) -> None:
    rng = np.random.default_rng(77)
    group = shape in MORE_GROUP_SHAPES
    size = int(rng.choice([31, 59])) if group else int(rng.integers(300, 2500))
    cloud = draw_cloud(
        shape,
        rng,
        size=size,
        ratio=float(rng.uniform(0.2, 0.8)),
        sigma=float(rng.choice([0, 0.05, 0.1])),
        outliers=0.0 if group else float(rng.choice([0, 0.01, 0.05])),
        n_features=int(rng.choice([3, 20, 100])),
    )
    verdict = classify_manifold(cloud.X, p=cloud.p)
    assert verdict.label in {*cloud.right, "uncertain"} or verdict.confidence < 0.9
    assert verdict.doubtful == (verdict.missing != "")


@pytest.mark.parametrize("name", ["graph of a function", "cylinder with two axes"])
@pytest.mark.parametrize("seed", range(2))
def test_what_is_not_solid_in_all_its_dimensions_is_never_surely_solid(name: str, seed: int) -> None:
    cloud = draw_cloud(name, np.random.default_rng(seed), size=6000, sigma=0.1, n_features=4)
    verdict = classify_manifold(cloud.X)
    assert verdict.label in {*cloud.right, "uncertain"} or verdict.doubtful


def test_a_cloud_of_fewer_than_300_points_is_doubtful() -> None:
    verdict = classify_manifold(revolve(*angles(np.random.default_rng(0), 250), 0.5))
    assert verdict.doubtful and "more points" in verdict.missing
