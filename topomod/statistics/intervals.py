"""Intervals of means over networks."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


def mean_interval(values: Float[np.ndarray, " n"], alpha: float = 0.05) -> tuple[int, float, float, float]:
    """Number, mean and t interval of level 1 - alpha, NaN left out.

    Examples
    --------
    >>> mean_interval(np.array([1.0, 3.0, np.nan]))[:2]
    (2, 2.0)
    """
    from scipy.stats import t

    kept = values[~np.isnan(values)]
    n = len(kept)
    mean = float(kept.mean()) if n else float("nan")
    half = float(t.ppf(1 - alpha / 2, n - 1) * kept.std(ddof=1) / np.sqrt(n)) if n > 1 else float("nan")
    return n, mean, mean - half, mean + half


def share_interval(shares: Float[np.ndarray, " n"], alpha: float = 0.05) -> tuple[float, float]:
    """Interval of level 1 - alpha for the mean of shares in [0, 1], one per circuit.

    The t interval, cut to [0, 1]. Where all shares are 0 it would have no width; there the bound is the mean at
    which that outcome has probability alpha / 2 at most, which holds for any distribution in [0, 1].

    Examples
    --------
    >>> low, high = share_interval(np.zeros(50))
    >>> low, round(high, 3)
    (0.0, 0.071)
    """
    n = len(shares)
    if n and shares.max() == 0:
        return 0.0, float(1 - (alpha / 2) ** (1 / n))
    if n and shares.min() == 1:
        return float((alpha / 2) ** (1 / n)), 1.0
    low, high = mean_interval(shares, alpha)[2:]
    return float(np.maximum(low, 0)), float(np.minimum(high, 1))
