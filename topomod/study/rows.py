"""The columns of one row: what is measured of a network, a layer, a neuron group and a labelled cloud.

Tables of studies and of single networks are made of these, so that a column of one name is one measurement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from topomod.mechanisms.clock_pizza import circularity, gradient_symmetricity, logit_distance_irrelevance
from topomod.networks.architectures import resolve
from topomod.networks.circuit import Circuit
from topomod.neurons.groups import NeuronGroup
from topomod.neurons.layers import Layer
from topomod.neurons.phases import argmax_pairs, centroid_pairs, torus_distance
from topomod.neurons.references import reference_manifold
from topomod.neurons.similarity import linear_cka, similarities, top_variance
from topomod.neurons.sites import layer_cloud
from topomod.study.endpoint_catalogue import ENDPOINTS
from topomod.tasks.fourier import quotient, rebase
from topomod.tasks.spectra import NeuronSpectra
from topomod.tasks.symmetry import Symmetry
from topomod.topology.verdict import ManifoldVerdict
from topomod.topology.winding import winding_numbers


def identity(circuit: Circuit) -> dict[str, Any]:
    """Columns that name a circuit in every table."""
    return {"architecture": circuit.label, "seed": circuit.seed, "step": circuit.step}


def outcome_columns(circuit: Circuit, logits: np.ndarray) -> dict[str, Any]:
    """Whether a circuit learnt its task; ``logits`` (p, p, n_classes) are its own on all pairs, as its layers have."""
    symmetry, targets = circuit.task.symmetry, circuit.task.targets()
    right = np.argmax(logits, axis=-1) == (targets if symmetry is None else symmetry.numbers(targets))
    return {
        "converged": circuit.converged,
        "reason": circuit.reason,
        "accuracy": float(right.mean()),
        "loss": float(circuit.history["loss"][-1]) if "loss" in circuit.history else float("nan"),
    }


def diverged_columns(circuit: Circuit) -> dict[str, Any]:
    """What can be said of a circuit whose weights are no numbers: that it is not converged, and why.

    Every measured column of its row is missing. It has no groups.
    """
    reason = circuit.reason or "diverged: its weights are not finite"
    missing = dict.fromkeys(("accuracy", "loss", "purity"), float("nan"))
    return {"converged": False, "reason": reason, **missing, "n_groups": 0}


def endpoint_columns(table: str, *view: Any) -> dict[str, float]:
    """Columns of the endpoints that say themselves how they are measured.

    Parameters
    ----------
    table : {"circuits", "groups"}
        Which table the row is of.
    *view
        What the endpoint's ``value`` takes: circuit and layer, and for the table of groups the group.
    """
    own = (endpoint for endpoint in ENDPOINTS.values() if endpoint.table == table and endpoint.value)
    return {endpoint.column: float(resolve(endpoint.value)(*view)) for endpoint in own}


def neuron_columns(spectra: NeuronSpectra, groups: Sequence[NeuronGroup]) -> dict[str, Any]:
    """How many neurons a layer has, how many are dead or of second order, and how many first-order groups there are."""
    return {
        "purity": spectra.purity,
        "n_groups": sum(group.order == 1 for group in groups),
        "n_neurons": len(spectra.power),
        "n_dead": int((~spectra.alive).sum()),
        "n_second_order": int((spectra.alive & (spectra.order == 2)).sum()),
    }


def unnamed_columns(layer: Layer) -> dict[str, Any]:
    """The same columns where the task has no symmetry: neurons have no frequency and are in no group."""
    n_neurons = layer.preactivations.shape[-1]
    return {"purity": float("nan"), "n_groups": 0, "n_neurons": n_neurons, "n_dead": float("nan")} | {
        "n_second_order": float("nan")
    }


def mechanism_columns(circuit: Circuit, logits: np.ndarray) -> dict[str, float]:
    """Zhong et al.'s metrics; ``distance_irrelevance`` is that of the correct logit.

    ``logits`` (p, p, p) are in the order that the circuit's layers have. Without a symmetry of the task there is no
    distance and no circle: NaN. So are the metrics of weights where only activations are known.
    """
    symmetry = circuit.task.symmetry
    gradients = float("nan") if circuit.record.recorded else gradient_symmetricity(circuit)
    own = {"gradient_symmetricity": gradients}
    if symmetry is None:
        names = ("distance_irrelevance", "distance_irrelevance_runner_up", "circularity")
        return own | dict.fromkeys(names, float("nan"))
    logits = symmetry.as_sum(logits)
    with np.errstate(invalid="ignore"):  # an embedding that is constant has no circularity: NaN
        own_circularity = float("nan") if circuit.record.recorded else circularity(circuit)
    return own | {
        "distance_irrelevance": logit_distance_irrelevance(logits, "correct"),
        "distance_irrelevance_runner_up": logit_distance_irrelevance(logits, "runner_up"),
        "circularity": own_circularity,
    }


def group_columns(layer: Layer, group: NeuronGroup) -> dict[str, Any]:
    """Spectra and phases of a neuron group, and how similar its clouds are to the references.

    What the group adds to the logits is NaN where another nonlinearity lies between its layer and the logits.
    """
    p, signs = len(layer.preactivations), layer.signs
    cloud = layer_cloud(layer, group, "preactivations")
    references = {
        "disc": reference_manifold("disc", p, group.frequency, group.phase_difference, signs),
        "torus": reference_manifold("torus", p, group.frequency, windings=signs),
        "circle": reference_manifold("circle", p, group.frequency, windings=signs),
    }
    fixed = {"fixed": reference_manifold("disc", p, group.frequency, windings=signs)}
    similarity = similarities(cloud, references | fixed)
    fixed_cka, fixed_rsm = similarity.pop("fixed")
    return {
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
        **_logit_columns(layer, group, references),
    }


def _logit_columns(layer: Layer, group: NeuronGroup, references: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Shape of what a group adds to the logits, and of the logits' own coordinate at the group's frequency."""
    p = len(layer.preactivations)
    wave = np.exp(2j * np.pi * group.frequency * np.arange(p) / p)
    coordinate = layer.logits @ wave
    names = ("logit_circle_cka", "logit_disc_cka", "logit_power_share")
    through = dict.fromkeys(names, float("nan"))
    if layer.readout is not None:
        logits, total = layer_cloud(layer, group, "logits"), np.mean(np.abs(coordinate) ** 2)
        power = np.mean(np.abs(logits.reshape(p, p, p) @ wave) ** 2)
        shares = [linear_cka(logits, references[shape]) for shape in ("circle", "disc")]
        shares.append(float(power / total) if total > 0 else float("nan"))
        through = dict(zip(names, shares, strict=True))
    return {
        "logit_circle_cka": through["logit_circle_cka"],
        "logit_disc_cka": through["logit_disc_cka"],
        "coordinate_circle_cka": linear_cka(_plane(coordinate), references["circle"]),
        "coordinate_disc_cka": linear_cka(_plane(coordinate), references["disc"]),
        "logit_power_share": through["logit_power_share"],
        **_rebased_columns(layer, group, coordinate),
    }


