"""Fourier analysis on Z_p x Z_p: the frequency that explains most of a neuron, and how much it explains."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Complex, Float, Int

from topomod.tasks.fourier import order_power, spectrum
from topomod.tasks.symmetry import Symmetry

DEAD_POWER = 1e-4  # share of the strongest neuron's power; in one released network 465 of 512 neurons have less


@dataclass(frozen=True)
class NeuronSpectra:
    """Dominant frequency and explained variance of every neuron.

    First order means cosines of ``a`` or of ``b`` alone: the 2-D DFT has its peaks at (f, 0) and (0, f). Second order
    means cosines of ``a + b`` and ``a - b``: the peaks are at (f, f) and (f, -f). Whoever looks at the axes alone takes
    a second-order neuron for one of frequency 2f.

    Parameters
    ----------
    power : ndarray
        (n_neurons,) variance over all pairs.
    alive : ndarray
        (n_neurons,) bool, power at least ``DEAD_POWER`` of the strongest neuron's.
    frequency : ndarray
        (n_neurons,) int in 1..p//2 that explains most, both orders together.
    order : ndarray
        (n_neurons,) 1 or 2, the order that holds more of the power at ``frequency``.
    first_order_r2, second_order_r2 : ndarray
        (n_neurons,) share of the variance explained at ``frequency``.
    coefficient_a, coefficient_b : ndarray
        (n_neurons,) complex amplitude at (f, 0) and (0, f): the first-order part of the neuron is
        ``Re(coefficient_a exp(2 pi i f a / p) + coefficient_b exp(2 pi i f b / p))``, with -b where b is subtracted.
    """

    power: Float[np.ndarray, " n"]
    alive: np.ndarray
    frequency: Int[np.ndarray, " n"]
    order: Int[np.ndarray, " n"]
    first_order_r2: Float[np.ndarray, " n"]
    second_order_r2: Float[np.ndarray, " n"]
    coefficient_a: Complex[np.ndarray, " n"]
    coefficient_b: Complex[np.ndarray, " n"]

    @property
    def purity(self) -> float:
        """Share of the layer's variance that live neurons hold at their own frequency, both orders together."""
        own = (self.first_order_r2 + self.second_order_r2) * self.power * self.alive
        total = self.power.sum()
        return float(own.sum() / total) if total > 0 else 0.0


def neuron_spectra(preactivations: np.ndarray, signs: tuple[int, ...] = (1, 1)) -> NeuronSpectra:
    """Spectra of all neurons of a layer.

    Parameters
    ----------
    preactivations : ndarray
        (p, p, n_neurons), indexed ``[a, b]``.
    signs : tuple of int
        (1, -1) where the task subtracts b: its wave is then ``exp(-2 pi i f b / p)``, so that a disc of a - b has the
        coherence of one of a + b.

    Raises
    ------
    ValueError
        If the first two axes differ in length: the array is transposed or not over Z_p x Z_p.
    """
    if preactivations.ndim != 3 or preactivations.shape[0] != preactivations.shape[1]:
        raise ValueError(f"preactivations must be (p, p, n_neurons), found {preactivations.shape}")
    coefficients = spectrum(preactivations)
    rounding = 1e-12 * np.max(np.abs(coefficients[0, 0]) ** 2, initial=0)  # what float32 leaves of a constant
    coefficients[0, 0] = 0
    power = np.sum(np.abs(coefficients) ** 2, axis=(0, 1))
    first, second = order_power(coefficients)
    best = np.argmax(first + second, axis=0)
    neurons = np.arange(len(best))
    total = np.where(power > 0, power, 1)
    frequency = best + 1
    amplitude = np.where(2 * frequency == len(coefficients), 1, 2)
    return NeuronSpectra(
        power=power,
        alive=(power > rounding) & (power >= DEAD_POWER * power.max(initial=0)),
        frequency=frequency,
        order=np.where(second[best, neurons] > first[best, neurons], 2, 1),
        first_order_r2=first[best, neurons] / total,
        second_order_r2=second[best, neurons] / total,
        coefficient_a=amplitude * coefficients[signs[0] * frequency, 0, neurons],
        coefficient_b=amplitude * coefficients[0, signs[1] * frequency, neurons],
    )


def purity(preactivations: Float[np.ndarray, "p p n"]) -> float:
    """Share of a layer's variance that its live neurons hold at their own frequency, both orders together."""
    return neuron_spectra(preactivations).purity


def impurity(symmetry: Symmetry | None, preactivations: Float[np.ndarray, "p p n"], least: float) -> str:
    """What is said of neurons that do not hold single frequencies; empty where they do, or the task has none.

    Parameters
    ----------
    symmetry : Symmetry or None
        That of the task.
    preactivations : ndarray
        (p, p, n_neurons), indexed ``[a, b]``.
    least : float
        Smallest purity that is enough.
    """
    if symmetry is None:
        return ""
    share = purity(symmetry.arrange(preactivations))
    return "" if share >= least else f"purity {share:.3f} below {least}"
