"""Which principal components of a cloud are more than noise."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

MIN_FEATURES = 20  # with fewer the noise is measured by too few components
EDGE_MARGIN = 1.15  # the largest component of noise varies around the edge of its distribution; 200 rows, 20 features


def n_above_noise(X: Float[np.ndarray, "n m"]) -> int:
    """Number of principal components with more variance than noise alone would give the largest one.

    The noise is taken to be the same in all directions, and to be all there is in most of them. Its strength is read
    off the median component. With fewer than 20 features, or fewer rows than features, it cannot be measured, and the
    number is 0.

    Parameters
    ----------
    X : ndarray
        (n_points, n_features), at unit scale.

    References
    ----------
    Marchenko and Pastur 1967; the median as an estimate: Gavish and Donoho, arXiv 1305.5870.
    """
    n, m = X.shape
    if m < MIN_FEATURES or n <= m:
        return 0
    centred = X.astype(np.float64) - X.mean(axis=0)
    variances = np.linalg.eigvalsh(centred.T @ centred / n)
    median, edge = noise_variances(m / n)
    return int(np.sum(variances > EDGE_MARGIN * edge * np.median(variances) / median))


def noise_variances(ratio: float) -> tuple[float, float]:
    """Median and upper edge of the variances of the components of unit noise, for features over rows below 1."""
    low, high = (1 - np.sqrt(ratio)) ** 2, (1 + np.sqrt(ratio)) ** 2
    x = np.linspace(low, high, 4001)
    mass = np.cumsum(np.sqrt((high - x) * (x - low)) / x)
    return float(x[np.searchsorted(mass, mass[-1] / 2)]), float(high)
