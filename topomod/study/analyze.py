"""The command analyze: single networks, with all metrics of every layer and every site, as tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd

from topomod.mechanisms.clock_pizza import LogitFVE, logit_fve, mechanism_name
from topomod.networks.circuit import Circuit
from topomod.networks.read_off import task_title
from topomod.neurons.groups import NeuronGroup, groups_of_spectra
from topomod.neurons.irrep_groups import irrep_groups
from topomod.neurons.layers import Layer, circuit_layers
from topomod.neurons.readout import readout_orders
from topomod.neurons.sites import layer_sites
from topomod.study.homology import label_group
from topomod.study.rows import (
    group_columns,
    identity,
    mechanism_columns,
    neuron_columns,
    outcome_columns,
    unnamed_columns,
    verdict_columns,
)
from topomod.study.use_columns import use_columns
from topomod.tasks.addition import ModularAddition
from topomod.tasks.fourier import folded_power

IRREP_COLUMNS = ["network", "layer", "irrep", "n_neurons"]
MAX_ORDER = 300  # of a finite group whose irreps are looked for


@dataclass(frozen=True)
class Inspection:
    """What was found in some networks. In every table the column ``network`` names the network of a row.

    A table without rows still has its columns.

    Parameters
    ----------
    networks : DataFrame
        One row per network: accuracy on all inputs and Zhong et al.'s metrics.
    layers : DataFrame
        One row per layer: live, dead and second-order neurons, and what the read-out directions hold.
    groups : DataFrame
        One row per neuron group: the columns of a study's groups, ``layer``, ``order``, ``n_with_dead`` and
        ``second_harmonic_r2``. Columns that need the layer's read-out are NaN where it has none.
    labels : DataFrame
        One row per group and site: the columns of a study's labels of point clouds.
    circles : DataFrame
        One row per circle of the embedding: its logit FVE.
    irreps : DataFrame
        One row per irrep of a finite group that neurons of a layer hold: how many they are. Networks with frequencies
        have none.
    """

    networks: pd.DataFrame
    layers: pd.DataFrame
    groups: pd.DataFrame
    labels: pd.DataFrame
    circles: pd.DataFrame
    irreps: pd.DataFrame


def inspect_networks(named: Sequence[tuple[str, Circuit]], min_neurons: int = 3, seed: int = 0) -> Inspection:
    """Measure networks and label every group at every site of every layer.

    Parameters
    ----------
    named : sequence of (str, Circuit)
        Networks under different names, from
        :func:`topomod.study.network_files.read_files`.
    min_neurons : int
        Smaller groups are left out.
    seed : int
        Seed of the subsamples from which labels are computed.

    Raises
    ------
    ValueError
        If two networks have one name.
    """
    twice = [name for name, times in Counter(name for name, _ in named).items() if times > 1]
    if twice:
        raise ValueError(f"networks must have different names, found several of {', '.join(map(repr, twice))}")
    rows = _rows(named, min_neurons, seed)
    tables = {name: pd.DataFrame(found) for name, found in rows.items()}
    tables["irreps"] = pd.DataFrame(rows["irreps"], columns=IRREP_COLUMNS)
    if not all(found for name, found in rows.items() if name != "irreps"):
        # a table without rows has the columns and types that it has for a network with one group
        small = _rows([("", _small_network())], 3, seed)
        empty = (name for name, found in rows.items() if not found and name != "irreps")
        tables |= {name: pd.DataFrame(small[name]).iloc[:0] for name in empty}
    return Inspection(**tables)


def _rows(named: Sequence[tuple[str, Circuit]], min_neurons: int, seed: int) -> dict[str, list[dict[str, Any]]]:
    rows: dict[str, list[dict[str, Any]]] = {table.name: [] for table in fields(Inspection)}
    for name, circuit in named:
        for index, layer in enumerate(circuit_layers(circuit)):
            groups = groups_of_spectra(layer.spectra, index, min_neurons) if layer.symmetry else []
            if index == 0:
                rows["networks"].append({"network": name} | _network_row(circuit, layer.logits))
                rows["circles"] += [{"network": name} | vars(circle) for circle in _circles(circuit, groups)]
            key = {"network": name, "layer": index}
            rows["layers"].append(key | _layer_row(layer, groups) | use_columns(circuit, groups))
            rows["irreps"] += [key | own for own in _irrep_rows(circuit, index, min_neurons)]
            for group in groups:
                own = key | {"order": group.order}
                rows["groups"].append(own | _group_row(layer, group))
                own |= {"frequency": group.frequency}
                for site in layer_sites(layer):
                    columns = verdict_columns(label_group(layer, group, site, seed), layer.symmetry)
                    rows["labels"].append(own | {"site": site} | columns)
    return rows


def _irrep_rows(circuit: Circuit, layer: int, min_neurons: int) -> list[dict[str, Any]]:
    """Irreps of a finite group without frequencies that neurons hold; none for large groups, whose irreps take long."""
    group = circuit.task.finite_group
    if group is None or circuit.task.symmetry is not None or group.order > MAX_ORDER:
        return []
    found = irrep_groups(circuit, min_neurons, layer)
    return [{"irrep": own.irrep, "n_neurons": len(own.neurons)} for own in found]


def _circles(circuit: Circuit, groups: Sequence[NeuronGroup]) -> list[LogitFVE]:
    """What the circles of the embedding explain; none where the network cannot be run on one circle alone."""
    if circuit.record.recorded or circuit.task.symmetry is None:
        return []
    with np.errstate(invalid="ignore"):  # of constant logits nothing is explained: NaN
        return logit_fve(circuit, sorted({group.frequency for group in groups}))


def _small_network() -> Circuit:
    """Network of one group of three neurons, p = 5."""
    angle = 2 * np.pi * np.arange(5) / 5
    wave = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    weights = {"W_E": wave, "W_in": wave[:3], "b_in": np.zeros(3, np.float32), "W_out": wave[:3].T, "W_U": wave.T}
    return Circuit("mlp_add", ModularAddition(5), {name: np.ascontiguousarray(w) for name, w in weights.items()})


def _network_row(circuit: Circuit, logits: np.ndarray) -> dict[str, Any]:
    outcome, mechanism = outcome_columns(circuit, logits), mechanism_columns(circuit, logits)
    squares = (np.sum(w.astype(np.float64) ** 2) for w in circuit.weights.values())
    return {
        **identity(circuit),
        "task": task_title(circuit.task),
        "p": len(logits),
        "n_pairs": circuit.task.n_inputs,
        **outcome,
        "learnt": outcome["accuracy"] == 1,
        "mechanism": mechanism_name(mechanism) if outcome["accuracy"] == 1 else "",
        **mechanism,
        "parameter_norm": float("nan") if circuit.record.recorded else float(np.sqrt(sum(squares))),
        "sum": sum_in_words(circuit),
        "windings": str(circuit.task.symmetry.windings) if circuit.task.symmetry else "",
        "no_symmetry": circuit.task.no_symmetry,
    }


def _layer_row(layer: Layer, groups: Sequence[NeuronGroup]) -> dict[str, Any]:
    names = ("readout_first_order_r2", "readout_sum_r2", "readout_variance")
    row = neuron_columns(layer.spectra, groups) if layer.symmetry else unnamed_columns(layer)
    is_relu = layer.activations is not None and np.array_equal(layer.activations, np.maximum(layer.preactivations, 0))
    row["nonlinearity"] = "ReLU" if is_relu else "nonlinearity"
    if layer.readout is None or layer.activations is None or not layer.symmetry:
        return row | dict.fromkeys(names, float("nan"))
    key = [group.frequency for group in groups if group.order == 1]
    return row | dict(zip(names, readout_orders(layer, key), strict=True))


def _group_row(layer: Layer, group: NeuronGroup) -> dict[str, Any]:
    spectra = layer.spectra
    same = (spectra.frequency == group.frequency) & (spectra.order == group.order)
    return group_columns(layer, group) | {
        "n_with_dead": int(same.sum()),
        "second_harmonic_r2": second_harmonic(layer.preactivations[:, :, group.neurons], group.frequency),
    }


def sum_in_words(circuit: Circuit) -> str:
    """What the class of a task with a symmetry is a function of: "a + b", "a - b"; empty without a symmetry.

    Where tokens are not their own numbers, "log a" stands for the number of a: the discrete logarithm in a product, and
    the power of a generator in a cyclic group.
    """
    symmetry = circuit.task.symmetry
    if symmetry is None:
        return ""
    m, n = symmetry.windings
    plain = symmetry.classes == tuple(range(symmetry.n))
    letters = ("a", "b") if plain and all(tokens[0] == 0 for tokens in symmetry.tokens) else ("log a", "log b")
    words = [letter if abs(w) == 1 else f"{abs(w)} {letter}" for letter, w in zip(letters, (m, n), strict=True)]
    return f"{'-' if m < 0 else ''}{words[0]} {'-' if n < 0 else '+'} {words[1]}"


def second_harmonic(preactivations: np.ndarray, frequency: int) -> float:
    """Share of some neurons' variance in cosines of ``a`` or ``b`` at twice a frequency; NaN for constants.

    Parameters
    ----------
    preactivations : ndarray
        (p, p, n_neurons).
    frequency : int
        In 1..p//2.
    """
    p = len(preactivations)
    power = np.sum(folded_power(preactivations, (0, 1)), axis=2)
    power[0, 0] = 0
    twice = min(2 * frequency % p, -2 * frequency % p)
    total = power.sum()
    return float((power[twice, 0] + power[0, twice]) / total) if total > 0 else float("nan")
