"""What is to be learnt: a finite set of inputs, each with one correct class."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations, product
from typing import Any

import numpy as np


@dataclass(frozen=True)
class ModularAddition:
    """Learn ``c = (a + b) mod p`` from one-hot ``a`` and ``b``.

    Even and composite ``p`` are allowed; for even ``p`` the frequency ``p / 2`` has a single real phase.

    Parameters
    ----------
    p : int
        Modulus, at least 3.

    Raises
    ------
    ValueError
        If ``p`` is not an integer of at least 3.

    References
    ----------
    Power et al., arXiv 2201.02177; Nanda et al., arXiv 2301.05217.

    Examples
    --------
    >>> int(ModularAddition(p=5).targets()[3, 4])
    2
    """

    p: int = 59

    def __post_init__(self) -> None:
        if isinstance(self.p, bool) or not isinstance(self.p, int | np.integer) or self.p < 3:
            raise ValueError(f"p must be an integer >= 3, found {self.p!r}")
        object.__setattr__(self, "p", int(self.p))

    @property
    def n_inputs(self) -> int:
        """Number of input pairs, ``p**2``."""
        return self.p**2

    @property
    def n_classes(self) -> int:
        """Number of classes, ``p``."""
        return self.p

    def targets(self) -> np.ndarray:
        """Correct class of every input, shape (p, p), indexed ``[a, b]``."""
        a = np.arange(self.p)
        return (a[:, None] + a[None, :]) % self.p

    def describe(self) -> dict[str, Any]:
        """Return what :func:`task_from_description` needs to rebuild the task."""
        return {"name": "modular_addition", "p": self.p}


@dataclass(frozen=True)
class SparseParity:
    """Learn the product of the first ``k`` of ``n`` signs; no architecture here trains on it yet.

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
        if not 1 <= self.k <= self.n <= 20:
            raise ValueError(f"parity needs 1 <= k <= n <= 20, found n = {self.n}, k = {self.k}")

    def inputs(self) -> np.ndarray:
        """All inputs, (2**n, n) of -1 and +1, in lexicographic order from all +1."""
        return np.array(list(product((1, -1), repeat=self.n)))

    def targets(self) -> np.ndarray:
        """Class of every input, (2**n,): 0 where the product of the support is +1, 1 where it is -1."""
        return np.asarray(np.prod(self.inputs()[:, : self.k], axis=1) < 0, dtype=int)


@dataclass(frozen=True)
class GroupComposition:
    """Learn the product of two elements of a finite group; no architecture here trains on it yet.

    Elements are permutations in lexicographic order.

    Parameters
    ----------
    name : str
        ``C<n>`` cyclic, ``S<n>`` symmetric or ``A<n>`` alternating (n at most 6).

    Raises
    ------
    ValueError
        For another name.

    References
    ----------
    Chughtai et al., arXiv 2302.03025.

    Examples
    --------
    >>> GroupComposition("S3").targets().shape
    (6, 6)
    """

    name: str

    def __post_init__(self) -> None:
        kind, size = self.name[:1], self.name[1:]
        largest = {"C": 1000, "S": 6, "A": 6}.get(kind, 0)
        if not size.isdigit() or not 2 <= int(size) <= largest:
            raise ValueError(f"unknown group {self.name!r}; known: C<n> (n 2 to 1000), S<n> and A<n> (n 2 to 6)")

    def elements(self) -> np.ndarray:
        """Permutations, (order, n points), one row per element."""
        kind, n = self.name[0], int(self.name[1:])
        if kind == "C":
            return np.asarray((np.arange(n)[:, None] + np.arange(n)) % n)
        every = np.array(list(permutations(range(n))))
        if kind == "S":
            return every
        i, j = np.triu_indices(n, 1)
        return np.asarray(every[np.sum(every[:, i] > every[:, j], axis=1) % 2 == 0])

    def describe(self) -> dict[str, Any]:
        """Return what :func:`task_from_description` needs to rebuild the task."""
        return {"name": "group_composition", "group": self.name}

    def targets(self) -> np.ndarray:
        """Index of the product ``a b`` (b first) for every pair, (order, order)."""
        elements = self.elements()
        index = {tuple(row): i for i, row in enumerate(elements.tolist())}
        return np.array([[index[tuple(a[b].tolist())] for b in elements] for a in elements])


def task_from_description(description: dict[str, Any]) -> ModularAddition | GroupComposition:
    """Rebuild a task from what its ``describe`` returned.

    Raises
    ------
    ValueError
        If the task's name is not known.
    """
    name = description.get("name")
    if name == "modular_addition":
        return ModularAddition(description["p"])
    if name == "group_composition":
        return GroupComposition(description["group"])
    raise ValueError(f"unknown task {name!r}; known tasks: modular_addition, group_composition")
