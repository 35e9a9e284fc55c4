"""Samples of networks: what every test of equivalence asks of its input."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

MIN_NETWORKS = 3


def check_settings(margin: float, alpha: float) -> None:
    """Refuse a margin or a level that no test can use."""
    if not (np.isfinite(margin) and margin > 0):
        raise ValueError(f"margin is {margin}; it must be a positive number, fixed before seeing the data")
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha is {alpha}; it must lie strictly between 0 and 0.5")


def network_index(clusters: ArrayLike | None, n_rows: int, name: str) -> Int[np.ndarray, " n"]:
    """Network 0, 1, ... that each row belongs to; without ``clusters`` each row is its own."""
    index = np.arange(n_rows)
    if clusters is not None:
        labels = np.asarray(clusters)
        if labels.shape != (n_rows,):
            raise ValueError(f"clusters_{name.lower()} has shape {labels.shape} but {name} has {n_rows} rows")
        if labels.dtype.kind == "f" and np.isnan(labels).any():
            raise ValueError(f"clusters_{name.lower()} contains NaN; give every row the label of its network")
        index = np.unique(labels, return_inverse=True)[1]
    n_networks = len(np.unique(index))
    if n_networks < MIN_NETWORKS:
        raise ValueError(f"{name} has {n_networks} network(s); at least {MIN_NETWORKS} are needed")
    return index


def network_means(values: ArrayLike, clusters: ArrayLike | None, name: str) -> Float[np.ndarray, " n"]:
    """Mean of each network, sorted: a network counts once however many rows it has."""
    rows = np.asarray(values, dtype=float)
    if rows.ndim != 1:
        raise ValueError(f"{name} has shape {rows.shape}; it must be one-dimensional, one number per row")
    if not np.isfinite(rows).all():
        raise ValueError(f"{name} contains NaN or infinite values; drop or explain those networks first")
    index = network_index(clusters, len(rows), name)
    return np.sort(np.bincount(index, weights=rows) / np.bincount(index))
