"""Tables as tasks: groups are recognised by their axioms, whatever the order of their elements."""

import numpy as np
import pytest

import topomod
from topomod.tasks.catalogue import task_from_description
from topomod.tasks.group_axioms import identity_of, inverses_of, is_latin_square
from topomod.tasks.irreps import irrep_power, real_irreps
from topomod.tasks.task import Task


def shuffled(name: str, seed: int = 0) -> np.ndarray:
    """Table of a known group with its elements in a random order."""
    table = topomod.GroupComposition(name).targets()
    order = np.random.default_rng(seed).permutation(len(table))
    return np.argsort(order)[table[np.ix_(order, order)]]


@pytest.mark.parametrize("name", ["C7", "C8", "D5", "S4", "A4", "Q8"])
def test_a_group_is_recognised_in_any_order_of_its_elements(name: str) -> None:
    table = shuffled(name)
    task, known = topomod.CayleyTable(table), topomod.GroupComposition(name)
    assert task.finite_group is task and isinstance(task, Task)
    every = np.arange(len(table))
    assert np.array_equal(table[task.identity], every) and np.array_equal(table[:, task.identity], every)
    assert (table[every, inverses_of(table, task.identity)] == task.identity).all()
    found = sorted((irrep.dimension, irrep.commutant) for irrep in real_irreps(task))
    assert found == sorted((irrep.dimension, irrep.commutant) for irrep in real_irreps(known))
    for irrep in real_irreps(task):
        products = np.einsum("aij,bjk->abik", irrep.matrices, irrep.matrices)
        assert np.allclose(products, irrep.matrices[table], atol=1e-9)
    assert topomod.max_margin(task) == pytest.approx(topomod.max_margin(known), rel=1e-9)
    network = topomod.max_margin_network(task)
    assert network.accuracy() == 1 and topomod.normalized_margin(network) == pytest.approx(task.max_margin(), rel=1e-9)


def test_shares_of_irreps_do_not_depend_on_the_order_of_elements() -> None:
    known, order = topomod.GroupComposition("S4"), np.random.default_rng(0).permutation(24)
    task, u = topomod.CayleyTable(shuffled("S4")), np.random.default_rng(1).standard_normal((3, 24))
    own, theirs = irrep_power(u[:, order], real_irreps(task)), irrep_power(u, real_irreps(known))
    assert np.allclose(np.sort(own, axis=1), np.sort(theirs, axis=1), atol=1e-9)


def test_a_cyclic_table_is_addition_in_the_order_of_powers() -> None:
    task = topomod.CayleyTable(shuffled("C9"))
    symmetry = task.symmetry
    assert symmetry is not None and symmetry.windings == (1, 1) and not symmetry.natural
    numbers = np.argsort(symmetry.classes)[symmetry.arrange(task.targets())]
    assert np.array_equal(numbers, np.add.outer(np.arange(9), np.arange(9)) % 9)
    assert topomod.CayleyTable(shuffled("D5")).symmetry is None


def latin_loop() -> np.ndarray:
    """The smallest Latin square with an identity that is no group's: order 5, not associative."""
    return np.array([[0, 1, 2, 3, 4], [1, 0, 3, 4, 2], [2, 4, 0, 1, 3], [3, 2, 4, 0, 1], [4, 3, 1, 2, 0]])


@pytest.mark.parametrize(
    "table",
    [
        np.subtract.outer(np.arange(5), np.arange(5)) % 5,  # no identity from the left
        np.minimum.outer(np.arange(4), np.arange(4)),  # associative, with an identity, without inverses
        latin_loop(),
        np.zeros((3, 4), int),
        np.arange(6).reshape(2, 3),
    ],
    ids=["difference", "minimum", "loop", "constant", "rectangle"],
)
def test_other_tables_are_no_groups(table: np.ndarray) -> None:
    task = topomod.CayleyTable(table)
    assert identity_of(table) is None and task.finite_group is None and task.symmetry is None
    assert task.no_symmetry == "its table is no group's" and "no group's table" in task.no_margin_theory
    with pytest.raises(ValueError, match="is no group's table"):
        _ = task.identity
    assert task_from_description(task.describe()) == task


def test_the_loop_has_all_but_associativity() -> None:
    table = latin_loop()
    assert is_latin_square(table) and (table[0] == np.arange(5)).all() and (table[:, 0] == np.arange(5)).all()
    assert table[table[1, 1], 2] != table[1, table[1, 2]]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([[0, 1], [1]], "rows of one length"),
        ([[0.0, 1.0]], "whole numbers, found float64"),
        ([[True, False]], "whole numbers, found bool"),
        ([["a"]], "whole numbers, found <U1"),
        ([], "at least one entry, found shape \\(0,\\)"),
        (np.array(3), "at least one entry, found shape \\(\\)"),
        ([[0, -1]], "from 0 to 65535, found -1 to 0"),
        ([[0, 2**16]], "from 0 to 65535, found 0 to 65536"),
        (np.ma.masked_array([[0, 1], [1, 0]], [[0, 0], [0, 1]]), "every entry, found masked ones"),
        (np.zeros((2**11, 2**10), np.int8), "at most 1048576 entries, found 2097152"),
    ],
)
def test_a_bad_table_is_refused_in_one_sentence(table: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        topomod.CayleyTable(table)
