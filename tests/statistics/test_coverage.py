"""The caveats of Welch's test: they name what the data show, and nothing else."""

import numpy as np
import pytest
from scipy import stats

from topomod.statistics.coverage import FEW, PILED, SKEWED, l_skewness, unseen_share
from topomod.statistics.equivalence import equivalence_test
from topomod.statistics.mean_inference import infer_means


def quantiles(distribution, n):
    return distribution.ppf((np.arange(n) + 0.5) / n)


NORMAL, SKEWED_VALUES = quantiles(stats.norm, 50), quantiles(stats.lognorm(1), 50)
SKEWED_VALUES = (SKEWED_VALUES - SKEWED_VALUES.mean()) / SKEWED_VALUES.std()
ONES = np.r_[np.ones(45), np.linspace(0, 0.9, 5)]


@pytest.mark.parametrize(("distribution", "expected"), [(stats.uniform, 0), (stats.expon, 1 / 3), (stats.norm, 0)])
def test_l_skewness_is_that_of_the_distribution(distribution, expected):
    assert l_skewness(quantiles(distribution, 20000)[None])[0] == pytest.approx(expected, abs=1e-3)
    assert l_skewness(-quantiles(distribution, 20000)[None])[0] == pytest.approx(-expected, abs=1e-3)


@pytest.mark.parametrize(
    ("x", "y", "margin", "caveat"),
    [
        (NORMAL, NORMAL, 0.45, ""),
        (SKEWED_VALUES, SKEWED_VALUES, 0.45, ""),  # alike: the skewness cancels
        (SKEWED_VALUES, NORMAL, 0.45, SKEWED),
        (-SKEWED_VALUES, NORMAL, 0.45, SKEWED),
        (SKEWED_VALUES, SKEWED_VALUES * np.sqrt(10), 1.0, SKEWED),
        (SKEWED_VALUES, NORMAL, 5.0, ""),  # concluded whatever the skewness
        (SKEWED_VALUES, NORMAL, 0.1, ""),  # nothing is concluded
        (quantiles(stats.norm, 8), NORMAL, 1.0, FEW),
        (ONES, ONES, 0.2, PILED),
        (1 - ONES, ONES, 0.2, PILED),
    ],
)
def test_caveats_name_what_the_data_show(x, y, margin, caveat):
    result = equivalence_test(x, y, margin)
    assert result.caveat == equivalence_test(y, x, margin).caveat == caveat
    assert result.covered == (caveat == "")
    assert (result.verdict == "inconclusive") == (margin == 0.1)


def test_bounds_make_caveats_needless():
    result = equivalence_test(ONES, ONES[::2], 0.3, bounds=(0.0, 1.0))
    assert (result.caveat, result.unseen_share) == ("", 0.0)


def test_a_stricter_level_asks_for_more_networks():
    x = quantiles(stats.norm, 20)
    assert [equivalence_test(x, x, 1.5, alpha=alpha).caveat for alpha in (0.05, 0.0021)] == ["", FEW]


@pytest.mark.parametrize("n", [20, 50])
def test_the_unseen_share_is_what_a_sample_lacks_with_probability_alpha(n):
    assert stats.binom.pmf(0, n, unseen_share(n, 0.05)) == pytest.approx(0.05)


@pytest.mark.parametrize(("n", "m"), [(8, 80), (20, 20), (50, 50)])
def test_errors_without_a_caveat_stay_within_the_level(n, m):
    """Skewed samples of unequal variance or size err in up to a fifth of studies, but hardly ever without a word."""
    rng = np.random.default_rng(n)
    runs, variance = 4000, 1.0 if n < m else 10.0
    x, y = (rng.lognormal(size=(runs, size)) - np.exp(0.5) for size in (n, m))
    x, y = x / np.sqrt((np.e - 1) * np.e), y * np.sqrt(variance / ((np.e - 1) * np.e))
    margin = 3 * np.sqrt(1 / n + variance / m)
    tests = [infer_means(x + shift, y, margin, 0.05, 0) for shift in (margin, -margin)]
    wrong = [test.p_equivalence <= 0.05 for test in tests]
    assert max(found.mean() for found in wrong) > 0.08
    allowed = 0.05 + 2 * np.sqrt(0.05 * 0.95 / runs)
    assert max((found & (test.caveat == "")).mean() for found, test in zip(wrong, tests, strict=True)) <= allowed
