"""Pairs, several groups and ordered factors: published numbers, other libraries, and rates of error by simulation."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.weightstats import ttost_paired

from topomod.statistics.designs import groups_equivalence_test, paired_equivalence_test, sameness_end
from topomod.statistics.equivalence import equivalence_test

FIRST = np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0])
SECOND = np.array([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])


def test_a_published_paired_test_is_reproduced() -> None:
    """R's data `sleep` (Student 1908), paired: t = -4.0621, df = 9, p = 0.002833, 95 % interval -2.46 to -0.70."""
    result = paired_equivalence_test(FIRST, SECOND, margin=4.0)
    assert result.p_difference == pytest.approx(0.002833, abs=5e-7)
    assert (result.ci_wide_low, result.ci_wide_high) == pytest.approx((-2.4598858, -0.7001142), abs=5e-8)
    assert (result.method, result.n_x, result.n_y) == ("paired t", 10, 10)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.2, 3.0), st.integers(-30, 30))
def test_pairs_agree_with_statsmodels_in_any_unit(seed: int, margin: float, exponent: int) -> None:
    x, y = np.random.default_rng(seed).normal(size=(2, 12))
    unit = 2.0**exponent
    ours, theirs = paired_equivalence_test(unit * x, unit * y, unit * margin), ttost_paired(x, y, -margin, margin)
    assert ours.p_equivalence == pytest.approx(theirs[0], rel=1e-9, abs=1e-14)
    mirrored = paired_equivalence_test(unit * y, unit * x, unit * margin)
    assert mirrored.difference == -ours.difference and mirrored.p_beyond == pytest.approx(ours.p_beyond)


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(20)), st.permutations(range(20)))
def test_labels_make_the_pairs_and_rows_of_a_network_count_once(order_x: list[int], order_y: list[int]) -> None:
    seeds = np.repeat(np.arange(10), 2)
    x, y = np.repeat(FIRST, 2) + np.tile([-0.1, 0.1], 10), np.repeat(SECOND, 2)
    found = paired_equivalence_test(x[order_x], y[order_y], 2.0, seeds[order_x], seeds[order_y])
    plain = paired_equivalence_test(FIRST, SECOND, 2.0)
    assert (found.difference, found.p_equivalence) == pytest.approx((plain.difference, plain.p_equivalence))


def test_what_pairs_share_cancels() -> None:
    rng = np.random.default_rng(0)
    shared = 5 * rng.normal(size=30)
    x, y = shared + 0.2 * rng.normal(size=30), shared + 0.2 * rng.normal(size=30)
    assert paired_equivalence_test(x, y, 0.2).verdict == "equivalent"
    assert equivalence_test(x, y, 0.2).verdict == "inconclusive"


def test_several_groups_are_the_same_where_every_two_are() -> None:
    rng = np.random.default_rng(1)
    samples = {name: rng.normal(at, 0.3, 30) for name, at in (("a", 0.0), ("b", 0.1), ("c", 1.5))}
    found = groups_equivalence_test(samples, 0.5)
    assert list(found.pairs) == list(combinations("abc", 2)) and found.answer == "different"
    assert found.range_bound == max(test.minimum_margin for test in found.pairs.values()) > 1.3
    for two, answer in ((("a", "b"), "the same"), (("a", "c"), "different")):
        few = groups_equivalence_test({name: samples[name] for name in two}, 0.5)
        assert few.answer == answer and few.pairs[two] == found.pairs[two]
    at_bound = groups_equivalence_test(samples, found.range_bound * (1 + 1e-9))
    assert at_bound.answer == "the same" and at_bound.p_equivalence == pytest.approx(0.05)


def test_error_rates_of_several_groups() -> None:
    """One group lies at the margin: sameness, and anything beyond it, is said in at most 5 %."""
    rng, runs = np.random.default_rng(2), 60
    same, beyond, bound = 0, 0, 0
    for _ in range(runs):
        found = groups_equivalence_test(
            {"a": rng.normal(size=15), "b": rng.normal(size=15), "c": rng.normal(1, 1, 15)}, 1.0
        )
        same += found.answer == "the same"
        beyond += found.answer == "different"
        bound += found.range_bound < 1.0
    assert max(same, beyond, bound) / runs <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / runs)


@pytest.mark.parametrize(("means", "last"), [((0.0, 1.0, 2.0), 0), ((0.0, 0.9, 1.0), 1), ((0.0, 0.0, 0.2), 2)])
def test_the_confidence_set_has_the_last_level_of_sameness(means: tuple[float, ...], last: int) -> None:
    """Margin 1: groups at exactly one margin are not the same."""
    rng, runs, missed = np.random.default_rng(last), 60, 0
    for _ in range(runs):
        found = sameness_end([rng.normal(at, 1, 20) for at in means], [0.0, 0.5, 1.0], 1.0)
        missed += (0.0, 0.5, 1.0)[last] not in found.confidence_set
        assert found.confidence_set[0] == found.same_to and not found.different_from <= found.same_to
    assert missed / runs <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / runs)


def test_sameness_ends_before_the_first_group_that_is_not_shown_to_be_the_same() -> None:
    near, far = FIRST + 0.1, FIRST + 20
    found = sameness_end([FIRST, near, far, near], [0.0, 0.1, 0.5, 1.0], 5.0)
    assert (found.same_to, found.different_from, found.confidence_set) == (0.1, 0.5, (0.1,))
    alike = sameness_end([FIRST, near], [0.0, 0.1], 5.0)
    assert alike.same_to == 0.1 and np.isnan(alike.different_from) and alike.confidence_set == (0.1,)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: paired_equivalence_test(FIRST, SECOND[:9], 1.0), "x has 10 networks and y has 9; pairs need as many"),
        (lambda: paired_equivalence_test(FIRST, FIRST - 1.0, 1.0), "the pairs all differ by 1, which gives no error"),
        (
            lambda: paired_equivalence_test(FIRST[:3], SECOND[:3], 1.0, [1, 2, 3], [1, 2, 4]),
            "the network 3 is only in x; a pair needs both of its networks",
        ),
        (
            lambda: paired_equivalence_test(FIRST, SECOND, 1.0, list(range(10))),
            "labels of the networks of both samples",
        ),
        (lambda: paired_equivalence_test(FIRST[:2], SECOND[:2], 1.0), "x has 2 network"),
        (lambda: groups_equivalence_test({"a": FIRST}, 1.0), r"samples has 1 group\(s\); at least 2"),
        (lambda: groups_equivalence_test({"a": FIRST, "b": SECOND[:2]}, 1.0), "x is 'a', y is 'b': y has 2 network"),
        (lambda: groups_equivalence_test({"a": FIRST, "b": SECOND}, 1.0, {"a": [1]}), "clusters names the groups"),
        (
            lambda: sameness_end([FIRST, SECOND], [1.0, 0.0], 1.0),
            "levels are .*; they must be two or more numbers that",
        ),
        (lambda: sameness_end([FIRST, SECOND], [0.0, 0.5, 1.0], 1.0), "there are 3 levels, but 2 samples"),
    ],
)
def test_bad_input_is_named(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
