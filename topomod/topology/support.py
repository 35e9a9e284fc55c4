"""What a cloud shows for its label beyond Betti numbers, what speaks against it, and what is missing.

Nothing is sure that was not shown: where evidence is missing the label is doubtful, and where it is against the label
the cloud is uncertain.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float
from scipy.cluster.hierarchy import fcluster, linkage

from topomod.topology.betti import ForcedLabel
from topomod.topology.complexes import MAX_ALPHA, thin
from topomod.topology.coordinates import CircularCoordinates, alpha_coordinates, rips_coordinates
from topomod.topology.denoise import PreparedCloud
from topomod.topology.evidence import (
    SOLID,
    Cover,
    circle_fibres,
    closing_gap,
    fills_its_dimensions,
    hull_gap,
    is_round,
    local_solidity,
    local_width,
    n_clusters,
    random_points,
    torus_cover,
    without_outliers,
)
from topomod.topology.steps import POINTS_BY_DIM, Homology, NamedShape, Torsion, Windings, complex_points

MIN_SOLID_THIRD = 0.5  # of the first variance; with noise, a sheet that bends a little is as solid around its points
MIN_COMPONENT = 0.05  # share of the points that a component holds; fewer are outliers
WIDE_GAP, WIDE_SURFACE_GAP = 5.0, 2.5  # a loop of a curve, of a surface, that closes at wider gaps than the sample's
OPEN_GAP, OPEN_SURFACE_GAP = 8.0, 4.0  # a loop that is open
WIDE_VOID = 4.0
MAX_HULL_GAP = 0.4  # rms
CLEAR_SEPARATION = 0.85  # the surface of a circle has hardly a second loop
LACKS = {
    "contractible": "",
    "tubular": "arcs of its loop without a loop of their own",
    "void": "arcs of its loop without a void",
    "unresolved": "arcs of enough points",
}
CROSS = 0.6  # share of a torus that two circles through one point stay below
CURVE = 0.05  # least second over first variance around a point; below it a cloud is a curve
CLEAR_LOOP = 0.35  # rms; radius of a loop that is no gap of a sample
SUBSAMPLE = 0.85
THIRD_LOOP = 0.6  # of the second loop's persistence
COORDINATE_POINTS = {2: 2000, 3: 4000, 4: 500}
RIPS_POINTS = 300
SAMPLE_POINTS, COMPONENT_POINTS = 4000, 1000


@dataclass(frozen=True)
class Support:
    """What was found beyond Betti numbers.

    Parameters
    ----------
    label : {"disc", "circle", "torus", "other"}
        What the evidence speaks for. It may differ from the name of the Betti numbers.
    against : tuple of str
        What speaks against the label.
    missing : tuple of str
        What a sure label would need.
    certified : bool
        Whether circular coordinates showed the circle or the torus.
    twisted : bool
        Whether torsion was found.
    """

    label: ForcedLabel
    against: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    certified: bool = False
    twisted: bool = False


def find_support(
    cloud: PreparedCloud,
    homology: Homology,
    shape: NamedShape,
    torsion: Torsion,
    windings: Windings,
    rng: np.random.Generator,
) -> Support:
    """Look for what only a cloud of this label has.

    The order of the rows shows a torus, or the hole of a circle, without more. Torsion shows that the cloud is none of
    the three shapes.

    Parameters
    ----------
    cloud, homology, shape, torsion, windings
        What is known of the cloud.
    rng : numpy.random.Generator
        Draws the points that are looked at.
    """
    if torsion.twisted or windings.confirm_torus or (shape.label == "circle" and windings.shows_circle):
        return Support(shape.label, twisted=torsion.twisted)
    if shape.betti[0] > 1:
        found = _components_support(cloud, shape, rng)
    elif homology.points.shape[1] <= 2:
        found = _flat_support(homology, shape, rng)
    elif shape.betti[1:] == (0, 0):
        found = _contractible_support(cloud, shape, rng)
    else:
        found = _surface_support(cloud, homology, shape, rng)
    if shape.betti[0] == 1 and n_clusters(cloud.points, rng) > 1:
        found = replace(found, missing=(*found.missing, "clusters with gaps between them"))
    return found


def _components_support(cloud: PreparedCloud, shape: NamedShape, rng: np.random.Generator) -> Support:
    points = random_points(cloud.points, COMPONENT_POINTS, rng)
    parts = fcluster(linkage(points, "single"), shape.betti[0], "maxclust")
    smallest = float(np.bincount(parts)[1:].min() / len(points))
    against = (f"a component of {smallest:.1%} of the points may be outliers",)
    return Support(shape.label, against if smallest < MIN_COMPONENT else ())


def _flat_support(homology: Homology, shape: NamedShape, rng: np.random.Generator) -> Support:
    """Homology in the plane is exact; what is open is whether the loops are those of the sample's gaps."""
    if shape.betti[1]:
        return _loops_support(homology, shape, rng)
    if shape.label == "disc" and hull_gap(homology.points, rng) > MAX_HULL_GAP:
        return Support("disc", missing=("a cloud that fills its hull",))
    return Support(shape.label)


