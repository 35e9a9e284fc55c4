"""From tables of groups to one value per circuit and endpoint, and from those to verdicts."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from topomod.endpoints import ENDPOINTS, Endpoint
from topomod.equivalence import EquivalenceResult, adjust_family, equivalence_test
from topomod.files import atomic_path

KEY = ["architecture", "seed", "step"]


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write Parquet that is complete or not there."""
    with atomic_path(path) as temporary:
        table.to_parquet(temporary, index=False)


def read_tables(paths: Iterable[Path]) -> pd.DataFrame:
    """Read and stack Parquet tables.

    Raises
    ------
    ValueError
        If a file is no complete Parquet table.
    """
    from pyarrow import ArrowInvalid

    tables = []
    for path in paths:
        try:
            tables.append(pd.read_parquet(path))
        except (ArrowInvalid, OSError) as error:
            raise ValueError(f"{path} is corrupt or missing ({error}); delete it and run again") from error
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else tables[0]


def circuit_endpoints(circuits: pd.DataFrame, groups: pd.DataFrame, homology: pd.DataFrame) -> pd.DataFrame:
    """One value per circuit and endpoint, in long form.

    Values of groups are averaged over a circuit's groups, weighted by their neurons. A circuit without groups
    has NaN, which is counted and left out of tests.

    Returns
    -------
    DataFrame
        Columns architecture, seed, step, converged, endpoint, value.
    """
    tables = {"circuits": circuits, "groups": groups, "homology": homology}
    parts = []
    for name, endpoint in ENDPOINTS.items():
        values = _endpoint_values(endpoint, tables[endpoint.table])
        part = circuits[[*KEY, "converged"]].merge(values, on=KEY, how="left")
        parts.append(part.assign(endpoint=name))
    return pd.concat(parts, ignore_index=True)


def _endpoint_values(endpoint: Endpoint, table: pd.DataFrame) -> pd.DataFrame:
    if endpoint.column not in table:
        return pd.DataFrame(columns=[*KEY, "value"]).astype({"seed": "int64", "step": "int64", "value": float})
    if endpoint.site is not None:
        table = table[table["site"] == endpoint.site]
    values = table[endpoint.column]
    values = (values == endpoint.equals).astype(float) if endpoint.equals else values.astype(float)
    rows = table[KEY].assign(value=values)
    if endpoint.table == "circuits":
        return rows
    rows["weight"] = table["n_neurons"]
    rows = rows.dropna()  # an endpoint that a group does not have, such as winding at a frequency without inverse
    rows["value"] *= rows["weight"]
    sums = rows.groupby(KEY, as_index=False)[["value", "weight"]].sum(min_count=1)
    return sums.assign(value=sums["value"] / sums["weight"])[[*KEY, "value"]]


def summarise(endpoints: pd.DataFrame, alpha: float = 0.05) -> pd.DataFrame:
    """Mean over converged circuits with a t interval of level 1 - alpha, per architecture, step and endpoint."""
    from scipy.stats import t

    def row(values: pd.Series) -> pd.Series:
        kept = values.dropna()
        n = len(kept)
        sd = float(kept.std(ddof=1)) if n > 1 else float("nan")
        half = float(t.ppf(1 - alpha / 2, n - 1)) * sd / np.sqrt(n) if n > 1 else float("nan")
        mean = float(kept.mean()) if n else float("nan")
        return pd.Series({"n": n, "mean": mean, "sd": sd, "ci_low": mean - half, "ci_high": mean + half})

    kept = endpoints[endpoints["converged"]]
    grouped = kept.groupby(["architecture", "endpoint"], sort=False)["value"]
    return grouped.apply(row).unstack().reset_index().astype({"n": int})


def verdict_table(endpoints: pd.DataFrame, settings: dict[str, Any], seed: int = 0) -> pd.DataFrame:
    """Every pair of architectures on every endpoint, and both controls.

    Tests are adjusted by Holm within one pair and one statement. Only converged circuits count.

    Parameters
    ----------
    endpoints : DataFrame
        From :func:`circuit_endpoints`.
    settings : dict
        ``architectures``, ``alpha``, ``margins``, ``positive_control``, ``negative_control`` of the study.
    seed : int
        For the resampling.

    Returns
    -------
    DataFrame
        One row per comparison and endpoint.
    """
    kept = endpoints[endpoints["converged"] & endpoints["value"].notna()]
    rows = []
    for role, x_name, y_name in comparisons(settings):
        x_rows, y_rows = _sample(kept, x_name), _sample(kept, y_name)
        for name, endpoint in ENDPOINTS.items():
            x = x_rows.loc[x_rows["endpoint"] == name, "value"].to_numpy()
            y = y_rows.loc[y_rows["endpoint"] == name, "value"].to_numpy()
            declared = settings["margins"][name]
            rows.append(
                {"role": role, "x": x_name, "y": y_name, "statement": endpoint.statement, "endpoint": name}
                | {"title": endpoint.title, "margin_reason": declared["reason"]}
                | _test_row(x, y, declared["margin"], settings["alpha"], seed, endpoint.bounds)
            )
    if not rows:
        return pd.DataFrame(columns=["role", "x", "y", "statement", "endpoint", "verdict"])
    return adjust_family(pd.DataFrame(rows), ["x", "y", "statement"], settings["alpha"])


def comparisons(settings: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Role and names of all comparisons; ``name#even`` and ``name#odd`` are halves of one architecture."""
    positive = set(settings["positive_control"] or ())
    pairs = [
        ("positive control" if positive == {x, y} else "pair", x, y)
        for x, y in combinations(settings["architectures"], 2)
    ]
    half = settings["negative_control"]
    return [*pairs, ("negative control", f"{half}#even", f"{half}#odd")] if half else pairs


def _sample(endpoints: pd.DataFrame, name: str) -> pd.DataFrame:
    label, _, half = name.partition("#")
    rows = endpoints[endpoints["architecture"] == label]
    return rows if not half else rows[rows["seed"] % 2 == (half == "odd")]


def _test_row(
    x: np.ndarray,
    y: np.ndarray,
    margin: float,
    alpha: float,
    seed: int,
    bounds: tuple[float, float] | None,
) -> dict[str, Any]:
    means = {"mean_x": x.mean() if len(x) else np.nan, "mean_y": y.mean() if len(y) else np.nan}
    try:
        result = equivalence_test(x, y, margin, alpha=alpha, seed=seed, bounds=bounds)
    except ValueError as error:
        empty = dict.fromkeys(EquivalenceResult.__dataclass_fields__, np.nan)
        known = {"margin": margin, "alpha": alpha, "n_x": len(x), "n_y": len(y), "verdict": "inconclusive"}
        return means | empty | known | {"method": "none", "note": str(error)}
    return means | vars(result) | {"note": ""}
