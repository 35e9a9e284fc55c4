"""Whether a table of products is a group, and what is read off a group's table."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int


def is_latin_square(table: np.ndarray) -> bool:
    """Whether each of 0, ..., n - 1 stands once in every row and every column of a table (n, n)."""
    every = np.arange(len(table))
    square = table.shape == (len(table), len(table))
    return square and all(bool((np.sort(side, axis=1) == every).all()) for side in (table, table.T))


def identity_of(table: np.ndarray) -> int | None:
    """Identity of the group that a table is; None where it is no group.

    A group's table is a Latin square with an identity, and it is associative. Inverses then exist. Associativity is
    checked by Light's test: ``(x g) y = x (g y)`` for all x and y and some g that generate all elements.

    Parameters
    ----------
    table : ndarray
        (n, m) integers; entry ``[a, b]`` is the product ``a b``.

    References
    ----------
    Clifford and Preston, The Algebraic Theory of Semigroups, volume 1, 1961, section 1.2 (Light's test).

    Examples
    --------
    >>> identity_of((np.arange(3)[:, None] + np.arange(3) + 2) % 3)
    1
    >>> identity_of((np.arange(3)[:, None] - np.arange(3)) % 3) is None
    True
    """
    if not is_latin_square(table):
        return None
    every = np.arange(len(table))
    candidates = np.flatnonzero((table == every).all(axis=1) & (table == every[:, None]).all(axis=0))
    if not len(candidates):
        return None
    associative = all(np.array_equal(table[table[:, g]], table[:, table[g]]) for g in _generators(table))
    return int(candidates[0]) if associative else None


def _generators(table: np.ndarray) -> list[int]:
    """Some elements whose products are all elements of a Latin square; at most log2 n of them in a group."""
    reached = np.zeros(len(table), dtype=bool)
    found: list[int] = []
    while not reached.all():
        found.append(int(np.argmin(reached)))
        reached[found[-1]] = True
        known = 0
        while known < reached.sum():
            known = int(reached.sum())
            inside = np.flatnonzero(reached)
            reached[table[np.ix_(inside, inside)]] = True
    return found


def inverses_of(table: Int[np.ndarray, "n n"], identity: int) -> Int[np.ndarray, " n"]:
    """Inverse of each element of a group."""
    return np.asarray(np.argmax(table == identity, axis=1))


def powers(table: Int[np.ndarray, "n n"], identity: int, element: int) -> list[int]:
    """``1, g, g^2, ...`` until the identity would come again."""
    found, last = [identity], element
    while last != identity:
        found.append(last)
        last = int(table[last, element])
    return found


def cyclic_order(table: Int[np.ndarray, "n n"], identity: int) -> tuple[int, ...] | None:
    """All elements as powers of the first one that generates them; None where the group is not cyclic."""
    for element in range(len(table)):
        found = powers(table, identity, element)
        if len(found) == len(table):
            return tuple(found)
    return None
