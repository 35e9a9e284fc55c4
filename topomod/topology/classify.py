"""From a point cloud to a verdict, by the steps that ``docs/verdicts.md`` describes."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from topomod.topology.complexes import MAX_ALPHA
from topomod.topology.confidence import LIKE_NOISE, TUBE_TAU, confidence, doubts, missing_evidence, purity
from topomod.topology.denoise import PreparedCloud, prepare_cloud
from topomod.topology.few_points import MIN_IN_ORDER, few_points_verdict
from topomod.topology.inputs import finite_array
from topomod.topology.scale import is_constant, unit_scale
from topomod.topology.steps import (
    central_hole,
    measure_effect,
    measure_stability,
    name_shape,
    read_homology,
    read_torsion,
    read_windings,
    renamed,
)
from topomod.topology.support import cover_agreement, find_support
from topomod.topology.verdict import ManifoldVerdict, empty_verdict
from topomod.topology.views import view_above_noise, wide_view

MIN_DISTINCT = 10  # points from which on homology is read
MAX_ROWS = 20_000
MIN_NOISY = 200  # points from which on components of noise are told from others


def check_cloud(X: ArrayLike, p: int | None) -> Float[np.ndarray, "n k"]:
    """Refuse what cannot be a point cloud, warn about what is probably a transposed one, and bring it to unit scale."""
    X = finite_array(X, "X")
    if X.ndim != 2 or X.shape[1] < 2:
        raise ValueError(f"X must be (n_points, n_features) with at least 2 features, found shape {X.shape}")
    if len(X) < MIN_IN_ORDER:
        raise ValueError(f"X must have at least {MIN_IN_ORDER} points, found {len(X)} rows")
    if p is not None and (p < 5 or p * p != len(X)):
        raise ValueError(f"with p = {p} X needs p * p = {p * p} rows, and p at least 5; rows found: {len(X)}")
    if X.shape[1] > len(X):
        found = f"{X.shape[1]} features and only {len(X)} points"
        warnings.warn(f"X has {found}: is it transposed?", UserWarning, stacklevel=3)
    return unit_scale(X)


def n_distinct_rows(X: Float[np.ndarray, "n k"], rng: np.random.Generator) -> int:
    """Number of distinct rows, counted on a random projection."""
    return len(np.unique(X @ rng.standard_normal(X.shape[1])))


def verdict_without_homology(
    X: Float[np.ndarray, "n k"], p: int | None, rng: np.random.Generator
) -> ManifoldVerdict | None:
    """Verdict on a cloud that is constant or, in no group order, has few distinct points; None for any other."""
    if is_constant(X):
        return empty_verdict("other", "no signal", 1)
    distinct = n_distinct_rows(X, rng)
    if distinct >= MIN_DISTINCT or p is not None:
        return None
    if distinct < MIN_IN_ORDER:
        raise ValueError(f"X must have at least {MIN_IN_ORDER} distinct points, found {distinct}")
    return few_points_verdict(X, distinct, MIN_DISTINCT)


def classify_manifold(
    X: ArrayLike,
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
    X : array_like
        (n_points, n_features) finite numbers in any unit. With ``p``, rows are in the order of ``a * p + b``. Without
        ``p``, 20000 random rows are used where there are more.
    p : int, optional
        Modulus, at least 5. With it noise is averaged away over the group, without it over nearest neighbours.
    seed : int
        Seed of the jitter and the subsamples.
    tau, fine_tau : float
        Shares of the first component's variance. Components of at least ``tau`` make the verdict, those of at least
        ``fine_tau`` the ``fine_rank``. A circle is looked at again with its finer components: it may be a torus with a
        thin tube.
    resolution : float
        In rms units. Where no loop is found and ``hole_upper_bound`` is larger than this, the label is "uncertain".
    n_subsamples : int, optional
        Repetitions on 70 % of the points; half of them are enough where those agree. Default: 4 at rank 2, 3 at rank
        3, 2 from rank 4 on.

    Returns
    -------
    ManifoldVerdict

    Raises
    ------
    ValueError
        For masked, complex, NaN or infinite entries, for anything else that is no array of real numbers, fewer than
        2 features, rows that are not p * p, and fewer than 5 points; without ``p`` also for fewer than 5 distinct
        points, unless all are equal.

    Warns
    -----
    UserWarning
        If there are more features than points.

    Notes
    -----
    A cloud whose points agree up to rounding is "other", "no signal". One with fewer than 10 distinct points is
    "uncertain". Without ``p``, and from 5 points on, the reason then says how often the rows, in the order given and
    back to the first one, go round their centre. Seven days of the week are such a cloud. That is a fact about the
    order given, and no evidence that the points come from a circle.

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
    rows = check_cloud(X, p)
    rng = np.random.default_rng(seed)
    verdict = verdict_without_homology(rows, p, rng)
    if verdict is not None:
        return verdict
    if p is None and len(rows) > MAX_ROWS:
        rows = rows[rng.choice(len(rows), MAX_ROWS, replace=False)]
    cloud = prepare_cloud(rows, p, tau=tau, fine_tau=fine_tau, rng=rng)
    if len(cloud.points) < MIN_DISTINCT:
        reason = f"only {len(cloud.points)} distinct points"
        return empty_verdict("uncertain", reason, len(cloud.points), cloud)
    verdict = label_cloud(cloud, p, resolution, n_subsamples, rng)
    if p is None and verdict.label == "uncertain" and len(rows) >= MIN_NOISY:
        clean = view_above_noise(rows, cloud, rng, fine_tau)
        if clean is not None:
            return circle_above_noise(verdict, label_cloud(clean, p, resolution, n_subsamples, rng))
    closer = closer_view(rows, p, cloud, verdict, tau=tau, fine_tau=fine_tau, rng=rng)
    finer = None if closer is None else label_cloud(closer, p, resolution, n_subsamples, rng)
    if finer is not None and finer.label == "torus":
        return replace(finer, rank=verdict.rank, fine_rank=verdict.fine_rank)
    against = objection(cloud, verdict, finer)
    return replace(verdict, label="uncertain", confidence=0.0, reason=against) if against else verdict


def circle_above_noise(verdict: ManifoldVerdict, above: ManifoldVerdict) -> ManifoldVerdict:
    """The verdict on what is above the noise where that is a circle, which noise does not make; it is never sure."""
    return above if above.label == "circle" and above.doubtful else verdict


def closer_view(
    X: Float[np.ndarray, "n k"],
    p: int | None,
    cloud: PreparedCloud,
    verdict: ManifoldVerdict,
    *,
    tau: float,
    fine_tau: float,
    rng: np.random.Generator,
) -> PreparedCloud | None:
    """Prepare a cloud again with finer components where those could change its label; None where they could not.

    The thin tube of a torus lies below ``tau``, as the harmonics of a bent circle do. The width of a long ellipse does,
    too. The other parameters are those of :func:`classify_manifold`.
    """
    wide = wide_view(X, p, cloud, rng, fine_tau)
    if wide is not None:
        return wide
    finest = TUBE_TAU if p is None else fine_tau
    if verdict.forced_label != "circle" or cloud.rank >= MAX_ALPHA or cloud.next_ratio < finest:
        return None
    return prepare_cloud(X, p, tau=finest, fine_tau=fine_tau, max_rank=MAX_ALPHA, rng=rng)


def objection(cloud: PreparedCloud, verdict: ManifoldVerdict, finer: ManifoldVerdict | None) -> str:
    """What the components left out say against a label; empty if nothing.

    They may show the loop of a long ellipse, or the tube of a torus. In group order they are harmonics, which bend a
    circle in many ways. Without it a circle has to be one in both views where the components left out are more than
    noise.

    Parameters
    ----------
    cloud : PreparedCloud
        The cloud of ``verdict``.
    verdict, finer : ManifoldVerdict
        With the leading components and with finer ones, which are looked at where they could change the label.
    """
    if finer is not None and verdict.rank == 1:
        return "with finer components it has a loop" if finer.forced_label == "circle" else ""
    if cloud.share is not None or verdict.label != "circle" or cloud.next_ratio < TUBE_TAU:
        return ""
    is_noise = cloud.next_ratio <= LIKE_NOISE * cloud.later_ratio
    confirmed = finer is not None and finer.label == "circle"
    return "" if is_noise or confirmed else "the components left out may hold a tube"


def label_cloud(
    cloud: PreparedCloud, p: int | None, resolution: float, n_subsamples: int | None, rng: np.random.Generator
) -> ManifoldVerdict:
    """Take a prepared cloud through the steps to its verdict; parameters as in :func:`classify_manifold`."""
    homology = read_homology(cloud, rng)
    windings = read_windings(cloud, p, homology.label, homology.points)
    torsion = read_torsion(cloud, homology, windings)
    centre = central_hole(cloud, homology.label, windings)
    named = name_shape(cloud, homology, torsion, centre)
    support = find_support(cloud, homology, named, torsion, windings, rng)
    shape = renamed(named, support.label, homology)
    agreement = measure_stability(cloud, named, torsion, windings, centre, n_subsamples, rng)
    if support.certified and shape.label == "torus":
        agreement = cover_agreement(cloud, rng)
    effect = measure_effect(cloud, homology, centre)
    reasons = doubts(cloud, shape, windings, support, agreement, effect.hole_upper_bound, resolution)
    missing = missing_evidence(cloud, shape.label, support)
    score = agreement * purity(cloud) * shape.separation
    return ManifoldVerdict(
        label="uncertain" if reasons else shape.label,
        forced_label=shape.label,
        betti=shape.betti,
        confidence=0.0 if reasons else confidence(score, bool(missing)),
        score=score,
        doubtful=bool(missing),
        missing="; ".join(missing),
        hole=effect.hole,
        hole_upper_bound=effect.hole_upper_bound,
        rank=cloud.rank,
        fine_rank=cloud.fine_rank,
        share=cloud.share,
        frequency=cloud.frequency,
        sigma=cloud.sigma,
        winding=windings.turns(shape.label),
        winding_matrix=windings.loops if shape.label == "torus" else None,
        winding_agreement=windings.centre.agreement if windings.centre else None,
        clearance=windings.centre.clearance if windings.centre else None,
        agreement=agreement,
        n_points_used=len(homology.points),
        reason="; ".join([*reasons, *filter(None, [shape.reason])]),
        h1_persistence=effect.h1_persistence,
        h2_persistence=effect.h2_persistence,
        diagrams=homology.diagrams,
    )
