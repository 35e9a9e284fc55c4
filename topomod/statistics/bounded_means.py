"""Tests of a difference of two means of bounded quantities."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from topomod.statistics.mean_difference import MeanDifference
from topomod.statistics.resampling import blocks, count_p, tail_quantile


def gaffke_draws(
    values: Float[np.ndarray, "b n"], bounds: tuple[float, float], n_resamples: int, rng: np.random.Generator
) -> tuple[Float[np.ndarray, "r b"], Float[np.ndarray, "r b"]]:
    """Draws whose lower and upper quantiles are the lower and upper confidence bounds of each mean."""
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
    """Tests for means of bounded quantities, with no other assumption on their distribution.

    A draw for one sample is a weighted mean of its n values and of a bound, with weights from Dirichlet(1, ..., 1). The
    weight of the bound stands for values that n networks cannot exclude. For samples of zeros and ones the bounds are
    those of Clopper and Pearson; for n networks at exactly 1 the lower bound is ``alpha ** (1 / n)``. The difference of
    the draws of the two samples gives the bounds of the difference (melding).

    That these bounds hold for every distribution is a conjecture; no counterexample is known.

    References
    ----------
    Gaffke (2005), Three test statistics for a nonparametric one-sided hypothesis on the mean of a nonnegative
    variable. Learned-Miller and Thomas, arXiv 1905.06208 (the conjecture). Phan, Thomas and Learned-Miller, arXiv
    2106.03163. Fay, Proschan and Brittain (2015), Combining one-sample confidence procedures for inference in the
    two-sample case.
    """
    rng = np.random.default_rng(seed)
    low_x, high_x = gaffke_draws(x, bounds, n_resamples, rng)
    low_y, high_y = gaffke_draws(y, bounds, n_resamples, rng)
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
        caveat=np.full(len(x), ""),
        n_resamples=np.full(len(x), n_resamples),
    )
