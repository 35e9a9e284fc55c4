"""Which known group a table is, up to isomorphism."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import factorial, prod

import numpy as np
from jaxtyping import Int

from topomod.tasks.finite_group import GroupComposition
from topomod.tasks.group_axioms import _generators, identity_of

MAX_ORDER = 1000  # larger tables are not named


def find_isomorphism(table: Int[np.ndarray, "n n"], known: Int[np.ndarray, "n n"]) -> Int[np.ndarray, " n"] | None:
    """Isomorphism from the second group to the first; None where the two are not isomorphic.

    Generators of the known group are sent to elements of the same order in every possible way, until one of these
    maps extends to all products. Groups whose elements have other orders are told apart before.

    Parameters
    ----------
    table, known : ndarray
        Tables of products of two groups of one order.

    Returns
    -------
    ndarray or None
        (n,) element of the first group for each element of the second: ``image[known[x, y]] ==
        table[image[x], image[y]]``.

    Examples
    --------
    >>> three = (np.arange(3)[:, None] + np.arange(3)) % 3
    >>> renamed = np.array([[2, 0, 1], [0, 1, 2], [1, 2, 0]])
    >>> find_isomorphism(renamed, three).tolist()
    [1, 0, 2]
    """
    orders, wanted = element_orders(table), element_orders(known)
    if not np.array_equal(np.sort(orders), np.sort(wanted)):
        return None
    generators = few_generators(known)
    choices = [np.flatnonzero(orders == wanted[g]) for g in generators]
    for images in product(*choices):
        if (image := _extended(table, known, dict(zip(generators, map(int, images), strict=True)))) is not None:
            return image
    return None


def element_orders(table: Int[np.ndarray, "n n"]) -> Int[np.ndarray, " n"]:
    """Order of every element of a group."""
    identity = identity_of(table)
    every = np.arange(len(table))
    orders, power = np.zeros(len(table), int), np.full(len(table), identity)
    for k in range(1, len(table) + 1):
        power = table[power, every]
        orders[(power == identity) & (orders == 0)] = k
        if orders.all():
            break
    return orders


def few_generators(table: Int[np.ndarray, "n n"]) -> list[int]:
    """Few elements that generate a group, two where any two do; the rarest orders come first, to try few images."""
    orders = element_orders(table)
    times = np.bincount(orders)[orders]
    order = np.lexsort((-orders, times))
    order = order[orders[order] > 1]
    for first in order[:20]:
        for second in order:
            if len(_subgroup(table, (int(first), int(second)))) == len(table):
                pair = (int(first), int(second))
                return [pair[0]] if len(_subgroup(table, pair[:1])) == len(table) else list(pair)
    return _generators(table)


def _subgroup(table: np.ndarray, generators: tuple[int, ...]) -> set[int]:
    """Elements that some elements generate: all products of them, as the group is finite."""
    reached, waiting = set(generators), list(generators)
    while waiting:
        element = waiting.pop()
        for g in generators:
            if (new := int(table[element, g])) not in reached:
                reached.add(new)
                waiting.append(new)
    return reached


def _extended(table: np.ndarray, known: np.ndarray, images: dict[int, int]) -> np.ndarray | None:
    """The homomorphism with given images of generators, if there is one and it is onto."""
    image = np.full(len(known), -1)
    waiting = []
    for generator, own in images.items():
        image[generator] = own
        waiting.append(generator)
    while waiting:
        element = waiting.pop()
        for generator, own in images.items():
            new, value = known[element, generator], table[image[element], own]
            if image[new] < 0:
                image[new] = value
                waiting.append(int(new))
            elif image[new] != value:
                return None
    onto = len(np.unique(image)) == len(image) and image.min() >= 0
    return image if onto and np.array_equal(image[known], table[np.ix_(image, image)]) else None


def group_name(table: Int[np.ndarray, "n n"]) -> str:
    """Name of the known group that a group's table is isomorphic to, such as "A5"; empty where it is none of these.

    Known are the groups of :class:`GroupComposition`: cyclic, dihedral, symmetric, alternating and dicyclic ones,
    quaternions, and products of two or three of them.

    Examples
    --------
    >>> group_name(np.array([[0, 1, 2, 3], [1, 0, 3, 2], [2, 3, 0, 1], [3, 2, 1, 0]]))
    'C2xC2'
    """
    for name in known_names(len(table)) if len(table) <= MAX_ORDER else ():
        if find_isomorphism(table, GroupComposition(name).targets()) is not None:
            return name
    return ""


def known_names(n: int) -> Iterator[str]:
    """Names of known groups of an order, plain ones before products of two, then of three."""
    yield from _plain_names(n)
    for n_factors in (2, 3):
        for sizes in _factorisations(n, n_factors):
            for names in product(*(list(_plain_names(size)) for size in sizes)):
                yield "x".join(names)


def _plain_names(n: int) -> Iterator[str]:
    yield from (f"S{k}" for k in (3, 4, 5, 6) if n == factorial(k))
    yield from (f"A{k}" for k in (4, 5, 6) if 2 * n == factorial(k))
    if n >= 2:
        yield f"C{n}"
    if n % 2 == 0 and n >= 6:
        yield f"D{n // 2}"
    if n == 8:
        yield "Q8"
    if n % 4 == 0 and n >= 12:
        yield f"Dic{n // 4}"


def _factorisations(n: int, n_factors: int) -> Iterator[tuple[int, ...]]:
    """Ways to write n as a product of factors from 2 on, largest first."""
    divisors = [d for d in range(n, 1, -1) if n % d == 0]
    for sizes in product(divisors, repeat=n_factors):
        if prod(sizes) == n and list(sizes) == sorted(sizes, reverse=True):
            yield sizes
