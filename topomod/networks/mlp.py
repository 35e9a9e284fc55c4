"""Perceptrons of two inputs: embeddings added or concatenated, one or two hidden layers."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from topomod.networks.pair_form import Activations, PairForm, Shapes, Weights
from topomod.networks.size import NetworkSize


def mlp_add(weights: Weights, x_left: Tensor, x_right: Tensor, _rate: float) -> PairForm:
    """Embeddings added, then one hidden layer."""
    half_bias = weights["b_in"][:, None] / 2
    left = x_left @ weights["W_in"].mT + half_bias
    shared = x_left is x_right
    right = left if shared else x_right @ weights["W_in"].mT + half_bias
    return PairForm(left, right, _mlp_readout(weights), symmetric=shared)


def mlp_concat(weights: Weights, x_left: Tensor, x_right: Tensor, _rate: float) -> PairForm:
    """Embeddings concatenated, then one hidden layer; without ``b_in`` where there is none."""
    W_left, W_right = weights["W_in"].mT.split(x_left.shape[-1], dim=1)
    right = x_right @ W_right
    if "b_in" in weights:
        right = right + weights["b_in"][:, None]
    return PairForm(x_left @ W_left, right, _mlp_readout(weights))


def _mlp_readout(weights: Weights) -> Tensor:
    """Map from neurons to logits; released MLPs read out by ``W_U`` alone."""
    return weights["W_U"].mT @ weights["W_out"] if "W_out" in weights else weights["W_U"].mT


def two_layer_mlp(weights: Weights, x_left: Tensor, x_right: Tensor, _rate: float, n_biases: int = 1) -> Activations:
    """Embeddings added, two hidden layers; the first bias is counted once, or once for each token."""
    W_in = weights["W_in"].mT
    pre = (x_left @ W_in)[:, :, None] + (x_right @ W_in)[:, None] + n_biases * weights["b_in"][:, None, None]
    second = torch.relu(pre) @ weights["W_in_1"].mT[:, None] + weights["b_in_1"][:, None, None]
    post = torch.relu(pre), torch.relu(second)
    logits = post[1] @ weights["W_U"][:, None]
    return Activations((pre, second), post, (None, weights["W_U"].mT), logits)


def _mlp_shapes(p: int, size: NetworkSize, n_inputs: int) -> Shapes:
    d, m = size.d_model, size.d_mlp
    return {
        "W_E": ((p, d), 1 / math.sqrt(d)),
        "W_in": ((m, n_inputs * d), 1 / math.sqrt(n_inputs * d)),
        "b_in": ((m,), 0.0),
        "W_out": ((d, m), 1 / math.sqrt(d)),
        "W_U": ((d, p), 1 / math.sqrt(p)),
    }
