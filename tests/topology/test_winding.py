"""Winding numbers: exact values, and the index change that makes them comparable between frequencies."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topomod.tasks.fourier import rebase
from topomod.topology.winding import winding_numbers


def grid(p: int) -> tuple[np.ndarray, np.ndarray]:
    angle = 2 * np.pi * np.arange(p) / p
    return tuple(np.meshgrid(angle, angle, indexing="ij"))


A, B = grid(59)


@pytest.mark.parametrize(
    ("z", "expected"),
    [
        (np.exp(1j * A), (1, 0)),
        (np.exp(1j * B), (0, 1)),
        (np.exp(1j * (A + B)), (1, 1)),
        (np.exp(1j * (A - B)), (1, -1)),
        (np.exp(7j * (A + B)), (7, 7)),
        (np.ones((59, 59)) + 0j, (0, 0)),
    ],
)
def test_characters_have_their_exponents(z, expected):
    winding, agreement, clearance = winding_numbers(z)
    assert winding == expected
    assert all(isinstance(m, int) for m in winding)
    assert agreement == 1.0
    assert clearance == pytest.approx(1.0)


def test_noise_does_not_change_the_class():
    rng = np.random.default_rng(0)
    z = np.exp(1j * (A + B)) + 0.1 * (rng.normal(size=A.shape) + 1j * rng.normal(size=A.shape))
    result = winding_numbers(z)
    assert result.winding == (1, 1)
    assert result.agreement == 1.0
    assert 0.4 < result.clearance < 1


def test_disc_has_zeros_and_so_no_class():
    z = np.exp(1j * A) + np.exp(1j * B)
    winding, _, clearance = winding_numbers(z)
    assert winding == (0, 0)
    assert np.abs(z).min() == pytest.approx(0.053, abs=0.001)
    assert clearance < 0.05


def test_pure_pizza_logit_winds_but_is_pinched():
    winding, _, clearance = winding_numbers(np.abs(np.cos((A - B) / 2)) * np.exp(1j * (A + B)))
    assert winding == (1, 1)
    assert clearance < 0.05


def test_agreement_is_the_worse_direction():
    z = np.exp(1j * A)
    z[:, :6] = np.conj(z[:, :6])  # 6 of 59 a-loops turn the other way; b-loops then do not close as one class
    winding, agreement, _ = winding_numbers(z)
    assert winding == (1, 0)
    assert agreement <= 53 / 59


def test_clearance_is_minimum_over_median():
    z = 2 * np.exp(1j * A)
    z[3, 4] *= 0.25
    assert winding_numbers(z).clearance == pytest.approx(0.25)
    assert winding_numbers(np.zeros((5, 5), complex)).clearance == 0.0


@settings(max_examples=25, deadline=None)
@given(st.integers(-5, 5), st.integers(-5, 5), st.sampled_from([11, 13, 23]), st.integers(1, 10))
def test_rebase_brings_any_frequency_to_one(m_a, m_b, p, f):
    a, b = grid(p)
    assert winding_numbers(rebase(np.exp(1j * f * (m_a * a + m_b * b)), f)).winding == (m_a, m_b)


def test_rebase_keeps_trailing_axes_and_is_undone_by_the_inverse():
    values = np.random.default_rng(1).normal(size=(11, 11, 3))
    moved = rebase(values, 3)
    assert moved.shape == values.shape
    np.testing.assert_array_equal(moved[3, 6], values[1, 2])
    np.testing.assert_array_equal(rebase(moved, pow(3, -1, 11)), values)


def test_rebase_refuses_a_frequency_without_inverse():
    with pytest.raises(ValueError, match="share a factor"):
        rebase(np.zeros((9, 9)), 3)
    with pytest.raises(ValueError, match="p, p"):
        rebase(np.zeros((9, 8)), 2)


@pytest.mark.parametrize(
    ("z", "match"),
    [
        (np.ones((3, 4)), "p, p"),
        (np.ones(9), "p, p"),
        (np.ones((2, 2)), "at least 3"),
        (np.full((5, 5), np.nan), "25 entries"),
    ],
)
def test_bad_input(z, match):
    with pytest.raises(ValueError, match=match):
        winding_numbers(z)
