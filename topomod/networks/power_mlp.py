"""One hidden layer without biases on one-hot inputs or signs: theory knows the largest normalized margin.

``logits(x) = sum_i W_U[i] phi(W_in[i] . x)`` with ``phi`` a power (``power_mlp``) or ReLU (``relu_mlp``). ``x``
concatenates one-hot blocks (k inputs mod p, or two elements of a finite group), so ``W_in . x`` is a sum of looked-up
columns. For parity ``x`` is the vector of signs. Weights: ``W_in`` (n_neurons, d_in), ``W_U`` (n_neurons, n_classes).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from topomod.networks.activations import Activations, Shapes, Weights
from topomod.networks.size import NetworkSize
from topomod.tasks.task import Task

CHUNK_VALUES = 2**22  # pre-activations held at once where only logits are asked for, 32 MB in float64


def power_shapes(task: Task, size: NetworkSize) -> Shapes:
    """Weights of both networks, as they start by an ``init_scale`` of 1."""
    d_in = sum(task.input_shape) if task.one_hot else task.n_inputs.bit_length() - 1  # all patterns of so many signs
    std = 1 / math.sqrt(d_in + task.n_classes)
    return {"W_in": ((size.d_mlp, d_in), std), "W_U": ((size.d_mlp, task.n_classes), std)}


def homogeneity(architecture: str, task: Task) -> int:
    """Degree in which logits grow with all weights: ``task.n_factors + 1`` for ``power_mlp``, 2 for ``relu_mlp``."""
    return 1 + (task.n_factors if architecture == "power_mlp" else 1)


class TaskInputs:
    """All inputs of a task as blocks of one-hot vectors or as signs.

    Parameters
    ----------
    task : Task
        The task whose inputs they are.

    Attributes
    ----------
    shape : tuple of int
        Axes of all inputs: (p,) * k, (order, order), or (2**n,) for parity.
    d_in : int
        Length of an input vector: k p, 2 order, or n.
    """

    def __init__(self, task: Task) -> None:
        self.signs: Tensor | None = None
        self.shape = task.input_shape
        self.d_in = sum(self.shape)
        if not task.one_hot:
            self.signs = torch.from_numpy(task.inputs())
            self.d_in = self.signs.shape[1]

    def preactivations(self, W_in: Tensor) -> Tensor:
        """``W_in . x`` of all inputs, (*shape, n_neurons), by broadcast sums of the blocks' columns."""
        if self.signs is not None:
            return torch.matmul(self.signs.to(W_in.dtype), W_in.mT)
        tables = self._tables(W_in)
        total = tables[0]
        for table in tables[1:]:
            total = total[..., None, :] + table
        return total

    def preactivations_at(self, W_in: Tensor, rows: Tensor) -> Tensor:
        """``W_in . x`` of the inputs with the given flat indices, (len(rows), n_neurons)."""
        if self.signs is not None:
            return torch.matmul(self.signs[rows].to(W_in.dtype), W_in.mT)
        tables = self._tables(W_in)
        columns = torch.unravel_index(rows, self.shape)
        total = tables[0][columns[0]]
        for table, column in zip(tables[1:], columns[1:], strict=True):
            total = total + table[column]
        return total

    def _tables(self, W_in: Tensor) -> list[Tensor]:
        """Columns of each one-hot block, (its number of tokens, n_neurons)."""
        return list(W_in.mT.split(self.shape))


def nonlinearity(architecture: str, task: Task, preactivations: Tensor) -> Tensor:
    """The task's power of the pre-activations, or ReLU."""
    if architecture == "relu_mlp":
        return torch.relu(preactivations)
    result = preactivations
    for _ in range(task.n_factors - 1):  # torch's own pow is slow beyond the third
        result = result * preactivations
    return result


def power_on_inputs(weights: Weights, task: Task) -> Activations:
    """Run a stack of one ``power_mlp`` on every input of a task."""
    return _on_inputs("power_mlp", weights, task)


def relu_on_inputs(weights: Weights, task: Task) -> Activations:
    """Run a stack of one ``relu_mlp`` on every input of a task."""
    return _on_inputs("relu_mlp", weights, task)


def _on_inputs(architecture: str, weights: Weights, task: Task) -> Activations:
    W_in, W_U = _tensors(task, {name: value[0].numpy() for name, value in weights.items()})
    pre = TaskInputs(task).preactivations(W_in)
    post = nonlinearity(architecture, task, pre)
    return Activations((pre[None],), (post[None],), (W_U.mT[None],), (post @ W_U)[None])


def map_tokens(weights: dict[str, np.ndarray], function: Callable[[np.ndarray], np.ndarray]) -> dict[str, np.ndarray]:
    """Apply a function of arrays (..., n_classes) to each neuron's weights of each one-hot block."""
    W_in, W_U = weights["W_in"], weights["W_U"]
    blocks = W_in.reshape(len(W_in), -1, W_U.shape[1])
    return weights | {"W_in": function(blocks).reshape(W_in.shape).astype(W_in.dtype)}


def logit_chunks(
    architecture: str, task: Task, weights: dict[str, np.ndarray], n_values: int = CHUNK_VALUES
) -> Iterator[tuple[slice, np.ndarray]]:
    """Logits of all inputs in their flat order, some at a time.

    Yields
    ------
    part : slice
        Which inputs, in their flat order.
    logits : ndarray
        (part, n_classes).
    """
    W_in, W_U = _tensors(task, weights)
    inputs = TaskInputs(task)
    n_rows = max(1, n_values // len(W_in))
    for start in range(0, task.n_inputs, n_rows):
        part = slice(start, min(start + n_rows, task.n_inputs))
        pre = inputs.preactivations_at(W_in, torch.arange(part.start, part.stop))
        yield part, np.asarray((nonlinearity(architecture, task, pre) @ W_U).numpy())


def power_logits(task: Task, weights: dict[str, np.ndarray]) -> np.ndarray:
    """Logits of a ``power_mlp`` on all inputs, (*input_shape, n_classes)."""
    return _logits("power_mlp", task, weights)


def relu_logits(task: Task, weights: dict[str, np.ndarray]) -> np.ndarray:
    """Logits of a ``relu_mlp`` on all inputs, (*input_shape, n_classes)."""
    return _logits("relu_mlp", task, weights)


def _logits(architecture: str, task: Task, weights: dict[str, np.ndarray]) -> np.ndarray:
    chunks = [logits for _, logits in logit_chunks(architecture, task, weights)]
    return np.asarray(np.concatenate(chunks).reshape(*task.input_shape, task.n_classes))


def _tensors(task: Task, weights: dict[str, np.ndarray]) -> tuple[Tensor, Tensor]:
    """``W_in`` and ``W_U``, refused where they do not fit the task."""
    W_in, W_U = weights["W_in"], weights["W_U"]
    wanted = (len(W_in), TaskInputs(task).d_in), (len(W_in), task.n_classes)
    if (W_in.shape, W_U.shape) != wanted:
        raise ValueError(f"{task} needs W_in {wanted[0]} and W_U {wanted[1]}, found {W_in.shape} and {W_U.shape}")
    return torch.from_numpy(W_in), torch.from_numpy(W_U)
