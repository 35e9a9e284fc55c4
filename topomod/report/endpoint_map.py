"""Map of circuits by their endpoints (UMAP)."""

from __future__ import annotations

import warnings

import pandas as pd

from topomod.study.diagram_features import NotAvailableError
from topomod.study.endpoint_catalogue import ENDPOINTS
from topomod.study.tables import KEY

NEIGHBOURS = 15  # UMAP's own default
MIN_CIRCUITS = 21  # with fewer, the neighbours of a circuit are nearly all circuits


def endpoint_map(matrix: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """UMAP of standardised endpoints, for display only.

    Parameters
    ----------
    matrix : DataFrame
        From :func:`topomod.study.population.endpoint_matrix`. A missing endpoint takes its column's median.
    seed : int
        Of UMAP.

    Returns
    -------
    DataFrame
        Columns architecture, seed, step, converged, x, y.

    Raises
    ------
    NotAvailableError
        With fewer than ``MIN_CIRCUITS`` circuits, or without umap-learn.

    References
    ----------
    arXiv 1802.03426.
    """
    if len(matrix) < MIN_CIRCUITS:
        raise NotAvailableError(
            f"It was not drawn. UMAP needs at least {MIN_CIRCUITS} circuits, and there are {len(matrix)}."
        )
    values = matrix[[name for name in ENDPOINTS if name in matrix]].astype(float)
    values = values.fillna(values.median()).dropna(axis=1)
    spread = values.std(ddof=0)
    values = values.loc[:, spread > 1e-12]
    standard = ((values - values.mean()) / values.std(ddof=0)).to_numpy()
    if not standard.shape[1]:
        raise NotAvailableError("It was not drawn, because no endpoint varies between circuits.")
    try:
        from sklearn.neighbors import NearestNeighbors
        from umap import UMAP
    except ImportError:
        raise NotAvailableError(
            "It was not drawn, because umap-learn is not installed (pip install 'topomod[pipeline]')."
        ) from None
    with warnings.catch_warnings():
        # it warns that without its own neighbour search, 5 s to compile, later points cannot be placed
        warnings.filterwarnings("ignore", "precomputed_knn", UserWarning)
        near = NearestNeighbors(n_neighbors=NEIGHBOURS).fit(standard).kneighbors(standard)[::-1]
        model = UMAP(NEIGHBOURS, min_dist=0.3, random_state=seed, n_jobs=1, precomputed_knn=near)
        places = model.fit_transform(standard)
    return matrix[[*KEY, "converged"]].assign(x=places[:, 0], y=places[:, 1])
