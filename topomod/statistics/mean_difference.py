"""The record of an inference on a difference of two means, and the moments that several methods need.

Every function of this module, and of the modules of the methods, takes a batch of pairs of samples, (b, n) and (b, m),
with one number per network. A test is a batch of one. A simulation of error rates or power is a large batch, so it
runs the very code that gives the verdicts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from topomod.topology import scale

SMALLEST = float(np.finfo(np.float64).tiny)  # positive number of full precision
MEAN_ROUNDING = 1e-12  # of the magnitude; sums over the rows of a network reach it


@dataclass(frozen=True)
class MeanDifference:
    """Inference on ``mean(x) - mean(y)`` by one method; arrays are (b,), one entry for each pair of samples.

    Parameters
    ----------
    p_lower, p_upper : ndarray
        One-sided p-values against "difference <= -margin" and "difference >= margin".
    p_difference : ndarray
        Two-sided p-value against "difference = 0".
    ci_low, ci_high : ndarray
        Interval of level 1 - 2 alpha, dual to ``p_lower`` and ``p_upper``.
    ci_wide_low, ci_wide_high : ndarray
        Interval of level 1 - alpha, dual to ``p_difference``.
    method : ndarray
        Name of the method.
    n_resamples : ndarray
        Number of resamples, 0 where nothing was resampled.
    """

    p_lower: Float[np.ndarray, " b"]
    p_upper: Float[np.ndarray, " b"]
    p_difference: Float[np.ndarray, " b"]
    ci_low: Float[np.ndarray, " b"]
    ci_high: Float[np.ndarray, " b"]
    ci_wide_low: Float[np.ndarray, " b"]
    ci_wide_high: Float[np.ndarray, " b"]
    method: np.ndarray
    n_resamples: Int[np.ndarray, " b"]

    def mirrored(self) -> MeanDifference:
        """The same inference on ``mean(y) - mean(x)``."""
        return replace(
            self,
            p_lower=self.p_upper,
            p_upper=self.p_lower,
            ci_low=-self.ci_high,
            ci_high=-self.ci_low,
            ci_wide_low=-self.ci_wide_high,
            ci_wide_high=-self.ci_wide_low,
        )

    @property
    def p_equivalence(self) -> Float[np.ndarray, " b"]:
        """The larger of the two one-sided p-values."""
        return np.maximum(self.p_lower, self.p_upper)


def cautious(a: MeanDifference, b: MeanDifference) -> MeanDifference:
    """The larger p-value and the outer end of each interval of two methods, pair by pair."""
    return MeanDifference(
        p_lower=np.maximum(a.p_lower, b.p_lower),
        p_upper=np.maximum(a.p_upper, b.p_upper),
        p_difference=np.maximum(a.p_difference, b.p_difference),
        ci_low=np.minimum(a.ci_low, b.ci_low),
        ci_high=np.maximum(a.ci_high, b.ci_high),
        ci_wide_low=np.minimum(a.ci_wide_low, b.ci_wide_low),
        ci_wide_high=np.maximum(a.ci_wide_high, b.ci_wide_high),
        method=np.char.add(np.char.add(a.method, "+"), b.method),
        n_resamples=np.maximum(a.n_resamples, b.n_resamples),
    )


def is_constant(values: Float[np.ndarray, "... n"]) -> np.ndarray:
    """Whether all values of a sample agree up to the rounding of a mean over rows."""
    return np.asarray(scale.is_constant(values[..., None], MEAN_ROUNDING))


def deviations(
    x: Float[np.ndarray, "b n"], y: Float[np.ndarray, "b m"]
) -> tuple[Float[np.ndarray, "b n"], Float[np.ndarray, "b m"], Int[np.ndarray, " b"]]:
    """Values less the mean of their sample, divided by a power of two for each pair of samples.

    The larger deviation of each pair then lies in [0.5, 1), so that squares and cubes neither vanish nor overflow. The
    deviations of a constant sample are 0, even where its mean is rounded.

    Returns
    -------
    x, y, exponent : ndarray
        (b, n) and (b, m) deviations, and the (b,) exponents of two that undo the division.
    """
    centred = [
        np.where(is_constant(values)[:, None], 0.0, values - values.mean(axis=1, keepdims=True)) for values in (x, y)
    ]
    largest = np.maximum(*(np.abs(values).max(axis=1) for values in centred))
    exponent = np.frexp(largest)[1]
    first, second = (np.ldexp(values, -exponent[:, None]) for values in centred)
    return first, second, exponent


def variances(deviations: Float[np.ndarray, "b n"]) -> Float[np.ndarray, " b"]:
    """Unbiased variance of each sample from its deviations."""
    return np.asarray((deviations * deviations).sum(axis=1) / (deviations.shape[1] - 1))


def standard_errors(
    x: Float[np.ndarray, "b n"], y: Float[np.ndarray, "b m"]
) -> tuple[Float[np.ndarray, " b"], Float[np.ndarray, " b"]]:
    """Standard error of the difference and its Welch-Satterthwaite degrees of freedom."""
    n_x, n_y = x.shape[1], y.shape[1]
    centred_x, centred_y, exponent = deviations(x, y)
    v_x, v_y = variances(centred_x) / n_x, variances(centred_y) / n_y
    # a sample that varies by less than 1e-307 of the values has lost its spread at unit scale, not its networks
    lost = v_x + v_y == 0
    v_x, v_y = np.where(lost, 1.0, v_x), np.where(lost, 1.0, v_y)
    df = (v_x + v_y) ** 2 / (v_x**2 / (n_x - 1) + v_y**2 / (n_y - 1))
    error = np.ldexp(np.sqrt(v_x + v_y), exponent)
    return np.where(lost, SMALLEST, np.maximum(error, SMALLEST)), df


def hedges_g(x: Float[np.ndarray, " n"], y: Float[np.ndarray, " m"]) -> float:
    """Standardised difference of two means, corrected for small samples.

    Where nothing varies it is 0 for equal samples, and infinite otherwise.

    References
    ----------
    Hedges (1981), Journal of Educational Statistics 6, 107-128.
    """
    difference = float(x.mean() - y.mean())
    df = len(x) + len(y) - 2
    if is_constant(x) and is_constant(y):
        return 0.0 if is_constant(np.concatenate([x, y])) else float(np.copysign(np.inf, difference))
    centred_x, centred_y, exponent = deviations(x[None], y[None])
    pooled = np.sqrt(((len(x) - 1) * variances(centred_x) + (len(y) - 1) * variances(centred_y)) / df)
    return (1 - 3 / (4 * df - 1)) * difference / max(float(np.ldexp(pooled, exponent)[0]), SMALLEST)
