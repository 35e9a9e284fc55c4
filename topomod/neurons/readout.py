"""Which directions of a layer the logits read, and what those hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from topomod.neurons.layers import Layer
from topomod.tasks.fourier import spectrum

NO_READOUT = "the layer reaches the logits only through another nonlinearity, or its map to them is not known"
NO_ACTIVATIONS = "what the layer holds after its nonlinearity is not known"


def readout_directions(readout: Float[np.ndarray, "p m"], frequency: int) -> Float[np.ndarray, "m 2"]:
    """Orthonormal basis of the two directions of a layer that the logits' cosine and sine at a frequency read.

    References
    ----------
    Reviews of arXiv 2512.25060 ask what is left of a representation after it is projected on the read-out.
    """
    angle = 2 * np.pi * frequency * np.arange(len(readout)) / len(readout)
    return np.asarray(np.linalg.qr(readout.T @ np.stack([np.cos(angle), np.sin(angle)], axis=1))[0])


def readout_of(layer: Layer) -> Float[np.ndarray, "p m"]:
    """Linear map from a layer to the logits, (p, n_neurons).

    Raises
    ------
    ValueError
        If another nonlinearity lies between the layer and the logits, or the map is not known.
    """
    if layer.readout is None:
        raise ValueError(NO_READOUT)
    return layer.readout


def activations_of(layer: Layer) -> Float[np.ndarray, "p p m"]:
    """What a layer holds after its nonlinearity, (p, p, n_neurons).

    Raises
    ------
    ValueError
        If that is not known.
    """
    if layer.activations is None:
        raise ValueError(NO_ACTIVATIONS)
    return layer.activations


def readout_orders(layer: Layer, frequencies: Sequence[int]) -> tuple[float, float, float]:
    """What the directions that the logits read hold, two for each key frequency.

    Parameters
    ----------
    layer : Layer
        A layer that has a read-out.
    frequencies : sequence of int
        Key frequencies.

    Returns
    -------
    first_order, second_order, variance : float
        Shares of the projected activations' variance in cosines of ``a`` or ``b`` alone, and in cosines of
        ``a + b``, at the key frequencies; share of the activations' variance that lies in those directions. NaN
        without frequencies or variance.

    Raises
    ------
    ValueError
        If the layer has no read-out.
    """
    readout = readout_of(layer)
    key = np.unique(np.asarray(frequencies, dtype=int))
    if not len(key):
        return float("nan"), float("nan"), float("nan")
    directions = np.linalg.svd(readout, full_matrices=False)[2][: 2 * len(key)].T
    activations = activations_of(layer)
    centred = activations - activations.mean(axis=(0, 1))
    power = np.sum(np.abs(spectrum((centred @ directions).astype(np.float64))) ** 2, axis=2)
    total = power.sum()
    if not total > 0:
        return float("nan"), float("nan"), float("nan")
    signed = np.unique(np.concatenate([key, -key]) % len(power))
    first = power[signed, 0].sum() + power[0, signed].sum()
    whole = np.mean(np.sum(centred.astype(np.float64) ** 2, axis=2))
    return float(first / total), float(power[signed, signed].sum() / total), float(total / whole)
