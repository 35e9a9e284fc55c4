"""Evidence for a label beyond Betti numbers: what a cloud would have to look like if the label were true.

A Betti number that was lost, or never computed, leaves no trace in the others. So each label has to show something that
only its own shape has: a circle a coordinate whose fibres are contractible, a torus two coordinates that cover it.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.cluster.hierarchy import linkage
from scipy.spatial import cKDTree

from topomod.topology.complexes import MAX_ALPHA, alpha_diagrams, rips_diagrams, thin
from topomod.topology.diagrams import Diagram

Fibre = Literal["contractible", "tubular", "void", "unresolved"]

N_ARCS = 4
ARC = 1 / 3  # of a turn; neighbouring arcs overlap
MIN_FIBRE_POINTS = 30
FIBRE_POINTS = {1: 1000, 2: 1000, 3: 600, 4: 250, 5: 90}
MIN_FIBRE_VARIANCE = 0.02  # of the longest direction of a fibre
WIDE_HOLE, CLOSED = 0.45, 0.75  # of a fibre's narrow width: radius of its hole, widest gap at which none was missed
SAMPLE_GAPS = 3.0  # gaps of a sample; its own loops close below
THIN_TUBE = 0.19  # rms; what is narrower is a strip that bends
THIN_FIBRE = 0.08  # rms; a narrower fibre can hold nothing that is in scope
N_CELLS = 24  # of a turn, all of which a circle has to fill
MAX_PATCH = 0.55  # rms; radius of the part of a torus in one of its cells
MIN_COVER = 0.97
MAX_CLUSTERS = 40
CLUSTER_GAP = 2.5
CLUSTER_POINTS = 1000
MIN_CLUSTER_GAP = 0.1  # rms
MAX_OUTLIERS = 0.05  # share of the points
DIRECTIONS = 300
MAX_ANGLE = 0.35  # radians between a direction and the nearest point of a sphere of 1000 points
SOLID = 0.12  # third over first variance around a point of a solid cloud
FULL = 0.04  # least over first variance around a point of a cloud that fills its dimensions


class Fibres(NamedTuple):
    """What lies over the arcs of a circular coordinate.

    Parameters
    ----------
    covers : bool
        Whether the coordinate takes all values.
    kind : {"contractible", "tubular", "void", "unresolved"}
        The worst of the arcs' fibres: one with a loop of its own, one with a void, one with too few points.
    """

    covers: bool
    kind: Fibre


def circle_fibres(points: Float[np.ndarray, "n k"], turns: Float[np.ndarray, " n"], rng: np.random.Generator) -> Fibres:
    """Look at the fibres of a circular coordinate: over each arc a circle has a contractible set.

    A circle is glued from arcs whose fibres, and those of their overlaps, are contractible (nerve theorem). A torus, a
    Klein bottle or a product of a circle with a sphere has fibres with a hole of their own.
    """
    covers = bool((np.bincount((turns * N_CELLS).astype(int) % N_CELLS, minlength=N_CELLS) > 0).all())
    kinds: list[Fibre] = []
    for start in np.arange(N_ARCS) / N_ARCS:
        kinds.append(fibre_kind(points[(turns - start) % 1.0 < ARC], rng))
        if kinds[-1] == "tubular":  # none is worse
            break
    worst = next((kind for kind in ("tubular", "void", "unresolved") if kind in kinds), "contractible")
    return Fibres(covers, worst)  # type: ignore[arg-type]


def fibre_kind(points: Float[np.ndarray, "n k"], rng: np.random.Generator) -> Fibre:
    """Whether a set of points is contractible, or has a loop or a void as wide as the set itself.

    Lengths are compared with the widths of the set across its longest direction: a hollow tube of radius r has variance
    r^2 / 2 in two directions. A set too thin to matter is contractible. One with too few points is unresolved: the gaps
    of a sampled tube open its loop.
    """
    if len(points) < MIN_FIBRE_POINTS:
        return "unresolved"
    centred = points - points.mean(axis=0)
    variances, axes = np.linalg.eigh(centred.T @ centred / len(points))
    widths = np.sqrt(2 * np.maximum(variances[::-1], 0))
    if len(widths) < 2 or widths[1] < THIN_FIBRE:
        return "contractible"
    dim = max(2, int(np.sum(variances[::-1] >= MIN_FIBRE_VARIANCE * variances[-1])))
    cut = thin(centred @ axes[:, ::-1][:, :dim], FIBRE_POINTS[min(dim, 5)], rng)
    diagrams = fibre_diagrams(cut)
    spacing = float(np.quantile(diagrams[0][np.isfinite(diagrams[0][:, 1]), 1], 0.95))
    narrow = widths[2] if len(widths) > 2 and widths[2] >= THIN_TUBE else widths[1]
    if _is_hole(diagrams[1], max(WIDE_HOLE * narrow, SAMPLE_GAPS * spacing), 1.8):
        return "tubular"
    if len(diagrams) > 2 and _is_hole(diagrams[2], WIDE_HOLE * widths[2], 1.4):
        return "void"
    return "unresolved" if SAMPLE_GAPS * spacing > CLOSED * narrow else "contractible"


def _is_hole(diagram: Diagram, least: float, ratio: float) -> bool:
    return bool(np.any((diagram[:, 1] >= least) & (diagram[:, 1] >= ratio * diagram[:, 0])))


def fibre_diagrams(points: Float[np.ndarray, "n k"]) -> tuple[Diagram, ...]:
    """Diagrams up to voids, in radii: of the alpha complex in up to four dimensions, of the Rips complex beyond."""
    dim = points.shape[1]
    if dim <= MAX_ALPHA:
        return alpha_diagrams(points, maxdim=min(dim - 1, 2))
    return tuple(diagram / 2 for diagram in rips_diagrams(points, maxdim=2, n_perm=None).diagrams)


class Cover(NamedTuple):
    """How two circular coordinates map a cloud to a torus.

    Parameters
    ----------
    share : float
        Of the torus's cells that hold points, 0..1.
    patch : float
        Radius in rms units of the points that share a cell; 95 % of the points have no wider company.
    """

    share: float
    patch: float

    @property
    def confirms(self) -> bool:
        """Whether the map is onto, and no more than one sheet lies over a cell."""
        return self.share >= MIN_COVER and self.patch <= MAX_PATCH


def torus_cover(points: Float[np.ndarray, "n k"], turns: Float[np.ndarray, "2 n"]) -> Cover:
    """Compare a cloud with the torus that two circular coordinates make.

    Two circles that touch fill a cross of the torus only. A product with something larger fills it, and has large
    fibres over its cells.
    """
    n_cells = int(np.clip(np.sqrt(len(points) / 8), 4, 8))
    cells = (turns * n_cells).astype(int) % n_cells
    index = cells[0] * n_cells + cells[1]
    counts = np.bincount(index, minlength=n_cells**2)
    sums = np.stack([np.bincount(index, column, n_cells**2) for column in points.T])
    squares = np.bincount(index, np.sum(points**2, axis=1), n_cells**2)
    held = counts > 0
    spread = squares[held] / counts[held] - np.sum((sums[:, held] / counts[held]) ** 2, axis=0)
    order = np.argsort(spread)
    widest = order[np.searchsorted(np.cumsum(counts[held][order]), 0.95 * len(points))]
    return Cover(float(held.mean()), float(np.sqrt(max(spread[widest], 0))))


def n_clusters(points: Float[np.ndarray, "n k"], rng: np.random.Generator) -> int:
    """Clusters of a cloud: its components just before merges that are far larger than all later ones; 1 without.

    The sparsest twentieth of the points is left out: outliers bridge the gaps between clusters.
    """
    points = random_points(points, CLUSTER_POINTS, rng)
    merges = linkage(without_outliers(points), "single")[::-1, 2]
    last = min(MAX_CLUSTERS, len(merges) // 4)
    jumps = merges[:last] / np.maximum(merges[1 : last + 1], 1e-12)
    best = int(np.argmax(jumps)) if last else 0
    return best + 2 if last and jumps[best] >= CLUSTER_GAP and merges[best] > MIN_CLUSTER_GAP else 1


def random_points(points: Float[np.ndarray, "n k"], limit: int, rng: np.random.Generator) -> Float[np.ndarray, "d k"]:
    """At most ``limit`` random points: unlike thinning, this keeps the density, and no more outliers than there are."""
    return np.asarray(points[rng.choice(len(points), min(len(points), limit), replace=False)])


def without_outliers(points: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "d k"]:
    """All but the sparsest twentieth of the points."""
    reach = cKDTree(points).query(points, k=min(6, len(points)))[0][:, -1]
    return np.asarray(points[reach <= np.quantile(reach, 1 - MAX_OUTLIERS)])


def closing_gap(diagrams: tuple[Diagram, ...], n_holes: int, dimension: int = 1) -> float:
    """Gap at which the last counted hole closes over the gaps of the sample, those of 95 % of the points at most.

    A circle closes at the gaps of its sample. The ends of an arc, or the turns of a helix, meet at far wider ones, and
    so does the rim of a cap, which then holds a void.
    """
    merges = diagrams[0][np.isfinite(diagrams[0][:, 1]), 1]
    bars = diagrams[dimension]
    bars = bars[np.argsort(bars[:, 0] - bars[:, 1])][:n_holes]
    if not len(bars) or not len(merges):
        return 1.0
    return float(bars[:, 0].max() / max(float(np.quantile(merges, 1 - MAX_OUTLIERS)), 1e-12))


def local_solidity(points: Float[np.ndarray, "n k"], rng: np.random.Generator) -> float:
    """Third over first variance around a point, the least over several sizes of neighbourhood, median over points.

    It is near 1 inside a ball, at every size. A sheet is flat at the size where it neither bends nor shows its noise.
    """
    return _flatness(points, 2, rng)


def fills_its_dimensions(points: Float[np.ndarray, "n k"], rng: np.random.Generator) -> bool:
    """Whether the least variance around a point is more than noise: a curved 3-manifold in R4 is not."""
    return _flatness(points, points.shape[1] - 1, rng) >= FULL


def local_width(points: Float[np.ndarray, "n k"], rng: np.random.Generator) -> float:
    """Second over first variance around a point, as in :func:`local_solidity`: small on a curve."""
    return _flatness(points, 1, rng)


def _flatness(points: Float[np.ndarray, "n k"], axis: int, rng: np.random.Generator) -> float:
    tree, n = cKDTree(points), len(points)
    centres = points[rng.choice(n, min(n, 100), replace=False)]
    sizes = np.unique(np.clip([12, 24, 48, 96, n // 12], min(n, 12), max(n // 8, min(n, 12))))
    ratios = []
    for size in sizes:
        near = points[tree.query(centres, k=int(size))[1]]
        near = near - near.mean(axis=1, keepdims=True)
        variances = np.linalg.eigvalsh(np.einsum("cni,cnj->cij", near, near))[:, ::-1]
        ratios.append(float(np.median(variances[:, axis] / np.maximum(variances[:, 0], 1e-300))))
    return min(ratios)


def is_round(points: Float[np.ndarray, "n 3"], rng: np.random.Generator) -> bool:
    """Whether a cloud is seen once in all directions from its mean, as a sphere is and a torus is not."""
    centred = points - points.mean(axis=0)
    radii = np.linalg.norm(centred, axis=1)
    seen = cKDTree(centred / np.maximum(radii, 1e-12)[:, None])
    looks = rng.standard_normal((DIRECTIONS, 3))
    distance, nearest = seen.query(looks / np.linalg.norm(looks, axis=1)[:, None], k=4)
    once = np.ptp(radii[nearest], axis=1) <= 0.4 * radii[nearest].mean(axis=1)
    return bool(distance[:, 0].max() <= MAX_ANGLE and np.mean(once) >= 0.95)


def hull_gap(points: Float[np.ndarray, "n k"], rng: np.random.Generator) -> float:
    """Largest distance from the middle between two points to the cloud: small in a disc, large in an arc.

    Outliers are left out: they fill the inside of an arc.
    """
    points = without_outliers(points)
    first, second = points[rng.integers(0, len(points), (2, 500))]
    return float(cKDTree(points).query((first + second) / 2)[0].max())
