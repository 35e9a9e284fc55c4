"""Margin theory of quadratic networks on finite groups: ``logits(a, b)[c] = sum_i w_i[c] (u_i[a] + v_i[b])^2``.

A network of largest normalized margin computes ``sum_n y_n chi_n(a b c^-1)`` over real irreps n, with strengths
``y_n >= 0``.
All formulas are in real irreps of dimension D and commutant dimension e (:mod:`topomod.tasks.irreps`). The published
theorem is the case where every e is 1. Its formula is too large where an irrep is complex or quaternionic.
"""

from __future__ import annotations

import math

import numpy as np

from topomod.tasks.irreps import real_irreps
from topomod.tasks.task import FiniteGroup

UNUSED = 1e-9  # share of the largest strength; smaller strengths in the linear program's answer count as zero


def irrep_strengths(task: FiniteGroup, regularization: float = 0.0) -> dict[str, float]:
    """How strongly a network of largest normalized margin, or a regularised one, uses each real irrep.

    For the largest normalized margin: where ``sum_n D^1.5 chi_n(g) / e < 0`` for every ``g`` but the identity (sum
    over non-trivial real irreps), the strengths are ``D / e``, all irreps are used, and the correct logit exceeds each
    other one by the same amount at every input. Otherwise they solve
    ``max_{y >= 0} min_{g != identity} sum_n y_n (D_n - chi_n(g))`` subject to
    ``sum_n y_n D_n^1.5 <= 1``, and some irreps are unused: the 5-dimensional one of A5. For A5 the solution is
    unique; for S6 it is one of several.

    With regularisation: the network that minimises cross entropy over all inputs plus ``regularization`` times the
    sum of cubed neuron norms computes such a sum too. Those norms sum to ``1.5 sqrt(3) |G|^1.5 sum_n y_n D_n^1.5``.
    What is left is a convex problem in the strengths. Its solution comes near the strengths of largest normalized
    margin only slowly, with the logarithm of the regularisation.

    Parameters
    ----------
    task : GroupComposition or CayleyTable
        The finite group.
    regularization : float
        Weight of the regulariser. 0 stands for its limit, the largest normalized margin.

    Returns
    -------
    dict
        Strength of each real irrep, by name, scaled so that the largest is 1. The trivial irrep has 0. All are 0
        where the regularisation is too strong to learn anything.

    Raises
    ------
    ValueError
        If the regularisation is negative.

    References
    ----------
    Morwani et al., arXiv 2311.07568, theorem 9 for real irreps whose condition holds; the rest is checked in the
    tests against networks that attain it.

    Examples
    --------
    >>> from topomod import GroupComposition
    >>> irrep_strengths(GroupComposition("A5"))
    {'1': 0.0, '3': 1.0, "3'": 1.0, '4': 0.5, '5': 0.0}
    """
    if not regularization >= 0:
        raise ValueError(f"regularization must not be negative, found {regularization}")
    trivial, *others = real_irreps(task)
    D = np.array([irrep.real_dimension for irrep in others], float)
    e = np.array([irrep.commutant for irrep in others])
    characters = np.stack([np.delete(irrep.character, task.identity) for irrep in others])
    classes, sizes = np.unique(np.round(characters, 12), axis=1, return_counts=True)
    gaps = D[:, None] - classes
    strengths = D / e
    if regularization > 0:
        strengths = _regularized(gaps, sizes, regularization * 1.5 * math.sqrt(3) * task.order**1.5 * D**1.5)
    elif np.any((D**1.5 / e) @ classes > -1e-9):
        strengths = _widest(gaps, D**1.5)
    largest = strengths.max()
    strengths = np.round(strengths / (largest if largest > 0 else 1), 12)
    return {trivial.name: 0.0} | {irrep.name: float(y) for irrep, y in zip(others, strengths, strict=True)}


