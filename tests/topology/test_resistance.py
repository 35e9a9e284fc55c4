"""Resistances of graphs that one can solve by hand, components above noise, and a loop in noise of many features."""

import numpy as np
import pytest

import topomod
from topomod.topology.kinds import TAU, unit
from topomod.topology.noise_floor import n_above_noise, noise_variances
from topomod.topology.resistance import resistance_distances, resistance_loops


def corrected(resistance: float, degree: tuple[int, int], joined: bool) -> float:
    return resistance - 1 / degree[0] - 1 / degree[1] + 2 * joined / (degree[0] * degree[1])


def test_resistances_on_a_cycle_are_those_of_two_ways_in_parallel() -> None:
    n = 12
    found = resistance_distances(unit(TAU * np.arange(n) / n), 2)
    for steps in range(1, n):
        expected = corrected(steps * (n - steps) / n, (2, 2), steps in (1, n - 1))
        np.testing.assert_allclose(np.diag(found, steps), expected, atol=1e-9)
    assert not np.diag(found).any()


def test_resistances_in_a_complete_graph_are_equal() -> None:
    found = resistance_distances(np.random.default_rng(0).normal(size=(7, 3)), 6)
    np.testing.assert_allclose(found[~np.eye(7, dtype=bool)], corrected(2 / 7, (6, 6), True), atol=1e-12)


def test_no_current_flows_between_parts() -> None:
    circles = np.vstack([unit(TAU * np.arange(30) / 30) + [side, 0] for side in (0, 9)])
    found = resistance_distances(circles, 2)
    assert np.isinf(found[:30, 30:]).all() and np.isfinite(found[:30, :30]).all()
    assert len(resistance_loops(circles, 2)) == 1
    with pytest.raises(ValueError, match="X has 5 points; between 6 and 2000 can be used"):
        resistance_distances(circles[:5], 5)


def noisy_circle(seed: int, n: int = 1000, n_features: int = 50, sigma: float = 0.25) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    angle = TAU * rng.uniform(size=n)
    return np.pad(unit(angle), ((0, 0), (0, n_features - 2))) + sigma * rng.normal(size=(n, n_features)), angle


def test_components_above_noise_are_counted() -> None:
    rng = np.random.default_rng(0)
    for k in range(5):
        X = np.pad(rng.normal(size=(600, k)), ((0, 0), (0, 30 - k))) + 0.3 * rng.normal(size=(600, 30))
        assert n_above_noise(X) == k
    assert n_above_noise(X[:, :19]) == n_above_noise(X[:30]) == 0
    variances = np.linalg.eigvalsh(np.cov(rng.normal(size=(4000, 1000)).T))
    median, edge = noise_variances(0.25)
    assert np.median(variances) == pytest.approx(median, rel=0.02) and variances.max() == pytest.approx(edge, rel=0.03)


def test_noise_in_fifty_features_hides_no_angle() -> None:
    X, angle = noisy_circle(0)
    found = topomod.circular_coordinates(X)
    assert max(abs(np.mean(np.exp(1j * (TAU * found.turns[0] + sign * angle)))) for sign in (1, -1)) > 0.95
    assert topomod.matched_null(X, n_draws=19).p_value == 0.05
