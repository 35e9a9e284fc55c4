"""The product of some of n signs."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np


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
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | np.integer):
                raise ValueError(f"{name} must be an integer, found {value!r}")
            object.__setattr__(self, name, int(value))
        if not 1 <= self.k <= self.n <= 20:
            raise ValueError(f"parity needs 1 <= k <= n <= 20, found n = {self.n}, k = {self.k}")

    def __str__(self) -> str:
        return f"parity_{self.n}_{self.k}"

    @property
    def n_inputs(self) -> int:
        """Number of inputs, ``2**n``."""
        return int(2**self.n)

    @property
    def n_classes(self) -> int:
        """Two: +1 and -1."""
        return 2

    def describe(self) -> dict[str, Any]:
        """Return what :func:`task_from_description` needs to rebuild the task."""
        return {"name": "sparse_parity", "n": self.n, "k": self.k}

    def inputs(self) -> np.ndarray:
        """All inputs, (2**n, n) of -1 and +1, in lexicographic order from all +1."""
        return np.array(list(product((1, -1), repeat=self.n)))

    def targets(self) -> np.ndarray:
        """Class of every input, (2**n,): 0 where the product of the support is +1, 1 where it is -1."""
        return np.asarray(np.prod(self.inputs()[:, : self.k], axis=1) < 0, dtype=int)
