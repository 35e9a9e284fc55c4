"""What every test of the room refuses: masks, missing labels, settings of another type, other layouts of diagrams."""

import inspect
import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topomod.statistics.arguments import check_number, number_array
from topomod.statistics.diagram_equivalence import diagram_distances, diagram_equivalence_test
from topomod.statistics.equivalence import equivalence_test
from topomod.statistics.families import holm
from topomod.statistics.intervals import mean_interval, share_interval
from topomod.statistics.kernels import torus_embedding
from topomod.statistics.mmd import half_split_margin, mmd, mmd_equivalence_test
from topomod.statistics.power import power, power_curve, required_networks
from topomod.topology.inputs import plain_array

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(6, 2)), rng.normal(size=(6, 2))
SHARES, OTHER_SHARES = rng.beta(2, 2, (2, 6))
DIAGRAMS = [np.array([[0.0, 1.0 + i / 10], [0.0, 0.5]]) for i in range(6)]
LABELS = np.arange(6)

# Each function of the room that takes data, and good arguments for it. Users pass arguments of any type, so the
# functions are called without the checks of annotations that the tests add.
CALLS: dict[str, tuple[Callable, dict]] = {
    "equivalence_test": (
        equivalence_test,
        {"x": SHARES, "y": OTHER_SHARES, "margin": 0.5, "clusters_x": LABELS, "clusters_y": LABELS},
    ),
    "mmd": (mmd, {"X": X, "Y": Y, "clusters_x": LABELS, "clusters_y": LABELS}),
    "mmd_equivalence_test": (
        mmd_equivalence_test,
        {"X": X, "Y": Y, "margin": 0.5, "clusters_x": LABELS, "clusters_y": LABELS},
    ),
    "half_split_margin": (half_split_margin, {"X": X, "clusters": LABELS}),
    "diagram_equivalence_test": (
        diagram_equivalence_test,
        {"diagrams_x": DIAGRAMS, "diagrams_y": DIAGRAMS[::-1], "margin": 0.5, "bandwidths": (1.0,)}
        | {"clusters_x": LABELS, "clusters_y": LABELS},
    ),
    "power": (power, {"pilot": SHARES, "margin": 0.5, "n": 10, "clusters": LABELS, "n_runs": 10}),
    "torus_embedding": (torus_embedding, {"phases": X}),
    "holm": (holm, {"p_values": SHARES}),
    "mean_interval": (mean_interval, {"values": SHARES}),
    "share_interval": (share_interval, {"shares": SHARES}),
}
DATA = [
    (call, name)
    for call, (_, good) in CALLS.items()
    for name in good
    if not name.startswith("diagrams") and name not in ("margin", "n", "n_runs", "bandwidths")
]
CLUSTERED = [(call, name) for call, name in DATA if name.startswith("clusters")]


def call(function: str, **changes: object) -> object:
    """The result with some arguments changed."""
    called, good = CALLS[function]
    return inspect.unwrap(called)(**(good | changes))


def refusal(function: str, **changes: object) -> str:
    """The one sentence by which the arguments are refused."""
    with pytest.raises(ValueError) as caught:
        call(function, **changes)
    return str(caught.value)


@pytest.mark.parametrize(("function", "name"), DATA)
@given(data=st.data())
@settings(max_examples=5, deadline=None)
def test_a_masked_value_is_refused_by_name_and_an_empty_mask_is_dropped(function, name, data):
    values = np.asarray(CALLS[function][1][name])
    place = data.draw(st.integers(0, values.size - 1))
    masked = np.ma.array(values, mask=np.arange(values.size).reshape(values.shape) == place)
    assert refusal(function, **{name: masked}).startswith(f"{name} has 1 masked value(s)")
    assert refusal(function, **{name: list(masked)}).startswith(f"{name} has 1 masked value(s)")
    for nothing_hidden in (np.ma.array(values), np.ma.array(values, mask=np.zeros(values.shape))):
        found, plain = call(function, **{name: nothing_hidden}), call(function)
        np.testing.assert_equal(found if isinstance(found, np.ndarray) else vars_of(found), vars_of(plain))


def vars_of(result: object) -> object:
    return vars(result) if hasattr(result, "__dict__") else result


