"""What is left of a circuit after frequencies are projected out, by closed forms and by brute force."""

import numpy as np
import pytest

import topomod
from topomod.mechanisms.ablation import ABLATION_SITES, ablation_rows
from topomod.mechanisms.key_frequencies import key_frequencies
from topomod.networks.circuit import Circuit
from topomod.networks.size import NetworkSize
from topomod.tasks.fourier import frequency_basis
from topomod.training.recipes import Recipe


@pytest.fixture(scope="module")
def recurrent() -> Circuit:
    recipe = Recipe(steps=800, max_steps=1600, train_fraction=0.9, weight_decay=1.0)
    size = NetworkSize(d_model=64, d_mlp=128)
    return topomod.train("rnn", topomod.ModularAddition(p=23), [3], recipe=recipe, size=size, device="cpu")[0]


def test_hidden_ablation_is_that_of_the_hidden_states(recurrent: Circuit, trained: dict[str, Circuit]) -> None:
    """Against the projection of the states themselves on cosines and sines of a + b, over all pairs."""
    for circuit in (recurrent, trained["attention"], trained["mlp_concat"]):
        _check_hidden(circuit)


def _check_hidden(circuit: Circuit) -> None:
    p, keys = 23, key_frequencies(circuit, 2)
    states = np.maximum(circuit.preactivations(), 0).reshape(p * p, -1)
    total = np.add.outer(np.arange(p), np.arange(p)).ravel() % p
    basis = np.linalg.qr(frequency_basis(p, keys)[total])[0]
    # what goes past the hidden layer, as attention's residual stream does, is left alone
    logits = circuit.logits().reshape(p * p, p) - basis @ (basis.T @ states) @ circuit.readout().T
    expected = np.mean(np.argmax(logits, axis=1) == total)
    assert topomod.ablate_frequencies(circuit, keys, site="hidden") == pytest.approx(expected)


def test_a_state_of_the_recurrence(recurrent: Circuit) -> None:
    """Pre-activations are those of h_2 = relu(W_h relu(W_in x_a + b) + W_in x_b + b), written out."""
    weights = recurrent.weights
    x_a, x_b = recurrent.embedding()[3], recurrent.embedding()[8]
    first = np.maximum(weights["W_in"] @ x_a + weights["b_in"], 0)
    second = weights["W_h"] @ first + weights["W_in"] @ x_b + weights["b_in"]
    np.testing.assert_allclose(recurrent.preactivations()[3, 8], second, rtol=1e-4, atol=1e-4)
    logits = np.maximum(second, 0) @ weights["W_U"]
    np.testing.assert_allclose(recurrent.logits()[3, 8], logits, rtol=1e-4, atol=1e-3)


def test_one_is_harmless_and_several_are_not(recurrent: Circuit) -> None:
    assert recurrent.converged
    table = ablation_rows(recurrent).set_index(["site", "kind", "n"])["accuracy"].sort_index()
    for site in ABLATION_SITES:
        assert table[site, "cumulative", 0] == 1.0
        assert table[site, "single"].min() > 0.9
        assert table[site, "cumulative", 8] < 0.5


@pytest.mark.parametrize("site", ABLATION_SITES)
def test_nothing_and_everything(trained: dict[str, Circuit], site: str) -> None:
    for circuit in trained.values():
        assert topomod.ablate_frequencies(circuit, [], site=site) == circuit.accuracy()
        assert topomod.ablate_frequencies(circuit, range(1, 12), site=site) < 0.2  # ties, broken by rounding


@pytest.mark.parametrize("k", [2, 3])
def test_networks_of_largest_margin_survive_one_frequency(k: int) -> None:
    network = topomod.max_margin_network(topomod.ModularAddition(p=7, k=k))
    for site in ABLATION_SITES:
        assert topomod.ablate_frequencies(network, [2], site=site) == 1.0
        assert topomod.ablate_frequencies(network, [1, 2, 3], site=site) < 0.5


def test_refusals(trained: dict[str, Circuit]) -> None:
    for wrong in (12, 0):
        with pytest.raises(ValueError, match="frequencies must be integers in 1..11, found"):
            topomod.ablate_frequencies(trained["mlp_add"], [2, wrong])
    with pytest.raises(ValueError, match="site must be one of embedding, hidden, logits, found 'neurons'"):
        topomod.ablate_frequencies(trained["mlp_add"], [1], site="neurons")
    with pytest.raises(ValueError, match="learnt parity_.*no frequencies mod p"):
        topomod.ablate_frequencies(topomod.max_margin_network(topomod.SparseParity(4, 2)), [1])
