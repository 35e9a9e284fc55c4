"""Maximum mean discrepancy between two populations of networks, and whether it stays below a margin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from topomod.statistics.embedding_difference import (
    Comparison,
    bound_draws,
    observed_squared_mmd,
    permutation_p,
    random_memberships,
    unbiased_squared_mmd,
)
from topomod.statistics.equivalence import Verdict, verdict_of
from topomod.statistics.kernels import feature_matrix, network_kernel
from topomod.statistics.resampling import count_p, tail_quantile
from topomod.statistics.samples import check_settings, network_index


@dataclass(frozen=True)
class MMDResult:
    """Outcome of `mmd_equivalence_test`; every distance is an MMD, not its square.

    Parameters
    ----------
    difference : float
        Root of the unbiased estimate of the squared MMD, 0 where that is negative.
    squared : float
        The unbiased estimate itself, possibly negative.
    ci_low, ci_high : float
        One-sided confidence bounds of level 1 - alpha each; equivalent when ``ci_high`` is below the margin.
    p_equivalence : float
        Against "MMD >= margin".
    p_difference : float
        Permutation of networks, against "one distribution of networks".
    margin, minimum_margin : float
        The margin used, and the smallest one with which these data would have been called equivalent.
    n_x, n_y : int
        Number of networks.
    bandwidths : tuple of float
        Of the kernel, in the unit of the samples.
    alpha : float
        Level of each test.
    n_resamples, seed : int
        Bootstrap draws and permutations, and what they were drawn with.
    method : str
        Name of the method.
    verdict : str
        See `equivalence.verdict_of`.
    """

    difference: float
    squared: float
    ci_low: float
    ci_high: float
    p_equivalence: float
    p_difference: float
    margin: float
    minimum_margin: float
    n_x: int
    n_y: int
    bandwidths: tuple[float, ...]
    alpha: float
    n_resamples: int
    seed: int
    method: str
    verdict: Verdict


def mmd(
    X: ArrayLike,
    Y: ArrayLike,
    clusters_x: ArrayLike | None = None,
    clusters_y: ArrayLike | None = None,
    bandwidths: tuple[float, ...] | None = None,
    *,
    squared: bool = False,
) -> float:
    """Maximum mean discrepancy between two samples, each network counting once.

    The kernel is the mean of Gaussian kernels of several bandwidths, so the MMD lies in [0, sqrt(2)]. The
    estimate of its square is unbiased over networks: pairs within one network are left out.

    Parameters
    ----------
    X, Y : array_like
        (n_rows, n_features) or (n_rows,); embed angles by `kernels.torus_embedding` first.
    clusters_x, clusters_y : array_like, optional
        (n_rows,) the trained network of each row; compared within a sample only. Default: each row its own.
    bandwidths : tuple of float, optional
        In the unit of X. Default: 1/4, 1/2, 1 and 2 times the median distance between networks, which depends
        on the data: a margin fixed beforehand wants fixed bandwidths, such as `kernels.TORUS_BANDWIDTHS`.
    squared : bool
        Return the unbiased estimate of the squared MMD, possibly negative, instead of the root of its
        positive part.

    Raises
    ------
    ValueError
        Fewer than 3 networks, NaN, samples or clusters that do not match, bandwidths not positive.

    References
    ----------
    Gretton et al. (2012), A kernel two-sample test, Journal of Machine Learning Research 13, 723-773.
    """
    estimate = observed_squared_mmd(_compare(X, Y, clusters_x, clusters_y, bandwidths))
    return estimate if squared else float(np.sqrt(max(0.0, estimate)))


def mmd_equivalence_test(
    X: ArrayLike,
    Y: ArrayLike,
    margin: float,
    clusters_x: ArrayLike | None = None,
    clusters_y: ArrayLike | None = None,
    alpha: float = 0.05,
    seed: int = 0,
    *,
    bandwidths: tuple[float, ...] | None = None,
) -> MMDResult:
    """Test whether the MMD between two populations of networks is below a margin.

    Equivalence is concluded from an upper confidence bound, never from a permutation test that found nothing.

    Parameters
    ----------
    X, Y, clusters_x, clusters_y, bandwidths
        As in `mmd`.
    margin : float
        Largest MMD (not squared) that does not matter, fixed before seeing these data; `half_split_margin`
        offers one from networks of a single architecture.
    alpha : float
        Level of each test, in (0, 0.5).
    seed : int
        Of the resampling.

    Returns
    -------
    MMDResult

    Raises
    ------
    ValueError
        As `mmd`; margin not positive, alpha outside (0, 0.5), or all networks within each sample identical.

    Notes
    -----
    A mode that no network of a sample has shown cannot be bounded from that sample: see `bound_draws`.
    """
    check_settings(margin, alpha)
    comparison = _compare(X, Y, clusters_x, clusters_y, bandwidths)
    return MMDResult(**mmd_inference(comparison, margin, alpha, seed, "mmd, network bootstrap"))


def mmd_inference(comparison: Comparison, margin: float, alpha: float, seed: int, method: str) -> dict[str, Any]:
    """Fields of an `MMDResult` for a comparison, however its kernel came about."""
    bound_rng, permutation_rng = np.random.default_rng(seed).spawn(2)
    draws = bound_draws(comparison, bound_rng)
    squared = observed_squared_mmd(comparison)
    p_equivalence = float(count_p(int((draws >= margin).sum()), len(draws)))
    p_difference = permutation_p(comparison, permutation_rng)
    ci_high = float(tail_quantile(draws, alpha, upper=True))
    return {
        "difference": float(np.sqrt(max(0.0, squared))),
        "squared": squared,
        "ci_low": max(0.0, float(tail_quantile(draws, alpha, upper=False))),
        "ci_high": ci_high,
        "p_equivalence": p_equivalence,
        "p_difference": p_difference,
        "margin": margin,
        "minimum_margin": ci_high,
        "n_x": comparison.n_x,
        "n_y": comparison.n_y,
        "bandwidths": comparison.bandwidths,
        "alpha": alpha,
        "n_resamples": len(draws),
        "seed": seed,
        "method": method,
        "verdict": verdict_of(p_equivalence, p_difference, alpha),
    }


def half_split_margin(
    X: ArrayLike,
    clusters: ArrayLike | None = None,
    seed: int = 0,
    quantile: float = 0.95,
    *,
    n_splits: int = 500,
    bandwidths: tuple[float, ...] | None = None,
) -> float:
    """Margin from one architecture alone: a quantile of the MMD between random halves of its networks.

    It is a distance that retraining the same architecture produces by chance, at half the number of networks.
    Take it from networks other than those to be compared, or fix it before the comparison, with the same
    bandwidths.

    Parameters
    ----------
    X, clusters, bandwidths
        One sample, as in `mmd`; at least 6 networks.
    seed : int
        Of the splits.
    quantile : float
        In (0, 1).
    n_splits : int
        Random splits drawn.

    Raises
    ------
    ValueError
        Fewer than 6 networks, a quantile outside (0, 1), or a margin of zero.
    """
    if not 0 < quantile < 1:
        raise ValueError(f"quantile is {quantile}; it must lie strictly between 0 and 1")
    rows = feature_matrix(X, "X")
    index = network_index(clusters, len(rows), "X")
    n = int(index.max()) + 1
    if n < 6:
        raise ValueError(f"X has {n} networks; half splits need at least 6")
    kernel, _ = network_kernel(rows, index, bandwidths)
    rng = np.random.default_rng(seed)
    memberships = random_memberships(n, n // 2, n_splits, rng)
    squared = unbiased_squared_mmd(kernel, memberships)
    margin = float(np.quantile(np.sqrt(np.maximum(squared, 0.0)), quantile))
    if margin == 0:
        raise ValueError("the halves do not differ at this quantile, so it is no margin; take a larger quantile")
    return margin


def _compare(
    X: ArrayLike,
    Y: ArrayLike,
    clusters_x: ArrayLike | None,
    clusters_y: ArrayLike | None,
    bandwidths: tuple[float, ...] | None,
) -> Comparison:
    rows_x, rows_y = feature_matrix(X, "X"), feature_matrix(Y, "Y")
    if rows_x.shape[1] != rows_y.shape[1]:
        raise ValueError(f"X has {rows_x.shape[1]} features but Y has {rows_y.shape[1]}; they must be the same ones")
    index_x = network_index(clusters_x, len(rows_x), "X")
    index_y = network_index(clusters_y, len(rows_y), "Y")
    n_x = int(index_x.max()) + 1
    index = np.concatenate([index_x, index_y + n_x])
    kernel, used = network_kernel(np.concatenate([rows_x, rows_y]), index, bandwidths)
    return Comparison(kernel, n_x, used)
