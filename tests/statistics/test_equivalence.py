import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW, ttost_ind

from topomod.statistics import mean_inference
from topomod.statistics.bounded_means import gaffke_draws
from topomod.statistics.equivalence import equivalence_test, verdict_of
from topomod.statistics.families import adjust_family, holm, holm_level
from topomod.statistics.mean_difference import hedges_g

UNIT = (0.0, 1.0)


def normal_samples(seed, n_x=20, n_y=25, shift=0.0):
    rng = np.random.default_rng(seed)
    return rng.normal(shift, 1.0, n_x), rng.normal(0.0, 2.0, n_y)


samples = st.lists(st.integers(-1000, 1000).map(float), min_size=4, max_size=12).filter(
    lambda values: max(values) - min(values) > 1
)
quick = settings(max_examples=25, deadline=None)


@pytest.fixture
def few_resamples(monkeypatch):
    monkeypatch.setattr(mean_inference, "N_RESAMPLES", 999)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_welch_agrees_with_statsmodels(seed, alpha):
    x, y = normal_samples(seed, shift=0.4)
    result = equivalence_test(x, y, margin=1.5, alpha=alpha, method="welch")
    p, lower, upper = ttost_ind(x, y, -1.5, 1.5, usevar="unequal")
    means = CompareMeans(DescrStatsW(x), DescrStatsW(y))
    assert result.p_equivalence == pytest.approx(p, rel=1e-9)
    assert (result.p_lower, result.p_upper) == pytest.approx((lower[1], upper[1]), rel=1e-9)
    assert result.p_difference == pytest.approx(means.ttest_ind(usevar="unequal")[1], rel=1e-9)
    narrow, wide = (means.tconfint_diff(alpha=level, usevar="unequal") for level in (2 * alpha, alpha))
    assert (result.ci_low, result.ci_high) == pytest.approx(narrow, rel=1e-9)
    assert (result.ci_wide_low, result.ci_wide_high) == pytest.approx(wide, rel=1e-9)


def test_hedges_g_closed_form():
    x, y = np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.0])
    assert hedges_g(x, y) == pytest.approx((1 - 3 / 15) * (2 - 4) / math.sqrt(2.5))
    assert hedges_g(np.ones(3), np.ones(4)) == 0
    assert hedges_g(np.ones(3), np.zeros(4)) == math.inf


@pytest.mark.parametrize("bounds", [None, (-1000.0, 1000.0)])
@given(x=samples, y=samples)
@quick
def test_exchanging_the_samples_mirrors_the_result(bounds, x, y):
    one = equivalence_test(x, y, margin=3.0, bounds=bounds)
    other = equivalence_test(y, x, margin=3.0, bounds=bounds)
    assert other.difference == pytest.approx(-one.difference)
    assert other.effect_size == pytest.approx(-one.effect_size)
    if sorted(x) != sorted(y):  # the same sample twice is resampled in the order given
        assert (other.ci_low, other.ci_high) == (-one.ci_high, -one.ci_low)
        assert (other.p_equivalence, other.p_difference) == (one.p_equivalence, one.p_difference)
        assert other.verdict == one.verdict


@given(x=samples, y=samples, shift=st.integers(-50, 50), scale=st.sampled_from([0.25, 2.0, 8.0]))
@quick
def test_shift_and_scale(x, y, shift, scale):
    # Powers of two and integers: rounding may not move a resample across the threshold.
    one = equivalence_test(x, y, margin=2.0)
    moved = equivalence_test(scale * (np.array(x) + shift), scale * (np.array(y) + shift), margin=2.0 * scale)
    assert moved.method == one.method
    assert moved.difference == pytest.approx(scale * one.difference, abs=1e-9)
    assert moved.p_equivalence == pytest.approx(one.p_equivalence, abs=1e-9)
    assert moved.minimum_margin == pytest.approx(scale * one.minimum_margin, rel=1e-6)


@given(x=samples, y=samples, margin=st.floats(0.5, 100), wider=st.floats(1, 5))
@quick
def test_a_wider_margin_never_weakens_equivalence(x, y, margin, wider):
    narrow, wide = (equivalence_test(x, y, margin=size) for size in (margin, margin * wider))
    assert wide.p_equivalence <= narrow.p_equivalence
    assert wide.p_difference == narrow.p_difference