def _loops_support(homology: Homology, shape: NamedShape, rng: np.random.Generator) -> Support:
    gap = closing_gap(homology.diagrams, shape.betti[1])
    curve = local_width(homology.points, rng) < CURVE
    wide = WIDE_GAP if curve else WIDE_SURFACE_GAP
    # in space the gaps of a surface have been filled
    filled = homology.points.shape[1] > 2 and not curve
    if gap > (OPEN_SURFACE_GAP if filled else OPEN_GAP) and shape.label == "circle":
        return Support("circle", against=(f"its loop closes over a gap {gap:.1f} times those of the sample",))
    missing: tuple[str, ...] = ("loops without a gap",) if gap > wide else ()
    if shape.label == "circle" and filled and shape.separation < CLEAR_SEPARATION:
        missing += ("a loop far clearer than the next",)  # noise joins the turns of a roll
    return Support(shape.label, missing=missing)


def _contractible_support(cloud: PreparedCloud, shape: NamedShape, rng: np.random.Generator) -> Support:
    if shape.label == "disc":
        return Support("disc")
    points = _without_outliers(cloud, rng)
    if local_solidity(points, rng) >= SOLID:
        full = fills_its_dimensions(points, rng) and cloud.third_ratio >= MIN_SOLID_THIRD
        return Support(shape.label, missing=() if full else ("a cloud that fills its dimensions",))
    if local_width(points, rng) < CURVE:
        return Support(shape.label, against=("no loop on a curve that bends",))
    return Support("disc", missing=("a flat disc: it bends",))


def _without_outliers(cloud: PreparedCloud, rng: np.random.Generator) -> Float[np.ndarray, "n k"]:
    """A random sample of a cloud, without outliers: thinning keeps them, and they fill a surface and close a bay."""
    points = random_points(cloud.points, SAMPLE_POINTS, rng)
    return points if cloud.share is not None else without_outliers(points)


def _surface_support(cloud: PreparedCloud, homology: Homology, shape: NamedShape, rng: np.random.Generator) -> Support:
    points, coordinates = cloud_coordinates(homology.points, rng)
    cover = loops_cover(points, coordinates)
    if shows_torus(cover, coordinates):
        missing = () if shape.betti[1] == 2 else ("a second clear loop",)
        return Support("torus", missing=missing, certified=True)
    if shape.betti[1] == 0:
        return _void_support(cloud, homology, shape, rng)
    if shape.betti[1] > 2:
        loops = _loops_support(homology, shape, rng)
        clear = local_width(points, rng) < CURVE or three_loops(coordinates)
        return loops if clear else replace(loops, against=(*loops.against, "its third loop may be a gap of the sample"))
    if shape.betti[1] == 1:
        return _circle_support(homology, shape, points, coordinates, rng)
    return _two_loops_support(homology, shape, points, cover, rng)


def _void_support(cloud: PreparedCloud, homology: Homology, shape: NamedShape, rng: np.random.Generator) -> Support:
    clean, dim = _without_outliers(cloud, rng), homology.points.shape[1]
    round_ = dim == 3 and is_round(clean, rng)
    if round_ and closing_gap(homology.diagrams, shape.betti[2], 2) <= WIDE_VOID:
        return Support(shape.label)
    if dim > 3:
        return Support(shape.label, missing=("loops, or a sphere",))
    if local_solidity(clean, rng) >= SOLID:  # no surface, and so no bay of one
        return Support(shape.label, missing=("a cloud without a void",))
    return Support(shape.label, against=("a void that may be a bay of a surface",))


