"""What a network computes, read off its own answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from topomod.tasks.task import Task


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

    def agreement(self, task: Task) -> float:
        """Share of inputs that get the class of a task."""
        return float(np.mean(self.table == task.targets()))

    def reason(self, task: Task) -> str:
        """Why a network with these answers has not converged on a task; empty where it has."""
        right, outside = self.agreement(task), float(np.mean(self.table >= task.n_classes))
        found = "" if right == 1 else f"right on {right:.1%} of pairs"
        return found + (f"; on {outside:.1%} the largest logit is of a column that is no class" if outside else "")


def decide_task(answers: Answers, task: Task | None) -> Task:
    """Return the task that is given, checked against the shape of the answers, or the one that they show.

    Raises
    ------
    ValueError
        If the shape of the answers is not that of the task.
    """
    if task is None:
        return read_off(answers)
    if not isinstance(task, Task):
        raise ValueError(f"task must be a task such as ModularAddition(59), found {type(task).__name__}")
    if answers.table.shape != task.input_shape or answers.n_columns < task.n_classes:
        found = f"{answers.table.shape} inputs and {answers.n_columns} columns"
        raise ValueError(f"logits have {found}; {task} needs {task.input_shape} and at least {task.n_classes}")
    return task


def read_off(answers: Answers) -> Task:
    raise NotImplementedError
