"""Complexes on point clouds, and their persistence diagrams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from topomod.topology.diagrams import Diagram

MAX_ALPHA = 4  # Delaunay triangulations beyond four dimensions take too long


@dataclass(frozen=True)
class RipsDiagrams:
    """Vietoris-Rips persistence of a cloud or of landmarks in it.

    Parameters
    ----------
    diagrams : tuple of ndarray
        (n_pairs, 2) births and deaths per dimension, as distances (twice the radius), infinite deaths kept.
    r_cover : float
        Largest distance of a point from the landmarks: diagrams are within ``2 * r_cover`` of those of all
        points in bottleneck distance. 0 if all points were used.
    landmarks : ndarray
        Rows used, in the order they were chosen.
    cocycles : tuple
        Representative cocycles as ripser gives them; empty unless asked for.
    """

    diagrams: tuple[Diagram, ...]
    r_cover: float
    landmarks: np.ndarray
    cocycles: tuple[list[np.ndarray], ...]


def farthest_points(points: Float[np.ndarray, "n k"], n_perm: int, start: int = 0) -> np.ndarray:
    """Rows of a greedy maxmin sample: each next point is the one farthest from those chosen.

    References
    ----------
    Gonzalez 1985, doi 10.1016/0304-3975(85)90224-5.
    """
    n_perm = min(n_perm, len(points))
    chosen = np.empty(n_perm, dtype=np.int64)
    columns = np.ascontiguousarray(points.T)
    nearest = np.full(len(points), np.inf)
    chosen[0] = start
    for i in range(n_perm):
        if i:
            chosen[i] = np.argmax(nearest)
        offset = columns - columns[:, chosen[i], None]
        np.minimum(nearest, np.einsum("kn,kn->n", offset, offset), out=nearest)
    return chosen


def thin(points: Float[np.ndarray, "n k"], limit: int, rng: np.random.Generator) -> Float[np.ndarray, "d k"]:
    """At most ``limit`` points, spread evenly so that small holes survive."""
    if len(points) <= limit:
        return points
    return np.asarray(points[farthest_points(points, limit, int(rng.integers(len(points))))])


def alpha_diagrams(points: Float[np.ndarray, "n k"], maxdim: int = 1, coeff: int = 2) -> tuple[Diagram, ...]:
    """Persistence diagrams of the alpha complex, births and deaths as radii.

    The complex is exact for the union of balls around the points. In up to four dimensions it costs a small fraction of
    a Rips complex. The points must be in general position: add jitter to a lattice.

    Parameters
    ----------
    points : ndarray
        (n_points, k), k in 2..4.
    maxdim : int
        Highest homology dimension, below k.
    coeff : int
        Prime field of coefficients.

    Returns
    -------
    tuple of ndarray
        (n_pairs, 2) for each dimension 0..maxdim, the infinite bar of H0 kept, bars of length 0 left out.

    References
    ----------
    Edelsbrunner and Mucke 1994, doi 10.1145/174462.156635; gudhi (its alpha complex uses CGAL, GPL).
    """
    return tree_diagrams(alpha_tree(points, maxdim), maxdim, coeff)


def alpha_tree(points: Float[np.ndarray, "n k"], maxdim: int) -> Any:
    """Filtered simplices of the alpha complex, as far as they matter up to ``maxdim``."""
    import gudhi

    tree = gudhi.AlphaComplex(points=points, precision="fast").create_simplex_tree()
    # simplices above maxdim + 1 cannot change these diagrams
    tree.prune_above_dimension(maxdim + 1)
    return tree


class Edges(NamedTuple):
    """Edges of a complex: the rows they join, and the radius or distance at which they appear."""

    i: np.ndarray
    j: np.ndarray
    radius: np.ndarray


def alpha_edges(points: Float[np.ndarray, "n k"]) -> Edges:
    """Edges of the alpha complex with the radii at which they appear."""
    tree = alpha_tree(points, 0)  # gudhi's iterator does not keep its tree alive
    found = [(*simplex, value) for simplex, value in tree.get_skeleton(1) if len(simplex) == 2]
    i, j, value = np.array(found).reshape(-1, 3).T
    return Edges(i.astype(np.int32), j.astype(np.int32), np.sqrt(np.maximum(value, 0)))


def tree_diagrams(tree: Any, maxdim: int, coeff: int) -> tuple[Diagram, ...]:
    """Persistence diagrams of :func:`alpha_tree` over one field."""
    tree.compute_persistence(homology_coeff_field=coeff, persistence_dim_max=False)
    diagrams = []
    for dimension in range(maxdim + 1):
        pairs = np.asarray(tree.persistence_intervals_in_dimension(dimension), np.float64).reshape(-1, 2)
        diagrams.append(np.sqrt(np.maximum(pairs, 0)))
    return tuple(diagrams)


def cloud_diagrams(points: Float[np.ndarray, "n k"], coeffs: Sequence[int] = (2,)) -> list[tuple[Diagram, ...]]:
    """Diagrams in radii over each field.

    Up to four dimensions they are those of the alpha complex: H0 and H1, and H2 from three dimensions on. Beyond, they
    are H0 and H1 of the Rips complex.
    """
    n_dims = points.shape[1]
    if n_dims > MAX_ALPHA:
        found = [rips_diagrams(points, maxdim=1, n_perm=None, coeff=coeff).diagrams for coeff in coeffs]
        return [tuple(diagram / 2 for diagram in diagrams) for diagrams in found]
    if n_dims == 1:
        points = np.column_stack([points, np.zeros(len(points))])
    maxdim = 1 if n_dims < 3 else 2
    tree = alpha_tree(points, maxdim)
    return [tree_diagrams(tree, maxdim, coeff) for coeff in coeffs]


def rips_diagrams(
    X: np.ndarray,
    maxdim: int = 1,
    n_perm: int | None = 200,
    coeff: int = 2,
    seed: int = 0,
    *,
    do_cocycles: bool = False,
) -> RipsDiagrams:
    """Vietoris-Rips persistence by ripser on maxmin landmarks: a cross-check for the alpha complex.

    Parameters
    ----------
    X : ndarray
        (n_points, n_features).
    maxdim, n_perm, coeff, do_cocycles
        As in ``ripser.ripser``; ``n_perm`` of None or above n_points uses all points.
    seed : int
        Seed of the first landmark.

    Returns
    -------
    RipsDiagrams

    Raises
    ------
    ValueError
        If ``X`` is not a finite matrix.

    References
    ----------
    Bauer 2021, arXiv 1908.02518; Tralie, Saul, Bar-On 2018, doi 10.21105/joss.00925.
    """
    from ripser import ripser
    from scipy.spatial import cKDTree

    X = np.asarray(X, np.float64)
    if X.ndim != 2 or not np.isfinite(X).all():
        raise ValueError(f"X must be a finite (n_points, n_features) array, found shape {X.shape}")
    n_landmarks = len(X) if n_perm is None else min(n_perm, len(X))
    # ripser's own n_perm always starts at row 0; here the seed draws the first row
    start = int(np.random.default_rng(seed).integers(len(X)))
    landmarks = farthest_points(X, n_landmarks, start) if n_landmarks < len(X) else np.arange(len(X))
    chosen = X[landmarks]
    result = ripser(chosen, maxdim=maxdim, coeff=coeff, do_cocycles=do_cocycles)
    r_cover = float(cKDTree(chosen).query(X)[0].max()) if n_landmarks < len(X) else 0.0
    cocycles = tuple(result["cocycles"]) if do_cocycles else ()
    diagrams = tuple(np.asarray(diagram, np.float64) for diagram in result["dgms"])
    return RipsDiagrams(diagrams, r_cover, landmarks, cocycles)
