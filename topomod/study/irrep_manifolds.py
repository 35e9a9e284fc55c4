"""Manifolds of power networks: a neuron group has one irrep, or one frequency where two numbers are added."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from topomod.networks.circuit import Circuit
from topomod.neurons.irrep_groups import irrep_groups
from topomod.neurons.sites import layer_cloud, studied_sites
from topomod.study.groups import first_layer
from topomod.study.rows import identity, verdict_columns
from topomod.tasks.irreps import Irrep, real_irreps
from topomod.tasks.task import FiniteGroup
from topomod.topology.classify import MIN_DISTINCT, classify_manifold
from topomod.topology.verdict import empty_verdict

COLUMNS = ("group", "architecture", "seed", "step", "irrep", "real_dimension", "n_neurons", "site", "label")


def margin_manifold_rows(circuits: Sequence[Circuit], min_neurons: int, seed: int = 0) -> pd.DataFrame:
    """One row for each neuron group and site of power networks that learnt a finite group or add two numbers.

    Clouds of cyclic groups are labelled in the order of the elements' powers, as those of modular addition are. Other
    finite groups have no such order, and their clouds are labelled without one. Irreps of dimension 1 take two values:
    they have no manifold, and no row.

    Parameters
    ----------
    circuits : sequence of Circuit
        ``power_mlp`` or ``relu_mlp``. Networks of parities or of more than two inputs have no rows.
    min_neurons : int
        Smaller groups are left out.
    seed : int
        As in :func:`topomod.classify_manifold`.

    Returns
    -------
    DataFrame
        :data:`COLUMNS`, then those of the label.
    """
    rows = []
    for circuit in circuits:
        task = circuit.task.finite_group
        if task is None:
            continue
        layer, irreps = first_layer(circuit), {irrep.name: irrep for irrep in real_irreps(task)}
        for group in irrep_groups(circuit, min_neurons):
            irrep = irreps[group.irrep]
            for site in studied_sites() if irrep.real_dimension > 1 else ():
                verdict = _verdict(layer_cloud(layer, group, site), task, irrep, site, seed)
                own = {"irrep": irrep.name, "real_dimension": irrep.real_dimension, "n_neurons": len(group.neurons)}
                rows.append({"group": task.name} | identity(circuit) | own | {"site": site} | verdict)
    # the share of one frequency needs an order of the elements, which most finite groups do not have
    return pd.DataFrame(rows).drop(columns="share") if rows else pd.DataFrame(columns=list(COLUMNS))


def _verdict(cloud: np.ndarray, task: FiniteGroup, irrep: Irrep, site: str, seed: int) -> dict[str, Any]:
    kernel = int(np.sum(irrep.character > irrep.real_dimension - 1e-6))
    image = task.order // kernel  # matrices that the irrep takes; the logits depend on the product alone
    points = image if site == "logits" else image**2
    if points < MIN_DISTINCT:
        return verdict_columns(empty_verdict("uncertain", f"only {points} distinct points", points))
    cyclic = task.cyclic and task.order >= 5
    with warnings.catch_warnings():
        # a small finite group has fewer pairs than neurons: its matrix is not transposed
        warnings.filterwarnings("ignore", "X has .* is it transposed", UserWarning)
        return verdict_columns(classify_manifold(cloud, p=task.order if cyclic else None, seed=seed))


def manifold_summary(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """What the groups of each architecture look like, irrep by irrep, with all frequencies of a cyclic group together.

    Returns
    -------
    list of dict
        ``architecture``, ``irrep``, its ``dimension``, ``groups``, ``circuits``, and for each site ``labels`` (label
        to its number of groups), the commonest ``betti`` numbers and their number ``n_betti``, the median ``rank``,
        and the commonest ``reason`` of those that are uncertain or other.
    """
    if rows.empty:
        return []
    found = []
    kind = rows["irrep"].mask(rows["group"].str.fullmatch("C[0-9]+"), "all frequencies")
    for (architecture, irrep), own in rows.groupby(["architecture", kind], sort=False):
        row: dict[str, Any] = {"architecture": architecture, "irrep": irrep}
        row |= {"dimension": int(own["real_dimension"].iloc[0]), "circuits": own["seed"].nunique()}
        sites = {str(site): _site_summary(part) for site, part in own.groupby("site", sort=False)}
        found.append(row | {"groups": len(own) // len(sites), "sites": sites})
    return found


def _site_summary(rows: pd.DataFrame) -> dict[str, Any]:
    betti = rows[["betti_0", "betti_1", "betti_2"]].astype(int).value_counts()
    reasons = rows.loc[rows["reason"] != "", "reason"].map(lambda reason: reason.partition(";")[0]).value_counts()
    return {
        "labels": rows["label"].value_counts().to_dict(),
        "betti": betti.index[0],
        "n_betti": int(betti.iloc[0]),
        "rank": int(rows["rank"].median()),
        "reason": reasons.index[0] if len(reasons) else "",
    }
