"""Welch's tests of a difference of two means, and the t tests of the mean difference of pairs."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy import special

from topomod.statistics.coverage import caveats
from topomod.statistics.mean_difference import MeanDifference, standard_errors


def welch(x: Float[np.ndarray, "b n"], y: Float[np.ndarray, "b m"], margin: float, alpha: float) -> MeanDifference:
    """Two one-sided Welch tests; the p-values are the same at every level."""
    error, df = standard_errors(x, y)
    return _t_tests(x, y, x.mean(axis=1) - y.mean(axis=1), error, df, margin, alpha)


def paired(differences: Float[np.ndarray, "b n"], margin: float, alpha: float) -> MeanDifference:
    """Two one-sided t tests of the mean difference of pairs of networks."""
    error, df = standard_errors(differences, np.zeros_like(differences))
    return _t_tests(differences, None, differences.mean(axis=1), error, df, margin, alpha)


def _t_tests(
    x: Float[np.ndarray, "b n"],
    y: Float[np.ndarray, "b m"] | None,
    difference: Float[np.ndarray, " b"],
    error: Float[np.ndarray, " b"],
    df: Float[np.ndarray, " b"],
    margin: float,
    alpha: float,
) -> MeanDifference:
    half, half_wide = (-special.stdtrit(df, level) * error for level in (alpha, alpha / 2))
    gap = np.abs(margin) - np.abs(difference)
    drawn = np.stack([gap / half, -gap / half, np.abs(difference) / half_wide])  # the same, beyond, different
    return MeanDifference(
        p_lower=special.stdtr(df, -(difference + margin) / error),
        p_upper=special.stdtr(df, (difference - margin) / error),
        p_difference=2 * special.stdtr(df, -np.abs(difference) / error),
        ci_low=difference - half,
        ci_high=difference + half,
        ci_wide_low=difference - half_wide,
        ci_wide_high=difference + half_wide,
        method=np.full(len(x), "paired t" if y is None else "welch"),
        caveat=caveats(x, y, alpha, np.where(drawn >= 1, drawn, np.inf).min(axis=0)),
        n_resamples=np.zeros(len(x), int),
    )
