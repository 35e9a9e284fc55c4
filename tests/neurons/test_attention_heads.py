"""Spectra of tables and functions made by hand, and the tables of trained transformers."""

from dataclasses import replace

import numpy as np
import pytest

import topomod
from topomod.networks.circuit import Circuit
from topomod.networks.size import NetworkSize
from topomod.neurons.attention_heads import attention_patterns, head_spectra, input_spectra, score_tables, untrained
from topomod.report.plots_frequencies import score_spectrum
from topomod.study.sequence_tables import sequence_circuit_rows, sequence_curve_rows, sequence_score_rows
from topomod.tasks.addition import ModularAddition
from topomod.tasks.fourier import folded_power
from topomod.tasks.parity import SparseParity
from topomod.tasks.spectra import neuron_spectra
from topomod.training.sequences import SEQUENCE_RECIPE

SMALL = NetworkSize(d_model=16, d_mlp=32, n_heads=2)


@pytest.fixture(scope="module")
def circuits() -> list[Circuit]:
    recipe = replace(SEQUENCE_RECIPE, steps=15, max_steps=15)
    return topomod.train("sequence_transformer", ModularAddition(5, k=3), [0, 1], recipe=recipe, size=SMALL)


def wave(f: int, *tokens: np.ndarray, p: int = 11, phase: float = 0.4) -> np.ndarray:
    return np.cos(2 * np.pi * f * sum(tokens) / p + phase)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("p", "f"), [(11, 3), (12, 5), (12, 6)])
def test_a_wave_of_a_difference_or_sum_is_on_the_diagonal(sign: int, p: int, f: int) -> None:
    a, b = np.ogrid[:p, :p]
    table = wave(f, a, sign * b, p=p)
    spectra = head_spectra(np.stack([table, 5 + 2 * table]))
    assert spectra.frequency.tolist() == [f, f]
    assert spectra.diagonal_share == pytest.approx(1) and spectra.frequency_share == pytest.approx(1)
    assert spectra.shares[0, f, f] == pytest.approx(1)
    assert spectra.power == pytest.approx(table.var() * np.array([1, 4]))


def test_power_off_the_diagonal_is_told_apart() -> None:
    a, b = np.ogrid[:11, :11]
    table = wave(3, a, -b) + wave(2, a) * wave(4, b) + 0.5 * wave(5, b) + 7 * wave(1, a)  # the last: no key in it
    spectra = head_spectra(table[None])
    assert spectra.power[0] == pytest.approx(0.5 + 0.25 + 0.125)
    assert spectra.diagonal_share[0] == pytest.approx(0.5 / 0.875)
    assert spectra.shares[0, 2, 4] == pytest.approx(0.25 / 0.875) and spectra.shares[0, 4, 2] == pytest.approx(0)
    assert spectra.shares[0, 0, 5] == pytest.approx(0.125 / 0.875)
    assert spectra.key_share[0] == pytest.approx(0.125 / 0.875)
    assert spectra.frequency[0] == 3 and spectra.frequency_share[0] == pytest.approx(0.5 / 0.875)
    assert head_spectra((table + 3 * wave(3, b))[None]).frequency_share[0] == pytest.approx(5 / 5.375)
    assert spectra.shares.sum() == pytest.approx(1)


def test_folded_power_keeps_the_sum_of_squares() -> None:
    values = np.random.default_rng(0).standard_normal((6, 7, 3))
    assert folded_power(values, [0, 1]).shape == (4, 4, 3)
    assert folded_power(values, [0, 1]).sum((0, 1)) == pytest.approx((values**2).mean((0, 1)))


def test_functions_of_three_tokens() -> None:
    a, b, c = np.ogrid[:7, :7, :7]
    first = wave(2, a, p=7) + wave(2, b, p=7) + wave(2, c, p=7) + 9
    third = wave(3, a, b, -c, p=7)
    mixed = wave(1, a, 0 * b, 0 * c, p=7) * wave(2, b, p=7) + 0 * c + 2 * wave(3, a, c, p=7) + 0 * b
    values = np.stack([first, third, mixed, 1e-4 * first], axis=-1)
    spectra = input_spectra(values)
    assert spectra.frequency.tolist() == [2, 3, 3, 2] and spectra.alive.tolist() == [True, True, True, False]
    assert spectra.frequency_share == pytest.approx([1, 1, 2 / 2.25, 1])
    assert spectra.first_order_share == pytest.approx([1, 0, 0, 1], abs=1e-12)
    assert spectra.power == pytest.approx([1.5, 0.5, 2.25, 1.5e-8])
    assert spectra.purity == pytest.approx((1.5 + 0.5 + 2) / 4.25)
    with pytest.raises(ValueError, match=r"must be \(p, ..., p, n\), found \(3, 7, 7\)"):
        input_spectra(np.zeros((3, 7, 7)))
    assert input_spectra(np.ones((5, 5, 5, 2))).purity == 0


