"""The one folding of +f and -f, at odd and at even p, where p / 2 is its own negative."""

import numpy as np
import pytest

from topomod.tasks.fourier import fold, folded_power, frequency_energy, order_power, spectrum
from topomod.tasks.spectra import neuron_spectra

SIZES = [5, 6, 11, 12]


@pytest.mark.parametrize("p", SIZES)
def test_folding_keeps_the_sum_and_counts_p_half_once(p: int) -> None:
    power = np.random.default_rng(p).uniform(size=(p, 3, p))
    folded = fold(power, [0, 2])
    assert folded.shape == (p // 2 + 1, 3, p // 2 + 1)
    assert folded.sum() == pytest.approx(power.sum())
    assert folded[0, 1, 0] == power[0, 1, 0]
    assert folded[1, 0, 0] == power[1, 0, 0] + power[-1, 0, 0]
    if p % 2 == 0:
        assert folded[-1, 2, 0] == power[p // 2, 2, 0]


@pytest.mark.parametrize("p", SIZES)
def test_power_is_the_mean_square(p: int) -> None:
    values = np.random.default_rng(p).standard_normal((p, 4))
    np.testing.assert_allclose(folded_power(values, [0]).sum(axis=0), np.mean(values**2, axis=0))


@pytest.mark.parametrize("p", SIZES)
def test_a_wave_has_all_its_energy_at_its_frequency(p: int) -> None:
    for f in range(1, p // 2 + 1):
        wave = np.cos(2 * np.pi * f * np.arange(p) / p)[:, None]
        energy = frequency_energy(wave)
        assert energy[f - 1] == pytest.approx(1) and len(energy) == p // 2


@pytest.mark.parametrize("p", SIZES)
@pytest.mark.parametrize("sign", [1, -1])
def test_orders_are_told_apart_at_every_frequency(p: int, sign: int) -> None:
    a, b = np.meshgrid(np.arange(p), np.arange(p), indexing="ij")
    for f in range(1, p // 2 + 1):
        w = 2 * np.pi * f / p
        neurons = np.stack([np.cos(w * a + 0.3), np.cos(w * (a + sign * b) + 0.3)], axis=2)
        first, second = order_power(spectrum(neurons))
        np.testing.assert_allclose(first[f - 1, 0], np.var(neurons[..., 0]), atol=1e-12)
        np.testing.assert_allclose(second[f - 1, 1], np.var(neurons[..., 1]), atol=1e-12)
        found = neuron_spectra(neurons)
        assert found.frequency.tolist() == [f, f] and found.order.tolist() == [1, 2]
        np.testing.assert_allclose(found.purity, 1)
