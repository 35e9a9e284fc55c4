"""Why a label is not trusted, and how far one that is trusted can be."""

from __future__ import annotations

from topomod.topology.betti import ForcedLabel
from topomod.topology.complexes import MAX_ALPHA
from topomod.topology.denoise import PreparedCloud
from topomod.topology.steps import NamedShape, Windings
from topomod.topology.winding import MIN_WINDING_AGREEMENT, WindingNumbers

MIN_SHARE = 0.7  # below it the cloud holds more than one frequency
MIN_AGREEMENT = 0.75
MIN_CLEARANCE = 0.2
MIN_POINTS_BY_DIM = {3: 200, 4: 400}  # below, a closed surface loses its loops
MIN_POINTS = 300
TUBE_TAU = 0.01  # of the first variance; a tube of a tenth of the large radius
MAX_SIGMA = 0.12  # rms; a little more than the noise in scope

# Share right, at the least (99.9 % bound), of verdicts from these scores on, without and with a doubtful sign.
# Measured by `python benchmarks/verdicts.py --calibrate`.
CONFIDENCE = {
    False: ((0.0, 0.995),),
    True: ((0.0, 0.337), (0.5, 0.494), (0.6, 0.649), (0.7, 0.842)),
}


def doubts(
    cloud: PreparedCloud,
    shape: NamedShape,
    windings: Windings,
    agreement: float,
    hole_upper_bound: float,
    resolution: float,
) -> list[str]:
    """Reasons why a label is uncertain, empty if there are none.

    Parameters
    ----------
    cloud, shape, windings
        What is known of the cloud.
    agreement : float
        Share of repetitions with the same label, 0..1.
    hole_upper_bound, resolution : float
        In rms units: the largest hole that can have been missed, and the largest that a disc may have.
    """
    found = []
    if cloud.share is not None and cloud.share < MIN_SHARE:
        found.append(f"share {cloud.share:.2f}: not one frequency")
    if cloud.rank > MAX_ALPHA and shape.betti[:2] == (1, 0):
        found.append(f"no loop at rank {cloud.rank}: a bent disc and a ball are not told apart")
    n_points, dim = cloud.points.shape
    if shape.label == "other" and n_points < MIN_POINTS_BY_DIM.get(dim, 0):
        found.append(f"{n_points} points are few for rank {cloud.rank}")
    if agreement < MIN_AGREEMENT:
        found.append(f"only {agreement:.0%} of subsamples agree")
    if shape.label == "disc" and hole_upper_bound > resolution:
        found.append(f"a hole up to {hole_upper_bound:.2f} rms cannot be excluded")
    if shape.label == "circle" and windings.centre is not None and _misses_the_hole(windings.centre):
        found.append("a hole that neither input winds around")
    # without group order, up to four dimensions, the void of a torus is proof enough
    if not found and shape.label == "torus" and (cloud.share is not None or dim > MAX_ALPHA):
        return _torus_doubts(windings)
    return found


def _misses_the_hole(winding: WindingNumbers) -> bool:
    agrees = winding.agreement >= MIN_WINDING_AGREEMENT
    return agrees and not any(winding.winding) and winding.clearance > MIN_CLEARANCE


def _torus_doubts(windings: Windings) -> list[str]:
    """Why two loops are not those of a and b."""
    if windings.loops is None:
        return ["its loops do not wind alike all along a and b"]
    return [] if windings.confirm_torus else [f"its loops wind {windings.loops}, not once around a and b"]


def is_doubtful(cloud: PreparedCloud, label: ForcedLabel) -> bool:
    """Whether a cloud shows a sign of being past the limits.

    Much noise, few points and a component just left out are such signs. For a circle a small component left out is one,
    too: it could be the tube of a torus. For a disc a third component is one: the cloud could be a surface whose loops
    are narrow.
    """
    n_points, dim = cloud.points.shape
    few = n_points < MIN_POINTS_BY_DIM.get(dim, MIN_POINTS)
    tube = label == "circle" and cloud.next_ratio >= TUBE_TAU
    surface = label == "disc" and cloud.rank > 2
    return cloud.sigma > MAX_SIGMA or few or tube or surface or cloud.fine_rank > cloud.rank


def purity(cloud: PreparedCloud) -> float:
    """Share of one frequency over the least share that passes for one frequency, at most 1; 1 without group order."""
    return 1.0 if cloud.share is None else min(1.0, cloud.share / MIN_SHARE)


def confidence(score: float, doubtful: bool) -> float:
    """Share of verdicts of this score that were right on labelled clouds."""
    return max(share for least, share in CONFIDENCE[doubtful] if score >= least)
