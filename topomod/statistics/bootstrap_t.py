"""Bootstrap-t tests of a difference of two means."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from topomod.statistics.mean_difference import MeanDifference, deviations, standard_errors
from topomod.statistics.resampling import blocks, count_p, resampled_counts, tail_quantile


def _resampled_moments(
    deviations: Float[np.ndarray, "b n"], n_resamples: int, rng: np.random.Generator
) -> tuple[Float[np.ndarray, "r b"], Float[np.ndarray, "r b"]]:
    """Error of the mean, and squared standard error, of bootstrap samples; the whole batch shares the draws."""
    n = deviations.shape[1]
    counts = np.concatenate([resampled_counts(n, size, rng) for size in blocks(n, n_resamples)])
    mean = counts @ deviations.T / n
    square = counts @ (deviations**2).T / n
    variance = (square - mean**2) / (n - 1)
    # a resample of equal values has no variance; the rounding of the difference above must not give it one
    return mean, np.where(variance > 1e-12 * square, variance, 0.0)


def bootstrap_t(
    x: Float[np.ndarray, "b n"],
    y: Float[np.ndarray, "b m"],
    margin: float,
    alpha: float,
    seed: int,
    n_resamples: int,
) -> MeanDifference:
    """Two one-sided bootstrap-t tests that resample networks.

    Resamples without variance count against every conclusion.

    References
    ----------
    Efron and Tibshirani, An Introduction to the Bootstrap (1993), section 12.5.
    """
    rng = np.random.default_rng(seed)
    error, _ = standard_errors(x, y)
    difference = x.mean(axis=1) - y.mean(axis=1)
    centred_x, centred_y, _ = deviations(x, y)
    mean_x, variance_x = _resampled_moments(centred_x, n_resamples, rng)
    mean_y, variance_y = _resampled_moments(centred_y, n_resamples, rng)
    variance = variance_x + variance_y
    valid = variance > 0
    t = (mean_x - mean_y) / np.sqrt(np.where(valid, variance, 1.0))
    upper, lower = np.where(valid, t, np.inf), np.where(valid, t, -np.inf)

    def p_above(threshold: Float[np.ndarray, " b"]) -> Float[np.ndarray, " b"]:
        return count_p((upper >= threshold).sum(axis=0), n_resamples)

    def p_below(threshold: Float[np.ndarray, " b"]) -> Float[np.ndarray, " b"]:
        return count_p((lower <= threshold).sum(axis=0), n_resamples)

    return MeanDifference(
        p_lower=p_above((difference + margin) / error),
        p_upper=p_below((difference - margin) / error),
        p_difference=np.minimum(1.0, 2 * np.minimum(p_above(difference / error), p_below(difference / error))),
        ci_low=difference - tail_quantile(upper, alpha, upper=True) * error,
        ci_high=difference - tail_quantile(lower, alpha, upper=False) * error,
        ci_wide_low=difference - tail_quantile(upper, alpha / 2, upper=True) * error,
        ci_wide_high=difference - tail_quantile(lower, alpha / 2, upper=False) * error,
        method=np.full(len(x), "bootstrap-t"),
        n_resamples=np.full(len(x), n_resamples),
    )
