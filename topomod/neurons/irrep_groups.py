"""Neuron groups of networks that compose two elements of a finite group: neurons of one irrep."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from topomod.networks.architectures import ARCHITECTURES
from topomod.networks.circuit import Circuit
from topomod.neurons.features import live_neurons, neuron_parts, share_by_irrep
from topomod.neurons.groups import IrrepGroup
from topomod.tasks.irreps import real_irreps
from topomod.tasks.spectra import DEAD_POWER


def irrep_groups(circuit: Circuit, min_neurons: int = 3, layer: int = 0) -> list[IrrepGroup]:
    """Group the live neurons of a network by the real irrep that holds most of their power.

    In a power network that is the power of a neuron's weights, those to the logits among them. In any other network of
    two tokens it is the power of a neuron's pre-activation as a function of a and as one of b. Dead neurons (below 1e-4
    of the strongest) belong to no group, and the trivial irrep has none.

    Parameters
    ----------
    circuit : Circuit
        A network of a finite group, or that adds two numbers mod p: its irreps are its frequencies.
    min_neurons : int
        Smaller groups are left out.
    layer : int
        Which nonlinearity; 0 is the first.

    Returns
    -------
    list of IrrepGroup
        In the order of :func:`topomod.real_irreps`.

    Raises
    ------
    ValueError
        If the circuit learnt something else.

    References
    ----------
    Chughtai et al., arXiv 2302.03025; Morwani et al., arXiv 2311.07568.

    Examples
    --------
    >>> from topomod import GroupComposition, max_margin_network
    >>> network = max_margin_network(GroupComposition("D5"))
    >>> [(group.irrep, len(group.neurons)) for group in irrep_groups(network, min_neurons=2)]
    [('A2', 2), ('E1', 16), ('E2', 16)]
    """
    finite_group = circuit.task.finite_group
    if finite_group is None:
        raise ValueError(f"{circuit.label} learnt {circuit.task}, which has no irreps of a group")
    if ARCHITECTURES[circuit.architecture].homogeneous:
        alive, parts = live_neurons(circuit), neuron_parts(circuit)
    else:
        alive, parts = input_parts(circuit.preactivations(layer))
    irreps = real_irreps(finite_group)
    best = share_by_irrep(parts, irreps).argmax(axis=1)
    own = [IrrepGroup(irrep.name, np.flatnonzero(alive & (best == i)), layer) for i, irrep in enumerate(irreps) if i]
    return [group for group in own if len(group.neurons) >= min_neurons]


def input_parts(preactivations: Float[np.ndarray, "n n m"]) -> tuple[np.ndarray, Float[np.ndarray, "m 2 n"]]:
    """What neurons make of each input alone: their means over the other one, centred.

    Returns
    -------
    alive : ndarray
        (m,) bool, whether a neuron's variance over all pairs is at least 1e-4 of the strongest neuron's.
    parts : ndarray
        (m, 2, n), functions of a and of b.
    """
    values = preactivations.astype(np.float64)
    values = values - values.mean(axis=(0, 1))
    power = np.mean(values**2, axis=(0, 1))
    parts = np.stack([values.mean(axis=1), values.mean(axis=0)])
    return (power > 0) & (power >= DEAD_POWER * power.max()), np.asarray(parts.transpose(2, 0, 1))
