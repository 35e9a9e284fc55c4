"""Features of H1 diagrams by giotto-tda: one row per group and site, and what each group's bars add to its row."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float

from topomod.study.tables import KEY, read_tables

GROUP = [*KEY, "frequency"]
FEATURES = ("h1_entropy", "h1_betti", "h1_wasserstein")
# The Betti curve is sampled where alpha complexes of clouds of rms radius 1 have their bars.
SCALES = (0.0, 1.5)


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

    Raises
    ------
    NotAvailableError
        If giotto-tda is not installed.

    References
    ----------
    arXiv 2004.02551.
    """
    columns = [*GROUP, "site"]
    kept = bars[(bars["dimension"] == 1) & np.isfinite(bars["death"])] if "dimension" in bars else bars
    if kept.empty:
        return pd.DataFrame(columns=[*columns, *FEATURES])
    try:
        from gtda.diagrams import Amplitude, PersistenceEntropy
    except ImportError:
        raise NotAvailableError("giotto-tda is not installed (pip install 'topomod[pipeline]')") from None
    grouped = list(kept.groupby(columns, sort=False))
    stacked = padded([part[["birth", "death"]].to_numpy(float) for _, part in grouped])
    frame = np.array([[[*SCALES, 1.0]]])  # fitted to this, a circuit has one value in any shard
    table = pd.DataFrame([key for key, _ in grouped], columns=columns)
    table["h1_entropy"] = PersistenceEntropy().fit(frame).transform(stacked)[:, 0]
    for metric in ("betti", "wasserstein"):
        table[f"h1_{metric}"] = Amplitude(metric).fit(frame).transform(stacked)[:, 0]
    return table


def add_features(homology: pd.DataFrame, paths: Iterable[Path]) -> pd.DataFrame:
    """Homology rows with the features of their diagrams, read shard by shard; 0 where a group has no bar.

    Without giotto-tda the rows come back as they are.
    """
    if homology.empty:
        return homology
    try:
        parts = [group_features(read_tables([path])) for path in paths]
    except NotAvailableError:
        return homology
    filled = [part for part in parts if len(part)]
    if not filled:
        return homology.assign(**dict.fromkeys(FEATURES, 0.0))
    merged = homology.merge(pd.concat(filled, ignore_index=True), on=[*GROUP, "site"], how="left")
    merged[list(FEATURES)] = merged[list(FEATURES)].fillna(0.0)
    return merged
