"""Normalized margins of power networks, their largest values in theory and networks that attain them."""

from __future__ import annotations

import math
from itertools import product

import numpy as np

from topomod.networks.circuit import Circuit
from topomod.networks.power_mlp import POWER_NETWORKS, exponent, logit_chunks
from topomod.neurons.features import contributions
from topomod.tasks.addition import ModularAddition
from topomod.tasks.catalogue import Task
from topomod.tasks.finite_group import GroupComposition
from topomod.tasks.irrep_strengths import max_group_margin, max_margin_group_neurons
from topomod.tasks.parity import SparseParity


def max_margin(task: Task) -> float:
    """Largest normalized margin of a ``power_mlp`` on a task.

    * k inputs mod odd p: ``2 k! / ((2k + 2)^((k + 1) / 2) (p - 1) p^((k - 1) / 2))``;
    * (n, k)-sparse parity: ``k! sqrt(2 (k + 1)^-(k + 1))``;
    * a group with real irreps of dimension D and commutant dimension e:
      ``2 / (3 sqrt(3 |G|)) / sum D^2.5 / e`` over the non-trivial ones, or the linear program of
      :func:`topomod.tasks.irrep_strengths.irrep_strengths` where that formula's condition fails (A5, S6).

    Parameters
    ----------
    task : ModularAddition, SparseParity or GroupComposition
        What is to be learnt.

    Raises
    ------
    ValueError
        For addition modulo an even p, where the frequency p / 2 changes the formula.

    References
    ----------
    Morwani et al., arXiv 2311.07568 (k = 2, parity, groups with real irreps); Li et al., arXiv 2402.09469 (k inputs).
    The printed group formula is for real irreps and too large for cyclic groups.

    Examples
    --------
    >>> round(max_margin(ModularAddition(p=59)), 12)
    0.000610912648
    >>> round(max_margin(SparseParity(n=10, k=4)), 12)
    0.607157310752
    """
    if isinstance(task, GroupComposition):
        return max_group_margin(task)
    k = task.k
    if isinstance(task, SparseParity):
        return math.factorial(k) * math.sqrt(2 / (k + 1) ** (k + 1))
    _refuse_even(task)
    return 2 * math.factorial(k) / float((2 * k + 2) ** ((k + 1) / 2) * (task.p - 1) * task.p ** ((k - 1) / 2))


def known_max_margin(architecture: str, task: Task) -> float:
    """:func:`max_margin`, or NaN where theory has none: ReLU, and addition modulo an even p."""
    even = isinstance(task, ModularAddition) and task.p % 2 == 0
    return float("nan") if architecture != "power_mlp" or even else max_margin(task)


def normalized_margin(circuit: Circuit) -> float:
    """Smallest margin over all inputs, divided by the sum of neuron norms to the power of the homogeneity.

    A neuron's norm is that of its rows of ``W_in`` and ``W_U`` together; logits of ``power_mlp`` grow with degree
    ``exponent + 1`` in it, of ``relu_mlp`` with degree 2. Negative where some input is wrong; NaN without weights.

    Raises
    ------
    ValueError
        If the circuit is of another architecture.

    References
    ----------
    Morwani et al., arXiv 2311.07568.
    """
    if circuit.architecture not in POWER_NETWORKS:
        raise ValueError(f"normalized_margin needs a {' or '.join(POWER_NETWORKS)}, found {circuit.architecture}")
    weights = {name: value.astype(np.float64) for name, value in circuit.weights.items()}
    targets = circuit.task.targets().ravel()
    smallest = np.inf
    for part, logits in logit_chunks(circuit.architecture, circuit.task, weights):
        rows, classes = np.arange(len(logits)), targets[part]
        correct = logits[rows, classes]
        logits[rows, classes] = -np.inf
        smallest = min(smallest, np.min(correct - logits.max(axis=1)))
    total = np.sum(contributions(circuit))
    return float(smallest / total) if total > 0 else float("nan")


def max_margin_network(task: Task) -> Circuit:
    """Build a ``power_mlp`` that attains :func:`max_margin`, in float64.

    Neurons: ``2^(2k - 2) (p - 1)`` for k inputs mod p, ``2^(k - 1)`` for parity, and for a group ``2 D^3`` for each
    used real irrep of real type, ``D^3`` of complex or quaternionic type. Fewer can suffice.

    Parameters
    ----------
    task : ModularAddition, SparseParity or GroupComposition
        What is to be learnt.

    Raises
    ------
    ValueError
        For addition modulo an even p.

    References
    ----------
    The features are those of Morwani et al., arXiv 2311.07568, and Li et al., arXiv 2402.09469; these sets of
    neurons are checked in the tests.
    """
    if isinstance(task, GroupComposition):
        W_in, W_U = max_margin_group_neurons(task)
    elif isinstance(task, SparseParity):
        W_in, W_U = _parity_neurons(task)
    else:
        _refuse_even(task)
        W_in, W_U = _addition_neurons(task)
    return Circuit(architecture="power_mlp", task=task, weights={"W_in": W_in, "W_U": W_U}, converged=True)


def _sign_patterns(k: int) -> np.ndarray:
    """All signs of k inputs up to a common sign, (2^(k - 1), k): ``sum (prod e) (e . x)^k = 2^(k-1) k! prod x``."""
    return np.array([(1.0, *rest) for rest in product((1.0, -1.0), repeat=k - 1)])


def _addition_neurons(task: ModularAddition) -> tuple[np.ndarray, np.ndarray]:
    """``u_j[a] = e_j cos(s_j + 2 pi f a / p)`` and ``w[c] = (prod e) cos(sum s + 2 pi f c / p)``.

    Over all frequencies f, phases s in {0, pi / 2}^k and signs e; the phases obey the sum rule.
    """
    x = 2 * np.pi * np.arange(task.p) / task.p
    signs = _sign_patterns(task.k)[:, :, None]
    W_in, W_U = [], []
    for f in range(1, (task.p - 1) // 2 + 1):
        for phases in product((0.0, np.pi / 2), repeat=task.k):
            W_in.append((signs * np.cos(np.array(phases)[:, None] + f * x)).reshape(len(signs), -1))
            W_U.append(signs.prod(axis=1) * np.cos(sum(phases) + f * x))
    return np.concatenate(W_in), np.concatenate(W_U)


def _parity_neurons(task: SparseParity) -> tuple[np.ndarray, np.ndarray]:
    signs = _sign_patterns(exponent(task))
    W_in = np.concatenate([signs, np.zeros((len(signs), task.n - task.k))], axis=1)
    return W_in, signs.prod(axis=1)[:, None] * np.array([1.0, -1.0]) / math.sqrt(2)


def _refuse_even(task: ModularAddition) -> None:
    if task.p % 2 == 0:
        instead = f'; GroupComposition("C{task.p}") has one' if task.k == 2 else ""
        raise ValueError(f"the closed form of modular addition is for odd p, found p = {task.p}{instead}")
