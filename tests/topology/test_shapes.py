"""Labelled clouds are what they are said to be."""

import numpy as np
import pytest

from topomod.topology.shapes import FREE_SHAPES, GROUP_SHAPES, NOISES, add_noise, draw_cloud


@pytest.mark.parametrize("shape", [*GROUP_SHAPES, *FREE_SHAPES])
def test_the_generator_decides_and_the_unit_is_free(shape: str) -> None:
    size = 23 if shape in GROUP_SHAPES else 400
    clouds = [draw_cloud(shape, np.random.default_rng(5), size=size, ratio=0.5, sigma=0.05) for _ in range(2)]
    np.testing.assert_array_equal(clouds[0].X, clouds[1].X)
    assert clouds[0].X.shape[0] == (529 if shape in GROUP_SHAPES else 400)
    assert clouds[0].p == (23 if shape in GROUP_SHAPES else None)
    assert clouds[0].in_scope


def test_holes_are_measured_before_noise() -> None:
    rng = np.random.default_rng(0)
    annulus = draw_cloud("unequal vector sum", rng, size=59, ratio=0.5, sigma=0.1)
    c = 1 / 3  # amplitudes 1 and c make an annulus of radii 1 - c and 1 + c
    assert annulus.hole == pytest.approx((1 - c) / np.sqrt(1 + c**2), abs=0.01)
    assert draw_cloud("vector sum", rng, size=59).hole == 0
    assert draw_cloud("annulus", rng, size=4000, ratio=0.5).hole == pytest.approx(0.5 / np.sqrt(0.625), abs=0.02)


@pytest.mark.parametrize(
    ("ratio", "sigma", "inside"), [(0.5, 0.05, True), (0.1, 0.0, False), (0.5, 0.2, False), (0.2, 0.1, False)]
)
def test_scope(ratio: float, sigma: float, inside: bool) -> None:
    cloud = draw_cloud("annulus", np.random.default_rng(0), size=2000, ratio=ratio, sigma=sigma)
    assert cloud.in_scope is inside


@pytest.mark.parametrize("kind", NOISES)
def test_noise_has_the_strength_asked_for_in_its_strongest_direction(kind: str) -> None:
    points = np.random.default_rng(0).normal(size=(20_000, 2))
    clean = add_noise(points, 0.0, 16, kind, np.random.default_rng(1))
    noisy = add_noise(points, 0.1, 16, kind, np.random.default_rng(1))
    np.testing.assert_allclose(clean @ clean.T[:, :5], points @ points.T[:, :5], atol=1e-9)
    strengths = np.sqrt(np.linalg.eigvalsh(np.cov((noisy - clean).T)))
    assert strengths.max() == pytest.approx(0.1, rel=0.05)


def test_unknown_shapes_are_refused() -> None:
    with pytest.raises(KeyError):
        draw_cloud("teapot", np.random.default_rng(0), size=100)
