"""Training towards the largest margin on tiny tasks: it gets there, repeats itself and has the right gradient."""

from pathlib import Path

import numpy as np
import pytest
import torch

import topomod
from topomod.networks.size import NetworkSize
from topomod.tasks.addition import ModularAddition
from topomod.tasks.catalogue import Task
from topomod.tasks.finite_group import GroupComposition
from topomod.tasks.parity import SparseParity
from topomod.training.learner import Setup
from topomod.training.power_mlp import MaxMarginLearner
from topomod.training.recipes import MarginRecipe, Recipe

TINY = [
    (ModularAddition(7), MarginRecipe(width=48, steps=800)),
    (SparseParity(4, 2), MarginRecipe(width=12, steps=800)),
    (GroupComposition("S3"), MarginRecipe(width=60, steps=800)),
]


@pytest.mark.parametrize(("task", "recipe"), TINY, ids=["addition", "parity", "S3"])
def test_margins_come_near_the_largest(task: Task, recipe: MarginRecipe) -> None:
    (circuit,) = topomod.train("power_mlp", task, [0], recipe=recipe)
    assert circuit.converged and circuit.reason == "" and circuit.accuracy() == 1
    assert circuit.recipe == recipe and circuit.step == recipe.steps and circuit.seed == 0
    assert len(circuit.history["loss"]) == len(circuit.history["accurate"]) == recipe.steps + 1
    assert circuit.history["loss"][-1] < 0.1 * circuit.history["loss"][0]
    assert circuit.history["accurate"][-1] and not circuit.history["accurate"][0]
    assert circuit.weights["W_in"].dtype == np.float32
    assert 0.95 < topomod.normalized_margin(circuit) / topomod.max_margin(task) < 1


def test_irreps_are_used_as_the_regularisation_lets_expect() -> None:
    """At a finite regularisation S3's shares are not those of the limit, and training finds them."""
    (circuit,) = topomod.train("power_mlp", GroupComposition("S3"), [1], recipe=MarginRecipe(width=30, steps=800))
    table = topomod.margin_irrep_rows([circuit])
    assert table["share"].to_numpy() == pytest.approx(table["expected_share"].to_numpy(), abs=2e-3)
    assert abs(table["share"] - table["limit_share"]).max() > 0.02
    (row,) = topomod.margin_circuit_rows([circuit]).to_dict("records")
    assert row["margin_ratio"] == pytest.approx(row["expected_margin_ratio"], abs=0.015)
    assert row["expected_margin_ratio"] == pytest.approx(0.97085, abs=1e-5)


@pytest.mark.parametrize("batch_size", [0, 20])
def test_a_circuit_is_the_same_in_any_block_of_seeds(batch_size: int) -> None:
    task, recipe = ModularAddition(5, 3), MarginRecipe(width=8, steps=30, batch_size=batch_size)
    both = topomod.train("power_mlp", task, [0, 1], recipe=recipe)
    (alone,) = topomod.train("power_mlp", task, [1], recipe=recipe)
    for name, value in alone.weights.items():
        assert np.array_equal(value, both[1].weights[name])
        assert not np.array_equal(value, both[0].weights[name])
    assert np.array_equal(alone.history["loss"], both[1].history["loss"])


@pytest.mark.parametrize("architecture", ["power_mlp", "relu_mlp"])
@pytest.mark.parametrize("task", [ModularAddition(3, 3), SparseParity(3, 2), GroupComposition("C3")], ids=str)
def test_gradient_of_the_objective(architecture: str, task: Task) -> None:
    run = MaxMarginLearner(Setup(architecture, task, MarginRecipe(width=3, regularization_first=0.3)), [0])
    run.theta = run.theta.detach().double().requires_grad_()

    def objective() -> torch.Tensor:
        return run.loss() + run.penalty(0)

    (gradient,) = torch.autograd.grad(objective(), run.theta)
    with torch.no_grad():
        for index in np.ndindex(*run.theta.shape):
            ends = []
            for step in (1e-6, -1e-6):
                run.theta[index] += step
                ends.append(float(objective()))
                run.theta[index] -= step
            assert float(gradient[index]) == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=1e-8)


