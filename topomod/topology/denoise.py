"""Prepare a point cloud for homology: denoise, keep the leading components, whiten, merge, jitter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.fft
from jaxtyping import Complex, Float, Int
from scipy.spatial import cKDTree

from topomod.tasks.fourier import fold
from topomod.topology.principal_components import principal_axes

N_HARMONICS = 10  # fewer make holes in discs: their H1 persistence is 0.28 rms at 2 harmonics, 0.04 at 10
N_NEIGHBOURS = 20
MAX_RANK = 4  # components always returned
MAX_COMPONENTS = 12
MERGE_DISTANCE = 1e-3
LEAST_VARIANCE = 0.04  # of the first component; neighbours are found among the components above
GENTLE_SIGMAS = 6.0  # widest neighbourhood that is averaged, in units of the noise
MIN_SIGNAL = 0.1  # of the total power
JITTER = 1e-3  # cospherical lattice points break Delaunay triangulations


@dataclass(frozen=True)
class DenoisedCloud:
    """Leading principal coordinates of a cloud with the noise averaged out.

    Parameters
    ----------
    coordinates : ndarray
        (n_points, k), k <= 12 leading components, centred, in units of the largest centred entry of the cloud; rows as
        in the input.
    eigenvalues : ndarray
        Variance along each component, largest first; may go on beyond the k components kept.
    noise : ndarray
        (k,) standard deviation of what was averaged out along each kept component.
    noise_left : float
        Share of ``noise`` that the averaging leaves in ``coordinates``.
    frequency : int or None
        Whose multiples were kept; None without group order.
    share : float or None
        Power at multiples -1, 0, 1 of ``frequency`` on both axes over the total power, white noise left out.
    """

    coordinates: Float[np.ndarray, "n k"]
    eigenvalues: Float[np.ndarray, " m"]
    noise: Float[np.ndarray, " k"]
    noise_left: float
    frequency: int | None
    share: float | None


@dataclass(frozen=True)
class PreparedCloud:
    """Whitened cloud of unit root mean square radius.

    Parameters
    ----------
    points : ndarray
        (n_distinct, dim) distinct points, jittered.
    rows : ndarray
        (n_points, dim) the same before merging and jitter, rows as in the input.
    rank, fine_rank : int
        Components with at least ``tau``, respectively ``fine_tau``, of the first one's variance. ``dim`` is
        the rank, but at most 12.
    third_ratio, next_ratio, later_ratio : float
        Variance of the third component, and of the first and the third one left out, over the first; 0 without one.
    sigma : float
        Noise of the noisiest coordinate in rms units, before denoising.
    sigma_left : float
        Part of ``sigma`` that the denoising leaves.
    frequency, share
        As in :class:`DenoisedCloud`.
    """

    points: Float[np.ndarray, "d k"]
    rows: Float[np.ndarray, "n k"]
    rank: int
    fine_rank: int
    third_ratio: float
    next_ratio: float
    later_ratio: float
    sigma: float
    sigma_left: float
    frequency: int | None
    share: float | None


def dominant_frequency(power: Float[np.ndarray, "p p"]) -> tuple[int, float]:
    """Frequency whose first multiples carry the most power, and the share of the signal they carry.

    White noise is estimated by the median power and left out of the share.

    Parameters
    ----------
    power : ndarray
        (p, p) power of the 2-D DFT, constant term zero.

    Returns
    -------
    frequency, share : int, float
        In 1..p//2; power at ``(j f, k f)`` with j, k in -1, 0, 1, over the total,
        noise taken off both.
    """
    folded = fold(power, (0, 1))
    f = np.arange(1, len(folded))
    near = folded[f, 0] + folded[0, f] + folded[f, f]
    best = int(np.argmax(near))
    floor = float(np.median(power))
    total = float(power.sum())
    # where noise is nearly all there is, what is left of the total is itself noise
    signal = max(total - floor * power.size, MIN_SIGNAL * total)
    share = (float(near[best]) - 8 * floor) / signal if total > 0 else 0.0
    return best + 1, float(np.clip(share, 0.0, 1.0))


def _kept_harmonics(p: int, frequency: int) -> Int[np.ndarray, " k"]:
    # at small p, too, some frequencies have to be left out, for the noise to be measured by
    n_harmonics = max(1, min(N_HARMONICS, p // 3))
    return np.asarray(np.unique(np.arange(-n_harmonics, n_harmonics + 1) * frequency % p))


def _synthesise(
    coefficients: Complex[np.ndarray, "k k c"], harmonics: Int[np.ndarray, " k"], p: int
) -> Float[np.ndarray, "n c"]:
    wave = np.exp(2j * np.pi * np.outer(np.arange(p), harmonics) / p)
    values = np.einsum("ak,klc,bl->abc", wave, coefficients, wave, optimize=True)
    return np.ascontiguousarray(values.real.reshape(p * p, -1))


def harmonic_denoise(X: Float[np.ndarray, "n m"], p: int, tau: float = 0.1) -> DenoisedCloud:
    """Keep of a cloud over Z_p x Z_p what its dominant frequency and the multiples of that explain.

    Multiples up to 10 on each axis are kept (up to p // 3 at small p). The rest is noise: it is dropped, and its
    strength is reported.

    Parameters
    ----------
    X : ndarray
        (p * p, n_features), rows in the order of ``a * p + b``.
    p : int
        Modulus.
    tau : float
        Components with at least this share of the first one's variance are returned, four at the least.

    Returns
    -------
    DenoisedCloud

    Notes
    -----
    The principal components are found among the kept Fourier coefficients, 441 rows, not among p * p points.
    """
    centred = X - X.mean(axis=0)
    # single precision halves the time and errs by 1e-7, far below the jitter
    values = np.asarray(centred / np.abs(centred).max(), np.float32).reshape(p, p, -1)
    spectrum = scipy.fft.fft2(values, axes=(0, 1), norm="forward")
    power = np.sum(spectrum.real**2 + spectrum.imag**2, axis=2, dtype=np.float64)
    power[0, 0] = 0
    frequency, share = dominant_frequency(power)
    harmonics = _kept_harmonics(p, frequency)
    kept = spectrum[np.ix_(harmonics, harmonics)].astype(np.complex128)
    flat = kept.reshape(-1, kept.shape[-1])
    eigenvalues, axes = principal_axes(np.concatenate([flat.real, flat.imag]), MAX_COMPONENTS)
    axes = axes[:, : max(MAX_RANK, int(np.sum(eigenvalues >= tau * eigenvalues[0])))]
    coordinates = _synthesise(kept @ axes, harmonics, p)
    scores = values.reshape(p * p, -1) @ axes.astype(np.float32)
    residual = np.mean((scores - coordinates) ** 2, axis=0, dtype=np.float64)
    dropped = 1 - len(harmonics) ** 2 / p**2
    noise = np.sqrt(residual / dropped)
    return DenoisedCloud(coordinates, eigenvalues, noise, float(np.sqrt(1 - dropped)), frequency, share)


def neighbour_denoise(
    X: Float[np.ndarray, "n m"],
    n_neighbours: int | None = None,
    *,
    least: float = LEAST_VARIANCE,
    max_rank: int = MAX_COMPONENTS,
) -> DenoisedCloud:
    """Replace each point by the mean of its nearest neighbours within the leading components.

    This is for clouds whose rows are in no group order. The noise is measured on the components left out. Where there
    are none, it is measured by the distances to the neighbours' mean, which miss noise that fills a hole.

    Parameters
    ----------
    X : ndarray
        (n_points, n_features).
    n_neighbours : int, optional
        Points averaged, the point itself included. Default: 20, fewer for fewer than 1000 points or little noise.
    least : float
        Components of at least this share of the first one's variance are kept.
    max_rank : int
        At most this many are.

    Returns
    -------
    DenoisedCloud
    """
    centred = np.asarray(X - X.mean(axis=0), np.float64)
    centred = centred / np.abs(centred).max()
    n = len(centred)
    eigenvalues, axes = principal_axes(centred, MAX_COMPONENTS)
    dim = int(np.clip(np.sum(eigenvalues >= least * eigenvalues[0]), 1, max_rank))
    # in many dimensions neighbours are far apart, and the mean of many of them would shrink the shape
    fitting = int(np.clip(n // (50 if dim <= MAX_RANK else 200), 1, N_NEIGHBOURS))
    k = n_neighbours if n_neighbours is not None else fitting
    scores = centred @ axes[:, :dim]
    if k < 2:
        return DenoisedCloud(scores, eigenvalues / n, np.zeros(dim), 1.0, None, None)
    distances, neighbours = cKDTree(scores).query(scores, k=k)
    if n_neighbours is None and 2 < dim <= MAX_RANK:
        k = _gentle(scores[neighbours], distances)
        neighbours = neighbours[:, :k]
    coordinates = scores[neighbours].mean(axis=1)
    coordinates = coordinates - coordinates.mean(axis=0)
    n_spare = centred.shape[1] - dim
    spare = (np.sum(centred**2) - eigenvalues[:dim].sum()) / n
    if n_spare > 0 and spare > 0:
        # noise makes a filled area wider, for all neighbours alike: averaging does not undo that
        noise = np.full(dim, np.sqrt(spare / n_spare))
        return DenoisedCloud(coordinates, eigenvalues / n, noise, 1.0, None, None)
    noise = np.sqrt(np.mean((scores - coordinates) ** 2, axis=0) * k / max(k - 1, 1))
    return DenoisedCloud(coordinates, eigenvalues / n, noise, k**-0.5, None, None)


def _gentle(near: Float[np.ndarray, "n k c"], distances: Float[np.ndarray, "n k"]) -> int:
    """How many of the neighbours may be averaged without rounding off more shape than there is noise.

    Noise is the width of a neighbourhood where that is narrowest. A sheet of little noise is bent more by the mean of
    many neighbours than by its noise: a thin tube would shrink.
    """
    spread = near - near.mean(axis=1, keepdims=True)
    narrow = np.linalg.eigvalsh(np.einsum("nki,nkj->nij", spread, spread) / near.shape[1])[:, 0]
    reach = GENTLE_SIGMAS * float(np.sqrt(np.median(np.maximum(narrow, 0))))
    return int(max(1, np.sum(np.median(distances, axis=0) <= reach)))


def merge_points(points: Float[np.ndarray, "n k"], distance: float = MERGE_DISTANCE) -> Float[np.ndarray, "d k"]:
    """One point for each cell of a grid of this width that holds any, rows in first-come order."""
    cells = np.rint(points / distance).astype(np.int64)
    first = np.unique(cells, axis=0, return_index=True)[1]
    return np.asarray(points[np.sort(first)])


def prepare_cloud(
    X: Float[np.ndarray, "n m"],
    p: int | None = None,
    *,
    tau: float = 0.10,
    fine_tau: float = 0.04,
    max_rank: int = MAX_COMPONENTS,
    rng: np.random.Generator,
) -> PreparedCloud:
    """Denoise a cloud, keep its leading components, whiten them, merge equal points and jitter the rest.

    Parameters
    ----------
    X : ndarray
        (n_points, n_features) with some variance; rows in the order of ``a * p + b`` if ``p`` is given.
    p : int, optional
        Modulus. With it noise is averaged over the group (:func:`harmonic_denoise`), without it over nearest
        neighbours (:func:`neighbour_denoise`).
    tau : float
        Components with at least this share of the first one's variance are kept: the scale of the answer.
    fine_tau : float
        A second, finer scale. Only its rank is reported.
    max_rank : int
        At most this many components are kept.
    rng : numpy.random.Generator
        Draws the jitter.
    """
    if p is None:
        cloud = neighbour_denoise(X, least=min(tau, LEAST_VARIANCE), max_rank=max_rank)
    else:
        cloud = harmonic_denoise(X, p, tau)
    ratio = cloud.eigenvalues / cloud.eigenvalues[0]
    rank, fine_rank = min(int(np.sum(ratio >= tau)), max_rank), int(np.sum(ratio >= fine_tau))
    later = np.append(ratio, np.zeros(3))
    dim = min(rank, cloud.coordinates.shape[1])
    scale = cloud.coordinates[:, :dim].std(axis=0) * np.sqrt(dim)
    rows = cloud.coordinates[:, :dim] / scale
    sigma = float(np.max(cloud.noise[:dim] / scale))
    points = merge_points(rows)
    return PreparedCloud(
        points=points + JITTER * rng.standard_normal(points.shape),
        rows=rows,
        rank=rank,
        fine_rank=fine_rank,
        third_ratio=float(later[2]),
        next_ratio=float(later[rank]),
        later_ratio=float(later[rank + 2]),
        sigma=sigma,
        sigma_left=sigma * cloud.noise_left,
        frequency=cloud.frequency,
        share=cloud.share,
    )
