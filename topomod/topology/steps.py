"""The steps from a prepared cloud to a label. Each one returns what it found and changes nothing that is known already.

:func:`topomod.topology.classify.label_cloud` takes them in order; ``docs/verdicts.md`` says why they are there.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd

import numpy as np
from jaxtyping import Float

from topomod.tasks.fourier import rebase
from topomod.topology.betti import (
    MIN_DEATH,
    Betti,
    ForcedLabel,
    betti_numbers,
    betti_separation,
    describe_other,
    shape_of,
    top_persistence,
)
from topomod.topology.complexes import MAX_ALPHA, cloud_diagrams, thin
from topomod.topology.coordinates import WindingMatrix, alpha_winding_matrix, determinant, winding_matrix
from topomod.topology.denoise import PreparedCloud
from topomod.topology.diagrams import Diagram
from topomod.topology.evidence import SOLID, local_solidity
from topomod.topology.filling import fill_gaps
from topomod.topology.winding import MIN_WINDING_AGREEMENT, WindingNumbers, winding_numbers

HOLE_ROUNDING = 0.005  # rms; what merging points and jitter can hide
HOLE_SIGMAS = 2.5  # the bound covered the true hole in 102 of 102 graded annuli
# in four dimensions 400 to 1000 points gave the same labels; 5 stands for more, where the complex is Rips
POINTS_BY_DIM = {2: 20_000, 3: 4000, 4: 500, 5: 400}
SUBSAMPLE_POINTS_BY_DIM = {2: 20_000, 3: 1500, 4: 300, 5: 300}
SUBSAMPLES_BY_DIM = {2: 4, 3: 3, 4: 2, 5: 2}


@dataclass(frozen=True)
class Homology:
    """Persistent homology of a cloud over Z/2.

    Parameters
    ----------
    points : ndarray
        (n_points_used, dim) points in the complex, in rms units.
    diagrams : tuple of ndarray
        (n_pairs, 2) births and deaths as radii in rms units, per dimension.
    betti : tuple of int
        ``(b0, b1, b2)`` read off the diagrams.
    label : {"disc", "circle", "torus", "other"}
        The name of these Betti numbers.
    """

    points: Float[np.ndarray, "n k"]
    diagrams: tuple[Diagram, ...]
    betti: Betti
    label: ForcedLabel


@dataclass(frozen=True)
class Windings:
    """Turns that a cloud in group order makes while a, respectively b, runs once through its values.

    Parameters
    ----------
    centre : WindingNumbers or None
        Of the two leading components around their centre; only at rank 2. The first nonzero turn is positive.
    loops : tuple of tuple of int or None
        Of the circular coordinates of a circle (one row) or of a torus (two rows); only above rank 2.
    """

    centre: WindingNumbers | None = None
    loops: WindingMatrix | None = None

    @property
    def confirm_torus(self) -> bool:
        """Whether there are two loops, and they generate all loops of the torus of pairs."""
        return self.loops is not None and len(self.loops) == 2 and abs(determinant(self.loops)) == 1

    @property
    def shows_circle(self) -> bool:
        """Whether nearly all loops along a and b wind alike around the centre, and not at zero turns."""
        return self.centre is not None and self.centre.agreement >= MIN_WINDING_AGREEMENT and any(self.centre.winding)

    def turns(self, label: ForcedLabel) -> tuple[int, int] | None:
        """Turns around the centre; for a circle above rank 2 those of its own loop."""
        if self.centre is not None:
            return self.centre.winding
        return self.loops[0] if label == "circle" and self.loops else None


@dataclass(frozen=True)
class Torsion:
    """Whether the label depends on the field of coefficients.

    Parameters
    ----------
    label : {"disc", "circle", "torus", "other"}
        Over Z/3 where that was computed, over Z/2 elsewhere.
    twisted : bool
        Whether it has other loops over Z/2 than over Z/3, as a Klein bottle or a projective plane has.
    """

    label: ForcedLabel
    twisted: bool


@dataclass(frozen=True)
class NamedShape:
    """The label of a cloud, whatever the doubts.

    Parameters
    ----------
    label : {"disc", "circle", "torus", "other"}
        From the Betti numbers, the torsion and the hole at the centre together.
    betti : tuple of int
        ``(b0, b1, b2)``; ``(1, 1, 0)`` where the order of the rows proves the hole.
    separation : float
        How clearly the features counted stand apart from noise, 0..1.
    reason : str
        Why it is "other", empty for another label.
    """

    label: ForcedLabel
    betti: Betti
    separation: float
    reason: str


@dataclass(frozen=True)
class EffectSize:
    """How large the features are, in rms units; 0 without one.

    Parameters
    ----------
    hole : float
        Radius at which the most persistent loop is filled, or radius of the proven hole where that is larger.
    hole_upper_bound : float
        Largest hole that noise can have hidden.
    h1_persistence, h2_persistence : float
        Largest death minus birth.
    """

    hole: float
    hole_upper_bound: float
    h1_persistence: float
    h2_persistence: float


def read_homology(cloud: PreparedCloud, rng: np.random.Generator) -> Homology:
    """Read persistence and Betti numbers over Z/2, and name them."""
    points = complex_points(cloud, cloud.points, POINTS_BY_DIM, rng)
    (diagrams,) = cloud_diagrams(points)
    betti = betti_numbers(diagrams)
    return Homology(points, diagrams, betti, shape_of(betti, cloud.rank, cloud.third_ratio))


def read_windings(
    cloud: PreparedCloud, p: int | None, label: ForcedLabel, points: Float[np.ndarray, "n k"]
) -> Windings:
    """Count turns: around the centre at rank 2, of the loops of a circle or torus above; none without group order.

    ``points`` (n, dim) are those of the complex. They are used where 100 landmarks do not find the loops of a torus.
    """
    if p is None or cloud.frequency is None or gcd(cloud.frequency, p) != 1 or cloud.rank < 2:
        return Windings()
    if cloud.rank == 2:
        return Windings(centre=_centre_winding(cloud, p, cloud.frequency))
    n_loops = {"circle": 1, "torus": 2}.get(label)
    if not n_loops:
        return Windings()
    found = Windings(loops=winding_matrix(cloud.rows, p, cloud.frequency, n_loops))
    if n_loops == 2 and not found.confirm_torus and cloud.rows.shape[1] <= MAX_ALPHA:
        return Windings(loops=alpha_winding_matrix(cloud.rows, points, p, cloud.frequency, n_loops))
    return found


def _centre_winding(cloud: PreparedCloud, p: int, frequency: int) -> WindingNumbers:
    z = (cloud.rows[:, 0] + 1j * cloud.rows[:, 1]).reshape(p, p)
    (m_a, m_b), agreement, clearance = winding_numbers(rebase(z, frequency))
    sign = -1 if (m_a, m_b) < (0, 0) else 1  # components have no sign of their own
    return WindingNumbers((sign * m_a, sign * m_b), agreement, clearance)


def read_torsion(cloud: PreparedCloud, homology: Homology, windings: Windings) -> Torsion:
    """Whether the loops over Z/2 are loops over Z/3, too. A torus that its windings confirm is not computed again."""
    # a subset of three-dimensional space has no torsion
    may_twist = homology.betti[1] > 0 and homology.points.shape[1] > 3
    if windings.confirm_torus or not (homology.label == "torus" or may_twist):
        return Torsion(homology.label, twisted=False)
    betti = betti_numbers(cloud_diagrams(homology.points, (3,))[0])
    label = shape_of(betti, cloud.rank, cloud.third_ratio)
    return Torsion(label, twisted=betti[1] != homology.betti[1])


def central_hole(cloud: PreparedCloud, label: ForcedLabel, windings: Windings) -> float:
    """Radius in rms units of the hole at the centre that the rows' order proves; 0 where it proves none.

    Where nearly all loops along a and nearly all along b wind alike around the centre, and not at zero turns both, the
    cloud goes round it at no less than its smallest distance. Homology does not use the order: it finds such a hole
    only where it is wider than the gaps elsewhere.
    """
    if label not in ("disc", "circle") or not windings.shows_circle:
        return 0.0
    return float(np.hypot(cloud.rows[:, 0], cloud.rows[:, 1]).min())


def name_shape(cloud: PreparedCloud, homology: Homology, torsion: Torsion, centre: float) -> NamedShape:
    """Name the cloud: a circle where a large enough hole is proven, "other" if twisted, else by Betti numbers."""
    if centre >= max(MIN_DEATH, HOLE_SIGMAS * cloud.sigma_left):
        circle = (1, 1, 0)
        separation = max(betti_separation(homology.diagrams, circle), centre / (centre + MIN_DEATH))
        return NamedShape("circle", circle, separation, "")
    betti, separation = homology.betti, betti_separation(homology.diagrams, homology.betti)
    if torsion.twisted:
        return NamedShape(
            "other", betti, separation, f"betti {betti} over Z/2, not over Z/3, as a Klein bottle or a projective plane"
        )
    reason = describe_other(betti, cloud.rank, cloud.third_ratio) if homology.label == "other" else ""
    return NamedShape(homology.label, betti, separation, reason)


def renamed(shape: NamedShape, label: ForcedLabel, homology: Homology) -> NamedShape:
    """The shape under the name that further evidence gives it, with that name's Betti numbers."""
    if label == shape.label:
        return shape
    betti = {"disc": (1, 0, 0), "circle": (1, 1, 0), "torus": (1, 2, 1)}.get(label, shape.betti)
    return NamedShape(label, betti, betti_separation(homology.diagrams, betti), "")


