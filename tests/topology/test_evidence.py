"""Each kind of evidence is found on the shape it belongs to, and on no other."""

import numpy as np
import pytest

from topomod.topology.complexes import alpha_diagrams
from topomod.topology.coordinates import alpha_coordinates, rips_coordinates
from topomod.topology.evidence import (
    SOLID,
    circle_fibres,
    closing_gap,
    fibre_kind,
    fills_its_dimensions,
    hull_gap,
    is_round,
    local_solidity,
    local_width,
    n_clusters,
    torus_cover,
)
from topomod.topology.filling import fill_gaps
from topomod.topology.kinds import TAU, unit
from topomod.topology.more_kinds import revolve
from topomod.topology.shapes import draw_cloud


def shape(name: str, n: int, seed: int = 0, **kwargs: float) -> np.ndarray:
    cloud = draw_cloud(name, np.random.default_rng(seed), size=n, n_features=1, **kwargs)
    X = cloud.X - cloud.X.mean(axis=0)
    return X / np.sqrt(np.mean(np.sum(X**2, axis=1))) + 1e-4 * np.random.default_rng(1).normal(size=X.shape)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("cylinder", "contractible"),
        ("Moebius band", "contractible"),
        ("torus", "tubular"),
        ("sphere and loop", "void"),
    ],
)
def test_arcs_of_a_circle_are_contractible(name: str, kind: str, rng: np.random.Generator) -> None:
    points = shape(name, 1200, ratio=0.5)[:, :4]
    fibres = circle_fibres(points, alpha_coordinates(points, 1).turns[0], rng)
    assert fibres.kind == kind


def test_arcs_of_a_circle_times_a_sphere_hold_a_void(rng: np.random.Generator) -> None:
    points = shape("circle times sphere", 2000)
    fibres = circle_fibres(points, np.arctan2(points[:, 1], points[:, 0]) / TAU % 1, rng)
    assert rips_coordinates(points[:300], 1).turns.shape == (1, 300)
    assert fibres.kind != "contractible"


def test_few_points_resolve_nothing(rng: np.random.Generator) -> None:
    assert fibre_kind(rng.normal(size=(20, 3)), rng) == "unresolved"
    assert fibre_kind(rng.normal(size=(200, 3)) * [1, 0.01, 0.01], rng) == "contractible"


def test_two_coordinates_cover_a_torus_and_not_a_wedge() -> None:
    torus, wedge, three = (shape(name, 1200) for name in ("torus", "skew figure eight", "3-torus"))
    assert torus_cover(torus, alpha_coordinates(torus, 2).turns).confirms
    assert torus_cover(wedge, alpha_coordinates(wedge, 2).turns).share < 0.5
    turns = np.array([np.arctan2(three[:, 2 * i + 1], three[:, 2 * i]) / TAU % 1 for i in range(2)])
    assert not torus_cover(three, turns).confirms  # onto, but a circle lies over each cell


@pytest.mark.parametrize("outliers", [0.0, 0.05])
def test_clusters_are_seen_among_outliers(outliers: float, rng: np.random.Generator) -> None:
    assert n_clusters(shape("clusters on a ring", 1000, outliers=outliers), rng) > 1
    assert n_clusters(shape("uneven circle", 1000, outliers=outliers), rng) == 1
    assert n_clusters(shape("disc", 1000, outliers=outliers), rng) == 1


@pytest.mark.parametrize("outliers", [0.0, 0.05])
def test_an_arc_closes_over_a_gap(outliers: float) -> None:
    gaps = {}
    for name in ("circle", "uneven circle", "arc"):
        points = shape(name, 1000, outliers=outliers)
        gaps[name] = closing_gap(alpha_diagrams(points, 1), 1)
    assert max(gaps["circle"], gaps["uneven circle"]) < 5 and gaps["arc"] > 8


def test_a_cap_closes_over_its_rim(rng: np.random.Generator) -> None:
    sphere = shape("sphere", 2500)
    cap = sphere[sphere[:, 2] > -0.6]
    voids = [closing_gap(alpha_diagrams(fill_gaps(points, rng), 2), 1, 2) for points in (sphere, cap)]
    assert voids[0] < 4 < voids[1]


@pytest.mark.parametrize("n", [800, 4000])
def test_a_product_of_a_circle_and_a_plane_fills_three_of_four_dimensions(n: int, rng: np.random.Generator) -> None:
    plane = rng.uniform(0.5, 1) * rng.normal(size=(n, 2))
    assert not fills_its_dimensions(np.hstack([unit(TAU * rng.uniform(size=n)), plane]), rng)
    assert fills_its_dimensions(rng.normal(size=(n, 4)), rng)
    assert fills_its_dimensions(rng.uniform(-1, 1, size=(n, 4)), rng)


def test_solid_flat_and_thin(rng: np.random.Generator) -> None:
    assert local_solidity(shape("blob", 1500), rng) > SOLID > local_solidity(shape("saddle", 1500, sigma=0.08), rng)
    assert local_width(shape("helix", 1500), rng) < 0.05 < local_width(shape("saddle", 1500), rng)
    assert hull_gap(shape("disc", 1500), rng) < 0.4 < hull_gap(shape("arc", 1500), rng)


def test_a_sphere_is_seen_once_in_all_directions(rng: np.random.Generator) -> None:
    assert is_round(shape("sphere", 1000), rng) and is_round(shape("cube surface", 1000), rng)
    assert not is_round(shape("torus of revolution", 2000, ratio=0.8), rng)
    assert not is_round(shape("cap", 1000), rng)


@pytest.mark.parametrize("ratio", [0.5, 0.7])
def test_gaps_of_a_sample_are_filled_and_holes_are_not(ratio: float, rng: np.random.Generator) -> None:
    u, v = TAU * rng.uniform(size=(2, 1500))
    points = revolve(u, v, ratio) + 1e-3 * rng.normal(size=(1500, 3))
    filled = fill_gaps(points, rng)
    before, after = (alpha_diagrams(cloud, 1)[1] for cloud in (points, filled))
    lengths = [np.sort(bars[:, 1] - bars[:, 0])[::-1] for bars in (before, after)]
    # the loop through the middle dies where its hole is filled, at 1 - ratio; gaps die before
    assert lengths[1][1] > 0.6 * (1 - ratio)
    assert lengths[1][2] < lengths[0][2]
    assert len(filled) > len(points)
    on_torus = np.hypot(np.hypot(filled[:, 0], filled[:, 1]) - 1, filled[:, 2])
    assert np.quantile(np.abs(on_torus - ratio), 0.95) < 0.1


def test_turns_of_a_known_circle(rng: np.random.Generator) -> None:
    angle = TAU * rng.uniform(size=500)
    assert circle_fibres(unit(angle), angle / TAU, rng) == (True, "contractible")
    half = angle[angle < np.pi]
    assert not circle_fibres(unit(half), half / TAU, rng).covers
