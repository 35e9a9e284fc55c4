"""The product of some of n signs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from topomod.tasks.task import TaskKind, checked_integer


@dataclass(frozen=True)
class SparseParity:
    """Learn the product of the first ``k`` of ``n`` signs.

    Parameters
    ----------
    n : int
        Number of inputs in {-1, +1}, at most 20.
    k : int
        Size of the support, 1 to n.

    Raises
    ------
    ValueError
        If n or k is out of range.

    References
    ----------
    Morwani et al., arXiv 2311.07568.

    Examples
    --------
    >>> SparseParity(n=3, k=2).targets().tolist()
    [0, 0, 1, 1, 1, 1, 0, 0]
    """

    n: int
    k: int

    def __post_init__(self) -> None:
        for name in ("n", "k"):
            object.__setattr__(self, name, checked_integer(getattr(self, name), name, 1))
        if not self.k <= self.n <= 20:
            raise ValueError(f"parity needs 1 <= k <= n <= 20, found n = {self.n}, k = {self.k}")

    def __str__(self) -> str:
        return f"parity_{self.n}_{self.k}"

    @property
    def input_shape(self) -> tuple[int, ...]:
        """``(2**n,)``: one axis of sign vectors."""
        return (self.n_inputs,)

    @property
    def n_inputs(self) -> int:
        """Number of inputs, ``2**n``."""
        return int(2**self.n)

    @property
    def n_classes(self) -> int:
        """Two: +1 and -1."""
        return 2

    @property
    def one_hot(self) -> bool:
        """False: inputs are vectors of signs."""
        return False

    @property
    def n_factors(self) -> int:
        """``k``: the signs of the support decide the class together."""
        return self.k

    @property
    def modulus(self) -> None:
        """None: inputs are signs."""
        return None

    @property
    def symmetry(self) -> None:
        """None: inputs are signs."""
        return None

    @property
    def no_symmetry(self) -> str:
        """Inputs are signs."""
        return "its inputs are signs"

    @property
    def finite_group(self) -> None:
        """None: nothing is composed."""
        return None

    @property
    def support(self) -> tuple[int, ...]:
        """The first ``k`` signs."""
        return tuple(range(self.k))

    @property
    def no_margin_theory(self) -> str:
        """Empty: theory knows the largest normalized margin of every parity."""
        return ""

    def describe(self) -> dict[str, Any]:
        """Name, ``n`` and ``k``."""
        return {"name": KIND.name, "n": self.n, "k": self.k}

    def inputs(self) -> np.ndarray:
        """All inputs, (2**n, n) of -1 and +1, in lexicographic order from all +1."""
        return np.array(list(product((1, -1), repeat=self.n)))

    def targets(self) -> np.ndarray:
        """Class of every input, (2**n,): 0 where the product of the support is +1, 1 where it is -1."""
        return np.asarray(np.prod(self.inputs()[:, : self.k], axis=1) < 0, dtype=int)

    def max_margin(self) -> float:
        """``k! sqrt(2 (k + 1)^-(k + 1))``.

        References
        ----------
        Morwani et al., arXiv 2311.07568.
        """
        return math.factorial(self.k) * math.sqrt(2 / (self.k + 1) ** (self.k + 1))

    def margin_at(self, regularization: float) -> float:
        """Largest normalized margin, whatever the regularisation.

        By symmetry all features have the same strength, so the regularisation changes only the scale of the weights.
        """
        return self.max_margin()

    def max_margin_neurons(self) -> tuple[np.ndarray, np.ndarray]:
        """``2^(k - 1)`` neurons, one for each pattern of signs on the support up to a common sign."""
        signs = sign_patterns(self.k)
        W_in = np.concatenate([signs, np.zeros((len(signs), self.n - self.k))], axis=1)
        return W_in, signs.prod(axis=1)[:, None] * np.array([1.0, -1.0]) / math.sqrt(2)


def sign_patterns(k: int) -> np.ndarray:
    """Signs e of k inputs up to a common sign, (2^(k-1), k); ``sum (prod e) (e . x)^k = 2^(k-1) k! prod x``."""
    return np.array([(1.0, *rest) for rest in product((1.0, -1.0), repeat=k - 1)])


KIND = TaskKind(
    name="sparse_parity",
    pattern="parity_([0-9]+)_([0-9]+)",
    written="parity_<n>_<k>",
    parse=lambda match, _p: SparseParity(int(match[1]), int(match[2])),
    rebuild=lambda description: SparseParity(description["n"], description["k"]),
)
