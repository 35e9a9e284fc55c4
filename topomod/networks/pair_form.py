"""Architectures that are trained here, written so that work per token stays apart from work per pair.

Everything before the nonlinearity is a function of ``p`` tokens, not of ``p**2`` inputs. Each architecture that
is trained here therefore states its *pair form* (:class:`PairForm`), which training and analysis evaluate alike.
Every tensor carries a leading axis of circuits, so one call serves a whole stack.

Weight names are the field's: ``W_E`` embedding (p, d_model), ``W_in`` (d_mlp, d_model), ``W_out``, ``W_U``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

Weights = dict[str, Tensor]


@dataclass(frozen=True)
class NetworkSize:
    """Widths of a network.

    Parameters
    ----------
    d_model : int
        Length of an embedding; a multiple of ``n_heads``.
    d_mlp : int
        Neurons of a hidden layer.
    n_heads : int
        Heads of the attention; MLPs have none.
    """

    d_model: int = 128
    d_mlp: int = 512
    n_heads: int = 4

    def __post_init__(self) -> None:
        if min(self.d_model, self.d_mlp, self.n_heads) < 1 or self.d_model % self.n_heads:
            raise ValueError(f"d_model must be a positive multiple of n_heads, and d_mlp positive, found {self}")


@dataclass(frozen=True)
class PairForm:
    """Pre-activations of all pairs as ``left[a] + right[b] + sum_h gate[h,a,b] (gate_left[h,a] - gate_right[h,b])``.

    Logits are ``relu(preactivations) @ readout^T``, plus what the residual stream adds: the same sum over the
    tables named ``skip_*``. S circuits, n_left x n_right pairs, h heads.

    Parameters
    ----------
    left, right : Tensor
        (S, n_left, n_neurons) and (S, n_right, n_neurons).
    readout : Tensor
        (S, n_classes, n_neurons), ``W_U^T W_out``.
    gate : Tensor, optional
        (S, h, n_left, n_right), the share of attention that token a gets.
    gate_left, gate_right : Tensor, optional
        (S, h, n_left, n_neurons) and (S, h, n_right, n_neurons).
    skip_left, skip_right, skip_gate_left, skip_gate_right : Tensor, optional
        As the four tables above, with n_classes columns.
    symmetric : bool
        True when ``left`` and ``right`` are the same tensor, so that (a, b) and (b, a) agree.
    """

    left: Tensor
    right: Tensor
    readout: Tensor
    gate: Tensor | None = None
    gate_left: Tensor | None = None
    gate_right: Tensor | None = None
    skip_left: Tensor | None = None
    skip_right: Tensor | None = None
    skip_gate_left: Tensor | None = None
    skip_gate_right: Tensor | None = None
    symmetric: bool = False

    def tensors(self) -> dict[str, Tensor]:
        """The tensors that are there, by name; a symmetric form has no ``right`` of its own."""
        present = {name: value for name, value in vars(self).items() if isinstance(value, Tensor)}
        if self.symmetric:
            del present["right"]
        return present

    def rows(self, part: slice) -> PairForm:
        """The same form for some of the left tokens only."""
        return replace(
            self,
            left=self.left[:, part],
            skip_left=None if self.skip_left is None else self.skip_left[:, part],
            gate=None if self.gate is None else self.gate[:, :, part],
            gate_left=None if self.gate_left is None else self.gate_left[:, :, part],
            skip_gate_left=None if self.skip_gate_left is None else self.skip_gate_left[:, :, part],
            symmetric=False,
        )

    def all_right(self, targets: Tensor, n_pairs: int = 4096) -> Tensor:
        """Whether every pair gets its class of ``targets`` (n_left, n_right), (S,) bool; ``n_pairs`` at a time."""
        n_rows = max(1, n_pairs // len(targets[0]))
        right = torch.ones(len(self.left), dtype=torch.bool, device=targets.device)
        for start in range(0, len(targets), n_rows):
            part = slice(start, start + n_rows)
            form = self.rows(part)
            right &= (form.logits(form.preactivations()).argmax(-1) == targets[part]).flatten(1).all(1)
        return right

    def preactivations(self) -> Tensor:
        """Pre-activations of all pairs, (S, n_left, n_right, n_neurons)."""
        return self._mix(self.left, self.right, self.gate_left, self.gate_right)

    def logits(self, preactivations: Tensor) -> Tensor:
        """Logits from :meth:`preactivations`, (S, n_left, n_right, n_classes)."""
        logits = torch.relu(preactivations) @ self.readout.mT[:, None]
        if self.skip_left is None or self.skip_right is None:
            return logits
        return logits + self._mix(self.skip_left, self.skip_right, self.skip_gate_left, self.skip_gate_right)

    def _mix(self, left: Tensor, right: Tensor, gate_left: Tensor | None, gate_right: Tensor | None) -> Tensor:
        mixed = left[:, :, None] + right[:, None]
        if self.gate is None or gate_left is None or gate_right is None:
            return mixed
        mixed = mixed + torch.einsum("shab,sham->sabm", self.gate, gate_left)
        return mixed - torch.einsum("shab,shbm->sabm", self.gate, gate_right)


@dataclass(frozen=True)
class Activations:
    """What a stack of networks computes on all pairs; for k inputs the two axes of tokens are k.

    Parameters
    ----------
    preactivations, activations : tuple of Tensor
        Per layer (S, n_left, n_right, n_neurons), before and after the nonlinearity.
    readouts : tuple of Tensor or None
        Per layer (S, n_classes, n_neurons), the linear map from post-activations to logits; None where another
        nonlinearity lies between.
    logits : Tensor
        (S, n_left, n_right, n_classes).
    """

    preactivations: tuple[Tensor, ...]
    activations: tuple[Tensor, ...]
    readouts: tuple[Tensor | None, ...]
    logits: Tensor


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


def rnn(weights: Weights, x_left: Tensor, x_right: Tensor, _rate: float) -> PairForm:
    """Recurrent network ``h_t = relu(W_h h_{t-1} + W_in x_t + b_in)`` from ``h_0 = 0``, read at the last state.

    The first state depends on a alone, so the pre-activations of the second one are a sum over tokens.
    """
    W_in, b_in = weights["W_in"].mT, weights["b_in"][:, None]
    first = torch.relu(x_left @ W_in + b_in)
    return PairForm(first @ weights["W_h"].mT, x_right @ W_in + b_in, weights["W_U"].mT)


def _mlp_readout(weights: Weights) -> Tensor:
    """Map from neurons to logits; released MLPs read out by ``W_U`` alone."""
    return weights["W_U"].mT @ weights["W_out"] if "W_out" in weights else weights["W_U"].mT


def attention(weights: Weights, x_left: Tensor, x_right: Tensor, rate: float) -> PairForm:
    """One layer, tokens a then b, read at b; attention weights ``rate * softmax + (1 - rate)`` (Zhong et al.).

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
    query, key = x_right @ weights["W_Q"].flatten(1, 2).mT, x @ weights["W_K"].flatten(1, 2).mT
    n_heads, d_head = weights["W_Q"].shape[1:3]
    by_head = [part.unflatten(2, (n_heads, d_head)).transpose(1, 2) for part in (query, key, value)]
    query = by_head[0]  # (S, h, n_right, d_head)
    (key_left, key_right), values = (part.split([n_left, n_right], dim=2) for part in by_head[1:])
    score_left = key_left @ query.mT  # (S, h, a, b)
    score_right = (query * key_right).sum(-1)  # (S, h, b)

    def gated(W: Tensor) -> tuple[Tensor, Tensor]:
        # W_O W first: fewer products than taking every token through d_model
        through = (W_O @ W).unflatten(1, (n_heads, d_head))
        return values[0] @ through, values[1] @ through

    (gate_left, gate_right), (skip_gate_left, skip_gate_right) = gated(W_in), gated(W_U)
    return replace(
        form,
        gate=rate * torch.sigmoid((score_left - score_right[:, :, None]) / math.sqrt(d_head)),
        gate_left=gate_left,
        gate_right=gate_right,
        skip_gate_left=skip_gate_left,
        skip_gate_right=skip_gate_right,
    )
