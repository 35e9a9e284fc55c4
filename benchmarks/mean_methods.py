"""Tests of a difference of two means that `benchmarks/errors.py methods` compares. One of them is in the package.

Each takes a batch of pairs of samples, (b, n) and (b, m), a margin and a level. It returns which pairs are concluded to
be equivalent, and which different, (2, b).
"""

from __future__ import annotations

import numpy as np
from scipy import special

from topomod.statistics.bounded_means import gaffke_draws
from topomod.statistics.mean_difference import deviations, standard_errors
from topomod.statistics.resampling import resampled_counts
from topomod.statistics.welch import welch

RESAMPLES = 999
TRIM = 0.2
SKEWNESS_UNSEEN = 4.0  # factor on the sample skewness in the rule that the package had before


def concluded(lower, upper, different, alpha):
    """From one-sided p-values against both margins and a two-sided one."""
    return np.stack([np.maximum(lower, upper) <= alpha, different <= alpha])


def by_welch(x, y, margin, alpha):
    test = welch(x, y, margin, alpha)
    return concluded(test.p_lower, test.p_upper, test.p_difference, alpha)


def by_t(difference, error, df, margin, alpha):
    lower, upper = (special.stdtr(df, (sign * difference - margin) / error) for sign in (-1, 1))
    return concluded(lower, upper, 2 * special.stdtr(df, -np.abs(difference) / error), alpha)


def by_edgeworth(x, y, margin, alpha):
    """Welch's t with its quantiles moved by four times the first-order effect of the sample skewness."""
    error, df = standard_errors(x, y)
    centred_x, centred_y, exponent = deviations(x, y)
    third = [
        n / ((n - 1) * (n - 2)) * (c**3).sum(axis=1) / n**2
        for c, n in ((centred_x, x.shape[1]), (centred_y, y.shape[1]))
    ]
    shift = SKEWNESS_UNSEEN * (third[0] - third[1]) / np.ldexp(error, -exponent) ** 3 / 6
    difference = x.mean(axis=1) - y.mean(axis=1)
    t_lower, t_upper, t = (difference + margin) / error, (difference - margin) / error, difference / error
    narrow, wide = (shift * (2 * special.ndtri(level) ** 2 + 1) for level in (alpha, alpha / 2))
    two_sided = 2 * np.minimum(special.stdtr(df, t + wide), special.stdtr(df, -t - wide))
    return concluded(special.stdtr(df, -t_lower - narrow), special.stdtr(df, t_upper + narrow), two_sided, alpha)


def resampled_t(counts_x, counts_y, x, y):
    """Studentised differences (r, b) of samples that are drawn with the counts given."""
    means, squares = [], 0.0
    for counts, values in ((counts_x, x), (counts_y, y)):
        n = counts.sum(axis=1)[0]
        means.append(counts @ values.T / n)
        squares = squares + (counts @ (values**2).T / n - means[-1] ** 2) / (n - 1)
    return np.divide(
        means[0] - means[1], np.sqrt(np.maximum(squares, 0)), out=np.full_like(means[0], np.nan), where=squares > 1e-12
    )


def share_at_least(draws, threshold):
    """Monte Carlo p-value; a draw without variance counts against every conclusion."""
    return (1 + ((draws >= threshold) | np.isnan(draws)).sum(axis=0)) / (1 + len(draws))


def by_bootstrap_t(x, y, margin, alpha):
    rng = np.random.default_rng(0)
    counts = [resampled_counts(values.shape[1], RESAMPLES, rng) for values in (x, y)]
    draws = resampled_t(*counts, x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True))
    error, _ = standard_errors(x, y)
    difference = x.mean(axis=1) - y.mean(axis=1)
    lower = share_at_least(draws, (difference + margin) / error)
    upper = share_at_least(-draws, (margin - difference) / error)
    t = difference / error
    return concluded(lower, upper, 2 * np.minimum(share_at_least(draws, t), share_at_least(-draws, -t)), alpha)


