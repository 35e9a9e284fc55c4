"""Tables of a shard of networks that are described, not compared: power networks, transformers over k tokens."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from topomod.networks.circuit import Circuit
from topomod.networks.labels import system_of
from topomod.study.irrep_manifolds import margin_manifold_rows
from topomod.study.power_mlp_tables import margin_circuit_rows, margin_irrep_rows, margin_neuron_rows
from topomod.study.sequence_tables import sequence_circuit_rows, sequence_curve_rows, sequence_score_rows
from topomod.tasks.finite_group import GroupComposition

TABLES = ("measures", "neurons", "irreps", "manifolds", "curves", "scores")


def measure_circuits(circuits: Sequence[Circuit], min_neurons: int = 10) -> dict[str, pd.DataFrame]:
    """Measure circuits of one shard.

    Parameters
    ----------
    circuits : sequence of Circuit
        Of one architecture.
    min_neurons : int
        Smaller neuron groups have no manifold.

    Returns
    -------
    dict
        The tables of :data:`TABLES`: one row per circuit, per live neuron of a power network, per irrep of one that
        learnt a group, per neuron group and site of one of two inputs, and per step and per component of
        the scores of a transformer. Those that a system has not are empty.

    Raises
    ------
    ValueError
        For an architecture that is compared by the other stages.
    """
    empty = pd.DataFrame({"architecture": pd.Series(dtype=str), "seed": pd.Series(dtype=int)})
    tables = dict.fromkeys(TABLES, empty)
    system = system_of(circuits[0].label)
    if system == "margins":
        tables |= {"measures": margin_circuit_rows(circuits), "neurons": margin_neuron_rows(circuits)}
        tables["manifolds"] = margin_manifold_rows(circuits, min_neurons)
        if isinstance(circuits[0].task, GroupComposition):
            tables["irreps"] = margin_irrep_rows(circuits)
    elif system == "sequences":
        tables |= {"measures": sequence_circuit_rows(circuits), "curves": sequence_curve_rows(circuits)}
        tables["scores"] = sequence_score_rows(circuits)
    else:
        raise ValueError(f"{circuits[0].label} is measured by the stages groups and homology")
    return tables
