"""Clouds of any unit get one answer, and what is constant is told by one rule."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topomod.topology.classify import classify_manifold
from topomod.topology.scale import is_constant, times_power_of_two, unit_exponent, unit_scale
from topomod.topology.winding import winding_numbers

TAU = 2 * np.pi
ANGLE = TAU * np.arange(11) / 11
A, B = (grid.ravel() for grid in np.meshgrid(ANGLE, ANGLE, indexing="ij"))
SCATTER = TAU * np.random.default_rng(3).uniform(size=(2, 300))
CLOUDS = {
    "circle": (np.column_stack([np.cos(SCATTER[0]), np.sin(SCATTER[0])]), None),
    "disc": (np.sqrt(SCATTER[1] / TAU)[:, None] * np.column_stack([np.cos(SCATTER[0]), np.sin(SCATTER[0])]), None),
    "circle in group order": (np.column_stack([np.cos(A + B), np.sin(A + B), 0.1 * np.cos(3 * A)]), 11),
    "seven points": (np.column_stack([np.cos(ANGLE[:7]), np.sin(ANGLE[:7])]), None),
    "no signal": (np.full((121, 3), 0.1), 11),
}
PLAIN = {name: classify_manifold(X, p) for name, (X, p) in CLOUDS.items()}


def assert_same(one: object, other: object) -> None:
    for field in fields(one):
        np.testing.assert_equal(getattr(one, field.name), getattr(other, field.name), err_msg=field.name)


@pytest.mark.parametrize("name", CLOUDS)
@settings(max_examples=12, deadline=None)
@given(exponent=st.integers(-960, 1020))
def test_powers_of_two_change_nothing(name: str, exponent: int) -> None:
    X, p = CLOUDS[name]
    rounded = X.astype(np.float32).astype(np.float64)  # so that the smallest entries keep all their digits
    assert_same(classify_manifold(np.ldexp(rounded, exponent), p), classify_manifold(rounded, p))


@pytest.mark.parametrize("name", CLOUDS)
@settings(max_examples=12, deadline=None)
@given(power=st.integers(-300, 300))
def test_any_unit_gives_one_answer(name: str, power: int) -> None:
    X, p = CLOUDS[name]
    found, plain = classify_manifold(X * 10.0**power, p), PLAIN[name]
    assert (found.label, found.betti, found.rank, found.reason) == (plain.label, plain.betti, plain.rank, plain.reason)
    assert (found.hole, found.sigma) == pytest.approx((plain.hole, plain.sigma), rel=1e-9)


@pytest.mark.parametrize("name", ["circle", "disc", "circle in group order"])
@pytest.mark.parametrize("size", [1e-37, 1e-31, 1.0, 1e31, 1e38, 3e38])
def test_single_precision_has_its_whole_range(name: str, size: float) -> None:
    X, p = CLOUDS[name]
    found = classify_manifold((X * size / np.abs(X).max()).astype(np.float32), p)
    assert (found.label, found.betti) == (PLAIN[name].label, PLAIN[name].betti)


def test_the_largest_numbers_have_a_shape() -> None:
    assert classify_manifold(CLOUDS["circle"][0] * np.finfo(float).max).label == "circle"
    assert classify_manifold(CLOUDS["circle"][0] * 1e-31).label == "circle"


def test_small_features_count_as_little_as_their_squares() -> None:
    circle, rng = CLOUDS["circle"][0], np.random.default_rng(0)
    assert classify_manifold(np.column_stack([circle, 1e-200 * rng.normal(size=300)])).label == "circle"
    assert classify_manifold(np.column_stack([1e-200 * circle, rng.normal(size=300)])).rank == 1
    # against a constant of 1 a circle of 1e-200 is within rounding
    assert classify_manifold(np.column_stack([1e-200 * circle, np.ones(300)])).reason == "no signal"


@given(exponent=st.integers(-1000, 1000), values=st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=5))
def test_unit_scale_is_exact_and_undone(exponent: int, values: list[float]) -> None:
    array = np.ldexp(np.array(values), exponent)
    unit = unit_scale(array)
    assert not array.any() or 0.5 <= np.abs(unit).max() < 1
    np.testing.assert_array_equal(times_power_of_two(unit, unit_exponent(array)), array)


def test_numbers_beyond_the_range_become_infinite_or_zero() -> None:
    assert times_power_of_two(1.0, 1030) == np.inf
    assert times_power_of_two(np.array([1.0, -1.0]), 2000).tolist() == [np.inf, -np.inf]
    assert times_power_of_two(1.0, -1100) == 0
    assert times_power_of_two(np.float32([1e38]), -149).dtype == np.float32
    assert unit_exponent(np.array([np.inf, 1.0])) == unit_exponent(np.zeros((0, 2))) == 0


@settings(deadline=None)
@given(
    value=st.floats(1e-3, 1e3) | st.floats(-1e3, -1e-3),
    dtype=st.sampled_from([np.float32, np.float64]),
    power=st.integers(-30, 30),
    seed=st.integers(0, 99),
)
def test_constants_are_what_varies_by_rounding_alone(value: float, dtype: type, power: int, seed: int) -> None:
    cloud = np.full((50, 3), value * 10.0**power, dtype)
    step = float(np.finfo(dtype).eps) * cloud * np.random.default_rng(seed).uniform(-1, 1, cloud.shape)
    varied = (cloud + 1000 * step).astype(dtype)
    assert is_constant(cloud) and is_constant((cloud + 10 * step).astype(dtype)) and not is_constant(varied)
    assert is_constant(np.stack([cloud, varied])).tolist() == [True, False]


WINDING = np.add.outer(ANGLE, 2 * ANGLE)


@settings(max_examples=30)
@given(exponent=st.integers(-1000, 1000))
def test_windings_have_no_unit(exponent: int) -> None:
    z = np.complex64((1 + 0.3 * np.cos(WINDING)) * np.exp(1j * WINDING)).astype(complex)
    assert winding_numbers(np.ldexp(z.real, exponent) + 1j * np.ldexp(z.imag, exponent)) == winding_numbers(z)


@given(seed=st.integers(0, 1000))
def test_windings_of_entries_of_very_different_sizes(seed: int) -> None:
    z = 10.0 ** np.random.default_rng(seed).uniform(-300, 300, WINDING.shape) * np.exp(1j * WINDING)
    winding, agreement, clearance = winding_numbers(z)
    assert (winding, agreement) == ((1, 2), 1.0)
    assert clearance < 1e-6


@pytest.mark.parametrize(
    ("z", "match"),
    [
        (np.ma.array(np.ones((5, 5)), mask=np.eye(5)), r"z has 5 masked value"),
        (np.full((5, 5), "1"), "z must hold complex numbers, found dtype <U1"),
        (np.full((5, 5), None), "z must hold complex numbers, found dtype object"),
        ([[1, 2], [3]], "z of type list cannot be read"),
    ],
)
def test_windings_of_what_holds_no_numbers_are_refused(z: object, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        winding_numbers(z)
