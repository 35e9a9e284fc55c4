"""Point clouds of neuron groups, reference manifolds, and similarity between the two."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from topomod.networks.circuit import Circuit
from topomod.neurons.groups import IrrepGroup, NeuronGroup
from topomod.neurons.readout import readout_directions

SITES = ("preactivations", "logits")  # of a study; the other two are looked at in single networks
ALL_SITES = ("preactivations", "activations", "logits", "readout")


@dataclass(frozen=True)
class Layer:
    """Arrays of one hidden layer of a circuit over Z_p x Z_p, computed once for all measurements.

    Parameters
    ----------
    preactivations, activations : ndarray
        (p, p, n_neurons), before and after the nonlinearity.
    readout : ndarray or None
        (p, n_neurons), linear map from activations to logits; None where another nonlinearity lies between.
    logits : ndarray
        (p, p, p), of the whole circuit.
    """

    preactivations: Float[np.ndarray, "p p m"]
    activations: Float[np.ndarray, "p p m"]
    readout: Float[np.ndarray, "p m"] | None
    logits: Float[np.ndarray, "p p p"]

    @property
    def sites(self) -> tuple[str, ...]:
        """The sites this layer has."""
        return ALL_SITES if self.readout is not None else ALL_SITES[:2]

    def cloud(self, group: NeuronGroup | IrrepGroup, site: str) -> Float[np.ndarray, "n k"]:
        """Point cloud of a group at a site, as :func:`manifold` describes it."""
        if site not in ALL_SITES:
            raise ValueError(f"unknown site {site!r}; known sites: {', '.join(ALL_SITES)}")
        if site == "preactivations":
            values = self.preactivations[:, :, group.neurons]
        elif site == "activations":
            values = self.activations[:, :, group.neurons]
        elif self.readout is None:
            raise ValueError(f"no {site}: the layer reaches the logits only through another nonlinearity")
        elif site == "logits":
            values = self.activations[:, :, group.neurons] @ self.readout[:, group.neurons].T
        elif isinstance(group, IrrepGroup):
            raise ValueError("no readout: which directions the logits read is known for frequencies, not for irreps")
        else:
            values = self.activations @ readout_directions(self.readout, group.frequency)
        return np.asarray(values.reshape(-1, values.shape[-1]))


def circuit_layers(circuit: Circuit) -> list[Layer]:
    """Run a circuit on all pairs; one :class:`Layer` per nonlinearity."""
    found = circuit.activations()
    logits = found.logits[0].numpy()
    return [
        Layer(pre[0].numpy(), post[0].numpy(), None if readout is None else readout[0].numpy(), logits)
        for pre, post, readout in zip(found.preactivations, found.activations, found.readouts, strict=True)
    ]


def manifold(
    circuit: Circuit, group: NeuronGroup | IrrepGroup, site: str = "preactivations"
) -> Float[np.ndarray, "n k"]:
    """Point cloud of a group: one row per input pair, in the order of ``a * p + b``.

    Parameters
    ----------
    circuit : Circuit
        Where the group was found.
    group : NeuronGroup or IrrepGroup
        From :func:`topomod.group_neurons`, or of a power network from :func:`topomod.irrep_groups`.
    site : {"preactivations", "activations", "logits", "readout"}
        The group's neurons before or after the nonlinearity (n_features = its neurons); its contribution to the
        logits (n_features = p); all activations of its layer, projected on the two directions that the logits read
        at its frequency (n_features = 2).

    Returns
    -------
    ndarray
        (p * p, n_features).

    Raises
    ------
    ValueError
        If the site is not known, the layer reaches the logits only through another nonlinearity, or the read-out of
        an irrep is asked for.
    """
    return circuit_layers(circuit)[group.layer].cloud(group, site)
