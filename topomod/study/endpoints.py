"""The stage endpoints: one value per circuit and endpoint."""

from __future__ import annotations

import numpy as np
import pandas as pd

from topomod.study.endpoint_catalogue import ENDPOINTS, Endpoint
from topomod.study.tables import KEY


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
