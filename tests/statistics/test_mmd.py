import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from topomod.statistics.kernels import TORUS_BANDWIDTHS, gaussian_mixture, network_kernel, torus_embedding
from topomod.statistics.mmd import half_split_margin, mmd, mmd_equivalence_test

quick = settings(max_examples=10, deadline=None)
WIDTHS = (0.5, 2.0)


def networks(seed, n, spread=0.3, uniform_share=0.0, rows=15):
    """Phases (a, b) of n networks, each near the diagonal or, by ``uniform_share``, anywhere; and labels."""
    rng = np.random.default_rng(seed)
    a = rng.uniform(0, 2 * np.pi, (n, rows))
    near = a + rng.normal(0, 0.2, (n, 1)) + spread * rng.normal(size=(n, rows))
    anywhere = rng.uniform(0, 2 * np.pi, (n, rows))
    b = np.where(rng.random((n, 1)) < uniform_share, anywhere, near)
    phases = np.stack([a.ravel(), b.ravel()], axis=1)
    return torus_embedding(phases), np.repeat(np.arange(n), rows)


def test_unbiased_estimate_closed_form_without_clusters():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(9, 3)), rng.normal(0.5, 1, (12, 3))
    k_xx, k_yy, k_xy = (
        gaussian_mixture(cdist(one, other, "sqeuclidean"), WIDTHS) for one, other in ((x, x), (y, y), (x, y))
    )
    expected = (k_xx.sum() - 9) / 72 + (k_yy.sum() - 12) / 132 - 2 * k_xy.mean()
    assert mmd(x, y, bandwidths=WIDTHS, squared=True) == pytest.approx(expected, abs=1e-12)
    assert mmd(x, y, bandwidths=WIDTHS) == pytest.approx(math.sqrt(max(0, expected)), abs=1e-12)


def test_mmd_of_two_gaussians():
    # E k of two Gaussians of variance 1 and a mean difference d: exp(-d^2 / (2 (s^2 + 2))) s / sqrt(s^2 + 2).
    rng = np.random.default_rng(1)
    expected = 2 * math.sqrt(1 / 3) * (1 - math.exp(-1 / 6))
    estimate = mmd(rng.normal(size=800), rng.normal(1, 1, 800), bandwidths=(1.0,), squared=True)
    assert estimate == pytest.approx(expected, rel=0.25)


def test_estimate_is_unbiased_over_networks():
    estimates = [mmd(*pair_of(seed), TORUS_BANDWIDTHS, squared=True) for seed in range(200)]
    assert abs(np.mean(estimates)) < 3.5 * np.std(estimates) / math.sqrt(200)


def pair_of(seed, n=8, **different):
    (x, clusters_x), (y, clusters_y) = (
        networks(2 * seed, n, rows=6),
        networks(2 * seed + 1, n, rows=6, **different),
    )
    return x, y, clusters_x, clusters_y


def test_network_kernel_is_the_mean_over_rows():
    rows, index = networks(0, 4, rows=5)
    kernel, _ = network_kernel(rows, index, WIDTHS)
    full = gaussian_mixture(cdist(rows, rows, "sqeuclidean"), WIDTHS)
    assert kernel == pytest.approx(full.reshape(4, 5, 4, 5).mean(axis=(1, 3)))


def test_network_kernel_in_blocks(monkeypatch):
    rows, index = networks(0, 4, rows=5)
    whole, _ = network_kernel(rows, index, None)
    monkeypatch.setattr("topomod.statistics.kernels._BLOCK", 60)
    assert network_kernel(rows, index, None)[0] == pytest.approx(whole)


