"""Perceptrons of two inputs: embeddings added or concatenated, one or two hidden layers."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from topomod.networks.activations import Activations, Patch, Shapes, Weights, patched
from topomod.networks.pair_form import PairForm
from topomod.networks.size import NetworkSize
from topomod.tasks.task import Task


def mlp_add(weights: Weights, x_left: Tensor, x_right: Tensor, _rate: float) -> PairForm:
    """Add the embeddings, then apply one hidden layer."""
    half_bias = weights["b_in"][:, None] / 2
    left = x_left @ weights["W_in"].mT + half_bias
    shared = x_left is x_right
    right = left if shared else x_right @ weights["W_in"].mT + half_bias
    return PairForm(left, right, _mlp_readout(weights), symmetric=shared)


def mlp_concat(weights: Weights, x_left: Tensor, x_right: Tensor, _rate: float) -> PairForm:
    """Concatenate the embeddings, then apply one hidden layer; there may be no ``b_in``."""
    W_left, W_right = weights["W_in"].mT.split(x_left.shape[-1], dim=1)
    right = x_right @ W_right
    if "b_in" in weights:
        right = right + weights["b_in"][:, None]
    return PairForm(x_left @ W_left, right, _mlp_readout(weights))


def _mlp_readout(weights: Weights) -> Tensor:
    """Map from neurons to logits; released MLPs read out by ``W_U`` alone."""
    return weights["W_U"].mT @ weights["W_out"] if "W_out" in weights else weights["W_U"].mT


def two_layer_mlp(
    weights: Weights,
    x_left: Tensor,
    x_right: Tensor,
    _rate: float,
    n_biases: int = 1,
    patch: Patch | None = None,
) -> Activations:
    """Add the embeddings, then apply two hidden layers; the first bias counts once, or once for each token."""
    W_in = weights["W_in"].mT
    pre = (x_left @ W_in)[:, :, None] + (x_right @ W_in)[:, None] + n_biases * weights["b_in"][:, None, None]
    pre = patched(patch, 0, "preactivations", pre)
    first = patched(patch, 0, "activations", torch.relu(pre))
    second = first @ weights["W_in_1"].mT[:, None] + weights["b_in_1"][:, None, None]
    second = patched(patch, 1, "preactivations", second)
    post = first, patched(patch, 1, "activations", torch.relu(second))
    logits = post[1] @ weights["W_U"][:, None]
    return Activations((pre, second), post, (None, weights["W_U"].mT), logits)


def two_layer_mlp_two_biases(
    weights: Weights, x_left: Tensor, x_right: Tensor, rate: float, patch: Patch | None = None
) -> Activations:
    """:func:`two_layer_mlp` whose first layer's bias is added once for each token."""
    return two_layer_mlp(weights, x_left, x_right, rate, n_biases=2, patch=patch)


def add_shapes(task: Task, size: NetworkSize) -> Shapes:
    """Weights of ``mlp_add``."""
    return _shapes(task, size, 1)


def concat_shapes(task: Task, size: NetworkSize) -> Shapes:
    """Weights of ``mlp_concat``."""
    return _shapes(task, size, 2)


def _shapes(task: Task, size: NetworkSize, n_read: int) -> Shapes:
    """Weights of a perceptron whose neurons read ``n_read`` embeddings at once."""
    n_tokens, d, m = task.input_shape[0], size.d_model, size.d_mlp
    return {
        "W_E": ((n_tokens, d), 1 / math.sqrt(d)),
        "W_in": ((m, n_read * d), 1 / math.sqrt(n_read * d)),
        "b_in": ((m,), 0.0),
        "W_out": ((d, m), 1 / math.sqrt(d)),
        "W_U": ((d, task.n_classes), 1 / math.sqrt(task.n_classes)),
    }
