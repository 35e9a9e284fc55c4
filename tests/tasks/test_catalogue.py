import numpy as np
import pytest

from topomod.tasks.addition import ModularAddition
from topomod.tasks.catalogue import parse_task, task_from_description
from topomod.tasks.finite_group import GroupComposition
from topomod.tasks.parity import SparseParity
from topomod.tasks.task import Task, same_function


def test_targets() -> None:
    targets = ModularAddition(p=6).targets()
    assert targets.shape == (6, 6) and targets[4, 5] == 3 and np.array_equal(targets, targets.T)


def test_targets_of_more_inputs() -> None:
    targets = ModularAddition(p=5, k=4).targets()
    assert targets.shape == (5, 5, 5, 5) and targets[4, 3, 2, 4] == 3
    with pytest.raises(ValueError, match="k must be an integer from 2 to 20, found 1"):
        ModularAddition(p=5, k=1)


@pytest.mark.parametrize("p", [2, -3, True])
def test_bad_modulus(p: int) -> None:
    with pytest.raises(ValueError, match="p must be an integer >= 3"):
        ModularAddition(p=p)


def test_description_rebuilds_the_task() -> None:
    for task in (ModularAddition(p=9), ModularAddition(p=5, k=3), SparseParity(5, 3), GroupComposition("D5")):
        assert task_from_description(task.describe()) == task
    assert task_from_description({"name": "modular_addition", "p": 7}) == ModularAddition(p=7)
    with pytest.raises(ValueError, match="unknown task 'sorting'; known tasks: modular_addition, sparse_parity"):
        task_from_description({"name": "sorting"})


def test_parity_is_the_product_of_its_support() -> None:
    task = SparseParity(n=5, k=3)
    signs = task.inputs()
    assert signs.shape == (32, 5) and len(np.unique(signs, axis=0)) == 32
    assert np.array_equal(1 - 2 * task.targets(), signs[:, 0] * signs[:, 1] * signs[:, 2])
    with pytest.raises(ValueError, match="1 <= k <= n <= 20, found n = 3, k = 4"):
        SparseParity(n=3, k=4)


@pytest.mark.parametrize(
    ("name", "order"), [("C7", 7), ("S3", 6), ("S4", 24), ("A4", 12), ("A5", 60), ("D5", 10), ("Q8", 8)]
)
def test_composition_is_a_group(name: str, order: int) -> None:
    table = GroupComposition(name).targets()
    assert table.shape == (order, order)
    assert all(len(set(row)) == order for row in [*table.tolist(), *table.T.tolist()])
    assert np.array_equal(table[0], np.arange(order)) and np.array_equal(table[:, 0], np.arange(order))
    assert np.array_equal(table[table[1, 2]], table[1][table[2]])  # (1 2) x = 1 (2 x) for all x
    assert np.array_equal(table, table.T) == (name == "C7")
    for a in range(order):  # (a x) y = a (x y)
        assert np.array_equal(table[table[a]], table[a][table])


def test_cyclic_composition_is_modular_addition() -> None:
    assert np.array_equal(GroupComposition("C7").targets(), ModularAddition(p=7).targets())
    for name in ("Q9", "D2", "S9", "D", "C1", "S05", "C٣", "S²"):
        with pytest.raises(ValueError, match=f"unknown group '{name}'"):
            GroupComposition(name)


@pytest.mark.parametrize(
    "task", [ModularAddition(6), ModularAddition(5, 3), SparseParity(5, 3), GroupComposition("S3")], ids=str
)
def test_every_task_answers_alike(task: Task) -> None:
    assert isinstance(task, Task)
    assert task.targets().shape == task.input_shape and task.targets().max() == task.n_classes - 1
    assert task.n_inputs == np.prod(task.input_shape) == len(task.inputs())
    assert task.one_hot == (task.support is None)
    if task.one_hot:
        assert all((task.inputs() >= 0).all(axis=1)) and np.unique(task.inputs(), axis=0).shape == task.inputs().shape


def test_a_composed_task_knows_its_finite_group() -> None:
    addition, parity = ModularAddition(7), SparseParity(4, 2)
    assert addition.finite_group == GroupComposition("C7") and ModularAddition(7, 3).finite_group is None
    assert parity.finite_group is None and parity.support == (0, 1)
    assert np.array_equal(addition.finite_group.targets(), addition.targets())


def test_a_number_of_terms_that_no_network_is_evaluated_on_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="k must be an integer from 2 to 20, found 99999999"):
        parse_task("addition_99999999", p=3)


def test_a_description_without_its_numbers_is_one_sentence() -> None:
    for name, missing in (("modular_addition", "'p'"), ("sparse_parity", "'n'"), ("group_composition", "'group'")):
        with pytest.raises(ValueError, match=f"a task '{name}' needs {missing}"):
            task_from_description({"name": name})


@pytest.mark.parametrize(
    ("x", "y", "same"),
    [
        ("addition", "a + b", True),
        ("a - b", "a + 6 * b", True),
        ("addition", "C7", True),
        ("a - b", "b - a", False),
        ("a * b", "addition", False),
        ("addition_3", "addition", False),
        ("parity_4_2", "addition", False),
    ],
)
def test_tasks_are_one_where_they_are_one_function(x: str, y: str, same: bool) -> None:
    assert same_function(parse_task(x, 7), parse_task(y, 7)) is same
