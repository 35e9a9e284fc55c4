"""Tables of what power networks learnt: how near the largest margin, and how pure the neurons are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from topomod.mechanisms.normalized_margin import known_max_margin, normalized_margin
from topomod.networks.circuit import Circuit
from topomod.neurons.features import (
    contributions,
    live_neurons,
    neuron_frequencies,
    neuron_irreps,
    neuron_norms,
    neuron_supports,
    random_best_share,
)
from topomod.tasks.addition import ModularAddition
from topomod.tasks.finite_group import GroupComposition
from topomod.tasks.irrep_strengths import irrep_strengths, margin_of_strengths, strength_costs
from topomod.tasks.irreps import real_irreps
from topomod.training.recipes import MarginRecipe

SINGLE = 0.95  # share of a neuron's power at one frequency from which it counts as single-frequency


def margin_circuit_rows(circuits: Sequence[Circuit], seed: int = 0) -> pd.DataFrame:
    """One row for each power network.

    Columns ``task, architecture, seed, step, converged, reason, accuracy, loss``; ``margin`` and ``margin_ratio``,
    its share of :func:`topomod.max_margin` (NaN for ReLU, and where the theory has no value);
    ``expected_margin_ratio``, that share at the optimum of the recipe's last regularisation, 1 except for groups
    (NaN without recipe); ``n_neurons``, ``n_dead``; then by task, over live neurons, "weighted" by their
    contributions (norm to the homogeneity):

    * addition: ``single_frequency_share`` (neurons with over 95 % of their power at one frequency),
      ``median_max_power``, ``phase_error`` (weighted mean, radians), ``n_frequencies``, ``shared_frequency`` (share
      of neurons whose inputs and output all have the same best frequency);
    * parity: ``support_mass``, ``magnitude_spread``, ``balance`` (weighted means);
    * groups: ``best_irrep_share`` (mean) and ``best_irrep_baseline``, that of random neurons.

    Parameters
    ----------
    circuits : sequence of Circuit
        ``power_mlp`` or ``relu_mlp``, of any tasks.
    seed : int
        Of the random baseline.

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
    """Share of the largest margin that a network of any width has at the optimum of its last regularisation."""
    strengths, largest = _trained_strengths(circuit), known_max_margin(circuit.architecture, circuit.task)
    if strengths is not None and isinstance(circuit.task, GroupComposition):
        return margin_of_strengths(circuit.task, strengths) / largest
    # elsewhere one strength fits all features, by symmetry, and only scale depends on the regularisation
    return 1.0 if isinstance(circuit.recipe, MarginRecipe) and largest > 0 else float("nan")


def _trained_strengths(circuit: Circuit) -> dict[str, float] | None:
    """Strengths of irreps at the optimum of the last regularisation; None where the theory is silent."""
    known = circuit.architecture == "power_mlp" and isinstance(circuit.recipe, MarginRecipe)
    if not known or not isinstance(circuit.task, GroupComposition):
        return None
    assert isinstance(circuit.recipe, MarginRecipe)
    return irrep_strengths(circuit.task, circuit.recipe.regularization(circuit.step))


def _features(circuit: Circuit, seed: int) -> dict[str, Any]:
    alive = live_neurons(circuit)
    weight = np.where(alive, contributions(circuit), 0)
    if not alive.any():
        return {}
    if isinstance(circuit.task, ModularAddition):
        found = neuron_frequencies(circuit)
        return {
            "single_frequency_share": float(np.mean(found.max_power[alive] > SINGLE)),
            "median_max_power": float(np.median(found.max_power[alive])),
            "phase_error": float(np.average(found.phase_error, weights=weight)),
            "n_frequencies": len(np.unique(found.frequency[alive])),
            "shared_frequency": float(np.mean(found.shared[alive])),
        }
    if isinstance(circuit.task, GroupComposition):
        best = neuron_irreps(circuit)[alive, 1:].max(axis=1)
        return {
            "best_irrep_share": float(best.mean()),
            "best_irrep_baseline": random_best_share(circuit.task, seed),
        }
    return {name: float(np.average(values, weights=weight)) for name, values in vars(neuron_supports(circuit)).items()}


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
        phase_error = np.full(len(norms), np.nan)
        if isinstance(circuit.task, ModularAddition):
            found = neuron_frequencies(circuit)
            feature, max_power, phase_error = found.frequency.astype(str), found.max_power, found.phase_error
        elif isinstance(circuit.task, GroupComposition):
            shares = neuron_irreps(circuit)
            names = np.array([irrep.name for irrep in real_irreps(circuit.task)])
            feature, max_power = names[shares.argmax(axis=1)], shares.max(axis=1)
        else:
            feature, max_power = np.full(len(norms), "support"), neuron_supports(circuit).support_mass
        columns = {"neuron": np.arange(len(norms)), "norm": norms, "feature": feature, "max_power": max_power}
        table = pd.DataFrame(_who(circuit) | columns | {"phase_error": phase_error})
        tables.append(table[live_neurons(circuit)])
    return pd.concat(tables, ignore_index=True)


def margin_irrep_rows(circuits: Sequence[Circuit]) -> pd.DataFrame:
    """One row for each real irrep of each network that learnt a group.

    Columns ``task, architecture, seed, irrep, dimension, commutant, n_neurons`` (live ones that hold most of their
    power there) and three shares of the sum of the neurons' contributions: ``share``, what lies in the irrep;
    ``expected_share``, at the optimum of the recipe's last regularisation (NaN without recipe and for ReLU);
    ``limit_share``, at the largest margin of a ``power_mlp``. 0 says that the irrep is not used.

    Parameters
    ----------
    circuits : sequence of Circuit
        ``power_mlp`` or ``relu_mlp`` that learnt a :class:`GroupComposition`.

    Raises
    ------
    ValueError
        If a circuit learnt something else.
    """
    rows = []
    for circuit in circuits:
        if not isinstance(circuit.task, GroupComposition):
            raise ValueError(f"{circuit.label} learnt {circuit.task}, which has no irreps of a group")
        shares = neuron_irreps(circuit)
        best = shares[live_neurons(circuit)].argmax(axis=1)
        size = contributions(circuit)
        found = size @ shares / max(size.sum(), np.finfo(np.float64).tiny)
        expected = _cost_shares(circuit.task, _trained_strengths(circuit))
        known = circuit.architecture == "power_mlp"
        limit = _cost_shares(circuit.task, irrep_strengths(circuit.task) if known else None)
        for i, irrep in enumerate(real_irreps(circuit.task)):
            own = {"irrep": irrep.name, "dimension": irrep.dimension, "commutant": irrep.commutant}
            own |= {"n_neurons": int(np.sum(best == i)), "share": found[i]}
            own |= {"expected_share": expected[irrep.name], "limit_share": limit[irrep.name]}
            rows.append(_who(circuit) | own)
    return pd.DataFrame(rows)


def _cost_shares(task: GroupComposition, strengths: dict[str, float] | None) -> dict[str, float]:
    """Each irrep's share of the cost of given strengths; NaN where there are none."""
    costs = strength_costs(task, strengths or dict.fromkeys((i.name for i in real_irreps(task)), float("nan")))
    total = sum(costs.values())
    # a regularisation so strong that nothing is learnt leaves no cost to share
    return {name: cost / total if total > 0 else float("nan") for name, cost in costs.items()}
