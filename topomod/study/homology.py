"""The stage homology: labels and diagrams of every group of a shard."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd

from topomod.networks.circuit import Circuit
from topomod.neurons.groups import NeuronGroup
from topomod.neurons.layers import Layer
from topomod.neurons.sites import ordered_cloud, studied_sites
from topomod.study.groups import first_layer, first_order_groups
from topomod.study.rows import identity, verdict_columns
from topomod.topology.classify import classify_manifold
from topomod.topology.verdict import ManifoldVerdict

STORED_PERSISTENCE = 0.02  # rms units; thousands of shorter bars come from the lattice of pairs, not from the shape


def analyse_homology(
    circuits: Iterable[Circuit], min_neurons: int, seed: int = 0, labelled: Callable[[], object] | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Labels and stored diagrams of every group at every studied site for one shard.

    Parameters
    ----------
    circuits : iterable of Circuit
        One shard.
    min_neurons : int
        Smaller first-order groups are left out.
    seed : int
        As in :func:`topomod.classify_manifold`.
    labelled : callable, optional
        Called after each cloud, to show how far the stage is.

    Returns
    -------
    labels : DataFrame
        One row per group and site.
    diagrams : DataFrame
        Bars of persistence at least ``STORED_PERSISTENCE``: site, dimension, birth, death in rms units.
    """
    verdicts, diagrams = [], []
    for circuit in circuits:
        if not circuit.is_finite():
            continue
        layer = first_layer(circuit)
        for group in first_order_groups(layer, min_neurons):
            for site in studied_sites(layer):
                verdict = label_group(layer, group, site, seed)
                key = identity(circuit) | {"frequency": group.frequency, "site": site}
                verdicts.append(key | {"n_neurons": len(group.neurons)} | verdict_columns(verdict, layer.symmetry))
                diagrams += [_bars(key, k, bars) for k, bars in enumerate(verdict.diagrams)]
                if labelled is not None:
                    labelled()
    columns = ["architecture", "seed", "step", "frequency", "site"]
    return (
        pd.DataFrame(verdicts) if verdicts else pd.DataFrame(columns=columns),
        pd.concat(diagrams, ignore_index=True) if diagrams else pd.DataFrame(columns=columns),
    )


def label_group(layer: Layer, group: NeuronGroup, site: str, seed: int) -> ManifoldVerdict:
    """Label the cloud of a group at a site."""
    cloud, n = ordered_cloud(layer, group, site)
    with warnings.catch_warnings():
        # one period of a cloud has fewer pairs than neurons where its frequency shares a factor with p
        warnings.filterwarnings("ignore", "X has .* is it transposed", UserWarning)
        return classify_manifold(cloud, p=n, seed=seed)


def _bars(key: dict[str, Any], dimension: int, bars: np.ndarray) -> pd.DataFrame:
    kept = bars[bars[:, 1] - bars[:, 0] >= STORED_PERSISTENCE]
    return pd.DataFrame(key | {"dimension": dimension, "birth": kept[:, 0], "death": kept[:, 1]})
