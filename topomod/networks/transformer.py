"""Networks that are analysed, not trained here: deeper ones, other nonlinearities, an "=" token, biases, a mask.

The code is plain and runs over all pairs at once. Speed matters only where thousands of steps are taken
(:mod:`topomod.networks.pair_form`). Weights of a layer after the first have its number in their name: ``W_in_1``.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from topomod.networks.activations import Activations, Patch, Weights, patched

Nonlinearity = Callable[[Tensor], Tensor]


def transformer(
    weights: Weights,
    x_left: Tensor,
    x_right: Tensor,
    rate: float,
    nonlinearity: Nonlinearity = torch.relu,
    causal: bool = False,
    patch: Patch | None = None,
) -> Activations:
    """Transformer without layer norm over the tokens a, b and, where there is a ``W_eq``, "=", read at the last.

    Attention weights are ``rate * softmax + (1 - rate)``. Biases ``b_Q, b_K, b_V, b_O`` and ``b_U`` are added where
    the network has them.
    """
    shape = (len(x_left), x_left.shape[1], x_right.shape[1], x_left.shape[2])
    tokens = [x_left[:, :, None].expand(shape), x_right[:, None].expand(shape)]
    if "W_eq" in weights:
        tokens.append(weights["W_eq"][:, None, None].expand(shape))
    x = torch.stack(tokens, dim=3) + weights["W_pos"][:, None, None]
    pres, posts, layer = [], [], 0
    while f"W_Q{_suffix(layer)}" in weights:
        suffix = _suffix(layer)
        own = {name: weights[f"{name}{suffix}"] for name in LAYER_WEIGHTS if f"{name}{suffix}" in weights}
        x = x + _attend(own, x, rate, causal)
        pre = torch.einsum("sabtd,smd->sabtm", x, own["W_in"]) + own["b_in"][:, None, None, None]
        pre = patched(patch, layer, "preactivations", pre)
        post = patched(patch, layer, "activations", nonlinearity(pre))
        x = x + torch.einsum("sabtm,sdm->sabtd", post, own["W_out"]) + own["b_out"][:, None, None, None]
        pres.append(pre[:, :, :, -1])
        posts.append(post[:, :, :, -1])
        layer += 1
    logits = torch.einsum("sabd,sdc->sabc", x[:, :, :, -1], weights["W_U"])
    if "b_U" in weights:
        logits = logits + weights["b_U"][:, None, None]
    last: tuple[Tensor | None, ...] = (weights["W_U"].mT @ weights[f"W_out{_suffix(layer - 1)}"],)
    return Activations(tuple(pres), tuple(posts), (None,) * (layer - 1) + last, logits)


def transformer_gelu(
    weights: Weights, x_left: Tensor, x_right: Tensor, rate: float, patch: Patch | None = None
) -> Activations:
    """:func:`transformer` with GELU in place of ReLU."""
    return transformer(weights, x_left, x_right, rate, nonlinearity=torch.nn.functional.gelu, patch=patch)


def transformer_causal(
    weights: Weights, x_left: Tensor, x_right: Tensor, rate: float, patch: Patch | None = None
) -> Activations:
    """:func:`transformer` in which a token attends to itself and to earlier ones only."""
    return transformer(weights, x_left, x_right, rate, causal=True, patch=patch)


LAYER_WEIGHTS = ("W_Q", "W_K", "W_V", "W_O", "b_Q", "b_K", "b_V", "b_O", "W_in", "b_in", "W_out", "b_out")


def _suffix(layer: int) -> str:
    return f"_{layer}" if layer else ""


def _attend(own: Weights, x: Tensor, rate: float, causal: bool) -> Tensor:
    """What the heads add to the stream; ``W_Q`` etc. (S, h, d_head, d), ``W_O`` (S, h, d, d_head)."""

    def heads(name: str) -> Tensor:
        projected = torch.einsum("sabtd,shkd->sabhtk", x, own[f"W_{name}"])
        bias = own.get(f"b_{name}")
        return projected if bias is None else projected + bias[:, None, None, :, None]

    query, key, value = heads("Q"), heads("K"), heads("V")
    scores = query @ key.mT / math.sqrt(query.shape[-1])
    if causal:
        n = scores.shape[-1]
        scores = scores.masked_fill(torch.ones(n, n, dtype=torch.bool).triu(1), -math.inf)
    pattern = rate * torch.softmax(scores, dim=-1) + (1 - rate)
    added = torch.einsum("sabhtk,shdk->sabtd", pattern @ value, own["W_O"])
    bias = own.get("b_O")
    return added if bias is None else added + bias[:, None, None, None]
