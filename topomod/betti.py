"""Read Betti numbers off persistence diagrams."""

from __future__ import annotations

import numpy as np

from topomod.diagrams import Diagram

Betti = tuple[int, int, int]

MAX_COUNT = 4
MIN_DEATH = 0.1  # rms; the p-periodic lattice itself makes loops below it
MIN_GAP = (3.0, 1.8, 1.5)  # persistence of the last bar counted over the next one's, per dimension
MIN_DEATH_OVER_BIRTH = (1.0, 1.8, 1.2)
MIN_MERGE = 0.2  # rms; radius at which components must still be apart to count as several


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
