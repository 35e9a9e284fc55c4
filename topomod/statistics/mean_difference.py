"""Inference on a difference of two means, one number per network: Welch, bootstrap-t, bounded.

Every function takes a batch of pairs of samples, (b, n) and (b, m): a test is a batch of one, and a simulation of
the tests' error rates or power runs the very code that gives the verdicts.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from jaxtyping import Float, Int
from scipy import special

from topomod.statistics.resampling import blocks, count_p, resampled_counts, tail_quantile

N_RESAMPLES = 9999
# Welch's test is trusted while skewness is predicted to move its one-sided size by less than this share of
# alpha.
TOLERATED_SIZE_ERROR = 0.1
SKEWNESS_UNSEEN = 4.0


@dataclass(frozen=True)
class MeanDifference:
    """What one method says of ``mean(x) - mean(y)``; arrays are (b,), one entry for each pair of samples.

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
        0 where nothing was resampled.
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

    @property
    def p_equivalence(self) -> Float[np.ndarray, " b"]:
        """The larger of the two one-sided p-values."""
        return np.maximum(self.p_lower, self.p_upper)


def is_constant(values: Float[np.ndarray, "... n"]) -> np.ndarray:
    """Whether all values of a sample agree up to the rounding of a mean over rows."""
    return np.asarray(np.ptp(values, axis=-1) <= 1e-12 * np.abs(values).max(axis=-1))


def _squared_errors(values: Float[np.ndarray, "b n"]) -> Float[np.ndarray, " b"]:
    """Squared standard error of the mean; a constant sample has none, whatever the rounding of its mean."""
    n = values.shape[1]
    return np.where(is_constant(values), 0.0, values.var(axis=1, ddof=1) / n)


def _standard_errors(
    x: Float[np.ndarray, "b n"], y: Float[np.ndarray, "b m"]
) -> tuple[Float[np.ndarray, " b"], Float[np.ndarray, " b"]]:
    """Standard error of the difference and its Welch-Satterthwaite degrees of freedom."""
    v_x, v_y = _squared_errors(x), _squared_errors(y)
    df = (v_x + v_y) ** 2 / (v_x**2 / (x.shape[1] - 1) + v_y**2 / (y.shape[1] - 1))
    return np.sqrt(v_x + v_y), df


def infer_means(
    x: Float[np.ndarray, "b n"],
    y: Float[np.ndarray, "b m"],
    margin: float,
    alpha: float,
    seed: int,
    bounds: tuple[float, float] | None = None,
    method: str = "auto",
    n_resamples: int | None = None,
) -> MeanDifference:
    """Apply a method to network means; of each pair at least one sample varies, or there are bounds.

    Raises
    ------
    ValueError
        For an unknown method.
    """
    n_resamples = n_resamples or N_RESAMPLES
    if bounds is not None:
        return bounded(x, y, margin, alpha, bounds, seed, n_resamples)
    if method == "bootstrap-t":
        return bootstrap_t(x, y, margin, alpha, seed, n_resamples)
    if method not in ("auto", "welch"):
        raise ValueError(f"method is {method!r}; choose 'auto', 'welch' or 'bootstrap-t'")
    by_welch = welch(x, y, margin, alpha)
    skewed = welch_size_error(x, y, alpha) > TOLERATED_SIZE_ERROR * alpha
    if method == "welch" or not skewed.any():
        return by_welch
    part = MeanDifference(**{field.name: getattr(by_welch, field.name)[skewed] for field in fields(by_welch)})
    corrected = edgeworth_t(x[skewed], y[skewed], margin, alpha)
    both = cautious(cautious(part, corrected), bootstrap_t(x[skewed], y[skewed], margin, alpha, seed, n_resamples))
    merged = {}
    for field in fields(both):
        values = getattr(by_welch, field.name).astype(getattr(both, field.name).dtype)
        values[skewed] = getattr(both, field.name)
        merged[field.name] = values
    return MeanDifference(**merged)


def welch(x: Float[np.ndarray, "b n"], y: Float[np.ndarray, "b m"], margin: float, alpha: float) -> MeanDifference:
    """Two one-sided Welch tests."""
    return _shifted_welch(x, y, margin, alpha, np.zeros(len(x)), "welch")