def by_most_cautious(x, y, margin, alpha):
    """What the package did before where data are skewed: the most cautious of three tests."""
    return by_welch(x, y, margin, alpha) & by_edgeworth(x, y, margin, alpha) & by_bootstrap_t(x, y, margin, alpha)


def by_permutation(x, y, margin, alpha):
    """Studentised permutation tests, after each sample is moved to the edge of its null hypothesis (Janssen 1997)."""
    rng = np.random.default_rng(0)
    n, m = x.shape[1], y.shape[1]
    in_x = rng.permuted(np.tile(np.arange(n + m) < n, (RESAMPLES, 1)), axis=1).astype(float)
    error, _ = standard_errors(x, y)
    p = {}
    for edge in (-margin, 0.0, margin):
        pooled = np.concatenate([x - edge, y], axis=1)
        draws = resampled_t(in_x, 1 - in_x, pooled, pooled)
        t = (x.mean(axis=1) - y.mean(axis=1) - edge) / error
        p[edge] = share_at_least(draws, t), share_at_least(-draws, -t)
    return concluded(p[-margin][0], p[margin][1], 2 * np.minimum(*p[0.0]), alpha)


def by_yuen(x, y, margin, alpha):
    """Yuen's test of 20 % trimmed means, which are another quantity than means (Yuen 1974)."""
    parts = []
    for values in (x, y):
        n = values.shape[1]
        cut = int(TRIM * n)
        kept = np.sort(values, axis=1)[:, cut : n - cut]
        winsorised = np.clip(values, kept[:, :1], kept[:, -1:])
        h = n - 2 * cut
        parts.append((kept.mean(axis=1), winsorised.var(axis=1, ddof=1) * (n - 1) / (h * (h - 1)), h))
    (mean_x, v_x, h_x), (mean_y, v_y, h_y) = parts
    total = np.maximum(v_x + v_y, 1e-300)
    df = total**2 / (v_x**2 / (h_x - 1) + v_y**2 / (h_y - 1) + 1e-300)
    return by_t(mean_x - mean_y, np.sqrt(total), df, margin, alpha)


def with_ends(x, y):
    """The smallest and the largest value of each pair of samples, (b, 1)."""
    low, high = np.minimum(x.min(axis=1), y.min(axis=1)), np.maximum(x.max(axis=1), y.max(axis=1))
    return low[:, None], high[:, None]


def by_agresti_caffo(x, y, margin, alpha):
    """Welch's test with two pseudo-networks in each sample, at the ends of the range of the data."""
    ends = with_ends(x, y)
    return by_welch(np.concatenate([x, *ends], axis=1), np.concatenate([y, *ends], axis=1), margin, alpha)


def by_gaffke(x, y, margin, alpha):
    """Gaffke's bounds with the range of the data in the place of bounds."""
    low, high = with_ends(x, y)
    width = np.maximum(high - low, 1e-300)
    rng = np.random.default_rng(0)
    (low_x, high_x), (low_y, high_y) = (
        gaffke_draws((values - low) / width, (0.0, 1.0), RESAMPLES, rng) for values in (x, y)
    )
    below, above = low_x - high_y, high_x - low_y
    scaled = margin / width[:, 0]
    two_sided = 2 * np.minimum(share_at_least(-below, 0.0), share_at_least(above, 0.0))
    return concluded(share_at_least(-below, scaled), share_at_least(above, scaled), two_sided, alpha)


METHODS = {
    "Welch": by_welch,
    "bootstrap-t": by_bootstrap_t,
    "skewness-corrected t": by_edgeworth,
    "most cautious of these three": by_most_cautious,
    "permutation TOST": by_permutation,
    "Agresti-Caffo, pseudo-networks": by_agresti_caffo,
    "Gaffke, range of the data": by_gaffke,
    "Yuen, 20 % trimmed": by_yuen,
}
