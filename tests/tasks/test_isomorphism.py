"""Groups by name: explicit isomorphisms, and tables that differ where orders of elements do not tell."""

import numpy as np
import pytest

from topomod import GroupComposition
from topomod.networks.read_off import Answers, linear_text, read_off
from topomod.tasks.isomorphism import element_orders, find_isomorphism, group_name

NAMES = ["C2", "C12", "S3", "D7", "A4", "Q8", "Dic3", "C2xC2xC2", "C3xC3", "S3xC3", "S4", "A5", "S4xC2"]


def shuffled(table: np.ndarray, seed: int = 0) -> np.ndarray:
    order = np.random.default_rng(seed).permutation(len(table))
    return np.argsort(order)[table[np.ix_(order, order)]]


@pytest.mark.parametrize("name", NAMES)
def test_an_isomorphism_is_one(name: str) -> None:
    known = GroupComposition(name).targets()
    table = shuffled(known)
    image = find_isomorphism(table, known)
    assert image is not None and sorted(image) == list(range(len(known)))
    np.testing.assert_array_equal(image[known], table[np.ix_(image, image)])
    assert group_name(table) == name
    np.testing.assert_array_equal(np.sort(element_orders(table)), np.sort(element_orders(known)))


@pytest.mark.parametrize(("one", "other"), [("D4", "Q8"), ("C4", "C2xC2"), ("A4", "D6"), ("Dic3", "D6"), ("S4", "D12")])
def test_groups_of_one_order_are_told_apart(one: str, other: str) -> None:
    assert find_isomorphism(GroupComposition(one).targets(), GroupComposition(other).targets()) is None


def test_equal_orders_of_elements_do_not_make_an_isomorphism() -> None:
    """C4 x C4 and the semidirect product of C4 by C4 have 1, 3 and 12 elements of orders 1, 2 and 4."""
    i, j = np.divmod(np.arange(16), 4)
    twisted = (i[:, None] + np.where(j[:, None] % 2, -i, i)) % 4 * 4 + (j[:, None] + j) % 4
    direct = GroupComposition("C4xC4").targets()
    np.testing.assert_array_equal(np.sort(element_orders(twisted)), np.sort(element_orders(direct)))
    assert find_isomorphism(shuffled(twisted), direct) is None
    assert group_name(shuffled(direct)) == "C4xC4" and group_name(shuffled(twisted)) == ""


@pytest.mark.parametrize("mistakes", [0.0, 0.02, 0.08])
def test_a_group_is_read_off_a_table_with_mistakes(mistakes: float) -> None:
    rng = np.random.default_rng(0)
    right = shuffled(GroupComposition("A5").targets())
    wrong = np.where(rng.random(right.shape) < mistakes, rng.integers(0, 60, right.shape), right)
    found = read_off(Answers(wrong, 61))
    np.testing.assert_array_equal(found.task.targets(), right)
    assert found.right == pytest.approx(np.mean(wrong == right)) and bool(found.reason) == bool(mistakes)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.97])
def test_an_operation_that_is_partly_learnt_is_named(share: float) -> None:
    rng = np.random.default_rng(0)
    a, b = np.ogrid[:29, :29]
    for m, n, k in ((1, 1, 0), (1, 28, 0), (2, 3, 4)):
        right = (m * a + n * b + k) % 29
        table = np.where(rng.random(right.shape) < share, right, rng.integers(0, 29, right.shape))
        task = read_off(Answers(table, 29)).task
        assert str(task) == ("addition mod 29" if (m, n, k) == (1, 1, 0) else f"{linear_text(m, n, k, 29)} mod 29")


def test_chance_is_no_operation() -> None:
    tables = (np.random.default_rng(seed).integers(0, n, (n, n)) for seed in range(20) for n in (2, 3, 5, 7, 13, 29))
    named = [str(read_off(Answers(table, len(table))).task) for table in tables if len(table) > 3]
    assert all(name.startswith("an unknown table") for name in named)
