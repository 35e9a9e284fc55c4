"""The stage endpoints: one value per circuit and endpoint."""

from __future__ import annotations

import pandas as pd

from topomod.statistics.intervals import mean_interval
from topomod.study.config import Population
from topomod.study.diagram_features import add_features
from topomod.study.endpoint_catalogue import ENDPOINTS, Endpoint
from topomod.study.shards import StudyFolder
from topomod.study.stored import check_stored
from topomod.study.tables import KEY, read_tables


def read_endpoints(folder: StudyFolder, population: Population) -> pd.DataFrame:
    """:func:`circuit_endpoints` of a study's shards.

    Raises
    ------
    ValueError
        If circuits were trained by other settings, or a table is missing or corrupt.
    """
    check_stored(folder, population)
    names = ("circuits", "groups", "homology")
    circuits, groups, homology = (read_tables(folder.shard_tables(name, population.shards())) for name in names)
    homology = add_features(homology, folder.shard_tables("diagrams", population.shards()))
    return circuit_endpoints(circuits, groups, homology)


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
    rows = rows.dropna()  # a group may lack an endpoint, such as winding at a frequency without inverse
    rows["value"] *= rows["weight"]
    sums = rows.groupby(KEY, as_index=False)[["value", "weight"]].sum(min_count=1)
    return sums.assign(value=sums["value"] / sums["weight"])[[*KEY, "value"]]


def summarise(endpoints: pd.DataFrame, alpha: float = 0.05) -> pd.DataFrame:
    """Mean over converged circuits with a t interval of level 1 - alpha, per architecture, step and endpoint."""

    def row(values: pd.Series) -> pd.Series:
        n, mean, low, high = mean_interval(values.to_numpy(float), alpha)
        return pd.Series({"n": n, "mean": mean, "sd": values.std(ddof=1), "ci_low": low, "ci_high": high})

    kept = endpoints[endpoints["converged"]]
    if kept.empty:
        return pd.DataFrame(columns=["architecture", "endpoint", "n", "mean", "sd", "ci_low", "ci_high"])
    grouped = kept.groupby(["architecture", "endpoint"], sort=False)["value"]
    return grouped.apply(row).unstack().reset_index().astype({"n": int})
