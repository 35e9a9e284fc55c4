"""A finished study read back: its tables, and what is said of whole populations of circuits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float

from topomod.statistics.intervals import share_interval
from topomod.study.config import Study
from topomod.study.endpoint_catalogue import ENDPOINTS
from topomod.study.looks import at_look, stopped_at
from topomod.study.shards import StudyFolder
from topomod.study.tables import KEY, empty_table, read_tables

LABELS = ("disc", "circle", "torus", "other", "uncertain")


@dataclass(frozen=True)
class StudyTables:
    """Tables of a finished study.

    Parameters
    ----------
    endpoints, summary, verdicts, answers, looks, power : DataFrame
        Of the whole study, at the look at which it stopped.
    circuits, groups, phases, homology : DataFrame
        Of the population: one row per circuit, group, neuron, and group and site.
    diagrams : DataFrame
        Bars of each circuit's strongest group: site, dimension (1 and up), birth, death in rms units.
    maturity_circuits, maturity_groups, maturity_homology : DataFrame
        The same tables of the circuits that were followed; a circuit occurs once per step. Empty if none was.
    missing : tuple of str
        Tables of the equivalence stage that are not there. They are empty here.
    """

    endpoints: pd.DataFrame
    summary: pd.DataFrame
    verdicts: pd.DataFrame
    answers: pd.DataFrame
    looks: pd.DataFrame
    power: pd.DataFrame
    circuits: pd.DataFrame
    groups: pd.DataFrame
    phases: pd.DataFrame
    homology: pd.DataFrame
    diagrams: pd.DataFrame
    maturity_circuits: pd.DataFrame
    maturity_groups: pd.DataFrame
    maturity_homology: pd.DataFrame
    missing: tuple[str, ...] = ()


def load_tables(folder: StudyFolder, study: Study) -> StudyTables:
    """Read the tables of the shards that a study had when it stopped; other shards in the folder are left alone.

    Raises
    ------
    FileNotFoundError
        If the equivalence stage has not run: none of its tables is there.
    ValueError
        If a shard's table is missing or corrupt; the message names it.
    """
    missing = tuple(name for name in study.system.tables if not folder.table(name).is_file())
    if len(missing) == len(study.system.tables):
        raise FileNotFoundError(f"no {missing[0]}.parquet in {folder.root}; run the equivalence stage first")
    followed = [folder.maturity(shard) for shard in study.maturity_shards()]
    own = {
        name: empty_table(name) if name in missing else read_tables([folder.table(name)])
        for name in study.system.tables
    }
    study = at_look(study, stopped_at(own["looks"], study))
    names = ("circuits", "groups", "phases", "homology")
    tables = {name: read_tables(folder.shard_tables(name, study.shards())) for name in names}
    longer = {f"maturity_{name}": _read_or_empty(followed, name) for name in ("circuits", "groups", "homology")}
    diagrams = folder.shard_tables("diagrams", study.shards())
    bars = read_diagrams(diagrams, strongest_groups(tables["groups"]))
    return StudyTables(**own, **tables, **longer, diagrams=bars, missing=missing)


def _read_or_empty(shards: Sequence[Path], name: str) -> pd.DataFrame:
    if not shards:
        return pd.DataFrame(columns=[*KEY])
    return read_tables(shard / f"{name}.parquet" for shard in shards)


def strongest_groups(groups: pd.DataFrame) -> pd.DataFrame:
    """Each circuit's group with most neurons: architecture, seed, step, frequency."""
    if groups.empty:
        return pd.DataFrame(columns=[*KEY, "frequency"])
    ordered = groups.sort_values(["n_neurons", "power"], kind="stable")
    return ordered.groupby(KEY, sort=False).tail(1)[[*KEY, "frequency"]].sort_values(KEY, ignore_index=True)