@pytest.mark.parametrize("bandwidths", [None, TORUS_BANDWIDTHS])
def test_repeating_rows_changes_nothing(bandwidths):
    x, y, clusters_x, clusters_y = pair_of(3, uniform_share=0.5)
    plain = mmd_equivalence_test(x, y, 0.3, clusters_x, clusters_y, bandwidths=bandwidths)
    order = np.random.default_rng(0).permutation(2 * len(x))
    repeated = mmd_equivalence_test(
        np.tile(x, (2, 1))[order], y, 0.3, np.tile(clusters_x, 2)[order], clusters_y, bandwidths=bandwidths
    )
    assert (repeated.n_x, repeated.n_y) == (plain.n_x, plain.n_y) == (8, 8)
    assert repeated.squared == pytest.approx(plain.squared, abs=1e-12)
    assert repeated.ci_high == pytest.approx(plain.ci_high)
    assert (repeated.p_equivalence, repeated.p_difference) == (plain.p_equivalence, plain.p_difference)


@given(seed=st.integers(0, 50))
@quick
def test_exchanging_the_samples(seed):
    x, y, clusters_x, clusters_y = pair_of(seed, uniform_share=0.3)
    assert mmd(x, y, clusters_x, clusters_y) == pytest.approx(mmd(y, x, clusters_y, clusters_x), abs=1e-7)


@given(seed=st.integers(0, 50), scale=st.floats(0.1, 10), shift=st.floats(-5, 5))
@quick
def test_median_bandwidths_follow_shift_and_scale(seed, scale, shift):
    x, y, clusters_x, clusters_y = pair_of(seed)
    moved = mmd(scale * x + shift, scale * y + shift, clusters_x, clusters_y, squared=True)
    assert moved == pytest.approx(mmd(x, y, clusters_x, clusters_y, squared=True), abs=1e-9)


@given(turn=st.floats(-10, 10))
@quick
def test_the_torus_has_no_preferred_phase(turn):
    rng = np.random.default_rng(0)
    a, b = rng.vonmises(0, 1, (2, 20, 2))
    turned = mmd(torus_embedding(a + turn), torus_embedding(b + turn), bandwidths=TORUS_BANDWIDTHS, squared=True)
    still = mmd(torus_embedding(a), torus_embedding(b), bandwidths=TORUS_BANDWIDTHS, squared=True)
    assert turned == pytest.approx(still, abs=1e-10)


def test_controls():
    x, y, clusters_x, clusters_y = pair_of(0, n=40)
    same = mmd_equivalence_test(x, y, 0.15, clusters_x, clusters_y, bandwidths=TORUS_BANDWIDTHS)
    assert same.verdict == "equivalent"
    assert same.difference <= same.ci_high == same.minimum_margin < 0.15
    x, y, clusters_x, clusters_y = pair_of(0, n=40, uniform_share=1.0)
    other = mmd_equivalence_test(x, y, 0.15, clusters_x, clusters_y, bandwidths=TORUS_BANDWIDTHS)
    assert other.verdict == "different"
    assert 0.15 < other.ci_low < other.difference < other.ci_high
    wide = mmd_equivalence_test(x, y, 0.9, clusters_x, clusters_y, bandwidths=TORUS_BANDWIDTHS)
    assert wide.verdict == "trivially different"


def test_a_sample_against_itself():
    x, clusters = networks(0, 40)
    result = mmd_equivalence_test(x, x, 0.15, clusters, clusters, bandwidths=TORUS_BANDWIDTHS)
    assert (result.difference, result.verdict) == (0.0, "equivalent")


def test_few_networks_with_many_rows_stay_inconclusive():
    (x, clusters_x), (y, clusters_y) = networks(0, 3, rows=200), networks(1, 3, rows=200)
    result = mmd_equivalence_test(x, y, 0.05, clusters_x, clusters_y, bandwidths=TORUS_BANDWIDTHS)
    assert result.verdict == "inconclusive"


def test_minimum_margin_is_where_the_conclusion_turns():
    data = pair_of(1, n=20)
    smallest = mmd_equivalence_test(*data[:2], 0.2, *data[2:]).minimum_margin
    above, below = (mmd_equivalence_test(*data[:2], smallest * f, *data[2:]) for f in (1 + 1e-9, 1 - 1e-9))
    assert above.p_equivalence <= 0.05 < below.p_equivalence


