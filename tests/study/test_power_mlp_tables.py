"""Tables of power networks, on networks whose features are known."""

from dataclasses import replace

import numpy as np
import pytest

import topomod
from topomod.networks.circuit import Circuit
from topomod.neurons.features import live_neurons, neuron_frequencies, random_best_share
from topomod.tasks.addition import ModularAddition
from topomod.tasks.finite_group import GroupComposition
from topomod.tasks.parity import SparseParity


def rows(*circuits: Circuit) -> list[dict]:
    return topomod.margin_circuit_rows(circuits).to_dict("records")


@pytest.mark.parametrize(("p", "k"), [(11, 2), (7, 3), (5, 4)])
def test_addition_at_the_optimum(p: int, k: int) -> None:
    (row,) = rows(topomod.max_margin_network(ModularAddition(p, k)))
    assert row["accuracy"] == 1 and row["converged"] and row["n_dead"] == 0
    assert row["margin_ratio"] == pytest.approx(1, rel=1e-10)
    assert row["single_frequency_share"] == row["shared_frequency"] == 1
    assert row["median_max_power"] == pytest.approx(1, abs=1e-12)
    assert row["phase_error"] == pytest.approx(0, abs=1e-7)
    assert row["n_frequencies"] == (p - 1) // 2
    assert np.isnan(row["loss"]) and row["seed"] is None


def test_parity_at_the_optimum() -> None:
    (row,) = rows(topomod.max_margin_network(SparseParity(6, 3)))
    found = [row[name] for name in ("margin_ratio", "support_mass", "balance", "magnitude_spread")]
    assert found == pytest.approx([1, 1, 1, 0], abs=1e-12)


@pytest.mark.parametrize("name", ["S3", "A4", "Q8", "A5"])
def test_groups_at_the_optimum(name: str) -> None:
    network = topomod.max_margin_network(GroupComposition(name))
    (row,) = rows(network)
    assert row["margin_ratio"] == pytest.approx(1, rel=1e-10)
    assert row["best_irrep_share"] == pytest.approx(1, abs=1e-12)
    table = topomod.margin_irrep_rows([network])
    assert np.allclose(table["share"], table["limit_share"], rtol=0, atol=1e-12)
    assert table["share"].sum() == pytest.approx(1, abs=1e-12)
    assert table["expected_share"].isna().all() and np.isnan(row["expected_margin_ratio"])
    assert table["n_neurons"].sum() == len(network.weights["W_U"])
    assert (table["n_neurons"] == 0).tolist() == (table["limit_share"] == 0).tolist()


def test_random_baseline() -> None:
    """Single random functions have the best shares of the theory's check; three together are nearer the mean."""
    for name, expected in (("S4", 0.47), ("S5", 0.31), ("C11", 0.42), ("A4", 0.76)):
        assert random_best_share(GroupComposition(name), n_parts=1) == pytest.approx(expected, abs=0.015)
        assert random_best_share(GroupComposition(name)) < expected
    again = [random_best_share(GroupComposition("S3"), seed) for seed in (0, 0, 1)]
    assert again[0] == again[1] != again[2]


def test_wrong_phases_and_mixed_frequencies_are_seen() -> None:
    network = topomod.max_margin_network(ModularAddition(11))
    turned = replace(network, weights=network.weights | {"W_U": np.roll(network.weights["W_U"], 1, axis=1)})
    assert neuron_frequencies(turned).phase_error.max() == pytest.approx(
        10 * np.pi / 11, abs=1e-9
    )  # f = 5: 2 pi 5 / 11
    mixed = {name: value + np.roll(value, 8, axis=0) for name, value in network.weights.items()}
    (row,) = rows(replace(network, weights=mixed))
    assert row["single_frequency_share"] == 0 and row["median_max_power"] == pytest.approx(0.5, abs=1e-9)


def test_dead_neurons_do_not_count() -> None:
    network = topomod.max_margin_network(ModularAddition(7))
    noise = np.random.default_rng(0).standard_normal((3, 14))
    weights = {
        "W_in": np.concatenate([network.weights["W_in"], 1e-2 * noise]),
        "W_U": np.concatenate([network.weights["W_U"], 1e-2 * noise[:, :7]]),
    }
    circuit = replace(network, weights=weights)
    (row,) = rows(circuit)
    assert (row["n_neurons"], row["n_dead"], row["single_frequency_share"]) == (27, 3, 1)
    table = topomod.margin_neuron_rows([circuit])
    assert len(table) == 24 and table["neuron"].max() == 23 and set(table["feature"]) == {"1", "2", "3"}
    none = {name: np.zeros_like(value) for name, value in weights.items()}
    empty = replace(network, weights=none)
    assert not live_neurons(empty).any() and len(topomod.margin_neuron_rows([empty])) == 0
    (row,) = rows(empty)
    assert np.isnan(row["margin"]) and row["n_dead"] == 27


def test_neuron_rows_of_all_tasks() -> None:
    tasks = ModularAddition(5), SparseParity(4, 2), GroupComposition("S3")
    table = topomod.margin_neuron_rows([topomod.max_margin_network(task) for task in tasks])
    assert table.groupby("task", sort=False).size().tolist() == [16, 2, 18]
    assert set(table["feature"]) == {"1", "2", "support", "(2,1)", "(1,1,1)"}
    assert np.allclose(table["max_power"], 1)
    assert table["phase_error"].notna().sum() == 16


def test_theory_has_no_value_for_relu_and_even_moduli() -> None:
    rng = np.random.default_rng(0)
    weights = {"W_in": rng.standard_normal((5, 12)), "W_U": rng.standard_normal((5, 6))}
    found = rows(*(Circuit(name, ModularAddition(6), weights, seed=3) for name in ("power_mlp", "relu_mlp")))
    assert all(np.isnan(row["margin_ratio"]) and np.isfinite(row["margin"]) for row in found)


def test_refusals(trained: dict[str, Circuit]) -> None:
    with pytest.raises(ValueError, match="power_mlp or relu_mlp, found mlp_add"):
        topomod.margin_circuit_rows([trained["mlp_add"]])
    with pytest.raises(ValueError, match="power_mlp or relu_mlp, found mlp_add"):
        topomod.margin_neuron_rows([trained["mlp_add"]])
    with pytest.raises(ValueError, match="power_mlp learnt parity_.*no irreps of a group"):
        topomod.margin_irrep_rows([topomod.max_margin_network(SparseParity(3, 2))])
