"""One example per architecture: the largest group of one circuit, its clouds and its bars."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from topomod.study.config import Study
from topomod.study.population import read_diagrams
from topomod.study.shards import CIRCUITS, StudyFolder
from topomod.study.tables import KEY
from topomod.topology.principal_components import principal_axes

BARS_SHOWN = 150  # longest bars per dimension of a drawn diagram


@dataclass(frozen=True)
class Example:
    """The largest group of one circuit.

    Parameters
    ----------
    architecture : str
        Its label.
    seed, step, frequency, n_neurons : int
        Which circuit and group.
    converged : bool
        False only if no circuit of the architecture converged.
    clouds : dict of ndarray
        Per site (p * p, 3): principal components, whole cloud at unit rms.
    explained : dict of ndarray
        Per site, shares of variance of the three components.
    bars : DataFrame
        Longest bars: site, dimension, birth, death.
    """

    architecture: str
    seed: int
    step: int
    frequency: int
    n_neurons: int
    converged: bool
    clouds: dict[str, np.ndarray]
    explained: dict[str, np.ndarray]
    bars: pd.DataFrame


def principal_components(
    cloud: Float[np.ndarray, "n k"], n_components: int = 3
) -> tuple[Float[np.ndarray, "n c"], Float[np.ndarray, " c"]]:
    """Scores of the first components, whole cloud at unit rms, and their shares of variance; padded with 0."""
    centred = np.asarray(cloud, np.float64) - cloud.mean(axis=0)
    variances, axes = principal_axes(centred, n_components)
    total = float(np.sum(centred**2))
    scores, shares = np.zeros((len(cloud), n_components)), np.zeros(n_components)
    if total > 0:
        scores[:, : len(variances)] = centred @ axes / np.sqrt(total / len(cloud))
        shares[: len(variances)] = variances / total
    return scores, shares


def choose_circuit(circuits: pd.DataFrame, groups: pd.DataFrame) -> dict[str, Any] | None:
    """Row of the first converged circuit with a group (else the first with a group), None without any."""
    if groups.empty:
        return None
    grouped = circuits.merge(groups[KEY].drop_duplicates(), on=KEY)
    if grouped.empty:
        return None
    first = grouped.sort_values(["converged", "seed"], ascending=[False, True], kind="stable").iloc[0]
    return {str(name): value for name, value in first.items()}


def read_examples(folder: StudyFolder, study: Study, circuits: pd.DataFrame, groups: pd.DataFrame) -> list[Example]:
    """One example per architecture that has a group."""
    examples = []
    for architecture in study.architectures:
        row = choose_circuit(
            circuits[circuits["architecture"] == architecture], groups[groups["architecture"] == architecture]
        )
        shard = None if row is None else _shard_of(folder, study, architecture, int(row["seed"]))
        if row is not None and shard is not None:
            examples.append(_example(shard, row, study.min_neurons))
    return examples


def _shard_of(folder: StudyFolder, study: Study, architecture: str, seed: int) -> Path | None:
    for shard in study.shards():
        if str(shard.label) == architecture and seed in shard.seeds:
            path = folder.population(shard)
            return path if (path / CIRCUITS).is_file() else None
    return None


def _example(shard: Path, row: dict[str, Any], min_neurons: int) -> Example:
    from topomod.networks.circuit_file import load_circuits
    from topomod.neurons.sites import layer_cloud, studied_sites
    from topomod.study.groups import first_layer, first_order_groups

    found = [c for c in load_circuits(shard / CIRCUITS) if c.seed == row["seed"]]
    layer = first_layer(found[0])
    group = max(first_order_groups(layer, min_neurons), key=lambda g: len(g.neurons))
    parts = {site: principal_components(layer_cloud(layer, group, site)) for site in studied_sites(layer)}
    key = {name: row[name] for name in KEY} | {"frequency": group.frequency}
    bars = read_diagrams([shard / "diagrams.parquet"], pd.DataFrame([key]), min_dimension=0)
    return Example(
        architecture=str(row["architecture"]),
        seed=int(row["seed"]),
        step=int(row["step"]),
        frequency=int(group.frequency),
        n_neurons=len(group.neurons),
        converged=bool(row["converged"]),
        clouds={site: scores.astype(np.float32) for site, (scores, _) in parts.items()},
        explained={site: shares for site, (_, shares) in parts.items()},
        bars=longest_bars(bars),
    )


def longest_bars(bars: pd.DataFrame, count: int = BARS_SHOWN) -> pd.DataFrame:
    """Longest bars per site and dimension; a bar that never dies is the longest."""
    if bars.empty:
        return bars
    ordered = bars.assign(length=bars["death"] - bars["birth"]).sort_values("length", ascending=False)
    return ordered.groupby(["site", "dimension"], sort=False).head(count).drop(columns="length")
