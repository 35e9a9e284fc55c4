"""Welch's tests of a difference of two means, plain and corrected for skewness by an Edgeworth expansion."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy import special

from topomod.statistics.mean_difference import MeanDifference, deviations, standard_errors

# Skewness of a population over that of a sample: see `edgeworth_t`.
SKEWNESS_UNSEEN = 4.0


def welch(x: Float[np.ndarray, "b n"], y: Float[np.ndarray, "b m"], margin: float, alpha: float) -> MeanDifference:
    """Two one-sided Welch tests."""
    return _shifted_welch(x, y, margin, alpha, np.zeros(len(x)), "welch")


def edgeworth_t(
    x: Float[np.ndarray, "b n"], y: Float[np.ndarray, "b m"], margin: float, alpha: float
) -> MeanDifference:
    """Welch's tests with t shifted by four times the first-order effect of the sample skewness on its quantiles.

    10 to 100 values from a long tail show a fraction of its skewness, and a bootstrap cannot resample values that the
    sample does not have. With this factor the tests of a lognormal sample against a normal one of the same size keep
    their level (``benchmarks/errors.py means``).

    References
    ----------
    Hall, The Bootstrap and Edgeworth Expansion (1992), section 2.6.
    """
    return _shifted_welch(x, y, margin, alpha, SKEWNESS_UNSEEN * _skewness(x, y) / 6, "edgeworth")


def _shifted_welch(
    x: Float[np.ndarray, "b n"],
    y: Float[np.ndarray, "b m"],
    margin: float,
    alpha: float,
    shift: Float[np.ndarray, " b"],
    method: str,
) -> MeanDifference:
    difference = x.mean(axis=1) - y.mean(axis=1)
    error, df = standard_errors(x, y)
    narrow, wide = (shift * (2 * float(special.ndtri(level)) ** 2 + 1) for level in (alpha, alpha / 2))
    half, half_wide = (-special.stdtrit(df, level) for level in (alpha, alpha / 2))
    t = difference / error
    tails = np.minimum(special.stdtr(df, t + wide), special.stdtr(df, -t - wide))
    return MeanDifference(
        p_lower=special.stdtr(df, -(difference + margin) / error - narrow),
        p_upper=special.stdtr(df, (difference - margin) / error + narrow),
        p_difference=2 * tails,
        ci_low=difference - error * (half - narrow),
        ci_high=difference + error * (half + narrow),
        ci_wide_low=difference - error * (half_wide - wide),
        ci_wide_high=difference + error * (half_wide + wide),
        method=np.full(len(x), method),
        n_resamples=np.zeros(len(x), int),
    )


def welch_size_error(x: Float[np.ndarray, "b n"], y: Float[np.ndarray, "b m"], alpha: float) -> Float[np.ndarray, " b"]:
    """First Edgeworth term of the error in the one-sided size of Welch's test, from the sample skewnesses.

    References
    ----------
    Hall, The Bootstrap and Edgeworth Expansion (1992), section 2.6: for a studentised mean of skewness g the
    term is g (2 z^2 + 1) phi(z) / 6; g is here the skewness of the difference of the two means.
    """
    z = float(special.ndtri(alpha))
    density = float(np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi))
    return np.asarray(np.abs(_skewness(x, y)) * (2 * z**2 + 1) * density / 6)


def _skewness(x: Float[np.ndarray, "b n"], y: Float[np.ndarray, "b m"]) -> Float[np.ndarray, " b"]:
    """Skewness of the difference of the two means."""
    centred_x, centred_y, exponent = deviations(x, y)
    error = np.ldexp(standard_errors(x, y)[0], -exponent)
    cumulant = _third_cumulant(centred_x) / x.shape[1] ** 2 - _third_cumulant(centred_y) / y.shape[1] ** 2
    return np.divide(cumulant, error**3, out=np.zeros_like(cumulant), where=cumulant != 0)


def _third_cumulant(deviations: Float[np.ndarray, "b n"]) -> Float[np.ndarray, " b"]:
    """Unbiased estimate (k-statistic) of the third cumulant."""
    n = deviations.shape[1]
    return n / ((n - 1) * (n - 2)) * np.asarray((deviations**3).sum(axis=1))
