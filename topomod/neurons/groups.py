"""Neuron groups: the live neurons of a layer that share one dominant frequency, or one irrep of a finite group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Complex, Float, Int

from topomod.networks.circuit import Circuit
from topomod.neurons.layers import circuit_layers
from topomod.notebook import Shown
from topomod.tasks.spectra import NeuronSpectra


@dataclass(frozen=True)
class NeuronGroup(Shown):
    """Neurons with one dominant frequency and one order.

    Parameters
    ----------
    frequency : int
        In 1..p//2.
    neurons : ndarray
        Indices into the layer, increasing.
    order : int
        1 for neurons of ``a`` and ``b``, 2 for neurons of ``a + b`` and ``a - b``.
    first_order_r2, second_order_r2 : float
        Pooled (variance-weighted) share of the group's variance explained at its frequency.
    coherence : float
        Alignment of the phases of ``a`` and ``b`` over the group, 0 (independent) to 1 (equal up to one shift).
    phase_difference : float
        The common shift ``phi_b - phi_a`` in radians; meaningful where ``coherence`` is high.
    amplitude_ratio : float
        Root mean square amplitude of ``b`` over that of ``a``.
    power : float
        Summed variance of the group's neurons.
    layer : int
        Layer the neurons belong to.
    phases_a, phases_b : ndarray
        (n_neurons,) phases in radians: neuron ~ A cos(2 pi f a / p + phase_a) + B cos(2 pi f b / p + phase_b), with -b
        where the task subtracts b. a and b are the numbers that the task's symmetry gives the tokens.
    """

    frequency: int
    neurons: Int[np.ndarray, " n"]
    order: int
    first_order_r2: float
    second_order_r2: float
    coherence: float
    phase_difference: float
    amplitude_ratio: float
    power: float
    layer: int
    phases_a: Float[np.ndarray, " n"]
    phases_b: Float[np.ndarray, " n"]

    @property
    def headline(self) -> str:
        """Its frequency, size and order."""
        order = "" if self.order == 1 else " of second order"
        return f"frequency {self.frequency}, {len(self.neurons)} neurons{order}"


@dataclass(frozen=True)
class IrrepGroup(Shown):
    """Neurons with most of their power in one real irrep.

    Parameters
    ----------
    irrep : str
        Its name, as :func:`topomod.real_irreps` gives it.
    neurons : ndarray
        Indices into the layer, increasing.
    layer : int
        Layer the neurons belong to.
    """

    irrep: str
    neurons: Int[np.ndarray, " n"]
    layer: int = 0

    @property
    def headline(self) -> str:
        """Its irrep and size."""
        return f"irrep {self.irrep}, {len(self.neurons)} neurons"


def phase_coherence(coefficient_a: Complex[np.ndarray, " n"], coefficient_b: Complex[np.ndarray, " n"]) -> complex:
    """Power-weighted mean of ``exp(i (phi_b - phi_a))``.

    Its modulus rho decides what linear methods measure of a group: top-2 variance ``(1 + rho) / 2``, CKA to the torus
    ``1 / sqrt(1 + rho^2)``. Unequal amplitudes of a and b lower it too.
    """
    total = np.sum(np.abs(coefficient_a) ** 2 + np.abs(coefficient_b) ** 2) / 2
    return complex(np.sum(coefficient_b * np.conj(coefficient_a)) / total) if total > 0 else 0j


def groups_of_spectra(spectra: NeuronSpectra, layer: int = 0, min_neurons: int = 3) -> list[NeuronGroup]:
    """Group live neurons by (order, frequency); see :func:`group_neurons`."""
    groups = []
    keys = sorted(set(zip(spectra.order[spectra.alive], spectra.frequency[spectra.alive], strict=True)))
    for order, frequency in keys:
        chosen = spectra.alive & (spectra.order == order) & (spectra.frequency == frequency)
        neurons = np.flatnonzero(chosen)
        if len(neurons) < min_neurons:
            continue
        a, b, power = spectra.coefficient_a[neurons], spectra.coefficient_b[neurons], spectra.power[neurons]
        rho = phase_coherence(a, b)
        rms_a, rms_b = np.sqrt(np.mean(np.abs(a) ** 2)), np.sqrt(np.mean(np.abs(b) ** 2))
        groups.append(
            NeuronGroup(
                frequency=int(frequency),
                neurons=neurons,
                order=int(order),
                first_order_r2=float(np.average(spectra.first_order_r2[neurons], weights=power)),
                second_order_r2=float(np.average(spectra.second_order_r2[neurons], weights=power)),
                coherence=abs(rho),
                phase_difference=float(np.angle(rho)),
                amplitude_ratio=float(rms_b / rms_a) if rms_a > 0 else float("inf"),
                power=float(power.sum()),
                layer=layer,
                phases_a=np.angle(a),
                phases_b=np.angle(b),
            )
        )
    return groups


def group_neurons(circuit: Circuit, layer: int = 0, min_neurons: int = 3) -> list[NeuronGroup]:
    """Group the live neurons of a layer by dominant frequency, with first and second order apart.

    Dead neurons (power below 1e-4 of the strongest neuron's) belong to no group.

    Parameters
    ----------
    circuit : Circuit
        Any circuit of two inputs whose task has a symmetry: sums, differences and weighted sums mod p, products mod p
        (on the axis of discrete logarithms), and tables of cyclic groups.
    layer : int
        Which nonlinearity; 0 is the first.
    min_neurons : int
        Smaller groups are left out.

    Returns
    -------
    list of NeuronGroup
        First-order groups by frequency, then second-order groups.

    Raises
    ------
    ValueError
        If the task has no symmetry, as ``a**3 + a*b`` mod p; :func:`topomod.irrep_groups` knows finite groups.

    References
    ----------
    Groups by dominant frequency: arXiv 2512.25060, arXiv 2505.18266.
    """
    _ = circuit.p  # refuses circuits that learnt something else
    layers = circuit_layers(circuit)
    if not 0 <= layer < len(layers):
        raise IndexError(f"{circuit.label} has layers 0 to {len(layers) - 1}, asked for {layer}")
    return groups_of_spectra(layers[layer].spectra, layer, min_neurons)
