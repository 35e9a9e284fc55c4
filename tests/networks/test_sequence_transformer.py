"""The transformer over k tokens against a plain loop, and how it is trained."""

import re
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch

import topomod
from topomod.networks.architectures import ARCHITECTURES
from topomod.networks.circuit import Circuit
from topomod.networks.sequence_transformer import all_inputs, sequence_transformer
from topomod.networks.size import NetworkSize
from topomod.tasks.addition import ModularAddition
from topomod.tasks.parity import SparseParity
from topomod.training.draws import draw
from topomod.training.recipes import Recipe
from topomod.training.sequences import SEQUENCE_RECIPE, unseen_inputs

SMALL = NetworkSize(d_model=16, d_mlp=32, n_heads=2)
WIDER = NetworkSize(d_model=32, d_mlp=64, n_heads=2)
FEW = replace(SEQUENCE_RECIPE, steps=20, max_steps=20)


def drawn(p: int, k: int, size: NetworkSize = SMALL, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    weights = ARCHITECTURES["sequence_transformer"].initial_weights(ModularAddition(p, k), rng, size)
    for name in ("b_in", "b_out"):  # biases start at zero: give them something to be wrong about
        weights[name] += rng.standard_normal(weights[name].shape).astype(np.float32)
    return {name: 2 * value for name, value in weights.items()}  # attention far from uniform


def plain(w: dict[str, np.ndarray], tokens: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pattern (n_heads, k), pre-activations and logits of one input, token by token."""
    x = [w["W_E"][a] + w["W_pos"][j] for j, a in enumerate(tokens)]
    stream, patterns = x[-1].copy(), []
    for W_Q, W_K, W_V, W_O in zip(w["W_Q"], w["W_K"], w["W_V"], w["W_O"], strict=True):
        scores = np.array([(W_Q @ x[-1]) @ (W_K @ y) for y in x]) / np.sqrt(len(W_Q))
        pattern = np.exp(scores) / np.exp(scores).sum()
        stream += W_O @ sum(share * (W_V @ y) for share, y in zip(pattern, x, strict=True))
        patterns.append(pattern)
    pre = w["W_in"] @ stream + w["b_in"]
    stream += w["W_out"] @ np.maximum(pre, 0) + w["b_out"]
    return np.array(patterns), pre, stream @ w["W_U"]


@pytest.mark.parametrize(("p", "k"), [(7, 2), (5, 3), (3, 4)])
def test_forward_is_that_of_the_plain_network(p: int, k: int) -> None:
    weights = {name: value.astype(np.float64) for name, value in drawn(p, k).items()}
    inputs = all_inputs(ModularAddition(p, k))
    assert [tuple(row) for row in inputs.tolist()] == list(product(range(p), repeat=k))
    found = sequence_transformer({name: torch.from_numpy(value) for name, value in weights.items()}, inputs)
    for i, tokens in enumerate(inputs.tolist()):
        expected = plain(weights, tuple(tokens))
        for value, wanted in zip((found.pattern, found.preactivations, found.logits), expected, strict=True):
            np.testing.assert_allclose(value[i].numpy(), wanted, rtol=1e-11, atol=1e-11)


def test_circuits_of_k_tokens_have_k_axes() -> None:
    task = ModularAddition(p=5, k=3)
    circuit = Circuit("sequence_transformer", task, drawn(5, 3))
    assert circuit.logits().shape == (5, 5, 5, 5) and circuit.preactivations().shape == (5, 5, 5, 32)
    weights = {name: value.astype(np.float64) for name, value in circuit.weights.items()}
    np.testing.assert_allclose(circuit.logits()[1, 4, 2], plain(weights, (1, 4, 2))[2], atol=1e-4)
    assert circuit.readout().shape == (5, 32)
    right = [circuit.logits()[tokens].argmax() == sum(tokens) % 5 for tokens in product(range(5), repeat=3)]
    assert circuit.accuracy() == pytest.approx(np.mean(right))


def test_two_tokens_are_attention_at_rate_one() -> None:
    task, weights = ModularAddition(p=13), drawn(13, 2)
    sequence = Circuit("sequence_transformer", task, weights)
    pair = Circuit("attention", task, weights, attention_rate=1.0)
    np.testing.assert_allclose(sequence.logits(), pair.logits(), rtol=1e-5, atol=1e-5 * np.abs(pair.logits()).max())
    pre = pair.preactivations()
    np.testing.assert_allclose(sequence.preactivations(), pre, rtol=1e-5, atol=1e-5 * np.abs(pre).max())


def test_same_circuit_alone_or_in_a_block_with_any_threads() -> None:
    task = ModularAddition(p=5, k=3)
    together = topomod.train("sequence_transformer", task, [3, 1], recipe=FEW, size=SMALL)
    torch.set_num_threads(2)
    alone = topomod.train("sequence_transformer", task, [1], recipe=FEW, size=SMALL)[0]
    assert torch.get_num_threads() == 2
    assert [c.seed for c in together] == [3, 1]
    assert all(np.array_equal(together[1].weights[name], value) for name, value in alone.weights.items())
    assert not np.array_equal(together[0].weights["W_E"], alone.weights["W_E"])


def test_first_steps_are_adamw_on_the_training_inputs() -> None:
    task, recipe = ModularAddition(p=5, k=3), replace(FEW, steps=4, max_steps=4, warmup=2)
    found = topomod.train("sequence_transformer", task, [4], recipe=recipe, size=SMALL)[0]
    label = "sequence_transformer"
    start, mask, _ = draw(label, label, task, 4, recipe.train_fraction, SMALL)
    assert mask.shape == (5, 5, 5) and mask.sum() == round(recipe.train_fraction * 125)
    weights = {name: torch.tensor(value, requires_grad=True) for name, value in start.items()}
    optimizer = torch.optim.AdamW(weights.values(), betas=(0.9, 0.98), weight_decay=recipe.weight_decay)
    inputs, targets = all_inputs(task)[mask.ravel()], torch.tensor(task.targets()[mask])
    for step in range(4):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(sequence_transformer(weights, inputs).logits, targets)
        assert found.history["loss"][step] == pytest.approx(loss.item(), rel=1e-5)
        loss.backward()
        optimizer.param_groups[0]["lr"] = recipe.learning_rate(step)
        optimizer.step()
    for name, value in weights.items():
        assert np.mean(np.abs(found.weights[name] - value.detach().numpy())) < 1e-6, name


def test_a_run_that_does_not_get_there_says_why(tmp_path: Path) -> None:
    task = ModularAddition(p=5, k=3)
    circuit = topomod.train("sequence_transformer", task, [0], recipe=FEW, size=SMALL)[0]
    assert not circuit.converged and circuit.step == 20
    assert re.fullmatch(r"right on [01]\.\d{4} of the training inputs, [01]\.\d{4} of the others", circuit.reason)
    assert {len(values) for values in circuit.history.values()} == {21}
    topomod.save_circuits(tmp_path / "x.safetensors", [circuit])
    read = topomod.load_circuit(tmp_path / "x.safetensors")
    assert read.task == task and np.array_equal(read.logits(), circuit.logits())


def test_a_circuit_is_kept_once_it_generalises() -> None:
    recipe = replace(SEQUENCE_RECIPE, lr=1e-2, weight_decay=0.5, steps=50, max_steps=500, train_fraction=0.8)
    (circuit,) = topomod.train("sequence_transformer", ModularAddition(p=11, k=3), [0], recipe=recipe, size=WIDER)
    history = circuit.history
    assert circuit.converged and history["train_accuracy"][-1] == 1 and 0.99 <= history["test_accuracy"][-1] < 1
    kept = ((history["train_accuracy"] == 1) & (history["test_accuracy"] >= 0.99))[::10]
    assert np.array_equal(history["accurate"][::10], kept) and not kept[5:-1].any()


def test_without_held_out_inputs_the_training_inputs_decide() -> None:
    recipe = replace(SEQUENCE_RECIPE, lr=1e-2, weight_decay=0.5, steps=45, max_steps=300, train_fraction=0.999)
    circuit = topomod.train("sequence_transformer", ModularAddition(p=5, k=3), [0], recipe=recipe, size=WIDER)[0]
    assert circuit.converged and circuit.reason == "" and circuit.accuracy() == 1
    assert circuit.step % 10 == 0 and 45 < circuit.step < 300
    history = circuit.history
    assert history["train_accuracy"][-1] == 1 and history["accurate"][-1] and not history["accurate"][0]
    assert np.isnan(history["test_accuracy"]).all() and np.isnan(history["unseen_accuracy"]).all()
    assert history["loss"][-1] < 0.5 < history["loss"][0]


def test_unseen_inputs_are_no_rearrangement_of_trained_ones() -> None:
    inputs = all_inputs(ModularAddition(4, k=3))
    trained = torch.from_numpy(np.random.default_rng(0).random(64) < 0.4)
    seen = {(*sorted(x[:-1]), x[-1]) for x in inputs[trained].tolist()}
    expected = [(*sorted(x[:-1]), x[-1]) not in seen for x in inputs.tolist()]
    assert unseen_inputs(inputs, trained).tolist() == expected and 0 < sum(expected) < (~trained).sum()
    pairs = all_inputs(ModularAddition(8))
    assert torch.equal(unseen_inputs(pairs, trained), ~trained)


def test_snapshots_are_the_same_circuit_along_its_training() -> None:
    task = ModularAddition(p=5, k=3)
    arguments = {"recipe": FEW, "size": SMALL}
    seen = topomod.train("sequence_transformer", task, [5], snapshots=[0, 7, 20], **arguments)
    assert [c.step for c in seen] == [0, 7, 20] and [len(c.history["loss"]) for c in seen] == [1, 8, 21]
    last = topomod.train("sequence_transformer", task, [5], **arguments)[0]
    assert all(np.array_equal(seen[2].weights[name], value) for name, value in last.weights.items())


def test_what_cannot_be_trained_is_refused() -> None:
    with pytest.raises(ValueError, match="holds all inputs at once, at most 65536, found 5764801"):
        topomod.train("sequence_transformer", ModularAddition(7, k=8), [0])
    with pytest.raises(ValueError, match="sequence_transformer learns sums and differences mod p, found SparseParity"):
        topomod.train("sequence_transformer", SparseParity(n=4, k=2), [0])
    with pytest.raises(ValueError, match="needs batches = 1 and min_purity = 0, found 2 and 0.9"):
        topomod.train("sequence_transformer", ModularAddition(7), [0], recipe=Recipe())
    with pytest.raises(ValueError, match="sequence_transformer has no attention, found attention_rate 1.0"):
        topomod.train("sequence_transformer", ModularAddition(7), [0], attention_rate=1.0)
    with pytest.raises(ValueError, match="mlp_add reads two tokens, found .*k=3"):
        topomod.train("mlp_add", ModularAddition(7, k=3), [0])
    with pytest.raises(ValueError, match="found -1"):
        topomod.train("sequence_transformer", ModularAddition(7), [-1])


def test_a_network_of_other_length_is_refused() -> None:
    with pytest.raises(ValueError, match="the network has 2 positions, the task 3 tokens"):
        Circuit("sequence_transformer", ModularAddition(5, k=3), drawn(5, 2)).logits()
    with pytest.raises(ValueError, match="learns sums and differences mod p, found SparseParity"):
        Circuit("sequence_transformer", SparseParity(4, 2), drawn(5, 2)).logits()
    with pytest.raises(ValueError, match="reads k tokens at once"):
        x = torch.zeros(1, 5, 16)
        ARCHITECTURES["sequence_transformer"].activations({}, x, x, 1.0)
