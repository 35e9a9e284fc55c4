"""Any binary operation, given as a table."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from topomod.tasks.group_axioms import cyclic_order, identity_of
from topomod.tasks.symmetry import Symmetry
from topomod.tasks.task import MAX_EVALUATED, TaskKind
from topomod.tasks.tokens import GroupMargins, TokenTask

MAX_CLASSES = 2**16  # more classes than any network here has outputs


@dataclass(frozen=True, init=False)
class CayleyTable(GroupMargins, TokenTask):
    """Learn the entry of a table at (a, b).

    A table that is a group's is recognised: it is a Latin square, it is associative, and it has an identity. It then
    has irreps, and where the group is cyclic, frequencies. The order of the elements stays as given. Any other table
    has no symmetry that topomod knows: nothing groups its neurons.

    Parameters
    ----------
    table : array_like
        (n, m) integers from 0 on, the class of (a, b) in row a and column b.

    Raises
    ------
    ValueError
        If the table is not a matrix of whole numbers from 0 to 65535, or has more than 2**20 entries.

    Examples
    --------
    >>> klein = CayleyTable([[0, 1, 2, 3], [1, 0, 3, 2], [2, 3, 0, 1], [3, 2, 1, 0]])
    >>> klein.finite_group is klein, klein.symmetry is None
    (True, True)
    >>> CayleyTable([[0, 1], [0, 1]]).finite_group is None
    True
    """

    table: tuple[tuple[int, ...], ...]

    def __init__(self, table: ArrayLike) -> None:
        object.__setattr__(self, "table", tuple(map(tuple, _checked(table).tolist())))

    def __str__(self) -> str:
        n, m = self.input_shape
        return f"table_{n}x{m}"

    @property
    def name(self) -> str:
        """What tables and messages call the group: a table has no other name."""
        return str(self)

    @cached_property
    def isomorphic_to(self) -> str:
        """Name of the known group that the table is, such as "A5"; the table's own name where it is none of these."""
        from topomod.tasks.isomorphism import group_name  # that module loads all groups, light commands need none

        return (group_name(self.targets()) if self.finite_group else "") or self.name

    @property
    def order(self) -> int:
        """Number of elements of a."""
        return len(self.table)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """``(n, m)``."""
        return (len(self.table), len(self.table[0]))

    @cached_property
    def n_classes(self) -> int:
        """One more than the largest entry."""
        return 1 + max(map(max, self.table))

    @property
    def modulus(self) -> None:
        """None: entries of a table are names, not numbers."""
        return None

    @cached_property
    def _identity(self) -> int | None:
        return identity_of(self.targets())

    @property
    def identity(self) -> int:
        """Identity of the group.

        Raises
        ------
        ValueError
            If the table is not a group's.
        """
        if self._identity is None:
            raise ValueError(f"{self} is no group's table, so that it has no identity")
        return self._identity

    @property
    def finite_group(self) -> CayleyTable | None:
        """The table itself where it is a group's."""
        return None if self._identity is None else self

    @property
    def cyclic(self) -> bool:
        """False: elements are in the order given, not in that of their powers."""
        return False

    @cached_property
    def symmetry(self) -> Symmetry | None:
        """Characters of a cyclic group, with the elements as powers of the first that generates them; else None."""
        if self._identity is None:
            return None
        order = cyclic_order(self.targets(), self._identity)
        return None if order is None else Symmetry(self.order, (order, order), order, (1, 1))

    @property
    def no_symmetry(self) -> str:
        """Why there are no frequencies; empty where there are."""
        known = "a group that is not cyclic: it has irreps" if self.finite_group else "no group's"
        return "" if self.symmetry else f"its table is {known}"

    @property
    def no_margin_theory(self) -> str:
        """Why the largest normalized margin is not known; empty for a group."""
        return "" if self.finite_group else f"theory has no largest normalized margin of {self}: it is no group's table"

    def targets(self) -> np.ndarray:
        """The table, (n, m)."""
        return np.array(self.table)

    def describe(self) -> dict[str, Any]:
        """Name of the kind and the table."""
        return {"name": KIND.name, "table": [list(row) for row in self.table]}


def _checked(table: ArrayLike) -> np.ndarray:
    try:
        found = np.asarray(table)
    except ValueError:
        raise ValueError("a table must have rows of one length") from None
    if found.ndim != 2 or not found.size:
        raise ValueError(f"a table must be (n, m) with at least one entry, found shape {found.shape}")
    if found.size > MAX_EVALUATED:
        raise ValueError(f"a table has at most {MAX_EVALUATED} entries, found {found.size}")
    if np.ma.isMaskedArray(table) and np.ma.getmaskarray(table).any():  # type: ignore[no-untyped-call]
        raise ValueError("a table must have every entry, found masked ones")
    if found.dtype.kind not in "iu":
        raise ValueError(f"a table must hold whole numbers, found {found.dtype}")
    if found.min() < 0 or found.max() >= MAX_CLASSES:
        raise ValueError(
            f"entries of a table must be classes from 0 to {MAX_CLASSES - 1}, found {found.min()} to {found.max()}"
        )
    return np.asarray(found)


KIND = TaskKind(
    name="cayley_table",
    rebuild=lambda description: CayleyTable(description["table"]),
)
