"""Evidence for and against a label: subsamples, winding numbers, purity, and the confidence they add up to."""

from __future__ import annotations

from math import gcd

import numpy as np

from topomod.tasks.fourier import rebase
from topomod.topology.betti import Betti, ForcedLabel, betti_numbers, shape_of
from topomod.topology.coordinates import WindingMatrix, determinant, winding_matrix
from topomod.topology.denoise import PreparedCloud
from topomod.topology.diagrams import MAX_ALPHA, cloud_diagrams, thin
from topomod.topology.winding import WindingNumbers, winding_numbers

MIN_SHARE = 0.7  # below it the cloud holds more than one frequency
MIN_AGREEMENT = 0.75
MIN_WINDING_AGREEMENT = 0.9
HOLE_ROUNDING = 0.005  # rms; what merging points and jitter can hide
HOLE_SIGMAS = 2.5  # the bound covered the true hole in 102 of 102 graded annuli
MIN_CLEARANCE = 0.2
MIN_POINTS_BY_DIM = {3: 200, 4: 400}  # below, a closed surface loses its loops
MIN_POINTS = 300
TUBE_TAU = 0.01  # of the first variance; a tube of a tenth of the large radius
MAX_SIGMA = 0.12  # rms; a little more than the noise in scope
SUBSAMPLE_POINTS_BY_DIM = {2: 20_000, 3: 1500, 4: 300, 5: 300}  # 5 stands for more

# Share right, at the least (99.9 % bound), of verdicts from these scores on, without and with a doubtful sign.
# Measured by `python benchmarks/verdicts.py --calibrate`.
CONFIDENCE = {
    False: ((0.0, 0.995),),
    True: ((0.0, 0.337), (0.5, 0.494), (0.6, 0.649), (0.7, 0.842)),
}


def is_doubtful(cloud: PreparedCloud, forced: ForcedLabel) -> bool:
    """Whether a cloud shows a sign of being past the limits.

    Much noise; few points; a component just left out; for a circle even a small one, which could be a torus's tube; for
    a disc a third component, with which it could be a surface whose loops are narrow.
    """
    n_points, dim = cloud.points.shape
    few = n_points < MIN_POINTS_BY_DIM.get(dim, MIN_POINTS)
    tube = forced == "circle" and cloud.next_ratio >= TUBE_TAU
    surface = forced == "disc" and cloud.rank > 2
    return cloud.sigma > MAX_SIGMA or few or tube or surface or cloud.fine_rank > cloud.rank


def confidence(score: float, doubtful: bool) -> float:
    """Share of verdicts of this score that were right on labelled clouds."""
    return max(share for least, share in CONFIDENCE[doubtful] if score >= least)


def subsample_agreement(
    cloud: PreparedCloud, label: ForcedLabel, n_subsamples: int, rng: np.random.Generator, coeff: int = 2
) -> float:
    """Share of random subsamples of 70 % that get the label; half of them will do where those are of one mind."""
    n, dim = cloud.points.shape
    size = int((0.7 if n >= 200 else 0.9) * n)
    hits: list[bool] = []
    for i in range(n_subsamples):
        if i == (n_subsamples + 1) // 2 and len(set(hits)) == 1:
            break
        points = cloud.points[rng.choice(n, size, replace=False)]
        points = thin(points, SUBSAMPLE_POINTS_BY_DIM[int(np.clip(dim, 2, 5))], rng)
        betti = betti_numbers(cloud_diagrams(points, (coeff,))[0])
        hits.append(shape_of(betti, cloud.rank, cloud.third_ratio) == label)
    return float(np.mean(hits)) if hits else 1.0


def cloud_winding(cloud: PreparedCloud, p: int) -> WindingNumbers | None:
    """Winding numbers of the two leading components up to sign; None where there are none to speak of."""
    if cloud.rank != 2 or cloud.frequency is None or gcd(cloud.frequency, p) != 1:
        return None
    z = (cloud.rows[:, 0] + 1j * cloud.rows[:, 1]).reshape(p, p)
    (m_a, m_b), agreement, clearance = winding_numbers(rebase(z, cloud.frequency))
    sign = -1 if (m_a, m_b) < (0, 0) else 1
    return WindingNumbers((sign * m_a, sign * m_b), agreement, clearance)


def central_hole(cloud: PreparedCloud, winding: WindingNumbers | None) -> float:
    """Radius in rms units of the hole at the centre that the rows' order proves; 0 where it proves none.

    Where nearly all loops along a and nearly all along b wind alike around the centre, and not at zero turns both, the
    cloud goes round it at no less than its smallest distance. Homology, blind to order, sees such a hole only once it
    is wider than the gaps elsewhere.
    """
    if winding is None or winding.agreement < MIN_WINDING_AGREEMENT or not any(winding.winding):
        return 0.0
    return float(np.hypot(cloud.rows[:, 0], cloud.rows[:, 1]).min())


def loop_windings(cloud: PreparedCloud, p: int, forced: ForcedLabel) -> WindingMatrix | None:
    """Windings of a torus's two loops, or of the loop of a circle of rank above 2, by circular coordinates."""
    if forced not in ("circle", "torus") or cloud.rank < 3 or cloud.frequency is None or gcd(cloud.frequency, p) != 1:
        return None
    return winding_matrix(cloud.rows, p, cloud.frequency, 2 if forced == "torus" else 1)


def torus_doubts(matrix: WindingMatrix | None) -> list[str]:
    """Why two loops are not those of a and b."""
    if matrix is None:
        return ["its loops do not wind alike all along a and b"]
    return [] if abs(determinant(matrix)) == 1 else [f"its loops wind {matrix}, not once around a and b"]


def doubts(
    forced: ForcedLabel,
    betti: Betti,
    cloud: PreparedCloud,
    agreement: float,
    hole_upper_bound: float,
    resolution: float,
    winding: WindingNumbers | None,
) -> list[str]:
    """Reasons not to trust a label, empty if there are none."""
    found = []
    n_points, dim = cloud.points.shape
    if cloud.share is not None and cloud.share < MIN_SHARE:
        found.append(f"share {cloud.share:.2f}: not one frequency")
    if cloud.rank > MAX_ALPHA and betti[1] == 0 and betti[0] == 1:
        found.append(f"no loop at rank {cloud.rank}: a bent disc and a ball are not told apart")
    if forced == "other" and n_points < MIN_POINTS_BY_DIM.get(dim, 0):
        found.append(f"{n_points} points are few for rank {cloud.rank}")
    if agreement < MIN_AGREEMENT:
        found.append(f"only {agreement:.0%} of subsamples agree")
    if forced == "disc" and hole_upper_bound > resolution:
        found.append(f"a hole up to {hole_upper_bound:.2f} rms cannot be excluded")
    if forced == "circle" and winding and winding.agreement >= MIN_WINDING_AGREEMENT:
        if not any(winding.winding) and winding.clearance > MIN_CLEARANCE:
            found.append("a hole that neither input winds around")
    return found
