"""Features of H1 diagrams: one row per group and site, and what each group's bars add to its row.

They are computed by giotto-tda where it is installed, and by gudhi elsewhere: the numbers are the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float

from topomod.study.tables import KEY, read_tables

GROUP = [*KEY, "frequency"]
FEATURES = ("h1_entropy", "h1_betti", "h1_wasserstein")
# The Betti curve is sampled where alpha complexes of clouds of rms radius 1 have their bars.
SCALES = (0.0, 1.5)
N_SCALES = 100  # as giotto-tda samples by default


class NotAvailableError(RuntimeError):
    """What cannot be computed here; the message says why, for the reader."""


def padded(diagrams: list[np.ndarray]) -> Float[np.ndarray, "n pairs 3"]:
    """Diagrams as giotto-tda wants them: (birth, death, dimension) triples, padded on the diagonal."""
    stacked = np.zeros((len(diagrams), max(len(d) for d in diagrams), 3))
    stacked[:, :, 2] = 1
    for row, diagram in zip(stacked, diagrams, strict=True):
        row[: len(diagram), :2] = diagram
        row[len(diagram) :, :2] = diagram[0, 0]
    return stacked


def group_features(bars: pd.DataFrame) -> pd.DataFrame:
    """Persistent entropy, L2 norm of the Betti curve, 2-Wasserstein amplitude (L-infinity ground) of H1 diagrams.

    Parameters
    ----------
    bars : DataFrame
        Bars of one shard: circuit, frequency, site, dimension, birth, death.

    Returns
    -------
    DataFrame
        Circuit, frequency, site and one column per feature; groups without a bar have no row.

    References
    ----------
    arXiv 2004.02551.
    """
    columns = [*GROUP, "site"]
    kept = bars[(bars["dimension"] == 1) & np.isfinite(bars["death"])] if "dimension" in bars else bars
    if kept.empty:
        return pd.DataFrame(columns=[*columns, *FEATURES])
    grouped = list(kept.groupby(columns, sort=False))
    diagrams = [part[["birth", "death"]].to_numpy(float) for _, part in grouped]
    compute = features_by_giotto if find_spec("gtda") else features_by_gudhi
    table = pd.DataFrame([key for key, _ in grouped], columns=columns)
    table[list(FEATURES)] = compute(diagrams)
    return table


def features_by_giotto(diagrams: list[np.ndarray]) -> Float[np.ndarray, "n 3"]:
    """The features of each diagram, none of them empty, in the order of ``FEATURES``."""
    from gtda.diagrams import Amplitude, PersistenceEntropy

    stacked = padded(diagrams)
    frame = np.array([[[*SCALES, 1.0]]])  # fitted to this, a circuit has one value in any shard
    features = (PersistenceEntropy(), Amplitude("betti"), Amplitude("wasserstein"))
    return np.hstack([feature.fit(frame).transform(stacked) for feature in features])


def features_by_gudhi(diagrams: list[np.ndarray]) -> Float[np.ndarray, "n 3"]:
    """What :func:`features_by_giotto` gives, for versions of Python and NumPy that giotto-tda does not know."""
    from gudhi.representations import BettiCurve, Entropy

    scales = np.linspace(*SCALES, N_SCALES)
    entropy = Entropy(mode="scalar").fit_transform(diagrams)[:, 0] / np.log(2)  # bits
    curves = BettiCurve(predefined_grid=scales).fit_transform(diagrams)
    betti = np.linalg.norm(curves, axis=1) * np.sqrt(scales[1] - scales[0])
    wasserstein = [np.linalg.norm(np.diff(diagram, axis=1) / 2) for diagram in diagrams]
    return np.column_stack([entropy, betti, wasserstein])


def add_features(homology: pd.DataFrame, paths: Iterable[Path]) -> pd.DataFrame:
    """Homology rows with the features of their diagrams, read shard by shard; 0 where a group has no bar."""
    if homology.empty:
        return homology
    filled = [part for path in paths if len(part := group_features(read_tables([path])))]
    if not filled:
        return homology.assign(**dict.fromkeys(FEATURES, 0.0))
    merged = homology.merge(pd.concat(filled, ignore_index=True), on=[*GROUP, "site"], how="left")
    merged[list(FEATURES)] = merged[list(FEATURES)].fillna(0.0)
    return merged
