"""From a point cloud to a verdict: Betti numbers by persistent homology, with effect size and stability."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from math import gcd
from typing import Literal

import numpy as np
from jaxtyping import Float

from topomod.betti import (
    MIN_DEATH,
    Betti,
    ForcedLabel,
    betti_margin,
    betti_numbers,
    describe_other,
    shape_of,
    top_persistence,
)
from topomod.denoise import MAX_RANK, PreparedCloud, prepare_cloud
from topomod.diagrams import Diagram, cloud_diagrams, thin
from topomod.winding import WindingNumbers, rebase, winding_numbers

Label = Literal["disc", "circle", "torus", "other", "uncertain"]

MIN_SHARE = 0.7  # below it the cloud holds more than one frequency
MIN_AGREEMENT = 0.75
MIN_WINDING_AGREEMENT = 0.9
MIN_PINCHED_AGREEMENT = 0.75  # discs reach .6 to .7 by chance, noisy |cos| logits .84
HOLE_SIGMAS = 2.5  # the bound covered the true hole in 102 of 102 graded annuli
MIN_CLEARANCE = 0.2
MIN_POINTS_BY_DIM = {3: 200, 4: 400}  # below, a closed surface loses its loops
MIN_DISTINCT = 10
MAX_ROWS = 20_000
POINTS_BY_DIM = {2: 20_000, 3: 4000, 4: 500}  # in four dimensions 500 and 1000 points gave the same labels
SUBSAMPLES_BY_DIM = {2: 4, 3: 3, 4: 2}
SUBSAMPLE_POINTS_BY_DIM = {2: 20_000, 3: 1500, 4: 300}


@dataclass(frozen=True)
class ManifoldVerdict:
    """What a cloud is, how large the evidence, and why not more was said.

    Lengths are in rms units: the cloud, whitened in its leading components, has root mean square radius 1.

    Parameters
    ----------
    label : {"disc", "circle", "torus", "other", "uncertain"}
        The verdict. "disc" means no hole larger than ``hole_upper_bound``.
    forced_label : {"disc", "circle", "torus", "other"}
        The Betti numbers' answer whatever its uncertainty.
    betti : tuple of int
        ``(b0, b1, b2)`` over Z/2.
    confidence : float
        Stability times margin, in 0..1. An uncalibrated score, not a probability.
    hole : float
        Radius at which the most persistent loop is filled, 0 without loops.
    hole_upper_bound : float
        ``hole + 2.5 sigma``.
    rank, fine_rank : int
        Components with at least ``tau`` (.10), respectively .04, of the first one's variance.
    share : float or None
        Power of one frequency over the total; None without group order.
    frequency : int or None
        That frequency.
    sigma : float
        Noise per coordinate removed before homology.
    winding : tuple of int or None
        Turns ``(m_a, m_b)`` of the two leading components, up to a common sign made so that the first nonzero
        one is positive; None unless rows have group order and the rank is 2.
    winding_agreement, clearance : float or None
        As in :func:`topomod.winding_numbers`.
    agreement : float
        Share of random subsamples with the same forced label.
    n_points_used : int
        Points in the complex, after merging equal ones and thinning.
    reason : str
        Why "uncertain" or "other", empty otherwise.
    h1_persistence, h2_persistence : float
        Largest death minus birth, 0 without bars.
    diagrams : tuple of ndarray
        (n_pairs, 2) births and deaths as radii for H0, H1 and, from rank 3 on, H2; infinite deaths kept.
    """

    label: Label
    forced_label: ForcedLabel
    betti: Betti
    confidence: float
    hole: float
    hole_upper_bound: float
    rank: int
    fine_rank: int
    share: float | None
    frequency: int | None
    sigma: float
    winding: tuple[int, int] | None
    winding_agreement: float | None
    clearance: float | None
    agreement: float
    n_points_used: int
    reason: str
    h1_persistence: float
    h2_persistence: float
    diagrams: tuple[Diagram, ...]


def check_cloud(X: np.ndarray, p: int | None) -> Float[np.ndarray, "n k"]:
    """Refuse what cannot be a point cloud, warn about what is probably a transposed one."""
    X = np.asarray(X)
    if X.ndim != 2 or X.shape[1] < 2:
        raise ValueError(f"X must be (n_points, n_features) with at least 2 features, found shape {X.shape}")
    if X.dtype.kind not in "fiub":
        raise ValueError(f"X must hold real numbers, found dtype {X.dtype}")
    X = X.astype(np.float32 if X.dtype.itemsize <= 4 and X.dtype.kind == "f" else np.float64)
    if not np.isfinite(X).all():
        raise ValueError(f"X must be finite, found {int((~np.isfinite(X)).sum())} NaN or infinite entries")
    if len(X) < MIN_DISTINCT:
        raise ValueError(f"X must have at least {MIN_DISTINCT} points, found {len(X)} rows")
    if p is not None and (p < 5 or p * p != len(X)):
        raise ValueError(f"with p = {p} X needs p * p = {p * p} rows, and p at least 5; rows found: {len(X)}")
    if X.shape[1] > len(X):
        found = f"{X.shape[1]} features and only {len(X)} points"
        warnings.warn(f"X has {found}: is it transposed?", UserWarning, stacklevel=3)
    return X


def has_signal(X: Float[np.ndarray, "n k"]) -> bool:
    """Whether a cloud varies by more than the rounding of its numbers."""
    spread = float(np.ptp(X, axis=0).max())
    rounding = 100 * float(np.finfo(X.dtype).eps) * float(np.abs(X).max())
    return spread > max(rounding, 1e-30)


def n_distinct_rows(X: Float[np.ndarray, "n k"], rng: np.random.Generator) -> int:
    """Number of distinct rows, counted on a random projection."""
    return len(np.unique(X @ rng.standard_normal(X.shape[1])))


def subsample_agreement(cloud: PreparedCloud, label: ForcedLabel, n_subsamples: int, rng: np.random.Generator) -> float:
    """Share of random subsamples of 70 % that get the label; half of them will do where those are of one mind.

    The first one is read over Z/3, where a Klein bottle is no longer mistaken for a torus.
    """
    n, dim = cloud.points.shape
    size = int((0.7 if n >= 200 else 0.9) * n)
    hits: list[bool] = []
    for i in range(n_subsamples):
        if i == (n_subsamples + 1) // 2 and len(set(hits)) == 1:
            break
        points = cloud.points[rng.choice(n, size, replace=False)]
        points = thin(points, SUBSAMPLE_POINTS_BY_DIM[max(dim, 2)], rng)
        betti = betti_numbers(cloud_diagrams(points, coeff=3 if dim > 2 and i == 0 else 2))
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


def winding_doubts(forced: ForcedLabel, winding: WindingNumbers | None, sigma: float) -> list[str]:
    """Contradictions between a label and the winding numbers around the cloud's centre.

    Where nearly all loops wind, the centre is a hole of at least ``min |z|``, more where noise has filled it.
    A cloud with a hole too small to be told from the lattice still is a disc if one input alone winds
    (unequal amplitudes). If both do, it is a function of a + b or a - b pinched at the centre, and neither word
    fits; noise makes some loops miss the pinch, so fewer need agree.
    """
    if winding is None:
        return []
    m_a, m_b = winding.winding
    if winding.agreement < (MIN_PINCHED_AGREEMENT if m_a and m_b else MIN_WINDING_AGREEMENT):
        return []
    found = []
    visible = winding.clearance + HOLE_SIGMAS * sigma > MIN_DEATH
    if forced == "disc" and ((m_a and m_b) or ((m_a or m_b) and visible)):
        found.append(f"no hole, yet it winds {winding.winding}")
    if forced == "circle" and not (m_a or m_b) and winding.clearance > MIN_CLEARANCE:
        found.append("a hole that neither input winds around")
    return found


def doubts(
    forced: ForcedLabel,
    betti: Betti,
    cloud: PreparedCloud,
    agreement: float,
    hole_upper_bound: float,
    resolution: float,
) -> list[str]:
    """Reasons not to trust a label, empty if there are none."""
    found = []
    n_points, dim = cloud.points.shape
    if cloud.share is not None and cloud.share < MIN_SHARE:
        found.append(f"share {cloud.share:.2f}: not one frequency")
    if cloud.rank > MAX_RANK:
        found.append(f"rank {cloud.rank}: only {MAX_RANK} components read")
    if forced == "other" and n_points < MIN_POINTS_BY_DIM.get(dim, 0):
        found.append(f"{n_points} points are few for rank {cloud.rank}")
    if agreement < MIN_AGREEMENT:
        found.append(f"only {agreement:.0%} of subsamples agree")
    if betti[:2] == (1, 0) and cloud.rank > 1 and hole_upper_bound > resolution:
        found.append(f"a hole up to {hole_upper_bound:.2f} rms cannot be excluded")
    return found


def _empty_verdict(label: Label, reason: str, n_points: int, cloud: PreparedCloud | None = None) -> ManifoldVerdict:
    return ManifoldVerdict(
        label=label,
        forced_label="other",
        betti=(n_points, 0, 0),
        confidence=0.0,
        hole=0.0,
        hole_upper_bound=float("inf"),
        rank=cloud.rank if cloud else 0,
        fine_rank=cloud.fine_rank if cloud else 0,
        share=cloud.share if cloud else None,
        frequency=cloud.frequency if cloud else None,
        sigma=cloud.sigma if cloud else 0.0,
        winding=None,
        winding_agreement=None,
        clearance=None,
        agreement=0.0,
        n_points_used=n_points,
        reason=reason,
        h1_persistence=0.0,
        h2_persistence=0.0,
        diagrams=(np.zeros((0, 2)), np.zeros((0, 2))),
    )


def classify_manifold(
    X: np.ndarray,
    p: int | None = None,
    seed: int = 0,
    *,
    tau: float = 0.10,
    fine_tau: float = 0.04,
    resolution: float = 0.4,
    n_subsamples: int | None = None,
) -> ManifoldVerdict:
    """Say whether a point cloud is a disc, a circle, a torus or something else, or that it cannot be said.

    Parameters
    ----------
    X : ndarray
        (n_points, n_features). With ``p``, rows in the order of ``a * p + b``. Above 20000 points without
        ``p`` a random 20000 are used.
    p : int, optional
        Modulus, at least 5: average the noise away over the group. Without it over nearest neighbours.
    seed : int
        Draws jitter and subsamples.
    tau, fine_tau : float
        Components with at least this share of the first one's variance count: for the verdict, and for
        ``fine_rank``, which is only reported.
    resolution : float
        In rms units. Where no loop is found and ``hole_upper_bound`` is larger, the verdict is uncertain.
    n_subsamples : int, optional
        Repetitions on 70 % of the points, half of them where those agree; 4 at rank 2, 3 at rank 3, 2 at rank 4.

    Returns
    -------
    ManifoldVerdict

    Raises
    ------
    ValueError
        For NaN or infinite entries, fewer than 10 points, fewer than 2 features, or rows that are not p * p;
        without ``p`` also for fewer than 10 distinct points. With ``p`` that is "uncertain" instead, and
        a cloud without any variance always "other".

    Warns
    -----
    UserWarning
        If there are more features than points.

    References
    ----------
    Alpha complexes: doi 10.1145/174462.156635. Disc, circle and torus in modular addition: arXiv 2512.25060.

    Examples
    --------
    >>> angle = 2 * np.pi * np.arange(31) / 31
    >>> a, b = (grid.ravel() for grid in np.meshgrid(angle, angle, indexing="ij"))
    >>> classify_manifold(np.stack([np.cos(a), np.sin(a), np.cos(b), np.sin(b)], axis=1), p=31).label
    'torus'
    """
    X = check_cloud(X, p)
    rng = np.random.default_rng(seed)
    if not has_signal(X):
        return _empty_verdict("other", "no signal", 1)
    distinct = n_distinct_rows(X, rng)
    if distinct < MIN_DISTINCT and p is None:
        raise ValueError(f"X must have at least {MIN_DISTINCT} distinct points, found {distinct}")
    if p is None and len(X) > MAX_ROWS:
        X = X[rng.choice(len(X), MAX_ROWS, replace=False)]
    cloud = prepare_cloud(X, p, tau=tau, fine_tau=fine_tau, rng=rng)
    if len(cloud.points) < MIN_DISTINCT:
        reason = f"only {len(cloud.points)} distinct points"
        return _empty_verdict("uncertain", reason, len(cloud.points), cloud)
    return _verdict(cloud, p, resolution, n_subsamples, rng)


def _verdict(
    cloud: PreparedCloud, p: int | None, resolution: float, n_subsamples: int | None, rng: np.random.Generator
) -> ManifoldVerdict:
    dim = max(cloud.points.shape[1], 2)
    points = thin(cloud.points, POINTS_BY_DIM[dim], rng)
    diagrams = cloud_diagrams(points)
    betti = betti_numbers(diagrams)
    forced = shape_of(betti, cloud.rank, cloud.third_ratio)
    repeats = SUBSAMPLES_BY_DIM[dim] if n_subsamples is None else n_subsamples
    agreement = subsample_agreement(cloud, forced, repeats, rng)
    winding = cloud_winding(cloud, p) if p is not None else None
    h1_persistence, hole = top_persistence(diagrams[1])
    bound = hole + HOLE_SIGMAS * cloud.sigma_left
    reasons = doubts(forced, betti, cloud, agreement, bound, resolution)
    reasons += winding_doubts(forced, winding, cloud.sigma_left)
    purity = 1.0 if cloud.share is None else min(1.0, cloud.share / MIN_SHARE)
    other = [describe_other(betti, cloud.rank, cloud.third_ratio)] if forced == "other" else []
    return ManifoldVerdict(
        label="uncertain" if reasons else forced,
        forced_label=forced,
        betti=betti,
        confidence=agreement * purity * betti_margin(diagrams, betti),
        hole=hole,
        hole_upper_bound=bound,
        rank=cloud.rank,
        fine_rank=cloud.fine_rank,
        share=cloud.share,
        frequency=cloud.frequency,
        sigma=cloud.sigma,
        winding=winding.winding if winding else None,
        winding_agreement=winding.agreement if winding else None,
        clearance=winding.clearance if winding else None,
        agreement=agreement,
        n_points_used=len(points),
        reason="; ".join(reasons + other),
        h1_persistence=h1_persistence,
        h2_persistence=top_persistence(diagrams[2])[0] if len(diagrams) > 2 else 0.0,
        diagrams=diagrams,
    )
