"""Test of whether two populations of persistence diagrams are the same up to a margin."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from scipy import linalg, sparse
from scipy.spatial.distance import cdist

from topomod.statistics.arguments import check_bandwidths, check_settings
from topomod.statistics.embedding_difference import Comparison
from topomod.statistics.kernels import unit_bandwidths
from topomod.statistics.mmd import MMDResult, mmd_inference
from topomod.statistics.samples import MIN_NETWORKS, network_index
from topomod.topology.diagrams import Diagram, check_diagram, diagram_distance
from topomod.topology.inputs import plain_array
from topomod.topology.scale import times_power_of_two, unit_exponent

METRICS = ("sliced wasserstein", "wasserstein", "bottleneck")
N_DIRECTIONS = 20
N_GRID = 256
_MULTIPLES = (0.25, 0.5, 1.0, 2.0)  # of the median distance, as for points
SEQUENCE = "a sequence of diagrams is a list with one (n_pairs, 2) array of births and deaths for each diagram"


@dataclass(frozen=True)
class DiagramResult(MMDResult):
    """Outcome of `diagram_equivalence_test`: the MMD's, with the distances it rests on.

    Parameters
    ----------
    metric : str
        Name of the distance between diagrams.
    between, within_x, within_y : float
        Mean distance of diagrams of different networks, in the unit of the diagrams: across the samples, and inside
        each sample. Where two populations are one, all three have the same expectation.
    negative_share : float
        Share of the kernel's spectrum that was negative and was left out. It is 0 for a metric that embeds in a Hilbert
        space.
    """

    metric: str
    between: float
    within_x: float
    within_y: float
    negative_share: float


def diagram_equivalence_test(
    diagrams_x: Sequence[object] | np.ndarray,
    diagrams_y: Sequence[object] | np.ndarray,
    margin: float,
    clusters_x: ArrayLike | None = None,
    clusters_y: ArrayLike | None = None,
    alpha: float = 0.05,
    seed: int = 0,
    *,
    metric: str = "sliced wasserstein",
    bandwidths: tuple[float, ...] | None = None,
    dimension: int | None = None,
) -> DiagramResult:
    """Test whether two populations of persistence diagrams differ by less than a margin.

    The test is that of `mmd_equivalence_test`, with the kernel ``exp(-distance / bandwidth)`` averaged over bandwidths.
    The network is the unit, and sameness is concluded from an upper confidence bound.

    Parameters
    ----------
    diagrams_x, diagrams_y : sequence of array_like
        (n_pairs, 2) births and finite deaths each, or a layout of ripser, giotto-tda or gudhi; a giotto-tda batch of
        (n_diagrams, n, 3) triples is a sequence. An empty diagram is a diagram.
    margin : float
        Largest MMD that does not matter, positive, fixed before seeing these data. No MMD is above sqrt(2).
    clusters_x, clusters_y : array_like, optional
        (n_diagrams,) the trained network of each diagram. Default: each diagram has a network of its own.
    alpha, seed
        As in `mmd_equivalence_test`.
    metric : {"sliced wasserstein", "wasserstein", "bottleneck"}
        Sliced 1-Wasserstein over 20 directions; 1-Wasserstein and bottleneck have the L-infinity ground metric. Only
        the first gives a positive definite kernel. With the other two, the negative part of the kernel's spectrum is
        left out.
    bandwidths : tuple of float, optional
        Bandwidths in the unit of the diagrams. Default: 1/4, 1/2, 1 and 2 times the median distance between diagrams.
    dimension : int, optional
        Which dimension, where the diagrams are in a layout that has several.

    Returns
    -------
    DiagramResult

    Raises
    ------
    ValueError
        As `mmd_equivalence_test`; an unknown metric; anything that is no sequence of diagrams, such as one diagram; a
        diagram of another shape or of several dimensions of which none was chosen, with NaN, infinite births or
        deaths, or a death before its birth.

    References
    ----------
    Carriere, Cuturi, Oudot, arXiv 1706.03358 (sliced Wasserstein kernel).
    """
    margin, alpha, seed = check_settings(margin, alpha, seed)
    bandwidths = check_bandwidths(bandwidths)
    _check_metric(metric)
    checked_x = finite_diagrams(diagrams_x, "diagrams_x", MIN_NETWORKS, dimension)
    checked_y = finite_diagrams(diagrams_y, "diagrams_y", MIN_NETWORKS, dimension)
    index_x = network_index(clusters_x, len(checked_x), "diagrams_x", "clusters_x")
    index_y = network_index(clusters_y, len(checked_y), "diagrams_y", "clusters_y")
    n_x = int(index_x.max()) + 1
    index = np.concatenate([index_x, index_y + n_x])
    distances, exponent = _distances([*checked_x, *checked_y], metric)
    widths = unit_bandwidths(bandwidths, exponent)
    kernel, chosen, negative = diagram_kernel(distances, widths)
    used = bandwidths or tuple(times_power_of_two(width, exponent) for width in chosen)
    average = _averaging(index)
    comparison = Comparison(average @ kernel @ average.T, n_x, used)
    means = times_power_of_two(average @ distances @ average.T, exponent)
    return DiagramResult(
        **mmd_inference(comparison, margin, alpha, seed, f"mmd of diagrams, {metric}"),
        metric=metric,
        between=float(means[:n_x, n_x:].mean()),
        within_x=_mean_off_diagonal(means[:n_x, :n_x]),
        within_y=_mean_off_diagonal(means[n_x:, n_x:]),
        negative_share=negative,
    )


def diagram_distances(
    diagrams: Sequence[object] | np.ndarray, metric: str = "sliced wasserstein"
) -> Float[np.ndarray, "n n"]:
    """Distances between every two persistence diagrams of one dimension.

    Parameters
    ----------
    diagrams : sequence of array_like
        (n_pairs, 2) births and finite deaths; at least two diagrams.
    metric : {"sliced wasserstein", "wasserstein", "bottleneck"}
        As in `diagram_equivalence_test`.

    Raises
    ------
    ValueError
        For an unknown metric, and for diagrams as in `diagram_equivalence_test`.
    """
    _check_metric(metric)
    return times_power_of_two(*_distances(finite_diagrams(diagrams, "diagrams", 2), metric))


def _check_metric(metric: str) -> None:
    if metric not in METRICS:
        raise ValueError(f"metric is {metric!r}; choose one of {', '.join(METRICS)}")


def finite_diagrams(diagrams: object, name: str, least: int, dimension: int | None = None) -> list[Diagram]:
    """Diagrams as (n_pairs, 2) arrays, none of them with a bar that never dies.

    Parameters
    ----------
    diagrams : sequence of array_like
        Each as `check_diagram` takes it, or one (n_diagrams, n_pairs, 2) array or batch of giotto-tda.
    name : str
        For messages.
    least : int
        Diagrams that are needed.
    dimension : int, optional
        Which dimension, where the layout of a diagram has several.

    Raises
    ------
    ValueError
        If this is no sequence of diagrams, above all one diagram; if there are too few; and for a diagram that
        `check_diagram` refuses or that has infinite deaths.
    """
    layout = _other_layout(diagrams, name)
    if layout:
        raise ValueError(f"{name} is {layout}; {SEQUENCE}")
    listed = list(diagrams)  # type: ignore[call-overload]
    if len(listed) < least:
        raise ValueError(f"{name} has {len(listed)} diagram(s); at least {least} are needed, and {SEQUENCE}")
    checked = [check_diagram(diagram, f"{name}[{place}]", dimension) for place, diagram in enumerate(listed)]
    for place, diagram in enumerate(checked):
        if not np.isfinite(diagram).all():
            raise ValueError(f"{name}[{place}] has infinite deaths; leave out bars that never die")
    return checked


def _other_layout(diagrams: object, name: str) -> str | None:
    """What was given instead of a sequence of diagrams; None where nothing speaks against one."""
    if isinstance(diagrams, np.ndarray) and diagrams.dtype != object:
        shape = plain_array(diagrams, name).shape
        if len(shape) == 3 and shape[2] in (2, 3):
            return None
        return f"an array of shape {shape}" + (", which is one diagram" if shape[1:] == (2,) else "")
    if isinstance(diagrams, (str, bytes, Mapping)) or not isinstance(diagrams, Collection):
        return f"of type {type(diagrams).__name__}"
    shapes = [_shape(diagram) for diagram in diagrams]
    if shapes and all(shape == (2,) for shape in shapes):
        return "a list of pairs, which is one diagram"
    if any(shape is not None and len(shape) < 2 and shape != (0,) for shape in shapes):
        return "a list with entries that are no (n_pairs, 2) arrays"
    return None


def _shape(diagram: object) -> tuple[int, ...] | None:
    try:
        return np.shape(diagram)  # type: ignore[arg-type]
    except ValueError:  # rows of several lengths, which `check_diagram` refuses
        return None


def _distances(checked: list[Diagram], metric: str) -> tuple[Float[np.ndarray, "n n"], int]:
    """Distances of the diagrams at unit scale, and the exponent of two by which they get their unit back."""
    exponent = unit_exponent(*checked)
    scaled = [times_power_of_two(diagram, -exponent) for diagram in checked]
    if metric == "sliced wasserstein":
        profiles = sliced_profiles(scaled)
        return np.asarray(cdist(profiles, profiles, "cityblock")), exponent
    distances = np.zeros((len(scaled), len(scaled)))
    for i, diagram in enumerate(scaled):
        for j in range(i):
            distances[i, j] = distances[j, i] = diagram_distance(diagram, scaled[j], metric)
    return distances, exponent


def sliced_profiles(diagrams: Sequence[np.ndarray]) -> Float[np.ndarray, "n features"]:
    """Vectors whose L1 distances are the sliced 1-Wasserstein distances of the diagrams.

    On a line, W1 is the area between two distribution functions. Here one of them counts the points of D1 and the
    projections of D2's points on the diagonal, the other one the points of D2 and the projections of D1's. Moving
    terms gives the area between two functions of one diagram each: the number of its points that lie below, less the
    number of their projections that do. The functions are taken on a grid of ``N_GRID`` steps over the range of
    all diagrams.
    """
    points = np.concatenate([np.zeros((1, 2)), *diagrams])
    angles = np.pi * (np.arange(N_DIRECTIONS) / N_DIRECTIONS - 0.5)
    directions = np.stack([np.cos(angles), np.sin(angles)])
    reach = float(np.sqrt(2) * np.abs(points).max()) or 1.0
    step = 2 * reach / N_GRID
    grid = -reach + step * (np.arange(N_GRID) + 0.5)
    owner = np.repeat(np.arange(len(diagrams)), [len(diagram) for diagram in diagrams])
    projections = np.repeat(points[1:].mean(axis=1, keepdims=True), 2, axis=1)
    profiles = np.zeros((len(diagrams), N_DIRECTIONS, N_GRID))
    for k, direction in enumerate(directions.T):
        for cloud, sign in ((points[1:], 1.0), (projections, -1.0)):
            np.add.at(profiles[:, k], (owner, np.searchsorted(grid, cloud @ direction).clip(0, N_GRID - 1)), sign)
    return profiles.cumsum(axis=2).reshape(len(diagrams), -1) * (step / N_DIRECTIONS)


def diagram_kernel(
    distances: Float[np.ndarray, "n n"], bandwidths: tuple[float, ...] | None
) -> tuple[Float[np.ndarray, "n n"], tuple[float, ...], float]:
    """Kernel between diagrams, the bandwidths used, and the share of its spectrum that was left out.

    The kernel is the mean over bandwidths of ``exp(-distance / bandwidth)``. Its negative spectrum is left out.

    Raises
    ------
    ValueError
        Without bandwidths, if the median distance is 0.
    """
    if bandwidths is None:
        median = float(np.median(distances[np.triu_indices(len(distances), 1)]))
        if median == 0:
            raise ValueError("more than half the pairs of diagrams coincide, which gives no bandwidth; give bandwidths")
        bandwidths = tuple(multiple * median for multiple in _MULTIPLES)
    kernel = np.mean([np.exp(-distances / width) for width in bandwidths], axis=0)
    values, vectors = linalg.eigh(kernel)
    negative = float(-values[values < 0].sum() / np.abs(values).sum())
    if negative < 1e-9:
        return kernel, bandwidths, 0.0
    return (vectors * np.maximum(values, 0.0)) @ vectors.T, bandwidths, negative


def _averaging(index: np.ndarray) -> sparse.csr_matrix:
    """Matrix that averages rows over their networks."""
    shares = 1 / np.bincount(index)[index]
    return sparse.csr_matrix((shares, (index, np.arange(len(index)))))


def _mean_off_diagonal(values: Float[np.ndarray, "n n"]) -> float:
    n = len(values)
    return float((values.sum() - np.trace(values)) / (n * (n - 1)))
