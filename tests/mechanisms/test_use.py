"""Whether a circuit uses its manifolds, against theory, a decoy, clock and pizza, and the losses of other authors."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch

import topomod
from synthetic_study import make_circuit
from topomod.mechanisms.moves import SITE
from topomod.mechanisms.use import cross_entropy
from topomod.networks.circuit import Circuit
from topomod.neurons.fitted import halves
from topomod.report.analyze_lines import summary
from topomod.report.draw_moves import readable_shift
from topomod.report.plots_use import opposed_curves, steering_curves
from topomod.study.analyze import inspect_networks
from topomod.study.groups import analyse_groups
from topomod.study.use_columns import OPPOSED, STEERED, use_columns

TASKS = [topomod.ModularAddition(11), topomod.ModularOperation("a - b", 7), topomod.GroupComposition("S3")]


def groups_of(circuit: Circuit) -> list:
    find = topomod.group_neurons if circuit.task.symmetry else topomod.irrep_groups
    return find(circuit, min_neurons=1)


@pytest.mark.parametrize("task", TASKS, ids=str)
def test_an_ideal_network_uses_its_manifolds_and_nothing_else(task: object) -> None:
    circuit = topomod.max_margin_network(task)
    use, n = topomod.manifold_use(circuit, groups_of(circuit)), circuit.task.n_classes
    assert (use.sufficiency_accuracy, use.steering_share) == (1, 1) and np.all(use.shares == 1)
    assert use.sufficiency_r2 == pytest.approx(1) and use.off_manifold == pytest.approx(0, abs=1e-20)
    assert use.sufficiency_loss == pytest.approx(cross_entropy(circuit.logits(), circuit.task.targets()))
    assert use.necessity_loss == pytest.approx(np.log(n)) and use.steering_control < 0.4
    if circuit.task.symmetry:
        assert use.steering_phase_error == pytest.approx(0, abs=1e-10) and use.separability == pytest.approx(1)
    else:
        assert np.isnan(use.steering_phase_error) and np.isnan(use.separability)


def network(p: int, read: str, reach: float = 6.0) -> Circuit:
    """ReLU neurons of discs at three frequencies, and a weak one for each pair; the logits read one or the other."""
    x, phases = 2 * np.pi * np.arange(p) / p, 2 * np.pi * np.arange(16) / 16
    a, b = np.meshgrid(x, x, indexing="ij")
    discs = [
        np.cos(f * a[..., None] + phase) + np.cos(f * b[..., None] + phase) for f in (1, 2, 4) for phase in [phases]
    ]
    lookup = 1e-3 * (np.eye(p * p).reshape(p, p, -1) * 2 - 1)  # so weak that they are in no group
    targets = np.add.outer(np.arange(p), np.arange(p)) % p
    by_disc = np.concatenate([np.cos(f * x[:, None] + 2 * phases) for f in (1, 2, 4)], axis=1)
    by_pair = 1e3 * reach * np.eye(p)[targets.ravel()].T
    parts = {"disc": (reach * by_disc, 0 * by_pair), "pairs": (0 * by_disc, by_pair)}[read]
    pre, readout = np.concatenate([*discs, lookup], axis=-1), np.concatenate(parts, axis=1)
    logits = np.maximum(pre, 0) @ readout.T
    return topomod.from_activations(pre, logits, topomod.ModularAddition(p), readout=readout)


def test_a_decoy_has_the_same_geometry_and_another_use() -> None:
    """Both networks hold the same discs and are right; one looks every pair up, and its logits ignore the discs."""
    honest, decoy = network(13, "disc"), network(13, "pairs")
    assert honest.accuracy() == decoy.accuracy() == 1
    own, other = (topomod.group_neurons(circuit, min_neurons=10) for circuit in (honest, decoy))
    assert [group.frequency for group in own] == [group.frequency for group in other] == [1, 2, 4]
    assert np.array_equal(topomod.manifold(honest, own[0]), topomod.manifold(decoy, other[0]))
    used, unused = topomod.manifold_use(honest, own), topomod.manifold_use(decoy, other)
    assert used.sufficiency_accuracy == 1 and used.steering_share > 0.9 and used.necessity_accuracy < 0.2
    assert unused.sufficiency_accuracy < 0.2 and unused.steering_share == 0 and unused.necessity_accuracy == 1
    assert unused.off_manifold > 1 > 1e-6 > used.off_manifold
    drawn = [topomod.plots.plot_move(*pair, 6).to_frame() for pair in ((honest, own), (decoy, other))]
    went = [table.dropna(subset="share").set_index("steps")["share"] for table in drawn]
    assert went[0].idxmax() == 6 and went[1][0] == 1 and all(shares.sum() == pytest.approx(1) for shares in went)
    assert drawn[0][["pc1", "to_pc1"]].equals(drawn[1][["pc1", "to_pc1"]])
    first = own[0].neurons[:1]
    arrays = honest.preactivations()[:, :, first], honest.logits()
    alone = topomod.from_activations(*arrays, honest.task, readout=honest.readout()[:, first])
    table = topomod.plots.plot_move(alone, topomod.group_neurons(alone, min_neurons=1), 6).to_frame()
    assert table["pc2"].dropna().eq(0).all() and table["pc1"].dropna().ne(0).any()


def test_a_move_that_is_drawn_is_seen_in_every_group() -> None:
    """Each number turns by more than a sixteenth, and no shift that does turns it less."""
    symmetry = topomod.ModularAddition(59).symmetry
    assert symmetry is not None
    groups = topomod.group_neurons(topomod.max_margin_network(topomod.ModularAddition(59)))
    assert {group.frequency for group in groups} == set(range(1, 30))
    for group in groups:
        turns = group.frequency * halves(readable_shift(group, symmetry), 59)[0] / 59 % 1
        assert 1 / 16 < min(turns, 1 - turns) < 1 / 16 + 1 / 59


def test_clock_and_pizza_by_intervention() -> None:
    """ReLU neurons of a disc are a pizza in closed form; squared neurons of largest margin are a clock."""
    pizza = network(17, "disc")
    found = topomod.clock_position(pizza, topomod.group_neurons(pizza, min_neurons=10))
    assert found.position == pytest.approx(0, abs=0.01) and found.ci_low <= found.position <= found.ci_high
    np.testing.assert_allclose(found.measured, found.pizza, atol=0.02)
    ideal = topomod.max_margin_network(topomod.ModularOperation("a - b", 13))
    found = topomod.clock_position(ideal, groups_of(ideal))
    assert found.position == pytest.approx(1) and set(found.by_frequency) == set(range(1, 7))
    np.testing.assert_allclose(found.measured[np.isfinite(found.measured)], 1)
    assert np.isnan(topomod.clock_position(ideal, groups_of(ideal)[0]).ci_low)
    group = topomod.max_margin_network(topomod.GroupComposition("S3"))
    with pytest.raises(ValueError, match="in groups by frequency; S3 has irreps"):
        topomod.clock_position(group, groups_of(group))


def test_opposed_moves_keep_the_sum() -> None:
    """A clock keeps its logits; the pre-activations of a pizza are those of the pair (a + d, b - d)."""
    ideal = topomod.max_margin_network(topomod.ModularAddition(11))
    np.testing.assert_allclose(topomod.oppose_group(ideal, groups_of(ideal), 3), ideal.logits(), atol=1e-10)
    pizza = network(13, "disc")
    moved = topomod.oppose_group(pizza, topomod.group_neurons(pizza, min_neurons=10), 3)
    step = np.arange(13)
    np.testing.assert_allclose(moved, pizza.logits()[np.ix_((step + 3) % 13, (step - 3) % 13)], atol=1e-10)


def test_three_ablations_side_by_side() -> None:
    """Neurons of mean 0 have one ablation by zero and by the mean; ReLU's have two, and all are written out here."""
    circuit = network(13, "disc")
    groups = topomod.group_neurons(circuit, min_neurons=10)
    for site in ("preactivations", "activations", "logits"):
        table = topomod.ablate_groups(circuit, groups, site).set_index(["group", "kind"])
        assert len(table) == 12 and set(table.index.get_level_values("kind")) == {"zero", "mean", "resample"}
        losses = table.loc["all", "loss"]
        assert losses["zero"] == pytest.approx(np.log(13)) and losses["mean"] == pytest.approx(np.log(13), rel=1e-3)
        assert losses["resample"] > 10 and (losses["zero"] == pytest.approx(losses["mean"])) == (site == SITE)
    post = np.maximum(circuit.preactivations(), 0)
    post[:, :, groups[0].neurons] = post[:, :, groups[0].neurons].mean(axis=(0, 1))
    loss = cross_entropy(post @ circuit.readout().T, circuit.task.targets())
    table = topomod.ablate_groups(circuit, groups).set_index(["group", "kind"])["loss"]
    assert table["the group of frequency 1", "mean"] == pytest.approx(loss)


