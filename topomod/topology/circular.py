"""Circular coordinates for users: an angle for each row of a cloud and for new points, and a loop through its rows."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from topomod.notebook import Shown
from topomod.topology.classify import MAX_ROWS, MIN_DISTINCT, check_cloud, n_distinct_rows
from topomod.topology.inputs import finite_array
from topomod.topology.loop_views import MAX_LOOPS, Projection, clearest_view
from topomod.topology.loops import loop_rows
from topomod.topology.scale import is_constant, times_power_of_two, unit_exponent


@dataclass(frozen=True)
class LoopCoordinates(Shown):
    """Angles along the loops of a cloud, most persistent loop first.

    Parameters
    ----------
    turns : ndarray
        (c, n_points) in turns, from 0 to below 1. Each is fixed up to its sign and a constant.
    bars : ndarray
        (c, 2) radii at which each loop is born and filled, in rms units as those of a verdict.
    loops : tuple of ndarray
        For each loop the rows of ``X`` along it, in order. The last one is joined to the first one. The coordinate
        rises by one turn along it.
    """

    turns: Float[np.ndarray, "c n"]
    bars: Float[np.ndarray, "c 2"]
    loops: tuple[Int[np.ndarray, " _"], ...]
    _projection: Projection = field(repr=False)

    def transform(self, X_new: ArrayLike) -> Float[np.ndarray, "c m"]:
        """Turns of new points: those of their nearest neighbours among the rows, averaged.

        Neighbours are found in the components in which the loops are.

        Parameters
        ----------
        X_new : array_like
            (m, n_features) in the unit of ``X``.

        Returns
        -------
        ndarray
            (c, m) in turns, from 0 to below 1.

        Raises
        ------
        ValueError
            For another number of features, and for masked, complex, NaN or infinite entries.
        """
        rows = finite_array(X_new, "X_new")
        n_features = len(self._projection.mean)
        if rows.ndim != 2 or rows.shape[1] != n_features:
            raise ValueError(f"X_new must be (n_points, {n_features}) like X, found shape {rows.shape}")
        return self._projection.turns_of(rows.astype(np.float64))


def circular_coordinates(X: ArrayLike, p: int | None = None, n_coordinates: int = 1, seed: int = 0) -> LoopCoordinates:
    """Angles along the most persistent loops of a cloud, and the loops themselves.

    Parameters
    ----------
    X : array_like
        (n_points, n_features) finite numbers in any unit. With ``p``, rows are in the order of ``a * p + b``.
    p : int, optional
        Modulus, at least 5. Noise is averaged away as by :func:`topomod.classify_manifold`.
    n_coordinates : int
        How many loops are wanted, 1 to 3: two for a torus. Where the cloud has fewer clear ones, fewer come back.
    seed : int
        Seed of the jitter, and of the rows that are used where there are more than 20000.

    Returns
    -------
    LoopCoordinates

    Raises
    ------
    ValueError
        For what :func:`topomod.classify_manifold` refuses, fewer than 10 distinct points, and a cloud without a clear
        loop.

    Notes
    -----
    A loop is clear if it is filled at 0.15 rms or later, and at no less than 1.8 times the radius of its birth. The
    longest one also has to be filled at 0.35 rms or later, or to live 1.8 times as long as the next one. That is no
    test: :func:`topomod.matched_null` says how often clouds without a loop have one as long.

    Several coordinates are given in their simplest basis: a and b of a torus, not a and a + b.

    References
    ----------
    de Silva, Morozov, Vejdemo-Johansson, arXiv 0905.4887; several coordinates: arXiv 2212.07201.

    Examples
    --------
    >>> angle = 2 * np.pi * np.arange(100) / 100
    >>> found = circular_coordinates(np.stack([np.cos(angle), np.sin(angle)], axis=1))
    >>> found.turns.shape, len(found.loops)
    ((1, 100), 1)
    """
    wanted = _check_count(n_coordinates)
    rows = check_cloud(X, p)
    exponent = unit_exponent(finite_array(X, "X"))
    rng = np.random.default_rng(seed)
    distinct = 1 if is_constant(rows) else n_distinct_rows(rows, rng)
    if distinct < MIN_DISTINCT:
        raise ValueError(f"X must have at least {MIN_DISTINCT} distinct points, found {distinct}")
    used = np.arange(len(rows))
    if p is None and len(rows) > MAX_ROWS:
        used = np.sort(rng.choice(len(rows), MAX_ROWS, replace=False))
    found = clearest_view(rows[used], p, wanted, rng)
    turns = found.row_turns()
    projection = Projection.of(rows[used], found.cloud.rows, turns, exponent)
    if len(used) < len(rows):
        turns = projection.turns_of(times_power_of_two(rows.astype(np.float64), exponent))
    loops = tuple(used[loop] for loop in loop_rows(found))
    return LoopCoordinates(turns, found.bars, loops, projection)


def _check_count(n_coordinates: object) -> int:
    whole = isinstance(n_coordinates, (int, np.integer)) and not isinstance(n_coordinates, bool)
    if isinstance(n_coordinates, (int, np.integer)) and whole and 1 <= int(n_coordinates) <= MAX_LOOPS:
        return int(n_coordinates)
    raise ValueError(f"n_coordinates is {n_coordinates!r}; it must be a whole number from 1 to {MAX_LOOPS}")
