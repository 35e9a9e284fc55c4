"""Single networks looked at closely: every layer and site, all metrics, in tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from topomod.mechanisms.clock_pizza import circularity, gradient_symmetricity, logit_distance_irrelevance, logit_fve
from topomod.networks.circuit import Circuit
from topomod.networks.circuit_file import load_circuits
from topomod.networks.released import load_released
from topomod.neurons.groups import NeuronGroup, group_neurons, groups_of_spectra
from topomod.neurons.layers import Layer, circuit_layers
from topomod.neurons.readout import readout_orders
from topomod.neurons.references import reference_manifold
from topomod.neurons.similarity import linear_cka, top_variance
from topomod.neurons.sites import layer_cloud, layer_sites
from topomod.tasks.addition import ModularAddition
from topomod.tasks.fourier import spectrum
from topomod.tasks.spectra import NeuronSpectra, neuron_spectra
from topomod.topology.classify import classify_manifold


@dataclass(frozen=True)
class Inspection:
    """What was found in some networks; ``network`` names one in every table.

    Parameters
    ----------
    networks : DataFrame
        One row each: accuracy on all inputs and Zhong et al.'s metrics.
    layers : DataFrame
        One row per layer: live, dead and second-order neurons, what the read-out directions hold.
    groups : DataFrame
        One row per neuron group: R2, coherence, similarity to the references.
    labels : DataFrame
        One row per group and site: the verdict.
    circles : DataFrame
        One row per circle of the embedding: logit FVE.
    """

    networks: pd.DataFrame
    layers: pd.DataFrame
    groups: pd.DataFrame
    labels: pd.DataFrame
    circles: pd.DataFrame


def read_networks(paths: Sequence[Path]) -> Iterator[tuple[str, Circuit]]:
    """Name and circuit of every network in some files: topomod's own (``.safetensors``) or released ones.

    Raises
    ------
    FileNotFoundError, ValueError
        As :func:`topomod.load_circuit` and :func:`topomod.load_released`; for a network that does not add mod p.
    """
    for path in paths:
        if path.suffix == ".safetensors":
            found = [(f"{c.label} seed {c.seed} step {c.step}", c) for c in load_circuits(path)]
        else:
            found = [(path.stem if path.stem != "model" else path.parent.name, load_released(path))]
        for name, circuit in found:
            if not isinstance(circuit.task, ModularAddition):
                raise ValueError(f"{path}: learnt {circuit.task}; only addition mod p is analysed")
            yield name, circuit


def inspect_networks(named: Sequence[tuple[str, Circuit]], min_neurons: int = 3, seed: int = 0) -> Inspection:
    """Measure networks and label every group at every site of every layer.

    Parameters
    ----------
    named : sequence of (str, Circuit)
        From :func:`read_networks`.
    min_neurons : int
        Smaller groups are left out.
    seed : int
        Of the verdicts' subsamples.
    """
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in ("networks", "layers", "groups", "labels", "circles")}
    for name, circuit in named:
        layers = circuit_layers(circuit)
        rows["networks"].append({"network": name} | _network_row(circuit, layers[0].logits))
        key_frequencies = {group.frequency for group in group_neurons(circuit, 0, min_neurons)}
        rows["circles"] += [{"network": name} | vars(circle) for circle in logit_fve(circuit, sorted(key_frequencies))]
        for index, layer in enumerate(layers):
            spectra = neuron_spectra(layer.preactivations)
            groups = groups_of_spectra(spectra, index, min_neurons)
            key = {"network": name, "layer": index}
            rows["layers"].append(key | _layer_row(layer, spectra, groups))
            for group in groups:
                own = key | {"order": group.order, "frequency": group.frequency}
                rows["groups"].append(own | _group_row(layer, spectra, group))
                for site in layer_sites(layer):
                    rows["labels"].append(own | {"site": site} | _label_row(layer, group, site, seed))
    return Inspection(**{table: pd.DataFrame(found) for table, found in rows.items()})


def _network_row(circuit: Circuit, logits: np.ndarray) -> dict[str, Any]:
    accuracy = float(np.mean(np.argmax(logits, axis=-1) == circuit.task.targets()))
    return {
        "architecture": circuit.label,
        "p": len(logits),
        "step": circuit.step,
        "accuracy": accuracy,
        "learnt": accuracy == 1,
        "gradient_symmetricity": gradient_symmetricity(circuit),
        "distance_irrelevance_correct": logit_distance_irrelevance(logits, "correct"),
        "distance_irrelevance_runner_up": logit_distance_irrelevance(logits, "runner_up"),
        "circularity": circularity(circuit),
        "parameter_norm": float(np.sqrt(sum(np.sum(w.astype(np.float64) ** 2) for w in circuit.weights.values()))),
    }


def _layer_row(layer: Layer, spectra: NeuronSpectra, groups: Sequence[NeuronGroup]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "n_neurons": len(spectra.power),
        "n_dead": int((~spectra.alive).sum()),
        "n_second_order": int((spectra.alive & (spectra.order == 2)).sum()),
        "purity": spectra.purity,
        "n_groups": sum(group.order == 1 for group in groups),
    }
    names = ("readout_first_order_r2", "readout_sum_r2", "readout_variance")
    if layer.readout is None:
        return row | dict.fromkeys(names, float("nan"))
    key = [group.frequency for group in groups if group.order == 1]
    return row | dict(zip(names, readout_orders(layer, key), strict=True))


def _group_row(layer: Layer, spectra: NeuronSpectra, group: NeuronGroup) -> dict[str, Any]:
    p = len(layer.preactivations)
    cloud = layer_cloud(layer, group, "preactivations")
    disc = reference_manifold("disc", p, group.frequency, group.phase_difference)
    torus, circle = (reference_manifold(shape, p, group.frequency) for shape in ("torus", "circle"))
    same = (spectra.frequency == group.frequency) & (spectra.order == group.order)
    logit_circle = (
        linear_cka(layer_cloud(layer, group, "logits"), circle) if layer.readout is not None else float("nan")
    )
    return {
        "n_neurons": len(group.neurons),
        "n_with_dead": int(same.sum()),
        "first_order_r2": group.first_order_r2,
        "second_order_r2": group.second_order_r2,
        "second_harmonic_r2": second_harmonic(layer.preactivations[:, :, group.neurons], group.frequency),
        "phase_coherence": group.coherence,
        "amplitude_ratio": group.amplitude_ratio,
        "disc_cka": linear_cka(cloud, disc),
        "torus_cka": linear_cka(cloud, torus),
        "circle_cka": linear_cka(cloud, circle),
        "top2_variance": top_variance(cloud, 2),
        "top4_variance": top_variance(cloud, 4),
        "logit_circle_cka": logit_circle,
    }


def second_harmonic(preactivations: np.ndarray, frequency: int) -> float:
    """Share of some neurons' variance in cosines of ``a`` or ``b`` at twice a frequency; NaN for constants."""
    p = len(preactivations)
    power = np.sum(np.abs(spectrum(preactivations.astype(np.float64))) ** 2, axis=2)
    power[0, 0] = 0
    twice = np.unique([2 * frequency % p, -2 * frequency % p])
    total = power.sum()
    return float((power[twice, 0].sum() + power[0, twice].sum()) / total) if total > 0 else float("nan")


def _label_row(layer: Layer, group: NeuronGroup, site: str, seed: int) -> dict[str, Any]:
    verdict = classify_manifold(layer_cloud(layer, group, site), p=len(layer.preactivations), seed=seed)
    names = "label confidence forced_label hole hole_upper_bound rank fine_rank share h1_persistence h2_persistence"
    row = {name: getattr(verdict, name) for name in names.split()}
    row |= {f"betti_{k}": value for k, value in enumerate(verdict.betti)}
    return row | {"winding": str(verdict.winding_matrix or verdict.winding or ""), "reason": verdict.reason}
