import numpy as np
import pytest
from scipy import stats

from topomod.statistics.mean_inference import infer_means
from topomod.statistics.power import CURVE, Power, power, power_curve, required_networks

NORMAL = stats.norm.ppf((np.arange(2000) + 0.5) / 2000)
UNIT = (0.0, 1.0)


@pytest.mark.parametrize(("n", "margin"), [(20, 1.0), (50, 0.6), (50, 0.8)])
def test_power_on_normal_values_is_that_of_two_one_sided_z_tests(n: int, margin: float) -> None:
    said = power(NORMAL, margin, n, n_runs=2000).equivalent
    exact = max(0.0, 2 * stats.norm.cdf(margin / np.sqrt(2 / n) - stats.norm.ppf(0.95)) - 1)
    assert said == pytest.approx(exact, abs=0.07)  # t, and caution where a sample happens to be skewed


def test_more_networks_and_wider_margins_never_hurt() -> None:
    shares = [power(NORMAL, 0.6, n).equivalent for n in (10, 40, 160)]
    assert shares == sorted(shares) and shares[0] < 0.5 < shares[-1]
    assert power(NORMAL, 0.3, 40).equivalent <= power(NORMAL, 0.6, 40).equivalent


def test_shares_that_never_vary_are_the_same_once_the_bounds_allow_it() -> None:
    # n ones have the lower bound .05^(1/n); the difference of two such samples needs a little more than n = 3 / margin
    ones = np.ones(10)
    assert power(ones, 0.2, 10, bounds=UNIT).equivalent == 0
    assert power(ones, 0.2, 40, bounds=UNIT).equivalent == 1


def test_decided_means_that_no_difference_leaves_it_inconclusive() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(200, 30)), rng.normal(size=(200, 30))
    margin = 0.95
    alone = infer_means(x, y, margin, 0.05, 0)
    difference = x.mean(axis=1) - y.mean(axis=1)
    above = alone.ci_high - alone.ci_wide_low
    below = alone.ci_wide_high - alone.ci_low
    narrow = np.maximum(above, below) <= margin
    assert 0.05 < narrow.mean() < 0.95
    undecided = np.zeros(len(x), bool)
    for shift in np.linspace(-2, 2, 201):
        test = infer_means(x - difference[:, None] + shift, y, margin, 0.05, 0)
        undecided |= (test.p_equivalence > 0.05) & (test.p_difference > 0.05)
    assert not undecided[narrow].any()
    assert undecided[~narrow].mean() > 0.8  # the grid of shifts is finite


def test_networks_count_once_however_many_groups_they_have() -> None:
    values = np.random.default_rng(1).normal(size=30)
    repeated = power(np.repeat(values, 5), 0.8, 30, clusters=np.repeat(np.arange(30), 5))
    assert repeated == power(values, 0.8, 30)


def test_the_number_needed_is_where_the_curve_reaches_the_target() -> None:
    curve = power_curve(NORMAL, 0.6, bounds=None)
    assert [point.n for point in curve] == list(CURVE)
    n = required_networks(curve, 0.8)
    assert n is not None and abs(power(NORMAL, 0.6, n, n_runs=2000).equivalent - 0.8) < 0.06
    assert required_networks(curve, 0.8, decided=True) > n
    assert required_networks([Power(5, 0.9, 0.9)], 0.8) == 5
    assert required_networks([Power(5, 0.1, 0.0), Power(10, 0.2, 0.0)], 0.8) is None


def test_a_pilot_that_does_not_vary_and_has_no_bounds_promises_nothing() -> None:
    assert power(np.ones(10), 0.5, 20).equivalent == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"n": 2}, "at least 3"), ({"margin": 0.0}, "margin is 0.0"), ({"alpha": 0.6}, "alpha is 0.6")],
)
def test_bad_input(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        power(NORMAL, **({"margin": 0.5, "n": 10} | changes))


def test_bad_pilot_and_target() -> None:
    with pytest.raises(ValueError, match="NaN"):
        power([1.0, np.nan, 2.0], 0.5, 10)
    with pytest.raises(ValueError, match="target is 1.0"):
        required_networks([Power(5, 0.9, 0.9)], 1.0)
