"""Reasons to call a label uncertain, and the confidence in a label that is not."""

from __future__ import annotations

from topomod.topology.betti import ForcedLabel
from topomod.topology.complexes import MAX_ALPHA
from topomod.topology.denoise import PreparedCloud
from topomod.topology.steps import NamedShape, Windings
from topomod.topology.support import Support
from topomod.topology.winding import MIN_WINDING_AGREEMENT, WindingNumbers

MIN_SHARE = 0.7  # below it the cloud holds more than one frequency
MIN_AGREEMENT = 0.75
MIN_CLEARANCE = 0.2
MIN_POINTS_BY_DIM = {3: 200, 4: 400}  # with fewer points a closed surface loses its loops
MIN_POINTS = 300
TUBE_TAU = 0.01  # share of the first variance that a tube of a tenth of the large radius has
THIN = 1e-4  # share of the first variance; what is thinner is a segment
LIKE_NOISE = 1.3  # a variance over one two components later, where both are noise that is the same in all directions
MAX_SIGMA = 0.12  # rms; a little more than the noise in scope

# For each least score the share of verdicts that were right (lower bound, 99.9 %), without and with a doubtful sign.
# They are measured by `python benchmarks/verdicts.py --build`.
CONFIDENCE = {
    False: ((0.0, 0.739), (0.6, 0.985)),
    True: ((0.0, 0.065), (0.4, 0.504), (0.7, 0.644), (0.8, 0.74), (0.9, 0.814)),
}


def doubts(
    cloud: PreparedCloud,
    shape: NamedShape,
    windings: Windings,
    support: Support,
    agreement: float,
    hole_upper_bound: float,
    resolution: float,
) -> list[str]:
    """Reasons why a label is uncertain, empty if there are none.

    Parameters
    ----------
    cloud, shape, windings, support
        What is known of the cloud.
    agreement : float
        Share of repetitions with the same label, 0..1.
    hole_upper_bound, resolution : float
        In rms units: the largest hole that can have been missed, and the largest that a disc may have.
    """
    found = list(support.against)
    if cloud.share is not None and cloud.share < MIN_SHARE:
        found.append(f"share {cloud.share:.2f}: not one frequency")
    if cloud.rank > MAX_ALPHA and shape.betti[:2] == (1, 0) and not support.twisted:
        found.append(f"no loop at rank {cloud.rank}: a bent disc and a ball are not told apart")
    # in group order its harmonics make it wider
    if _has_width(cloud) and cloud.share is None and cloud.third_ratio > 0:
        found.append("a segment, with a width that noise does not explain")
    n_points, dim = cloud.points.shape
    if shape.label == "other" and n_points < MIN_POINTS_BY_DIM.get(dim, 0):
        found.append(f"{n_points} points are few for rank {cloud.rank}")
    if agreement < MIN_AGREEMENT:
        found.append(f"only {agreement:.0%} of subsamples agree")
    if shape.label == "disc" and hole_upper_bound > resolution:
        found.append(f"a hole up to {hole_upper_bound:.2f} rms cannot be excluded")
    if shape.label == "circle" and windings.centre is not None and _misses_the_hole(windings.centre):
        found.append("a hole that neither input winds around")
    # without group order its two coordinates, or in up to four dimensions its void, tell a torus from touching circles
    unordered = support.certified or dim <= MAX_ALPHA
    if not found and shape.label == "torus" and (cloud.share is not None or not unordered):
        return _torus_doubts(windings)
    return found


def _has_width(cloud: PreparedCloud) -> bool:
    """Whether a cloud of one component is wider than noise that is the same in all directions makes it."""
    return cloud.rank == 1 and cloud.next_ratio > max(THIN, LIKE_NOISE * cloud.third_ratio)


def _misses_the_hole(winding: WindingNumbers) -> bool:
    agrees = winding.agreement >= MIN_WINDING_AGREEMENT
    return agrees and not any(winding.winding) and winding.clearance > MIN_CLEARANCE


def _torus_doubts(windings: Windings) -> list[str]:
    """Why two loops are not those of a and b."""
    if windings.loops is None:
        return ["its loops do not wind alike all along a and b"]
    return [] if windings.confirm_torus else [f"its loops wind {windings.loops}, not once around a and b"]


def missing_evidence(cloud: PreparedCloud, label: ForcedLabel, support: Support) -> list[str]:
    """What a sure label would need and this cloud does not show, empty if nothing.

    Much noise, few points and a component just left out are signs of being past the limits. For a circle a small
    component left out is one, too: it could be the tube of a torus. For a disc a third component is one: the cloud
    could be a surface whose loops are narrow.
    """
    n_points, dim = cloud.points.shape
    signs = {
        "little noise": cloud.sigma > MAX_SIGMA,
        "more points": n_points < max(MIN_POINTS, MIN_POINTS_BY_DIM.get(dim, 0)),
        "no tube in the components left out": label == "circle" and cloud.next_ratio >= TUBE_TAU,
        "a flat disc": label == "disc" and cloud.rank > 2,
        "no component just below the threshold": cloud.fine_rank > cloud.rank,
        "all components": cloud.rank > dim,
        "a width that noise explains": _has_width(cloud),
    }
    return [sign for sign, is_missing in signs.items() if is_missing] + list(support.missing)


def purity(cloud: PreparedCloud) -> float:
    """Share of one frequency over the least share that passes for one frequency, at most 1; 1 without group order."""
    return 1.0 if cloud.share is None else min(1.0, cloud.share / MIN_SHARE)


def confidence(score: float, doubtful: bool) -> float:
    """Share of verdicts of this score that were right on labelled clouds."""
    return max(share for least, share in CONFIDENCE[doubtful] if score >= least)