def measure_stability(
    cloud: PreparedCloud,
    shape: NamedShape,
    torsion: Torsion,
    windings: Windings,
    centre: float,
    n_subsamples: int | None,
    rng: np.random.Generator,
) -> float:
    """Share of repetitions, 0..1, that agree with the label.

    For a circle whose order proves a hole they are the loops along a and b, which wind alike or not. Elsewhere they are
    random subsamples; what is a torus over Z/2 alone must not be one over Z/3. A torus that its
    windings confirm needs none: its loops were found again on other landmarks.
    """
    if windings.centre is not None and shape.label == "circle" and centre > 0:
        return windings.centre.agreement
    if windings.confirm_torus:
        return 1.0
    repeats = SUBSAMPLES_BY_DIM[_complex_dim(cloud)] if n_subsamples is None else n_subsamples
    if torsion.twisted and shape_of(shape.betti, cloud.rank, cloud.third_ratio) == "torus":
        return 1 - subsample_agreement(cloud, "torus", repeats, rng, 3)
    return subsample_agreement(cloud, torsion.label, repeats, rng, 3 if torsion.twisted else 2)


def subsample_agreement(
    cloud: PreparedCloud, label: ForcedLabel, n_subsamples: int, rng: np.random.Generator, coeff: int = 2
) -> float:
    """Share of random subsamples of 70 % that get the label; half of them are enough where those agree."""
    n = len(cloud.points)
    size = int((0.7 if n >= 200 else 0.9) * n)
    hits: list[bool] = []
    for i in range(n_subsamples):
        if i == (n_subsamples + 1) // 2 and len(set(hits)) == 1:
            break
        points = cloud.points[rng.choice(n, size, replace=False)]
        points = complex_points(cloud, points, SUBSAMPLE_POINTS_BY_DIM, rng)
        betti = betti_numbers(cloud_diagrams(points, (coeff,))[0])
        hits.append(shape_of(betti, cloud.rank, cloud.third_ratio) == label)
    return float(np.mean(hits)) if hits else 1.0


