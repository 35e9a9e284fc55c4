"""Planted neurons come back with their frequency, order, phases and explained variance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topomod.neurons.groups import groups_of_spectra, phase_coherence
from topomod.neurons.references import reference_manifold
from topomod.neurons.similarity import linear_cka, top_variance
from topomod.tasks.spectra import neuron_spectra, purity

P = 31
A, B = np.meshgrid(np.arange(P), np.arange(P), indexing="ij")


def simple_neuron(f: int, phase_a: float, phase_b: float, p: int = P) -> np.ndarray:
    a, b = np.meshgrid(np.arange(p), np.arange(p), indexing="ij")
    return np.cos(2 * np.pi * f * a / p + phase_a) + np.cos(2 * np.pi * f * b / p + phase_b)


@settings(deadline=None, max_examples=25)
@given(
    f=st.integers(1, P // 2),
    phase_a=st.floats(-3.1, 3.1),
    phase_b=st.floats(-3.1, 3.1),
    scale=st.floats(1e-3, 1e3),
)
def test_a_simple_neuron_is_first_order(f: int, phase_a: float, phase_b: float, scale: float) -> None:
    spectra = neuron_spectra(scale * (simple_neuron(f, phase_a, phase_b) + 0.7)[..., None])
    assert spectra.frequency[0] == f and spectra.order[0] == 1
    assert spectra.first_order_r2[0] == pytest.approx(1) and spectra.second_order_r2[0] == pytest.approx(0, abs=1e-9)
    assert np.angle(spectra.coefficient_a[0] * np.exp(-1j * phase_a)) == pytest.approx(0, abs=1e-6)
    assert np.angle(spectra.coefficient_b[0] * np.exp(-1j * phase_b)) == pytest.approx(0, abs=1e-6)
    assert abs(spectra.coefficient_a[0]) == pytest.approx(scale)
    assert spectra.power[0] == pytest.approx(scale**2)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_second_order_neuron_is_not_filed_under_twice_its_frequency(sign: int) -> None:
    neuron = np.cos(2 * np.pi * 5 * (A + sign * B) / P) + 0.3 * np.cos(2 * np.pi * 10 * A / P)
    spectra = neuron_spectra(neuron[..., None])
    assert (spectra.frequency[0], spectra.order[0]) == (5, 2)
    assert spectra.second_order_r2[0] == pytest.approx(1 / 1.09)


def test_relu_of_a_simple_neuron_has_the_shares_of_theory() -> None:
    values = np.maximum(simple_neuron(7, 0.3, 1.9, p=59), 0)[..., None]
    spectra = neuron_spectra(values)
    assert spectra.first_order_r2[0] == pytest.approx(0.745, abs=1e-3)
    assert spectra.second_order_r2[0] == pytest.approx(0.217, abs=1e-3)


def test_even_modulus_counts_the_middle_frequency_once() -> None:
    a, _ = np.meshgrid(np.arange(8), np.arange(8), indexing="ij")
    spectra = neuron_spectra(np.cos(np.pi * a)[..., None])
    assert spectra.frequency[0] == 4 and spectra.first_order_r2[0] == pytest.approx(1)
    assert abs(spectra.coefficient_a[0]) == pytest.approx(1)


def test_groups_leave_out_dead_and_tell_orders_apart() -> None:
    rng = np.random.default_rng(0)
    first = [simple_neuron(3, *rng.uniform(-3, 3, 2)) for _ in range(6)]
    second = [np.cos(2 * np.pi * 3 * (A + B) / P + phase) for phase in rng.uniform(-3, 3, 4)]
    dead = [1e-3 * simple_neuron(9, 0, 0) for _ in range(5)]
    spectra = neuron_spectra(np.stack([*first, *second, *dead], axis=-1))
    groups = groups_of_spectra(spectra)
    assert [(g.frequency, g.order, len(g.neurons)) for g in groups] == [(3, 1, 6), (3, 2, 4)]
    assert not spectra.alive[10:].any()
    assert purity(np.stack(first, axis=-1)) == pytest.approx(1)


def test_coherence_gives_the_closed_forms_of_theory() -> None:
    rng = np.random.default_rng(1)
    n = 4000
    phase_a = rng.uniform(-np.pi, np.pi, n)
    phase_b = phase_a + rng.normal(0.4, 0.8, n)
    a, b = (np.exp(1j * phase) for phase in (phase_a, phase_b))
    rho = phase_coherence(a, b)
    cloud = np.stack([simple_neuron(4, x, y) for x, y in zip(phase_a, phase_b, strict=True)], -1).reshape(-1, n)
    size = abs(rho)
    assert np.angle(rho) == pytest.approx(0.4, abs=0.05)
    assert top_variance(cloud, 2) == pytest.approx((1 + size) / 2, abs=0.01)
    assert linear_cka(cloud, reference_manifold("torus", P, 4)) == pytest.approx(1 / np.sqrt(1 + size**2), abs=0.01)
    aligned = linear_cka(cloud, reference_manifold("disc", P, 4, phase=float(np.angle(rho))))
    assert aligned == pytest.approx((1 + size) / np.sqrt(2 * (1 + size**2)), abs=0.01)


def test_transposed_array_is_refused() -> None:
    with pytest.raises(ValueError, match=r"must be \(p, p, n_neurons\), found \(512, 31, 31\)"):
        neuron_spectra(np.zeros((512, 31, 31)))


def test_a_layer_without_signal_has_no_live_neuron() -> None:
    spectra = neuron_spectra(np.ones((7, 7, 3)))
    assert not spectra.alive.any() and groups_of_spectra(spectra) == [] and purity(np.ones((7, 7, 3))) == 0
