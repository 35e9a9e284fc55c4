"""Fill the gaps that a random sample leaves in a surface, and only those."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import cKDTree

from topomod.topology.complexes import thin
from topomod.topology.denoise import merge_points

MAX_POINTS = {3: 1800, 4: 800}  # of a thinned cloud, whose gaps are small
N_PATCH = 16  # neighbours that a patch is fitted to
N_SPACING = 4
REACH = 4.0  # spacings that a gap may be wide
MAX_OFFSET = 0.35  # of a gap's length; how far its ends may lie off each other's patches
MIN_ALONG = 0.6  # of a gap's length; what of it lies in the tangent planes at its ends
MAX_PARTING = 0.5  # of a gap's length; how far the patches of its ends may part in its middle
ROUNDS = 3
JITTER = 0.1  # spacings
RIDGE = 1e-6  # of the trace; neighbours on a line leave a patch open across it


class Patches(NamedTuple):
    """Quadratic surfaces fitted to the neighbours of each point.

    Parameters
    ----------
    points : ndarray
        (n, k) where they are fitted.
    tangents, normals : ndarray
        (n, k, 2) and (n, k, k - 2) orthonormal axes.
    heights : ndarray
        (n, 6, k - 2) coefficients of 1, u, v, u^2, u v, v^2 along the normals.
    """

    points: Float[np.ndarray, "n k"]
    tangents: Float[np.ndarray, "n k 2"]
    normals: Float[np.ndarray, "n k m"]
    heights: Float[np.ndarray, "n 6 m"]


def fill_gaps(points: Float[np.ndarray, "n k"], rng: np.random.Generator) -> Float[np.ndarray, "m k"]:
    """Add points in the middle between neighbours that lie on each other's patch of the surface.

    The gaps of a random sample are as wide as a small hole. They lie along the surface, and a hole does not: what is
    opposite across a hole lies in the direction of the normal. A patch is quadratic, because with few points a surface
    bends as much within a gap as a small hole is wide.

    Parameters
    ----------
    points : ndarray
        (n_points, k), k 3 or 4; more than a few thousand are thinned. Patches have two dimensions.
    rng : numpy.random.Generator
        Draws the thinning and the jitter of the new points: three points on a line break Delaunay triangulations.

    References
    ----------
    Fits of low degree to neighbours: Levin 1998, doi 10.1090/S0025-5718-98-00974-0 (moving least squares).
    """
    if len(points) <= N_PATCH:
        return points
    points = thin(points, MAX_POINTS[points.shape[1]], rng)
    spacing = float(np.median(cKDTree(points).query(points, k=N_SPACING + 1)[0][:, -1]))
    for _ in range(ROUNDS):
        new = _middles(points, spacing)
        points = np.vstack([points, new + JITTER * spacing * rng.standard_normal(new.shape)])
    return points


def _middles(points: Float[np.ndarray, "n k"], spacing: float) -> Float[np.ndarray, "d k"]:
    tree = cKDTree(points)
    patches = _fit_patches(points, tree.query(points, k=N_PATCH)[1])
    pairs = tree.query_pairs(REACH * spacing, output_type="ndarray")
    length = np.linalg.norm(points[pairs[:, 1]] - points[pairs[:, 0]], axis=1)
    wide = length > 1.5 * spacing
    (i, j), length = pairs[wide].T, length[wide]
    (there, back) = (_foot(patches, one, points[other]) for one, other in ((i, j), (j, i)))
    offset = np.maximum(*(np.linalg.norm(points[end] - foot, axis=1) for end, (foot, _) in ((j, there), (i, back))))
    flat = (offset <= MAX_OFFSET * length) & (np.minimum(there[1], back[1]) >= MIN_ALONG * length)
    i, j, length = i[flat], j[flat], length[flat]
    middle = (points[i] + points[j]) / 2
    (first, _), (second, _) = (_foot(patches, end, middle) for end in (i, j))
    new = ((first + second) / 2)[np.linalg.norm(first - second, axis=1) <= MAX_PARTING * length]
    new = new[tree.query(new)[0] > 0.8 * spacing] if len(new) else new
    return merge_points(new, spacing / 2)


def _fit_patches(points: Float[np.ndarray, "n k"], near: Int[np.ndarray, "n j"]) -> Patches:
    offsets = points[near] - points[:, None]
    centred = offsets - offsets.mean(axis=1, keepdims=True)
    axes = np.linalg.eigh(np.einsum("nji,njl->nil", centred, centred))[1]
    tangents, normals = axes[:, :, -2:], axes[:, :, :-2]
    basis = _quadratics(offsets @ tangents)
    gram = np.einsum("nja,njb->nab", basis, basis)
    gram += RIDGE * np.trace(gram, axis1=1, axis2=2)[:, None, None] * np.eye(6)
    heights = np.linalg.solve(gram, np.einsum("nja,njb->nab", basis, offsets @ normals))
    return Patches(points, tangents, normals, heights)


def _quadratics(flat: Float[np.ndarray, "... 2"]) -> Float[np.ndarray, "... 6"]:
    u, v = flat[..., 0], flat[..., 1]
    return np.stack([np.ones_like(u), u, v, u * u, u * v, v * v], axis=-1)


def _foot(
    patches: Patches, rows: Int[np.ndarray, " d"], where: Float[np.ndarray, "d k"]
) -> tuple[Float[np.ndarray, "d k"], Float[np.ndarray, " d"]]:
    """Points of some patches over or under ``where``, and how far they are from the patches' origins in the plane."""
    tangents, origin = patches.tangents[rows], patches.points[rows]
    flat = np.einsum("dk,dkt->dt", where - origin, tangents)
    height = np.einsum("da,dam->dm", _quadratics(flat), patches.heights[rows])
    foot = origin + np.einsum("dt,dkt->dk", flat, tangents) + np.einsum("dm,dkm->dk", height, patches.normals[rows])
    return foot, np.linalg.norm(flat, axis=1)