@pytest.mark.parametrize("case", ["welch", "skewed", "bounded"])
def test_interval_minimum_margin_and_p_values_agree(case):
    rng = np.random.default_rng(2)
    x, y = (rng.beta(4, 2, 30), rng.beta(3, 2, 35)) if case != "skewed" else rng.lognormal(size=(2, 30))
    bounds = UNIT if case == "bounded" else None
    smallest = equivalence_test(x, y, margin=0.5, bounds=bounds).minimum_margin
    above, below = (equivalence_test(x, y, margin=smallest * factor, bounds=bounds) for factor in (1 + 1e-9, 1 - 1e-9))
    assert above.p_equivalence <= 0.05 < below.p_equivalence
    assert smallest == max(above.ci_high, -above.ci_low)
    excludes_zero = above.ci_wide_low > 0 or above.ci_wide_high < 0
    assert excludes_zero == (above.p_difference <= 0.05)


@pytest.mark.parametrize("bounds", [None, UNIT])
def test_rows_of_one_network_count_once(bounds):
    rng = np.random.default_rng(0)
    x, y = rng.beta(5, 2, 12), rng.beta(2, 2, 15)
    plain = equivalence_test(x, y, margin=0.3, bounds=bounds)
    order = rng.permutation(24)
    repeated = equivalence_test(
        np.tile(x, 2)[order],
        y,
        0.3,
        np.tile(np.arange(12), 2)[order],
        [f"net {i}" for i in range(15)],
        bounds=bounds,
    )
    assert (repeated.n_x, repeated.n_y) == (12, 15)
    assert repeated == plain


def test_a_network_with_many_rows_weighs_as_much_as_any_other():
    x, clusters = [0.0] * 10 + [1.0, 2.0], [0] * 10 + [1, 2]
    assert equivalence_test(x, [0.0, 1.0, 2.0], margin=9.0, clusters_x=clusters).difference == 0


def test_the_seed_alone_decides():
    rng = np.random.default_rng(4)
    x, y = rng.lognormal(size=(2, 20))
    one, again, other = (equivalence_test(x, y, 0.5, seed=seed, bounds=(0.0, 100.0)) for seed in (1, 1, 2))
    assert one == again
    assert one != replace(other, seed=1)


def test_identical_shares_are_equivalent_only_with_enough_networks():
    verdicts = {n: equivalence_test(np.ones(n), np.ones(n), 0.1, bounds=UNIT).verdict for n in (3, 5, 10, 50)}
    assert verdicts == {3: "inconclusive", 5: "inconclusive", 10: "inconclusive", 50: "equivalent"}


@pytest.mark.parametrize("n", [5, 20, 50])
def test_a_constant_share_has_the_bound_of_clopper_and_pearson(n):
    result = equivalence_test(np.ones(n), np.ones(n), 0.5, bounds=UNIT)
    assert result.ci_low == pytest.approx(0.05 ** (1 / n) - 1, abs=0.02)
    assert result.p_lower == pytest.approx(0.5**n, abs=0.01)
    assert result.effect_size == 0


def test_bounded_arm_is_clopper_pearson_on_zero_one_data():
    values = np.repeat([0.0, 1.0], [4, 16])
    low, high = gaffke_draws(values[None], UNIT, 9999, np.random.default_rng(0))
    low, high = low[:, 0], high[:, 0]
    exact = stats.binomtest(16, 20).proportion_ci(0.9, method="exact")
    assert np.quantile(low, 0.05) == pytest.approx(exact.low, abs=0.01)
    assert np.quantile(high, 0.95) == pytest.approx(exact.high, abs=0.01)


def test_opposite_constant_shares_differ():
    assert equivalence_test(np.ones(10), np.zeros(10), 0.2, bounds=UNIT).verdict == "different"


def test_one_constant_sample_is_fine_without_bounds():
    y = np.random.default_rng(0).normal(0, 0.1, 20)
    assert equivalence_test(np.zeros(20), y, 0.2).verdict == "equivalent"


