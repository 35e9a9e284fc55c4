"""What tasks have in common whose inputs are rows of tokens, and those that compose elements of a finite group."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import numpy as np

from topomod.tasks.task import FiniteGroup, token_grid


class TokenTask(ABC):
    """A task with one axis of inputs for each token, all of which decide the class together."""

    @property
    @abstractmethod
    def input_shape(self) -> tuple[int, ...]:
        """Number of values of each token."""

    @property
    def n_inputs(self) -> int:
        """Number of rows of tokens."""
        return math.prod(self.input_shape)

    @property
    def one_hot(self) -> bool:
        """True: inputs are tokens."""
        return True

    @property
    def n_factors(self) -> int:
        """Number of tokens: they decide the class together."""
        return len(self.input_shape)

    @property
    def support(self) -> None:
        """None: inputs are tokens."""
        return None

    def inputs(self) -> np.ndarray:
        """All rows of tokens, (n_inputs, n_tokens), the last token fastest."""
        return token_grid(self.input_shape)


class GroupMargins:
    """Normalized margins of a finite group, from the strengths of its irreps.

    The module of strengths is imported where it is used: light commands need no irreps.
    """

    def max_margin(self: FiniteGroup) -> float:
        """Largest normalized margin, that of the strengths of :func:`topomod.irrep_strengths`."""
        from topomod.tasks.irrep_strengths import max_group_margin

        return max_group_margin(self)

    def margin_at(self: FiniteGroup, regularization: float) -> float:
        """Normalized margin of the strengths that are optimal under a regularisation."""
        from topomod.tasks.irrep_strengths import irrep_strengths, margin_of_strengths

        return margin_of_strengths(self, irrep_strengths(self, regularization))

    def max_margin_neurons(self: FiniteGroup) -> tuple[np.ndarray, np.ndarray]:
        """``2 D^3`` neurons for each used real irrep of real type, ``D^3`` for each of another type."""
        from topomod.tasks.irrep_strengths import max_margin_group_neurons

        return max_margin_group_neurons(self)
