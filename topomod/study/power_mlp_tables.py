"""Tables of what power networks learnt: how near the largest normalized margin, and how pure neurons are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from topomod.mechanisms.normalized_margin import known_max_margin, normalized_margin
from topomod.networks.architectures import ARCHITECTURES
from topomod.networks.circuit import Circuit
from topomod.neurons.features import (
    contributions,
    live_neurons,
    neuron_features,
    neuron_irreps,
    neuron_norms,
)
from topomod.tasks.irrep_strengths import irrep_strengths, strength_costs
from topomod.tasks.irreps import real_irreps
from topomod.tasks.task import FiniteGroup
from topomod.training.recipes import MarginRecipe


def margin_circuit_rows(circuits: Sequence[Circuit], seed: int = 0) -> pd.DataFrame:
    """One row for each power network.

    Columns ``task, architecture, seed, step, converged, reason, accuracy, loss``; ``margin``, the normalized margin;
    ``margin_ratio``, its share of :func:`topomod.max_margin` (NaN for ReLU, and where the theory has no value);
    ``expected_margin_ratio``, that share at the optimum of the recipe's last regularisation, 1 except for finite groups
    (NaN without recipe); ``n_neurons``, ``n_dead``; then by task, over live neurons, "weighted" by their
    contributions (norm to the homogeneity):

    * addition: ``single_frequency_share`` (neurons with over 95 % of their power at one frequency),
      ``median_max_power``, ``phase_error`` (weighted mean, radians), ``n_frequencies``, ``shared_frequency`` (share
      of neurons whose inputs and output all have the same best frequency);
    * parity: ``support_mass``, ``magnitude_spread``, ``balance`` (weighted means);
    * finite groups: ``best_irrep_share`` (mean) and ``best_irrep_baseline``, that of random neurons.

    Parameters
    ----------
    circuits : sequence of Circuit
        ``power_mlp`` or ``relu_mlp``, of any tasks.
    seed : int
        Seed of the random baseline.

    Raises
    ------
    ValueError
        If a circuit is of another architecture.

    References
    ----------
    Morwani et al., arXiv 2311.07568; Li et al., arXiv 2402.09469.
    """
    return pd.DataFrame([_common(circuit) | _features(circuit, seed) for circuit in circuits])


def _common(circuit: Circuit) -> dict[str, Any]:
    alive, margin = live_neurons(circuit), normalized_margin(circuit)
    loss = circuit.history.get("loss")
    return _who(circuit) | {
        "converged": circuit.converged,
        "reason": circuit.reason,
        "accuracy": circuit.accuracy(),
        "loss": float("nan") if loss is None else float(loss[-1]),
        "margin": margin,
        "margin_ratio": margin / known_max_margin(circuit.architecture, circuit.task),
        "expected_margin_ratio": _expected(circuit),
        "n_neurons": len(alive),
        "n_dead": int(np.sum(~alive)),
    }


def _who(circuit: Circuit) -> dict[str, Any]:
    return {"task": str(circuit.task), "architecture": circuit.label, "seed": circuit.seed, "step": circuit.step}


def _expected(circuit: Circuit) -> float:
    """Margin ratio that a network of any width has at the optimum of its last regularisation."""
    largest = known_max_margin(circuit.architecture, circuit.task)
    if not isinstance(circuit.recipe, MarginRecipe) or not largest > 0:
        return float("nan")
    return circuit.task.margin_at(circuit.recipe.regularization(circuit.step)) / largest


def _trained_strengths(circuit: Circuit, finite_group: FiniteGroup) -> dict[str, float] | None:
    """Strengths of irreps at the optimum of the last regularisation; None where the theory has no value."""
    known = ARCHITECTURES[circuit.architecture].max_margin_known
    if not known or not isinstance(circuit.recipe, MarginRecipe):
        return None
    return irrep_strengths(finite_group, circuit.recipe.regularization(circuit.step))


def _features(circuit: Circuit, seed: int) -> dict[str, Any]:
    alive = live_neurons(circuit)
    weights = np.where(alive, contributions(circuit), 0)
    return neuron_features(circuit).summary(alive, weights, seed) if alive.any() else {}


def margin_neuron_rows(circuits: Sequence[Circuit]) -> pd.DataFrame:
    """One row for each live neuron of power networks.

    Columns ``task, architecture, seed, neuron, norm``; ``feature``, the frequency or the irrep's name that holds
    most of the neuron's power ("support" for parity); ``max_power``, the share it holds; ``phase_error`` in radians
    for addition, else NaN.

    Parameters
    ----------
    circuits : sequence of Circuit
        ``power_mlp`` or ``relu_mlp``, of any tasks.
    """
    tables = []
    for circuit in circuits:
        norms = neuron_norms(circuit)
        found = neuron_features(circuit)
        columns = {"neuron": np.arange(len(norms)), "norm": norms, "feature": found.names}
        columns |= {"max_power": found.max_power, "phase_error": found.phase_error}
        table = pd.DataFrame(_who(circuit) | columns)
        tables.append(table[live_neurons(circuit)])
    return pd.concat(tables, ignore_index=True)


def margin_irrep_rows(circuits: Sequence[Circuit]) -> pd.DataFrame:
    """One row for each real irrep of each network that learnt a finite group.

    Columns ``task, architecture, seed, irrep, dimension, commutant, n_neurons`` (live ones that hold most of their
    power there) and three shares of the sum of the neurons' contributions: ``share``, what lies in the irrep;
    ``expected_share``, at the optimum of the recipe's last regularisation (NaN without recipe and for ReLU);
    ``limit_share``, at the largest normalized margin of a ``power_mlp``. 0 says that the irrep is not used.

    Parameters
    ----------
    circuits : sequence of Circuit
        ``power_mlp`` or ``relu_mlp`` that learnt a finite group.

    Raises
    ------
    ValueError
        If a circuit learnt something else, also if it adds mod p: its irreps are frequencies.
    """
    rows = []
    for circuit in circuits:
        finite_group = circuit.task.finite_group
        if finite_group is None or circuit.task.modulus is not None:
            raise ValueError(f"{circuit.label} learnt {circuit.task}, which has no irreps of a group")
        shares = neuron_irreps(circuit).shares
        best = shares[live_neurons(circuit)].argmax(axis=1)
        size = contributions(circuit)
        found = size @ shares / max(size.sum(), np.finfo(np.float64).tiny)
        expected = _cost_shares(finite_group, _trained_strengths(circuit, finite_group))
        known = ARCHITECTURES[circuit.architecture].max_margin_known
        limit = _cost_shares(finite_group, irrep_strengths(finite_group) if known else None)
        for i, irrep in enumerate(real_irreps(finite_group)):
            own = {"irrep": irrep.name, "dimension": irrep.dimension, "commutant": irrep.commutant}
            own |= {"n_neurons": int(np.sum(best == i)), "share": found[i]}
            own |= {"expected_share": expected[irrep.name], "limit_share": limit[irrep.name]}
            rows.append(_who(circuit) | own)
    return pd.DataFrame(rows)


def _cost_shares(finite_group: FiniteGroup, strengths: dict[str, float] | None) -> dict[str, float]:
    """Each irrep's share of the cost of given strengths; NaN where there are none."""
    names = (irrep.name for irrep in real_irreps(finite_group))
    costs = strength_costs(finite_group, strengths or dict.fromkeys(names, float("nan")))
    total = sum(costs.values())
    # a regularisation so strong that nothing is learnt leaves no cost to share
    return {name: cost / total if total > 0 else float("nan") for name, cost in costs.items()}


def circuit_table(circuits: Sequence[Circuit], _min_neurons: int) -> pd.DataFrame:
    """Table ``measures`` of a shard."""
    return margin_circuit_rows(circuits)


def neuron_table(circuits: Sequence[Circuit], _min_neurons: int) -> pd.DataFrame:
    """Table ``neurons`` of a shard."""
    return margin_neuron_rows(circuits)


def irrep_table(circuits: Sequence[Circuit], _min_neurons: int) -> pd.DataFrame | None:
    """Table ``irreps`` of a shard; None where features are no irreps of a finite group."""
    task = circuits[0].task
    return None if task.finite_group is None or task.modulus is not None else margin_irrep_rows(circuits)
