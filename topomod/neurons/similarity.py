"""How alike two point clouds of the same inputs are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from topomod.topology.inputs import cloud_rows
from topomod.topology.principal_components import principal_axes
from topomod.topology.scale import is_constant, unit_scale

MIN_DEBIASED = 4  # points from which on the debiased estimate exists
# Squared distances with a variance below this share of their squared mean are equal up to rounding. So is the debiased
# product of such a cloud with itself against the biased one.
EQUAL_DISTANCES = 2e-14


@dataclass(frozen=True)
class _Moments:
    """What similarities need of a cloud at unit scale.

    Centred rows, their squared lengths, the squared norm of ``rows.T @ rows``, and whether the cloud is constant.
    """

    rows: Float[np.ndarray, "n k"]
    lengths: Float[np.ndarray, " n"]
    gram: float
    constant: bool


def _centred(X: ArrayLike, name: str) -> tuple[Float[np.ndarray, "n k"], bool]:
    """Centred rows of a cloud at unit scale in double precision, and whether it is constant."""
    found = cloud_rows(X, name)
    rows = unit_scale(found.astype(np.float64))
    return rows - rows.mean(0), bool(is_constant(found))


def _moments(X: ArrayLike, name: str) -> _Moments:
    rows, constant = _centred(X, name)
    return _Moments(rows, np.einsum("nk,nk->n", rows, rows), _squared_norm(rows.T @ rows), constant)


def _squared_norm(product: Float[np.ndarray, "k m"]) -> float:
    norm = float(np.linalg.norm(product))
    return norm * norm


def _cross(X: _Moments, Y: _Moments) -> float:
    if len(X.rows) != len(Y.rows):
        raise ValueError(f"point clouds must have the same rows, found {X.rows.shape} and {Y.rows.shape}")
    return _squared_norm(Y.rows.T @ X.rows)


def _cka(X: _Moments, Y: _Moments) -> float:
    cross = _cross(X, Y)
    return float("nan") if X.constant or Y.constant else float(cross / np.sqrt(X.gram * Y.gram))


def _debiased_cka(X: _Moments, Y: _Moments) -> float:
    n = len(X.rows)

    def hsic(U: _Moments, V: _Moments, cross: float) -> float:
        """Unbiased estimate of HSIC, times n (n - 3), of linear kernels; centred rows have kernels that sum to 0."""
        diagonal = float(U.lengths @ V.lengths)
        sums = float(U.lengths.sum() * V.lengths.sum())
        return cross - diagonal + sums / ((n - 1) * (n - 2)) - 2 * diagonal / (n - 2)

    cross = _cross(X, Y)
    if n < MIN_DEBIASED:
        raise ValueError(f"the debiased estimate needs at least {MIN_DEBIASED} points, found {n}")
    own_x, own_y = hsic(X, X, X.gram), hsic(Y, Y, Y.gram)
    if X.constant or Y.constant or own_x <= EQUAL_DISTANCES * X.gram or own_y <= EQUAL_DISTANCES * Y.gram:
        return float("nan")
    return float(hsic(X, Y, cross) / np.sqrt(own_x * own_y))


def _rsm(X: _Moments, Y: _Moments) -> float:
    n = len(X.rows)
    cross = _cross(X, Y)
    if X.constant or Y.constant:
        return float("nan")
    n_pairs = n * (n - 1)

    def mean_product(U: _Moments, V: _Moments, cross: float) -> float:
        return float(2 * (n * U.lengths @ V.lengths + U.lengths.sum() * V.lengths.sum() + 2 * cross) / n_pairs)

    mean_x, mean_y = (2 * n * U.lengths.sum() / n_pairs for U in (X, Y))
    variance_x = mean_product(X, X, X.gram) - mean_x * mean_x
    variance_y = mean_product(Y, Y, Y.gram) - mean_y * mean_y
    if variance_x <= EQUAL_DISTANCES * mean_x**2 or variance_y <= EQUAL_DISTANCES * mean_y**2:
        return float("nan")
    covariance = mean_product(X, Y, cross) - mean_x * mean_y
    return float(covariance / np.sqrt(variance_x * variance_y))


def similarities(X: ArrayLike, references: Mapping[str, np.ndarray]) -> dict[str, tuple[float, float]]:
    """:func:`linear_cka` and :func:`rsm_similarity` of one cloud to several, by name; its moments are computed once."""
    x = _moments(X, "X")
    others = {name: _moments(Y, name) for name, Y in references.items()}
    return {name: (_cka(x, y), _rsm(x, y)) for name, y in others.items()}


def linear_cka(X: ArrayLike, Y: ArrayLike, *, debiased: bool = False) -> float:
    """Linear centred kernel alignment between two clouds of the same points, in [0, 1].

    With few points and many features it is near 1 whatever the clouds: between two independent clouds of 10 points with
    1000 features it is 0.99. The debiased estimate is near 0 there, and for any independent clouds.

    Parameters
    ----------
    X, Y : array_like
        (n_points, n_features), or (n_points,) for one feature, in any unit; rows in the same order. NaN comes back for
        a constant cloud, one whose points agree up to the rounding of their numbers.
    debiased : bool
        Estimate each of the three products of kernels (HSIC) without bias. The value can then be negative. NaN comes
        back where the estimate for a cloud with itself is not positive, as where all distances are equal.

    Raises
    ------
    ValueError
        If the numbers of rows differ; for masked, complex, NaN or infinite entries, three or more axes, and an empty
        cloud; for fewer than 4 points if debiased.

    References
    ----------
    Kornblith et al., arXiv 1905.00414. Debiased: Song et al. 2012, Journal of Machine Learning Research 13, 1393-1434;
    Nguyen, Raghu, Kornblith, arXiv 2010.15327.

    Examples
    --------
    >>> from topomod.neurons.references import reference_manifold
    >>> disc, torus = reference_manifold("disc", 59), reference_manifold("torus", 59)
    >>> round(linear_cka(disc, torus), 12)
    0.707106781187
    >>> X, Y = np.random.default_rng(0).normal(size=(2, 10, 1000))
    >>> round(linear_cka(X, Y), 2), abs(linear_cka(X, Y, debiased=True)) < 0.1
    (0.99, True)
    """
    x, y = _moments(X, "X"), _moments(Y, "Y")
    return _debiased_cka(x, y) if debiased else _cka(x, y)


def rsm_similarity(X: ArrayLike, Y: ArrayLike) -> float:
    """Pearson correlation between the squared-distance matrices of two clouds over all pairs of points.

    Computed from row norms and cross products, exactly and without the n x n matrices.

    Parameters
    ----------
    X, Y : array_like
        (n_points, n_features), or (n_points,) for one feature, in any unit; rows in the same order. NaN comes back
        where all distances are equal up to rounding.

    Raises
    ------
    ValueError
        If the numbers of rows differ; for masked, complex, NaN or infinite entries, three or more axes, and an empty
        cloud.

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
    return _rsm(_moments(X, "X"), _moments(Y, "Y"))


def top_variance(X: ArrayLike, n_components: int) -> float:
    """Share of the variance in the first principal components; NaN for a constant cloud.

    Raises
    ------
    ValueError
        For masked, complex, NaN or infinite entries, three or more axes, and an empty cloud.
    """
    rows, constant = _centred(X, "X")
    if constant:
        return float("nan")
    eigenvalues, _ = principal_axes(rows, n_components)
    return min(1.0, float(eigenvalues.sum() / float(np.sum(rows**2))))
