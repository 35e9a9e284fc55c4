"""What is a persistence diagram, whoever asks; and matchings against gudhi."""

import gudhi
import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from topomod.topology.diagrams import check_diagram, check_finite_diagram, diagram_distance, diagram_matching
from topomod.topology.persistence_images import persistence_images

# a coarse grid among the numbers: equal pairs, and matchings that are equally good, must not be rare
numbers = st.floats(0, 4) | st.integers(0, 8).map(lambda step: step / 2)


@st.composite
def diagrams(draw, min_size: int = 0) -> np.ndarray:
    pairs = draw(st.lists(st.tuples(numbers, numbers), min_size=min_size, max_size=8))
    return np.array([(birth, birth + length) for birth, length in pairs]).reshape(-1, 2)


GOOD = np.array([[0.0, 1.0]])
# each public function with one argument left open, and the name that an error must give it
CALLERS = {
    "check_diagram": (lambda d: check_diagram(d, "the third diagram"), "the third diagram"),
    "check_finite_diagram": (lambda d: check_finite_diagram(d, "the third diagram"), "the third diagram"),
    "distance from": (lambda d: diagram_distance(d, GOOD), "d1"),
    "distance to": (lambda d: diagram_distance(GOOD, d, "wasserstein", infinite="drop"), "d2"),
    "matching from": (lambda d: diagram_matching(d, GOOD), "d1"),
    "matching to": (lambda d: diagram_matching(GOOD, d), "d2"),
    "images": (lambda d: persistence_images([GOOD, d]), "diagram 1"),
}
callers = pytest.mark.parametrize("caller", CALLERS)


def refusal(caller: str, diagram: object) -> str:
    call, name = CALLERS[caller]
    with pytest.raises(ValueError) as caught:
        call(diagram)
    message = str(caught.value)
    assert message.startswith(f"{name} must ") and "found" in message and "\n" not in message
    return message


LAYOUTS = {
    "list of pairs": lambda d: [tuple(pair) for pair in d],
    "tuple of lists": lambda d: tuple(list(pair) for pair in d),
    "Fortran order": np.asfortranarray,
    "every other row": lambda d: np.repeat(d, 2, axis=0)[::2],
    "columns of giotto's triples": lambda d: np.column_stack([d, np.ones(len(d))])[:, :2],
    "masked nowhere": lambda d: np.ma.array(d, mask=False),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@given(diagram=diagrams())
def test_pairs_are_taken_in_any_layout(layout, diagram):
    found = check_diagram(LAYOUTS[layout](diagram), "d")
    assert type(found) is np.ndarray and found.dtype == np.float64
    np.testing.assert_array_equal(found, diagram)


@given(
    diagram=hnp.arrays(
        st.sampled_from([np.float16, np.float32, np.float64, np.int8, np.uint16, np.int64]),
        st.tuples(st.integers(1, 6), st.just(2)),
        elements=st.integers(0, 99),
    )
)
def test_any_real_dtype_is_taken(diagram):
    ordered = np.sort(diagram, axis=1)
    found = check_diagram(ordered, "d")
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, ordered)


@callers
@settings(max_examples=20)
@given(shape=hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=3), dtype=st.sampled_from([float, object]))
def test_anything_empty_is_an_empty_diagram(caller, shape, dtype):
    empty = np.zeros(shape, dtype)
    assume(empty.size == 0)
    CALLERS[caller][0](empty)
    CALLERS[caller][0](empty.tolist())
    assert check_diagram(empty, "d").shape == check_diagram(empty.tolist(), "d").shape == (0, 2)


@callers
@settings(max_examples=30)
@given(shape=hnp.array_shapes(min_dims=0, max_dims=4, min_side=1, max_side=4), as_list=st.booleans())
def test_any_other_shape_is_refused(caller, shape, as_list):
    assume(not (len(shape) == 2 and shape[1] in (2, 3)))
    assume(not (as_list and len(shape) == 3 and shape[2] == 2))  # a list of diagrams by dimension
    array = np.zeros(shape)
    message = refusal(caller, array.tolist() if as_list else array)
    assert "(n_pairs, 2)" in message and str(shape) in message


