"""Short loops through the points of a cloud, along which a circular coordinate rises by one turn."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from topomod.topology.complexes import Edges
from topomod.topology.loop_views import LoopView

EARLY = 0.2  # of the life of a class: the edges there are by then are short, and a loop of them follows the cloud
N_CUTS = 24  # levels of the coordinate, of which the one that fewest edges cross is cut
MAX_STARTS = 50


def loop_rows(view: LoopView) -> list[Int[np.ndarray, " _"]]:
    """Rows of the cloud along the loop of each class, in order."""
    edges = view.edges
    rows = cKDTree(view.cloud.rows).query(view.points)[1]
    loops = []
    for turns, (birth, death) in zip(view.turns, view.bars, strict=True):
        near = edges.radius <= birth + EARLY * (death - birth)
        loop = rows[shortest_loop(view.points, Edges(*(part[near] for part in edges)), turns)]
        loops.append(loop[loop != np.roll(loop, 1)])
    return loops


def shortest_loop(
    points: Float[np.ndarray, "n k"], edges: Edges, turns: Float[np.ndarray, " n"]
) -> Int[np.ndarray, " l"]:
    """Points along a closed path of edges that winds once and is as short as possible; empty where there is none.

    A loop that winds once crosses each level of the coordinate. In the covering graph, whose sheets count the turns
    made, it is a path from a point next to a cut level to the same point one sheet higher.

    Parameters
    ----------
    points : ndarray
        (n_points, k).
    edges : Edges
        Those that a path may take; the coordinate changes by less than half a turn along each.
    turns : ndarray
        (n_points,) values of the coordinate, in turns.

    Notes
    -----
    Where more than 50 points lie next to the cut, 50 of them are tried.
    """
    level = _fewest_crossings(edges, turns)
    turns = (turns - level) % 1.0
    sheets = _sheets(edges, turns)
    n, starts = len(points), np.unique(np.r_[edges.j[sheets == 1], edges.i[sheets == -1]])
    if len(starts) > MAX_STARTS:
        starts = starts[np.linspace(0, len(starts) - 1, MAX_STARTS).astype(int)]
    graph = _covering_graph(points, edges, sheets)
    best, shortest = np.zeros(0, np.int64), np.inf
    for start in starts:
        # sheets 0 to 2; from sheet 1 a path may turn back once before it goes forward
        source, goal = n + int(start), 2 * n + int(start)
        length, before = dijkstra(graph, indices=source, return_predecessors=True, limit=shortest)
        if length[goal] < shortest:
            shortest, best = float(length[goal]), _path(before.astype(np.int64), goal)[:-1] % n
    return best


def _fewest_crossings(edges: Edges, turns: Float[np.ndarray, " n"]) -> float:
    levels = np.arange(N_CUTS) / N_CUTS
    return float(levels[np.argmin([np.abs(_sheets(edges, (turns - level) % 1.0)).sum() for level in levels])])


def _sheets(edges: Edges, turns: Float[np.ndarray, " n"]) -> Int[np.ndarray, " e"]:
    """Sheets that each edge rises, from i to j: 1 or -1 where it crosses turn 0, else 0."""
    return np.asarray(-np.rint(turns[edges.j] - turns[edges.i]), np.int64)


def _covering_graph(points: Float[np.ndarray, "n k"], edges: Edges, sheets: Int[np.ndarray, " e"]) -> csr_array:
    """Three sheets of the graph, each edge with its length."""
    n = len(points)
    length = np.maximum(np.linalg.norm(points[edges.i] - points[edges.j], axis=1), np.finfo(float).tiny)
    rows, columns, values = [], [], []
    for sheet in range(3):
        inside = (sheet + sheets >= 0) & (sheet + sheets < 3)
        rows.append(sheet * n + edges.i[inside])
        columns.append((sheet + sheets[inside]) * n + edges.j[inside])
        values.append(length[inside])
    i, j, value = np.concatenate(rows), np.concatenate(columns), np.concatenate(values)
    return coo_array((np.r_[value, value], (np.r_[i, j], np.r_[j, i])), shape=(3 * n, 3 * n)).tocsr()


def _path(before: Int[np.ndarray, " v"], goal: int) -> Int[np.ndarray, " l"]:
    path = [goal]
    while before[path[-1]] >= 0:
        path.append(int(before[path[-1]]))
    return np.array(path[::-1], np.int64)
