"""The simplest basis of several circular coordinates: those of a torus can come as a, a + b instead of a, b."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from topomod.topology.complexes import Edges

Basis = Int[np.ndarray, "c c"]


def simplest_basis(turns: Float[np.ndarray, "c n"], edges: Edges) -> Basis:
    """Whole-number combinations of circular coordinates that change least along the edges, as a unimodular matrix.

    The coordinates are a lattice whose inner product is the mean product of their changes. Pairs of its basis are
    reduced, as by Lagrange and Gauss, until none gets shorter.

    Parameters
    ----------
    turns : ndarray
        (c, n_points) coordinates in turns, that change by less than half a turn along each edge.
    edges : Edges
        Of the complex that they were found in.

    References
    ----------
    Scoccola, Gakhar, Bush, Schonsheck, Rask, Zhou, Perea, arXiv 2212.07201.
    """
    steps = turns[:, edges.j] - turns[:, edges.i]
    steps -= np.rint(steps)
    product = steps @ steps.T / max(steps.shape[1], 1)
    basis = np.eye(len(turns), dtype=np.int64)
    while True:
        gram = basis @ product @ basis.T
        length = np.diag(gram)
        times = np.rint(gram / np.where(length > 0, length, 1)).astype(np.int64)  # of the column's, taken off the row's
        np.fill_diagonal(times, 0)
        gain = 2 * times * gram - times**2 * length
        i, j = np.unravel_index(np.argmax(gain), gain.shape) if gain.size else (0, 0)
        if not gain.size or gain[i, j] <= 1e-9 * length[i]:
            return basis
        basis[i] -= times[i, j] * basis[j]
