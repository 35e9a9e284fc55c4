"""What a stack of networks computes, and the types that all architectures share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from torch import Tensor

Weights = dict[str, Tensor]
# (layer, its pre-activations (*inputs, n_neurons)) -> logits (*inputs, n_classes)
Rest = Callable[[int, np.ndarray], np.ndarray]
Shapes = dict[str, tuple[tuple[int, ...], float]]  # shape and standard deviation of the initial normal draw


@dataclass(frozen=True)
class Activations:
    """What a stack of networks computes on all pairs; for k inputs there are k axes of tokens.

    Parameters
    ----------
    preactivations, activations : tuple of Tensor or None
        Per layer (S, n_left, n_right, n_neurons), before and after the nonlinearity; after it None where the
        nonlinearity is not known.
    readouts : tuple of Tensor or None
        Per layer (S, n_classes, n_neurons), the linear map from post-activations to logits; None where another
        nonlinearity lies between.
    logits : Tensor
        (S, n_left, n_right, n_classes).
    """

    preactivations: tuple[Tensor, ...]
    activations: tuple[Tensor | None, ...]
    readouts: tuple[Tensor | None, ...]
    logits: Tensor


@dataclass(frozen=True)
class Patch:
    """What one layer of a stack holds at the last token in place of what it computes.

    Parameters
    ----------
    layer : int
        Which nonlinearity.
    site : {"preactivations", "activations"}
        Before or after it.
    values : Tensor
        (S, n_left, n_right, n_neurons).
    """

    layer: int
    site: str
    values: Tensor


def patched(patch: Patch | None, layer: int, site: str, values: Tensor) -> Tensor:
    """Values of a layer, (S, n_left, n_right, n_neurons) or with an axis of tokens before the last, after a patch."""
    if patch is None or (patch.layer, patch.site) != (layer, site):
        return values
    if values.ndim == patch.values.ndim:
        return patch.values
    changed = values.clone()
    changed[..., -1, :] = patch.values
    return changed