def edgeworth_t(
    x: Float[np.ndarray, "b n"], y: Float[np.ndarray, "b m"], margin: float, alpha: float
) -> MeanDifference:
    """Welch's tests with t moved by four times what skewness does to it at the level, to first order.

    10 to 100 values of a long tail show a fraction of its skewness, and a bootstrap cannot resample what it has not
    seen. The factor is the one with which a lognormal sample against a normal one holds the size
    (``benchmarks/errors.py means``).

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
    error, df = _standard_errors(x, y)
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
    error, _ = _standard_errors(x, y)
    return np.asarray((_third_cumulant(x) / x.shape[1] ** 2 - _third_cumulant(y) / y.shape[1] ** 2) / error**3)


def _third_cumulant(values: Float[np.ndarray, "b n"]) -> Float[np.ndarray, " b"]:
    """Unbiased estimate (k-statistic) of the third cumulant."""
    n = values.shape[1]
    centred = values - values.mean(axis=1, keepdims=True)
    return n / ((n - 1) * (n - 2)) * np.asarray((centred**3).sum(axis=1))


def _resampled_moments(
    values: Float[np.ndarray, "b n"], n_resamples: int, rng: np.random.Generator
) -> tuple[Float[np.ndarray, "r b"], Float[np.ndarray, "r b"]]:
    """Mean error and squared standard error of bootstrap samples, the same draws of networks for the whole batch."""
    n = values.shape[1]
    centred = values - values.mean(axis=1, keepdims=True)
    counts = np.concatenate([resampled_counts(n, size, rng) for size in blocks(n, n_resamples)])
    mean = counts @ centred.T / n
    square = counts @ (centred**2).T / n
    variance = (square - mean**2) / (n - 1)
    # the rounding of a difference must not lend a variance to a resample of equal values
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
    error, _ = _standard_errors(x, y)
    difference = x.mean(axis=1) - y.mean(axis=1)
    mean_x, variance_x = _resampled_moments(x, n_resamples, rng)
    mean_y, variance_y = _resampled_moments(y, n_resamples, rng)
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


def cautious(a: MeanDifference, b: MeanDifference) -> MeanDifference:
    """Of two methods the larger p-value and the outer end of the interval, each time."""
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


def _gaffke_draws(
    values: Float[np.ndarray, "b n"], bounds: tuple[float, float], n_resamples: int, rng: np.random.Generator
) -> tuple[Float[np.ndarray, "r b"], Float[np.ndarray, "r b"]]:
    """Confidence draws of a bounded mean: as low, and as high, as the data leave possible."""
    n = values.shape[1]
    low, high = [], []
    for size in blocks(n + 1, n_resamples):
        weights = rng.standard_exponential((size, n + 1))
        weights /= weights.sum(axis=1, keepdims=True)
        seen, unseen = weights[:, :-1] @ values.T, weights[:, -1:]
        low.append(seen + unseen * bounds[0])
        high.append(seen + unseen * bounds[1])
    return np.concatenate(low), np.concatenate(high)


def bounded(
    x: Float[np.ndarray, "b n"],
    y: Float[np.ndarray, "b m"],
    margin: float,
    alpha: float,
    bounds: tuple[float, float],
    seed: int,
    n_resamples: int,
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
    low_x, high_x = _gaffke_draws(x, bounds, n_resamples, rng)
    low_y, high_y = _gaffke_draws(y, bounds, n_resamples, rng)
    low, high = low_x - high_y, high_x - low_y

    def p_below(threshold: float) -> Float[np.ndarray, " b"]:
        return count_p((low <= threshold).sum(axis=0), n_resamples)

    def p_above(threshold: float) -> Float[np.ndarray, " b"]:
        return count_p((high >= threshold).sum(axis=0), n_resamples)

    return MeanDifference(
        p_lower=p_below(-margin),
        p_upper=p_above(margin),
        p_difference=np.minimum(1.0, 2 * np.minimum(p_below(0.0), p_above(0.0))),
        ci_low=tail_quantile(low, alpha, upper=False),
        ci_high=tail_quantile(high, alpha, upper=True),
        ci_wide_low=tail_quantile(low, alpha / 2, upper=False),
        ci_wide_high=tail_quantile(high, alpha / 2, upper=True),
        method=np.full(len(x), "bounded"),
        n_resamples=np.full(len(x), n_resamples),
    )
