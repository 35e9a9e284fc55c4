"""Power networks against the same sums written out, input by input."""

from pathlib import Path

import numpy as np
import pytest

import topomod
from topomod.networks.circuit import Circuit
from topomod.networks.power_mlp import TaskInputs, homogeneity, logit_chunks
from topomod.tasks.addition import ModularAddition
from topomod.tasks.finite_group import GroupComposition
from topomod.tasks.parity import SparseParity
from topomod.tasks.task import Task

TASKS = [ModularAddition(5), ModularAddition(4, 3), SparseParity(5, 3), SparseParity(3, 1), GroupComposition("S3")]


def random_circuit(task: Task, architecture: str = "power_mlp", width: int = 6) -> Circuit:
    rng = np.random.default_rng(0)
    weights = {
        "W_in": rng.standard_normal((width, TaskInputs(task).d_in)),
        "W_U": rng.standard_normal((width, task.n_classes)),
    }
    return Circuit(architecture, task, weights)


def plain_inputs(task: Task) -> np.ndarray:
    """All inputs as rows, by explicit one-hot vectors."""
    if isinstance(task, SparseParity):
        return task.inputs().astype(float)
    n, k = task.n_classes, task.n_factors
    return np.array([np.concatenate([np.eye(n)[i] for i in index]) for index in np.ndindex((n,) * k)])


@pytest.mark.parametrize("architecture", ["power_mlp", "relu_mlp"])
@pytest.mark.parametrize("task", TASKS, ids=str)
def test_forward_is_the_plain_sum(task: Task, architecture: str) -> None:
    circuit = random_circuit(task, architecture)
    pre = plain_inputs(task) @ circuit.weights["W_in"].T
    post = np.maximum(pre, 0) if architecture == "relu_mlp" else pre**task.n_factors
    logits = post @ circuit.weights["W_U"]
    grid = task.targets().shape
    assert circuit.preactivations().shape == (*grid, 6)
    assert np.allclose(circuit.preactivations().reshape(pre.shape), pre, rtol=1e-12, atol=1e-12)
    assert circuit.logits().shape == (*grid, task.n_classes)
    assert np.allclose(circuit.logits().reshape(logits.shape), logits, rtol=1e-12, atol=1e-12)
    assert circuit.accuracy() == np.mean(logits.argmax(axis=1) == task.targets().ravel())
    activations = circuit.activations()
    assert np.allclose(activations.logits[0].numpy(), circuit.logits(), rtol=1e-12, atol=1e-12)
    assert np.array_equal(circuit.readout(), circuit.weights["W_U"].T)


@pytest.mark.parametrize("task", TASKS, ids=str)
def test_chunks_cover_all_inputs_once(task: Task) -> None:
    circuit = random_circuit(task)
    parts = list(logit_chunks("power_mlp", task, circuit.weights, n_values=6 * 5))
    assert [part.start for part, _ in parts] == list(range(0, task.n_inputs, 5))
    joined = np.concatenate([logits for _, logits in parts])
    assert np.allclose(joined, circuit.logits().reshape(joined.shape), rtol=1e-12, atol=1e-12)


def test_exponents_and_homogeneity() -> None:
    assert [task.n_factors for task in TASKS] == [2, 3, 3, 1, 2]
    assert [homogeneity("power_mlp", task) for task in TASKS] == [3, 4, 4, 2, 3]
    assert homogeneity("relu_mlp", TASKS[1]) == 2


def test_pairwise_tools_work_on_two_inputs_mod_p() -> None:
    network = topomod.max_margin_network(ModularAddition(11))
    groups = topomod.group_neurons(network)
    assert sorted(group.frequency for group in groups) == [1, 2, 3, 4, 5]
    assert topomod.manifold(network, groups[0]).shape == (121, 8)
    assert np.isnan(topomod.distance_irrelevance(network))  # 0 / 0: at the optimum the correct logit is constant
    with pytest.raises(ValueError, match="power_mlp has no embedding"):
        topomod.circularity(network)
    with pytest.raises(ValueError, match="power_mlp has no embedding"):
        topomod.gradient_symmetricity(network)


@pytest.mark.parametrize("task", TASKS, ids=str)
def test_store_keeps_them(task: Task, tmp_path: Path) -> None:
    circuit = random_circuit(task)
    topomod.save_circuits(tmp_path / "some.safetensors", [circuit])
    back = topomod.load_circuit(tmp_path / "some.safetensors")
    assert back.task == task and np.array_equal(back.logits(), circuit.logits())


def test_weights_of_another_task_are_refused() -> None:
    circuit = random_circuit(ModularAddition(5))
    message = r"addition_3 mod 5 needs W_in \(6, 15\) and W_U \(6, 5\), found \(6, 10\) and \(6, 5\)"
    with pytest.raises(ValueError, match=message):
        Circuit("power_mlp", ModularAddition(5, 3), circuit.weights).logits()