def test_another_margin_and_level_need_no_other_draws():
    data = pair_of(1, n=20)
    once = mmd_equivalence_test(*data[:2], 0.2, *data[2:])
    assert once.at(0.3, 0.01) == mmd_equivalence_test(*data[:2], 0.3, *data[2:], alpha=0.01)
    with pytest.raises(ValueError, match="margin is 0"):
        once.at(0.0, 0.05)


def test_the_seed_alone_decides():
    x, y, clusters_x, clusters_y = pair_of(2)
    one, again, other = (mmd_equivalence_test(x, y, 0.2, clusters_x, clusters_y, seed=s) for s in (1, 1, 2))
    assert one == again
    assert one.ci_high != other.ci_high
    assert one.difference == other.difference


def test_size_at_the_margin(monkeypatch):
    monkeypatch.setattr("topomod.statistics.embedding_difference.N_RESAMPLES", 499)
    # Gaussians on the line, whose MMD is known: see test_mmd_of_two_gaussians.
    margin = math.sqrt(2 * math.sqrt(1 / 3) * (1 - math.exp(-1 / 6)))
    rng = np.random.default_rng(6)
    results = [
        mmd_equivalence_test(rng.normal(size=20), rng.normal(1, 1, 20), margin, bandwidths=(1.0,)) for _ in range(150)
    ]
    assert np.mean([result.p_equivalence <= 0.05 for result in results]) < 0.1
    nothing = [
        mmd_equivalence_test(rng.normal(size=20), rng.normal(size=20), margin, bandwidths=(1.0,)) for _ in range(150)
    ]
    assert np.mean([result.p_difference <= 0.05 for result in nothing]) < 0.1
    assert np.mean([result.p_equivalence <= 0.05 for result in nothing]) > 0.5


def test_half_split_margin():
    x, clusters = networks(0, 20)
    margin = half_split_margin(x, clusters, bandwidths=TORUS_BANDWIDTHS)
    assert margin == half_split_margin(x, clusters, bandwidths=TORUS_BANDWIDTHS)
    assert half_split_margin(x, clusters, quantile=0.8, bandwidths=TORUS_BANDWIDTHS) < margin < 0.2
    mixed, labels = networks(0, 20, uniform_share=0.5)
    assert half_split_margin(mixed, labels, bandwidths=TORUS_BANDWIDTHS) > margin
    with pytest.raises(ValueError, match="at least 6"):
        half_split_margin(x[:50], clusters[:50])
    with pytest.raises(ValueError, match="quantile is 1.0"):
        half_split_margin(x, clusters, quantile=1.0)
    with pytest.raises(ValueError, match="take a larger quantile"):
        half_split_margin(x, clusters, quantile=0.01)


GOOD = np.arange(10.0).reshape(5, 2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"margin": 0.0}, "margin is 0.0"),
        ({"alpha": 0.7}, "alpha is 0.7"),
        ({"X": GOOD[:2]}, "X has 2 network"),
        ({"clusters_y": [0, 0, 0, 1, 1]}, "Y has 2 network"),
        ({"Y": np.full((5, 2), math.nan)}, "Y contains NaN"),
        ({"clusters_x": [0, 1, 2]}, "but X has 5 rows"),
        ({"Y": GOOD[:, :1]}, "X has 2 features but Y has 1"),
        ({"X": np.zeros((2, 2, 2))}, r"must be \(n_rows, n_features\)"),
        ({"X": np.ones((5, 2)), "Y": np.ones((5, 2))}, "coincide"),
        ({"X": np.ones((5, 2)), "Y": np.zeros((5, 2)), "bandwidths": (1.0,)}, "all identical"),
        ({"bandwidths": (0.0, 1.0)}, "must be positive"),
        ({"bandwidths": ()}, "at least one"),
    ],
)
def test_bad_input_is_refused(changes, message):
    arguments = {"X": GOOD, "Y": GOOD + 1, "margin": 0.5} | changes
    with pytest.raises(ValueError, match=message):
        mmd_equivalence_test(**arguments)
