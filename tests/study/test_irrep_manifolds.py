"""Neuron groups of power networks: irreps and frequencies, and the manifolds that theory gives them."""

from dataclasses import replace

import numpy as np
import pytest

import topomod
from topomod.study.irrep_manifolds import manifold_summary, margin_manifold_rows

GroupComposition = topomod.GroupComposition


def labels(circuit: topomod.Circuit, site: str) -> set[str]:
    rows = margin_manifold_rows([circuit], 2)
    return set(rows.loc[rows["site"] == site, "label"])


def test_a_cyclic_group_is_modular_addition() -> None:
    circuit = topomod.max_margin_network(topomod.ModularAddition(p=11))
    rng = np.random.default_rng(0)
    shuffled = rng.permutation(len(circuit.weights["W_in"]))
    circuit = replace(circuit, weights={name: value[shuffled] for name, value in circuit.weights.items()})
    group = replace(circuit, task=GroupComposition("C11"))
    by_frequency = [g for g in topomod.group_neurons(circuit) if g.order == 1]
    assert [str(g.frequency) for g in by_frequency] == [g.irrep for g in topomod.irrep_groups(circuit)]
    for found, same, other in zip(
        topomod.irrep_groups(group), topomod.irrep_groups(circuit), by_frequency, strict=True
    ):
        np.testing.assert_array_equal(found.neurons, other.neurons)
        np.testing.assert_array_equal(same.neurons, other.neurons)
        for site in ("preactivations", "logits"):
            np.testing.assert_array_equal(topomod.manifold(group, found, site), topomod.manifold(circuit, other, site))
    a, b = (margin_manifold_rows([c], 2) for c in (circuit, group))
    assert a.equals(b) and len(a) == 10
    (row,) = manifold_summary(a)
    assert {site: cell["labels"] for site, cell in row["sites"].items()} == {
        "preactivations": {"torus": 5},
        "logits": {"circle": 5},
    }
    assert labels(group, "preactivations") == {"torus"} and labels(group, "logits") == {"circle"}


def test_a_dihedral_irrep_is_two_circles() -> None:
    rows = margin_manifold_rows([topomod.max_margin_network(GroupComposition("D17"))], 2)
    logits = rows[rows["site"] == "logits"]
    assert len(logits) == 8 and set(logits["rank"]) == {4}
    # O(2): rotations and reflections, a circle each
    assert logits[["betti_0", "betti_1", "betti_2"]].to_numpy().tolist() == [[2, 2, 0]] * 8
    assert set(logits["label"]) == {"uncertain"} and set(logits["forced_label"]) == {"other"}
    summary = manifold_summary(rows)
    assert len(summary) == 8 and summary[0]["sites"]["logits"]["betti"] == (2, 2, 0)
    assert (
        summary[0]["sites"]["logits"]["labels"] == {"uncertain": 1}
        and "few for rank 4" in summary[0]["sites"]["logits"]["reason"]
    )


def test_few_points_are_uncertain_and_lines_have_no_manifold() -> None:
    rows = margin_manifold_rows([topomod.max_margin_network(GroupComposition("S4"))], 2)
    assert set(rows["irrep"]) == {"(3,1)", "(2,2)", "(2,1,1)"} and set(rows["label"]) == {"uncertain"}
    own = rows[(rows["irrep"] == "(2,2)") & (rows["site"] == "logits")]
    assert own["reason"].tolist() == ["only 6 distinct points"]  # S4 over its normal subgroup of four


def test_more_neurons_than_pairs_change_nothing() -> None:
    circuit = topomod.max_margin_network(GroupComposition("Q8"))
    twice = replace(circuit, weights={name: np.repeat(value, 2, axis=0) for name, value in circuit.weights.items()})
    rows, same = (margin_manifold_rows([c], 2) for c in (twice, circuit))
    assert rows["n_neurons"].max() == 128 > 8 * 8 and rows["label"].equals(same["label"])


def test_what_has_no_irreps_has_no_groups() -> None:
    parity = topomod.max_margin_network(topomod.SparseParity(n=4, k=2))
    three = topomod.max_margin_network(topomod.ModularAddition(p=5, k=3))
    rows = margin_manifold_rows([parity, three], 2)
    assert rows.empty and "irrep" in rows and manifold_summary(rows) == []
    with pytest.raises(ValueError, match="which has no irreps of a group"):
        topomod.irrep_groups(three)
    circuit = topomod.max_margin_network(GroupComposition("S3"))
    with pytest.raises(ValueError, match="learnt S3, which has no frequencies of two inputs"):
        topomod.group_neurons(circuit)
    with pytest.raises(ValueError, match="no readout: .* not for irreps"):
        topomod.manifold(circuit, topomod.irrep_groups(circuit, 2)[0], "readout")


def test_dead_and_few_neurons_are_in_no_group() -> None:
    circuit = topomod.max_margin_network(GroupComposition("D5"))
    assert [group.irrep for group in topomod.irrep_groups(circuit, 3)] == ["E1", "E2"]
    weak = {name: value * np.r_[1e-3, np.ones(len(value) - 1)][:, None] for name, value in circuit.weights.items()}
    assert 0 not in np.concatenate([g.neurons for g in topomod.irrep_groups(replace(circuit, weights=weak), 1)])
