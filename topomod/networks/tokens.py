"""The weights of a network that read its tokens."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Weights = dict[str, np.ndarray]


def map_embeddings(weights: Weights, function: Callable[[np.ndarray], np.ndarray]) -> Weights:
    """Apply a function of arrays (..., n_tokens) to the columns of the embeddings ``W_E`` and ``W_E_right``."""
    names = [name for name in ("W_E", "W_E_right") if name in weights]
    return weights | {name: function(weights[name].T).T.astype(weights[name].dtype) for name in names}
