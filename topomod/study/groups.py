"""From a circuit to rows: what is measured of each circuit, each neuron group and each point cloud."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd
from typing import Any

import numpy as np
import pandas as pd

from topomod.mechanisms.clock_pizza import circularity, gradient_symmetricity, logit_distance_irrelevance
from topomod.networks.circuit import Circuit
from topomod.neurons.groups import NeuronGroup, groups_of_spectra
from topomod.neurons.layers import Layer, circuit_layers
from topomod.neurons.phases import argmax_pairs, centroid_pairs, torus_distance
from topomod.neurons.readout import readout_orders
from topomod.neurons.references import reference_manifold
from topomod.neurons.similarity import linear_cka, similarities, top_variance
from topomod.neurons.sites import layer_cloud
from topomod.tasks.fourier import rebase
from topomod.tasks.spectra import NeuronSpectra, neuron_spectra
from topomod.topology.winding import winding_numbers


def first_layer(circuit: Circuit) -> Layer:
    """Run a circuit of one hidden layer on all pairs."""
    return circuit_layers(circuit)[0]


def identity(circuit: Circuit) -> dict[str, Any]:
    """Columns that name a circuit in every table."""
    return {"architecture": circuit.label, "seed": circuit.seed, "step": circuit.step}


def circuit_row(
    circuit: Circuit, layer: Layer, spectra: NeuronSpectra, groups: Sequence[NeuronGroup]
) -> dict[str, Any]:
    """One row of the table of circuits."""
    right = np.argmax(layer.logits, axis=-1) == circuit.task.targets()
    return identity(circuit) | {
        "converged": circuit.converged,
        "reason": circuit.reason,
        "accuracy": float(right.mean()),
        "loss": float(circuit.history["loss"][-1]) if "loss" in circuit.history else float("nan"),
        "purity": spectra.purity,
        "n_groups": len(groups),
        "n_neurons": len(spectra.power),
        "n_dead": int((~spectra.alive).sum()),
        "n_second_order": int((spectra.alive & (spectra.order == 2)).sum()),
        "readout_sum_r2": readout_orders(layer, [group.frequency for group in groups])[1],
        "gradient_symmetricity": gradient_symmetricity(circuit),
        "distance_irrelevance": logit_distance_irrelevance(layer.logits, "correct"),
        "distance_irrelevance_runner_up": logit_distance_irrelevance(layer.logits, "runner_up"),
        "circularity": circularity(circuit),
    }


def group_row(circuit: Circuit, layer: Layer, group: NeuronGroup) -> dict[str, Any]:
    """One row of the table of groups: spectra, phases and similarity to the references."""
    p = circuit.p
    cloud = layer_cloud(layer, group, "preactivations")
    logits = layer_cloud(layer, group, "logits")
    references = {
        "disc": reference_manifold("disc", p, group.frequency, group.phase_difference),
        "torus": reference_manifold("torus", p, group.frequency),
        "circle": reference_manifold("circle", p, group.frequency),
    }
    similarity = similarities(cloud, references | {"fixed": reference_manifold("disc", p, group.frequency)})
    fixed_cka, fixed_rsm = similarity.pop("fixed")
    wave = np.exp(2j * np.pi * group.frequency * np.arange(p) / p)
    through_group, coordinate = logits.reshape(p, p, p) @ wave, layer.logits @ wave
    return identity(circuit) | {
        "frequency": group.frequency,
        "normalized_frequency": group.frequency / p,
        "n_neurons": len(group.neurons),
        "power": group.power,
        "first_order_r2": group.first_order_r2,
        "second_order_r2": group.second_order_r2,
        "phase_coherence": group.coherence,
        "phase_difference": group.phase_difference,
        "amplitude_ratio": group.amplitude_ratio,
        **{f"{shape}_cka": cka for shape, (cka, _) in similarity.items()},
        **{f"{shape}_rsm": rsm for shape, (_, rsm) in similarity.items()},
        "disc_cka_fixed": fixed_cka,
        "disc_rsm_fixed": fixed_rsm,
        "top2_variance": top_variance(cloud, 2),
        "top4_variance": top_variance(cloud, 4),
        "logit_circle_cka": linear_cka(logits, references["circle"]),
        "logit_disc_cka": linear_cka(logits, references["disc"]),
        "coordinate_circle_cka": linear_cka(_plane(coordinate), references["circle"]),
        "coordinate_disc_cka": linear_cka(_plane(coordinate), references["disc"]),
        "logit_power_share": float(np.mean(np.abs(through_group) ** 2) / np.mean(np.abs(coordinate) ** 2)),
        **_rebased_columns(layer, group, coordinate),
    }


def _rebased_columns(layer: Layer, group: NeuronGroup, coordinate: np.ndarray) -> dict[str, float]:
    """Winding of the logit coordinate and torus distance; NaN where f has no inverse mod p (composite p)."""
    names = ("winding_a", "winding_b", "winding_agreement", "winding_clearance", "winding_is_sum", "torus_distance")
    p = len(coordinate)
    if gcd(group.frequency, p) != 1:
        return dict.fromkeys(names, float("nan"))
    (m_a, m_b), agreement, clearance = winding_numbers(rebase(coordinate, group.frequency))
    pairs = argmax_pairs(layer.preactivations[:, :, group.neurons], group.frequency)
    distance = float(np.mean(torus_distance(pairs, p)))
    values = (m_a, m_b, agreement, clearance, (m_a, m_b) == (1, 1), distance)
    return {name: float(value) for name, value in zip(names, values, strict=True)}


def _plane(z: np.ndarray) -> np.ndarray:
    return np.stack([z.real.ravel(), z.imag.ravel()], axis=1)


def phase_rows(circuit: Circuit, layer: Layer, group: NeuronGroup) -> pd.DataFrame:
    """Phase alignment distribution of a group, re-based to frequency 1: one row per neuron, none without an inverse."""
    if gcd(group.frequency, circuit.p) != 1:
        return pd.DataFrame(columns=[*identity(circuit), "frequency", "neuron", "a", "b", "centroid_a", "centroid_b"])
    own = layer.preactivations[:, :, group.neurons]
    pairs, centroids = argmax_pairs(own, group.frequency), centroid_pairs(own, group.frequency)
    columns = {"frequency": group.frequency, "neuron": group.neurons, "a": pairs[:, 0], "b": pairs[:, 1]}
    return pd.DataFrame(identity(circuit) | columns | {"centroid_a": centroids[:, 0], "centroid_b": centroids[:, 1]})


def analyse_groups(circuits: Sequence[Circuit], min_neurons: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Tables of circuits, groups and neuron phases for one shard.

    Parameters
    ----------
    circuits : sequence of Circuit
        One shard.
    min_neurons : int
        First-order groups with fewer neurons are not rows; they count as unassigned.

    Returns
    -------
    circuits, groups, phases : DataFrame
        One row per circuit, per group, per neuron.
    """
    circuit_rows, group_rows, phases = [], [], []
    for circuit in circuits:
        _ = circuit.p  # refuses circuits that learnt something else
        layer = first_layer(circuit)
        spectra = neuron_spectra(layer.preactivations)
        groups = first_order_groups(spectra, min_neurons)
        circuit_rows.append(circuit_row(circuit, layer, spectra, groups))
        group_rows += [group_row(circuit, layer, group) for group in groups]
        phases += [phase_rows(circuit, layer, group) for group in groups]
    phases = [rows for rows in phases if len(rows)]
    empty = pd.DataFrame(columns=["architecture", "seed", "step", "frequency"])
    return (
        pd.DataFrame(circuit_rows),
        pd.DataFrame(group_rows) if group_rows else empty,
        pd.concat(phases, ignore_index=True) if phases else empty,
    )


def first_order_groups(spectra: NeuronSpectra, min_neurons: int) -> list[NeuronGroup]:
    """First-order groups of a layer."""
    return [group for group in groups_of_spectra(spectra, min_neurons=min_neurons) if group.order == 1]
