"""What is to be learnt: a finite set of inputs, each with one correct class."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import permutations, product
from typing import Any

import numpy as np

MAX_EVALUATED = 2**20  # inputs of any task: each is looked at to tell a circuit's accuracy and margin
MAX_INPUTS = 2**16  # of a network that holds all inputs: one layer of 256 neurons in float32 is then 64 MiB


@dataclass(frozen=True)
class ModularAddition:
    """Learn ``c = (a_1 + ... + a_k) mod p`` from one-hot inputs.

    Even and composite ``p`` are allowed; for even ``p`` the frequency ``p / 2`` has a single real phase.

    Parameters
    ----------
    p : int
        Modulus, at least 3.
    k : int
        Number of inputs, at least 2.

    Raises
    ------
    ValueError
        If ``p`` is not an integer of at least 3, or ``k`` not one of at least 2.

    References
    ----------
    Power et al., arXiv 2201.02177; Nanda et al., arXiv 2301.05217; k inputs: Li et al., arXiv 2402.09469.

    Examples
    --------
    >>> int(ModularAddition(p=5).targets()[3, 4])
    2
    >>> int(ModularAddition(p=5, k=3).targets()[3, 4, 4])
    1
    """

    p: int = 59
    k: int = 2

    def __post_init__(self) -> None:
        for name, least in (("p", 3), ("k", 2)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
                raise ValueError(f"{name} must be an integer >= {least}, found {value!r}")
            object.__setattr__(self, name, int(value))

    def __str__(self) -> str:
        return f"addition{'' if self.k == 2 else f'_{self.k}'} mod {self.p}"

    @property
    def n_inputs(self) -> int:
        """Number of inputs, ``p**k``."""
        return int(self.p**self.k)

    @property
    def n_classes(self) -> int:
        """Number of classes, ``p``."""
        return self.p

    def targets(self) -> np.ndarray:
        """Correct class of every input, shape (p,) * k, indexed ``[a_1, ..., a_k]``."""
        return np.asarray(sum(np.ix_(*[np.arange(self.p)] * self.k)) % self.p)

    def describe(self) -> dict[str, Any]:
        """Return what :func:`task_from_description` needs to rebuild the task."""
        return {"name": "modular_addition", "p": self.p, "k": self.k}


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


@dataclass(frozen=True)
class GroupComposition:
    """Learn the product of two elements of a finite group.

    Elements are permutations; of S and A in lexicographic order, else in the order of
    :meth:`elements`. The identity comes first.

    Parameters
    ----------
    name : str
        ``C<n>`` cyclic, ``D<n>`` dihedral of order 2n, ``S<n>`` symmetric, ``A<n>`` alternating (n at most 6) or
        ``Q8`` quaternions.

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
        least, most = {"C": (2, 1000), "D": (3, 500), "S": (2, 6), "A": (3, 6), "Q": (8, 8)}.get(kind, (1, 0))
        if not re.fullmatch(r"[1-9][0-9]*", size) or not least <= int(size) <= most:
            known = "C<n> (n 2 to 1000), D<n> (3 to 500), S<n> (2 to 6), A<n> (3 to 6), Q8"
            raise ValueError(f"unknown group {self.name!r}; known: {known}")

    def __str__(self) -> str:
        return self.name

    @property
    def order(self) -> int:
        """Number of elements."""
        return len(self.elements())

    @property
    def n_inputs(self) -> int:
        """Number of input pairs, ``order**2``."""
        return self.order**2

    @property
    def n_classes(self) -> int:
        """Number of classes, the order of the group."""
        return self.order

    def elements(self) -> np.ndarray:
        """Permutations, (order, n points), one row per element.

        C: rotations by 0, 1, .... D: rotations by 0, 1, ..., then the same after the reflection i -> -i. Q8: left
        multiplication of 1, i, j, k, -1, -i, -j, -k.
        """
        kind, n = self.name[0], int(self.name[1:])
        turns = (np.arange(n)[:, None] + np.arange(n)) % n
        if kind == "C":
            return np.asarray(turns)
        if kind == "D":
            return np.concatenate([turns, (np.arange(n)[:, None] - np.arange(n)) % n])
        if kind == "Q":
            return _quaternion_products()
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


def _quaternion_products() -> np.ndarray:
    """Table of products of 1, i, j, k, -1, -i, -j, -k, (8, 8)."""
    unit = [[0, 1, 2, 3], [1, 4, 3, 6], [2, 7, 4, 1], [3, 2, 5, 4]]  # ij = k, ji = -k, ...
    top = np.concatenate([np.array(unit), (np.array(unit) + 4) % 8], axis=1)
    return np.concatenate([top, (top + 4) % 8])


Task = ModularAddition | SparseParity | GroupComposition


def task_from_description(description: dict[str, Any]) -> Task:
    """Rebuild a task from what its ``describe`` returned.

    Raises
    ------
    ValueError
        If the task's name is not known.
    """
    name = description.get("name")
    if name == "modular_addition":
        return ModularAddition(description["p"], description.get("k", 2))
    if name == "sparse_parity":
        return SparseParity(description["n"], description["k"])
    if name == "group_composition":
        return GroupComposition(description["group"])
    known = "modular_addition, sparse_parity, group_composition"
    raise ValueError(f"unknown task {name!r}; known tasks: {known}")


def parse_task(name: str, p: int) -> Task:
    """Task that a study's YAML names: ``addition``, ``addition_<k>`` (both mod p), ``parity_<n>_<k>`` or a group.

    Raises
    ------
    ValueError
        For another name, or one whose numbers are out of range.

    Examples
    --------
    >>> parse_task("addition_3", p=11)
    ModularAddition(p=11, k=3)
    >>> parse_task("S5", p=11)
    GroupComposition(name='S5')
    """
    kind, *numbers = name.split("_")
    if all(re.fullmatch("[0-9]+", number) for number in numbers):
        if kind == "addition" and len(numbers) < 2:
            return ModularAddition(p, *map(int, numbers))
        if kind == "parity" and len(numbers) == 2:
            return SparseParity(*map(int, numbers))
    if name[:1].isupper():
        return GroupComposition(name)
    raise ValueError(f"unknown task {name!r}; known: addition, addition_<k>, parity_<n>_<k>, or a group such as S5")
