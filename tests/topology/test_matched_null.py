"""Rotations keep what they promise; p-values without structure are uniform or larger; false discoveries are few."""

import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import topomod
from topomod.topology.kinds import TAU, unit
from topomod.topology.surrogates import Surrogates, frequency_blocks

P = 11


def pairs(p: int) -> tuple[np.ndarray, np.ndarray]:
    a, b = (grid.ravel() for grid in np.meshgrid(*2 * [TAU * np.arange(p) / p], indexing="ij"))
    return a, b


def power(X: np.ndarray, p: int, f: int) -> float:
    """Power at the multiples -1, 0, 1 of a frequency, by the discrete Fourier transform."""
    spectrum = np.abs(np.fft.fft2(X.reshape(p, p, -1), axes=(0, 1))) ** 2
    near = [(j * f % p, k * f % p) for j in (-1, 0, 1) for k in (-1, 0, 1) if (j, k) != (0, 0)]
    return float(sum(spectrum[place].sum() for place in near))


@settings(max_examples=20)
@given(seed=st.integers(0, 10**6), n=st.integers(5, 60), m=st.integers(1, 70))
def test_rotations_keep_mean_and_covariance(seed: int, n: int, m: int) -> None:
    rng = np.random.default_rng(seed)
    X = rng.standard_t(3, (n, m)) * rng.uniform(0, 3, m) + rng.normal(size=m)
    Y = Surrogates(X).draw(rng)
    np.testing.assert_allclose(Y.mean(axis=0), X.mean(axis=0), atol=1e-9)
    np.testing.assert_allclose(np.cov(Y.T), np.cov(X.T), atol=1e-9)
    assert np.abs(Y - X).max() > 1e-3


