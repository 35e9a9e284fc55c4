"""Maximum mean discrepancy (MMD) of two populations of networks, and a test of whether it is below a margin."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from topomod.statistics.arguments import check_bandwidths, check_settings, check_share, check_whole
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
from topomod.statistics.samples import MIN_NETWORKS, network_index
from topomod.statistics.shown_test import ShownTest


@dataclass(frozen=True)
class MMDResult(ShownTest):
    """Outcome of `mmd_equivalence_test`; every distance but ``squared`` is an MMD, not its square.

    Parameters
    ----------
    difference : float
        Root of the unbiased estimate of the squared MMD, 0 where that is negative.
    squared : float
        The unbiased estimate itself, possibly negative.
    ci_low, ci_high : float
        One-sided confidence bounds of level 1 - alpha each; equivalent when ``ci_high`` is below the margin.
    p_equivalence : float
        P-value against "MMD >= margin".
    p_difference : float
        P-value of a permutation of networks, against "x and y have one distribution of networks".
    p_beyond : float
        P-value against "MMD <= margin".
    margin, minimum_margin : float
        The margin used, and the smallest one with which these data would have been called equivalent.
    n_x, n_y : int
        Number of networks.
    bandwidths : tuple of float
        Bandwidths of the kernel, in the unit of the samples.
    alpha : float
        Level of each test.
    n_resamples, seed : int
        Number of bootstrap draws, and the seed of the bootstrap and of the permutations.
    method : str
        Name of the method.
    verdict : str
        See `equivalence.verdict_of`.
    draws : ndarray
        (n_resamples,) confidence draws of the MMD, of which all bounds and p-values but ``p_difference`` are quantiles
        and shares.
    """

    difference: float
    squared: float
    ci_low: float
    ci_high: float
    p_equivalence: float
    p_difference: float
    p_beyond: float
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
    draws: Float[np.ndarray, " b"] = field(repr=False, compare=False)

    def at(self, margin: float, alpha: float) -> MMDResult:
        """The same test with another margin and level, from the same draws.

        Raises
        ------
        ValueError
            A margin that is not positive, or alpha outside (0, 0.5).
        """
        margin, alpha, _ = check_settings(margin, alpha, self.seed)
        return replace(self, **_judged(self.draws, self.p_difference, margin, alpha))


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
        (n_rows,) the trained network of each row: numbers, text or times. Labels are compared within a sample only.
        Default: each row is a network of its own.
    bandwidths : tuple of float, optional
        Bandwidths in the unit of X. Default: 1/4, 1/2, 1 and 2 times the median distance between networks, which
        depends on the data. A margin that was fixed beforehand needs fixed bandwidths, such as
        `kernels.TORUS_BANDWIDTHS`.
    squared : bool
        Return the unbiased estimate of the squared MMD, possibly negative, instead of the root of its
        positive part.

    Raises
    ------
    ValueError
        Fewer than 3 networks, NaN, masked values, values that are no real numbers, samples or clusters that do not
        match, missing labels or labels that cannot be sorted, bandwidths that are not positive.

    References
    ----------
    Gretton et al. (2012), A kernel two-sample test, Journal of Machine Learning Research 13, 723-773.
    """
    bandwidths = check_bandwidths(bandwidths)
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
        Largest MMD (not squared) that does not matter, fixed before seeing these data. `half_split_margin`
        computes one from networks of a single architecture.
    alpha : float
        Level of each test, in (0, 0.5).
    seed : int
        Seed of the resampling.

    Returns
    -------
    MMDResult

    Raises
    ------
    ValueError
        As `mmd`; a margin that is not positive, alpha outside (0, 0.5), a negative seed, settings of another type, or
        all networks within each sample identical.

    Notes
    -----
    A kind of network that a sample does not show cannot be bounded from that sample.
    """
    margin, alpha, seed = check_settings(margin, alpha, seed)
    bandwidths = check_bandwidths(bandwidths)
    comparison = _compare(X, Y, clusters_x, clusters_y, bandwidths)
    return MMDResult(**mmd_inference(comparison, margin, alpha, seed, "mmd, network bootstrap"))


def mmd_inference(comparison: Comparison, margin: float, alpha: float, seed: int, method: str) -> dict[str, Any]:
    """Fields of an `MMDResult` for a comparison, for any kernel."""
    bound_rng, permutation_rng = np.random.default_rng(seed).spawn(2)
    draws = bound_draws(comparison, bound_rng)
    squared = observed_squared_mmd(comparison)
    p_difference = permutation_p(comparison, permutation_rng)
    return _judged(draws, p_difference, margin, alpha) | {
        "difference": float(np.sqrt(max(0.0, squared))),
        "squared": squared,
        "p_difference": p_difference,
        "n_x": comparison.n_x,
        "n_y": comparison.n_y,
        "bandwidths": comparison.bandwidths,
        "n_resamples": len(draws),
        "seed": seed,
        "method": method,
        "draws": draws,
    }


def _judged(draws: Float[np.ndarray, " b"], p_difference: float, margin: float, alpha: float) -> dict[str, Any]:
    """What depends on the margin or the level."""
    p_equivalence = float(count_p(int((draws >= margin).sum()), len(draws)))
    ci_high = float(tail_quantile(draws, alpha, upper=True))
    return {
        "ci_low": max(0.0, float(tail_quantile(draws, alpha, upper=False))),
        "ci_high": ci_high,
        "p_equivalence": p_equivalence,
        "p_beyond": float(count_p(int((draws <= margin).sum()), len(draws))),
        "margin": margin,
        "minimum_margin": ci_high,
        "alpha": alpha,
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

    It is a distance that two samples of one architecture have by chance, each with half the number of networks. Take
    it from networks other than those to be compared, and before the comparison, with the same bandwidths.

    Parameters
    ----------
    X, clusters, bandwidths
        One sample, as in `mmd`; at least 6 networks.
    seed : int
        Seed of the splits.
    quantile : float
        Quantile over the splits, in (0, 1).
    n_splits : int
        Number of random splits.

    Raises
    ------
    ValueError
        As `mmd`; fewer than 6 networks, a quantile outside (0, 1), or a margin of zero.
    """
    quantile, seed = check_share(quantile, "quantile"), check_whole(seed, "seed", 0)
    n_splits, bandwidths = check_whole(n_splits, "n_splits", 1), check_bandwidths(bandwidths)
    rows = feature_matrix(X, "X")
    index = network_index(clusters, len(rows), "X", "clusters", least=2 * MIN_NETWORKS)
    n = int(index.max()) + 1
    kernel, _ = network_kernel(rows, index, bandwidths)
    rng = np.random.default_rng(seed)
    memberships = random_memberships(n, n // 2, n_splits, rng)
    squared = unbiased_squared_mmd(kernel, memberships)
    margin = float(np.quantile(np.sqrt(np.maximum(squared, 0.0)), quantile))
    if margin == 0:
        raise ValueError("the halves do not differ at this quantile, so it is no margin; take a larger quantile")
    return margin


def _compare(
    X: object,
    Y: object,
    clusters_x: object,
    clusters_y: object,
    bandwidths: tuple[float, ...] | None,
) -> Comparison:
    rows_x, rows_y = feature_matrix(X, "X"), feature_matrix(Y, "Y")
    if rows_x.shape[1] != rows_y.shape[1]:
        raise ValueError(f"X has {rows_x.shape[1]} features but Y has {rows_y.shape[1]}; they must be the same ones")
    index_x = network_index(clusters_x, len(rows_x), "X", "clusters_x")
    index_y = network_index(clusters_y, len(rows_y), "Y", "clusters_y")
    n_x = int(index_x.max()) + 1
    index = np.concatenate([index_x, index_y + n_x])
    kernel, used = network_kernel(np.concatenate([rows_x, rows_y]), index, bandwidths)
    return Comparison(kernel, n_x, used)