def cloud_coordinates(
    points: Float[np.ndarray, "n k"], rng: np.random.Generator
) -> tuple[Float[np.ndarray, "d k"], CircularCoordinates]:
    """Points of a cloud, thinned, and their three most persistent circular coordinates."""
    dim = points.shape[1]
    points = thin(points, COORDINATE_POINTS.get(dim, RIPS_POINTS), rng)
    return points, (alpha_coordinates if dim <= MAX_ALPHA else rips_coordinates)(points, 3)


def loops_cover(points: Float[np.ndarray, "d k"], coordinates: CircularCoordinates) -> Cover:
    """How the two leading circular coordinates map the cloud to a torus; without two they cover nothing."""
    return torus_cover(points, coordinates.turns[:2]) if len(coordinates.turns) > 1 else Cover(0.0, 0.0)


def shows_torus(cover: Cover, coordinates: CircularCoordinates) -> bool:
    """Whether the cloud is mapped onto a torus, one to one as far as can be seen, and has no third loop as clear."""
    return cover.confirms and not _third_is_clear(coordinates)


def three_loops(coordinates: CircularCoordinates) -> bool:
    """Whether the third loop is about as clear as the second: a torus and a gap of its sample are no three loops."""
    return _third_is_clear(coordinates) and bool(coordinates.bars[2, 1] >= CLEAR_LOOP)


def _third_is_clear(coordinates: CircularCoordinates) -> bool:
    lengths = coordinates.bars[:, 1] - coordinates.bars[:, 0]
    return len(lengths) > 2 and bool(lengths[2] > THIRD_LOOP * lengths[1])


def circle_lacks(points: Float[np.ndarray, "d k"], coordinates: CircularCoordinates, rng: np.random.Generator) -> str:
    """What the leading circular coordinate lacks for a circle; empty if contractible fibres cover its turn."""
    if not len(coordinates.turns):
        return "a circular coordinate"
    fibres = circle_fibres(points, coordinates.turns[0], rng)
    if not fibres.covers:
        return "a circular coordinate that takes all values"
    return LACKS[fibres.kind]


def _circle_support(
    homology: Homology,
    shape: NamedShape,
    points: Float[np.ndarray, "d k"],
    coordinates: CircularCoordinates,
    rng: np.random.Generator,
) -> Support:
    lacking = circle_lacks(points, coordinates, rng)
    loops = _loops_support(homology, shape, rng)
    if not lacking and shape.label == "circle":
        return replace(loops, certified=not loops.against)
    if not lacking:
        return replace(
            loops, label="circle", against=(*loops.against, "its arcs have no hole, and the cloud has a void")
        )
    # a void over an arc is that of a sphere with a loop; a loop over an arc is that of a torus
    if lacking != LACKS["void"] or shape.label == "circle":
        return Support(shape.label, against=(*loops.against, f"it does not show {lacking}"))
    return replace(loops, missing=(*loops.missing, lacking))


def _two_loops_support(
    homology: Homology,
    shape: NamedShape,
    points: Float[np.ndarray, "d k"],
    cover: Cover,
    rng: np.random.Generator,
) -> Support:
    curve = local_width(points, rng) < CURVE
    if shape.label == "torus":
        return Support(
            "torus",
            against=(f"its two loops cover {cover.share:.0%} of a torus",) if cover.share < CROSS else (),
            missing=("two coordinates that cover a torus",),
        )
    if curve:
        return _loops_support(homology, shape, rng)
    # an uneven density, or thinning, loses the void of a torus and keeps its loops
    return Support(shape.label, against=("two loops that may be those of a torus whose void was lost",))


def cover_agreement(cloud: PreparedCloud, rng: np.random.Generator, repeats: int = 2) -> float:
    """Share of random subsamples that two circular coordinates map onto a torus, too."""
    hits = []
    for _ in range(repeats):
        part = cloud.points[rng.choice(len(cloud.points), int(SUBSAMPLE * len(cloud.points)), replace=False)]
        points, coordinates = cloud_coordinates(complex_points(cloud, part, POINTS_BY_DIM, rng), rng)
        hits.append(shows_torus(loops_cover(points, coordinates), coordinates))
    return float(np.mean(hits))
