"""One example per architecture: the circuit nearest the middle of its population, its largest group, clouds, bars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from topomod.networks.circuit import Circuit
from topomod.neurons.groups import NeuronGroup
from topomod.neurons.layers import Layer
from topomod.study.config import Study
from topomod.study.population import StudyTables, endpoint_matrix, read_diagrams
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


@dataclass(frozen=True)
class Middle:
    """The circuit of an architecture that is nearest the middle of its population, and its largest group.

    Parameters
    ----------
    circuit : Circuit
        The network.
    layer : Layer
        Its first layer.
    group : NeuronGroup
        The largest first-order group of that layer.
    n_circuits : int
        Circuits among which it was chosen.
    """

    circuit: Circuit
    layer: Layer
    group: NeuronGroup
    n_circuits: int


def choose_circuit(circuits: pd.DataFrame, groups: pd.DataFrame, matrix: pd.DataFrame) -> dict[str, Any] | None:
    """Row of the circuit nearest the middle of those that have a group; None without any.

    Converged circuits come first. The distance from the middle is the mean over endpoints of squared differences from
    the median, each in units of its median absolute deviation; the first seed is taken where several are as near.

    Parameters
    ----------
    circuits, groups : DataFrame
        Of one architecture.
    matrix : DataFrame
        From :func:`topomod.study.population.endpoint_matrix`; circuits that it does not have come last.
    """
    if groups.empty:
        return None
    grouped = circuits.merge(groups[KEY].drop_duplicates(), on=KEY)
    if grouped.empty:
        return None
    kept = grouped[grouped["converged"].astype(bool)]
    kept = kept if len(kept) else grouped
    values = kept[KEY].merge(matrix.drop(columns="converged", errors="ignore"), on=KEY, how="left").drop(columns=KEY)
    away = (values - values.median()).abs()
    spread = away.median().where(lambda column: column > 0)
    distance = ((away / spread) ** 2).mean(axis=1).fillna(np.inf)
    order = kept.assign(distance=distance.to_numpy()).sort_values(["distance", "seed"], kind="stable")
    return {str(name): value for name, value in order.iloc[0].items()} | {"n_circuits": len(kept)}


def read_middles(folder: StudyFolder, study: Study, tables: StudyTables) -> dict[str, Middle]:
    """The circuit nearest the middle of each architecture that has a group and a file of circuits."""
    matrix = endpoint_matrix(tables.endpoints)
    found = {}
    for name in study.architectures:
        circuits, groups = (table[table["architecture"] == name] for table in (tables.circuits, tables.groups))
        row = choose_circuit(circuits, groups, matrix[matrix["architecture"] == name])
        shard = None if row is None else _shard_of(folder, study, name, int(row["seed"]))
        if row is not None and shard is not None:
            found[name] = _middle(shard, row, study.min_neurons)
    return found


def _shard_of(folder: StudyFolder, study: Study, architecture: str, seed: int) -> Path | None:
    for shard in study.shards():
        if str(shard.label) == architecture and seed in shard.seeds:
            path = folder.population(shard)
            return path if (path / CIRCUITS).is_file() else None
    return None


def _middle(shard: Path, row: dict[str, Any], min_neurons: int) -> Middle:
    from topomod.networks.circuit_file import load_circuits
    from topomod.study.groups import first_layer, first_order_groups

    (circuit,) = (c for c in load_circuits(shard / CIRCUITS) if c.seed == row["seed"])
    layer = first_layer(circuit)
    group = max(first_order_groups(layer, min_neurons), key=lambda g: len(g.neurons))
    return Middle(circuit, layer, group, row["n_circuits"])


def read_examples(folder: StudyFolder, study: Study, middles: Mapping[str, Middle]) -> list[Example]:
    """One example per architecture, with the bars of its diagrams."""
    return [_example(folder, study, name, middle) for name, middle in middles.items()]


def _example(folder: StudyFolder, study: Study, name: str, middle: Middle) -> Example:
    from topomod.neurons.sites import layer_cloud, studied_sites

    circuit, group = middle.circuit, middle.group
    parts = {site: principal_components(layer_cloud(middle.layer, group, site)) for site in studied_sites(middle.layer)}
    shard = _shard_of(folder, study, name, int(circuit.seed or 0))
    key = {"architecture": name, "seed": circuit.seed, "step": circuit.step, "frequency": group.frequency}
    paths = [] if shard is None else [shard / "diagrams.parquet"]
    bars = read_diagrams(paths, pd.DataFrame([key]), min_dimension=0)
    return Example(
        architecture=name,
        seed=int(circuit.seed or 0),
        step=int(circuit.step),
        frequency=int(group.frequency),
        n_neurons=len(group.neurons),
        converged=bool(circuit.converged),
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