def measure_effect(cloud: PreparedCloud, homology: Homology, centre: float) -> EffectSize:
    """Size of the hole, of what could have been missed, and of the most persistent features."""
    h1_persistence, filled = top_persistence(homology.diagrams[1])
    hole = max(filled, centre)
    bound = hole + HOLE_SIGMAS * cloud.sigma_left + HOLE_ROUNDING
    h2_persistence = top_persistence(homology.diagrams[2])[0] if len(homology.diagrams) > 2 else 0.0
    return EffectSize(hole, bound, h1_persistence, h2_persistence)


def complex_points(
    cloud: PreparedCloud, points: Float[np.ndarray, "n k"], limits: dict[int, int], rng: np.random.Generator
) -> Float[np.ndarray, "d k"]:
    """Points of a complex: thinned, and without group order those of a surface with the gaps of the sample filled."""
    dim = _complex_dim(cloud)
    surface = cloud.share is None and 2 < dim <= MAX_ALPHA and local_solidity(points, rng) < SOLID
    return thin(fill_gaps(points, rng) if surface else points, limits[dim], rng)


def _complex_dim(cloud: PreparedCloud) -> int:
    """Dimension of the complex of a cloud, as the tables of sizes count it: 2 to 4, and 5 for more."""
    return int(np.clip(cloud.points.shape[1], 2, 5))
