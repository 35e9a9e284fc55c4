"""The hidden layers of a circuit as arrays over all pairs of inputs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float
from torch import Tensor

from topomod.networks.circuit import Circuit
from topomod.tasks.spectra import NeuronSpectra, neuron_spectra
from topomod.tasks.symmetry import Symmetry


@dataclass(frozen=True)
class Layer:
    """Arrays of one hidden layer of a circuit over all pairs, computed once for all measurements.

    Where the task has a symmetry, tokens and classes are in the order of their numbers
    (:class:`topomod.tasks.symmetry.Symmetry`): the discrete logarithms for a product. All measurements of frequencies,
    phases and windings are then those of Z_p x Z_p.

    Parameters
    ----------
    preactivations, activations : ndarray
        (p, p, n_neurons), before and after the nonlinearity; after it None where the nonlinearity is not known.
    readout : ndarray or None
        (n_classes, n_neurons), linear map from activations to logits; None where another nonlinearity lies between.
    logits : ndarray
        (p, p, n_classes), of the whole circuit.
    symmetry : Symmetry or None
        That of the task.
    """

    preactivations: Float[np.ndarray, "a b m"]
    activations: Float[np.ndarray, "a b m"] | None
    readout: Float[np.ndarray, "c m"] | None
    logits: Float[np.ndarray, "a b c"]
    symmetry: Symmetry | None = None

    @property
    def signs(self) -> tuple[int, ...]:
        """(1, 1), or -1 for an input that the task subtracts."""
        return self.symmetry.signs if self.symmetry else (1, 1)

    @cached_property
    def spectra(self) -> NeuronSpectra:
        """Spectra of all neurons."""
        return neuron_spectra(self.preactivations, self.signs)


def circuit_layers(circuit: Circuit) -> list[Layer]:
    """Run a circuit on all pairs; one :class:`Layer` per nonlinearity."""
    found, symmetry = circuit.activations(), circuit.task.symmetry
    logits = found.logits[0].numpy()
    layers = [
        Layer(pre[0].numpy(), _array(post), _array(readout), logits)
        for pre, post, readout in zip(found.preactivations, found.activations, found.readouts, strict=True)
    ]
    return layers if symmetry is None else [_arranged(layer, symmetry) for layer in layers]


def _arranged(layer: Layer, symmetry: Symmetry) -> Layer:
    """The same layer with tokens and classes in the order of their numbers."""
    return Layer(
        symmetry.arrange(layer.preactivations),
        None if layer.activations is None else symmetry.arrange(layer.activations),
        None if layer.readout is None else symmetry.arrange_classes(layer.readout, axis=0),
        symmetry.arrange_classes(symmetry.arrange(layer.logits)),
        symmetry,
    )


def _array(values: Tensor | None) -> np.ndarray | None:
    return None if values is None else np.asarray(values[0].numpy())
