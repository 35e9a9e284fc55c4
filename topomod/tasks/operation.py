"""Any operation on two numbers modulo p that is written with + - * / and powers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import gcd
from typing import Any

import numpy as np

from topomod.tasks.expression import LETTERS, ExpressionError, Polynomial, normal_form, polynomial, values_of
from topomod.tasks.finite_group import GroupComposition
from topomod.tasks.symmetry import Symmetry, cyclic_symmetry
from topomod.tasks.task import TaskKind, checked_integer
from topomod.tasks.tokens import TokenTask

MAX_P = 1024  # p^2 is then at most the number of inputs that networks are looked at on


@dataclass(frozen=True)
class ModularOperation(TokenTask):
    """Learn the value of an expression in a and b modulo p.

    Inputs are 0, ..., p - 1. Two kinds of expressions leave 0 out of a and of b, so that inputs are 1, ..., p - 1:
    those that divide by a or by b, and for a prime p those that are one product, such as ``a * b`` or ``3 * a / b``.
    The classes of one product are 1, ..., p - 1, too: it is then composition in the cyclic group of p - 1 numbers.
    Token 0 stands for the number 1 there, and class 0 for the value 1.

    The task carries its symmetry. For ``m a + n b + k`` with m and n coprime to p, tokens are numbers mod p, and
    windings are (m, n). For one product ``k a^i b^j`` with i and j coprime to p - 1, a token's number is its discrete
    logarithm to the least primitive root, mod p - 1, and windings are (i, j). Other expressions have none.

    Parameters
    ----------
    operation : str
        Such as ``a - b``, ``2 * a + 3 * b``, ``a / b`` or ``a**3 + a*b``: a, b, whole numbers, ``+ - * / **`` and
        brackets. ``/`` is multiplication by the inverse. It is stored with the usual spacing.
    p : int
        Modulus, 3 to 1024; a prime where a or b is divided by.

    Raises
    ------
    ValueError
        If the text is no such expression or does not depend on both a and b, or p is out of range.

    References
    ----------
    Operations of Power et al., arXiv 2201.02177.

    Examples
    --------
    >>> int(ModularOperation("a - b", p=5).targets()[1, 3])
    3
    >>> division = ModularOperation("a/b", p=5)
    >>> str(division), division.input_shape, division.symmetry.windings
    ('a / b mod 5', (4, 4), (1, -1))
    >>> ModularOperation("a**3 + a*b", p=5).no_symmetry
    'a**3 + a * b is neither a weighted sum of a and b nor one product of their powers'
    """

    operation: str
    p: int = 59

    def __post_init__(self) -> None:
        object.__setattr__(self, "p", checked_integer(self.p, "p", 3, MAX_P))
        try:
            terms = polynomial(self.operation, self.p)
            object.__setattr__(self, "operation", normal_form(self.operation))
        except ExpressionError as error:
            raise ValueError(f"the operation {self.operation!r} {error}") from None
        if not all(any(key[side] for key in terms) for side in (0, 1)):
            raise ValueError(f"the operation {self.operation!r} must depend on both a and b mod {self.p}")
        if any(min(key) < 0 for key in terms) and not self._prime:
            raise ValueError(f"the operation {self.operation!r} divides, which needs a prime p, found p = {self.p}")

    def __str__(self) -> str:
        return f"{self.operation} mod {self.p}"

    @cached_property
    def _terms(self) -> Polynomial:
        return polynomial(self.operation, self.p)

    @property
    def _prime(self) -> bool:
        return all(self.p % d for d in range(2, int(self.p**0.5) + 1))

    @property
    def _product(self) -> bool:
        """Whether it is one product of numbers that have inverses."""
        return len(self._terms) == 1 and self._prime

    @property
    def _first(self) -> int:
        """The least input: 1 where 0 is left out."""
        return int(self._product or any(min(key) < 0 for key in self._terms))

    @property
    def input_shape(self) -> tuple[int, ...]:
        """``(p, p)``, or ``(p - 1, p - 1)`` where 0 is left out."""
        return (self.p - self._first,) * 2

    @property
    def n_classes(self) -> int:
        """``p``, or ``p - 1`` for one product, which is never 0."""
        return self.p - self._product

    @property
    def modulus(self) -> int | None:
        """``p`` for ``a + b``, ``a - b`` and the like, where each token is its own number; else None."""
        return self.p if self.symmetry and self.symmetry.natural else None

    @cached_property
    def symmetry(self) -> Symmetry | None:
        """Characters of Z_p for weighted sums, of the discrete logarithms for products; else None."""
        if self._product:
            (((i, j), c),) = self._terms.items()
            return _logarithmic(self.p, i, j, c) if gcd(i * j, self.p - 1) == 1 else None
        weights = self._terms.get((1, 0), 0), self._terms.get((0, 1), 0)
        sums = set(self._terms) <= {(1, 0), (0, 1), (0, 0)}
        if not sums or gcd(weights[0] * weights[1], self.p) != 1:
            return None
        plain = cyclic_symmetry(self.p, weights)
        shift = self._terms.get((0, 0), 0)
        classes = tuple((z + shift) % self.p for z in range(self.p))
        return Symmetry(self.p, plain.tokens, classes, plain.windings)

    @property
    def no_symmetry(self) -> str:
        """Why no cyclic group acts on each argument; empty where one does."""
        if self.symmetry:
            return ""
        if self._product:
            return f"the exponents of {self.operation} share a factor with p - 1 = {self.p - 1}"
        if set(self._terms) <= {(1, 0), (0, 1), (0, 0)}:
            return f"a number that {self.operation} multiplies by shares a factor with p = {self.p}"
        return f"{self.operation} is neither a weighted sum of a and b nor one product of their powers"

    @property
    def finite_group(self) -> GroupComposition | None:
        """The cyclic group of order p for ``a + b``, whose elements are in the order of their numbers; else None."""
        symmetry = self.symmetry
        added = symmetry is not None and symmetry.natural and symmetry.windings == (1, 1)
        return GroupComposition(f"C{self.p}") if added else None

    @property
    def no_margin_theory(self) -> str:
        """Why the largest normalized margin is not known; empty where the task is a cyclic group's in other names."""
        return f"theory has no largest normalized margin: {self.no_symmetry}" if self.no_symmetry else ""

    def targets(self) -> np.ndarray:
        """Correct class of every pair of tokens."""
        numbers = np.arange(self._first, self.p)
        return values_of(self._terms, numbers, numbers, self.p) - self._product

    def describe(self) -> dict[str, Any]:
        """Name of the kind, operation and ``p``."""
        return {"name": KIND.name, "operation": self.operation, "p": self.p}

    def _cyclic(self) -> GroupComposition:
        """The cyclic group that the task is in other names; a relabelled network has the same margin."""
        return GroupComposition(f"C{self.p - self._product}")

    def max_margin(self) -> float:
        """Largest normalized margin, that of the cyclic group."""
        return self._cyclic().max_margin()

    def margin_at(self, regularization: float) -> float:
        """Normalized margin of the cyclic group at the optimum under a regularisation."""
        return self._cyclic().margin_at(regularization)

    def max_margin_neurons(self) -> tuple[np.ndarray, np.ndarray]:
        """Neurons of the cyclic group, each function in the order of its tokens or classes."""
        W_in, W_U = self._cyclic().max_margin_neurons()
        assert self.symmetry is not None
        parts = np.split(W_in, 2, axis=1)
        numbers = [np.argsort(tokens) for tokens in self.symmetry.tokens]
        signed = [sign * x % self.symmetry.n for sign, x in zip(self.symmetry.signs, numbers, strict=True)]
        moved = [part[:, x] for part, x in zip(parts, signed, strict=True)]
        return np.concatenate(moved, axis=1), W_U[:, np.argsort(self.symmetry.classes)]


def primitive_root(p: int) -> int:
    """Least number whose powers are all of 1, ..., p - 1 modulo a prime p.

    Examples
    --------
    >>> primitive_root(7), primitive_root(23)
    (3, 5)
    """
    return next(g for g in range(1, p) if len({pow(g, x, p) for x in range(p - 1)}) == p - 1)


def _logarithmic(p: int, i: int, j: int, c: int) -> Symmetry:
    """Symmetry of ``c a^i b^j`` on the numbers 1, ..., p - 1, whose tokens and classes count from 0."""
    g = primitive_root(p)
    plain = cyclic_symmetry(p - 1, (i, j))
    tokens = tuple(tuple(pow(g, x, p) - 1 for x in order) for order in plain.tokens)
    classes = tuple(c * pow(g, z, p) % p - 1 for z in range(p - 1))
    return Symmetry(p - 1, tokens, classes, plain.windings)


KIND = TaskKind(
    name="modular_operation",
    pattern=LETTERS,
    written='an operation such as "a - b"',
    parse=lambda match, p: ModularOperation(match[0], p),
    rebuild=lambda description: ModularOperation(description["operation"], description["p"]),
)
