"""What single neurons of a power network hold: a frequency, the support of a parity, an irrep of a finite group."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from topomod.networks.architectures import ARCHITECTURES
from topomod.networks.circuit import Circuit
from topomod.networks.power_mlp import homogeneity
from topomod.tasks.fourier import folded_power
from topomod.tasks.irreps import Irrep, irrep_power, real_irreps
from topomod.tasks.symmetry import Symmetry
from topomod.tasks.task import FiniteGroup

SINGLE = 0.95  # share of a neuron's power at one frequency from which it counts as single-frequency
DEAD_SHARE = 1e-4  # a neuron's penalty has a gradient that vanishes with its norm: no norm gets to exactly 0


@dataclass(frozen=True)
class Frequencies:
    """Frequencies of the neurons of a network whose task has a symmetry, such as addition of k inputs mod p.

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

    @property
    def names(self) -> np.ndarray:
        """Each neuron's frequency, (m,) str."""
        return self.frequency.astype(str)

    def summary(self, alive: np.ndarray, weights: np.ndarray, seed: int) -> dict[str, float]:
        """Measures of the whole network over its live neurons; ``weights`` are zero for dead ones."""
        return {
            "single_frequency_share": float(np.mean(self.max_power[alive] > SINGLE)),
            "median_max_power": float(np.median(self.max_power[alive])),
            "phase_error": float(np.average(self.phase_error, weights=weights)),
            "n_frequencies": len(np.unique(self.frequency[alive])),
            "shared_frequency": float(np.mean(self.shared[alive])),
        }


@dataclass(frozen=True)
class Supports:
    """How the neurons of a parity network weigh the k signs that count.

    Parameters
    ----------
    support_mass : ndarray
        (m,) share of the squared input weights on the support; 1 at the largest normalized margin.
    magnitude_spread : ndarray
        (m,) standard deviation of the weights' magnitudes on the support over their mean; 0 there.
    balance : ndarray
        (m,) norm of the output weights over the mean magnitude on the support; 1 there.
    """

    support_mass: Float[np.ndarray, " m"]
    magnitude_spread: Float[np.ndarray, " m"]
    balance: Float[np.ndarray, " m"]

    @property
    def names(self) -> np.ndarray:
        """The same for each neuron, (m,) str: a parity has one feature."""
        return np.full(len(self.support_mass), "support")

    @property
    def max_power(self) -> Float[np.ndarray, " m"]:
        """Share of a neuron's squared input weights on the support, (m,)."""
        return self.support_mass

    @property
    def phase_error(self) -> Float[np.ndarray, " m"]:
        """NaN: signs have no phases, (m,)."""
        return np.full(len(self.support_mass), np.nan)

    def summary(self, alive: np.ndarray, weights: np.ndarray, seed: int) -> dict[str, float]:
        """Means over the network's neurons, weighted."""
        return {name: float(np.average(values, weights=weights)) for name, values in vars(self).items()}


@dataclass(frozen=True)
class IrrepShares:
    """How the neurons of a network that learnt a finite group divide their power among the real irreps.

    Parameters
    ----------
    shares : ndarray
        (m, n_irreps) share of each neuron's power, inputs and output together, in each real irrep.
    finite_group : FiniteGroup
        The finite group that has these irreps.
    """

    shares: Float[np.ndarray, "m n_irreps"]
    finite_group: FiniteGroup

    @property
    def names(self) -> np.ndarray:
        """Name of the irrep that holds most of each neuron's power, (m,) str."""
        known = np.array([irrep.name for irrep in real_irreps(self.finite_group)])
        return np.asarray(known[self.shares.argmax(axis=1)])

    @property
    def max_power(self) -> Float[np.ndarray, " m"]:
        """Share of a neuron's power in that irrep, (m,)."""
        return np.asarray(self.shares.max(axis=1))

    @property
    def phase_error(self) -> Float[np.ndarray, " m"]:
        """NaN: irreps have no single phase, (m,)."""
        return np.full(len(self.shares), np.nan)

    def summary(self, alive: np.ndarray, weights: np.ndarray, seed: int) -> dict[str, float]:
        """Mean share of the best irrep but the trivial one, and the same of random neurons."""
        return {
            "best_irrep_share": float(self.shares[alive, 1:].max(axis=1).mean()),
            "best_irrep_baseline": random_best_share(self.finite_group, seed),
        }


def neuron_norms(circuit: Circuit) -> Float[np.ndarray, " m"]:
    """Norm of all weights of each neuron, (m,).

    Raises
    ------
    ValueError
        If the circuit is no power network.
    """
    if not ARCHITECTURES[circuit.architecture].homogeneous:
        known = " or ".join(name for name, architecture in ARCHITECTURES.items() if architecture.homogeneous)
        raise ValueError(f"needs a {known}, found {circuit.architecture}")
    weights = [circuit.weights[name].astype(np.float64) for name in ("W_in", "W_U")]
    return np.asarray(np.linalg.norm(np.concatenate(weights, axis=1), axis=1))


def contributions(circuit: Circuit) -> Float[np.ndarray, " m"]:
    """What each neuron adds to the regulariser and at most to a logit: its norm to the power of homogeneity, (m,)."""
    return np.asarray(neuron_norms(circuit) ** homogeneity(circuit.architecture, circuit.task))


def live_neurons(circuit: Circuit) -> np.ndarray:
    """Which neurons contribute at least 1e-4 of what the strongest one does, (m,) bool."""
    size = contributions(circuit)
    return np.asarray((size > 0) & (size >= DEAD_SHARE * size.max()))


