"""Tests of data in any unit: what has no unit stays, what has one follows it."""

from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from topomod.statistics.diagram_equivalence import METRICS, diagram_distances, diagram_equivalence_test
from topomod.statistics.equivalence import equivalence_test
from topomod.statistics.intervals import mean_interval
from topomod.statistics.mean_difference import is_constant
from topomod.statistics.mmd import half_split_margin, mmd, mmd_equivalence_test
from topomod.statistics.power import power

rng = np.random.default_rng(0)


def single(values: np.ndarray) -> np.ndarray:
    """Values of few digits, which the smallest doubles can hold, too."""
    return values.astype(np.float32).astype(float)


NORMAL, OTHER, SKEWED = single(rng.normal(size=12)), single(rng.normal(size=15)), single(rng.lognormal(size=15))
CLUSTERS = np.arange(12) // 2
POINTS_X, POINTS_Y = single(rng.normal(size=(8, 2))), single(rng.normal(size=(9, 2)) + 0.3)
DIAGRAMS = [single(np.sort(rng.uniform(size=(n % 4, 2)), axis=1)) for n in range(12)]

# Each test as a function of the unit. It gives what has no unit, and what is in the unit of the data.
IN_UNIT = ("difference", "ci_low", "ci_high", "ci_wide_low", "ci_wide_high", "margin", "minimum_margin")
MEANS = {
    "welch": {"x": NORMAL, "y": OTHER},
    "welch with clusters": {"x": NORMAL, "y": OTHER, "clusters_x": CLUSTERS},
    "one constant": {"x": np.full(12, 0.1), "y": OTHER},
    "skewed": {"x": NORMAL, "y": SKEWED},
    "bounded": {"x": NORMAL, "y": OTHER, "bounds": (-4.0, 4.0)},
}
UNIT_FREE = {
    "mmd, median": lambda s: mmd_equivalence_test(s * POINTS_X, s * POINTS_Y, 0.3),
    "mmd, given": lambda s: mmd_equivalence_test(s * POINTS_X, s * POINTS_Y, 0.3, bandwidths=(0.5 * s, 2.0 * s)),
    **{
        f"{metric}, {kind}": lambda s, metric=metric, widths=widths: diagram_equivalence_test(
            [s * d for d in DIAGRAMS[:6]],
            [s * d for d in DIAGRAMS[6:]],
            0.3,
            metric=metric,
            bandwidths=tuple(s * width for width in widths) or None,
        )
        for metric in METRICS
        for kind, widths in (("median", ()), ("given", (0.5, 2.0)))
    },
}
DATA_UNIT = ("bandwidths", "between", "within_x", "within_y")
SHORT = settings(max_examples=4, deadline=None)
TWOS = st.integers(-980, 1015)
TENS = st.integers(-300, 300)


def means_at(name: str, size: float) -> tuple[dict, dict]:
    arguments = {key: size * value if key in ("x", "y") else value for key, value in MEANS[name].items()}
    if "bounds" in arguments:
        arguments["bounds"] = (-4.0 * size, 4.0 * size)
    return parts(asdict(equivalence_test(**arguments, margin=0.75 * size)), IN_UNIT)


def parts(result: dict, in_unit: tuple[str, ...]) -> tuple[dict, dict]:
    values = {name: np.asarray(value) for name, value in result.items() if name in in_unit}
    return {name: value for name, value in result.items() if name not in in_unit}, values


@pytest.mark.parametrize("name", MEANS)
@SHORT
@given(exponent=TWOS)
def test_powers_of_two_only_change_the_unit_of_means(name: str, exponent: int) -> None:
    (free, values), (wanted, units) = means_at(name, 2.0**exponent), means_at(name, 1.0)
    assert free == wanted
    for key, unit in units.items():
        np.testing.assert_array_equal(values[key], np.ldexp(unit, exponent), err_msg=key)


@pytest.mark.parametrize("name", MEANS)
@SHORT
@given(exponent=TENS)
@example(exponent=-300)
@example(exponent=-170)
@example(exponent=300)
def test_means_in_any_unit(name: str, exponent: int) -> None:
    size = 10.0**exponent
    (free, values), (wanted, units) = means_at(name, size), means_at(name, 1.0)
    numbers = {key for key, value in wanted.items() if isinstance(value, float)}
    assert {key: value for key, value in free.items() if key not in numbers} == {
        key: value for key, value in wanted.items() if key not in numbers
    }
    for key in numbers:
        assert free[key] == pytest.approx(wanted[key], rel=1e-9), key
    for key, unit in units.items():
        assert float(values[key] / size) == pytest.approx(float(unit), rel=1e-9, abs=1e-12), key


@pytest.mark.parametrize("name", UNIT_FREE)
@SHORT
@given(exponent=TWOS)
def test_powers_of_two_only_change_the_unit_of_distances(name: str, exponent: int) -> None:
    free, values = parts(asdict(UNIT_FREE[name](2.0**exponent)), DATA_UNIT)
    wanted, units = parts(asdict(UNIT_FREE[name](1.0)), DATA_UNIT)
    np.testing.assert_array_equal(free.pop("draws"), wanted.pop("draws"))
    assert free == wanted
    for key, unit in units.items():
        np.testing.assert_array_equal(values[key], np.ldexp(unit, exponent), err_msg=key)


