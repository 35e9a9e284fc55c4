"""Fill the gaps that a random sample leaves in a surface, and only those."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.spatial import cKDTree

from topomod.topology.complexes import thin
from topomod.topology.denoise import merge_points

MAX_POINTS = {3: 1800, 4: 800}  # of a thinned cloud, whose gaps are small
N_TANGENT = 14  # neighbours that span a tangent plane
N_SPACING = 4
REACH = 4.0  # spacings that a gap may be wide
MAX_SLOPE = 0.45  # sine of the angle between a gap and the tangent planes at its ends
ROUNDS = 2
JITTER = 0.1  # spacings


def fill_gaps(points: Float[np.ndarray, "n k"], rng: np.random.Generator) -> Float[np.ndarray, "m k"]:
    """Add points in the middle between neighbours that lie in each other's tangent plane.

    The gaps of a random sample are as wide as a small hole. They lie along the surface, and a hole does not: what is
    opposite across a hole lies in the direction of the normal.

    Parameters
    ----------
    points : ndarray
        (n_points, k), k 3 or 4; more than a few thousand are thinned. Tangent planes have two dimensions.
    rng : numpy.random.Generator
        Draws the thinning and the jitter of the new points: three points on a line break Delaunay triangulations.
    """
    if len(points) <= N_TANGENT:
        return points
    points = thin(points, MAX_POINTS[points.shape[1]], rng)
    spacing = float(np.median(cKDTree(points).query(points, k=N_SPACING + 1)[0][:, -1]))
    for _ in range(ROUNDS):
        new = _middles(points, spacing)
        points = np.vstack([points, new + JITTER * spacing * rng.standard_normal(new.shape)])
    return points


def _middles(points: Float[np.ndarray, "n k"], spacing: float) -> Float[np.ndarray, "d k"]:
    tree = cKDTree(points)
    planes = _tangent_planes(points[tree.query(points, k=N_TANGENT)[1]])
    pairs = tree.query_pairs(REACH * spacing, output_type="ndarray")
    along = points[pairs[:, 1]] - points[pairs[:, 0]]
    length = np.linalg.norm(along, axis=1)
    wide = length > 1.5 * spacing
    pairs, along, length = pairs[wide], along[wide], length[wide]
    inside = [np.linalg.norm(np.einsum("nk,nkt->nt", along, planes[end]), axis=1) for end in pairs.T]
    flat = np.minimum(*inside) >= np.sqrt(1 - MAX_SLOPE**2) * length
    middles = points[pairs[flat]].mean(axis=1)
    new = middles[tree.query(middles)[0] > 0.8 * spacing] if len(middles) else middles
    return merge_points(new, spacing / 2)


def _tangent_planes(near: Float[np.ndarray, "n j k"]) -> Float[np.ndarray, "n k 2"]:
    near = near - near.mean(axis=1, keepdims=True)
    return np.asarray(np.linalg.eigh(np.einsum("nji,njl->nil", near, near))[1][:, :, -2:])
