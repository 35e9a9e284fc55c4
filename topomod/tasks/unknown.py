"""A task that nobody named and that the network's answers do not show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from topomod.tasks.task import TaskKind, checked_integer
from topomod.tasks.tokens import TokenTask


@dataclass(frozen=True)
class UnknownTask(TokenTask):
    """Two tokens, and classes of which nobody knows the right one.

    Parameters
    ----------
    n_left, n_right : int
        Numbers of tokens.
    n_classes : int
        Number of classes.

    Raises
    ------
    ValueError
        If a number is not an integer of at least 1.
    """

    n_left: int
    n_right: int
    n_classes: int

    def __post_init__(self) -> None:
        for name in ("n_left", "n_right", "n_classes"):
            object.__setattr__(self, name, checked_integer(getattr(self, name), name, 1))

    def __str__(self) -> str:
        return f"an unknown table of {self.n_left} x {self.n_right}"

    @property
    def input_shape(self) -> tuple[int, int]:
        """``(n_left, n_right)``."""
        return (self.n_left, self.n_right)

    @property
    def modulus(self) -> None:
        """None: tokens are no numbers."""
        return None

    @property
    def symmetry(self) -> None:
        """None: no order of the tokens is known."""
        return None

    @property
    def no_symmetry(self) -> str:
        """Why there are no frequencies."""
        return "its table is not recognised"

    @property
    def finite_group(self) -> None:
        """None: no group is known."""
        return None

    @property
    def no_margin_theory(self) -> str:
        """Why the largest normalized margin is not known."""
        return "the task is not known, so that theory has no largest normalized margin"

    def targets(self) -> np.ndarray:
        """-1 for every pair, (n_left, n_right): no class is known to be right."""
        return np.full(self.input_shape, -1)

    def describe(self) -> dict[str, Any]:
        """Name and numbers."""
        return {"name": KIND.name, "n_left": self.n_left, "n_right": self.n_right, "n_classes": self.n_classes}

    def max_margin(self) -> NoReturn:
        """Refuse: see ``no_margin_theory``."""
        raise ValueError(self.no_margin_theory)

    def margin_at(self, regularization: float) -> NoReturn:
        """Refuse: see ``no_margin_theory``."""
        raise ValueError(self.no_margin_theory)

    def max_margin_neurons(self) -> NoReturn:
        """Refuse: see ``no_margin_theory``."""
        raise ValueError(self.no_margin_theory)


KIND = TaskKind(
    name="unknown",
    rebuild=lambda description: UnknownTask(description["n_left"], description["n_right"], description["n_classes"]),
)