@pytest.mark.parametrize("name", UNIT_FREE)
@pytest.mark.parametrize("size", [1e-300, 1e-170, 1e170, 1e300])
def test_distances_in_any_unit(name: str, size: float) -> None:
    found, wanted = UNIT_FREE[name](size), UNIT_FREE[name](1.0)
    assert found.verdict == wanted.verdict
    for key in ("difference", "ci_high", "p_equivalence", "p_difference"):
        assert getattr(found, key) == pytest.approx(getattr(wanted, key), rel=1e-9, abs=1e-9), key
    assert [width / size for width in found.bandwidths] == pytest.approx(wanted.bandwidths)


@SHORT
@given(exponent=TWOS)
def test_the_other_numbers_of_the_room_follow_the_unit(exponent: int) -> None:
    size = 2.0**exponent
    assert power(size * SKEWED, size, 10, n_runs=10) == power(SKEWED, 1.0, 10, n_runs=10)
    assert power(size * NORMAL, size, 10, n_runs=10, bounds=(-4 * size, 4 * size)) == power(
        NORMAL, 1.0, 10, n_runs=10, bounds=(-4.0, 4.0)
    )
    assert mmd(size * POINTS_X, size * POINTS_Y) == mmd(POINTS_X, POINTS_Y)
    assert half_split_margin(size * POINTS_X, n_splits=20) == half_split_margin(POINTS_X, n_splits=20)
    assert mean_interval(size * NORMAL)[1:] == tuple(np.ldexp(mean_interval(NORMAL)[1:], exponent))
    scaled = [size * diagram for diagram in DIAGRAMS]
    np.testing.assert_array_equal(diagram_distances(scaled), np.ldexp(diagram_distances(DIAGRAMS), exponent))


def test_the_largest_numbers_have_means() -> None:
    largest = np.finfo(float).max
    result = equivalence_test([0.9 * largest, largest, 0.95 * largest], [0.9 * largest] * 2 + [0.94 * largest], largest)
    assert result.verdict == "equivalent" and 0.03 * largest < result.difference < 0.04 * largest
    assert equivalence_test(NORMAL, OTHER, 1.0, bounds=(-largest, largest)).verdict == "inconclusive"


@pytest.mark.parametrize("margin", [1e-300, 1e-170, 1e170, 1e300, np.finfo(float).max])
@pytest.mark.parametrize("size", [1e-290, 1.0, 1e290])
@pytest.mark.parametrize("y", [OTHER, SKEWED + 3], ids=["normal", "skewed"])
def test_margins_of_any_size_beside_data_of_any_size(margin: float, size: float, y: np.ndarray) -> None:
    result = equivalence_test(size * NORMAL, size * y, margin)
    assert result.margin == margin
    assert (result.p_equivalence < 0.05) == (margin > 1e3 * size)


@pytest.mark.parametrize("size", [1e-3, 1e-90, 1e-100, 1e-170, 1e-200, 1e-300, 5e-324])
def test_a_sample_that_hardly_varies_beside_a_constant_one(size: float) -> None:
    for x, y in ((np.ones(5), size * SKEWED), (size * SKEWED, np.ones(5))):
        near, far = (equivalence_test(x, y, margin) for margin in (0.5, 2.0))
        assert abs(near.difference) == pytest.approx(1, abs=0.01)
        assert (near.verdict, far.verdict) == ("different", "trivially different")
        assert near.ci_high - near.ci_low < 0.01
        assert abs(near.effect_size) > 100 and np.sign(near.effect_size) == np.sign(near.difference)


@pytest.mark.parametrize("width", [1e-300, 1e-160, 1e-80, 1e80, 1e160, 1e300])
def test_bandwidths_far_from_the_data_have_their_limits(width: float) -> None:
    apart = mmd(POINTS_X, POINTS_Y, bandwidths=(width,), squared=True)
    assert apart == pytest.approx(0, abs=1e-12)  # no two points are alike, or all are
    same = mmd(POINTS_X, POINTS_X, bandwidths=(width,), squared=True)
    assert same == pytest.approx(-2 / 8 if width < 1 else 0, abs=1e-12)
    for samples in ((DIAGRAMS[:6], DIAGRAMS[6:]), (POINTS_X, POINTS_Y)):
        run = diagram_equivalence_test if samples[0] is not POINTS_X else mmd_equivalence_test
        if width > 1:
            with pytest.raises(ValueError, match="all identical"):
                run(*samples, 0.3, bandwidths=(width,))
        else:
            assert run(*samples, 0.3, bandwidths=(width,)).bandwidths == (width,)


@given(value=st.floats(-1e300, 1e300), rows=st.integers(1, 3000))
@settings(max_examples=30, deadline=None)
def test_means_of_equal_rows_are_constant(value: float, rows: int) -> None:
    sizes = rows * np.arange(1, 4)
    clusters = np.repeat(np.arange(3), sizes)
    with pytest.raises(ValueError, match="both constant"):
        equivalence_test(np.full(len(clusters), value), [value] * 3, 1.0, clusters_x=clusters)


def test_constants_are_told_in_any_unit() -> None:
    values = np.array([[0.1, 0.1, 0.1 + 1e-14], [0.1, 0.1, 0.1 + 1e-9], [0, 0, 0], [0, 0, 1e-3]])
    for size in (1e-290, 1.0, 1e300):
        assert is_constant(size * values).tolist() == [True, False, True, False]
