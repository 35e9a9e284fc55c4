"""What a stack of networks computes, and the types that all architectures share."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

Weights = dict[str, Tensor]
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