def read_diagrams(paths: Iterable[Path], strongest: pd.DataFrame, min_dimension: int = 1) -> pd.DataFrame:
    """Bars of some groups, shard by shard: all bars of a large population at once would not fit in memory."""
    parts = []
    for path in paths:
        table = read_tables([path])
        if "dimension" not in table or strongest.empty:
            continue
        table = table[table["dimension"] >= min_dimension]
        parts.append(table.merge(strongest, on=[*KEY, "frequency"]))
    filled = [part for part in parts if len(part)]
    columns = [*KEY, "frequency", "site", "dimension", "birth", "death"]
    return pd.concat(filled, ignore_index=True)[columns] if filled else pd.DataFrame(columns=columns)


def converged_rows(table: pd.DataFrame, circuits: pd.DataFrame) -> pd.DataFrame:
    """Rows of a table that belong to converged circuits."""
    if table.empty:
        return table
    return table.merge(circuits.loc[circuits["converged"].astype(bool), KEY], on=KEY)


def label_shares(homology: pd.DataFrame, circuits: pd.DataFrame, alpha: float = 0.05) -> pd.DataFrame:
    """Share of each label per architecture and site, with intervals over circuits.

    Returns
    -------
    DataFrame
        Columns architecture, site, label, n_circuits, n_groups, mean (over circuits, of the share of a circuit's
        groups), ci_low, ci_high. Only converged circuits with a group count.
    """
    columns = ["architecture", "site", "label", "n_circuits", "n_groups", "mean", "ci_low", "ci_high"]
    kept = converged_rows(homology, circuits)
    rows = []
    for (architecture, site), part in kept.groupby(["architecture", "site"], sort=False):
        counts = part.groupby([*KEY, "label"]).size().unstack("label", fill_value=0)
        counts = counts.reindex(columns=list(LABELS), fill_value=0)
        shares = counts.div(counts.sum(axis=1), axis=0)
        for label in LABELS:
            low, high = share_interval(shares[label].to_numpy(), alpha)
            size = (len(shares), int(counts[label].sum()))
            rows.append((architecture, site, label, *size, float(shares[label].mean()), low, high))
    return pd.DataFrame(rows, columns=columns).sort_values("site", ascending=False, kind="stable", ignore_index=True)


def group_means(groups: pd.DataFrame, circuits: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Per circuit, averages of columns over its groups weighted by their neurons; NaN without a group."""
    rows = circuits[KEY].reset_index(drop=True)
    if groups.empty:
        return rows.assign(**dict.fromkeys(columns, np.nan))
    weights = groups["n_neurons"]
    weighted = groups[KEY].assign(weight=weights, **{name: groups[name] * weights for name in columns})
    sums = weighted.groupby(KEY, as_index=False)[["weight", *columns]].sum()
    sums[list(columns)] = sums[list(columns)].div(sums["weight"], axis=0)
    return rows.merge(sums.drop(columns="weight"), on=KEY, how="left")


def endpoint_matrix(endpoints: pd.DataFrame) -> pd.DataFrame:
    """One row per circuit, one column per endpoint, in the order of their definition."""
    index = [*KEY, "converged"]
    wide = endpoints.pivot(index=index, columns="endpoint", values="value")
    ordered = wide[[name for name in ENDPOINTS if name in wide]]
    order = {name: i for i, name in enumerate(endpoints["architecture"].unique())}
    return ordered.reset_index().sort_values(
        KEY, key=lambda column: column.map(order) if column.name == "architecture" else column, ignore_index=True
    )


def phase_density(phases: pd.DataFrame, p: int) -> Float[np.ndarray, "p p"]:
    """Phase alignment distribution of some circuits over (a, b), times p^2 so that 1 is uniform.

    Every circuit has the same weight: a draw is a random circuit, then a random neuron of its groups.
    """
    density = np.zeros((p, p))
    if len(phases):
        weights = 1 / phases.groupby(KEY)["a"].transform("size")
        np.add.at(density, (phases["a"].to_numpy(int), phases["b"].to_numpy(int)), weights.to_numpy(float))
        density /= density.sum()
    return density * p**2
