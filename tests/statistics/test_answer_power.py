"""Shares of answers are those of normal theory, and the numbers that would settle an answer do."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from topomod.statistics.answer_power import answer_shares, mmd_networks_to_settle, networks_to_settle
from topomod.statistics.mmd import mmd_equivalence_test
from topomod.statistics.questions import ANSWERS

# so many normal quantiles that the caution about their spread is small; mean 0, deviation 1
NORMAL = stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000)
SHARES = np.repeat([0.2, 0.4, 0.6, 0.8, 1.0], [1, 2, 4, 8, 5])


@pytest.mark.parametrize("truth", [0.0, 0.5, 1.0, 1.5])
def test_answers_are_as_frequent_as_normal_theory_says(truth: float) -> None:
    n, margin = 200, 0.4
    error = np.sqrt(2 / n)
    z = stats.norm.ppf(0.95)
    found = answer_shares(NORMAL, NORMAL, margin, n, truth * margin, n_runs=2000)
    at = truth * margin
    same = stats.norm.cdf((margin - at) / error - z) - stats.norm.cdf(z - (margin + at) / error)
    assert found["the same"] == pytest.approx(max(0.0, same), abs=0.04)
    assert found["different"] == pytest.approx(stats.norm.sf(z + (margin - at) / error), abs=0.03)
    assert sum(found.values()) == pytest.approx(1) and tuple(found) == ANSWERS


@settings(max_examples=6, deadline=None)
@given(st.floats(-0.3, 0.3), st.integers(-40, 40))
def test_shares_do_not_depend_on_the_unit_or_on_the_order(truth: float, exponent: int) -> None:
    pilots, unit = [NORMAL[::400], 1 + NORMAL[::700]], 2.0**exponent
    found = answer_shares(*pilots, 0.3, 30, truth)
    assert answer_shares(*(unit * own for own in pilots), unit * 0.3, 30, unit * truth) == found


@pytest.mark.parametrize("truth", [-0.2, 0.0, 0.1])
def test_bounded_values_stay_in_their_range_and_have_the_stated_difference(truth: float) -> None:
    found = answer_shares(SHARES, SHARES, 0.15, 300, truth, bounds=(0.0, 1.0), n_runs=100)
    wrong = "different" if abs(truth) < 0.15 else "the same"
    assert found[wrong] <= 0.05 and found["not decided"] <= 0.05
    assert (found["the same"] > 0.5) == (abs(truth) < 0.15)


def test_a_difference_that_the_bounds_exclude_has_no_shares() -> None:
    assert np.isnan(list(answer_shares(SHARES, SHARES, 0.1, 30, -0.9, bounds=(0.0, 1.0)).values())).all()


@pytest.mark.parametrize("distance", [0.4, 1.6])
def test_so_many_networks_settle_an_open_size(distance: float) -> None:
    x, y = NORMAL[::200], NORMAL[::200] + distance
    needed = networks_to_settle("differs, size open", x, y, 1.0)
    shares = answer_shares(x, y, 1.0, int(needed), -distance, n_runs=1000)
    assert shares["the same"] + shares["different"] == pytest.approx(0.8, abs=0.07)


def test_a_difference_that_is_the_margin_is_never_settled() -> None:
    assert networks_to_settle("differs, size open", NORMAL[::400], NORMAL[::400] + 1, 1.0) == np.inf
    assert mmd_networks_to_settle(0.1, 0.0, 0.2, 0.1, 20) == np.inf
    with pytest.raises(ValueError, match="answer is 'the same'; it must be"):
        networks_to_settle("the same", NORMAL[::400], NORMAL[::400], 1.0)


def test_the_rough_number_for_distributions_shows_sameness() -> None:
    """From a pilot of 30, in most of 20 studies of one population."""
    rng = np.random.default_rng(0)
    widths = (0.5, 1.0, 2.0)
    pilot = mmd_equivalence_test(rng.normal(size=30), rng.normal(size=30), 0.4, bandwidths=widths)
    n = int(mmd_networks_to_settle(pilot.difference, pilot.ci_low, pilot.ci_high, 0.4, 30))
    assert 10 < n < 120
    found = [
        mmd_equivalence_test(rng.normal(size=n), rng.normal(size=n), 0.4, bandwidths=widths).p_equivalence <= 0.05
        for _ in range(20)
    ]
    assert sum(found) >= 13


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n": 2}, "n is 2; it must be a whole number, at least 3"),
        ({"difference": np.inf}, "difference is inf; it must be a finite number"),
        ({"margin": 0.0}, "margin is 0"),
        ({"n_runs": 0}, "n_runs is 0"),
        ({"pilot_x": [1.0, 2.0]}, "pilot_x has 2"),
    ],
)
def test_bad_input(changes: dict, message: str) -> None:
    arguments = {"pilot_x": NORMAL[::400], "pilot_y": NORMAL[::400], "margin": 1.0, "n": 10, "difference": 0.0}
    with pytest.raises(ValueError, match=message):
        answer_shares(**(arguments | changes))
