"""Whether two populations of persistence diagrams are the same up to a margin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from scipy import linalg, sparse
from scipy.spatial.distance import cdist

from topomod.statistics.embedding_difference import Comparison
from topomod.statistics.mmd import MMDResult, mmd_inference
from topomod.statistics.samples import check_settings, network_index
from topomod.topology.diagrams import diagram_distance

METRICS = ("sliced wasserstein", "wasserstein", "bottleneck")
N_DIRECTIONS = 20
N_GRID = 256
_MULTIPLES = (0.25, 0.5, 1.0, 2.0)  # of the median distance, as for points


@dataclass(frozen=True)
class DiagramResult(MMDResult):
    """Outcome of `diagram_equivalence_test`: the MMD's, with the distances it rests on.

    Parameters
    ----------
    metric : str
        Distance between diagrams.
    between, within_x, within_y : float
        Mean distance of diagrams of different networks, in the unit of the diagrams: across the samples, and inside
        each. Populations are alike where the first is no larger than the other two.
    negative_share : float
        Share of the kernel's spectrum that was negative and left out; 0 for a metric that embeds in a Hilbert space.
    """

    metric: str
    between: float
    within_x: float
    within_y: float
    negative_share: float


def diagram_equivalence_test(
    diagrams_x: Sequence[np.ndarray],
    diagrams_y: Sequence[np.ndarray],
    margin: float,
    clusters_x: ArrayLike | None = None,
    clusters_y: ArrayLike | None = None,
    alpha: float = 0.05,
    seed: int = 0,
    *,
    metric: str = "sliced wasserstein",
    bandwidths: tuple[float, ...] | None = None,
) -> DiagramResult:
    """Test whether two populations of persistence diagrams differ by less than a margin.

    The MMD with the kernel ``exp(-distance / bandwidth)``, averaged over bandwidths, tested as by
    `mmd_equivalence_test`: the network is the unit, sameness comes from an upper confidence bound.

    Parameters
    ----------
    diagrams_x, diagrams_y : sequence of ndarray
        (n_pairs, 2) births and finite deaths each; an empty diagram is a diagram.
    margin : float
        Largest MMD that does not matter, in [0, sqrt(2)], fixed before seeing these data.
    clusters_x, clusters_y : array_like, optional
        (n_diagrams,) the trained network of each diagram. Default: each its own.
    alpha, seed
        As in `mmd_equivalence_test`.
    metric : {"sliced wasserstein", "wasserstein", "bottleneck"}
        Sliced 1-Wasserstein over 20 directions; 1-Wasserstein and bottleneck have the L-infinity ground metric. Only
        the first gives a positive definite kernel; of the others' the negative part of the spectrum is left out.
    bandwidths : tuple of float, optional
        In the unit of the diagrams. Default: 1/4, 1/2, 1 and 2 times the median distance between diagrams.

    Returns
    -------
    DiagramResult

    Raises
    ------
    ValueError
        As `mmd_equivalence_test`; an unknown metric, infinite or NaN births or deaths.

    References
    ----------
    Carriere, Cuturi, Oudot, arXiv 1706.03358 (sliced Wasserstein kernel).
    """
    check_settings(margin, alpha)
    index_x = network_index(clusters_x, len(diagrams_x), "X")
    index_y = network_index(clusters_y, len(diagrams_y), "Y")
    n_x = int(index_x.max()) + 1
    index = np.concatenate([index_x, index_y + n_x])
    distances = diagram_distances([*diagrams_x, *diagrams_y], metric)
    kernel, used, negative = diagram_kernel(distances, bandwidths)
    average = _averaging(index)
    comparison = Comparison(average @ kernel @ average.T, n_x, used)
    means = average @ distances @ average.T
    return DiagramResult(
        **mmd_inference(comparison, margin, alpha, seed, f"mmd of diagrams, {metric}"),
        metric=metric,
        between=float(means[:n_x, n_x:].mean()),
        within_x=_mean_off_diagonal(means[:n_x, :n_x]),
        within_y=_mean_off_diagonal(means[n_x:, n_x:]),
        negative_share=negative,
    )


def diagram_distances(diagrams: Sequence[np.ndarray], metric: str = "sliced wasserstein") -> Float[np.ndarray, "n n"]:
    """Distances between every two persistence diagrams of one dimension.

    Parameters
    ----------
    diagrams : sequence of ndarray
        (n_pairs, 2) births and finite deaths.
    metric : {"sliced wasserstein", "wasserstein", "bottleneck"}
        As in `diagram_equivalence_test`.

    Raises
    ------
    ValueError
        For an unknown metric, and infinite or NaN births or deaths.
    """
    if metric not in METRICS:
        raise ValueError(f"metric is {metric!r}; choose one of {', '.join(METRICS)}")
    checked = [np.asarray(diagram, float).reshape(-1, 2) for diagram in diagrams]
    for place, diagram in enumerate(checked):
        if not np.isfinite(diagram).all():
            raise ValueError(f"diagram {place} has infinite or NaN entries; leave out bars that never die")
    if metric == "sliced wasserstein":
        profiles = sliced_profiles(checked)
        return np.asarray(cdist(profiles, profiles, "cityblock"))
    distances = np.zeros((len(checked), len(checked)))
    for i, diagram in enumerate(checked):
        for j in range(i):
            distances[i, j] = distances[j, i] = diagram_distance(diagram, checked[j], metric)
    return distances


def sliced_profiles(diagrams: Sequence[np.ndarray]) -> Float[np.ndarray, "n features"]:
    """Vectors whose L1 distances are the sliced 1-Wasserstein distances of the diagrams.

    On a line W1 is the area between two distribution functions. With D1 joined to the diagonal shadows of D2, and D2 to
    those of D1, it is the area between two functions of one diagram each: how many of its points, less how many of
    their shadows, lie below. The functions are taken on a grid of ``N_GRID`` steps over the range of all diagrams.
    """
    points = np.concatenate([np.zeros((1, 2)), *diagrams])
    angles = np.pi * (np.arange(N_DIRECTIONS) / N_DIRECTIONS - 0.5)
    directions = np.stack([np.cos(angles), np.sin(angles)])
    reach = float(np.sqrt(2) * np.abs(points).max()) or 1.0
    step = 2 * reach / N_GRID
    grid = -reach + step * (np.arange(N_GRID) + 0.5)
    owner = np.repeat(np.arange(len(diagrams)), [len(diagram) for diagram in diagrams])
    shadows = np.repeat(points[1:].mean(axis=1, keepdims=True), 2, axis=1)
    profiles = np.zeros((len(diagrams), N_DIRECTIONS, N_GRID))
    for k, direction in enumerate(directions.T):
        for cloud, sign in ((points[1:], 1.0), (shadows, -1.0)):
            np.add.at(profiles[:, k], (owner, np.searchsorted(grid, cloud @ direction).clip(0, N_GRID - 1)), sign)
    return profiles.cumsum(axis=2).reshape(len(diagrams), -1) * (step / N_DIRECTIONS)


def diagram_kernel(
    distances: Float[np.ndarray, "n n"], bandwidths: tuple[float, ...] | None
) -> tuple[Float[np.ndarray, "n n"], tuple[float, ...], float]:
    """Mean over bandwidths of ``exp(-distance / bandwidth)`` without its negative spectrum, and the share of that."""
    if bandwidths is None:
        median = float(np.median(distances[np.triu_indices(len(distances), 1)]))
        if median == 0:
            raise ValueError("more than half the pairs of diagrams coincide, which gives no bandwidth; give bandwidths")
        bandwidths = tuple(multiple * median for multiple in _MULTIPLES)
    if not bandwidths or not all(np.isfinite(width) and width > 0 for width in bandwidths):
        raise ValueError(f"bandwidths are {bandwidths}; they must be positive numbers, at least one")
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
