"""Recurrent network of two inputs."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from topomod.networks.pair_form import PairForm, Shapes, Weights
from topomod.networks.size import NetworkSize


def rnn(weights: Weights, x_left: Tensor, x_right: Tensor, _rate: float) -> PairForm:
    """Recurrent network ``h_t = relu(W_h h_{t-1} + W_in x_t + b_in)`` from ``h_0 = 0``, read at the last state.

    The first state depends on a alone, so the pre-activations of the second one are a sum over tokens.
    """
    W_in, b_in = weights["W_in"].mT, weights["b_in"][:, None]
    first = torch.relu(x_left @ W_in + b_in)
    return PairForm(first @ weights["W_h"].mT, x_right @ W_in + b_in, weights["W_U"].mT)


def _rnn_shapes(p: int, size: NetworkSize) -> Shapes:
    d, m = size.d_model, size.d_mlp
    return {
        "W_E": ((p, d), 1 / math.sqrt(d)),
        "W_in": ((m, d), 1 / math.sqrt(d)),
        "W_h": ((m, m), 1 / math.sqrt(m)),
        "b_in": ((m,), 0.0),
        "W_U": ((m, p), 1 / math.sqrt(m)),
    }
