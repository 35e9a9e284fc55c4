"""Tables of a shard of networks that are described, not compared: power networks, transformers over k tokens."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from topomod.circuits import Circuit
from topomod.labels import system_of
from topomod.margin_analysis import margin_circuit_rows, margin_irrep_rows, margin_neuron_rows
from topomod.sequence_tables import sequence_circuit_rows, sequence_curve_rows
from topomod.tasks import GroupComposition

TABLES = ("measures", "neurons", "irreps", "curves")


def measure_circuits(circuits: Sequence[Circuit]) -> dict[str, pd.DataFrame]:
    """Measure circuits of one shard.

    Returns
    -------
    dict
        The four tables of :data:`TABLES`: one row per circuit, per live neuron of a power network, per irrep of a
        network that learnt a group, and per step of a transformer. Those that a system has not are empty.

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
        if isinstance(circuits[0].task, GroupComposition):
            tables["irreps"] = margin_irrep_rows(circuits)
    elif system == "sequences":
        tables |= {"measures": sequence_circuit_rows(circuits), "curves": sequence_curve_rows(circuits)}
    else:
        raise ValueError(f"{circuits[0].label} is measured by the stages groups and homology")
    return tables
