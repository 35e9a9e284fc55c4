"""One-layer transformer of two tokens, read at the second."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from topomod.networks.activations import Shapes, Weights
from topomod.networks.pair_form import PairForm
from topomod.networks.size import NetworkSize
from topomod.tasks.task import Task


def attention(weights: Weights, x_left: Tensor, x_right: Tensor, rate: float) -> PairForm:
    """One layer over tokens a, b, read at b; attention is ``rate * softmax + (1 - rate)`` (Zhong et al.).

    With two tokens softmax is a sigmoid ``gate``, so token a gets ``1 - rate + rate * gate`` and token b
    ``1 - rate * gate``.
    """
    n_left, n_right = x_left.shape[1], x_right.shape[1]
    x_right = x_right + weights["W_pos"][:, None, 1]
    x = torch.cat([x_left + weights["W_pos"][:, None, 0], x_right], dim=1)
    W_in, W_U = weights["W_in"].mT, weights["W_U"]
    W_O = weights["W_O"].mT.flatten(1, 2)  # (S, h * d_head, d_model)
    value = x @ weights["W_V"].flatten(1, 2).mT  # (S, n, h * d_head), both tokens in one product
    from_left, from_right = (value @ W_O).split([n_left, n_right], dim=1)
    stream_left, stream_right = (1 - rate) * from_left, x_right + from_right

    def always(W: Tensor) -> tuple[Tensor, Tensor]:
        left = stream_left @ W if rate < 1 else W.new_zeros(len(W), n_left, W.shape[2])
        return left, stream_right @ W

    (left, right), (skip_left, skip_right) = always(W_in), always(W_U)
    form = PairForm(
        left=left,
        right=right + weights["b_in"][:, None],
        readout=W_U.mT @ weights["W_out"],
        skip_left=skip_left,
        skip_right=skip_right + weights["b_out"][:, None] @ W_U,
    )
    if rate == 0:
        return form
    n_heads, d_head = weights["W_Q"].shape[1:3]
    values = value.unflatten(2, (n_heads, d_head)).transpose(1, 2).split([n_left, n_right], dim=2)

    def gated(W: Tensor) -> tuple[Tensor, Tensor]:
        # W_O W comes first: this takes fewer products than a pass of every token through d_model
        through = (W_O @ W).unflatten(1, (n_heads, d_head))
        return values[0] @ through, values[1] @ through

    gate = rate * _softmax_left(weights, x, x_right)
    (gate_left, gate_right), (skip_gate_left, skip_gate_right) = gated(W_in), gated(W_U)
    return replace(
        form,
        gate=gate,
        gate_left=gate_left,
        gate_right=gate_right,
        skip_gate_left=skip_gate_left,
        skip_gate_right=skip_gate_right,
    )


def _softmax_left(weights: Weights, x: Tensor, x_right: Tensor) -> Tensor:
    """How much of the softmax falls on token a, (S, h, a, b); ``x`` (S, n_left + n_right, d_model), both tokens."""
    n_right = x_right.shape[1]
    n_left = x.shape[1] - n_right
    query, key = x_right @ weights["W_Q"].flatten(1, 2).mT, x @ weights["W_K"].flatten(1, 2).mT
    n_heads, d_head = weights["W_Q"].shape[1:3]
    query, key = (part.unflatten(2, (n_heads, d_head)).transpose(1, 2) for part in (query, key))
    key_left, key_right = key.split([n_left, n_right], dim=2)
    score_left = key_left @ query.mT  # (S, h, a, b)
    score_right = (query * key_right).sum(-1)  # (S, h, b)
    return torch.sigmoid((score_left - score_right[:, :, None]) / math.sqrt(d_head))


def attention_shapes(task: Task, size: NetworkSize) -> Shapes:
    """Weights of a one-layer transformer, with one position for each token of the task."""
    d, m, n_heads, n_tokens = size.d_model, size.d_mlp, size.n_heads, task.input_shape[0]
    std, d_head = 1 / math.sqrt(d), d // n_heads
    return {
        "W_E": ((n_tokens, d), std),
        "W_pos": ((len(task.input_shape), d), std),
        "W_Q": ((n_heads, d_head, d), std),
        "W_K": ((n_heads, d_head, d), std),
        "W_V": ((n_heads, d_head, d), std),
        "W_O": ((n_heads, d, d_head), std),
        "W_in": ((m, d), std),
        "b_in": ((m,), 0.0),
        "W_out": ((d, m), std),
        "b_out": ((d,), 0.0),
        "W_U": ((d, task.n_classes), 1 / math.sqrt(task.n_classes)),
    }
