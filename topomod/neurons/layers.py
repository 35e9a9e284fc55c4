"""The hidden layers of a circuit as arrays over all pairs of inputs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from torch import Tensor

from topomod.networks.circuit import Circuit


@dataclass(frozen=True)
class Layer:
    """Arrays of one hidden layer of a circuit over Z_p x Z_p, computed once for all measurements.

    Parameters
    ----------
    preactivations, activations : ndarray
        (p, p, n_neurons), before and after the nonlinearity; after it None where the nonlinearity is not known.
    readout : ndarray or None
        (p, n_neurons), linear map from activations to logits; None where another nonlinearity lies between.
    logits : ndarray
        (p, p, p), of the whole circuit.
    """

    preactivations: Float[np.ndarray, "p p m"]
    activations: Float[np.ndarray, "p p m"] | None
    readout: Float[np.ndarray, "p m"] | None
    logits: Float[np.ndarray, "p p p"]


def circuit_layers(circuit: Circuit) -> list[Layer]:
    """Run a circuit on all pairs; one :class:`Layer` per nonlinearity."""
    found = circuit.activations()
    logits = found.logits[0].numpy()
    return [
        Layer(pre[0].numpy(), _array(post), _array(readout), logits)
        for pre, post, readout in zip(found.preactivations, found.activations, found.readouts, strict=True)
    ]


def _array(values: Tensor | None) -> np.ndarray | None:
    return None if values is None else np.asarray(values[0].numpy())
