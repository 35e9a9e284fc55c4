"""A circuit is decided by (architecture, task, recipe, seed), and flagged when it does not converge."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import topomod
from conftest import SHORT
from plain import plain_loss
from topomod.networks.circuit import Circuit
from topomod.networks.size import NetworkSize
from topomod.training.batches import Batches
from topomod.training.draws import draw
from topomod.training.learner import Setup
from topomod.training.pairs import PairLearner
from topomod.training.recipes import Recipe

TASK = topomod.ModularAddition(p=13)
FEW = Recipe(steps=30, max_steps=30, train_fraction=0.8)


def same_weights(x: Circuit, y: Circuit) -> bool:
    return all(np.array_equal(x.weights[name], y.weights[name]) for name in x.weights)


@pytest.mark.parametrize(("name", "rate"), [("mlp_add", None), ("mlp_concat", None), ("attention", 0.5)])
def test_same_circuit_alone_or_in_a_shard_with_any_threads(name: str, rate: float | None) -> None:
    together = topomod.train(name, TASK, [3, 1, 2], attention_rate=rate, recipe=FEW, device="cpu")
    torch.set_num_threads(2)
    alone = topomod.train(name, TASK, [1], attention_rate=rate, recipe=FEW, device="cpu")[0]
    assert [c.seed for c in together] == [3, 1, 2]
    assert same_weights(together[1], alone)
    assert not same_weights(together[0], alone)
    assert torch.get_num_threads() == 2


def test_first_steps_are_adamw_on_the_plain_network() -> None:
    recipe = Recipe(steps=5, max_steps=5, warmup=2, batches=2)
    found = topomod.train("mlp_concat", TASK, [4], recipe=recipe, device="cpu")[0]
    start, mask, rng = draw("mlp_concat", "mlp_concat", TASK, 4, recipe.train_fraction)
    batches = Batches(mask, False, 2, rng)
    weights = {k: torch.tensor(v, requires_grad=True) for k, v in start.items()}
    optimizer = torch.optim.AdamW(weights.values(), betas=(0.9, 0.98), weight_decay=recipe.weight_decay)
    for step in range(5):
        optimizer.zero_grad()
        batch = batches.next()
        chosen = torch.zeros(TASK.p, TASK.p, dtype=torch.bool)
        chosen[batch.a, batch.b] = True
        plain_loss("mlp_concat", weights, torch.tensor(TASK.targets()), chosen, 0.0).backward()
        optimizer.param_groups[0]["lr"] = recipe.learning_rate(step)
        optimizer.step()
    for name, value in weights.items():
        # Where a gradient is almost zero AdamW's quotient amplifies rounding, by more on some processors: compare on
        # the average. One step moves a weight by about 1e-2.
        assert np.mean(np.abs(found.weights[name] - value.detach().numpy())) < 1e-6, name


def test_trained_circuits_converge_and_are_right(trained: dict[str, Circuit]) -> None:
    for name, circuit in trained.items():
        assert circuit.converged, (name, circuit.reason)
        assert circuit.accuracy() == 1.0
        assert circuit.history["loss"][-1] < 0.1 < circuit.history["loss"][0]
        assert circuit.step >= 250


def test_a_circuit_that_does_not_converge_says_why() -> None:
    circuit = topomod.train("mlp_add", TASK, [0], recipe=Recipe(steps=2, max_steps=2), device="cpu")[0]
    assert not circuit.converged
    assert circuit.reason == "wrong on some pairs"
    strict = replace(SHORT, min_purity=1.0, max_steps=SHORT.steps)
    circuit = topomod.train("mlp_add", topomod.ModularAddition(p=23), [0], recipe=strict, device="cpu")[0]
    assert circuit.accuracy() == 1.0 and not circuit.converged and "purity" in circuit.reason


def test_snapshots_are_the_same_circuit_along_its_training() -> None:
    seen = topomod.train("mlp_add", TASK, [5], recipe=FEW, device="cpu", snapshots=[0, 30, 40])
    assert [c.step for c in seen] == [0, 30, 40]
    kept = topomod.train("mlp_add", TASK, [5], recipe=FEW, device="cpu")[0]
    assert same_weights(seen[1], kept)
    assert np.array_equal(seen[0].weights["W_in"], draw("mlp_add", "mlp_add", TASK, 5, 0.8)[0]["W_in"])


def test_the_split_holds_the_declared_share() -> None:
    mask = draw("mlp_add", "mlp_add", TASK, 0, 0.8)[1]
    assert mask.sum() == round(0.8 * 169)


@pytest.mark.parametrize(("name", "rate"), [("mlp_add", None), ("mlp_concat", None), ("attention", 0.5)])
def test_a_stack_takes_the_steps_of_its_circuits_alone(name: str, rate: float | None) -> None:
    setup = Setup(name, TASK, replace(FEW, batches=3), rate, NetworkSize())
    together, alone = PairLearner(setup, [3, 1]), PairLearner(setup, [1])
    for step in range(3):  # later AdamW amplifies the rounding of neurons that get almost no gradient
        for stack in (together, alone):
            stack.forward(step)
            stack.update(1e-2)
    for weight, value in together.weights(1).items():
        assert np.mean(np.abs(value - alone.weights(0)[weight])) < 1e-6, weight


def test_schedule_warms_up_decays_and_sums() -> None:
    recipe = Recipe(lr=1e-2, steps=100, warmup=10, tail_lr=1e-3)
    rates = [recipe.learning_rate(step) for step in range(101)]
    assert rates[0] == pytest.approx(1e-3) and max(rates) == pytest.approx(1e-2)
    assert all(a >= b for a, b in zip(rates[10:], rates[11:], strict=False))
    assert rates[100] == 1e-3
    again = [recipe.learning_rate(step, retrying=True) for step in range(100, 150)]
    assert again[0] == pytest.approx(5e-3) and again == sorted(again, reverse=True) and again[-1] < 1.1e-3
    assert recipe.learning_rate(150, retrying=True) == pytest.approx(5e-3)
    assert recipe.cumulative_decay(100) == pytest.approx(recipe.weight_decay * sum(rates[:100]))
    assert replace(recipe, schedule="constant").learning_rate(99) == 1e-2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("mlp", [0], None), "unknown architecture 'mlp'; known: mlp_add, mlp_concat, rnn, attention"),
        (("attention", [0], None), r"needs attention_rate in \[0, 1\], found None"),
        (("attention", [0], 1.5), r"needs attention_rate in \[0, 1\], found 1.5"),
        (("mlp_add", [0], 0.5), "mlp_add has no attention"),
        (("mlp_add", [], None), "found none"),
        (("mlp_add", [-1], None), "non-negative integers, found -1"),
    ],
)
def test_bad_arguments(arguments: tuple[str, list[int], float | None], message: str) -> None:
    name, seeds, rate = arguments
    with pytest.raises(ValueError, match=message):
        topomod.train(name, TASK, seeds, attention_rate=rate)


def test_other_tasks_are_refused() -> None:
    with pytest.raises(ValueError, match="mlp_add reads two tokens, found SparseParity"):
        topomod.train("mlp_add", topomod.SparseParity(n=4, k=2), [0])