def _rebased_columns(layer: Layer, group: NeuronGroup, coordinate: np.ndarray) -> dict[str, float]:
    """Winding of the logit coordinate and torus distance; NaN where the frequency has fewer than 3 values.

    The turns are those along the tokens' own order, (1, -1) for a - b; ``winding_is_sum`` says whether they are the
    task's. Where f and p share a factor, both are taken on what is left of Z_p.
    """
    names = ("winding_a", "winding_b", "winding_agreement", "winding_clearance", "winding_is_sum", "torus_distance")
    left, frequency = quotient(coordinate, group.frequency)
    if len(left) < 3:
        return dict.fromkeys(names, float("nan"))
    measured, agreement, clearance = winding_numbers(rebase(left, frequency))
    turns = layer.symmetry.turns(measured) if layer.symmetry else measured
    distance = float(np.mean(torus_distance(layer_phases(layer, group)[0], len(coordinate))))
    values = (*turns, agreement, clearance, measured == layer.signs, distance)
    return {name: float(value) for name, value in zip(names, values, strict=True)}


def layer_phases(layer: Layer, group: NeuronGroup) -> tuple[np.ndarray, np.ndarray]:
    """Phase alignment distribution of a group by argmax and by centroid, (n_neurons, 2) each, in steps of 1 / p turn.

    Numbers of an input that the task subtracts are negated, so that equal phases are on the diagonal for every task.
    """
    values = layer.preactivations[:, :, group.neurons]
    own, frequency = quotient(layer.symmetry.as_sum(values) if layer.symmetry else values, group.frequency)
    step = len(values) // len(own)
    return step * argmax_pairs(own, frequency), step * centroid_pairs(own, frequency)


def _plane(z: np.ndarray) -> np.ndarray:
    return np.stack([z.real.ravel(), z.imag.ravel()], axis=1)


def verdict_columns(verdict: ManifoldVerdict, symmetry: Symmetry | None = None) -> dict[str, Any]:
    """Columns of a cloud's label in a table: all that was found but the diagrams.

    With the task's symmetry, windings are turns along the tokens' own order: (2, 3) for ``2 a + 3 b``.
    """
    names = (
        "label forced_label confidence hole hole_upper_bound rank fine_rank share sigma agreement reason "
        "h1_persistence h2_persistence n_points_used"
    )
    columns = {name: getattr(verdict, name) for name in names.split()}
    loops = verdict.winding_matrix or ([verdict.winding] if verdict.winding else [])
    turns = tuple(symmetry.turns(loop) if symmetry else loop for loop in loops)
    columns["winding"] = str(turns if len(turns) > 1 else turns[0]) if turns else ""
    return columns | {f"betti_{k}": value for k, value in enumerate(verdict.betti)}
