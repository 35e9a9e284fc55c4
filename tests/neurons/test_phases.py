import numpy as np
import pytest

from topomod.neurons.phases import argmax_pairs, centroid_pairs, torus_distance


def test_argmax_of_simple_neurons_is_where_both_cosines_peak() -> None:
    p, f = 59, 7
    a, b = np.meshgrid(np.arange(p), np.arange(p), indexing="ij")
    peaks = np.array([[0, 0], [10, 52], [58, 1]])
    neurons = np.stack(
        [np.cos(2 * np.pi * f * (a - u) / p) + np.cos(2 * np.pi * f * (b - v) / p) for u, v in peaks], axis=-1
    )
    assert np.array_equal(argmax_pairs(neurons, 1), peaks)
    assert np.array_equal(argmax_pairs(neurons, f), peaks * f % p)
    assert np.allclose((centroid_pairs(neurons, f) - peaks * f + p / 2) % p, p / 2, atol=1e-6)


def test_centroids_move_with_the_phase_between_the_pairs() -> None:
    p = 59
    a, b = np.meshgrid(np.arange(p), np.arange(p), indexing="ij")
    wave = np.cos(2 * np.pi * (a - 3.3) / p) + np.cos(2 * np.pi * (b - 40.75) / p)
    assert np.allclose(centroid_pairs(wave[:, :, None]), [[3.3, 40.75]], atol=0.02)


def test_torus_distance_by_breadth_first_search() -> None:
    p = 7
    pairs = np.stack(np.meshgrid(np.arange(p), np.arange(p), indexing="ij"), -1).reshape(-1, 2)
    steps = {(a, a): 0 for a in range(p)}
    frontier = list(steps)
    while frontier:
        reached = []
        for a, b in frontier:
            for neighbour in (((a + 1) % p, b), ((a - 1) % p, b), (a, (b + 1) % p), (a, (b - 1) % p)):
                if neighbour not in steps:
                    steps[neighbour] = steps[a, b] + 1
                    reached.append(neighbour)
        frontier = reached
    assert np.array_equal(torus_distance(pairs, p), [steps[a, b] for a, b in pairs])
    full = np.stack(np.meshgrid(np.arange(59), np.arange(59), indexing="ij"), -1).reshape(-1, 2)
    assert torus_distance(full, 59).mean() == pytest.approx(14.7458, abs=1e-4)
