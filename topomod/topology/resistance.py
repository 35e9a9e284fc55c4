"""Effective resistance between the points of a cloud: a distance that noise in many features changes little."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from topomod.topology.diagrams import Diagram

N_NEIGHBOURS = 15
MAX_POINTS = 2000  # the matrix of resistances is dense, and is inverted


def resistance_distances(X: Float[np.ndarray, "n m"], n_neighbours: int = N_NEIGHBOURS) -> Float[np.ndarray, "n n"]:
    """Corrected effective resistance between all pairs of points, along the symmetric graph of nearest neighbours.

    Each edge of the graph is a resistor of one ohm. What a current meets at its two ends alone, the inverse of their
    numbers of edges, is taken off: in large graphs it is nearly all there is, and says nothing of the shape.

    Parameters
    ----------
    X : ndarray
        (n_points, n_features), 2000 points at the most.
    n_neighbours : int
        Neighbours of each point. An edge is there if either of its ends is a neighbour of the other.

    Returns
    -------
    ndarray
        (n_points, n_points), no unit, infinite between points that no path joins.

    Raises
    ------
    ValueError
        For more than 2000 points, or no more points than neighbours.

    References
    ----------
    Damrich, Berens, Kobak, arXiv 2311.03087; the correction: von Luxburg, Radl, Hein 2010, NeurIPS 23.
    """
    n = len(X)
    if not n_neighbours < n <= MAX_POINTS:
        raise ValueError(f"X has {n} points; between {n_neighbours + 1} and {MAX_POINTS} can be used")
    near = cKDTree(X).query(X, k=n_neighbours + 1)[1]
    i, j = np.repeat(np.arange(n), n_neighbours + 1), near.ravel()
    graph = coo_array((np.ones(i.size), (i, j)), shape=(n, n)).toarray()
    joined = np.maximum(graph, graph.T)
    np.fill_diagonal(joined, 0)
    degree = joined.sum(axis=1)
    part = connected_components(joined, directed=False)[1]
    same = part[:, None] == part
    # within each part the sum of potentials is fixed by a matrix of ones, which makes the Laplacian invertible
    potential = np.linalg.inv(np.diag(degree) - joined + same / same.sum(axis=1, keepdims=True))
    own = np.diag(potential)
    found = own[:, None] + own - 2 * potential
    found += 2 * joined / np.outer(degree, degree) - 1 / degree[:, None] - 1 / degree
    np.fill_diagonal(found, 0)
    return np.where(same, np.maximum(found, 0), np.inf)


def resistance_loops(X: Float[np.ndarray, "n m"], n_neighbours: int = N_NEIGHBOURS) -> Diagram:
    """Births and deaths of the loops of the Rips complex of these resistances, most persistent first.

    They are resistances. Points that no path joins to most others are left out.
    """
    from ripser import ripser

    distance = resistance_distances(X, n_neighbours)
    most = np.isfinite(distance[np.argmax(np.isfinite(distance).sum(axis=1))])
    bars = np.asarray(ripser(distance[np.ix_(most, most)], distance_matrix=True, maxdim=1)["dgms"][1], np.float64)
    return bars[np.argsort(bars[:, 0] - bars[:, 1])]