@pytest.mark.parametrize("name", ["diagrams_x", "diagrams_y"])
def test_a_masked_diagram_is_refused(name):
    hidden = np.ma.array(DIAGRAMS[0], mask=[[True, False], [False, False]])
    message = refusal("diagram_equivalence_test", **{name: [*DIAGRAMS[1:], hidden]})
    assert message.startswith(f"{name}[5] ") and "mask" in message
    stack = np.ma.masked_less(np.stack(DIAGRAMS), 0.6)
    assert refusal("diagram_equivalence_test", **{name: stack}).startswith(f"{name} has ")
    shown = [np.ma.array(diagram) for diagram in DIAGRAMS]
    assert call("diagram_equivalence_test", **{"diagrams_x": shown}) == call("diagram_equivalence_test")


MISSING = {
    "float NaN": np.array([0, 1, 2, 3, 4, math.nan]),
    "NaN in a list of numbers": [0, 1, 2, 3, 4, math.nan],
    "NaN in a list of text": ["a", "b", "c", "d", "e", math.nan],
    "None in a list": ["a", "b", "c", "d", "e", None],
    "None in an object array": np.array([0, 1, 2, 3, 4, None], object),
    "pandas' NA": pd.Series(["a", "b", "c", "d", "e", pd.NA], dtype="string"),
    "NA among integers": pd.array([0, 1, 2, 3, 4, pd.NA], dtype="Int64"),
    "a missing category": pd.Categorical(["a", "b", "c", "d", "e", None]),
    "no time in an object array": np.array([*pd.to_datetime(["2020", "2021", "2022", "2023", "2024"]), pd.NaT], object),
    "no time": np.array(["2020", "2021", "2022", "2023", "2024", "NaT"], "datetime64[D]"),
    "no duration": np.array([0, 1, 2, 3, 4, "NaT"], "timedelta64[s]"),
    "complex NaN": np.array([0, 1, 2, 3, 4, math.nan]) * 1j,
}
UNSORTABLE = {
    "numbers and text in a list": ["a", "b", "c", "d", "e", 1],
    "numbers and text in an array": np.array(["a", "b", "c", "d", "e", 1], object),
    "sets, which have no order": [frozenset({i % 3}) for i in range(6)],
    "lists": np.array([[1], [2, 3], [4], [5], [6], [7]], object),
    "dictionaries": [{"seed": i} for i in range(6)],
}


@pytest.mark.parametrize(("function", "name"), CLUSTERED)
@pytest.mark.parametrize("labels", MISSING.values(), ids=MISSING)
def test_a_missing_label_is_refused_by_name(function, name, labels):
    assert refusal(function, **{name: labels}).startswith(f"{name} contains NaN, None or another missing label")


@pytest.mark.parametrize(("function", "name"), CLUSTERED)
@pytest.mark.parametrize("labels", UNSORTABLE.values(), ids=UNSORTABLE)
def test_labels_without_an_order_are_refused_by_name(function, name, labels):
    message = refusal(function, **{name: labels})
    assert message.startswith(f"{name} has labels that cannot be sorted, of type ")


@given(labels=st.lists(st.integers(0, 4), min_size=6, max_size=6).filter(lambda found: len(set(found)) >= 3))
@settings(max_examples=20, deadline=None)
def test_labels_of_every_type_name_the_same_networks(labels):
    expected = call("equivalence_test", clusters_x=np.array(labels))
    times = pd.to_datetime("2020-01-01") + pd.to_timedelta(labels, unit="D")
    texts = [f"seed {label}" for label in labels]
    for other in (labels, tuple(labels), texts, np.array(texts), pd.Categorical(texts), times, np.array(labels, float)):
        assert call("equivalence_test", clusters_x=other) == expected
    assert call("equivalence_test", clusters_x=np.array([*labels], object)) == expected


NOT_NUMBERS = ["0.5", None, (0.1, 0.2), [0.5], True, np.True_, np.array([0.5]), np.array(0.5), 0.5 + 0j, pd.NA, {}]
SETTINGS = [
    (function, name)
    for function in ("equivalence_test", "mmd_equivalence_test", "diagram_equivalence_test", "power")
    for name in ("margin", "alpha", "seed")
]


@pytest.mark.parametrize(("function", "name"), [*SETTINGS, ("power", "n"), ("power", "n_runs")])
@pytest.mark.parametrize("value", [*NOT_NUMBERS, math.nan, math.inf, -1], ids=repr)
def test_a_setting_that_is_no_such_number_is_refused_in_a_sentence(function, name, value):
    message = refusal(function, **{name: value})
    assert message.startswith(f"{name} is ") and "; it must be a " in message and "\n" not in message


