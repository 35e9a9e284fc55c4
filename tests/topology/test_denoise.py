"""Preparing clouds: what is kept, what is called noise, and what no longer matters afterwards."""

import numpy as np
import pytest

from topomod.topology.denoise import (
    dominant_frequency,
    harmonic_denoise,
    merge_points,
    neighbour_denoise,
    prepare_cloud,
)
from topomod.topology.winding import winding_numbers


def angles(p: int, frequency: int = 1) -> tuple[np.ndarray, np.ndarray]:
    angle = 2 * np.pi * frequency * np.arange(p) / p
    a, b = np.meshgrid(angle, angle, indexing="ij")
    return a.ravel(), b.ravel()


def disc_neurons(p: int, frequency: int, n_neurons: int, rng: np.random.Generator) -> np.ndarray:
    a, b = angles(p, frequency)
    phase = rng.uniform(0, 2 * np.pi, n_neurons)
    return np.cos(a[:, None] + phase) + np.cos(b[:, None] + phase)


@pytest.mark.parametrize("p", [31, 59])
@pytest.mark.parametrize("frequency", [1, 7, 15])
def test_harmonic_denoise_finds_the_frequency_and_the_noise(p, frequency):
    rng = np.random.default_rng(frequency)
    clean = disc_neurons(p, frequency, 40, rng)
    cloud = harmonic_denoise(clean + 0.1 * rng.normal(size=clean.shape), p)
    assert cloud.frequency == frequency
    assert cloud.share == pytest.approx(1.0, abs=0.02)
    scale = np.abs(clean).max()
    np.testing.assert_allclose(cloud.noise[:2] * scale, 0.1, rtol=0.25)


def test_harmonic_denoise_takes_noise_away_and_leaves_a_clean_cloud_alone():
    rng = np.random.default_rng(0)
    clean = disc_neurons(59, 7, 40, rng)
    exact = harmonic_denoise(clean, 59).coordinates[::20, :2]
    centred = clean - clean.mean(0)
    scores = (centred @ np.linalg.eigh(centred.T @ centred)[1][:, -2:])[::20]
    # same plane, any basis of it: the Gram matrices agree up to one scale
    gram, expected = exact @ exact.T, scores @ scores.T
    np.testing.assert_allclose(gram / np.trace(gram), expected / np.trace(expected), atol=1e-8)

    noisy = harmonic_denoise(clean + 0.3 * rng.normal(size=clean.shape), 59)
    residual = harmonic_denoise(clean, 59).coordinates[:, :2]
    rotation, scale = _procrustes(noisy.coordinates[:, :2], residual)
    error = np.std(noisy.coordinates[:, :2] @ rotation * scale - residual)
    assert error / scale < 0.5 * noisy.noise[:2].mean()  # 441 of 3481 coefficients are kept: a factor .36


def _procrustes(x, y):
    u, s, vt = np.linalg.svd(x.T @ y)
    return u @ vt, s.sum() / np.sum(x**2)


def test_share_counts_other_frequencies_but_not_white_noise():
    rng = np.random.default_rng(3)
    one, other = disc_neurons(59, 7, 40, rng), disc_neurons(59, 12, 40, rng)
    assert harmonic_denoise(one + other, 59).share == pytest.approx(0.5, abs=0.05)
    assert harmonic_denoise(one + rng.normal(size=one.shape), 59).share > 0.85


def test_dominant_frequency_sees_second_order_power():
    a, b = angles(13, 4)
    power = np.abs(np.fft.fft2(np.cos(a + b).reshape(13, 13), norm="forward")) ** 2
    assert dominant_frequency(power) == (4, pytest.approx(1.0))


def test_half_frequency_of_even_p_is_not_counted_twice():
    power = np.zeros((8, 8))
    power[4, 0] = 1.0
    assert dominant_frequency(power) == (4, pytest.approx(1.0))


def test_denoised_rows_stay_in_group_order():
    a, b = angles(31, 5)
    cloud = harmonic_denoise(np.column_stack([np.cos(a + b), np.sin(a + b)]), 31)
    z = (cloud.coordinates[:, 0] + 1j * cloud.coordinates[:, 1]).reshape(31, 31)
    assert winding_numbers(z).winding in {(5, 5), (-5, -5)}


def test_neighbour_denoise_pulls_noise_off_a_circle():
    rng = np.random.default_rng(4)
    t = rng.uniform(0, 2 * np.pi, 3000)
    circle = np.column_stack([np.cos(t), np.sin(t), np.zeros((3000, 6))])
    cloud = neighbour_denoise(circle + 0.05 * rng.normal(size=circle.shape))
    radius = np.linalg.norm(cloud.coordinates, axis=1)
    assert radius.std() / radius.mean() < 0.04  # .05 before
    scale = np.abs(circle + 0).max() / 1.2  # divided by the largest entry, noise included
    assert cloud.noise[0] == pytest.approx(0.05 * scale, rel=0.2)
    assert cloud.frequency is None
    assert cloud.share is None


def test_merge_points_keeps_one_of_each():
    points = np.repeat(np.random.default_rng(6).normal(size=(20, 3)).round(2), 4, axis=0)
    merged = merge_points(points + 1e-6)
    assert len(merged) == 20
    np.testing.assert_allclose(merged, points[::4] + 1e-6)


def test_prepared_cloud_is_white_and_of_unit_size():
    a, b = angles(31)
    X = np.column_stack([3 * np.cos(a), 3 * np.sin(a), 2 * np.cos(b), 2 * np.sin(b)])
    cloud = prepare_cloud(X, 31, rng=np.random.default_rng(0))
    assert (cloud.rank, cloud.fine_rank) == (4, 4)
    np.testing.assert_allclose(cloud.rows.T @ cloud.rows / len(X), np.eye(4) / 4, atol=1e-6)
    assert np.sqrt(np.mean(np.sum(cloud.rows**2, axis=1))) == pytest.approx(1)
    assert cloud.third_ratio == pytest.approx(4 / 9, rel=1e-4)


def test_tau_sets_the_scale_of_the_answer():
    a, b = angles(31)
    X = np.column_stack([np.cos(a), np.sin(a), 0.25 * np.cos(b), 0.25 * np.sin(b)])  # variance ratio .0625
    cloud = prepare_cloud(X, 31, rng=np.random.default_rng(0))
    assert (cloud.rank, cloud.fine_rank, cloud.points.shape[1]) == (2, 4, 2)
    assert prepare_cloud(X, 31, tau=0.05, rng=np.random.default_rng(0)).rank == 4
