"""Margin theory of quadratic networks on finite groups: ``logits(a, b)[c] = sum_i w_i[c] (u_i[a] + v_i[b])^2``.

A network of largest margin computes ``sum_n y_n chi_n(a b c^-1)`` over real irreps n with strengths ``y_n >= 0``.
Everything is in real irreps of dimension D and commutant dimension e (:mod:`topomod.irreps`); the published theorem
is the case e = 1 throughout, and its formula is too large where an irrep is complex or quaternionic.
"""

from __future__ import annotations

import math

import numpy as np

from topomod.irreps import real_irreps
from topomod.tasks import GroupComposition

UNUSED = 1e-9  # of the largest strength; below it the linear program's answer is zero


def irrep_strengths(task: GroupComposition) -> dict[str, float]:
    """How strongly a network of largest margin uses each real irrep.

    Where ``sum_n D^1.5 chi_n(g) / e < 0`` for every ``g`` but the identity (sum over non-trivial real irreps), the
    strengths are ``D / e``, all irreps are used and the margin at every input and class is the same. Otherwise
    they solve ``max_{y >= 0} min_{g != identity} sum_n y_n (D_n - chi_n(g))`` subject to
    ``sum_n y_n D_n^1.5 <= 1``, and some irreps are unused: the 5-dimensional one of A5. For A5 the solution is
    unique; for S6 it is one of several.

    Parameters
    ----------
    task : GroupComposition
        The group.

    Returns
    -------
    dict
        Real irrep's name to its strength, the largest scaled to 1; the trivial irrep's is 0.

    References
    ----------
    Morwani et al., arXiv 2311.07568, theorem 9 for real irreps whose condition holds; the rest is checked in the
    tests against networks that attain it.

    Examples
    --------
    >>> irrep_strengths(GroupComposition("A5"))
    {'1': 0.0, '3': 1.0, "3'": 1.0, '4': 0.5, '5': 0.0}
    """
    trivial, *others = real_irreps(task)
    characters = np.stack([irrep.character[1:] for irrep in others])
    D = np.array([irrep.real_dimension for irrep in others], float)
    e = np.array([irrep.commutant for irrep in others])
    strengths = D / e
    if np.any((D**1.5 / e) @ characters > -1e-9):
        strengths = _solve(np.unique(np.round(characters, 12), axis=1), D)
    strengths = np.round(strengths / strengths.max(), 12)
    return {trivial.name: 0.0} | {irrep.name: float(y) for irrep, y in zip(others, strengths, strict=True)}


def _solve(characters: np.ndarray, D: np.ndarray) -> np.ndarray:
    """Strengths by the linear program, over classes (n_irreps, n_classes) apart from the identity's."""
    from scipy.optimize import linprog

    n_irreps, n_classes = characters.shape
    gap = np.concatenate([-(D[:, None] - characters).T, np.ones((n_classes, 1))], axis=1)  # least gap - gap <= 0
    cost = np.append(D**1.5, 0)[None]
    found = linprog(
        np.append(np.zeros(n_irreps), -1),
        A_ub=np.concatenate([gap, cost]),
        b_ub=np.append(np.zeros(n_classes), 1),
        method="highs",
    )
    if not found.success:
        raise RuntimeError(f"the linear program of the margin failed: {found.message}")
    strengths = np.asarray(found.x[:-1])
    return np.where(strengths > UNUSED * strengths.max(), strengths, 0)


def max_group_margin(task: GroupComposition) -> float:
    """Largest normalized margin: ``2 / (3 sqrt(3) |G|^1.5)`` times the strengths' least gap over their cost.

    That is ``2 / (3 sqrt(3 |G|)) / sum_n D_n^2.5 / e_n`` where the condition of :func:`irrep_strengths` holds.
    """
    irreps = real_irreps(task)
    strengths = np.array(list(irrep_strengths(task).values()))
    D = np.array([irrep.real_dimension for irrep in irreps])
    values = strengths @ np.stack([irrep.character for irrep in irreps])
    gap = values[0] - values[1:].max()  # element 0 is the identity
    return float(2 / (3 * math.sqrt(3) * task.order**1.5) * gap / (strengths @ D**1.5))


def max_margin_group_neurons(task: GroupComposition) -> tuple[np.ndarray, np.ndarray]:
    """Neurons that attain :func:`max_group_margin`: ``W_in`` (n_neurons, 2 |G|) and ``W_U`` (n_neurons, |G|).

    ``2 D^3`` neurons for each used irrep of real type, from ``4 u v w = (u + v)^2 w - (u - v)^2 w`` and
    ``sum_ijk rho_ij(a) rho_jk(b) rho_ik(c) = chi(a b c^-1)``; ``8 d^3`` of other types, whose complex entries are
    taken at two phases each.
    """
    strengths = irrep_strengths(task)
    parts = []
    for irrep in real_irreps(task):
        if strengths[irrep.name] == 0:
            continue
        sigma = irrep.complex_matrices()
        real_type = irrep.commutant == 1
        size = (strengths[irrep.name] * (1 if real_type else 2) / 4) ** (1 / 3)
        phases = (0.0,) if real_type else (0.0, np.pi / 2)
        parts += [size * _triples(sigma, s, alpha, beta) for alpha in phases for beta in phases for s in (1, -1)]
    u, v, w = np.concatenate(parts, axis=1)
    return np.concatenate([u, v], axis=1), w


def _triples(sigma: np.ndarray, s: int, alpha: float, beta: float) -> np.ndarray:
    """u, v and w of all index triples (i, j, k), (3, d^3, order)."""
    d = sigma.shape[1]
    i, j, k = np.indices((d, d, d)).reshape(3, -1)
    u, v, w = sigma[:, i, j], s * sigma[:, j, k], s * sigma[:, i, k]
    turned = np.exp(1j * alpha) * u, np.exp(1j * beta) * v, np.exp(1j * (alpha + beta)) * w
    return np.stack([part.real.T for part in turned])
