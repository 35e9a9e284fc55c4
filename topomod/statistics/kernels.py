"""Gaussian kernels between networks, each of which is represented by the mean embedding of its rows."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike
from scipy import sparse
from scipy.spatial.distance import cdist

from topomod.statistics.arguments import check_finite, number_array
from topomod.topology.scale import times_power_of_two, unit_exponent

# For the torus embedding, in which points of one circle are at most 2 apart: from fine to coarse.
TORUS_BANDWIDTHS = (0.25, 0.5, 1.0, 2.0)
# Multiples of the median distance between networks, where no bandwidths are given.
_MEDIAN_MULTIPLES = (0.25, 0.5, 1.0, 2.0)
_BLOCK = 4_000_000  # kernel values held at once
# At unit scale: beyond these a kernel is 1, or 0 but for equal points, and the squares of bandwidths stay numbers.
_WIDEST = 2.0**500


def feature_matrix(values: object, name: str) -> Float[np.ndarray, "n k"]:
    """Rows of features as floats.

    Raises
    ------
    ValueError
        For another shape, no rows, masked values, NaN, infinite values, or values that are no real numbers.
    """
    rows = number_array(values, name)
    rows = rows[:, None] if rows.ndim == 1 else rows
    if rows.ndim != 2 or 0 in rows.shape:
        raise ValueError(f"{name} has shape {rows.shape}; it must be (n_rows, n_features)")
    check_finite(rows, name)
    return rows


def torus_embedding(phases: ArrayLike) -> Float[np.ndarray, "n twice_k"]:
    """Angles (n, k) in radians as points (cos, sin) of R^2k, on which a Euclidean kernel is one of the torus.

    Examples
    --------
    >>> torus_embedding([[0.0, np.pi / 2]]).round(2).tolist()
    [[1.0, 0.0, 0.0, 1.0]]
    """
    angles = feature_matrix(phases, "phases")
    return np.concatenate([np.cos(angles), np.sin(angles)], axis=1)


def network_kernel(
    rows: Float[np.ndarray, "n k"], index: Int[np.ndarray, " n"], bandwidths: tuple[float, ...] | None
) -> tuple[Float[np.ndarray, "m m"], tuple[float, ...]]:
    """Mean kernel between every two networks, and the bandwidths used; equal rows are computed once.

    Rows and bandwidths are in one unit, of any size.
    """
    exponent = unit_exponent(rows)
    support, position = np.unique(times_power_of_two(rows, -exponent), axis=0, return_inverse=True)
    shares = 1 / np.bincount(index)[index]
    n_networks = int(index.max()) + 1
    weights = sparse.csr_matrix((shares, (index, position.ravel())), shape=(n_networks, len(support)))
    widths = unit_bandwidths(bandwidths, exponent) or _median_bandwidths(weights, support)
    columns = weights.tocsc()
    kernel = np.zeros((n_networks, n_networks))
    step = max(1, _BLOCK // len(support))
    for start in range(0, len(support), step):
        block = slice(start, start + step)
        values = gaussian_mixture(cdist(support[block], support, "sqeuclidean"), widths)
        kernel += columns[:, block] @ (weights @ values.T).T
    used = bandwidths or tuple(times_power_of_two(width, exponent) for width in widths)
    return (kernel + kernel.T) / 2, used


def unit_bandwidths(bandwidths: tuple[float, ...] | None, exponent: int) -> tuple[float, ...] | None:
    """Given bandwidths over ``2**exponent``, the unit of the data; None, for a choice from the data, stays None."""
    if bandwidths is None:
        return None
    scaled = (times_power_of_two(width, -exponent) for width in bandwidths)
    return tuple(min(max(width, 1 / _WIDEST), _WIDEST) for width in scaled)


def gaussian_mixture(
    squared_distances: Float[np.ndarray, "n m"], bandwidths: tuple[float, ...]
) -> Float[np.ndarray, "n m"]:
    """Mean over bandwidths s of ``exp(-d^2 / (2 s^2))``."""
    total = np.zeros_like(squared_distances)
    for width in bandwidths:
        total += np.exp(squared_distances / (-2 * width**2))
    return total / len(bandwidths)


def _median_bandwidths(weights: sparse.csr_matrix, support: Float[np.ndarray, "u k"]) -> tuple[float, ...]:
    """Multiples of the median, over pairs of networks, of the root mean square distance of their rows."""
    centred = support - (weights @ support).mean(axis=0)
    means = weights @ centred
    squares = weights @ (centred**2).sum(axis=1)
    distances = squares[:, None] + squares - 2 * means @ means.T
    median = float(np.sqrt(max(0.0, np.median(distances[np.triu_indices(len(means), 1)]))))
    if median <= 1e-7 * np.sqrt(squares.max()):  # zero, but for rounding
        raise ValueError("more than half the pairs of networks coincide, which gives no bandwidth; give bandwidths")
    return tuple(multiple * median for multiple in _MEDIAN_MULTIPLES)
