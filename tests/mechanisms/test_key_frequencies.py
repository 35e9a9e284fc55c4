"""Energies, ranks and read-out errors of circuits and arrays whose answers are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from topomod.mechanisms.key_frequencies import key_frequencies, matrix_ranks, rank_at, readout_error, site_energies
from topomod.networks.circuit import Circuit
from topomod.tasks.fourier import class_means, frequency_basis, frequency_energy


@pytest.mark.parametrize("p", [12, 13])
def test_basis_is_orthonormal_and_complete(p: int) -> None:
    basis = frequency_basis(p, range(1, p // 2 + 1))
    assert basis.shape == (p, p - 1)
    np.testing.assert_allclose(basis.T @ basis, np.eye(p - 1), atol=1e-12)
    np.testing.assert_allclose(basis.sum(axis=0), 0, atol=1e-12)
    with pytest.raises(ValueError, match=rf"frequencies must be integers in 1..{p // 2}, found \[0\]"):
        frequency_basis(p, [0, 1])


@given(st.integers(5, 20), st.integers(0, 1000))
def test_energy_is_the_share_that_the_basis_holds(p: int, seed: int) -> None:
    rows = np.random.default_rng(seed).normal(size=(p, 4))
    energy = frequency_energy(rows)
    centred = rows - rows.mean(axis=0)
    expected = [np.sum((frequency_basis(p, [f]).T @ rows) ** 2) / np.sum(centred**2) for f in range(1, p // 2 + 1)]
    np.testing.assert_allclose(energy, expected, atol=1e-10)
    assert energy.sum() == pytest.approx(1)
    np.testing.assert_allclose(frequency_energy(3 * rows + 7), energy, atol=1e-10)


def test_constant_rows_have_no_energy() -> None:
    assert np.isnan(frequency_energy(np.ones((7, 3)))).all()


def test_class_means() -> None:
    p = 7
    c = np.add.outer(np.arange(p), np.arange(p)) % p
    values = np.stack([c, np.broadcast_to(np.arange(p), (p, p))], axis=2).astype(float)
    np.testing.assert_allclose(class_means(values, c), np.stack([np.arange(p), np.full(p, 3.0)], axis=1))


def test_rank_at_counts_what_is_needed() -> None:
    rng = np.random.default_rng(0)
    left, right = (np.linalg.qr(rng.normal(size=(9, 9)))[0] for _ in range(2))
    matrix = left @ np.diag([3.0, 2, 1, 0, 0, 0, 0, 0, 0]) @ right  # squared: 9, 4, 1 of 14
    assert [rank_at(matrix, share) for share in (0.5, 9 / 14, 0.9, 13 / 14, 0.95, 1.0)] == [1, 1, 2, 2, 3, 3]


def test_a_trained_circuit_reads_its_key_frequencies_well(trained: dict[str, Circuit]) -> None:
    circuit = trained["mlp_concat"]
    keys = key_frequencies(circuit)
    energy = site_energies(circuit)
    assert set(energy) == {"embedding", "hidden", "hidden_sum", "readout", "logits"}
    assert 1 <= len(keys) <= 8 and keys[0] == np.argmax(energy["readout"]) + 1
    assert key_frequencies(circuit, 3) == list(np.argsort(-energy["readout"])[:3] + 1)
    assert readout_error(circuit, keys[0]) < 0.2
    assert readout_error(circuit, int(np.argmin(energy["logits"])) + 1) > readout_error(circuit, keys[0])
    assert matrix_ranks(circuit)["unembedding"] <= 23


def test_readout_error_of_a_clock_is_nothing(trained: dict[str, Circuit]) -> None:
    class Clock(Circuit):
        def logits(self) -> np.ndarray:
            a, b, c = np.ogrid[:23, :23, :23]
            return np.asarray(np.cos(2 * np.pi * 5 * (a + b - c) / 23) + np.cos(2 * np.pi * 3 * (a - b) / 23))

    clock = Clock(**vars(trained["mlp_add"]))
    assert readout_error(clock, 5) == pytest.approx(0, abs=1e-12)
