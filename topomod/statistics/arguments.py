"""Checks of the arguments that the tests of this room take: numbers, bounds, bandwidths, and arrays of data.

Every check refuses bad input by a ValueError of one sentence, which names the argument, what was found and what is
allowed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

import numpy as np
from jaxtyping import Float

from topomod.topology.inputs import plain_array
from topomod.topology.scale import times_power_of_two


def describe(value: object) -> str:
    """What was found, in a few words: numbers as they are, anything else with its type."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    text = repr(value) if isinstance(value, str) else str(value)
    short = text if len(text) <= 60 else text[:57] + "..."
    return short if value is None or is_number(value) else f"{short} of type {type(value).__name__}"


def is_number(value: object) -> bool:
    """Whether a value is one real number; truth values, strings and arrays are not."""
    return not isinstance(value, bool) and isinstance(value, Real)


def check_number(value: object, name: str, allowed: str, inside: Callable[[float], bool]) -> float:
    """The value as a float, where it is one number for which ``inside`` holds."""
    if isinstance(value, Real) and is_number(value):
        try:
            number = float(value)
        except OverflowError:  # an integer beyond the largest float
            number = math.inf
        if inside(number):
            return number
    raise ValueError(f"{name} is {describe(value)}; it must {allowed}")


def check_whole(value: object, name: str, least: int) -> int:
    """The value as an int, where it is a whole number that is large enough."""
    if isinstance(value, Integral) and is_number(value) and int(value) >= least:
        return int(value)
    raise ValueError(f"{name} is {describe(value)}; it must be a whole number, at least {least}")


def check_settings(margin: object, alpha: object, seed: object) -> tuple[float, float, int]:
    """Margin, level and seed of a test as numbers that it can use."""
    positive = "be a positive number, fixed before seeing the data"
    return (
        check_number(margin, "margin", positive, lambda number: 0 < number < math.inf),
        check_number(alpha, "alpha", "be a number strictly between 0 and 0.5", lambda number: 0 < number < 0.5),
        check_whole(seed, "seed", 0),
    )


def check_share(value: object, name: str) -> float:
    """The value as a float, where it is a number strictly between 0 and 1."""
    return check_number(value, name, "be a number strictly between 0 and 1", lambda number: 0 < number < 1)


def check_bandwidths(bandwidths: object) -> tuple[float, ...] | None:
    """Bandwidths of a kernel as a tuple of floats; None, for a choice from the data, stays None."""
    if bandwidths is None:
        return None
    widths = _members(bandwidths)
    if widths and all(is_number(width) and 0 < width < math.inf for width in widths):
        return tuple(float(width) for width in widths)
    raise ValueError(f"bandwidths are {describe(bandwidths)}; they must be positive numbers in a tuple, at least one")


def check_bounds(
    bounds: object, margin: float, samples: dict[str, Float[np.ndarray, " _"]]
) -> tuple[float, float] | None:
    """Bounds as two floats, where neither the margin nor a sample contradicts them; None stays None."""
    if bounds is None:
        return None
    ends = _members(bounds)
    if not (len(ends) == 2 and all(is_number(end) and math.isfinite(end) for end in ends) and ends[0] < ends[1]):
        raise ValueError(f"bounds are {describe(bounds)}; they must be two finite numbers, the lower one first")
    low, high = float(ends[0]), float(ends[1])
    half_width = high / 2 - low / 2  # the width itself can be beyond the largest float
    slack = 2e-9 * half_width
    for name, values in samples.items():
        if values.min() < low - slack or values.max() > high + slack:
            found = f"{name} runs from {values.min():g} to {values.max():g}"
            raise ValueError(f"{found}, outside its bounds ({low:g}, {high:g})")
    if margin / 2 >= half_width:
        raise ValueError(
            f"margin is {margin} but bounds ({low:g}, {high:g}) allow no larger difference; choose a smaller one"
        )
    return low, high


def scaled_bounds(bounds: tuple[float, float] | None, exponent: int) -> tuple[float, float] | None:
    """Bounds of a quantity that was divided by ``2**exponent``."""
    if bounds is None:
        return None
    return times_power_of_two(bounds[0], -exponent), times_power_of_two(bounds[1], -exponent)


def _members(values: object) -> tuple[Any, ...]:
    """Members of a tuple, a list or a one-dimensional array; nothing of anything else."""
    is_vector = isinstance(values, np.ndarray) and values.ndim == 1
    return tuple(values) if is_vector or isinstance(values, (tuple, list)) else ()  # type: ignore[arg-type]


def number_array(values: object, name: str) -> Float[np.ndarray, " *shape"]:
    """The values as an array of floats; missing ones of any kind become NaN.

    Raises
    ------
    ValueError
        As `plain_array`, and for anything that is no real number: text, complex numbers, times.
    """
    plain = plain_array(values, name)
    if plain.dtype == object:
        plain = _object_numbers(plain, name)
    if plain.dtype.kind not in "biuf":
        raise ValueError(f"{name} holds values of type {plain.dtype}; it must hold real numbers")
    return plain.astype(float, copy=False)


def _object_numbers(values: np.ndarray, name: str) -> Float[np.ndarray, " *shape"]:
    from pandas import isna

    missing = isna(values)
    for value in values[~missing].ravel():
        if not isinstance(value, (Real, Decimal, np.bool_)):
            raise ValueError(f"{name} holds {describe(value)}; it must hold real numbers")
    return np.where(missing, np.nan, values).astype(float)


def check_finite(values: Float[np.ndarray, " *shape"], name: str) -> None:
    """Refuse NaN and infinite values.

    Raises
    ------
    ValueError
        If there are any.
    """
    if not np.isfinite(values).all():
        raise ValueError(f"{name} contains NaN or infinite values; drop or explain the networks they belong to first")