@pytest.mark.parametrize("value", [*NOT_NUMBERS, 0.0, 1.0], ids=repr)
def test_shares_and_numbers_of_splits_are_refused_alike(value):
    assert refusal("half_split_margin", quantile=value).startswith("quantile is ")
    assert refusal("half_split_margin", n_splits=-1).startswith("n_splits is -1")
    with pytest.raises(ValueError, match="target is "):
        inspect.unwrap(required_networks)([], value)


@pytest.mark.parametrize("function", ["equivalence_test", "power"])
@pytest.mark.parametrize(
    "bounds",
    ["01", 1.0, True, (0.0,), (0.0, 1.0, 2.0), (None, 1.0), ("0", "1"), (False, True), (0.0, math.nan), {"low": 0.0}]
    + [np.zeros((1, 2)), np.ma.array([0.0, 1.0], mask=[False, True]), (1.0, 0.0), (-math.inf, math.inf)],
    ids=repr,
)
def test_bounds_that_are_no_pair_of_numbers_are_refused(function, bounds):
    assert refusal(function, bounds=bounds).endswith("they must be two finite numbers, the lower one first")


@pytest.mark.parametrize("function", ["mmd", "mmd_equivalence_test", "half_split_margin", "diagram_equivalence_test"])
@pytest.mark.parametrize(
    "bandwidths",
    ["1", 1.0, True, (), (None,), ("1",), (True,), (0.0,), (-1.0,), (math.nan,), ((1.0,),), np.ones((1, 1)), {1.0}]
    + [np.ma.array([1.0, 2.0], mask=[True, False])],
    ids=repr,
)
def test_bandwidths_that_are_no_positive_numbers_are_refused(function, bandwidths):
    message = refusal(function, bandwidths=bandwidths)
    assert message.startswith("bandwidths are ") and "must be positive numbers in a tuple" in message


def test_numbers_of_every_type_are_accepted():
    expected = call("equivalence_test", margin=1.0, bounds=(0.0, 2.0))
    for one in (1, np.float64(1), np.float32(1), np.int64(1)):
        assert call("equivalence_test", margin=one, bounds=[0, np.int64(2)]) == expected
    assert (
        call("mmd", bandwidths=[1, 2]) == call("mmd", bandwidths=(1.0, 2.0)) == call("mmd", bandwidths=np.array([1, 2]))
    )
    with pytest.raises(ValueError, match=r"margin is 1000000.*\.\.\.; it must be small"):
        check_number(10**400, "margin", "be small", math.isfinite)


def test_a_planned_test_refuses_a_pilot_outside_its_bounds():
    assert refusal("power", pilot=SHARES + 1, bounds=(0.0, 1.0)).startswith("pilot runs from 1.")
    with pytest.raises(ValueError, match="clusters contains NaN"):
        power_curve(SHARES, 0.5, clusters=[math.nan] * 6)


@pytest.mark.parametrize(
    "values",
    [["1", "2", "3"], np.ones(3) * 1j, pd.to_datetime(["2020", "2021", "2022"]), [1.0, "2", None], [[1, 2], [3]]]
    + [{"a": 1.0}, [...] * 3],
    ids=repr,
)
def test_data_that_are_no_real_numbers_are_refused(values):
    assert refusal("equivalence_test", x=values).startswith("x ")
    assert refusal("mmd", Y=values).startswith("Y ")


@pytest.mark.parametrize(
    "values", [[1.0, None, 2.0], pd.array([1, pd.NA, 2]), np.array([1.0, pd.NA, 2.0], object)], ids=repr
)
def test_missing_values_of_any_kind_are_nan(values):
    np.testing.assert_array_equal(number_array(values, "x"), [1.0, math.nan, 2.0])
    assert refusal("equivalence_test", x=values).startswith("x contains NaN")


def test_masks_inside_object_arrays_are_seen():
    with pytest.raises(ValueError, match="x has 1 masked"):
        plain_array(np.array([1.0, np.ma.masked], object), "x")