@pytest.mark.parametrize("p", [5, 8, P])
def test_rotations_in_group_order_keep_the_power_of_each_frequency(p: int) -> None:
    rng = np.random.default_rng(p)
    columns = frequency_blocks(p).reshape(p * p, -1)
    np.testing.assert_allclose(columns.T @ columns, np.eye(columns.shape[1]), atol=1e-12)
    a, b = pairs(p)
    X = np.hstack([3 * unit(2 * (a + b)), unit(a), rng.normal(size=(p * p, 4))])
    Y = Surrogates(X, p).draw(rng)
    np.testing.assert_allclose(np.cov(Y.T), np.cov(X.T), atol=1e-9)
    for f in range(1, (p + 1) // 2):
        assert power(Y, p, f) == pytest.approx(power(X, p, f))
    spectrum = np.abs(np.fft.fft2(Y.reshape(p, p, -1), axes=(0, 1)))
    if p != 8:  # of the frequency that is a + b alone in X, each of the four kinds now has a part
        assert min(spectrum[2, 0].max(), spectrum[0, 2].max(), spectrum[2, 2].max(), spectrum[2, p - 2].max()) > 1e-3


def test_a_rotation_of_a_gaussian_cloud_is_as_likely_as_the_cloud() -> None:
    """Fourth moments, which no rule keeps: those of rotations are those of Gaussian clouds."""
    rng = np.random.default_rng(0)
    clouds = [rng.normal(size=(40, 2)) for _ in range(300)]
    own = [np.mean(stats.zscore(X) ** 4) for X in clouds]
    rotated = [np.mean(stats.zscore(Surrogates(X).draw(rng)) ** 4) for X in clouds]
    assert stats.ks_2samp(own, rotated).pvalue > 0.01


def uniform_disc(rng: np.random.Generator) -> np.ndarray:
    return np.sqrt(rng.uniform(size=80))[:, None] * unit(TAU * rng.uniform(size=80))


# the p-values of Gaussian clouds are exact, those of others are as measured in docs/verdicts.md
STRUCTURELESS = {
    "Gaussian, flat": (lambda rng: (rng.normal(size=(40, 2)) * [1, 0.6], None), True),
    "Gaussian, of three features": (lambda rng: (rng.normal(size=(40, 3)), None), True),
    "noise in group order": (lambda rng: (rng.normal(size=(49, 2)), 7), True),
    "uniform on a disc": (lambda rng: (uniform_disc(rng), None), False),
    "heavy-tailed": (lambda rng: (rng.standard_t(5, (60, 2)), None), False),
}


@pytest.mark.parametrize("kind", STRUCTURELESS)
def test_p_values_of_structureless_clouds_are_not_too_small(kind: str) -> None:
    draw, exact = STRUCTURELESS[kind]
    rng = np.random.default_rng(1)
    p_values = []
    for seed in range(60):
        X, p = draw(rng)
        p_values.append(topomod.matched_null(X, p, n_draws=19, seed=seed).p_value)
    if exact:  # the one-sided Kolmogorov-Smirnov test, on the side that is an error
        assert stats.kstest(p_values, "uniform", alternative="greater").pvalue > 0.01
    assert np.mean(np.array(p_values) <= 0.05) <= 0.2


def noisy_circle(rng: np.random.Generator) -> np.ndarray:
    return np.pad(unit(TAU * rng.uniform(size=80)), ((0, 0), (0, 3))) + 0.15 * rng.normal(size=(80, 5))


A, B = pairs(P)
LOOPS = {
    "circle": lambda rng: (noisy_circle(rng), None),
    "circle, in another unit": lambda rng: (1e-250 * noisy_circle(rng), None),
    "two loops": lambda rng: (np.vstack([unit(TAU * rng.uniform(size=60)) + [side, 0] for side in (-1, 1)]), None),
    "circle a + b": lambda rng: (unit(A + B) + 0.1 * rng.normal(size=(P * P, 2)), P),
    "torus": lambda rng: (np.hstack([unit(2 * A), unit(2 * B)]) + 0.05 * rng.normal(size=(P * P, 4)), P),
}


@pytest.mark.parametrize("kind", LOOPS)
def test_p_values_of_loops_are_as_small_as_they_can_be(kind: str) -> None:
    X, p = LOOPS[kind](np.random.default_rng(0))
    found = topomod.matched_null(X, p, n_draws=29)
    assert found.p_value == 1 / 30 and len(found.draws) == 29 and found.clearness > found.draws.max()


def test_draws_stop_where_ten_have_a_loop_as_clear() -> None:
    X = np.random.default_rng(0).normal(size=(60, 2))
    found = topomod.matched_null(X, n_draws=500, seed=3)
    assert len(found.draws) < 500 and np.sum(found.draws >= found.clearness) == 10
    assert found.p_value == 10 / len(found.draws) and found.draws[-1] >= found.clearness
    again = topomod.matched_null(X, n_draws=500, seed=3)
    np.testing.assert_array_equal(again.draws, found.draws)


def test_the_share_of_false_discoveries_is_kept() -> None:
    rng = np.random.default_rng(5)
    clouds = [noisy_circle(rng) if place % 4 == 0 else rng.normal(size=(40, 2)) for place in range(60)]
    found = topomod.find_loops(clouds, level=0.2, n_draws=39)
    real = np.arange(60) % 4 == 0
    assert found.found[real].mean() > 0.9
    # 15 are real, so that about 4 false ones are allowed on average; three standard deviations more
    assert found.found[~real].sum() <= 10
    np.testing.assert_array_equal(found.found, found.p_adjusted <= 0.2)
    ranked = np.sort(found.p_values)
    by_hand = ranked <= 0.2 * np.arange(1, 61) / 60
    assert found.found.sum() == by_hand.nonzero()[0].max() + 1
    assert found.least_share == pytest.approx(1 / 8)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda X: topomod.matched_null(X * np.nan), "^X must be finite"),
        (lambda X: topomod.matched_null(X[:8]), "^X must have at least 10 distinct points, found 8$"),
        (lambda X: topomod.matched_null(X * 0), "^X must have at least 10 distinct points, found 1$"),
        (lambda X: topomod.matched_null(X, n_draws=9), "^n_draws is 9; it must be a whole number, at least 19$"),
        (
            lambda X: inspect.unwrap(topomod.matched_null)(X, n_draws="99"),
            "^n_draws is '99'; it must be a whole number",
        ),
        (lambda X: inspect.unwrap(topomod.find_loops)([X], level="5%"), "^level is '5%'; it must be a number strictly"),
        (lambda X: topomod.find_loops([X], level=1.5), "^level is 1.5; it must be a number strictly between 0 and 1$"),
        (lambda X: topomod.find_loops([]), "^clouds is empty"),
        (lambda X: topomod.find_loops([X, X * np.inf]), "^clouds\\[1\\]: X must be finite"),
    ],
)
def test_what_cannot_be_tested_is_refused_in_a_sentence(call, match: str) -> None:
    with pytest.raises(ValueError, match=match), np.errstate(invalid="ignore"):
        call(np.random.default_rng(0).normal(size=(30, 2)))
