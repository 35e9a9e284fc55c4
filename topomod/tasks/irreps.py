"""Irreducible real representations of the finite groups, and how much of a function on one lies in each.

A real irrep is of real, complex or quaternionic type: its commutant, the matrices that commute with all of it, has
dimension 1, 2 or 4. An irrep of complex type stands for a pair of conjugate complex irreps.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from topomod.tasks.group_axioms import inverses_of
from topomod.tasks.task import FiniteGroup


@dataclass(frozen=True, eq=False)
class Irrep:
    """One irreducible real representation.

    Parameters
    ----------
    name : str
        The partition for S_n, ``(3,1,1)``; the frequency for C_n; Mulliken's ``A1 A2 B1 B2 E1 ...`` for D_n; else the
        real dimension, primed where several share it.
    matrices : ndarray
        (order, D, D) orthogonal, in the order of the task's elements.
    commutant : int
        1 for real, 2 for complex, 4 for quaternionic type.
    """

    name: str
    matrices: Float[np.ndarray, "order D D"]
    commutant: int

    @property
    def real_dimension(self) -> int:
        """D."""
        return self.matrices.shape[1]

    @property
    def dimension(self) -> int:
        """Dimension of the complex irrep, or of each of the pair: D for real type, else D / 2."""
        return self.real_dimension if self.commutant == 1 else self.real_dimension // 2

    @property
    def character(self) -> Float[np.ndarray, " order"]:
        """Trace of the real matrices, (order,)."""
        return np.asarray(np.trace(self.matrices, axis1=1, axis2=2))

    def complex_matrices(self) -> np.ndarray:
        """Unitary matrices of the complex irrep, (order, d, d); one of the pair for complex type."""
        if self.commutant == 1:
            return self.matrices.astype(complex)
        D = self.real_dimension
        random = np.random.default_rng(0).standard_normal((D, D))
        # an antisymmetric matrix, averaged over the finite group, commutes with it: a multiple of some J with J^2 = -1
        J = np.einsum("gij,jk,glk->il", self.matrices, random - random.T, self.matrices, optimize=True)
        basis = np.linalg.eigh(1j * J)[1][:, : D // 2]
        return np.asarray(basis.conj().T @ self.matrices @ basis)


@lru_cache(maxsize=8)
def real_irreps(task: FiniteGroup) -> tuple[Irrep, ...]:
    """All irreducible real representations of a finite group, the trivial one first.

    C_n and D_n are written down. For the others the regular representation is split: a random symmetric element of
    its commutant has one irrep in each eigenspace. The matrices are accurate to rounding: an eigenspace that is off
    by an angle t changes them by t^2 only.

    Parameters
    ----------
    task : GroupComposition or CayleyTable
        The finite group; the order of elements is that of ``task.targets()``.

    Raises
    ------
    RuntimeError
        If the parts found do not add up to the regular representation.

    References
    ----------
    Serre, Linear Representations of Finite Groups, 1977, sections 2.4 and 13.2.

    Examples
    --------
    >>> from topomod import GroupComposition
    >>> [irrep.name for irrep in real_irreps(GroupComposition("S4"))]
    ['(4)', '(3,1)', '(2,2)', '(2,1,1)', '(1,1,1,1)']
    >>> [(irrep.name, irrep.commutant) for irrep in real_irreps(GroupComposition("A4"))]
    [('1', 1), ('2', 2), ('3', 1)]
    """
    written = re.fullmatch("([CDS])([0-9]+)", task.name)
    kind, n = (written[1], int(written[2])) if written else ("", 0)
    if kind == "C":
        irreps = _cyclic(n)
    elif kind == "D":
        irreps = _dihedral(n)
    else:
        found = _split_regular(task.targets(), task.identity)
        irreps = _by_partition(found, n) if kind == "S" else _by_dimension(found)
    total = sum(irrep.real_dimension**2 / irrep.commutant for irrep in irreps)
    if total != task.order:
        raise RuntimeError(f"irreps of {task.name} add up to {total:g}, not to the order {task.order}")
    for irrep in irreps:
        irrep.matrices.setflags(write=False)
    return tuple(irreps)


def named_irrep(task: FiniteGroup, name: str) -> Irrep:
    """The non-trivial real irrep of a finite group that has a name.

    Raises
    ------
    ValueError
        If there is none.
    """
    known = {irrep.name: irrep for irrep in real_irreps(task)[1:]}
    if name not in known:
        raise ValueError(f"{task} has no irrep {name!r}; its irreps are {', '.join(known)}")
    return known[name]


def entry_functions(irrep: Irrep) -> Float[np.ndarray, "order k"]:
    """An orthonormal basis of the functions of the elements that an irrep's matrix entries span."""
    left, singular, _ = np.linalg.svd(irrep.matrices.reshape(len(irrep.matrices), -1), full_matrices=False)
    return np.asarray(left[:, singular > 1e-6 * singular[0]])


