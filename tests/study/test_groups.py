"""Tables of a real shard, at prime, even and composite p."""

import numpy as np
import pytest

import topomod
from topomod.networks.circuit import Circuit
from topomod.neurons.sites import layer_cloud
from topomod.study.endpoints import circuit_endpoints
from topomod.study.groups import analyse_groups, first_layer
from topomod.study.homology import analyse_homology
from topomod.training.recipes import Recipe


def test_tables_agree_with_the_library(trained: dict[str, Circuit]) -> None:
    circuit = trained["mlp_concat"]
    circuits, groups, phases = analyse_groups([circuit], min_neurons=10)
    assert circuits["accuracy"].item() == circuit.accuracy() == 1.0
    assert circuits["distance_irrelevance"].item() == pytest.approx(topomod.distance_irrelevance(circuit))
    by_frequency = {g.frequency: g for g in topomod.group_neurons(circuit) if g.order == 1}
    for row in groups.to_dict("records"):
        group = by_frequency[row["frequency"]]
        X = topomod.manifold(circuit, group)
        torus = topomod.reference_manifold("torus", 23, group.frequency)
        assert row["torus_cka"] == pytest.approx(topomod.linear_cka(X, torus), abs=1e-6)
        assert row["phase_coherence"] == pytest.approx(group.coherence)
    assert len(phases) == groups["n_neurons"].sum()
    assert phases[["a", "b"]].to_numpy().max() < 23


def test_group_logits_and_rest_sum_to_the_logits(trained: dict[str, Circuit]) -> None:
    layer = first_layer(trained["mlp_add"])
    groups = topomod.group_neurons(trained["mlp_add"], min_neurons=1)
    parts = [layer_cloud(layer, group, "logits") for group in groups]
    dead = np.ones(512, dtype=bool)
    dead[np.concatenate([group.neurons for group in groups])] = False
    silent = layer.activations[:, :, dead] @ layer.readout[:, dead].T
    everything = sum(parts) + silent.reshape(parts[0].shape)
    assert np.allclose(everything.reshape(layer.logits.shape), layer.logits, atol=1e-3)


def test_homology_rows(trained: dict[str, Circuit]) -> None:
    verdicts, diagrams = analyse_homology([trained["mlp_concat"]], min_neurons=10)
    assert set(verdicts["site"]) == {"preactivations", "logits"}
    assert (diagrams["death"] - diagrams["birth"] >= 0.02).all()
    assert (verdicts["hole_upper_bound"] >= verdicts["hole"]).all()


@pytest.mark.parametrize("p", [15, 16])
def test_composite_and_even_moduli_work(p: int) -> None:
    recipe = Recipe(steps=300, max_steps=600, train_fraction=0.95)
    circuits = topomod.train("mlp_concat", topomod.ModularAddition(p=p), [0, 1], recipe=recipe, device="cpu")
    tables = analyse_groups(circuits, min_neurons=5)
    verdicts, _ = analyse_homology(circuits, min_neurons=5)
    left = tables[1]["frequency"].map(
        lambda f: p // np.gcd(f, p)
    )  # values of each input that the frequency tells apart
    assert tables[1].loc[left < 3, "torus_distance"].isna().all()
    whole = tables[1].loc[left >= 3]
    assert whole["torus_distance"].between(0, p / 2).all()
    # the logits of a weak group are no circle, and wind as they like
    assert (whole.loc[whole["logit_circle_cka"] > 0.7, "winding_is_sum"] == 1).all()
    endpoints = circuit_endpoints(tables[0], tables[1], verdicts)
    assert endpoints[endpoints["endpoint"] == "torus_cka"]["value"].notna().all()


def test_a_circuit_without_groups_gives_empty_tables(trained: dict[str, Circuit]) -> None:
    circuits, groups, phases = analyse_groups([trained["mlp_add"]], min_neurons=1000)
    verdicts, diagrams = analyse_homology([trained["mlp_add"]], min_neurons=1000)
    assert len(circuits) == 1 and len(groups) == len(phases) == len(verdicts) == len(diagrams) == 0
    endpoints = circuit_endpoints(circuits, groups, verdicts).set_index("endpoint")
    assert np.isnan(endpoints.loc["disc_cka", "value"]) and endpoints.loc["n_groups", "value"] == 0
