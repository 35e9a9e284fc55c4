"""Neuron groups of power networks: neurons of one irrep."""

from __future__ import annotations

import numpy as np

from topomod.networks.circuit import Circuit
from topomod.neurons.features import live_neurons, neuron_parts, share_by_irrep
from topomod.neurons.groups import IrrepGroup
from topomod.tasks.irreps import real_irreps


def irrep_groups(circuit: Circuit, min_neurons: int = 3) -> list[IrrepGroup]:
    """Group the live neurons of a power network by the real irrep that holds most of their power.

    Dead neurons (contribution below 1e-4 of the strongest neuron's) belong to no group, and the trivial irrep has none.

    Parameters
    ----------
    circuit : Circuit
        ``power_mlp`` or ``relu_mlp`` of a finite group, or that adds two numbers mod p: its irreps are its frequencies.
    min_neurons : int
        Smaller groups are left out.

    Returns
    -------
    list of IrrepGroup
        In the order of :func:`topomod.real_irreps`.

    Raises
    ------
    ValueError
        If the circuit is no power network or learnt something else.

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
    alive, finite_group = live_neurons(circuit), circuit.task.finite_group
    if finite_group is None:
        raise ValueError(f"{circuit.label} learnt {circuit.task}, which has no irreps of a group")
    irreps = real_irreps(finite_group)
    best = share_by_irrep(neuron_parts(circuit), irreps).argmax(axis=1)
    groups = [IrrepGroup(irrep.name, np.flatnonzero(alive & (best == i))) for i, irrep in enumerate(irreps) if i > 0]
    return [group for group in groups if len(group.neurons) >= min_neurons]