def irrep_power(u: np.ndarray, irreps: Sequence[Irrep]) -> np.ndarray:
    """Share of the power of functions on a finite group that lies in each real irrep.

    Parameters
    ----------
    u : ndarray
        (..., order), real.
    irreps : sequence of Irrep
        As :func:`real_irreps` returns them.

    Returns
    -------
    ndarray
        (..., n_irreps), summing to 1; zeros where ``u`` is zero.

    Raises
    ------
    ValueError
        If ``u`` is not real, or has not one value for each element of the finite group.

    References
    ----------
    Chughtai et al., arXiv 2302.03025; Morwani et al., arXiv 2311.07568.

    Examples
    --------
    >>> from topomod import GroupComposition
    >>> irreps = real_irreps(GroupComposition("C4"))
    >>> irrep_power(np.array([1.0, 0, -1, 0]), irreps).round(6).tolist()
    [0.0, 1.0, 0.0]
    """
    order, u = len(irreps[0].matrices), np.asarray(u)
    if u.dtype.kind not in "fiub" or u.shape[-1:] != (order,):
        raise ValueError(
            f"u must be (..., {order}), a real value for each element of the group, found {u.dtype} {u.shape}"
        )
    power = np.empty((*u.shape[:-1], len(irreps)))
    for i, irrep in enumerate(irreps):
        # the projection's kernel chi(g^-1 h) is the sum over matrix entries of rho_ij(g) rho_ij(h)
        inside = u @ irrep.matrices.reshape(order, -1)
        power[..., i] = irrep.real_dimension / (irrep.commutant * order) * np.sum(inside**2, axis=-1)
    total = np.sum(u**2, axis=-1, keepdims=True)
    return np.asarray(power / np.where(total > 0, total, 1))


def _cyclic(n: int) -> list[Irrep]:
    x = np.arange(n)
    irreps = [Irrep("0", np.ones((n, 1, 1)), 1)]
    irreps += [Irrep(str(f), _rotations(2 * np.pi * f * x / n), 2) for f in range(1, (n + 1) // 2)]
    if n % 2 == 0:
        irreps.append(Irrep(str(n // 2), (-1.0) ** x[:, None, None], 1))
    return irreps


def _dihedral(n: int) -> list[Irrep]:
    """Rotations, then each after the reflection, as in ``GroupComposition.elements``."""
    sign = np.repeat([1.0, -1.0], n)
    turn = np.tile(np.arange(n), 2)
    lines = {"A1": np.ones(2 * n), "A2": sign}
    if n % 2 == 0:
        lines |= {"B1": (-1.0) ** turn, "B2": sign * (-1.0) ** turn}
    mirror = np.zeros((2 * n, 2, 2))
    mirror[:, 0, 0], mirror[:, 1, 1] = 1, sign
    planes = [Irrep(f"E{f}", _rotations(2 * np.pi * f * turn / n) @ mirror, 1) for f in range(1, (n + 1) // 2)]
    return [Irrep(name, values[:, None, None], 1) for name, values in lines.items()] + planes


def _rotations(angles: np.ndarray) -> np.ndarray:
    c, s = np.cos(angles), np.sin(angles)
    return np.stack([np.stack([c, -s], axis=-1), np.stack([s, c], axis=-1)], axis=-2)


def _split_regular(table: np.ndarray, identity: int) -> list[Irrep]:
    """One unnamed irrep for each character in the regular representation of a multiplication table."""
    order = len(table)
    inverse = inverses_of(table, identity)
    values = np.random.default_rng(0).standard_normal(order)
    # h -> g^-1 h commutes with multiplication from the left
    eigenvalues, vectors = np.linalg.eigh((values + values[inverse])[table[inverse]])
    edges = np.flatnonzero(np.diff(eigenvalues) > 1e-8 * np.ptp(eigenvalues)) + 1
    found: dict[tuple[float, ...], Irrep] = {}
    for basis in np.split(vectors, edges, axis=1):
        character = np.einsum("ghi,hi->g", basis[table], basis)
        key = tuple((np.round(character, 6) + 0.0).tolist())
        if key not in found:
            matrices = np.einsum("ghi,hj->gij", basis[table], basis, optimize=True)
            found[key] = Irrep("", matrices, round(float(np.mean(character**2))))
    return list(found.values())


def _by_dimension(irreps: Sequence[Irrep]) -> list[Irrep]:
    def rank(irrep: Irrep) -> tuple[int, list[float]]:
        return irrep.real_dimension, (-np.round(irrep.character, 6)).tolist()

    named: list[Irrep] = []
    for irrep in sorted(irreps, key=rank):
        D = irrep.real_dimension
        primes = "'" * sum(other.real_dimension == D for other in named)
        named.append(Irrep(f"{D}{primes}", irrep.matrices, irrep.commutant))
    return named


def _by_partition(irreps: Sequence[Irrep], n: int) -> list[Irrep]:
    """Name irreps of S_n, n at most 6, by their dimension and their character at a transposition."""
    # element 1 swaps the last two points; its character is dimension * (sum of contents) / (number of pairs)
    known = {
        (irrep.real_dimension, round(irrep.character[1] * math.comb(n, 2) / irrep.real_dimension)): irrep
        for irrep in irreps
    }
    named = []
    for rows in _partitions(n, n):
        cells = [(i, j) for i, row in enumerate(rows) for j in range(row)]
        columns = [sum(row > j for row in rows) for j in range(rows[0])]
        hooks = math.prod(rows[i] - j + columns[j] - i - 1 for i, j in cells)
        irrep = known[math.factorial(n) // hooks, sum(j - i for i, j in cells)]
        named.append(Irrep(f"({','.join(map(str, rows))})", irrep.matrices, irrep.commutant))
    return named


def _partitions(n: int, largest: int) -> Iterator[tuple[int, ...]]:
    """Partitions of n into parts of at most ``largest``, longest rows first."""
    if n == 0:
        yield ()
    for first in range(min(n, largest), 0, -1):
        for rest in _partitions(n - first, first):
            yield first, *rest
