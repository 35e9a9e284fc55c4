"""Circular coordinates of the loops of a cloud, from persistent cohomology, and their windings along a and b."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.spatial import cKDTree

from topomod.tasks.fourier import rebase
from topomod.topology.complexes import Edges, alpha_edges, rips_diagrams
from topomod.topology.winding import MIN_WINDING_AGREEMENT, winding_numbers

COEFF = 47  # a prime large enough that cocycles lift to integers
GRID = 10  # landmarks per axis; the cohomology of 100 points takes 20 ms

WindingMatrix = tuple[tuple[int, int], ...]


class CircularCoordinates(NamedTuple):
    """Circle-valued functions of the most persistent one-dimensional classes of a cloud.

    Parameters
    ----------
    turns : ndarray
        (c, n_points) in turns, 0..1, most persistent class first.
    bars : ndarray
        (c, 2) births and deaths of the classes.
    """

    turns: Float[np.ndarray, "c n"]
    bars: Float[np.ndarray, "c 2"]


def rips_coordinates(points: Float[np.ndarray, "n k"], n_coordinates: int) -> CircularCoordinates:
    """Circular coordinates from the persistent cohomology of the Rips complex.

    Parameters
    ----------
    points : ndarray
        (n_points, k), a few hundred.
    n_coordinates : int
        How many classes, most persistent first. Where the cloud has fewer, fewer come back.

    Returns
    -------
    CircularCoordinates
        Births and deaths are distances.

    References
    ----------
    de Silva, Morozov, Vejdemo-Johansson, arXiv 0905.4887.
    """
    distance = np.linalg.norm(points[:, None] - points[None], axis=2)
    i, j = np.triu_indices(len(points), 1)
    found = rips_diagrams(points, maxdim=1, n_perm=None, coeff=COEFF, do_cocycles=True)
    edges = Edges(i, j, distance[i, j])
    return _coordinates(found.diagrams[1], found.cocycles[1], edges, len(points), n_coordinates, 0.5)


def alpha_coordinates(points: Float[np.ndarray, "n k"], n_coordinates: int) -> CircularCoordinates:
    """Circular coordinates from the edges of the alpha complex, at the full resolution of the points.

    The complex is the one of all cliques of these edges. Its diagrams are those of the alpha complex but for triangles,
    which come with their longest edge and not with their circumcircle.

    Parameters
    ----------
    points : ndarray
        (n_points, k), k in 2..4, in general position.
    n_coordinates : int
        As in :func:`rips_coordinates`. Births and deaths are radii.
    """
    from ripser import ripser
    from scipy.sparse import coo_matrix

    edges, n = alpha_edges(points), len(points)
    # ripser's binding reads 32-bit indices only
    graph = coo_matrix(
        (np.r_[edges.radius, edges.radius], (np.r_[edges.i, edges.j], np.r_[edges.j, edges.i])), shape=(n, n)
    )
    found = ripser(graph.tocsr(), distance_matrix=True, maxdim=1, coeff=COEFF, do_cocycles=True)
    return _coordinates(np.asarray(found["dgms"][1], np.float64), found["cocycles"][1], edges, n, n_coordinates, 0.95)


def _coordinates(
    bars: np.ndarray, cocycles: list[np.ndarray], edges: Edges, n: int, n_coordinates: int, late: float
) -> CircularCoordinates:
    # late in a class's life the loops around the gaps of the sample are filled, which it would wind around as well
    finite = np.flatnonzero(np.isfinite(bars[:, 1]))
    chosen = finite[np.argsort(bars[finite, 0] - bars[finite, 1])[:n_coordinates]]
    turns = [_harmonic(cocycles[index], edges, n, float(bars[index] @ (1 - late, late))) for index in chosen]
    return CircularCoordinates(np.array(turns).reshape(len(chosen), n), bars[chosen].reshape(-1, 2))


def _harmonic(cocycle: np.ndarray, edges: Edges, n: int, scale: float) -> Float[np.ndarray, " n"]:
    """Integrate the smoothest cocycle of a class over the edges up to a scale, in turns."""
    from scipy.sparse import coo_array
    from scipy.sparse.linalg import lsqr

    lifted = np.where(cocycle[:, 2] > COEFF // 2, cocycle[:, 2] - COEFF, cocycle[:, 2])
    near = edges.radius <= scale
    i, j = edges.i[near], edges.j[near]
    own = coo_array((lifted, (cocycle[:, 0], cocycle[:, 1])), shape=(n, n)).tocsr()
    # a turn is to be even in length, not in edges
    weight = 1 / np.maximum(edges.radius[near], 1e-3 * scale)
    values = weight * np.asarray((own - own.T)[i, j]).ravel()
    rows = np.arange(len(i))
    boundary = coo_array((np.r_[-weight, weight], (np.r_[rows, rows], np.r_[i, j])), shape=(len(i), n))
    return np.asarray(lsqr(boundary.tocsr(), values, atol=1e-8, btol=1e-8)[0] % 1.0)


def winding_matrix(points: Float[np.ndarray, "n k"], p: int, frequency: int, n_loops: int) -> WindingMatrix | None:
    """Windings along a and b of a cloud's circular coordinates.

    Parameters
    ----------
    points : ndarray
        (p * p, k), rows in the order of ``a * p + b``.
    p : int
        Modulus.
    frequency : int
        Frequency of the cloud, coprime to p. The pairs are re-based to frequency 1.
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
    found = rips_coordinates(landmarks.reshape(len(step) ** 2, -1), n_loops)
    return grid_windings(found.turns.reshape(-1, len(step), len(step)), n_loops)


def alpha_winding_matrix(
    rows: Float[np.ndarray, "n k"], points: Float[np.ndarray, "d k"], p: int, frequency: int, n_loops: int
) -> WindingMatrix | None:
    """Windings as in :func:`winding_matrix`, of coordinates at the full resolution of the alpha complex.

    They find loops that 100 landmarks miss. ``points`` (d, k) are those of the complex; each row takes the turn of the
    nearest three.
    """
    found = alpha_coordinates(points, n_loops)
    near = cKDTree(points).query(rows, k=3)[1]
    mean = np.exp(2j * np.pi * found.turns)[:, near].mean(axis=2)
    grid = rebase(np.moveaxis(mean, 0, -1).reshape(p, p, -1), frequency)
    matrix = grid_windings(np.moveaxis(np.angle(grid) / (2 * np.pi), -1, 0), n_loops)
    if matrix is not None and n_loops == 2 and abs(determinant(matrix)) == 1:
        return ((1, 0), (0, 1))  # its rows generate all loops, and these two are their simplest basis
    return matrix


def grid_windings(coordinates: Float[np.ndarray, "c s s"], n_loops: int) -> WindingMatrix | None:
    """Windings of circular coordinates given on a grid of pairs, in turns; None where the loops do not agree."""
    rows = []
    for turns in coordinates:
        (m_a, m_b), agreement, _ = winding_numbers(np.exp(2j * np.pi * turns))
        if agreement < MIN_WINDING_AGREEMENT:
            return None
        sign = -1 if (m_a, m_b) < (0, 0) else 1
        rows.append((sign * m_a, sign * m_b))
    return tuple(sorted(rows, reverse=True)) if len(rows) == n_loops else None


def determinant(matrix: WindingMatrix) -> int:
    """Determinant of a 2 x 2 winding matrix; +-1 says that the two classes generate all loops of the torus of pairs."""
    (a, b), (c, d) = matrix
    return a * d - b * c
