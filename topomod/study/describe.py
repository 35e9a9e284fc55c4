"""The stage describe: means and intervals of measures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from topomod.statistics.intervals import mean_interval, share_interval
from topomod.study.config import Population
from topomod.study.measure_catalogue import MEASURES, UNIT, Measure
from topomod.study.shards import StudyFolder
from topomod.study.stored import check_stored
from topomod.study.tables import read_tables

UNTRAINED = "_untrained"  # ends the name of a measure of networks with new random weights


def measure_table(circuits: pd.DataFrame, alpha: float = 0.05) -> pd.DataFrame:
    """Mean and interval of every measure over converged circuits, per architecture.

    The interval is a t interval. For shares it is cut to [0, 1]; where all are 0 or all are 1, it is an interval that
    holds for any distribution. A measure that is the same for every circuit has no interval.

    Parameters
    ----------
    circuits : DataFrame
        One row per circuit: architecture, converged, and some columns of :data:`MEASURES`; a column
        ``<measure>_untrained`` is the same of networks with new random weights.
    alpha : float
        The interval has level 1 - alpha.

    Returns
    -------
    DataFrame
        Columns architecture, measure, title, n, mean, ci_low, ci_high, least, most, untrained (NaN if not known).
    """
    rows = []
    for architecture, own in circuits[circuits["converged"].astype(bool)].groupby("architecture", sort=False):
        for name, measure in MEASURES.items():
            if name not in own or own[name].isna().all():
                continue
            values = own[name].to_numpy(float)
            n, mean, low, high = _interval(values, measure, alpha)
            chance = float(own[name + UNTRAINED].mean()) if name + UNTRAINED in own else np.nan
            row = {"architecture": architecture, "measure": name, "title": measure.title, "n": n, "mean": mean}
            row |= {"ci_low": low, "ci_high": high, "least": np.nanmin(values), "most": np.nanmax(values)}
            rows.append(row | {"untrained": chance})
    columns = "architecture measure title n mean ci_low ci_high least most untrained".split()
    return pd.DataFrame(rows, columns=columns)


def _interval(values: np.ndarray, measure: Measure, alpha: float) -> tuple[int, float, float, float]:
    n, mean, low, high = mean_interval(values, alpha)
    if measure.constant:
        return n, mean, mean, mean
    if measure.bounds == UNIT:
        low, high = share_interval(values[~np.isnan(values)], alpha)
    return n, mean, low, high


def describe_study(folder: StudyFolder, population: Population, alpha: float) -> tuple[pd.DataFrame, int]:
    """:func:`measure_table` of a study's shards, and the number of its circuits.

    Raises
    ------
    ValueError
        If circuits were trained by other settings, or a table is missing or corrupt.
    """
    check_stored(folder, population)
    found = read_tables(folder.shard_tables("measures", population.shards()))
    return measure_table(found, alpha), len(found)


def measure_rows(table: pd.DataFrame, architectures: Sequence[str]) -> list[dict[str, Any]]:
    """Rows for display: title, and the cell of each architecture that has the measure."""
    found = []
    for name in (name for name in MEASURES if name in set(table["measure"])):
        own = table[table["measure"] == name].set_index("architecture")
        cells = {label: own.loc[label].to_dict() for label in architectures if label in own.index}
        found.append({"name": name, "title": MEASURES[name].title, "cells": cells})
    return found
