"""Numbers of any size: exact powers of two that bring them to unit scale, and the rule of what is constant.

Squares of numbers beyond about 1e154, or below 1e-162, leave the range of double precision. What is computed from data
of any unit is therefore computed at unit scale. Products with powers of two are exact, so that no result depends on it.
"""

from __future__ import annotations

import math
from typing import TypeVar

import numpy as np
from jaxtyping import Bool, Float

# Numbers of one size that differ by less than this many units in the last place may be equal ones, rounded.
ROUNDINGS = 100

Numbers = TypeVar("Numbers", float, np.ndarray)


def unit_exponent(*arrays: np.ndarray) -> int:
    """Exponent e for which the largest magnitude of all the arrays lies in [2**(e - 1), 2**e).

    It is 0 where there is no number but 0, and where one is NaN or infinite.

    Examples
    --------
    >>> unit_exponent(np.array([0.75, -3.0])), unit_exponent(np.zeros(3))
    (2, 0)
    """
    largest = max((float(np.max(np.abs(array), initial=0)) for array in arrays), default=0.0)
    return math.frexp(largest)[1] if math.isfinite(largest) else 0


def times_power_of_two(values: Numbers, exponent: int) -> Numbers:
    """``values * 2**exponent``, in their own precision; infinite or 0 where it has no number so large or so small.

    Examples
    --------
    >>> times_power_of_two(3.0, -1)
    1.5
    """
    if exponent == 0:
        return values
    half = exponent // 2  # 2**exponent itself can be out of range
    with np.errstate(over="ignore"):
        return values * math.ldexp(1.0, half) * math.ldexp(1.0, exponent - half)


def unit_scale(values: np.ndarray) -> np.ndarray:
    """The values divided by the power of two that brings their largest magnitude into [0.5, 1)."""
    return times_power_of_two(values, -unit_exponent(values))


def rounding_share(dtype: np.dtype) -> float:
    """Share of a magnitude that counts as rounding in a precision: 2.2e-14 in double, 1.2e-5 in single and less."""
    single = dtype.kind == "f" and dtype.itemsize <= 4
    return ROUNDINGS * float(np.finfo(np.float32 if single else np.float64).eps)


def is_constant(clouds: Float[np.ndarray, "*batch n k"], rounding: float | None = None) -> Bool[np.ndarray, " *batch"]:
    """Whether the points of a cloud agree up to the rounding of their numbers.

    A cloud is constant when its spread, the largest range of a feature, is within rounding of its magnitude, the
    largest absolute value of all features.

    Parameters
    ----------
    clouds : ndarray
        (..., n_points, n_features). The precision is that in which the numbers were computed: convert it afterwards.
    rounding : float, optional
        Share of the magnitude that counts as rounding. Default: :func:`rounding_share` of the precision. Sums of large
        numbers that cancel have more.

    Examples
    --------
    >>> bool(is_constant(np.full((50, 3), 0.1))), bool(is_constant(np.eye(3)))
    (True, False)
    """
    rounding = rounding_share(clouds.dtype) if rounding is None else rounding
    with np.errstate(over="ignore"):
        spread = np.ptp(clouds, axis=-2).max(axis=-1)
    magnitude = np.abs(clouds).max(axis=(-2, -1))
    return np.asarray(np.asarray(spread, np.float64) <= rounding * np.asarray(magnitude, np.float64))
