"""Subgroups, and functions that are constant on cosets."""

import numpy as np
import pytest
from sympy.combinatorics import Permutation, PermutationGroup

import topomod
from topomod.neurons.features import share_by_irrep
from topomod.neurons.irrep_groups import input_parts
from topomod.study.irrep_columns import irrep_columns, neuron_structure
from topomod.tasks.cosets import coset_concentration, coset_partitions, subgroups
from topomod.tasks.irreps import real_irreps

# numbers of all subgroups, the trivial one and the whole group among them (OEIS A005432 for S_n; GroupNames for others)
NUMBERS = {"S3": 6, "S4": 30, "A4": 10, "Q8": 6, "D7": 10, "C12": 6, "C3xC3": 6, "Dic3": 8, "C2xC2xC2": 16}


@pytest.mark.parametrize("name", NUMBERS)
def test_every_subgroup_is_found(name: str) -> None:
    group = topomod.GroupComposition(name)
    found, table = subgroups(group), group.targets()
    assert len(found) + 2 == len(set(found)) + 2 == NUMBERS[name]
    for subgroup in found:
        inside = sorted(subgroup)
        assert set(table[np.ix_(inside, inside)].ravel()) == subgroup and group.order % len(subgroup) == 0


@pytest.mark.parametrize("name", ["D5", "Dic3", "Dic4", "S3xC2", "C3xC3", "A4xC2"])
def test_groups_are_those_of_sympy(name: str) -> None:
    group = topomod.GroupComposition(name)
    elements, table = group.elements(), group.targets()
    rows = [Permutation(row.tolist()) for row in elements]
    known = PermutationGroup(rows)
    assert known.order() == group.order == len(set(map(tuple, elements.tolist())))
    assert known.is_abelian == np.array_equal(table, table.T)
    orders = sorted(row.order() for row in rows)
    assert {"Dic3": orders.count(4) == 6, "C3xC3": orders.count(3) == 8}.get(name, True)
    for a, b in ((1, 2), (3, 1), (group.order - 1, 2)):
        assert rows[table[a, b]] == rows[b] * rows[a]  # sympy applies the left one first


def test_functions_of_cosets_are_concentrated_and_random_ones_are_not() -> None:
    group, rng = topomod.GroupComposition("S4"), np.random.default_rng(0)
    partitions = list(coset_partitions(group))
    assert len(partitions) == 2 * len(subgroups(group))
    on_cosets = np.stack([rng.standard_normal(number.max() + 1)[number] for number in partitions])
    assert coset_concentration(on_cosets, group) == pytest.approx(1)
    random = coset_concentration(rng.standard_normal((200, 24)), group)
    assert 0.2 < random.mean() < 0.7 and random.max() < 0.99
    assert np.isnan(coset_concentration(np.ones((1, 24)), group)).all()
    assert coset_concentration(rng.standard_normal(7), topomod.GroupComposition("C7")) == 0  # no subgroups


def test_concentration_does_not_depend_on_the_order_of_elements() -> None:
    group, order = topomod.GroupComposition("D5"), np.random.default_rng(1).permutation(10)
    table = topomod.CayleyTable(np.argsort(order)[group.targets()[np.ix_(order, order)]])
    u = np.random.default_rng(2).standard_normal((5, 10))
    assert np.allclose(coset_concentration(u, group), coset_concentration(u[:, order], table))


def test_neurons_of_one_irrep_are_told_apart_by_what_they_make_of_each_input() -> None:
    group = topomod.GroupComposition("S4")
    network = topomod.max_margin_network(group)
    by_weights = {one.irrep: set(one.neurons.tolist()) for one in topomod.irrep_groups(network, 1)}
    alive, parts = input_parts(network.preactivations())
    names = [irrep.name for irrep in real_irreps(group)]
    best = share_by_irrep(parts, real_irreps(group)).argmax(axis=1)
    assert alive.all() and all(
        set(np.flatnonzero(best == names.index(name))) == own for name, own in by_weights.items()
    )
    shares, concentration = neuron_structure(parts, group)
    assert shares == pytest.approx(1) and (concentration > 0.2).all()
    columns = irrep_columns(network.preactivations(), group, 1)
    assert columns["best_irrep_share"] == pytest.approx(1) and columns["n_irreps"] == len(by_weights) == 4
    assert columns["best_irrep_chance"] < 0.6


def test_pair_networks_have_groups_of_irreps() -> None:
    size, recipe = topomod.NetworkSize(32, 96, 2), topomod.Recipe(steps=200, max_steps=200, train_fraction=0.95)
    for task in (topomod.GroupComposition("D5"), topomod.ModularAddition(11)):
        (circuit,) = topomod.train("mlp_concat", task, [0], size=size, recipe=recipe, device="cpu")
        groups = topomod.irrep_groups(circuit)
        neurons = np.concatenate([group.neurons for group in groups])
        assert len(groups) >= 2 and len(set(neurons)) == len(neurons) > 60
        assert {group.irrep for group in groups} <= {irrep.name for irrep in real_irreps(task.finite_group)}
    by_frequency = {str(g.frequency): set(g.neurons) for g in topomod.group_neurons(circuit) if g.order == 1}
    for group in groups:  # of addition: irreps are frequencies
        assert len(set(group.neurons) & by_frequency.get(group.irrep, set())) >= 0.9 * len(group.neurons)


def test_large_groups_are_refused() -> None:
    with pytest.raises(ValueError, match="subgroups are found up to order 120, found S6 of order 720"):
        subgroups(topomod.GroupComposition("S6"))
