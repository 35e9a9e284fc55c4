"""Persistence diagrams of many circuits: features, mean Betti curves, mean images, distances between circuits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from jaxtyping import Float

from topomod.study.diagram_features import NotAvailableError, padded
from topomod.study.tables import KEY, circuit_diagrams
from topomod.topology.diagrams import diagram_distance
from topomod.topology.persistence_images import persistence_images

MIN_CIRCUITS = 10  # below this the features' means say nothing
PER_ARCHITECTURE = 10  # circuits in the matrix of distances
AMPLITUDES = ("bottleneck", "wasserstein", "landscape", "betti", "heat")


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
            f"They were not computed. At least {MIN_CIRCUITS} circuits with an H1 diagram are needed, "
            f"and there are {len(by_circuit)}."
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
            "They were not computed, because giotto-tda is not installed (pip install 'topomod[pipeline]')."
        ) from None
    return PersistenceEntropy, Amplitude, BettiCurve


def mean_images(diagrams: pd.DataFrame, site: str) -> dict[str, Float[np.ndarray, "height width"]]:
    """Mean persistence image of each architecture: H1 diagrams of the circuits' strongest groups, by persim.

    Circuits whose diagram is empty are left out, as from the mean Betti curves.

    References
    ----------
    arXiv 1507.06217.
    """
    by_circuit = circuit_diagrams(diagrams, site)
    images = persistence_images(list(by_circuit.values()))
    names = np.array([name for name, _, _ in by_circuit])
    return {str(name): images[names == name].mean(axis=0) for name in dict.fromkeys(names)}


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
