"""Arrays that users give: without masks, of real numbers, finite."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


def plain_array(values: object, name: str, dtype: type | None = None) -> np.ndarray:
    """The values as an array without a mask.

    A mask that hides nothing is dropped. Masks inside lists and tuples count as well.

    Raises
    ------
    ValueError
        If a mask hides a value, or the values form no array.
    """
    hidden = _n_masked(values)
    if hidden:
        raise ValueError(f"{name} has {hidden} masked value(s); leave their rows out, because masks are not used")
    try:
        return np.asarray(values, dtype=dtype)
    except (TypeError, ValueError, RuntimeError) as error:
        found = f"{name} of type {type(values).__name__} cannot be read as an array"
        raise ValueError(f"{found}; it must hold numbers or labels in rows of one shape") from error


def _n_masked(values: object) -> int:
    if isinstance(values, np.ma.MaskedArray):
        return int(np.sum(values.mask))
    if isinstance(values, (list, tuple)) or (isinstance(values, np.ndarray) and values.dtype == object):
        return sum(_n_masked(part) for part in values)
    return 0


def finite_array(values: object, name: str) -> Float[np.ndarray, " *shape"]:
    """The values as finite real numbers: in single precision if they come in that or less, else in double.

    Raises
    ------
    ValueError
        As :func:`plain_array`, and for complex numbers, text, objects, NaN and infinite values.
    """
    array = plain_array(values, name)
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name} must hold real numbers, found dtype {array.dtype}")
    single = array.dtype.kind == "f" and array.dtype.itemsize <= 4
    with np.errstate(over="ignore"):  # beyond double precision a number is infinite, and refused as such
        array = array.astype(np.float32 if single else np.float64)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, found {int((~np.isfinite(array)).sum())} NaN or infinite entries")
    return array


def cloud_rows(values: object, name: str) -> Float[np.ndarray, "n k"]:
    """A point cloud as one row per point; a vector is a cloud with one feature.

    Raises
    ------
    ValueError
        As :func:`finite_array`, for three and more axes, and for a cloud without points or features.
    """
    rows = finite_array(values, name)
    rows = rows[:, None] if rows.ndim == 1 else rows
    if rows.ndim != 2 or rows.size == 0:
        hint = f"; reshape it to {(rows.shape[0] * rows.shape[1], rows.shape[2])}" if rows.ndim == 3 else ""
        raise ValueError(f"{name} must be (n_points, n_features) or (n_points,), found shape {rows.shape}{hint}")
    return rows
