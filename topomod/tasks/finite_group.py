"""Composition in a finite group."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np

from topomod.tasks.task import TaskKind, token_grid


@dataclass(frozen=True)
class GroupComposition:
    """Learn the product of two elements of a finite group.

    Elements are permutations. Those of S and A are in lexicographic order, all others in the order that
    :meth:`elements` gives. The identity comes first.

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
        kind, size = str(self.name)[:1], str(self.name)[1:]
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
    def input_shape(self) -> tuple[int, ...]:
        """``(order, order)``."""
        return (self.order, self.order)

    @property
    def n_inputs(self) -> int:
        """Number of input pairs, ``order**2``."""
        return self.order**2

    @property
    def n_classes(self) -> int:
        """Number of classes, the order of the finite group."""
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

    @property
    def one_hot(self) -> bool:
        """True: inputs are tokens."""
        return True

    @property
    def n_factors(self) -> int:
        """2: both elements decide the class together."""
        return 2

    @property
    def modulus(self) -> None:
        """None: elements have no arithmetic mod p, also where the finite group is cyclic."""
        return None

    @property
    def symmetry(self) -> None:
        """None: the neurons of a finite group are grouped by irrep, those of a cyclic one too."""
        return None

    @property
    def no_symmetry(self) -> str:
        """A group's neurons have irreps."""
        return "the neurons of a finite group have irreps"

    @property
    def identity(self) -> int:
        """0: the identity comes first."""
        return 0

    @property
    def finite_group(self) -> GroupComposition:
        """The finite group itself."""
        return self

    @property
    def cyclic(self) -> bool:
        """Whether it is written as a cyclic group, with its elements in the order of their powers."""
        return self.name.startswith("C")

    @property
    def support(self) -> None:
        """None: inputs are tokens."""
        return None

    @property
    def no_margin_theory(self) -> str:
        """Empty: theory knows the largest normalized margin of every finite group."""
        return ""

    def inputs(self) -> np.ndarray:
        """All rows of tokens, (n_inputs, n_tokens), the last token fastest."""
        return token_grid(self.input_shape)

    def max_margin(self) -> float:
        """Largest normalized margin, that of the strengths of :func:`topomod.irrep_strengths`."""
        from topomod.tasks.irrep_strengths import max_group_margin  # that module imports this class

        return max_group_margin(self)

    def margin_at(self, regularization: float) -> float:
        """Normalized margin of the strengths that are optimal under a regularisation."""
        from topomod.tasks.irrep_strengths import irrep_strengths, margin_of_strengths  # it imports this class

        return margin_of_strengths(self, irrep_strengths(self, regularization))

    def max_margin_neurons(self) -> tuple[np.ndarray, np.ndarray]:
        """``2 D^3`` neurons for each used real irrep of real type, ``D^3`` for each of another type."""
        from topomod.tasks.irrep_strengths import max_margin_group_neurons  # it imports this class

        return max_margin_group_neurons(self)

    def describe(self) -> dict[str, Any]:
        """Name of the kind and of the finite group."""
        return {"name": KIND.name, "group": self.name}

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


KIND = TaskKind(
    name="group_composition",
    pattern="[A-Z].*",
    written="or a finite group such as S5",
    parse=lambda match, _p: GroupComposition(match[0]),
    rebuild=lambda description: GroupComposition(description["group"]),
)
