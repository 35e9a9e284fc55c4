"""How near a function on a finite group is to one that is constant on the cosets of some subgroup."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from topomod.tasks.task import FiniteGroup

MAX_ORDER = 120  # S5; larger groups have thousands of subgroups


@lru_cache(maxsize=8)
def subgroups(group: FiniteGroup) -> tuple[frozenset[int], ...]:
    """All subgroups but the trivial one and the whole group, small ones first.

    Each is generated from a smaller one and one more element.

    Raises
    ------
    ValueError
        If the order is above 120.

    Examples
    --------
    >>> from topomod import GroupComposition
    >>> [sorted(subgroup) for subgroup in subgroups(GroupComposition("S3"))]
    [[0, 1], [0, 2], [0, 5], [0, 3, 4]]
    """
    if group.order > MAX_ORDER:
        raise ValueError(f"subgroups are found up to order {MAX_ORDER}, found {group} of order {group.order}")
    table, known = group.targets(), {frozenset([group.identity])}
    waiting = list(known)
    while waiting:
        subgroup = waiting.pop()
        for element in set(range(group.order)) - subgroup:
            larger = _closure(table, subgroup | {element})
            if larger not in known:
                known.add(larger)
                waiting.append(larger)
    inner = known - {frozenset([group.identity]), frozenset(range(group.order))}
    return tuple(sorted(inner, key=lambda subgroup: (len(subgroup), sorted(subgroup))))


def _closure(table: np.ndarray, elements: frozenset[int]) -> frozenset[int]:
    """The subgroup that some elements of a finite group generate."""
    found = np.array(sorted(elements))
    while True:
        products = np.unique(table[np.ix_(found, found)])
        if len(products) == len(found):
            return frozenset(found.tolist())
        found = products


def coset_partitions(group: FiniteGroup) -> Iterator[np.ndarray]:
    """Number of the coset of each element, (order,), for the left and the right cosets of every subgroup.

    All conjugates of a subgroup are among them.
    """
    table = group.targets()
    for subgroup in subgroups(group):
        inside = np.array(sorted(subgroup))
        for products in (table[:, inside], table[inside].T):
            yield np.unique(np.sort(products, axis=1), axis=0, return_inverse=True)[1].reshape(-1)


def coset_concentration(u: Float[np.ndarray, "*m order"], group: FiniteGroup) -> Float[np.ndarray, "*m"]:
    """Largest share of a function's variance that lies between the cosets of one subgroup, chance taken off.

    A random function has the share ``(k - 1) / (n - 1)`` between the k cosets of a subgroup in a group of order n. The
    result is ``(share - chance) / (1 - chance)``: 1 for a function that is constant on cosets. A maximum over many
    subgroups is above 0 by chance, too: compare it with that of random functions.

    Parameters
    ----------
    u : ndarray
        (..., order), real.
    group : FiniteGroup
        Of order at most 120.

    Returns
    -------
    ndarray
        (...), NaN for a constant function; 0 where the group has no subgroups but itself and the trivial one.

    References
    ----------
    Neurons that are constant on cosets: Stander et al., arXiv 2312.06581.
    """
    centred = u - u.mean(axis=-1, keepdims=True)
    total = np.sum(centred**2, axis=-1)
    best = np.zeros(total.shape)
    for number in coset_partitions(group):
        sizes = np.bincount(number)
        means = centred @ np.eye(len(sizes))[number] / sizes
        chance = (len(sizes) - 1) / (group.order - 1)
        share = np.sum(means**2 * sizes, axis=-1) / np.where(total > 0, total, np.nan)
        best = np.maximum(best, (share - chance) / (1 - chance))
    return np.asarray(np.where(total > 0, best, np.nan))
