"""The clear loops of a cloud, in the components that show them best, and where new points lie among its rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy.spatial import cKDTree

from topomod.topology.betti import MIN_DEATH, MIN_DEATH_OVER_BIRTH, MIN_GAP
from topomod.topology.complexes import MAX_ALPHA, Edges, alpha_edges
from topomod.topology.confidence import TUBE_TAU
from topomod.topology.denoise import PreparedCloud, prepare_cloud
from topomod.topology.scale import times_power_of_two
from topomod.topology.support import CLEAR_LOOP, cloud_coordinates
from topomod.topology.toroidal import simplest_basis
from topomod.topology.views import view_above_noise, wide_view

TAU = 0.10  # share of the first variance, as in a verdict
MAX_LOOPS = 3  # what :func:`cloud_coordinates` finds
N_NEAREST = 5  # points whose turns are averaged for another point


@dataclass(frozen=True)
class LoopView:
    """Clear loops of a prepared cloud.

    Parameters
    ----------
    cloud : PreparedCloud
        What they were found in.
    points : ndarray
        (d, k) points of the complex.
    turns : ndarray
        (c, d) their circular coordinates, in turns.
    bars : ndarray
        (c, 2) births and deaths as radii in rms units.
    edges : Edges
        Edges of the complex with the radii at which they appear.
    """

    cloud: PreparedCloud
    points: Float[np.ndarray, "d k"]
    turns: Float[np.ndarray, "c d"]
    bars: Float[np.ndarray, "c 2"]
    edges: Edges

    def row_turns(self) -> Float[np.ndarray, "c n"]:
        """Turns of all rows of the cloud."""
        return nearest_turns(cKDTree(self.points), self.turns, self.cloud.rows)


@dataclass(frozen=True)
class Projection:
    """Rows in the components that hold their loops, and their turns: what new points are compared with.

    Parameters
    ----------
    exponent : int
        The rows were divided by ``2**exponent``.
    mean, axes : ndarray
        (m,) and (m, k), at that scale.
    tree : cKDTree
        The rows, projected.
    turns : ndarray
        (c, n) their turns.
    """

    exponent: int
    mean: Float[np.ndarray, " m"]
    axes: Float[np.ndarray, "m k"]
    tree: cKDTree
    turns: Float[np.ndarray, "c n"]

    @classmethod
    def of(
        cls,
        X: Float[np.ndarray, "n m"],
        prepared: Float[np.ndarray, "n k"],
        turns: Float[np.ndarray, "c n"],
        exponent: int,
    ) -> Projection:
        """Project rows on the directions in which their prepared coordinates vary.

        Denoising is an average over rows. The rows' covariance with a coordinate thus points along the principal axis
        that the coordinate was taken from.
        """
        rows = X.astype(np.float64)
        mean = rows.mean(axis=0)
        axes = (rows - mean).T @ prepared
        scores = (rows - mean) @ axes
        axes = axes / scores.std(axis=0)
        return cls(exponent, mean, axes, cKDTree((rows - mean) @ axes), turns)

    def turns_of(self, X: Float[np.ndarray, "n m"]) -> Float[np.ndarray, "c n"]:
        """Turns of points in the unit of the original rows."""
        points = (times_power_of_two(X, -self.exponent) - self.mean) @ self.axes
        return nearest_turns(self.tree, self.turns, points)


def nearest_turns(
    tree: cKDTree, turns: Float[np.ndarray, "c d"], points: Float[np.ndarray, "n k"]
) -> Float[np.ndarray, "c n"]:
    """Circular means of the turns of the nearest points of a tree, the nearer ones with more weight."""
    distance, near = tree.query(points, k=N_NEAREST)
    weight = 1 / np.maximum(distance, 1e-9)  # points in a tree have about unit spread
    mean = np.sum(weight * np.exp(2j * np.pi * turns)[:, near], axis=2)
    return np.asarray(np.angle(mean) / (2 * np.pi) % 1.0)


def clearest_view(X: Float[np.ndarray, "n m"], p: int | None, wanted: int, rng: np.random.Generator) -> LoopView:
    """The first view of a cloud with as many clear loops as are wanted, else the one with the most.

    Raises
    ------
    ValueError
        If no view has any.
    """
    best: LoopView | None = None
    for cloud in _views(X, p, wanted, rng):
        view = _clear_loops(cloud, wanted, rng)
        if best is None or len(view.turns) > len(best.turns):
            best = view
        if len(best.turns) == wanted:
            return best
    if best is None or not len(best.turns):
        least = f"none is filled at {CLEAR_LOOP} rms or later, or lives much longer than the gaps of the sample"
        raise ValueError(f"X has no clear loop: {least}")
    return best


def leading_view(X: Float[np.ndarray, "n m"], p: int | None, rng: np.random.Generator) -> PreparedCloud:
    """The cloud in its leading components.

    Those of a long ellipse are two, although the second one is small. Without group order, components that noise alone
    could have are left out where two to four others remain.
    """
    cloud = prepare_cloud(X, p, tau=TAU, rng=rng)
    return wide_view(X, p, cloud, rng) or (view_above_noise(X, cloud, rng) if p is None else None) or cloud


def _views(
    X: Float[np.ndarray, "n m"], p: int | None, wanted: int, rng: np.random.Generator
) -> Iterator[PreparedCloud]:
    """The cloud in its leading components; then, where those could show more loops, in finer ones."""
    cloud = leading_view(X, p, rng)
    if cloud.rank > 1:
        yield cloud
    if wanted > 1 and cloud.rank < MAX_ALPHA and cloud.next_ratio >= TUBE_TAU:
        yield prepare_cloud(X, p, tau=TUBE_TAU, max_rank=MAX_ALPHA, rng=rng)


def _clear_loops(cloud: PreparedCloud, wanted: int, rng: np.random.Generator) -> LoopView:
    points, found = cloud_coordinates(cloud.points, rng)
    # those of the Rips complex, beyond four dimensions, are distances
    bars = found.bars if points.shape[1] <= MAX_ALPHA else found.bars / 2
    clear = _clear(bars)
    clear &= np.cumsum(clear) <= wanted
    turns, bars, edges = found.turns[clear], bars[clear], _edges(points)
    basis = simplest_basis(turns, edges)
    # a sum of classes lives while all of them do
    lives = [(bars[parts, 0].max(), bars[parts, 1].min()) for parts in basis != 0]
    return LoopView(cloud, points, basis @ turns % 1.0, np.array(lives).reshape(-1, 2), edges)


def _clear(bars: Float[np.ndarray, "c 2"]) -> Bool[np.ndarray, " c"]:
    """Which of the three longest bars are loops; none, if the longest one could be a gap of the sample like the others.

    A gap is filled early, and there are others about as large.
    """
    real = (bars[:, 1] >= MIN_DEATH) & (bars[:, 1] >= MIN_DEATH_OVER_BIRTH[1] * bars[:, 0])
    persistence = np.append(bars[:, 1] - bars[:, 0], [0.0, 0.0])
    wide = bars[:1, 1].max(initial=0) >= CLEAR_LOOP
    return np.asarray(real & (wide or persistence[0] >= MIN_GAP[1] * persistence[1]))


def _edges(points: Float[np.ndarray, "n k"]) -> Edges:
    if points.shape[1] <= MAX_ALPHA:
        return alpha_edges(points)
    i, j = np.triu_indices(len(points), 1)
    return Edges(i, j, np.linalg.norm(points[i] - points[j], axis=1) / 2)
