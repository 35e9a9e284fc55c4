"""What a network computes, read off its own answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
from jaxtyping import Float, Int

from topomod.tasks.addition import ModularAddition
from topomod.tasks.cayley import CayleyTable
from topomod.tasks.finite_group import GroupComposition
from topomod.tasks.group_axioms import identity_of
from topomod.tasks.isomorphism import known_names
from topomod.tasks.operation import MAX_P, ModularOperation
from topomod.tasks.task import Task
from topomod.tasks.unknown import UnknownTask

MOST = 0.9  # a group's table with mistakes is taken for the group's if so many of its entries are right
PARTLY = 0.25  # an operation that is partly learnt is named if so many answers agree, and ...
TIMES_CHANCE = 5.0  # ... so many times as many as agree by chance
N_VOTES = 15  # elements that vote on each product of a group's table with mistakes
# those of Power et al., arXiv 2201.02177, and of the toy networks that came after
OPERATIONS = (
    "a * b",
    "a / b",
    "a**2 + b**2",
    "a**2 + a * b + b**2",
    "a**2 + a * b + b**2 + a",
    "a**3 + a * b",
    "a**3 + a * b**2 + b",
)


@dataclass(frozen=True)
class Answers:
    """The class that a network gives each input.

    Parameters
    ----------
    table : ndarray
        (*inputs) column of the largest logit.
    n_columns : int
        Number of logits.
    """

    table: Int[np.ndarray, "*inputs"]
    n_columns: int

    @classmethod
    def of(cls, logits: Float[np.ndarray, "*inputs columns"]) -> Answers:
        """Answers of logits, (*inputs, n_columns).

        Raises
        ------
        ValueError
            If there are no axes of inputs.
        """
        if logits.ndim < 2 or not logits.size:
            raise ValueError(f"logits must be (n_a, n_b, n_classes), found shape {logits.shape}")
        return cls(np.argmax(logits, axis=-1), logits.shape[-1])


@dataclass(frozen=True)
class Reading:
    """The part of a network's answers that a task speaks of.

    Parameters
    ----------
    task : Task
        The task.
    answers : Answers
        All answers.
    first_token, first_class : int
        What stands for the task's token 0 and class 0: 1 where a task leaves the number 0 out and the network has it.
    """

    task: Task
    answers: Answers
    first_token: int = 0
    first_class: int = 0

    @property
    def inputs(self) -> tuple[slice, ...]:
        """Where the task's inputs are among the network's."""
        return tuple(slice(self.first_token, None) for _ in self.task.input_shape)

    @property
    def classes(self) -> slice:
        """Where the task's classes are among the columns."""
        return slice(self.first_class, self.first_class + self.task.n_classes)

    @property
    def right(self) -> float:
        """Share of the task's inputs that get their class."""
        return float(np.mean(self.answers.table[self.inputs] - self.first_class == self.task.targets()))

    @property
    def reason(self) -> str:
        """Why the network has not converged on the task; empty where it has."""
        table, columns = self.answers.table[self.inputs], self.classes
        outside = float(np.mean((table < columns.start) | (table >= columns.stop)))
        found = "" if self.right == 1 else f"right on {self.right:.1%} of pairs"
        if isinstance(self.task, UnknownTask):
            found = f"table not recognised: its answers are {self.task}, and no task is given"
        return found + (f"; on {outside:.1%} the largest logit is of a column that is no class" if outside else "")


def task_title(task: Task) -> str:
    """What people call a task: "a - b mod 7", and the group's name for a group in any order of its elements."""
    group = task.finite_group
    return f"the group {group.isomorphic_to}" if group is not None and cast(object, group) == task else str(task)


def decide_task(answers: Answers, task: Task | None) -> Reading:
    """Read answers by the task that is given, after a look at their shape, or by the one that they show.

    Raises
    ------
    ValueError
        If the shape of the answers is not that of the task.
    """
    if task is None:
        return read_off(answers)
    if not isinstance(task, Task):
        raise ValueError(f"task must be a task such as ModularAddition(59), found {type(task).__name__}")
    if (found := _fitting(answers, task)) is None:
        shape = f"{answers.table.shape} inputs and {answers.n_columns} columns"
        raise ValueError(f"logits have {shape}; {task} needs {task.input_shape} and at least {task.n_classes}")
    return found


def _fitting(answers: Answers, task: Task) -> Reading | None:
    """Reading by a task whose shape fits; the network may have a number 0 that the task leaves out."""
    shape = answers.table.shape
    if shape == task.input_shape and answers.n_columns >= task.n_classes:
        return Reading(task, answers)
    first_class = int(task.n_classes == task.input_shape[0])  # products are never 0; sums with quotients may be
    larger = tuple(n + 1 for n in task.input_shape)
    if leaves_zero_out(task) and shape == larger and answers.n_columns >= task.n_classes + first_class:
        return Reading(task, answers, 1, first_class)
    return None