@dataclass(frozen=True)
class NoFeatures:
    """Neurons of a task that is no group's and has no symmetry: theory expects nothing of them.

    Parameters
    ----------
    n_neurons : int
        Number of neurons.
    """

    n_neurons: int

    @property
    def names(self) -> np.ndarray:
        """Empty, (m,) str."""
        return np.full(self.n_neurons, "")

    @property
    def max_power(self) -> Float[np.ndarray, " m"]:
        """NaN, (m,)."""
        return np.full(self.n_neurons, np.nan)

    @property
    def phase_error(self) -> Float[np.ndarray, " m"]:
        """NaN, (m,)."""
        return np.full(self.n_neurons, np.nan)

    def summary(self, alive: np.ndarray, weights: np.ndarray, seed: int) -> dict[str, float]:
        """Nothing."""
        return {}


def neuron_parts(circuit: Circuit) -> Float[np.ndarray, "m parts n"]:
    """Functions on Z_p or a finite group that each neuron applies to its inputs, then the one it adds to the logits."""
    n = circuit.task.n_classes
    W_in, W_U = (circuit.weights[name].astype(np.float64) for name in ("W_in", "W_U"))
    return np.concatenate([W_in.reshape(len(W_in), circuit.task.n_factors, n), W_U[:, None]], axis=1)


NeuronFeatures = Frequencies | Supports | IrrepShares | NoFeatures


def neuron_frequencies(circuit: Circuit) -> Frequencies:
    """Frequencies and phases of all neurons on the axes of the task's symmetry; meaningless for dead ones.

    References
    ----------
    Morwani et al., arXiv 2311.07568, and Li et al., arXiv 2402.09469; frequencies f and p - f are merged here.
    """
    symmetry = circuit.task.symmetry
    assert symmetry is not None
    parts = _in_order(neuron_parts(circuit), symmetry)
    power = folded_power(parts, [2])
    total = power.sum(axis=(1, 2))
    by_frequency = power[:, :, 1:].sum(axis=1)
    best = by_frequency.argmax(axis=1)
    neurons = np.arange(len(best))
    phases = np.angle(np.fft.rfft(parts, axis=2)[neurons, :, best + 1])
    turned = np.exp(1j * ((phases[:, :-1] * symmetry.signs).sum(axis=1) - phases[:, -1]))
    return Frequencies(
        frequency=best + 1,
        max_power=by_frequency[neurons, best] / np.where(total > 0, total, 1),
        shared=np.all(power[:, :, 1:].argmax(axis=2) == best[:, None], axis=1),
        phase_error=np.abs(np.angle(turned)),
    )


def _in_order(parts: np.ndarray, symmetry: Symmetry) -> np.ndarray:
    """Parts (m, parts, n) of neurons with tokens, and classes in the last part, in the order of their numbers."""
    if symmetry.natural:
        return parts
    orders = np.array([*symmetry.tokens, symmetry.classes])
    return np.take_along_axis(parts, orders[None], axis=2)


def neuron_supports(circuit: Circuit) -> Supports:
    """How all neurons weigh the support of a parity; meaningless for dead ones.

    References
    ----------
    Morwani et al., arXiv 2311.07568.
    """
    assert circuit.task.support is not None
    W_in, W_U = (circuit.weights[name].astype(np.float64) for name in ("W_in", "W_U"))
    inside = np.abs(W_in[:, list(circuit.task.support)])
    tiny = np.finfo(np.float64).tiny
    mean = np.maximum(inside.mean(axis=1), tiny)
    return Supports(
        support_mass=np.sum(inside**2, axis=1) / np.maximum(np.sum(W_in**2, axis=1), tiny),
        magnitude_spread=inside.std(axis=1) / mean,
        balance=np.linalg.norm(W_U, axis=1) / mean,
    )


def neuron_irreps(circuit: Circuit) -> IrrepShares:
    """Shares of all neurons in the real irreps of the finite group."""
    finite_group = circuit.task.finite_group
    assert finite_group is not None
    return IrrepShares(share_by_irrep(neuron_parts(circuit), real_irreps(finite_group)), finite_group)


def neuron_features(circuit: Circuit) -> NeuronFeatures:
    """What theory expects the neurons of a power network to hold: frequencies, a support, irreps, or nothing."""
    task = circuit.task
    if task.support is not None:
        return neuron_supports(circuit)
    if task.finite_group is not None and task.modulus is None:
        return neuron_irreps(circuit)
    return neuron_frequencies(circuit) if task.symmetry else NoFeatures(len(circuit.weights["W_in"]))


def share_by_irrep(parts: np.ndarray, irreps: tuple[Irrep, ...]) -> np.ndarray:
    """Share of the power of several functions together in each irrep, (m, n_irreps) of (m, parts, order)."""
    power = np.sum(parts**2, axis=2, keepdims=True)
    total = power.sum(axis=1)
    return np.asarray(np.sum(irrep_power(parts, irreps) * power, axis=1) / np.where(total > 0, total, 1))


@lru_cache
def random_best_share(finite_group: FiniteGroup, seed: int = 0, n_parts: int = 3, n_draws: int = 2000) -> float:
    """Mean largest share in one non-trivial irrep of neurons with random weights: what a real share must exceed.

    Parameters
    ----------
    finite_group : FiniteGroup
        The functions are functions of its elements.
    seed : int
        Seed of the draws.
    n_parts : int
        Number of functions of a neuron that are taken together.
    n_draws : int
        Number of random neurons.
    """
    parts = np.random.default_rng(seed).standard_normal((n_draws, n_parts, finite_group.order))
    return float(share_by_irrep(parts, real_irreps(finite_group))[:, 1:].max(axis=1).mean())
