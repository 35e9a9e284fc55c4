"""Normalized margins of power networks, their largest values in theory and networks that attain them."""

from __future__ import annotations

import numpy as np

from topomod.networks.architectures import ARCHITECTURES
from topomod.networks.circuit import Circuit
from topomod.networks.power_mlp import logit_chunks
from topomod.neurons.features import contributions
from topomod.tasks.task import Task


def max_margin(task: Task) -> float:
    """Largest normalized margin of a ``power_mlp`` on a task.

    * k inputs mod odd p: ``2 k! / ((2k + 2)^((k + 1) / 2) (p - 1) p^((k - 1) / 2))``;
    * (n, k)-sparse parity: ``k! sqrt(2 (k + 1)^-(k + 1))``;
    * a finite group with real irreps of dimension D and commutant dimension e:
      ``2 / (3 sqrt(3 |G|)) / sum D^2.5 / e`` over the non-trivial ones, or the linear program of
      :func:`topomod.tasks.irrep_strengths.irrep_strengths` where that formula's condition fails (A5, S6).

    Parameters
    ----------
    task : ModularAddition, ModularOperation, CayleyTable, GroupComposition or SparseParity
        What is to be learnt.

    Raises
    ------
    ValueError
        For addition modulo an even p, where the frequency p / 2 changes the formula, and for operations and tables
        that are no cyclic group's in other names and no group's.

    References
    ----------
    Morwani et al., arXiv 2311.07568 (k = 2, parity, finite groups with real irreps); Li et al., arXiv 2402.09469
    (k inputs). The printed formula of finite groups is for irreps of real type and too large for cyclic ones.

    Examples
    --------
    >>> from topomod import ModularAddition, SparseParity
    >>> round(max_margin(ModularAddition(p=59)), 12)
    0.000610912648
    >>> round(max_margin(SparseParity(n=10, k=4)), 12)
    0.607157310752
    """
    if task.no_margin_theory:
        raise ValueError(task.no_margin_theory)
    return task.max_margin()


def known_max_margin(architecture: str, task: Task) -> float:
    """:func:`max_margin`, or NaN where theory has none: ReLU, and addition modulo an even p."""
    known = ARCHITECTURES[architecture].max_margin_known and not task.no_margin_theory
    return task.max_margin() if known else float("nan")


def normalized_margin(circuit: Circuit) -> float:
    """Least lead of the correct logit, divided by the sum of neuron norms to the power of the homogeneity.

    The lead is the correct logit minus the largest other one, and the least is taken over all inputs.

    A neuron's norm is that of its rows of ``W_in`` and ``W_U`` together; logits of ``power_mlp`` grow with degree
    ``task.n_factors + 1`` in it, of ``relu_mlp`` with degree 2. The result is negative where some input is wrong,
    and NaN where all weights are 0.

    Raises
    ------
    ValueError
        If the circuit is of another architecture.

    References
    ----------
    Morwani et al., arXiv 2311.07568.
    """
    total = np.sum(contributions(circuit))
    weights = {name: value.astype(np.float64) for name, value in circuit.weights.items()}
    targets = circuit.task.targets().ravel()
    smallest = np.inf
    for part, logits in logit_chunks(circuit.architecture, circuit.task, weights):
        rows, classes = np.arange(len(logits)), targets[part]
        correct = logits[rows, classes]
        logits[rows, classes] = -np.inf
        smallest = min(smallest, np.min(correct - logits.max(axis=1)))
    return float(smallest / total) if total > 0 else float("nan")


def max_margin_network(task: Task) -> Circuit:
    """Build a ``power_mlp`` that attains :func:`max_margin`, in float64.

    It has ``2^(2k - 2) (p - 1)`` neurons for k inputs mod p and ``2^(k - 1)`` for parity. For a finite group it has
    ``2 D^3`` for each used real irrep of real type and ``D^3`` for each of another type. Fewer can suffice.

    Parameters
    ----------
    task : ModularAddition, ModularOperation, CayleyTable, GroupComposition or SparseParity
        What is to be learnt.

    Raises
    ------
    ValueError
        As :func:`max_margin`.

    References
    ----------
    The features are those of Morwani et al., arXiv 2311.07568, and Li et al., arXiv 2402.09469; these sets of
    neurons are checked in the tests.
    """
    if task.no_margin_theory:
        raise ValueError(task.no_margin_theory)
    W_in, W_U = task.max_margin_neurons()
    return Circuit(architecture="power_mlp", task=task, weights={"W_in": W_in, "W_U": W_U}, converged=True)
