"""The networks as their papers write them, one pair at a time: the reference for the pair form."""

import torch
from torch import Tensor

Weights = dict[str, Tensor]


def plain_logits(architecture: str, w: Weights, a: Tensor, b: Tensor, rate: float) -> Tensor:
    """Logits (n_pairs, n_classes) of one circuit from token indices, stacked tokens and all."""
    if architecture == "attention":
        return _attention(w, a, b, rate)
    x = w["W_E"][a] + w["W_E"][b] if architecture == "mlp_add" else torch.cat([w["W_E"][a], w["W_E"][b]], dim=1)
    hidden = torch.relu(x @ w["W_in"].T + w["b_in"])
    return hidden @ w["W_out"].T @ w["W_U"]


def _attention(w: Weights, a: Tensor, b: Tensor, rate: float) -> Tensor:
    x = w["W_E"][torch.stack([a, b], dim=1)] + w["W_pos"]  # (n, 2, d_model)
    q, k, v = (torch.einsum("hed,npd->nhpe", w[name], x) for name in ("W_Q", "W_K", "W_V"))
    scores = torch.einsum("nhie,nhje->nhij", q, k) / q.shape[-1] ** 0.5
    pattern = rate * scores.softmax(-1) + (1 - rate)
    mixed = torch.einsum("nhij,nhje->nhie", pattern, v)
    stream = x + torch.einsum("hde,nhie->nid", w["W_O"], mixed)
    hidden = torch.relu(stream @ w["W_in"].T + w["b_in"])
    stream = stream + hidden @ w["W_out"].T + w["b_out"]
    return (stream @ w["W_U"])[:, -1]


def plain_loss(architecture: str, w: Weights, targets: Tensor, mask: Tensor, rate: float) -> Tensor:
    """Mean cross entropy over the pairs of the mask (p, p)."""
    a, b = torch.nonzero(mask, as_tuple=True)
    logits = plain_logits(architecture, w, a, b, rate)
    return torch.nn.functional.cross_entropy(logits, targets[a, b])