def triples(diagram: np.ndarray) -> np.ndarray:
    """Giotto-tda's layout with dimensions 0, 1, 2, 0, ... and the padding that a batch has."""
    rows = np.column_stack([diagram, np.arange(len(diagram)) % 3])
    return np.vstack([rows, [[0.5, 0.5, 1.0], [0.0, 0.0, 0.0]]])


OTHERS = {  # how other libraries give bars whose dimension is their place modulo 3
    "ripser": lambda d: [d[0::3], d[1::3], d[2::3]],
    "ripser, as lists": lambda d: [d[0::3].tolist(), d[1::3].tolist(), d[2::3].tolist()],
    "ripser's dictionary": lambda d: {"dgms": [d[0::3], d[1::3], d[2::3]], "num_edges": 3},
    "giotto-tda": triples,
    "giotto-tda, as a list": lambda d: triples(d).tolist(),
    "gudhi": lambda d: [(place % 3, tuple(pair)) for place, pair in enumerate(d.tolist())],
}
positive = st.lists(st.tuples(numbers, st.floats(0.25, 4)), min_size=4, max_size=8).map(
    lambda pairs: np.array([(birth, birth + length) for birth, length in pairs])
)


@pytest.mark.parametrize("layout", OTHERS)
@settings(max_examples=10)
@given(diagram=positive, dimension=st.integers(0, 3))
def test_layouts_of_other_libraries_give_the_bars_of_one_dimension(layout, diagram, dimension):
    other, wanted = OTHERS[layout](diagram), diagram[dimension::3] if dimension < 3 else np.zeros((0, 2))
    np.testing.assert_array_equal(check_diagram(other, "d", dimension), wanted)
    assert diagram_distance(other, wanted, dimension=dimension) < 1e-12  # gudhi gives the least float
    assert diagram_matching(other, wanted, dimension=dimension).distance < 1e-12


@callers
@pytest.mark.parametrize("layout", OTHERS)
@settings(max_examples=2)
@given(diagram=positive)
def test_bars_of_several_dimensions_are_never_mixed(caller, layout, diagram):
    message = refusal(caller, OTHERS[layout](diagram))
    assert "must be of one dimension, found 0, 1, 2 in the " in message and message.endswith("choose by dimension=1")


@given(diagram=positive, dimension=st.integers(0, 2))
def test_bars_of_one_dimension_need_no_choice(diagram, dimension):
    rows = np.column_stack([diagram, np.full(len(diagram), dimension)])
    parts = [np.zeros((0, 2))] * 3
    parts[dimension] = diagram
    for other in (rows, parts, [(dimension, pair) for pair in diagram.tolist()]):
        np.testing.assert_array_equal(check_diagram(other, "d"), diagram)


def test_what_the_libraries_themselves_give_is_read():
    ripser = pytest.importorskip("ripser").ripser
    points = np.random.default_rng(0).normal(size=(30, 3))
    found = ripser(points, maxdim=1)
    tree = gudhi.RipsComplex(points=points).create_simplex_tree(max_dimension=2)
    pairs = tree.persistence()
    for dimension in (0, 1):
        ours = check_diagram(found, "d", dimension)
        np.testing.assert_array_equal(ours, check_diagram(found["dgms"], "d", dimension))
        np.testing.assert_allclose(np.sort(ours, axis=0), np.sort(check_diagram(pairs, "d", dimension), axis=0), 1e-5)


@callers
@pytest.mark.parametrize(
    ("diagram", "words"),
    [
        (np.array([[0.0, 1.0, 0.5]]), "whole numbers as dimensions"),
        (np.array([[0.0, 1.0, np.nan]]), "whole numbers as dimensions"),
        (np.array([[0.0, 1.0, -1.0]]), "whole numbers as dimensions"),
        (np.array([[1.0, 0.5, 1.0]]), "found 1 earlier"),
        (np.ma.array([[0.0, 1.0, 1.0]], mask=[[0, 1, 0]]), "masked"),
        ([(1, (1.0, 0.5))], "found 1 earlier"),
        ([(1, (0.0, np.nan))], "1 NaN"),
        ([np.array([[1.0, 0.5]])], "found 1 earlier"),
        ([np.ma.array([[0.0, 1.0]], mask=[[0, 1]])], "masked"),
        ({"cocycles": []}, "found shape ()"),
        ([(1, (0.0, 1.0)), (0.0, 1.0)], "differ in length"),
    ],
)
def test_bad_bars_are_refused_in_any_layout(caller, diagram, words):
    assert words in refusal(caller, diagram)