TRIPLES = np.dstack([np.stack(DIAGRAMS), np.ones((6, 2))])
NO_SEQUENCES = {
    "one diagram as an array": DIAGRAMS[0],
    "one empty diagram": np.zeros((0, 2)),
    "one diagram as a list of pairs": [(0.0, 1.0), (0.0, 0.5), (0.0, 0.2)],
    "a list of one diagram": [DIAGRAMS[0]],
    "no diagram": [],
    "triples of one diagram": TRIPLES[0],
    "numbers": [0.0, 1.0, 2.0],
    "flat diagrams": [diagram.ravel() for diagram in DIAGRAMS],
    "a pair among diagrams": [*DIAGRAMS, DIAGRAMS[0][0]],
    "a dictionary": dict(enumerate(DIAGRAMS)),
    "text": "diagrams",
    "nothing": None,
    "a generator": (diagram for diagram in DIAGRAMS),
    "four dimensions": np.zeros((2, 2, 2, 2)),
}


@pytest.mark.parametrize("diagrams", NO_SEQUENCES.values(), ids=NO_SEQUENCES)
def test_what_is_no_sequence_of_diagrams_is_told_what_one_is(diagrams):
    for name in ("diagrams_x", "diagrams_y"):
        message = refusal("diagram_equivalence_test", **{name: diagrams})
        assert message.startswith(name)
        assert "a sequence of diagrams is a list with one (n_pairs, 2) array of births and deaths" in message
    with pytest.raises(ValueError, match="a sequence of diagrams is a list"):
        inspect.unwrap(diagram_distances)(diagrams)


NO_DIAGRAMS = {
    "triples of two dimensions": np.vstack([TRIPLES[0], [[0.0, 0.5, 0.0]]]),
    "pairs of two dimensions": [(0, (0.0, 1.0)), (1, (0.0, 1.0))],
    "a stack": np.stack(DIAGRAMS),
    "diagrams by dimension": DIAGRAMS[:2],
    "diagrams of several lengths": [DIAGRAMS[0], DIAGRAMS[0][:1]],
    "NaN": np.full((2, 2), math.nan),
    "an infinite birth": np.array([[-math.inf, 1.0]]),
    "an infinite death": np.array([[0.0, math.inf]]),
    "a death before its birth": np.array([[1.0, 0.5]]),
    "text": np.array([["a", "b"]]),
}


@pytest.mark.parametrize("diagram", NO_DIAGRAMS.values(), ids=NO_DIAGRAMS)
@pytest.mark.parametrize("place", [0, 3])
def test_what_is_no_diagram_is_refused_by_its_place(diagram, place):
    diagrams = [*DIAGRAMS[:place], diagram, *DIAGRAMS[place + 1 :]]
    assert refusal("diagram_equivalence_test", diagrams_y=diagrams).startswith(f"diagrams_y[{place}]")


def test_known_layouts_of_a_sequence_give_one_result():
    expected = call("diagram_equivalence_test")
    for same in (np.stack(DIAGRAMS), tuple(DIAGRAMS), [diagram.tolist() for diagram in DIAGRAMS], pd.Series(DIAGRAMS)):
        assert call("diagram_equivalence_test", diagrams_x=same) == expected
    several = np.concatenate([TRIPLES, np.zeros((6, 1, 3))], axis=1)  # padded
    by_dimension = [[np.array([[0.0, 0.3], [0.0, np.inf]]), diagram] for diagram in DIAGRAMS]
    pairs = [[(0, (0.0, 0.3)), *((1, tuple(pair)) for pair in diagram)] for diagram in DIAGRAMS]
    assert call("diagram_equivalence_test", diagrams_x=TRIPLES) == expected
    for same in (several, list(several), by_dimension, pairs):
        assert call("diagram_equivalence_test", diagrams_x=same, dimension=1) == expected
    empty = [np.zeros((0, 2)), [], np.zeros(0), *DIAGRAMS]
    assert diagram_distances(empty).shape == (9, 9) and not diagram_distances(empty)[:3, :3].any()


# the squares of numbers below 1e-100 are lost to pandas, and not to the interval
@given(
    values=st.lists(st.floats(1e-100, 1e6) | st.floats(-1e6, -1e-100) | st.sampled_from([0.0, math.nan]), max_size=200)
)
@settings(max_examples=50, deadline=None)
def test_the_interval_is_that_of_pandas_to_the_last_bit(values):
    from scipy.stats import t

    kept = pd.Series(values, dtype=float).dropna()
    n = len(kept)
    half = float(t.ppf(0.975, n - 1)) * float(kept.std(ddof=1)) / np.sqrt(n) if n > 1 else math.nan
    mean = float(kept.mean()) if n else math.nan
    np.testing.assert_array_equal(mean_interval(np.array(values, float)), (n, mean, mean - half, mean + half))