def test_controls():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 100))
    assert equivalence_test(x, y, 1.0).verdict == "equivalent"
    assert equivalence_test(x + 2, y, 1.0).verdict == "different"
    assert equivalence_test(x / 10 + 0.5, y / 10, 1.0).verdict == "trivially different"
    assert equivalence_test(x[:5], y[:5], 0.5).verdict == "inconclusive"


def test_tiny_samples_are_not_called_equivalent_at_one_standard_deviation():
    rng = np.random.default_rng(8)
    verdicts = [equivalence_test(*rng.normal(size=(2, 3)), margin=1.0).verdict for _ in range(100)]
    assert verdicts.count("equivalent") <= 5


def false_equivalences(draw, margin, n_trials, bounds=None):
    rng = np.random.default_rng(20)
    tests = (equivalence_test(*draw(rng), margin=margin, bounds=bounds) for _ in range(n_trials))
    return sum(test.p_equivalence <= 0.05 for test in tests) / n_trials


def skewed_at_the_margin(rng):
    return rng.lognormal(size=30) + 1, rng.lognormal(size=30)


def shares_at_the_margin(rng):
    return np.ones(30), np.where(rng.random(30) < 0.9, 1.0, rng.random(30))


def test_size_at_the_margin(few_resamples):
    assert false_equivalences(lambda rng: (rng.normal(size=12) + 1, rng.normal(size=15)), 1.0, 150) < 0.1
    assert false_equivalences(skewed_at_the_margin, 1.0, 150) < 0.1
    assert false_equivalences(shares_at_the_margin, 0.05, 150, UNIT) < 0.1


GOOD = [0.1, 0.2, 0.4]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"margin": 0.0}, "margin is 0.0"),
        ({"margin": -1.0}, "margin is -1.0"),
        ({"margin": math.nan}, "margin is nan"),
        ({"alpha": 0.0}, "alpha is 0.0"),
        ({"alpha": 0.5}, "alpha is 0.5"),
        ({"x": [1.0, 2.0]}, "x has 2 network"),
        ({"y": []}, "y has 0 network"),
        ({"y": GOOD, "clusters_y": [0, 0, 1]}, "y has 2 network"),
        ({"x": [1.0, math.nan, 2.0]}, "x contains NaN"),
        ({"y": [1.0, math.inf, 2.0]}, "y contains NaN or infinite"),
        ({"clusters_x": [0, 1]}, r"clusters_x has shape \(2,\) but x has 3 rows"),
        ({"clusters_y": [0.0, 1.0, math.nan]}, "clusters_y contains NaN"),
        ({"x": [[1.0, 2.0, 3.0]]}, "one-dimensional"),
        ({"x": [1.0] * 5, "y": [2.0] * 5}, "both constant"),
        ({"x": [0.1] * 9, "y": [0.1] * 4, "clusters_x": [0, 0, 0, 1, 1, 1, 2, 2, 2]}, "both constant"),
        ({"bounds": (0.0, 0.3)}, "x runs from 0.1 to 0.4, outside its bounds"),
        ({"bounds": (1.0, 0.0)}, "the lower one first"),
        ({"bounds": UNIT, "margin": 1.0}, "no larger difference"),
        ({"method": "median"}, "one of auto, welch, bounded"),
        ({"method": "bounded"}, "there are no bounds"),
        ({"method": "welch", "bounds": UNIT, "x": [0.5] * 3, "y": [0.5] * 3}, "use the bounded test"),
    ],
)
def test_bad_input_is_refused(changes, message):
    arguments = {"x": GOOD, "y": [0.3, 0.1, 0.2], "margin": 0.5} | changes
    with pytest.raises(ValueError, match=message):
        equivalence_test(**arguments)


def test_words():
    assert verdict_of(0.01, 0.5) == "equivalent"
    assert verdict_of(0.5, 0.01) == "different"
    assert verdict_of(0.01, 0.01) == "trivially different"
    assert verdict_of(0.06, 0.99) == "inconclusive"
    assert verdict_of(math.nan, math.nan) == "inconclusive"
    assert verdict_of(0.05, 0.5) == "equivalent"