@pytest.mark.parametrize("p", [12, 13])
def test_two_tokens_agree_with_the_spectra_of_pairs(p: int) -> None:
    values = np.random.default_rng(p).standard_normal((p, p, 9))
    pairs, inputs = neuron_spectra(values), input_spectra(values)
    assert np.array_equal(pairs.frequency, inputs.frequency)
    assert inputs.frequency_share == pytest.approx(pairs.first_order_r2 + pairs.second_order_r2)
    assert inputs.first_order_share == pytest.approx(pairs.first_order_r2)
    assert inputs.purity == pytest.approx(pairs.purity)


def test_scores_and_patterns_belong_together(circuits: list[Circuit]) -> None:
    pattern = attention_patterns(circuits[0])
    assert pattern.shape == (5, 5, 5, 2, 3) and pattern.sum(-1) == pytest.approx(1, abs=1e-6)
    # tokens 1 and 4 at position 0, all else equal: the log ratio of attention to 0 and to 1 moves by their scores
    ratio = np.log(pattern[..., 0] / pattern[..., 1])
    table = score_tables(circuits[0]) / np.sqrt(8)
    assert ratio[1, 2, 3] - ratio[4, 2, 3] == pytest.approx(table[:, 3, 1] - table[:, 3, 4], abs=1e-4)


def test_untrained_networks_have_the_same_shapes(circuits: list[Circuit]) -> None:
    fresh = untrained(circuits[0], seed=3)
    assert {k: v.shape for k, v in fresh.weights.items()} == {k: v.shape for k, v in circuits[0].weights.items()}
    assert np.array_equal(fresh.weights["W_E"], untrained(circuits[1], seed=3).weights["W_E"])
    with pytest.raises(ValueError, match="which has no frequencies mod p"):
        untrained(replace(circuits[0], task=SparseParity(3, 2)), seed=0)


def test_rows_of_circuits(circuits: list[Circuit]) -> None:
    history = {
        "loss": np.linspace(2, 0, 16),
        "train_accuracy": np.arange(16) / 4,
        "test_accuracy": np.repeat([0.1, 0.995], [10, 6]),
        "accurate": np.zeros(16, bool),
    }
    rows = sequence_circuit_rows([replace(circuits[0], history=history), circuits[1]])
    assert rows["seed"].tolist() == [0, 1] and rows["k"].tolist() == [3, 3] and rows["p"].tolist() == [5, 5]
    first = rows.iloc[0]
    assert (first["memorisation_step"], first["generalisation_step"], first["grokking_delay"]) == (4, 10, 6)
    assert np.isnan(rows["grokking_delay"][1]) and not rows["converged"].any()
    names = [
        name for name in rows if name.endswith(("_share", "_untrained", "_purity")) and "n_frequencies" not in name
    ]
    assert len(names) == 12 and ((rows[names] > 0) & (rows[names] <= 1)).all(axis=None)
    assert rows["accuracy"][0] == circuits[0].accuracy()
    assert np.isnan(sequence_circuit_rows([replace(circuits[0], history={})])["test_accuracy"][0])


def test_rows_of_scores(circuits: list[Circuit]) -> None:
    rows = sequence_score_rows(circuits)
    shares = rows.groupby(["seed", "head"])["share"].sum()
    assert len(shares) == 2 * len(circuits[0].weights["W_Q"]) and np.allclose(shares, 1)
    found = head_spectra(score_tables(circuits[1]))
    own = rows[(rows["seed"] == 1) & (rows["head"] == 0)]
    table = own.pivot(index="query_frequency", columns="key_frequency", values="share").to_numpy()
    assert np.array_equal(table, found.shares[0]) and np.allclose(own["power"], found.power[0])
    drawn = score_spectrum(own).data[0].customdata
    np.testing.assert_allclose(drawn, np.maximum(table, 1e-5), rtol=1e-5)


def test_rows_of_curves(circuits: list[Circuit]) -> None:
    rows = sequence_curve_rows(circuits)
    assert rows["step"].tolist() == [0, 10, 15] * 2 and rows["seed"].tolist() == [0] * 3 + [1] * 3
    assert list(rows) == ["architecture", "seed", "step", "loss", "train_accuracy", "test_accuracy", "unseen_accuracy"]
    assert rows["loss"][2] == circuits[0].history["loss"][15]
    assert sequence_curve_rows([]).empty