def test_penalty_is_the_sum_of_norms_to_the_homogeneity() -> None:
    recipe = MarginRecipe(width=4, steps=10, regularization_first=0.1, regularization_last=0.001)
    run = MaxMarginLearner(Setup("power_mlp", ModularAddition(5, 3), recipe), [0])
    weights = run.weights(0)
    norms = np.linalg.norm(np.concatenate([weights["W_in"], weights["W_U"]], axis=1), axis=1)
    assert run.penalty(0).item() == pytest.approx(0.1 * np.sum(norms**4), rel=1e-5)
    assert run.penalty(5).item() == pytest.approx(0.01 * np.sum(norms**4), rel=1e-5)


def test_schedules() -> None:
    recipe = MarginRecipe(lr=0.1, steps=100, warmup=10, tail=0.1)
    assert recipe.learning_rate(0) == pytest.approx(0.01) and recipe.learning_rate(10) == pytest.approx(0.1)
    assert recipe.learning_rate(100) == pytest.approx(0.01)
    rates = [recipe.learning_rate(step) for step in range(10, 101)]
    assert rates == sorted(rates, reverse=True)
    assert recipe.regularization(0) == pytest.approx(1e-3) and recipe.regularization(100) == pytest.approx(1e-5)


def test_too_little_training_is_flagged() -> None:
    (circuit,) = topomod.train("relu_mlp", SparseParity(4, 2), [0], recipe=MarginRecipe(width=4, steps=1))
    assert not circuit.converged and circuit.reason.startswith("wrong on ")
    assert not circuit.history["accurate"].any()


def test_store_keeps_the_recipe(tmp_path: Path) -> None:
    recipe = MarginRecipe(width=4, steps=3, name="short")
    circuits = topomod.train("power_mlp", ModularAddition(5, 3), [0, 1], recipe=recipe)
    topomod.save_circuits(tmp_path / "some.safetensors", circuits)
    back = topomod.load_circuits(tmp_path / "some.safetensors")
    assert [c.recipe for c in back] == [recipe, recipe] and back[0].label == "power_mlp@short"
    assert np.array_equal(back[1].history["loss"], circuits[1].history["loss"])


def test_refusals() -> None:
    task = SparseParity(3, 2)
    with pytest.raises(ValueError, match="power_mlp trains by a MarginRecipe, found Recipe"):
        topomod.train("power_mlp", task, [0], recipe=Recipe())
    with pytest.raises(ValueError, match="mlp_add trains by a Recipe, found MarginRecipe"):
        topomod.train("mlp_add", ModularAddition(5), [0], recipe=MarginRecipe())
    with pytest.raises(ValueError, match="mlp_add reads two tokens, found SparseParity"):
        topomod.train("mlp_add", task, [0])
    with pytest.raises(ValueError, match="mlp_add reads two tokens, found .*k=3"):
        topomod.train("mlp_add", ModularAddition(5, 3), [0])
    with pytest.raises(ValueError, match="power_mlp learns a task such as ModularAddition, found 'parity'"):
        topomod.train("power_mlp", "parity", [0])
    with pytest.raises(ValueError, match="power_mlp has no attention"):
        topomod.train("power_mlp", task, [0], attention_rate=1.0)
    with pytest.raises(ValueError, match="at most 1048576, found"):
        topomod.train("power_mlp", ModularAddition(59, 9), [0])
    with pytest.raises(ValueError, match="seeds must hold at least one seed"):
        topomod.train("power_mlp", task, [])
    with pytest.raises(ValueError, match=r"power_mlp takes its width from the recipe, found NetworkSize\("):
        topomod.train("power_mlp", task, [0], size=NetworkSize())
    with pytest.raises(ValueError, match=r"power_mlp has no snapshots, found \[3\]"):
        topomod.train("power_mlp", task, [0], snapshots=[3])
    with pytest.raises(ValueError, match="power_mlp trains on auto or cpu, found device 'cuda'"):
        topomod.train("power_mlp", task, [0], device="cuda")