def test_holm_closed_form_and_missing_tests():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.01, math.nan, 0.2]) == pytest.approx([0.03, math.nan, 0.4], nan_ok=True)
    assert np.isnan(holm([math.nan])).all()
    assert holm([]).shape == (0,)
    with pytest.raises(ValueError, match="lie in"):
        holm([1.5])


def test_families_are_adjusted_apart():
    table = pd.DataFrame(
        {
            "pair": ["ab", "ab", "ac"],
            "p_equivalence": [0.03, 0.01, 0.04],
            "p_difference": [0.8, 0.03, math.nan],
            "verdict": ["equivalent", "trivially different", "equivalent"],
        }
    )
    adjusted = adjust_family(table, ["pair"])
    assert adjusted["p_equivalence_adjusted"].tolist() == pytest.approx([0.03, 0.02, 0.04])
    assert adjusted["p_difference_adjusted"].tolist() == pytest.approx([0.8, 0.06, math.nan], nan_ok=True)
    assert adjusted["verdict"].tolist() == ["equivalent"] * 3
    assert adjusted["verdict_unadjusted"].tolist() == table["verdict"].tolist()
    whole = adjust_family(table)
    assert whole["p_equivalence_adjusted"].tolist() == pytest.approx([0.06, 0.03, 0.06])
    assert whole["verdict"].tolist() == ["inconclusive", "equivalent", "inconclusive"]
    assert "p_equivalence_adjusted" not in table


@pytest.mark.parametrize("bounds", [None, UNIT])
def test_a_batch_says_what_its_pairs_say_alone(bounds):
    rng = np.random.default_rng(5)
    x, y = rng.beta(1, 6, (6, 12)), rng.beta(4, 4, (6, 15))
    batch = mean_inference.infer_means(x, y, 0.3, 0.05, 7, bounds)
    for i in range(6):
        alone = mean_inference.infer_means(x[i : i + 1], y[i : i + 1], 0.3, 0.05, 7, bounds)
        for name, values in vars(alone).items():
            assert getattr(batch, name)[i] == (values[0] if name == "method" else pytest.approx(values[0]))


def test_a_published_example_is_reproduced():
    """R's data `sleep` (Student 1908): the help of t.test prints t = -1.8608, df = 17.776, p = 0.07939."""
    first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
    result = equivalence_test(first, second, margin=4.0)
    assert result.difference == pytest.approx(0.75 - 2.33)
    assert result.p_difference == pytest.approx(0.07939, abs=5e-6)
    assert (result.ci_wide_low, result.ci_wide_high) == pytest.approx((-3.3654832, 0.2054832), abs=5e-8)
    lower = stats.ttest_ind(np.array(first) + 4.0, second, equal_var=False, alternative="greater")
    assert result.p_equivalence == pytest.approx(lower.pvalue, rel=1e-9)


def test_a_published_equivalence_test_is_reproduced():
    """The README of the R package TOSTER: `sleep` with bounds -1 and 1 has t(17.78) = -0.683, p = 7.48e-01."""
    first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
    assert equivalence_test(first, second, margin=1.0).p_equivalence == pytest.approx(0.748, abs=5e-4)


def test_p_values_of_welch_are_the_same_at_every_level():
    x, y = normal_samples(5, shift=0.3)
    by_level = [equivalence_test(x, y, 1.5, alpha=alpha) for alpha in (0.05, 0.0021)]
    assert len({(test.p_equivalence, test.p_difference) for test in by_level}) == 1
    assert by_level[1].ci_low < by_level[0].ci_low


@given(
    p=st.lists(st.floats(0, 1), min_size=1, max_size=12),
    alpha=st.sampled_from([0.05, 0.2]),
)
@settings(deadline=None)
def test_a_single_level_says_what_holm_says_of_every_test(p, alpha):
    level = holm_level(p, alpha)
    on_the_edge = np.isclose(np.array(p), level, rtol=1e-9)
    assert ((np.array(p) <= level) == (holm(p) <= alpha))[~on_the_edge].all()
    assert alpha / len(p) <= level <= alpha
