"""Normalized margins of quadratic networks on modular addition, their maximum and a network that attains it."""

from __future__ import annotations

import math

import numpy as np

from topomod.circuits import Circuit
from topomod.tasks import ModularAddition


def max_margin(task: ModularAddition) -> float:
    """Largest normalized margin of a ``power_mlp``: ``sqrt(2 / 27) / (sqrt(p) (p - 1))`` for odd p.

    Raises
    ------
    ValueError
        For even p, where the frequency p / 2 changes the formula.

    References
    ----------
    Morwani et al., arXiv 2311.07568.

    Examples
    --------
    >>> round(max_margin(ModularAddition(p=59)), 12)
    0.000610912648
    """
    _refuse_even(task)
    return math.sqrt(2 / 27) / (math.sqrt(task.p) * (task.p - 1))


def normalized_margin(circuit: Circuit) -> float:
    """Smallest margin over all inputs, divided by the sum of cubed neuron norms.

    Raises
    ------
    ValueError
        If the circuit is not a ``power_mlp``: the norm belongs to its homogeneity.

    References
    ----------
    Morwani et al., arXiv 2311.07568.
    """
    if circuit.architecture != "power_mlp":
        raise ValueError(f"normalized_margin needs a power_mlp, found {circuit.architecture}")
    logits = circuit.logits().astype(np.float64)
    classes = circuit.task.targets()[..., None]
    correct = np.take_along_axis(logits, classes, axis=2)[..., 0]
    np.put_along_axis(logits, classes, -np.inf, axis=2)
    neurons = np.concatenate([circuit.weights["W_in"], circuit.weights["W_U"]], axis=1).astype(np.float64)
    return float(np.min(correct - logits.max(axis=2)) / np.sum(np.linalg.norm(neurons, axis=1) ** 3))


def max_margin_network(task: ModularAddition) -> Circuit:
    """Build a quadratic network of ``4 (p - 1)`` neurons that attains :func:`max_margin`, in float64.

    Eight neurons for each frequency f: ``u_1[a] = cos(s + t a)``, ``u_2[b] = e cos(r + t b)``,
    ``w[c] = e cos(s + r + t c)`` with ``t = 2 pi f / p``, s and r in {0, pi / 2}, e in {1, -1}. All neurons have
    one norm, and the phases obey the sum rule.

    Raises
    ------
    ValueError
        For even p.

    References
    ----------
    The phase rule is that of Morwani et al., arXiv 2311.07568; this set of phases is checked in the tests.
    """
    _refuse_even(task)
    x = 2 * np.pi * np.arange(task.p) / task.p
    quarter = (0.0, np.pi / 2)
    neurons = [
        (np.cos(s + f * x), e * np.cos(r + f * x), e * np.cos(s + r + f * x))
        for f in range(1, (task.p - 1) // 2 + 1)
        for s in quarter
        for r in quarter
        for e in (1.0, -1.0)
    ]
    left, right, out = (np.stack(part) for part in zip(*neurons, strict=True))
    weights = {"W_E": np.eye(task.p), "W_in": np.concatenate([left, right], axis=1), "W_U": out}
    return Circuit(architecture="power_mlp", task=task, weights=weights, converged=True)


def _refuse_even(task: ModularAddition) -> None:
    if task.p % 2 == 0:
        raise ValueError(f"the closed form holds for odd p, found p = {task.p}")