def leaves_zero_out(task: Task) -> bool:
    """Whether a task's inputs are the numbers from 1 on: those of quotients, and of products modulo a prime."""
    return isinstance(task, ModularOperation) and task.input_shape[0] < task.p


def read_off(answers: Answers) -> Reading:
    """Read the task off the table of a network's answers.

    Known are, in this order: operations modulo the number of tokens, namely all ``m a + n b + k`` and those of
    :data:`OPERATIONS`; and finite groups, whose elements may be in any order. A table that agrees with one of them on
    all inputs is named. If there is none, the closest is taken: a group on 90 % of the inputs, an operation on 25 % and
    five times as many as by chance. Otherwise the task is not known.

    Raises
    ------
    ValueError
        If there are not two axes of inputs.
    """
    if answers.table.ndim != 2:
        raise ValueError(f"a task is read off a table (n_a, n_b), found {answers.table.shape} inputs; give the task")
    operations = list(_operations(answers))
    exact = [own for own in operations if own.right == 1]
    groups = [] if exact else [Reading(group, answers) for group in _groups(answers)]
    partly = max(operations, key=lambda own: own.right, default=None)
    if exact:
        return exact[0]
    if groups and groups[0].right >= MOST and not (partly and partly.right >= groups[0].right):
        return groups[0]
    if partly and partly.right >= max(PARTLY, TIMES_CHANCE / len(answers.table)):
        return partly
    n_left, n_right = answers.table.shape
    return Reading(UnknownTask(n_left, n_right, answers.n_columns), answers)


def _operations(answers: Answers) -> Iterator[Reading]:
    """Readings by every operation modulo the number of tokens that could be meant."""
    p, n_right = answers.table.shape
    if p != n_right or not 3 <= p <= min(MAX_P, answers.n_columns):
        return
    yield Reading(_linear(answers.table, p), answers)
    for text in OPERATIONS:
        try:
            task = ModularOperation(text, p)
        except ValueError:  # a quotient by a modulus that is no prime
            continue
        if (found := _fitting(answers, task)) is not None:
            yield found


def _linear(table: np.ndarray, p: int) -> Task:
    """The ``m a + n b + k`` mod p that agrees best with the differences of a table."""
    m, n = (_most_common(np.diff(table, axis=axis) % p) or 1 for axis in (0, 1))
    a, b = np.ogrid[:p, :p]
    k = _most_common((table - m * a - n * b) % p)
    if (m, n, k) == (1, 1, 0):
        return ModularAddition(p)
    return ModularOperation(linear_text(m, n, k, p), p)


def _most_common(values: np.ndarray) -> int:
    return int(np.argmax(np.bincount(values.ravel())))


def linear_text(m: int, n: int, k: int, p: int) -> str:
    """``m a + n b + k`` modulo p as people write it.

    Examples
    --------
    >>> linear_text(1, 6, 0, 7), linear_text(6, 1, 2, 7), linear_text(2, 3, 0, 7)
    ('a - b', 'b - a + 2', '2 * a + 3 * b')
    """
    short = {letter: value if value <= p // 2 else value - p for letter, value in (("a", m), ("b", n))}
    if max(short.values()) < 0:
        short = {"a": m, "b": n}
    first, second = sorted(short, key=lambda letter: short[letter] < 0)

    def term(letter: str) -> str:
        size = abs(short[letter])
        return letter if size == 1 else f"{size} * {letter}"

    sign = "-" if short[second] < 0 else "+"
    return f"{term(first)} {sign} {term(second)}" + (f" + {k}" if k else "")


def _groups(answers: Answers) -> Iterator[Task]:
    """The finite group whose table the answers are, or nearly are."""
    table, n = answers.table, len(answers.table)
    if table.shape != (n, n) or n < 2:
        return
    for own in (table, _repaired(np.where(table < n, table, 0))):
        if identity_of(own) is not None:
            yield _in_known_order(CayleyTable(own))
            return


def _in_known_order(group: CayleyTable) -> Task:
    """The group by its name where its elements are in the order in which topomod lists them."""
    for name in known_names(group.order):
        if np.array_equal(GroupComposition(name).targets(), group.targets()):
            return GroupComposition(name)
    return group


def _repaired(table: np.ndarray) -> np.ndarray:
    """A group's table with mistakes, put right: ``(a x) (x^-1 b)`` is asked for many x, and most of them decide."""
    n = len(table)
    every = np.arange(n)
    identity = int(np.argmax((table == every).sum(axis=1) + (table == every[:, None]).sum(axis=0)))
    inverse = np.argmax(table == identity, axis=1)
    chosen = np.random.default_rng(0).permutation(n)[:N_VOTES]
    votes = np.stack([table[table[:, x][:, None], table[inverse[x]][None, :]] for x in chosen])
    counts = np.zeros((n, n), int)
    best = table.copy()
    for vote in votes:
        times = (votes == vote).sum(axis=0)
        best = np.where(times > counts, vote, best)
        counts = np.maximum(counts, times)
    return best