def test_the_page_of_interventions_runs() -> None:
    """The code blocks of docs/interventions.md, one after the other."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "interventions.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names: dict = {}
    for block in blocks:
        exec(block, names)
    assert len(blocks) == 3 and names["patched"].shape == (1, 11) and names["place"].position == pytest.approx(1)


def test_columns_of_a_study_and_figures_of_its_report() -> None:
    """A concatenating and an adding network of cosines: use is measured, drawn, and missing where it cannot be."""
    circuits = [make_circuit(label, seed, 13) for label in ("mlp_concat", "mlp_add") for seed in (1, 2)]
    table = analyse_groups(circuits, 3)[0]
    assert (
        table[["steering_share", "necessity_accuracy", "clock_position", *STEERED[:4], *OPPOSED[:1]]]
        .notna()
        .all()
        .all()
    )
    assert table["steering_by_16"].isna().all()  # there are 13 steps
    drawn = steering_curves(table, ["mlp_concat", "mlp_add"]), opposed_curves(table, ["mlp_concat", "mlp_add"])
    assert [len(figure.data) for figure in drawn] == [4, 4]
    blind = topomod.from_activations(circuits[0].preactivations(), circuits[0].logits(), topomod.ModularAddition(13))
    columns = use_columns(blind, topomod.group_neurons(blind))
    assert set(columns) <= set(table) and np.isnan(list(columns.values())).all()
    lines = " ".join(summary(inspect_networks([("one", circuits[0]), ("blind", blind)])))
    assert (
        lines.count("of answers follow when the manifolds move") == lines.count("between pizza (0) and clock (1)") == 1
    )


def test_excluded_losses_of_an_ideal_network() -> None:
    """Its logits are n (frequencies) / 2 sums of characters: without one, the rest is left; with one, only that."""
    circuit = topomod.max_margin_network(topomod.ModularAddition(11))
    table = topomod.excluded_losses(circuit).set_index(["site", "name"])
    z = 2 * np.pi * (np.add.outer(np.arange(11), np.arange(11))[..., None] - np.arange(11)) / 11
    one = 4 * np.cos(3 * z)
    for site in ("activations", "logits"):
        assert table.loc[(site, "3"), "restricted_loss"] == pytest.approx(cross_entropy(one, circuit.task.targets()))
        left = cross_entropy(circuit.logits() - one, circuit.task.targets())
        assert table.loc[(site, "3"), "excluded_loss"] == pytest.approx(left)
    with pytest.raises(ValueError, match="pairs must be bool \\(11, 11\\) with at least one pair"):
        topomod.excluded_losses(circuit, pairs=np.zeros((11, 11), dtype=bool))


# The authors' metrics of these irreps; see docs/interventions.md for those that differ, and why.
AUTHORS = {
    "A5_MLP_seed1": {"4": "standard", "5": "a5_5d_a"},
    "S5_MLP_seed1": {
        "1'": "sign",
        "4": "standard_sign",
        "4'": "standard",
        "5": "s5_5d_a",
        "5'": "s5_5d_b",
        "6": "s5_6d",
    },
}


@pytest.mark.parametrize("name", AUTHORS)
def test_excluded_losses_are_the_authors_metrics(released: Path, name: str) -> None:
    """Their training pairs are the first of a random order from the seed in the configuration."""
    folder = released.parent / "chughtai2023"
    circuit = topomod.load_released(folder / f"{name}.pt")
    metrics, config = (json.loads((folder / f"{name}{end}").read_text()) for end in (".summary.json", ".json"))
    n, generator = circuit.task.n_classes, torch.Generator().manual_seed(config["seed"])
    pairs = np.zeros(n * n, dtype=bool)
    pairs[torch.randperm(n * n, generator=generator)[: int(config["frac_train"] * n * n)].numpy()] = True
    pairs = pairs.reshape(n, n)
    assert cross_entropy(circuit.logits()[pairs], circuit.task.targets()[pairs]) == pytest.approx(metrics["train_loss"])
    table = topomod.excluded_losses(circuit, pairs).set_index(["name", "site"])
    for irrep, theirs in AUTHORS[name].items():
        for site, place in (("activations", "hidden"), ("logits", "logit")):
            for kind in ("excluded", "restricted"):
                wanted = metrics[f"{place}_{kind}_loss_{theirs}_rep"]
                assert table.loc[(irrep, site), f"{kind}_loss"] == pytest.approx(wanted, rel=1e-4)
