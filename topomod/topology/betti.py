"""Read Betti numbers off persistence diagrams, and name the shapes they belong to."""

from __future__ import annotations

from typing import Literal

import numpy as np

from topomod.topology.complexes import MAX_ALPHA
from topomod.topology.diagrams import Diagram

Betti = tuple[int, int, int]
ForcedLabel = Literal["disc", "circle", "torus", "other"]

MAX_COUNT = 4
MIN_DEATH = 0.15  # rms, half of the smallest hole in scope; lattices make loops up to about .12
MIN_GAP = (3.0, 1.8, 1.5)  # persistence of the last bar counted over the next one's, per dimension
MIN_DEATH_OVER_BIRTH = (1.0, 1.8, 1.2)
MIN_MERGE = 0.2  # rms; radius at which components must still be apart to count as several
MAX_THIRD_RATIO = 0.25  # of the first variance; more and a cloud without holes is a ball, not a disc
CLEAR_HOLE = 0.5  # rms; "no hole" is measured against a loop of this persistence


def count_holes(diagram: Diagram, dimension: int) -> int:
    """Holes of a dimension: the largest k up to 4 whose k-th bar stands clear of the next.

    Parameters
    ----------
    diagram : ndarray
        (n_pairs, 2) births and deaths as radii in rms units.
    dimension : int
        1 or 2.
    """
    bars = diagram[np.argsort(diagram[:, 0] - diagram[:, 1])]
    persistence = np.append(bars[:, 1] - bars[:, 0], 0.0)
    real = (bars[:, 1] >= MIN_DEATH) & (bars[:, 1] >= MIN_DEATH_OVER_BIRTH[dimension] * bars[:, 0])
    for k in range(min(MAX_COUNT, len(bars)), 0, -1):
        if real[:k].all() and persistence[k - 1] >= MIN_GAP[dimension] * persistence[k]:
            return k
    return 0


def count_components(diagram: Diagram) -> int:
    """Components of a cloud: one, plus the merges that happen late and clear of the next."""
    merges = np.append(np.sort(diagram[np.isfinite(diagram[:, 1]), 1])[::-1], 0.0)
    for k in range(min(MAX_COUNT, len(merges) - 1), 0, -1):
        if merges[k - 1] > MIN_MERGE and merges[k - 1] > MIN_GAP[0] * merges[k]:
            return k + 1
    return 1


def betti_numbers(diagrams: tuple[Diagram, ...]) -> Betti:
    """Read ``(b0, b1, b2)`` off persistence diagrams in rms units."""
    b2 = count_holes(diagrams[2], 2) if len(diagrams) > 2 else 0
    return count_components(diagrams[0]), count_holes(diagrams[1], 1), b2


def shape_of(betti: Betti, rank: int, third_ratio: float) -> ForcedLabel:
    """Name the Betti numbers, given how flat the cloud is."""
    if rank < 2:
        return "other"
    if betti == (1, 0, 0) and third_ratio < MAX_THIRD_RATIO:
        return "disc"
    if betti == (1, 1, 0):
        return "circle"
    # beyond four dimensions voids are not read; a torus then has to prove itself by its windings
    return "torus" if betti[:2] == (1, 2) and (betti[2] == 1 or rank > MAX_ALPHA) else "other"


def describe_other(betti: Betti, rank: int, third_ratio: float) -> str:
    """Why a cloud is none of the three shapes, in a few words."""
    if rank < 2:
        return "rank 1"
    if betti[0] > 1:
        return f"{betti[0]} components"
    return f"solid: third over first variance {third_ratio:.2f}" if betti == (1, 0, 0) else f"betti {betti}"


def top_persistence(diagram: Diagram) -> tuple[float, float]:
    """Persistence and death of the most persistent bar, zeros if there is none."""
    if len(diagram) == 0:
        return 0.0, 0.0
    best = int(np.argmax(diagram[:, 1] - diagram[:, 0]))
    return float(diagram[best, 1] - diagram[best, 0]), float(diagram[best, 1])


def betti_separation(diagrams: tuple[Diagram, ...], betti: Betti) -> float:
    """How clearly the bars counted and noise part, 0..1.

    It is one minus the first bar not counted over the last one counted, in the dimension where that is smallest.
    """
    separation = 1.0
    for dimension in range(1, len(diagrams)):
        bars = np.sort(diagrams[dimension][:, 1] - diagrams[dimension][:, 0])[::-1]
        bars = np.append(bars, np.zeros(betti[dimension] + 1))
        last = bars[betti[dimension] - 1] if betti[dimension] else CLEAR_HOLE
        separation = min(separation, 1 - bars[betti[dimension]] / last)
    return max(float(separation), 0.0)
