"""From a circuit to rows: what is measured of each circuit, each neuron group and each point cloud."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from topomod.networks.circuit import Circuit
from topomod.neurons.groups import NeuronGroup, groups_of_spectra
from topomod.neurons.irrep_groups import irrep_groups
from topomod.neurons.layers import Layer, circuit_layers
from topomod.neurons.readout import readout_orders
from topomod.neurons.sites import Group
from topomod.study.irrep_columns import irrep_columns
from topomod.study.rows import (
    diverged_columns,
    endpoint_columns,
    group_columns,
    identity,
    layer_phases,
    mechanism_columns,
    neuron_columns,
    outcome_columns,
    unnamed_columns,
)
from topomod.study.use_columns import use_columns


def first_layer(circuit: Circuit) -> Layer:
    """Run a circuit on all pairs; of a network with several hidden layers, a study measures the first."""
    return circuit_layers(circuit)[0]


def circuit_row(circuit: Circuit, layer: Layer, groups: Sequence[NeuronGroup]) -> dict[str, Any]:
    """One row of the table of circuits."""
    return {
        **identity(circuit),
        **_source(circuit),
        **outcome_columns(circuit, layer.logits),
        **(neuron_columns(layer.spectra, groups) if layer.symmetry else unnamed_columns(layer)),
        "readout_sum_r2": _readout_sum_r2(layer, groups),
        **mechanism_columns(circuit, layer.logits),
        **endpoint_columns("circuits", circuit, layer),
    }


def _source(circuit: Circuit) -> dict[str, str]:
    """The file of a network that was read; no column where a shard was trained."""
    return {"source": circuit.source} if circuit.source else {}


def _readout_sum_r2(layer: Layer, groups: Sequence[NeuronGroup]) -> float:
    """What the read-out directions hold of a + b; NaN where they are not known."""
    if layer.readout is None or layer.activations is None:
        return float("nan")
    return readout_orders(layer, [group.frequency for group in groups])[1]


def group_row(circuit: Circuit, layer: Layer, group: NeuronGroup) -> dict[str, Any]:
    """One row of the table of groups: spectra, phases and similarity to the references."""
    return identity(circuit) | group_columns(layer, group) | endpoint_columns("groups", circuit, layer, group)


def phase_rows(circuit: Circuit, layer: Layer, group: NeuronGroup) -> pd.DataFrame:
    """Phase alignment distribution of a group, re-based to frequency 1: one row per neuron.

    Where the frequency shares a factor d with p, phases are multiples of d.
    """
    pairs, centroids = layer_phases(layer, group)
    columns = {"frequency": group.frequency, "neuron": group.neurons, "a": pairs[:, 0], "b": pairs[:, 1]}
    return pd.DataFrame(identity(circuit) | columns | {"centroid_a": centroids[:, 0], "centroid_b": centroids[:, 1]})


def analyse_groups(circuits: Sequence[Circuit], min_neurons: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Tables of circuits, groups and neuron phases for one shard.

    Parameters
    ----------
    circuits : sequence of Circuit
        One shard.
    min_neurons : int
        First-order groups with fewer neurons have no row; their neurons count as unassigned.

    Returns
    -------
    circuits, groups, phases : DataFrame
        One row per circuit, per group, per neuron.
    """
    circuit_rows, group_rows, phases = [], [], []
    for circuit in circuits:
        if not circuit.is_finite():
            circuit_rows.append(identity(circuit) | diverged_columns(circuit) | _source(circuit))
            continue
        layer = first_layer(circuit)
        groups = first_order_groups(layer, min_neurons)
        row, finite_group = circuit_row(circuit, layer, groups), circuit.task.finite_group
        row |= use_columns(circuit, used_groups(circuit, layer, min_neurons))
        if layer.symmetry is None and finite_group is not None:
            row |= irrep_columns(layer.preactivations, finite_group, min_neurons)
        circuit_rows.append(row)
        group_rows += [group_row(circuit, layer, group) for group in groups]
        phases += [phase_rows(circuit, layer, group) for group in groups]
    phases = [rows for rows in phases if len(rows)]
    empty = pd.DataFrame(columns=["architecture", "seed", "step", "frequency"])
    return (
        pd.DataFrame(circuit_rows),
        pd.DataFrame(group_rows) if group_rows else empty,
        pd.concat(phases, ignore_index=True) if phases else empty,
    )


def used_groups(circuit: Circuit, layer: Layer, min_neurons: int) -> list[Group]:
    """All groups of the first layer whose use is measured: of both orders, or by irrep without frequencies."""
    if layer.symmetry is not None:
        return list(groups_of_spectra(layer.spectra, min_neurons=min_neurons))
    return list(irrep_groups(circuit, min_neurons)) if circuit.task.finite_group is not None else []


def first_order_groups(layer: Layer, min_neurons: int) -> list[NeuronGroup]:
    """First-order groups of a layer; none where the task has no symmetry."""
    if layer.symmetry is None:
        return []
    return [group for group in groups_of_spectra(layer.spectra, min_neurons=min_neurons) if group.order == 1]