def _widest(gaps: np.ndarray, cost: np.ndarray) -> np.ndarray:
    """Strengths whose least gap is largest for their cost; ``gaps`` (n_irreps, n_classes), ``cost`` (n_irreps,)."""
    from scipy.optimize import linprog

    n_irreps, n_classes = gaps.shape
    found = linprog(
        np.append(np.zeros(n_irreps), -1),  # the last variable is the least gap
        A_ub=np.concatenate([np.concatenate([-gaps.T, np.ones((n_classes, 1))], axis=1), np.append(cost, 0)[None]]),
        b_ub=np.append(np.zeros(n_classes), 1),
        method="highs",
    )
    if not found.success:
        raise RuntimeError(f"the linear program of the margin failed: {found.message}")
    return np.where(found.x[:-1] > UNUSED * found.x[:-1].max(), found.x[:-1], 0)


def _regularized(gaps: np.ndarray, sizes: np.ndarray, price: np.ndarray) -> np.ndarray:
    """Strengths of least cross entropy plus price, for wrong classes that come in the given numbers."""
    from scipy.optimize import minimize

    unit = price.min()  # cross entropy and price are both of this order at the optimum

    def objective(y: np.ndarray) -> tuple[float, np.ndarray]:
        odds = sizes * np.exp(-(y @ gaps))  # of the wrong classes
        wrong = odds.sum()
        return float((np.log1p(wrong) + y @ price) / unit), (price - gaps @ odds / (1 + wrong)) / unit

    start = max(0.1, -np.log(unit)) / gaps.mean() / len(price)
    found = minimize(
        objective,
        np.full(len(price), start),
        jac=True,
        bounds=[(0, None)] * len(price),
        method="L-BFGS-B",
        options={"ftol": 1e-15, "gtol": 1e-10, "maxiter": 5000},
    )
    return np.asarray(found.x)


def max_group_margin(task: FiniteGroup) -> float:
    """Largest normalized margin, that of the strengths which :func:`irrep_strengths` finds.

    It is ``2 / (3 sqrt(3 |G|)) / sum_n D_n^2.5 / e_n`` where the condition given there holds.
    """
    return margin_of_strengths(task, irrep_strengths(task))


def margin_of_strengths(task: FiniteGroup, strengths: dict[str, float]) -> float:
    """Normalized margin of the cheapest network that computes ``sum_n y_n chi_n(a b c^-1)``.

    ``2 / (3 sqrt(3) |G|^1.5)`` times the least gap between the identity and another element, divided by
    ``sum_n y_n D_n^1.5``; NaN where all strengths are 0.
    """
    irreps = real_irreps(task)
    y = np.array([strengths[irrep.name] for irrep in irreps])
    values = y @ np.stack([irrep.character for irrep in irreps])
    cost = sum(strength_costs(task, strengths).values())
    gap = values[task.identity] - np.delete(values, task.identity).max()
    return float(2 / (3 * math.sqrt(3) * task.order**1.5) * gap / cost) if cost > 0 else float("nan")


def strength_costs(task: FiniteGroup, strengths: dict[str, float]) -> dict[str, float]:
    """Each real irrep's ``y D^1.5``: its part in the sum of cubed neuron norms, up to one factor."""
    return {irrep.name: strengths[irrep.name] * irrep.real_dimension**1.5 for irrep in real_irreps(task)}


def max_margin_group_neurons(task: FiniteGroup) -> tuple[np.ndarray, np.ndarray]:
    """Neurons that attain :func:`max_group_margin`: ``W_in`` (n_neurons, 2 |G|) and ``W_U`` (n_neurons, |G|).

    There are ``2 D^3`` neurons for each used irrep of real type, from ``4 u v w = (u + v)^2 w - (u - v)^2 w`` and
    ``sum_ijk rho_ij(a) rho_jk(b) rho_ik(c) = chi(a b c^-1)``. For an irrep of another type there
    are ``8 d^3``: each of its complex entries is taken at two phases.
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