def masked(diagram: np.ndarray, row: int, column: int) -> np.ma.MaskedArray:
    mask = np.zeros(diagram.shape, bool)
    mask[row, column] = True
    return np.ma.array(diagram, mask=mask)


def with_entry(value: float):
    def spoil(diagram: np.ndarray, row: int, column: int) -> np.ndarray:
        diagram[row, column] = value
        return diagram

    return spoil


def born_late(diagram: np.ndarray, row: int, _column: int) -> np.ndarray:
    diagram[row, 0] = np.nextafter(diagram[row, 1], np.inf)
    return diagram


def born_never(diagram: np.ndarray, row: int, _column: int) -> np.ndarray:
    diagram[row] = np.inf
    return diagram


SPOILS = {
    "masked": (masked, "1; leave"),
    "list of masked rows": (lambda d, i, j: list(masked(d, i, j)), "masked"),
    "NaN": (with_entry(np.nan), "found 1 NaN"),
    "minus infinity": (with_entry(-np.inf), "found 1"),
    "born never": (born_never, "finite births, found 1"),
    "born late": (born_late, "found 1 earlier"),
    "ragged": (lambda d, i, _: [list(pair)[: 1 + (k != i)] for k, pair in enumerate([*d, [0, 1]])], "differ in length"),
    "complex": (lambda d, *_: d.astype(complex), "complex128"),
    "words": (lambda d, *_: d.astype(str), "dtype <U"),
    "objects": (lambda d, *_: d.astype(object), "dtype object"),
    "truth values": (lambda d, *_: d > 0, "dtype bool"),
}


@callers
@pytest.mark.parametrize("spoil", SPOILS)
@settings(max_examples=10)
@given(diagram=diagrams(min_size=1), data=st.data())
def test_bad_entries_are_refused_wherever_they_stand(caller, spoil, diagram, data):
    row, column = data.draw(st.integers(0, len(diagram) - 1)), data.draw(st.integers(0, 1))
    spoilt, words = SPOILS[spoil][0](diagram.copy(), row, column), SPOILS[spoil][1]
    assert words in refusal(caller, spoilt)


@pytest.mark.parametrize("caller", ["check_finite_diagram", "matching from", "matching to", "images"])
@given(diagram=diagrams(min_size=1), data=st.data())
def test_bars_that_never_die_are_refused_where_they_have_no_meaning(caller, diagram, data):
    diagram[data.draw(st.integers(0, len(diagram) - 1)), 1] = np.inf
    assert "finite deaths, found 1 infinite" in refusal(caller, diagram)
    assert len(check_diagram(diagram, "d")) == len(diagram)


def pair_length(pair: np.ndarray, d1: np.ndarray, d2: np.ndarray) -> float:
    i, j = pair
    if i < 0 or j < 0:
        birth, death = d2[j] if i < 0 else d1[i]
        return (death - birth) / 2
    return np.abs(d1[i] - d2[j]).max()


@settings(max_examples=200)
@given(d1=diagrams(), d2=diagrams())
def test_matchings_attain_the_bottleneck_distance_of_gudhi(d1, d2):
    matching = diagram_matching(d1, d2)
    assert matching.distance == pytest.approx(gudhi.bottleneck_distance(d1, d2), abs=1e-12)
    assert matching.distance == pytest.approx(diagram_matching(d2, d1).distance, abs=1e-12)
    for column, diagram in enumerate((d1, d2)):
        matched = matching.pairs[:, column]
        assert sorted(matched[matched >= 0]) == list(range(len(diagram)))
    assert not (matching.pairs < 0).all(axis=1).any()
    longest = max((pair_length(pair, d1, d2) for pair in matching.pairs), default=0.0)
    assert longest == pytest.approx(matching.distance, abs=1e-12)
