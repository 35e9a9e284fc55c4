"""Clouds with too few points for homology: whether the points, in the order given, go round their centre."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from topomod.topology.principal_components import principal_axes
from topomod.topology.verdict import ManifoldVerdict, empty_verdict

MIN_IN_ORDER = 5  # points from which on their order is
LINE = 1e-9  # of the first variance; the rounding of single precision, squared, is far below
MAX_THIRD = 0.9  # of the second variance; with more, noise decides which plane is the leading one
MIN_CLEARANCE = 0.05  # rms; nearer to the centre it is not clear on which side a side of the polygon passes


def few_points_verdict(X: Float[np.ndarray, "n k"], n_distinct: int, needed: int) -> ManifoldVerdict:
    """Verdict on at least 5 distinct points that are too few for homology, which is always "uncertain".

    Its reason says how often the closed polygon of the rows, in the order in which they were given, goes round their
    centre in the plane of the first two principal components. That is a fact about this order: points in another order
    have another polygon, and nothing here says that a circle was sampled.

    Parameters
    ----------
    X : ndarray
        (n_points, n_features) with some variance, at unit scale.
    n_distinct : int
        Number of its distinct rows.
    needed : int
        Number of distinct points that homology needs.
    """
    few = f"{n_distinct} points: at least {needed} distinct points are needed for homology"
    return empty_verdict("uncertain", f"{few}; {_course(X)}", n_distinct)


def _course(X: Float[np.ndarray, "n k"]) -> str:
    """How the rows go round their centre, in words."""
    rows = X.astype(np.float64)
    rows = rows - rows.mean(axis=0)
    rows = rows / np.abs(rows).max()
    variance, axes = principal_axes(rows, 3)
    if variance[1] <= LINE * variance[0]:
        return "they lie on a line"
    if len(variance) > 2 and variance[2] > MAX_THIRD * variance[1]:
        return "no plane holds more of their variance than all others, so their order is not read"
    plane = rows @ axes[:, :2]
    where = f"in the plane of their first two principal components ({_share(variance, rows):.0%} of the variance)"
    if _clearance(plane) < MIN_CLEARANCE:
        return f"in the given order they pass through their centre, {where}"
    return f"in the given order they {_turns(plane)}, {where}"


def _share(variance: Float[np.ndarray, " c"], rows: Float[np.ndarray, "n k"]) -> float:
    return min(1.0, float(variance[:2].sum() / np.sum(rows**2)))


def _clearance(plane: Float[np.ndarray, "n 2"]) -> float:
    """Smallest distance of the closed polygon of the rows from the origin, in units of their rms radius."""
    sides = np.roll(plane, -1, axis=0) - plane
    squares = np.sum(sides**2, axis=1)
    along = -np.sum(plane * sides, axis=1) / np.where(squares > 0, squares, 1)
    nearest = plane + np.clip(along, 0, 1)[:, None] * sides
    return float(np.linalg.norm(nearest, axis=1).min() / np.sqrt(np.mean(np.sum(plane**2, axis=1))))


def _turns(plane: Float[np.ndarray, "n 2"]) -> str:
    z = plane[:, 0] + 1j * plane[:, 1]
    turns = abs(round(float(np.angle(np.roll(z, -1) * np.conj(z)).sum() / (2 * np.pi))))
    if turns == 0:
        return "do not go round their centre"
    often = {1: "once", 2: "twice"}.get(turns, f"{turns} times")
    return f"go round their centre {often}"
