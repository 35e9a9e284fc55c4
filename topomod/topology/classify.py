"""From a point cloud to a verdict: Betti numbers by persistent homology, with effect size and stability."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from topomod.topology.betti import (
    MIN_DEATH,
    betti_margin,
    betti_numbers,
    describe_other,
    shape_of,
    top_persistence,
)
from topomod.topology.denoise import PreparedCloud, prepare_cloud
from topomod.topology.diagrams import MAX_ALPHA, cloud_diagrams, thin
from topomod.topology.evidence import (
    HOLE_ROUNDING,
    HOLE_SIGMAS,
    MIN_SHARE,
    TUBE_TAU,
    central_hole,
    cloud_winding,
    confidence,
    doubts,
    is_doubtful,
    loop_windings,
    subsample_agreement,
    torus_doubts,
)
from topomod.topology.verdict import ManifoldVerdict, empty_verdict

MIN_DISTINCT = 10
MAX_ROWS = 20_000
# in four dimensions 400 to 1000 points gave the same labels; 5 stands for more, where the complex is Rips
POINTS_BY_DIM = {2: 20_000, 3: 4000, 4: 400, 5: 400}
SUBSAMPLES_BY_DIM = {2: 4, 3: 3, 4: 2, 5: 2}


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


def classify_manifold(
    X: np.ndarray,
    p: int | None = None,
    seed: int = 0,
    *,
    tau: float = 0.10,
    fine_tau: float = 0.04,
    resolution: float = 0.5,
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
        ``fine_rank``, where a circle is looked at again: with its finer components it may be a torus with a thin tube.
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
        return empty_verdict("other", "no signal", 1)
    distinct = n_distinct_rows(X, rng)
    if distinct < MIN_DISTINCT and p is None:
        raise ValueError(f"X must have at least {MIN_DISTINCT} distinct points, found {distinct}")
    if p is None and len(X) > MAX_ROWS:
        X = X[rng.choice(len(X), MAX_ROWS, replace=False)]
    cloud = prepare_cloud(X, p, tau=tau, fine_tau=fine_tau, rng=rng)
    if len(cloud.points) < MIN_DISTINCT:
        reason = f"only {len(cloud.points)} distinct points"
        return empty_verdict("uncertain", reason, len(cloud.points), cloud)
    verdict = _verdict(cloud, p, resolution, n_subsamples, rng)
    # the thin tube of a torus lies below tau, as the harmonics of a bent circle do
    finest = TUBE_TAU if p is None else fine_tau
    if verdict.label == "circle" and cloud.rank < MAX_ALPHA and cloud.next_ratio >= finest:
        finer = prepare_cloud(X, p, tau=finest, fine_tau=fine_tau, rng=rng)
        tube = _verdict(finer, p, resolution, n_subsamples, rng) if finer.rank == MAX_ALPHA else verdict
        if tube.label == "torus":
            return replace(tube, rank=cloud.rank, fine_rank=cloud.fine_rank)
    return verdict


def _verdict(
    cloud: PreparedCloud, p: int | None, resolution: float, n_subsamples: int | None, rng: np.random.Generator
) -> ManifoldVerdict:
    dim = int(np.clip(cloud.points.shape[1], 2, 5))
    points = thin(cloud.points, POINTS_BY_DIM[dim], rng)
    (diagrams,) = cloud_diagrams(points)
    betti, margin = betti_numbers(diagrams), None
    forced = shape_of(betti, cloud.rank, cloud.third_ratio)
    matrix = loop_windings(cloud, p, forced) if p is not None and forced == "torus" else None
    confirmed = matrix is not None and not torus_doubts(matrix)
    # over Z/3 a Klein bottle is no torus; where two loops wind as a torus's do there is nothing to ask
    untwisted = forced
    if forced == "torus" and not confirmed:
        untwisted = shape_of(betti_numbers(cloud_diagrams(points, (3,))[0]), cloud.rank, cloud.third_ratio)
    twisted = untwisted != forced
    if twisted:
        forced = "other"
    winding = cloud_winding(cloud, p) if p is not None else None
    centre = central_hole(cloud, winding) if forced in ("disc", "circle") else 0.0
    if centre >= max(MIN_DEATH, HOLE_SIGMAS * cloud.sigma_left):
        forced, betti, margin = "circle", (1, 1, 0), centre / (centre + MIN_DEATH)
    if forced == "circle" and p is not None:
        matrix = loop_windings(cloud, p, forced)
    if winding is not None and forced == "circle" and centre > 0:
        agreement = winding.agreement
    elif confirmed:
        agreement = 1.0  # the loops were found again, on landmarks of their own, and in their places
    else:
        repeats = SUBSAMPLES_BY_DIM[dim] if n_subsamples is None else n_subsamples
        agreement = subsample_agreement(cloud, untwisted, repeats, rng, 3 if twisted else 2)
    h1_persistence, hole = top_persistence(diagrams[1])
    hole = max(hole, centre)
    bound = hole + HOLE_SIGMAS * cloud.sigma_left + HOLE_ROUNDING
    reasons = doubts(forced, betti, cloud, agreement, bound, resolution, winding)
    if forced == "torus" and not reasons and (p is not None or dim > MAX_ALPHA):
        reasons = torus_doubts(matrix)
    turns = winding.winding if winding else matrix[0] if forced == "circle" and matrix else None
    purity = 1.0 if cloud.share is None else min(1.0, cloud.share / MIN_SHARE)
    score = agreement * purity * max(betti_margin(diagrams, betti), margin or 0.0)
    other = [describe_other(betti, cloud.rank, cloud.third_ratio)] if forced == "other" else []
    if twisted:
        other = [f"betti {betti} over Z/2, not over Z/3, as a Klein bottle"]
    return ManifoldVerdict(
        label="uncertain" if reasons else forced,
        forced_label=forced,
        betti=betti,
        confidence=0.0 if reasons else confidence(score, is_doubtful(cloud, forced)),
        score=score,
        doubtful=is_doubtful(cloud, forced),
        hole=hole,
        hole_upper_bound=bound,
        rank=cloud.rank,
        fine_rank=cloud.fine_rank,
        share=cloud.share,
        frequency=cloud.frequency,
        sigma=cloud.sigma,
        winding=turns,
        winding_matrix=matrix if forced == "torus" else None,
        winding_agreement=winding.agreement if winding else None,
        clearance=winding.clearance if winding else None,
        agreement=agreement,
        n_points_used=len(points),
        reason="; ".join(reasons + other),
        h1_persistence=h1_persistence,
        h2_persistence=top_persistence(diagrams[2])[0] if len(diagrams) > 2 else 0.0,
        diagrams=diagrams,
    )
