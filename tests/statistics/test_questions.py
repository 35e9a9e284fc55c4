"""Answers to questions: their logic, the minimum-effect test, and what happens to them as networks are added."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from topomod.statistics.clusters import correlation_clusters, correlations, effective_number
from topomod.statistics.equivalence import equivalence_test
from topomod.statistics.families import holm
from topomod.statistics.mean_inference import infer_means
from topomod.statistics.minimum_effect import p_beyond_margin
from topomod.statistics.mmd import mmd_equivalence_test
from topomod.statistics.questions import ANSWERS, PValues, answer_of, answer_question, assay_sensitivity

INSIDE = PValues(p_equivalence=0.04, p_beyond=1.0, p_difference=0.6)
SMALL = PValues(p_equivalence=0.001, p_beyond=1.0, p_difference=0.001)
BEYOND = PValues(p_equivalence=1.0, p_beyond=0.001, p_difference=0.0001)
NEARLY = PValues(p_equivalence=1.0, p_beyond=0.03, p_difference=0.0001)
OPEN_SIZE = PValues(p_equivalence=0.6, p_beyond=0.4, p_difference=0.001)
UNDECIDED = PValues(p_equivalence=0.2, p_beyond=0.9, p_difference=0.3)
UNTESTED = PValues(np.nan, np.nan, np.nan)


@pytest.mark.parametrize(
    ("tests", "answer"),
    [
        ([INSIDE], "the same"),
        ([INSIDE, INSIDE, INSIDE], "the same"),  # each at the full level: intersection-union
        ([INSIDE, SMALL], "the same"),
        ([BEYOND], "different"),
        ([INSIDE, INSIDE, BEYOND], "different"),
        ([NEARLY], "different"),
        ([NEARLY, INSIDE], "differs, size open"),  # Holm: 0.03 of two tests is 0.06
        ([NEARLY, BEYOND], "different"),
        ([OPEN_SIZE, INSIDE], "differs, size open"),
        ([UNDECIDED, INSIDE], "not decided"),
        ([SMALL, UNDECIDED], "not decided"),  # a difference inside the margin answers nothing about the other endpoint
        ([UNTESTED], "not decided"),
        ([UNTESTED, INSIDE], "not decided"),
        ([UNTESTED, BEYOND], "different"),
    ],
)
def test_answers(tests: list[PValues], answer: str) -> None:
    found = answer_question(tests)
    assert found.answer == answer and len(found.primaries) == len(tests)
    assert [p.small_difference for p in found.primaries] == [test is SMALL for test in tests]


@pytest.mark.parametrize("n", [0, 4])
def test_a_question_has_one_to_three_primaries(n: int) -> None:
    with pytest.raises(ValueError, match=f"1 to 3 primary endpoints, found {n} tests"):
        answer_question([INSIDE] * n)


@pytest.mark.parametrize("alpha", [0.0, 0.5, -0.1, float("nan")])
def test_levels_are_checked(alpha: float) -> None:
    with pytest.raises(ValueError, match="alpha is .* strictly between 0 and 0.5"):
        answer_question([INSIDE], alpha)


def test_levels_are_kept_where_one_primary_lies_on_its_margin() -> None:
    """With uniform p-values: sameness of all, or a difference beyond of any of those on their margins."""
    rng = np.random.default_rng(1)
    runs, found = 1500, {"the same": 0, "different": 0}
    for p_equivalence, *beyond in rng.uniform(size=(runs, 4)):
        same = answer_question([PValues(p_equivalence, 1.0, 0.5), PValues(0.0, 1.0, 0.5)]).answer
        other = answer_question([PValues(1.0, p, p / 2) for p in beyond]).answer
        found["the same"] += same == "the same"
        found["different"] += other == "different"
    assert found["the same"] / runs == pytest.approx(0.05, abs=0.017)
    assert found["different"] / runs <= 0.05 + 0.017


@given(*[st.floats(0, 1) | st.just(float("nan"))] * 3)
def test_a_single_endpoint_has_one_word(p_equivalence: float, p_beyond: float, p_difference: float) -> None:
    word = answer_of(p_equivalence, p_beyond, p_difference)
    assert word in ANSWERS
    assert answer_question([PValues(p_equivalence, p_beyond, p_difference)]).answer == word


def samples(shift: float, n: int = 30, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.random.default_rng(seed).normal(size=(2, n))
    return x - x.mean() + shift, y - y.mean()


def test_beyond_the_margin_is_welchs_test_of_both_margins() -> None:
    x, y = samples(1.0)
    for margin in (0.1, 0.5, 0.9, 1.5):
        found = equivalence_test(x, y, margin, method="welch").p_beyond
        above = stats.ttest_ind(x - margin, y, equal_var=False, alternative="greater").pvalue
        far = stats.ttest_ind(x + margin, y, equal_var=False, alternative="greater").pvalue
        assert found == pytest.approx(min(1.0, above + far), rel=1e-9)


def test_beyond_a_tiny_margin_is_beyond_zero() -> None:
    x, y = samples(0.4)
    found = equivalence_test(x, y, 1e-12, method="welch")
    assert found.p_beyond == pytest.approx(found.p_difference, rel=1e-9)


@pytest.mark.parametrize("bounds", [None, (-20.0, 20.0)])
def test_beyond_agrees_with_the_interval_and_mirrors(bounds: tuple[float, float] | None) -> None:
    """Where the margin is several standard errors, the interval lies beyond it just when the test says so."""
    for shift in (1.2, 1.5, 1.8, 2.2, 6.0):
        x, y = samples(shift)
        found, mirrored = (equivalence_test(a, b, 1.0, bounds=bounds) for a, b in ((x, y), (y, x)))
        assert (found.p_beyond <= 0.05) == (found.ci_low > 1.0)
        assert found.p_beyond == mirrored.p_beyond
        assert not (found.p_beyond <= 0.05 and found.p_equivalence <= 0.05)
    assert found.p_beyond <= 0.05


def test_an_mmd_is_beyond_its_margin_where_its_lower_bound_is() -> None:
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=30), rng.normal(size=30) + 2.0
    for margin in (0.05, 0.3, 0.9):
        found = mmd_equivalence_test(X, Y, margin, bandwidths=(1.0,))
        assert (found.p_beyond <= 0.05) == (found.ci_low > margin)
    assert mmd_equivalence_test(X, Y, 0.05, bandwidths=(1.0,)).p_beyond <= 0.05


@pytest.mark.parametrize("truth", [0.0, 0.7, 1.0, 1.5])
def test_growing_studies_do_not_turn_from_different_to_the_same(truth: float) -> None:
    """Networks are only added; true differences in margins of half a standard deviation."""
    runs, margin, sizes = 200, 0.5, (20, 40, 80, 160, 400)
    rng = np.random.default_rng(int(10 * truth))
    x, y = rng.normal(size=(2, runs, sizes[-1]))
    x += truth * margin
    found = []
    for n in sizes:
        tests = [infer_means(x[:, :n], y[:, :n], at, 0.05, 0, method="welch") for at in (margin, -margin)]
        three = zip(tests[0].p_equivalence, p_beyond_margin(*tests), tests[0].p_difference, strict=True)
        found.append([answer_of(*map(float, p)) for p in three])
    table = np.array(found)
    was_different = np.logical_or.accumulate(table == "different", axis=0)[:-1]
    assert (was_different & (table[1:] == "the same")).any(axis=0).mean() <= 0.05
    last = {0.0: "the same", 0.7: "the same", 1.5: "different"}
    if truth in last:
        assert (table[-1] == last[truth]).mean() > 0.6
    else:
        assert (table[-1] == "the same").mean() <= 0.1 and (table[-1] == "different").mean() <= 0.1


def test_assay_sensitivity_is_a_distance_in_margins() -> None:
    assert assay_sensitivity(-0.3, 0.05) == assay_sensitivity(0.3, 0.05) == 6.0
    assert np.isnan(assay_sensitivity(float("nan"), 0.05))


def test_effective_numbers_of_blocks() -> None:
    block = np.kron(np.eye(3), np.ones((4, 4)))
    assert effective_number(block) == 3
    assert effective_number(np.eye(7)) == 7
    weak = np.full((2, 2), 0.2) + 0.8 * np.eye(2)  # eigenvalues 1.2 and 0.8: one, and the fractions 0.2 and 0.8
    assert effective_number(weak) == pytest.approx(2.0)


def test_clusters_join_what_goes_together_whatever_its_sign() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 200))
    noise = 0.1 * rng.normal(size=(2, 200))
    values = pd.DataFrame({"a": a, "b": b, "-a": -a + noise[0], "b'": b + noise[1], "constant": 1.0})
    found = correlations(values, pd.Series(["x"] * 200))
    assert list(found) == ["a", "b", "-a", "b'"]
    assert correlation_clusters(found.to_numpy()).tolist() == [0, 1, 0, 1]
    assert correlation_clusters(np.ones((1, 1))).tolist() == [0]


def test_a_difference_between_groups_is_no_correlation() -> None:
    rng = np.random.default_rng(0)
    groups = pd.Series(np.repeat(["x", "y"], 100))
    values = pd.DataFrame({name: rng.normal(size=200) + 50 * (groups == "y") for name in "ab"})
    assert abs(correlations(values, groups).loc["a", "b"]) < 0.2
    assert abs(values.corr().loc["a", "b"]) > 0.99


@pytest.mark.parametrize("p_values", [[0.3], [0.01, 0.01, 0.04], [0.9, 0.2, 0.0, 1.0, 0.03, 0.03]])
def test_holm_is_that_of_statsmodels(p_values: list[float]) -> None:
    assert np.allclose(holm(p_values), multipletests(p_values, method="holm")[1], rtol=1e-12, atol=0)


def test_results_of_every_test_can_be_asked() -> None:
    x, y = samples(0.0)
    scalar, whole = equivalence_test(x, y, 5.0), mmd_equivalence_test(x, y, 1.3, bandwidths=(1.0,))
    row = SimpleNamespace(p_equivalence=0.01, p_beyond=1.0, p_difference=0.5)  # as a row of a table is
    assert answer_question([scalar, whole, row]).answer == "the same"
