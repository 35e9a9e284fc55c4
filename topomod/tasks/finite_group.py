"""Composition in a finite group."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np

from topomod.tasks.task import TaskKind
from topomod.tasks.tokens import GroupMargins, TokenTask

SIZES = {"C": (2, 1000), "D": (3, 500), "S": (2, 6), "A": (3, 6), "Q": (8, 8), "Dic": (2, 250)}  # least and largest n
MAX_PRODUCT = 1000  # order of a product; irreps of larger ones take minutes
MAX_NAME = 40  # letters


@dataclass(frozen=True)
class GroupComposition(GroupMargins, TokenTask):
    """Learn the product of two elements of a finite group.

    Elements are permutations. Those of S and A are in lexicographic order, all others in the order that
    :meth:`elements` gives. The identity comes first.

    Parameters
    ----------
    name : str
        ``C<n>`` cyclic, ``D<n>`` dihedral of order 2n, ``S<n>`` symmetric, ``A<n>`` alternating (n at most 6), ``Q8``
        quaternions, ``Dic<n>`` dicyclic of order 4n, or a product of these such as ``C3xC3``, of order at most 1000.

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
        if not isinstance(self.name, str) or len(self.name) > MAX_NAME or not all(map(_is_known, self._factors)):
            known = ", ".join(
                f"{kind}<n> (n {least} to {most})" for kind, (least, most) in SIZES.items() if kind != "Q"
            )
            raise ValueError(f"unknown group {self.name!r}; known: {known}, Q8, and products such as C3xC3")
        if len(self._factors) > 1 and self.order > MAX_PRODUCT:
            raise ValueError(f"a product has order at most {MAX_PRODUCT}, found {self.name!r} of order {self.order}")

    def __str__(self) -> str:
        return self.name

    @property
    def _factors(self) -> list[str]:
        return self.name.split("x")

    @property
    def order(self) -> int:
        """Number of elements."""
        return math.prod(_order(*_parts(factor)) for factor in self._factors)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """``(order, order)``."""
        return (self.order, self.order)

    @property
    def n_classes(self) -> int:
        """Number of classes, the order of the finite group."""
        return self.order

    def elements(self) -> np.ndarray:
        """Permutations, (order, n points), one row per element.

        C: rotations by 0, 1, .... D: rotations by 0, 1, ..., then the same after the reflection i -> -i. Q8: left
        multiplication of 1, i, j, k, -1, -i, -j, -k. Dic: of 1, a, a^2, ..., then the same times x, where a^n = x^2 and
        a x = x a^-1. Products: all elements of the last factor with the first element of the others, and so on.
        """
        first, *others = (_permutations(*_parts(factor)) for factor in self._factors)
        for other in others:
            both = np.repeat(first, len(other), axis=0), np.tile(other, (len(first), 1))
            first = np.concatenate([both[0], both[1] + first.shape[1]], axis=1)
        return first

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
    def isomorphic_to(self) -> str:
        """Its own name."""
        return self.name

    @property
    def finite_group(self) -> GroupComposition:
        """The finite group itself."""
        return self

    @property
    def cyclic(self) -> bool:
        """Whether it is written as a cyclic group, with its elements in the order of their powers."""
        return len(self._factors) == 1 and self.name.startswith("C")

    @property
    def no_margin_theory(self) -> str:
        """Empty: theory knows the largest normalized margin of every finite group."""
        return ""

    def describe(self) -> dict[str, Any]:
        """Name of the kind and of the finite group."""
        return {"name": KIND.name, "group": self.name}

    def targets(self) -> np.ndarray:
        """Index of the product ``a b`` (b first) for every pair, (order, order)."""
        elements = self.elements()
        index = {tuple(row): i for i, row in enumerate(elements.tolist())}
        return np.array([[index[tuple(a[b].tolist())] for b in elements] for a in elements])


def _parts(factor: str) -> tuple[str, int]:
    """Kind and size of one factor, such as ("Dic", 3)."""
    written = re.fullmatch("([A-Za-z]+)([1-9][0-9]*)", factor)
    return (written[1], int(written[2])) if written else ("", 0)


def _is_known(factor: str) -> bool:
    kind, size = _parts(factor)
    least, most = SIZES.get(kind, (1, 0))
    return least <= size <= most


def _order(kind: str, n: int) -> int:
    """Number of elements of one factor."""
    small = {"C": n, "D": 2 * n, "Q": n, "Dic": 4 * n}
    return small[kind] if kind in small else math.factorial(n) // (2 if kind == "A" else 1)


def _permutations(kind: str, n: int) -> np.ndarray:
    """Elements of one factor, (order, n points)."""
    turns = (np.arange(n)[:, None] + np.arange(n)) % n
    if kind == "C":
        return np.asarray(turns)
    if kind == "D":
        return np.concatenate([turns, (np.arange(n)[:, None] - np.arange(n)) % n])
    if kind == "Q":
        return _quaternion_products()
    if kind == "Dic":
        return _dicyclic_products(n)
    every = np.array(list(permutations(range(n))))
    if kind == "S":
        return every
    i, j = np.triu_indices(n, 1)
    return np.asarray(every[np.sum(every[:, i] > every[:, j], axis=1) % 2 == 0])


def _dicyclic_products(n: int) -> np.ndarray:
    """Table of products of 1, a, ..., a^(2n-1), x, a x, ..., a^(2n-1) x, (4n, 4n)."""
    i, j = np.ogrid[: 2 * n, : 2 * n]
    sums, differences, turned = (i + j) % (2 * n), (i - j) % (2 * n), (i - j + n) % (2 * n)
    return np.block([[sums, sums + 2 * n], [differences + 2 * n, turned]])


def _quaternion_products() -> np.ndarray:
    """Table of products of 1, i, j, k, -1, -i, -j, -k, (8, 8)."""
    unit = [[0, 1, 2, 3], [1, 4, 3, 6], [2, 7, 4, 1], [3, 2, 5, 4]]  # ij = k, ji = -k, ...
    top = np.concatenate([np.array(unit), (np.array(unit) + 4) % 8], axis=1)
    return np.concatenate([top, (top + 4) % 8])


KIND = TaskKind(
    name="group_composition",
    pattern="[A-Z].*",
    written="or a finite group such as S5 or C3xC3",
    parse=lambda match, _p: GroupComposition(match[0]),
    rebuild=lambda description: GroupComposition(description["group"]),
)
