"""Which angle a loop carries: circular coordinates from persistent cohomology, and their winding along a and b."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from topomod.tasks.fourier import rebase
from topomod.topology.complexes import rips_diagrams
from topomod.topology.winding import MIN_WINDING_AGREEMENT, winding_numbers

COEFF = 47  # a prime large enough that cocycles lift to integers
GRID = 10  # landmarks per axis; cohomology of 100 points takes 20 ms

WindingMatrix = tuple[tuple[int, int], ...]


def circular_coordinates(
    points: Float[np.ndarray, "n k"], n_coordinates: int
) -> tuple[Float[np.ndarray, "c n"], Float[np.ndarray, " c"]]:
    """Circle-valued functions of the most persistent one-dimensional classes of a cloud.

    Parameters
    ----------
    points : ndarray
        (n_points, k), a few hundred.
    n_coordinates : int
        How many, most persistent first; fewer come back where there are fewer classes.

    Returns
    -------
    coordinates : ndarray
        (c, n_points) in turns, 0..1.
    persistence : ndarray
        (c,) death minus birth of each class, distances.

    References
    ----------
    de Silva, Morozov, Vejdemo-Johansson, arXiv 0905.4887.
    """
    rips = rips_diagrams(points, maxdim=1, n_perm=None, coeff=COEFF, do_cocycles=True)
    bars, cocycles = rips.diagrams[1], rips.cocycles[1]
    chosen = np.argsort(bars[:, 0] - bars[:, 1])[:n_coordinates]
    distance = np.linalg.norm(points[:, None] - points[None], axis=2)
    coordinates = [_harmonic(cocycles[index], distance, float(bars[index].mean())) for index in chosen]
    return np.array(coordinates).reshape(len(chosen), len(points)), bars[chosen, 1] - bars[chosen, 0]


def _harmonic(cocycle: np.ndarray, distance: Float[np.ndarray, "n n"], scale: float) -> Float[np.ndarray, " n"]:
    """Integrate the smoothest cocycle of a class over the edges up to a scale, in turns."""
    from scipy.sparse import coo_array
    from scipy.sparse.linalg import lsqr

    n = len(distance)
    values = np.zeros((n, n))
    lifted = np.where(cocycle[:, 2] > COEFF // 2, cocycle[:, 2] - COEFF, cocycle[:, 2])
    values[cocycle[:, 0], cocycle[:, 1]] = lifted
    values[cocycle[:, 1], cocycle[:, 0]] = -lifted
    i, j = np.nonzero(np.triu(distance <= scale, 1))
    edges = np.arange(len(i))
    ones = np.ones(len(i))
    boundary = coo_array((np.r_[-ones, ones], (np.r_[edges, edges], np.r_[i, j])), shape=(len(i), n))
    return np.asarray(lsqr(boundary.tocsr(), values[i, j], atol=1e-8, btol=1e-8)[0] % 1.0)


def winding_matrix(points: Float[np.ndarray, "n k"], p: int, frequency: int, n_loops: int) -> WindingMatrix | None:
    """Windings along a and b of a cloud's circular coordinates.

    Parameters
    ----------
    points : ndarray
        (p * p, k), rows in the order of ``a * p + b``.
    p : int
        Modulus.
    frequency : int
        Of the cloud, coprime to p: pairs are re-based to frequency 1.
    n_loops : int
        Rows of the matrix: 1 for a circle, 2 for a torus.

    Returns
    -------
    tuple of tuple of int or None
        One ``(m_a, m_b)`` per class, its first nonzero entry positive, largest row first: ``((1, 0), (0, 1))``
        says one loop goes round with ``a`` and one with ``b``. None where loops do not agree or classes are missing.
    """
    grid = rebase(points.reshape(p, p, -1), frequency)
    step = np.unique(np.linspace(0, p, min(GRID, p), endpoint=False).astype(int))
    landmarks = grid[np.ix_(step, step)]
    coordinates, _ = circular_coordinates(landmarks.reshape(len(step) ** 2, -1), n_loops)
    rows = []
    for turns in coordinates:
        (m_a, m_b), agreement, _ = winding_numbers(np.exp(2j * np.pi * turns.reshape(len(step), len(step))))
        if agreement < MIN_WINDING_AGREEMENT:
            return None
        sign = -1 if (m_a, m_b) < (0, 0) else 1
        rows.append((sign * m_a, sign * m_b))
    return tuple(sorted(rows, reverse=True)) if len(rows) == n_loops else None


def determinant(matrix: WindingMatrix) -> int:
    """Determinant of a 2 x 2 winding matrix; +-1 says that the two classes generate all loops of the torus of pairs."""
    (a, b), (c, d) = matrix
    return a * d - b * c
