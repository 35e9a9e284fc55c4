"""Circular coordinates recover known angles; winding matrices recover known changes of basis."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topomod.topology.coordinates import (
    alpha_coordinates,
    alpha_winding_matrix,
    determinant,
    rips_coordinates,
    winding_matrix,
)

TAU = 2 * np.pi


def unit(angle: np.ndarray) -> np.ndarray:
    return np.column_stack([np.cos(angle), np.sin(angle)])


def pairs(p: int, frequency: int) -> tuple[np.ndarray, np.ndarray]:
    angle = TAU * frequency * np.arange(p) / p
    a, b = np.meshgrid(angle, angle, indexing="ij")
    return a.ravel(), b.ravel()


def test_a_circle_gets_its_own_angle() -> None:
    rng = np.random.default_rng(0)
    angle = TAU * (np.arange(120) + rng.uniform(0, 0.5, 120)) / 120
    points = unit(angle) + 0.02 * rng.normal(size=(120, 2))
    for coordinates, bars in (rips_coordinates(points, 1), alpha_coordinates(points, 1)):
        assert coordinates.shape == (1, 120) and bars.shape == (1, 2)
        assert bars[0, 1] > 5 * bars[0, 0]
        # equal to the angle up to sign, shift and smoothing: together they never drift apart
        drift = [np.abs(np.mean(np.exp(1j * (TAU * coordinates[0] + sign * angle)))) for sign in (1, -1)]
        assert max(drift) > 0.98


def test_fewer_classes_than_asked_for() -> None:
    line = np.column_stack([np.linspace(0, 1, 30), np.zeros(30)])
    coordinates, bars = rips_coordinates(line, 2)
    assert coordinates.shape[0] == len(bars) < 2 or np.ptp(bars, axis=1).max() < 0.1


@settings(max_examples=6)
@given(frequency=st.integers(1, 11), seed=st.integers(0, 99))
def test_windings_of_a_torus_under_a_change_of_basis(frequency: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    p = 23
    a, b = pairs(p, frequency)
    torus = np.column_stack([unit(a + rng.uniform(0, TAU)), unit(b)])
    rotation = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    found = winding_matrix(torus @ rotation, p, frequency, 2)
    assert found is not None and abs(determinant(found)) == 1
    doubled = winding_matrix(np.column_stack([unit(a + b), unit(a - b)]), p, frequency, 2)
    assert doubled is not None and abs(determinant(doubled)) == 2


@pytest.mark.parametrize(("turns", "found"), [((1, 1), (1, 1)), ((1, 0), (1, 0)), ((0, 1), (0, 1)), ((1, -1), (1, -1))])
def test_which_angle_a_circle_carries(turns: tuple[int, int], found: tuple[int, int]) -> None:
    a, b = pairs(31, 4)
    angle = turns[0] * a + turns[1] * b
    curved = np.column_stack([unit(angle), 0.5 * unit(2 * angle)])
    assert winding_matrix(curved, 31, 4, 1) == (found,)


def test_no_loop_no_winding() -> None:
    a, b = pairs(23, 3)
    assert winding_matrix(np.column_stack([unit(a), np.zeros((529, 2))]), 23, 3, 2) is None


@pytest.mark.parametrize("ratio", [0.3, 0.5])
def test_the_loops_of_a_torus_in_space_are_found_at_the_resolution_of_all_points(ratio: float) -> None:
    a, b = pairs(41, 3)
    points = np.column_stack([(1 + ratio * np.cos(b))[:, None] * unit(a), ratio * np.sin(b)])
    jittered = points + 1e-3 * np.random.default_rng(0).normal(size=points.shape)
    assert alpha_winding_matrix(points, jittered, 41, 3, 2) == ((1, 0), (0, 1))
