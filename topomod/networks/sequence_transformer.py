"""A one-layer transformer over k tokens, read at the last, for tasks of k inputs.

Keys and values are functions of (position, token) and queries of the last token alone, so a step computes
``k * p`` rows of each and gathers them for the inputs it looks at.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import embedding

from topomod.networks.acceptance import few_numbers
from topomod.networks.activations import Activations, Weights
from topomod.tasks.task import Task


@dataclass(frozen=True)
class SequenceActivations:
    """What one circuit computes on N inputs.

    Parameters
    ----------
    pattern : Tensor
        (N, n_heads, k), attention from the last token to each position; rows sum to one.
    preactivations : Tensor
        (N, n_neurons) at the last token, before the ReLU.
    logits : Tensor
        (N, n_classes).
    """

    pattern: Tensor
    preactivations: Tensor
    logits: Tensor


def all_inputs(task: Task) -> Tensor:
    """Every input of a task, (n_inputs, k) tokens, the last one fastest.

    Raises
    ------
    ValueError
        For another task, or one of more than ``MAX_INPUTS`` inputs.

    Examples
    --------
    >>> from topomod import ModularAddition
    >>> all_inputs(ModularAddition(p=3, k=2))[:4].tolist()
    [[0, 0], [0, 1], [0, 2], [1, 0]]
    """
    if refusal := few_numbers(task):
        raise ValueError(f"sequence_transformer {refusal.format(task=repr(task))}")
    return torch.from_numpy(task.inputs())


def sequence_transformer(weights: Weights, inputs: Tensor) -> SequenceActivations:
    """Run one circuit: softmax attention from the last token to all, ReLU MLP, residual stream, no layer norm.

    Parameters
    ----------
    weights : dict of Tensor
        Without a circuit axis: ``W_E`` (p, d_model), ``W_pos`` (k, d_model), ``W_Q``, ``W_K``, ``W_V``
        (n_heads, d_head, d_model), ``W_O`` (n_heads, d_model, d_head), ``W_in`` (d_mlp, d_model), ``b_in``,
        ``W_out`` (d_model, d_mlp), ``b_out`` and ``W_U`` (d_model, n_classes).
    inputs : Tensor
        (N, k) int64 tokens.

    References
    ----------
    Li et al., arXiv 2402.09469.
    """
    W_E, W_pos, W_in, W_U = (weights[name] for name in ("W_E", "W_pos", "W_in", "W_U"))
    (n_heads, d_head), (k, p) = weights["W_Q"].shape[:2], (len(W_pos), len(W_E))
    x = (W_E + W_pos[:, None]).flatten(0, 1)  # (k * p, d_model), row j p + a holds token a at position j
    last = x[-p:]
    query = (last @ weights["W_Q"].flatten(0, 1).T).unflatten(1, (n_heads, d_head)).transpose(0, 1)
    key = (x @ weights["W_K"].flatten(0, 1).T).unflatten(1, (n_heads, d_head)).transpose(0, 1)
    scores = (query @ key.mT / math.sqrt(d_head)).permute(1, 2, 0)  # (p, k * p, n_heads)
    rows = inputs + p * torch.arange(k)
    pattern = torch.softmax(embedding(rows + k * p * inputs[:, -1:], scores.flatten(0, 1)), dim=1)
    value = embedding(rows, x @ weights["W_V"].flatten(0, 1).T).unflatten(2, (n_heads, d_head))
    mixed = (pattern[..., None] * value).sum(1).flatten(1)  # (N, n_heads * d_head)
    # W_O W_in and W_U W_out first: the stream of every input never needs to be written out
    W_O = weights["W_O"].mT.flatten(0, 1)
    preactivations = mixed @ (W_O @ W_in.T) + embedding(inputs[:, -1], last @ W_in.T + weights["b_in"])
    skip = mixed @ (W_O @ W_U) + embedding(inputs[:, -1], (last + weights["b_out"]) @ W_U)
    logits = torch.relu(preactivations) @ (weights["W_out"].T @ W_U) + skip
    return SequenceActivations(pattern.mT, preactivations, logits)


def on_all_inputs(weights: Weights, task: Task) -> Activations:
    """Run a stack of circuits on every input of the task; shapes (S, p, ..., p, n).

    Raises
    ------
    ValueError
        As :func:`all_inputs`, and if ``W_pos`` does not have one row per token.
    """
    inputs = all_inputs(task)
    k, n_positions = inputs.shape[1], weights["W_pos"].shape[1]
    if n_positions != k:
        raise ValueError(f"the network has {n_positions} positions, the task {k} tokens")
    stack = [
        sequence_transformer({name: value[i] for name, value in weights.items()}, inputs)
        for i in range(len(weights["W_E"]))
    ]
    grid = (weights["W_E"].shape[1],) * k
    pre = torch.stack([each.preactivations for each in stack]).unflatten(1, grid)
    logits = torch.stack([each.logits for each in stack]).unflatten(1, grid)
    readout = weights["W_U"].mT @ weights["W_out"]
    return Activations((pre,), (torch.relu(pre),), (readout,), logits)
