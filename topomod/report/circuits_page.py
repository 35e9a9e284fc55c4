"""The page of a study's circuits: one row each, with its groups, to be sorted and filtered."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from topomod.neurons.sites import studied_sites
from topomod.report.pages import csv_link
from topomod.study.config import Study
from topomod.study.population import LABELS, StudyTables, group_means
from topomod.study.shards import StudyFolder
from topomod.study.tables import KEY

MOST_CIRCUITS = 2000  # a browser sorts a table of many more too slowly
MEASURES = {  # column of the table: heading, decimals
    "accuracy": ("accuracy on all pairs", 4),
    "n_groups": ("groups", 0),
    "disc_cka": ("CKA to disc", 3),
    "logit_circle_cka": ("CKA of group logits to circle", 3),
    "gradient_symmetricity": ("gradient symmetricity", 3),
    "distance_irrelevance": ("distance irrelevance", 3),
    "steering_share": ("answers that follow", 3),
}
OF_GROUPS = ("disc_cka", "logit_circle_cka")


def circuits(folder: StudyFolder, study: Study, tables: StudyTables) -> dict[str, Any]:
    """One row for each circuit of the population, with the rows of its groups."""
    table = circuit_table(study, tables)
    shown = table.head(MOST_CIRCUITS)
    own = {key: rows for key, rows in _groups(shown, tables).groupby(KEY, sort=False)}
    files = {
        (str(shard.label), seed): folder.population(shard) / "circuits.safetensors"
        for shard in study.shards()
        for seed in shard.seeds
    }
    rows: list[dict[str, Any]] = [{str(name): value for name, value in row.items()} for row in shown.to_dict("records")]
    for row in rows:
        row["groups"] = _group_rows(own.get(tuple(row[name] for name in KEY)))
        row["file"] = files.get((row["architecture"], row["seed"]), folder.root)
    return {
        "rows": rows,
        "n_circuits": len(table),
        "sites": studied_sites(),
        "labels": LABELS,
        "measures": {name: how for name, how in MEASURES.items() if shown[name].notna().any()},
        "csv": csv_link(table),
    }


def circuit_table(study: Study, tables: StudyTables) -> pd.DataFrame:
    """Outcome, measures and shapes of every circuit, in the order of the study's architectures and seeds."""
    circuits = tables.circuits.reindex(columns=[*tables.circuits.columns, *(set(MEASURES) - {*tables.circuits})])
    means = group_means(tables.groups, tables.circuits, OF_GROUPS)
    table = circuits.drop(columns=[*OF_GROUPS]).merge(means, on=KEY, how="left")
    for site in studied_sites():
        labels = tables.homology[tables.homology["site"] == site] if len(tables.homology) else tables.homology
        words = labels.groupby(KEY)["label"].agg(counted).rename(site) if len(labels) else pd.Series(name=site)
        table = table.merge(words, on=KEY, how="left") if len(words) else table.assign(**{site: ""})
    order = {name: place for place, name in enumerate(study.architectures)}
    columns = [*KEY, "converged", "reason", *MEASURES, *studied_sites()]
    table = table[columns].fillna(dict.fromkeys(["reason", *studied_sites()], ""))
    table = table.astype(dict.fromkeys(MEASURES, float))
    rank = table["architecture"].map(order)
    return table.assign(rank=rank).sort_values(["rank", "seed", "step"], ignore_index=True).drop(columns="rank")


def counted(labels: Iterable[str]) -> str:
    """How often each label occurs, in words.

    Examples
    --------
    >>> counted(["disc", "uncertain", "disc"])
    '2 disc, 1 uncertain'
    """
    found = list(labels)
    return ", ".join(f"{found.count(label)} {label}" for label in LABELS if label in found)


def _groups(shown: pd.DataFrame, tables: StudyTables) -> pd.DataFrame:
    """Groups of the circuits that are shown, with their label at each site."""
    if tables.groups.empty:
        return pd.DataFrame(columns=KEY)
    groups = shown[KEY].merge(tables.groups, on=KEY)
    if tables.homology.empty:
        return groups
    words = tables.homology.assign(
        words=[f"{a} ({b:.2f})" for a, b in zip(tables.homology["label"], tables.homology["confidence"], strict=True)]
    )
    wide = words.pivot(index=[*KEY, "frequency"], columns="site", values="words")
    return groups.merge(wide.reset_index(), on=[*KEY, "frequency"], how="left")


def _group_rows(groups: pd.DataFrame | None) -> list[dict[str, Any]]:
    """Rows of one circuit's groups, largest first."""
    if groups is None:
        return []
    ordered = groups.sort_values("n_neurons", ascending=False, kind="stable")
    ordered = ordered.reindex(columns=[*ordered.columns, *(set(studied_sites()) - {*ordered})])
    filled = ordered.fillna(dict.fromkeys(studied_sites(), "–"))
    return [{str(name): value for name, value in row.items()} for row in filled.to_dict("records")]
