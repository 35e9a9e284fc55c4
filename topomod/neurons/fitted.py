"""The fitted manifold of a neuron group: each neuron's part in the characters of the group, and moves along it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int

from topomod.neurons.groups import NeuronGroup
from topomod.neurons.sites import Group
from topomod.tasks.fourier import frequency_basis
from topomod.tasks.irreps import entry_functions, named_irrep
from topomod.tasks.symmetry import Symmetry
from topomod.tasks.task import FiniteGroup, Task

Rows = Int[np.ndarray, "_"]


@dataclass(frozen=True)
class Characters:
    """Orthonormal functions of each token that a group's neurons are fitted by; the first one is constant.

    For a frequency f they are 1 and the cosine and sine of ``2 pi f x / n`` of the token's number x, for an irrep 1
    and its matrix entries. Products of a function of a and one of b then hold the constant, the first order (one
    factor is constant) and the second order, as ``first_order_r2`` and ``second_order_r2`` of a group count them.

    Parameters
    ----------
    left, right : ndarray
        (n_a, k) and (n_b, k), functions of a and of b, in the order of tokens.
    """

    left: Float[np.ndarray, "a k"]
    right: Float[np.ndarray, "b k"]

    def fit(self, values: Float[np.ndarray, "a b m"]) -> Fit:
        """Fit values at all pairs by all products of two functions."""
        half = np.tensordot(self.left.T, np.asarray(values, np.float64), axes=1)
        return Fit(self, self.right.T @ half)


@dataclass(frozen=True)
class Fit:
    """What the characters explain of some values at all pairs.

    Parameters
    ----------
    characters : Characters
        Functions of a and of b.
    coefficients : ndarray
        (k, k, m) of their products.
    """

    characters: Characters
    coefficients: Float[np.ndarray, "k k m"]

    def at(self, rows_a: Rows | None = None, rows_b: Rows | None = None) -> Float[np.ndarray, "a b m"]:
        """Fitted values at all pairs of the given tokens of a and of b, of all tokens if none are given."""
        own = self.characters
        left, right = (
            own.left if rows_a is None else own.left[rows_a],
            own.right if rows_b is None else own.right[rows_b],
        )
        return np.asarray(np.tensordot(left, right @ self.coefficients, axes=1))

    def change(self, rows: tuple[Rows, Rows]) -> Float[np.ndarray, "a b m"]:
        """What is added when the fit becomes that of other tokens of a and of b."""
        return np.asarray(self.at(*rows) - self.at())


def group_characters(task: Task, group: Group) -> Characters:
    """Functions of the tokens that a group's neurons are fitted by.

    Raises
    ------
    ValueError
        If the task has no frequencies, or no such irrep.
    """
    if isinstance(group, NeuronGroup):
        symmetry = _symmetry(task)
        waves = frequency_basis(symmetry.n, [group.frequency])
        own = np.concatenate([np.full((symmetry.n, 1), symmetry.n**-0.5), waves], axis=1)
        left, right = (own[np.argsort(tokens)] for tokens in symmetry.tokens)
        return Characters(left, right)
    functions = _irrep_functions(_finite_group(task), group.irrep)
    return Characters(functions, functions)


def moved_tokens(task: Task, group: Group, shift: int) -> tuple[Rows, Rows]:
    """Which token of a and which of b stand for each token where the answer has moved by some steps.

    Where the task has characters of two numbers, each of them takes half of the steps, so that the answer moves and
    their difference does not. With an odd shift and an even n, the first takes one step more. In a finite group the
    answer c becomes the product of c and the element ``shift``: b is multiplied by it from the right, and a stays.

    Parameters
    ----------
    task : Task
        A task with a symmetry for groups by frequency, or a finite group's for groups by irrep.
    group : NeuronGroup or IrrepGroup
        Says which of the two.
    shift : int
        Steps of the answer, or the element of a finite group.

    Returns
    -------
    rows_a, rows_b : ndarray
        (n_a,) and (n_b,) int.
    """
    if isinstance(group, NeuronGroup):
        symmetry = _symmetry(task)
        return apart(symmetry, *halves(shift, symmetry.n))
    table = _table(_finite_group(task))
    if not 0 <= shift < len(table):
        raise ValueError(f"shift must be an element of {task}, 0 to {len(table) - 1}, found {shift}")
    return np.arange(len(table)), table[:, shift]


def halves(shift: int, n: int) -> tuple[int, int]:
    """Two numbers that add up to the shift mod n, equal wherever there are such ones.

    Examples
    --------
    >>> halves(4, 7), halves(3, 7), halves(3, 8)
    ((2, 2), (5, 5), (2, 1))
    """
    steps = shift % n
    if steps % 2 and n % 2:
        steps += n
    return (steps + 1) // 2, steps // 2


def apart(symmetry: Symmetry, steps_a: int, steps_b: int) -> tuple[Rows, Rows]:
    """Which tokens stand for each token where a and b have moved by steps of the answer, (n,) each."""
    rows = []
    for tokens, sign, steps in zip(symmetry.tokens, symmetry.signs, (steps_a, steps_b), strict=True):
        order = np.asarray(tokens)
        rows.append(order[(np.argsort(order) + sign * steps) % symmetry.n])
    return rows[0], rows[1]


def _symmetry(task: Task) -> Symmetry:
    if task.symmetry is None or len(task.symmetry.tokens) != 2:
        why = f": {task.no_symmetry}" if task.no_symmetry else " of two inputs"
        raise ValueError(f"{task} has no frequencies{why}")
    return task.symmetry


def _finite_group(task: Task) -> FiniteGroup:
    if task.finite_group is None:
        raise ValueError(f"{task} has no irreps of a group")
    return task.finite_group


@lru_cache(maxsize=8)
def _table(finite_group: FiniteGroup) -> Int[np.ndarray, "n n"]:
    return finite_group.targets()


@lru_cache(maxsize=64)
def _irrep_functions(finite_group: FiniteGroup, name: str) -> Float[np.ndarray, "n k"]:
    """The constant and an orthonormal basis of the span of an irrep's matrix entries."""
    constant = np.full((finite_group.order, 1), finite_group.order**-0.5)
    return np.concatenate([constant, entry_functions(named_irrep(finite_group, name))], axis=1)
