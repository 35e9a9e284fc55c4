"""What single neurons of a power network hold: a frequency, the support of a parity, an irrep of a group."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from topomod.networks.circuit import Circuit
from topomod.networks.power_mlp import POWER_NETWORKS, exponent, homogeneity
from topomod.tasks.addition import ModularAddition
from topomod.tasks.finite_group import GroupComposition
from topomod.tasks.irreps import Irrep, irrep_power, real_irreps
from topomod.tasks.parity import SparseParity

DEAD_SHARE = 1e-4  # the gradient of a small neuron's penalty vanishes with it, so that it never quite gets to 0


@dataclass(frozen=True)
class Frequencies:
    """Frequencies of the neurons of a network that adds k inputs mod p.

    Parameters
    ----------
    frequency : ndarray
        (m,) int in 1..p//2 that holds most power of a neuron's k inputs and its output together.
    max_power : ndarray
        (m,) share of the neuron's power at that frequency, the constant part included in the total.
    shared : ndarray
        (m,) bool, whether each input and the output, on its own, has the same best frequency.
    phase_error : ndarray
        (m,) radians in [0, pi], distance of the sum of the input phases from the output phase; pi / 2 on average
        where phases are random.
    """

    frequency: np.ndarray
    max_power: Float[np.ndarray, " m"]
    shared: np.ndarray
    phase_error: Float[np.ndarray, " m"]


@dataclass(frozen=True)
class Supports:
    """How the neurons of a parity network weigh the k signs that count.

    Parameters
    ----------
    support_mass : ndarray
        (m,) share of the squared input weights on the support; 1 at the largest margin.
    magnitude_spread : ndarray
        (m,) standard deviation of the weights' magnitudes on the support over their mean; 0 at the largest margin.
    balance : ndarray
        (m,) norm of the output weights over the mean magnitude on the support; 1 at the largest margin.
    """

    support_mass: Float[np.ndarray, " m"]
    magnitude_spread: Float[np.ndarray, " m"]
    balance: Float[np.ndarray, " m"]


def neuron_norms(circuit: Circuit) -> Float[np.ndarray, " m"]:
    """Norm of all weights of each neuron, (m,).

    Raises
    ------
    ValueError
        If the circuit is no power network.
    """
    if circuit.architecture not in POWER_NETWORKS:
        raise ValueError(f"needs a {' or '.join(POWER_NETWORKS)}, found {circuit.architecture}")
    weights = [circuit.weights[name].astype(np.float64) for name in ("W_in", "W_U")]
    return np.asarray(np.linalg.norm(np.concatenate(weights, axis=1), axis=1))


def contributions(circuit: Circuit) -> Float[np.ndarray, " m"]:
    """What each neuron adds to the regulariser, and at most to a logit: its norm to the homogeneity, (m,)."""
    return np.asarray(neuron_norms(circuit) ** homogeneity(circuit.architecture, circuit.task))


def live_neurons(circuit: Circuit) -> np.ndarray:
    """Which neurons contribute at least 1e-4 of what the strongest one does, (m,) bool."""
    size = contributions(circuit)
    return np.asarray((size > 0) & (size >= DEAD_SHARE * size.max()))


def neuron_parts(circuit: Circuit) -> Float[np.ndarray, "m parts n"]:
    """Functions on Z_p or a group that each neuron applies to its inputs, then the one it adds to the logits."""
    n = circuit.task.n_classes
    W_in, W_U = (circuit.weights[name].astype(np.float64) for name in ("W_in", "W_U"))
    return np.concatenate([W_in.reshape(len(W_in), exponent(circuit.task), n), W_U[:, None]], axis=1)


def neuron_frequencies(circuit: Circuit) -> Frequencies:
    """Frequencies and phases of all neurons; meaningless for dead ones.

    References
    ----------
    Morwani et al., arXiv 2311.07568, and Li et al., arXiv 2402.09469; frequencies f and p - f are merged here.
    """
    assert isinstance(circuit.task, ModularAddition)
    p = circuit.task.p
    coefficients = np.fft.rfft(neuron_parts(circuit), axis=2)
    power = np.abs(coefficients) ** 2
    alone = np.arange(p // 2 + 1) * 2 % p == 0  # frequencies 0 and p / 2 have no twin
    power *= np.where(alone, 1, 2)
    total = power.sum(axis=(1, 2))
    by_frequency = power[:, :, 1:].sum(axis=1)
    best = by_frequency.argmax(axis=1)
    neurons = np.arange(len(best))
    phases = np.angle(coefficients[neurons, :, best + 1])
    turned = np.exp(1j * (phases[:, :-1].sum(axis=1) - phases[:, -1]))
    return Frequencies(
        frequency=best + 1,
        max_power=by_frequency[neurons, best] / np.where(total > 0, total, 1),
        shared=np.all(power[:, :, 1:].argmax(axis=2) == best[:, None], axis=1),
        phase_error=np.abs(np.angle(turned)),
    )


def neuron_supports(circuit: Circuit) -> Supports:
    """How all neurons weigh the support of a parity; meaningless for dead ones.

    References
    ----------
    Morwani et al., arXiv 2311.07568.
    """
    assert isinstance(circuit.task, SparseParity)
    W_in, W_U = (circuit.weights[name].astype(np.float64) for name in ("W_in", "W_U"))
    inside = np.abs(W_in[:, : circuit.task.k])
    tiny = np.finfo(np.float64).tiny
    mean = np.maximum(inside.mean(axis=1), tiny)
    return Supports(
        support_mass=np.sum(inside**2, axis=1) / np.maximum(np.sum(W_in**2, axis=1), tiny),
        magnitude_spread=inside.std(axis=1) / mean,
        balance=np.linalg.norm(W_U, axis=1) / mean,
    )


def neuron_irreps(circuit: Circuit) -> Float[np.ndarray, "m n_irreps"]:
    """Share of each neuron's power, inputs and output together, in each real irrep of the group."""
    assert isinstance(circuit.task, GroupComposition)
    return share_by_irrep(neuron_parts(circuit), real_irreps(circuit.task))


def share_by_irrep(parts: np.ndarray, irreps: tuple[Irrep, ...]) -> np.ndarray:
    """Share of the power of several functions together in each irrep, (m, n_irreps) of (m, parts, order)."""
    power = np.sum(parts**2, axis=2, keepdims=True)
    total = power.sum(axis=1)
    return np.asarray(np.sum(irrep_power(parts, irreps) * power, axis=1) / np.where(total > 0, total, 1))


@lru_cache
def random_best_share(task: GroupComposition, seed: int = 0, n_parts: int = 3, n_draws: int = 2000) -> float:
    """Mean largest share in one non-trivial irrep of neurons with random weights: what a real share must exceed.

    Parameters
    ----------
    task : GroupComposition
        The group.
    seed : int
        Of the draws.
    n_parts : int
        Functions of a neuron taken together.
    n_draws : int
        Random neurons.
    """
    parts = np.random.default_rng(seed).standard_normal((n_draws, n_parts, task.order))
    return float(share_by_irrep(parts, real_irreps(task))[:, 1:].max(axis=1).mean())
