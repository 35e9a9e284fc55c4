"""In which order the tokens and classes of a task are numbers mod n, whose characters are its waves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np


@dataclass(frozen=True)
class Symmetry:
    """Characters of the cyclic group that acts on each argument of a task.

    Each token of argument j has a number ``x_j`` in Z_n, and each class has a number ``z``. The task is
    ``z = s_1 x_1 + ... + s_k x_k mod n`` with signs s. Its characters are the waves ``exp(2 pi i f x_j / n)``, and f is
    the frequency of a neuron, of a cloud and of the logits alike.

    Parameters
    ----------
    n : int
        Order of the cyclic group.
    tokens : tuple of tuple of int
        For each argument, the tokens whose numbers are 0, 1, ..., n - 1.
    classes : tuple of int
        Classes whose numbers are 0, 1, ..., n - 1.
    windings : tuple of int
        Turns of the class while the token of each argument runs once through its own order, each in (-n / 2, n / 2]:
        (1, 1) for a sum, (1, -1) for a difference, (2, 3) for ``2 a + 3 b``. For products, the own order of a
        token is its discrete logarithm.
    """

    n: int
    tokens: tuple[tuple[int, ...], ...]
    classes: tuple[int, ...]
    windings: tuple[int, ...]

    @property
    def signs(self) -> tuple[int, ...]:
        """Sign of each argument in the sum of numbers."""
        return tuple(1 if winding > 0 else -1 for winding in self.windings)

    @property
    def natural(self) -> bool:
        """Whether tokens and classes are their own numbers."""
        every = tuple(range(self.n))
        return all(order == every for order in (*self.tokens, self.classes))

    @property
    def shared_tokens(self) -> bool:
        """Whether a token has the same number in every argument."""
        return len(set(self.tokens)) == 1

    def arrange(self, values: np.ndarray) -> np.ndarray:
        """Values at all inputs, (n, ..., n, ...), in the order of the tokens' numbers."""
        if self.natural:
            return values
        return np.asarray(values[np.ix_(*self.tokens)])

    def arrange_classes(self, values: np.ndarray, axis: int = -1) -> np.ndarray:
        """Values with an axis of classes, in the order of the classes' numbers."""
        return values if self.natural else np.take(values, self.classes, axis=axis)

    def arrange_tokens(self, values: np.ndarray, argument: int = 0, axis: int = 0) -> np.ndarray:
        """Values with an axis of tokens of one argument, in the order of the tokens' numbers."""
        return values if self.natural else np.take(values, self.tokens[argument], axis=axis)

    def as_sum(self, values: np.ndarray) -> np.ndarray:
        """Values in the order of numbers, (n, ..., n, ...), with numbers negated where the sum subtracts them."""
        if min(self.signs) > 0:
            return values
        return np.asarray(values[np.ix_(*(sign * np.arange(self.n) % self.n for sign in self.signs))])

    def numbers(self, targets: np.ndarray) -> np.ndarray:
        """Numbers of the classes at all inputs, in the order of the tokens' numbers."""
        return targets if self.natural else np.argsort(self.classes)[self.arrange(targets)]

    def turns(self, measured: Sequence[int]) -> tuple[int, ...]:
        """Turns while each token runs through its own order, from turns measured in the order of numbers.

        Examples
        --------
        >>> Symmetry(7, ((0, 4, 1, 5, 2, 6, 3), (0, 1, 2, 3, 4, 5, 6)), (0, 1, 2, 3, 4, 5, 6), (2, -1)).turns((1, -1))
        (2, -1)
        """
        return tuple(own * abs(winding) for own, winding in zip(measured, self.windings, strict=True))


@lru_cache(maxsize=32)
def cyclic_symmetry(n: int, windings: tuple[int, ...]) -> Symmetry:
    """Symmetry of ``w_1 x_1 + ... + w_k x_k mod n``, whose windings w are all coprime to n."""
    short = tuple((w + (n - 1) // 2) % n - (n - 1) // 2 for w in windings)
    tokens = tuple(tuple(x * pow(abs(w), -1, n) % n for x in range(n)) for w in short)
    return Symmetry(n, tokens, tuple(range(n)), short)
