"""Maps of a population: UMAP of endpoints, features of diagrams, bottleneck distances between circuits."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
from jaxtyping import Float

from topomod.study.diagram_features import NotAvailableError, padded
from topomod.study.endpoint_catalogue import ENDPOINTS
from topomod.study.tables import KEY, circuit_diagrams
from topomod.topology.diagrams import diagram_distance

MIN_CIRCUITS = 10  # below this UMAP's neighbourhoods and the features' means say nothing
PER_ARCHITECTURE = 10  # circuits in the matrix of distances
AMPLITUDES = ("bottleneck", "wasserstein", "landscape", "betti", "heat")


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
        raise NotAvailableError(f"Not drawn: UMAP needs at least {MIN_CIRCUITS} circuits, there are {len(matrix)}.")
    values = matrix[[name for name in ENDPOINTS if name in matrix]].astype(float)
    values = values.fillna(values.median()).dropna(axis=1)
    spread = values.std(ddof=0)
    values = values.loc[:, spread > 1e-12]
    standard = ((values - values.mean()) / values.std(ddof=0)).to_numpy()
    if not standard.shape[1]:
        raise NotAvailableError("Not drawn: no endpoint varies between circuits.")
    try:
        from sklearn.neighbors import NearestNeighbors
        from umap import UMAP
    except ImportError:
        raise NotAvailableError("Not drawn: umap-learn is not installed (pip install 'topomod[pipeline]').") from None
    neighbours = min(15, len(matrix) - 1)
    init = "spectral" if len(matrix) > 20 else "random"
    with warnings.catch_warnings():
        # it warns that without its own neighbour search, 5 s to compile, later points cannot be placed
        warnings.filterwarnings("ignore", "precomputed_knn", UserWarning)
        near = NearestNeighbors(n_neighbors=neighbours).fit(standard).kneighbors(standard)[::-1]
        model = UMAP(neighbours, min_dist=0.3, random_state=seed, n_jobs=1, init=init, precomputed_knn=near)
        places = model.fit_transform(standard)
    return matrix[[*KEY, "converged"]].assign(x=places[:, 0], y=places[:, 1])


def diagram_features(diagrams: pd.DataFrame, site: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Features of the H1 diagrams of the circuits' strongest groups, by giotto-tda.

    Circuits whose diagram is empty have no features and are left out.

    Returns
    -------
    features : DataFrame
        Columns architecture, seed, step, n_bars, entropy, one amplitude per metric.
    curves : DataFrame
        Mean Betti curve: architecture, scale (rms units), betti.

    Raises
    ------
    NotAvailableError
        With fewer than ``MIN_CIRCUITS`` circuits, or without giotto-tda.

    References
    ----------
    arXiv 2004.02551.
    """
    by_circuit = circuit_diagrams(diagrams, site)
    if len(by_circuit) < MIN_CIRCUITS:
        raise NotAvailableError(
            f"Not computed: at least {MIN_CIRCUITS} circuits with an H1 diagram are needed, "
            f"there are {len(by_circuit)}."
        )
    entropy, amplitude, betti_curve = _giotto()
    stacked = padded(list(by_circuit.values()))
    features = pd.DataFrame(list(by_circuit), columns=KEY)
    features["n_bars"] = [len(d) for d in by_circuit.values()]
    features["entropy"] = entropy().fit_transform(stacked)[:, 0]
    for metric in AMPLITUDES:
        features[metric] = amplitude(metric=metric).fit_transform(stacked)[:, 0]
    curve = betti_curve(n_bins=100)
    heights = curve.fit_transform(stacked)[:, 0, :]
    scales = np.ravel(curve.samplings_[1])
    means = pd.DataFrame(heights, columns=scales).groupby(features["architecture"], sort=False).mean()
    means = means.reset_index().melt("architecture", var_name="scale", value_name="betti")
    return features, means.astype({"scale": float})


def _giotto() -> tuple[Callable, Callable, Callable]:
    try:
        from gtda.diagrams import Amplitude, BettiCurve, PersistenceEntropy
    except ImportError:
        raise NotAvailableError(
            "Not computed: giotto-tda is not installed (pip install 'topomod[pipeline]')."
        ) from None
    return PersistenceEntropy, Amplitude, BettiCurve


def bottleneck_matrix(
    diagrams: pd.DataFrame, site: str, architectures: list[str], per_architecture: int = PER_ARCHITECTURE
) -> tuple[list[tuple[str, int]], Float[np.ndarray, "n n"]]:
    """Bottleneck distances (gudhi) between the H1 diagrams of some circuits' strongest groups.

    Returns
    -------
    circuits : list of (architecture, seed)
        The first few of each architecture, in its order.
    distances : ndarray
        (n, n) in rms units.
    """
    by_circuit = circuit_diagrams(diagrams, site)
    chosen = []
    for architecture in architectures:
        chosen += sorted(key for key in by_circuit if key[0] == architecture)[:per_architecture]
    distances = np.zeros((len(chosen), len(chosen)))
    for i, first in enumerate(chosen):
        for j in range(i):
            distances[i, j] = distances[j, i] = diagram_distance(by_circuit[first], by_circuit[chosen[j]])
    return [(architecture, seed) for architecture, seed, _ in chosen], distances
