"""How alike two point clouds of the same inputs are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from topomod.topology.principal_components import principal_axes


@dataclass(frozen=True)
class _Moments:
    """What similarities need of a cloud: centred rows, their squared lengths, squared norm of ``rows.T @ rows``."""

    rows: Float[np.ndarray, "n k"]
    lengths: Float[np.ndarray, " n"]
    gram: float


def _moments(X: np.ndarray) -> _Moments:
    X = np.atleast_2d(np.asarray(X, np.float64))
    X = X - X.mean(0)
    return _Moments(X, np.einsum("nk,nk->n", X, X), float(np.linalg.norm(X.T @ X) ** 2))


def _cross(X: _Moments, Y: _Moments) -> float:
    if len(X.rows) != len(Y.rows):
        raise ValueError(f"point clouds must have the same rows, found {X.rows.shape} and {Y.rows.shape}")
    return float(np.linalg.norm(Y.rows.T @ X.rows) ** 2)


def _cka(X: _Moments, Y: _Moments) -> float:
    cross, norm = _cross(X, Y), np.sqrt(X.gram * Y.gram)
    return float(cross / norm) if norm > 0 else float("nan")


def _rsm(X: _Moments, Y: _Moments) -> float:
    n = len(X.rows)
    n_pairs = n * (n - 1)

    def mean_product(U: _Moments, V: _Moments, cross: float) -> float:
        return float(2 * (n * U.lengths @ V.lengths + U.lengths.sum() * V.lengths.sum() + 2 * cross) / n_pairs)

    mean_x, mean_y = (2 * n * U.lengths.sum() / n_pairs for U in (X, Y))
    variance = (mean_product(X, X, X.gram) - mean_x**2) * (mean_product(Y, Y, Y.gram) - mean_y**2)
    covariance = mean_product(X, Y, _cross(X, Y)) - mean_x * mean_y
    return float(covariance / np.sqrt(variance)) if variance > 0 else float("nan")


def similarities(X: np.ndarray, references: Mapping[str, np.ndarray]) -> dict[str, tuple[float, float]]:
    """:func:`linear_cka` and :func:`rsm_similarity` of one cloud to several, by name; its moments are computed once."""
    x = _moments(X)
    others = {name: _moments(Y) for name, Y in references.items()}
    return {name: (_cka(x, y), _rsm(x, y)) for name, y in others.items()}


def linear_cka(X: np.ndarray, Y: np.ndarray) -> float:
    """Linear centred kernel alignment between two clouds of the same points, in [0, 1].

    Parameters
    ----------
    X, Y : ndarray
        (n_points, n_features), rows in the same order; NaN comes back for a constant cloud.

    Raises
    ------
    ValueError
        If the numbers of rows differ.

    References
    ----------
    Kornblith et al., arXiv 1905.00414.

    Examples
    --------
    >>> from topomod.neurons.references import reference_manifold
    >>> disc, torus = reference_manifold("disc", 59), reference_manifold("torus", 59)
    >>> round(linear_cka(disc, torus), 12)
    0.707106781187
    """
    return _cka(_moments(X), _moments(Y))


def rsm_similarity(X: np.ndarray, Y: np.ndarray) -> float:
    """Pearson correlation between the squared-distance matrices of two clouds over all pairs of points.

    Computed from row norms and cross products, exactly and without the n x n matrices.

    Parameters
    ----------
    X, Y : ndarray
        (n_points, n_features), rows in the same order; NaN comes back where all distances are equal.

    Raises
    ------
    ValueError
        If the numbers of rows differ.

    References
    ----------
    Kriegeskorte et al. 2008, doi 10.3389/neuro.06.004.2008. The value 0.578 that arXiv 2512.25060 prints for
    torus against disc shows that the dissimilarity is a distance, not a dot product.

    Examples
    --------
    >>> from topomod.neurons.references import reference_manifold
    >>> round(rsm_similarity(reference_manifold("disc", 59), reference_manifold("torus", 59)), 4)
    0.5771
    """
    return _rsm(_moments(X), _moments(Y))


def top_variance(X: Float[np.ndarray, "n k"], n_components: int) -> float:
    """Share of the variance in the first principal components; NaN for a constant cloud."""
    centred = np.asarray(X, np.float64) - np.mean(X, 0, dtype=np.float64)
    eigenvalues, _ = principal_axes(centred, n_components)
    total = float(np.sum(centred**2))
    return min(1.0, float(eigenvalues.sum() / total)) if total > 0 else float("nan")
