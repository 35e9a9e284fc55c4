"""A network of which only arrays are known: what it computed on every input, once."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

import numpy as np
import torch
from torch import Tensor

from topomod.networks.activations import Activations, Weights
from topomod.tasks.task import Task

PER_LAYER = ("preactivations", "activations", "readout")
NONLINEARITIES: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "gelu": torch.nn.functional.gelu,
    "gelu_tanh": lambda x: torch.nn.functional.gelu(x, approximate="tanh"),
    "silu": torch.nn.functional.silu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "square": torch.square,
}


def array_name(kind: str, layer: int) -> str:
    """Name of an array of a layer: ``preactivations``, ``preactivations_1``, ..."""
    return f"{kind}_{layer}" if layer else kind


def on_inputs(arrays: Weights, task: Task) -> Activations:
    """What the arrays say of every input; shapes (S, *inputs, n).

    Parameters
    ----------
    arrays : dict of Tensor
        ``logits`` (S, *inputs, n_classes) and, per layer, ``preactivations`` (S, *inputs, n_neurons). Where they are
        known, also ``activations`` of the same shape and ``readout`` (S, n_classes, n_neurons).
    task : Task
        Says how many inputs and classes there are.

    Raises
    ------
    ValueError
        If an array is missing or does not fit the task.
    """
    if missing := [name for name in ("logits", "preactivations") if name not in arrays]:
        raise ValueError(f"arrays are missing: {', '.join(missing)}")
    wanted = (*task.input_shape, task.n_classes)
    if tuple(arrays["logits"].shape[1:]) != wanted:
        raise ValueError(f"logits have shape {tuple(arrays['logits'].shape[1:])}; {task} needs {wanted}")
    layers: list[dict[str, Tensor | None]] = []
    while array_name("preactivations", len(layers)) in arrays:
        layers.append({kind: arrays.get(array_name(kind, len(layers))) for kind in PER_LAYER})
        _check_layer(layers[-1], task, len(layers) - 1)
    return Activations(
        preactivations=tuple(layer["preactivations"] for layer in layers),  # type: ignore[misc]
        activations=tuple(layer["activations"] for layer in layers),
        readouts=tuple(layer["readout"] for layer in layers),
        logits=arrays["logits"],
    )


def _check_layer(layer: dict[str, Tensor | None], task: Task, index: int) -> None:
    """Refuse arrays of a layer whose shapes do not fit each other or the task."""
    shapes = {kind: tuple(value.shape[1:]) for kind, value in layer.items() if value is not None}
    found, axes = shapes["preactivations"], task.input_shape
    if len(found) != len(axes) + 1 or found[:-1] != axes or not found[-1]:
        inputs = ", ".join(map(str, axes))
        name = array_name("preactivations", index)
        raise ValueError(f"{name} have shape {found}; {task} needs ({inputs}, n_neurons)")
    wanted = {"activations": found, "readout": (task.n_classes, found[-1])}
    for kind, shape in wanted.items():
        if shapes.get(kind, shape) != shape:
            raise ValueError(f"{array_name(kind, index)} has shape {shapes[kind]}; allowed is {shape}")


def no_tokens(_weights: dict[str, np.ndarray], _function: Callable[[np.ndarray], np.ndarray]) -> NoReturn:
    """Refuse to change what the tokens are embedded as: nothing could be computed from it.

    Raises
    ------
    ValueError
        Always.
    """
    raise ValueError(
        "this network is known by its activations alone, so that nothing can be computed from a changed embedding"
    )
