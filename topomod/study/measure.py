"""The stage measure: tables of a shard of networks that are described, not compared."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from topomod.networks.architectures import ARCHITECTURES, resolve
from topomod.networks.circuit import Circuit
from topomod.study.systems import MEASURED_TABLES, SYSTEMS


def measure_circuits(circuits: Sequence[Circuit], min_neurons: int = 10) -> dict[str, pd.DataFrame]:
    """Measure circuits of one shard.

    Parameters
    ----------
    circuits : sequence of Circuit
        All of one architecture.
    min_neurons : int
        Smaller neuron groups have no manifold.

    Returns
    -------
    dict
        The tables of :data:`topomod.study.systems.MEASURED_TABLES`: one row per circuit, per live neuron of a power
        network, per irrep of one that learnt a finite group, per neuron group and site of one of two inputs, and per
        step and per component of the scores of a transformer. Tables that a system does not have are empty.

    Raises
    ------
    ValueError
        For an architecture that is compared by the other stages.
    """
    system = SYSTEMS[ARCHITECTURES[circuits[0].architecture].system]
    if not system.measures:
        stages = " and ".join(stage.name for stage in system.shard_stages)
        raise ValueError(f"{circuits[0].label} is measured by the stages {stages}")
    empty = pd.DataFrame({"architecture": pd.Series(dtype=str), "seed": pd.Series(dtype=int)})
    found = {name: resolve(table)(circuits, min_neurons) for name, table in system.measures.items()}
    return dict.fromkeys(MEASURED_TABLES, empty) | {name: table for name, table in found.items() if table is not None}
