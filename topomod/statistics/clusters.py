"""How many different things a set of correlated endpoints measures, and which of them go together."""

from __future__ import annotations

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

LEAST_CORRELATION = 0.7  # within a cluster: then each endpoint shares half of its variance with each other one
MIN_SHARED = 5  # networks in which both endpoints have a value


def correlations(values: pd.DataFrame, groups: pd.Series) -> pd.DataFrame:
    """Correlations of endpoints over networks, within groups: a difference between groups makes none.

    Parameters
    ----------
    values : DataFrame
        (n_networks, n_endpoints), NaN where a network has no value.
    groups : Series
        Group of each network.

    Returns
    -------
    DataFrame
        (n_endpoints, n_endpoints), without endpoints that do not vary within groups. Pairs that fewer than
        ``MIN_SHARED`` networks have count as uncorrelated.
    """
    centred = values - values.groupby(groups).transform("mean")
    scale = values.abs().max().clip(lower=float(np.finfo(float).tiny))
    varied = centred.loc[:, (centred.abs().max() > 1e-12 * scale) & (centred.notna().sum() >= MIN_SHARED)]
    found = varied.corr(min_periods=MIN_SHARED).fillna(0.0)
    matrix = found.to_numpy(copy=True)
    np.fill_diagonal(matrix, 1.0)
    return pd.DataFrame(matrix, found.index, found.columns)


def effective_number(correlation: Float[np.ndarray, "n n"]) -> float:
    """Effective number of independent endpoints.

    An eigenvalue of the correlation matrix counts 1 if it is at least 1, and its fractional part besides.

    References
    ----------
    Li and Ji (2005), Adjusting multiple testing in multilocus analyses using the eigenvalues of a correlation matrix,
    Heredity 95, 221-227.

    Examples
    --------
    >>> effective_number(np.eye(4)), effective_number(np.ones((4, 4)))
    (4.0, 1.0)
    """
    eigenvalues = np.abs(np.linalg.eigvalsh(correlation)).round(9)  # rounding must not turn 2 into 1 + 0.999...
    return float((eigenvalues >= 1).sum() + (eigenvalues - np.floor(eigenvalues)).sum())


def correlation_clusters(correlation: Float[np.ndarray, "n n"]) -> Int[np.ndarray, " n"]:
    """Cluster 0, 1, ... of each endpoint, numbered by first appearance; within one, all have ``|r| >= 0.7``.

    Clusters are merged by complete linkage on ``1 - |r|``.

    Examples
    --------
    >>> correlation_clusters(np.array([[1.0, 0.1, -0.9], [0.1, 1.0, 0.0], [-0.9, 0.0, 1.0]])).tolist()
    [0, 1, 0]
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    if len(correlation) < 2:
        return np.zeros(len(correlation), dtype=np.int64)
    distance = np.clip(1 - np.abs(correlation), 0.0, 1.0)
    np.fill_diagonal(distance, 0.0)
    tree = linkage(squareform((distance + distance.T) / 2, checks=False), method="complete")
    labels = fcluster(tree, t=1 - LEAST_CORRELATION, criterion="distance")
    order = {label: place for place, label in enumerate(dict.fromkeys(labels.tolist()))}
    return np.array([order[label] for label in labels.tolist()], dtype=np.int64)
