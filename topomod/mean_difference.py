"""Inference on a difference of two means, one number per network: Welch, bootstrap-t, bounded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int
from scipy import special

N_RESAMPLES = 9999
# Welch's test is trusted while skewness is predicted to move its one-sided size by less than this share of
# alpha.
TOLERATED_SIZE_ERROR = 0.2
_BLOCK = 2_000_000  # numbers held at once while resampling


@dataclass(frozen=True)
class MeanDifference:
    """What one method says of ``mean(x) - mean(y)``.

    Parameters
    ----------
    p_lower, p_upper : float
        One-sided p-values against "difference <= -margin" and "difference >= margin".
    p_difference : float
        Two-sided p-value against "difference = 0".
    ci_low, ci_high : float
        Interval of level 1 - 2 alpha, dual to ``p_lower`` and ``p_upper``.
    ci_wide_low, ci_wide_high : float
        Interval of level 1 - alpha, dual to ``p_difference``.
    method : str
        Name of the method.
    n_resamples : int
        0 where nothing was resampled.
    """

    p_lower: float
    p_upper: float
    p_difference: float
    ci_low: float
    ci_high: float
    ci_wide_low: float
    ci_wide_high: float
    method: str
    n_resamples: int = 0

    def mirrored(self) -> MeanDifference:
        """The same statement about ``mean(y) - mean(x)``."""
        return replace(
            self,
            p_lower=self.p_upper,
            p_upper=self.p_lower,
            ci_low=-self.ci_high,
            ci_high=-self.ci_low,
            ci_wide_low=-self.ci_wide_high,
            ci_wide_high=-self.ci_wide_low,
        )


def is_constant(values: Float[np.ndarray, " n"]) -> bool:
    """Whether all values agree up to the rounding of a mean over rows."""
    return bool(np.ptp(values) <= 1e-12 * np.max(np.abs(values)))


def count_p(n_extreme: int, n_draws: int) -> float:
    """Monte Carlo p-value that counts the observed data as one draw, so it is never zero."""
    return (1 + n_extreme) / (1 + n_draws)


def tail_quantile(draws: Float[np.ndarray, " n"], level: float, upper: bool) -> float:
    """Draw whose tail has ``level``, dual to `count_p`; infinite where the draws do not reach that far.

    A threshold beyond it has ``count_p <= level``, one on it or inside has not.
    """
    k = int(np.floor(level * (len(draws) + 1) + 1e-9))
    if k == 0:
        return np.inf if upper else -np.inf
    index = len(draws) - k if upper else k - 1
    return float(np.partition(draws, index)[index])


def _standard_errors(x: Float[np.ndarray, " n"], y: Float[np.ndarray, " m"]) -> tuple[float, float]:
    """Standard error of the difference and its Welch-Satterthwaite degrees of freedom."""
    # A constant sample has no variance, and the rounding of its mean must not lend it one.
    v_x = 0.0 if is_constant(x) else float(x.var(ddof=1)) / len(x)
    v_y = 0.0 if is_constant(y) else float(y.var(ddof=1)) / len(y)
    df = (v_x + v_y) ** 2 / (v_x**2 / (len(x) - 1) + v_y**2 / (len(y) - 1))
    return float(np.sqrt(v_x + v_y)), df


def welch(x: Float[np.ndarray, " n"], y: Float[np.ndarray, " m"], margin: float, alpha: float) -> MeanDifference:
    """Two one-sided Welch tests; at least one sample varies."""
    difference = float(x.mean() - y.mean())
    error, df = _standard_errors(x, y)
    half, half_wide = (-error * float(special.stdtrit(df, level)) for level in (alpha, alpha / 2))
    return MeanDifference(
        p_lower=float(special.stdtr(df, -(difference + margin) / error)),
        p_upper=float(special.stdtr(df, (difference - margin) / error)),
        p_difference=2 * float(special.stdtr(df, -abs(difference) / error)),
        ci_low=difference - half,
        ci_high=difference + half,
        ci_wide_low=difference - half_wide,
        ci_wide_high=difference + half_wide,
        method="welch",
    )


def welch_size_error(x: Float[np.ndarray, " n"], y: Float[np.ndarray, " m"], alpha: float) -> float:
    """First Edgeworth term of the error in the one-sided size of Welch's test, from the sample skewnesses.

    References
    ----------
    Hall, The Bootstrap and Edgeworth Expansion (1992), section 2.6: for a studentised mean of skewness g the
    term is g (2 z^2 + 1) phi(z) / 6; g is here the skewness of the difference of the two means.
    """
    error, _ = _standard_errors(x, y)
    skewness = (_third_cumulant(x) / len(x) ** 2 - _third_cumulant(y) / len(y) ** 2) / error**3
    z = float(special.ndtri(alpha))
    return abs(skewness) * (2 * z**2 + 1) * float(np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)) / 6


def _third_cumulant(values: Float[np.ndarray, " n"]) -> float:
    """Unbiased estimate (k-statistic) of the third cumulant."""
    n = len(values)
    return n / ((n - 1) * (n - 2)) * float(((values - values.mean()) ** 3).sum())


def _blocks(n_values: int) -> Iterator[int]:
    """Sizes of blocks of resamples, ``N_RESAMPLES`` together."""
    size = max(1, _BLOCK // n_values)
    for start in range(0, N_RESAMPLES, size):
        yield min(size, N_RESAMPLES - start)


def _resampled_moments(values: Float[np.ndarray, " n"], rng: np.random.Generator) -> Float[np.ndarray, "2 b"]:
    """Mean error and squared standard error of bootstrap samples."""
    n = len(values)
    centred = values - values.mean()
    moments = []
    for size in _blocks(n):
        indices: Int[np.ndarray, "b n"] = rng.integers(n, size=(size, n))
        sample = centred[indices]
        constant = np.all(indices == indices[:, :1], axis=1)
        variance = np.where(constant, 0.0, sample.var(axis=1, ddof=1))
        moments.append([sample.mean(axis=1), variance / n])
    return np.concatenate(moments, axis=1)


def bootstrap_t(
    x: Float[np.ndarray, " n"], y: Float[np.ndarray, " m"], margin: float, alpha: float, seed: int
) -> MeanDifference:
    """Two one-sided bootstrap-t tests that resample networks; at least one sample varies.

    Resamples without variance count against every conclusion.

    References
    ----------
    Efron and Tibshirani, An Introduction to the Bootstrap (1993), section 12.5.
    """
    rng = np.random.default_rng(seed)
    error, _ = _standard_errors(x, y)
    difference = float(x.mean() - y.mean())
    (mean_x, variance_x), (mean_y, variance_y) = _resampled_moments(x, rng), _resampled_moments(y, rng)
    variance = variance_x + variance_y
    valid = variance > 0
    t = (mean_x - mean_y)[valid] / np.sqrt(variance[valid])
    missing = np.full(N_RESAMPLES - len(t), np.inf)
    upper, lower = np.concatenate([t, missing]), np.concatenate([t, -missing])

    def p_above(threshold: float) -> float:
        return count_p(int((upper >= threshold).sum()), N_RESAMPLES)

    def p_below(threshold: float) -> float:
        return count_p(int((lower <= threshold).sum()), N_RESAMPLES)

    return MeanDifference(
        p_lower=p_above((difference + margin) / error),
        p_upper=p_below((difference - margin) / error),
        p_difference=min(1.0, 2 * min(p_above(difference / error), p_below(difference / error))),
        ci_low=difference - tail_quantile(upper, alpha, upper=True) * error,
        ci_high=difference - tail_quantile(lower, alpha, upper=False) * error,
        ci_wide_low=difference - tail_quantile(upper, alpha / 2, upper=True) * error,
        ci_wide_high=difference - tail_quantile(lower, alpha / 2, upper=False) * error,
        method="bootstrap-t",
        n_resamples=N_RESAMPLES,
    )


def cautious(a: MeanDifference, b: MeanDifference) -> MeanDifference:
    """Of two methods the larger p-value and the outer end of the interval, each time."""
    return MeanDifference(
        p_lower=max(a.p_lower, b.p_lower),
        p_upper=max(a.p_upper, b.p_upper),
        p_difference=max(a.p_difference, b.p_difference),
        ci_low=min(a.ci_low, b.ci_low),
        ci_high=max(a.ci_high, b.ci_high),
        ci_wide_low=min(a.ci_wide_low, b.ci_wide_low),
        ci_wide_high=max(a.ci_wide_high, b.ci_wide_high),
        method=f"{a.method}+{b.method}",
        n_resamples=max(a.n_resamples, b.n_resamples),
    )


def _gaffke_draws(
    values: Float[np.ndarray, " n"], bounds: tuple[float, float], rng: np.random.Generator
) -> Float[np.ndarray, "2 b"]:
    """Confidence draws of a bounded mean: as low, and as high, as the data leave possible."""
    draws = []
    for size in _blocks(len(values) + 1):
        weights = rng.standard_exponential((size, len(values) + 1))
        weights /= weights.sum(axis=1, keepdims=True)
        seen = weights[:, :-1] @ values
        draws.append([seen + weights[:, -1] * bound for bound in bounds])
    return np.concatenate(draws, axis=1)


def bounded(
    x: Float[np.ndarray, " n"],
    y: Float[np.ndarray, " m"],
    margin: float,
    alpha: float,
    bounds: tuple[float, float],
    seed: int,
) -> MeanDifference:
    """Tests for means of bounded variables, with no other assumption on their distribution.

    A random share of the weight, Dirichlet(1, ..., 1), sits on the bound that no network has shown: what n
    networks cannot exclude. For 0/1 values each arm is Clopper-Pearson's interval; n networks at exactly 1
    have the lower bound ``alpha ** (1 / n)``. The two arms are melded.

    References
    ----------
    Gaffke (2005), Three test statistics for a nonparametric one-sided hypothesis on the mean of a nonnegative
    variable. Phan, Thomas and Learned-Miller, arXiv:2106.03163. Fay, Proschan and Brittain (2015), Combining
    one-sample confidence procedures for inference in the two-sample case.
    """
    rng = np.random.default_rng(seed)
    (low_x, high_x), (low_y, high_y) = _gaffke_draws(x, bounds, rng), _gaffke_draws(y, bounds, rng)
    low, high = low_x - high_y, high_x - low_y

    def p_below(threshold: float) -> float:
        return count_p(int((low <= threshold).sum()), N_RESAMPLES)

    def p_above(threshold: float) -> float:
        return count_p(int((high >= threshold).sum()), N_RESAMPLES)

    return MeanDifference(
        p_lower=p_below(-margin),
        p_upper=p_above(margin),
        p_difference=min(1.0, 2 * min(p_below(0.0), p_above(0.0))),
        ci_low=tail_quantile(low, alpha, upper=False),
        ci_high=tail_quantile(high, alpha, upper=True),
        ci_wide_low=tail_quantile(low, alpha / 2, upper=False),
        ci_wide_high=tail_quantile(high, alpha / 2, upper=True),
        method="bounded",
        n_resamples=N_RESAMPLES,
    )
