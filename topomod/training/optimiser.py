"""AdamW in place on one flat tensor, and the weights as named parts of it."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.optim.adamw import adamw  # the class of that name imports torch's compiler, 1.5 s a process


class AdamW:
    """Averages and step count of one flat tensor, which the fused kernel updates.

    Parameters
    ----------
    values : Tensor
        What is optimised. It is changed in place.
    beta1, beta2 : float
        Adam's averages.
    weight_decay : float
        Decoupled decay; 0 makes it Adam.
    """

    def __init__(self, values: Tensor, beta1: float, beta2: float, weight_decay: float = 0.0) -> None:
        self.values, self._beta1, self._beta2, self._weight_decay = values, beta1, beta2, weight_decay
        self._averages = torch.zeros_like(values), torch.zeros_like(values)
        self._step = torch.zeros((), device=values.device)

    def update(self, gradient: Tensor, learning_rate: float) -> None:
        """Take one step."""
        with torch.no_grad():
            adamw(
                [self.values],
                [gradient],
                [self._averages[0]],
                [self._averages[1]],
                [],
                [self._step],
                fused=True,
                amsgrad=False,
                beta1=self._beta1,
                beta2=self._beta2,
                lr=learning_rate,
                weight_decay=self._weight_decay,
                eps=1e-8,
                maximize=False,
            )


def named_parts(flat: Tensor, shapes: dict[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """Views of consecutive parts of the last axis of ``flat`` in the given shapes, behind its other axes."""
    lengths = [math.prod(shape) for shape in shapes.values()]
    parts = zip(shapes.items(), flat.split(lengths, dim=-1), strict=True)
    return {name: part.unflatten(-1, shape) for (name, shape), part in parts}
