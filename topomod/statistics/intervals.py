"""Intervals of means over networks."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from topomod.topology.inputs import plain_array
from topomod.topology.scale import times_power_of_two, unit_exponent


def mean_interval(values: Float[np.ndarray, " n"], alpha: float = 0.05) -> tuple[int, float, float, float]:
    """Number, mean and t interval of level 1 - alpha of the values that are not NaN.

    Parameters
    ----------
    values : ndarray
        (n_networks,) one number per network.
    alpha : float
        One less the level of the interval.

    Returns
    -------
    n, mean, low, high
        Number of values that are not NaN, their mean, and the ends of the interval. The mean of no value is NaN, and so
        are the ends for fewer than two values.

    Raises
    ------
    ValueError
        If a value is masked.

    Examples
    --------
    >>> mean_interval(np.array([1.0, 3.0, np.nan]))[:2]
    (2, 2.0)
    """
    from scipy.stats import t

    plain = plain_array(values, "values")
    kept = plain[~np.isnan(plain)]
    exponent = unit_exponent(kept)
    kept = times_power_of_two(kept, -exponent)
    n = len(kept)
    mean = float(kept.mean()) if n else float("nan")
    half = float(t.ppf(1 - alpha / 2, n - 1) * kept.std(ddof=1) / np.sqrt(n)) if n > 1 else float("nan")
    mean, low, high = (times_power_of_two(value, exponent) for value in (mean, mean - half, mean + half))
    return n, mean, low, high


def share_interval(shares: Float[np.ndarray, " n"], alpha: float = 0.05) -> tuple[float, float]:
    """Interval of level 1 - alpha for the mean of shares in [0, 1], one per network.

    It is the t interval, cut to [0, 1]. Where all shares are 0 this would have no width. The upper end is then the mean
    at which n shares of 0 have probability alpha / 2 at most, which holds for any distribution in [0, 1]. Where all
    shares are 1, the lower end is found in the same way.

    Raises
    ------
    ValueError
        If a share is masked.

    Examples
    --------
    >>> low, high = share_interval(np.zeros(50))
    >>> low, round(high, 3)
    (0.0, 0.071)
    """
    shares = plain_array(shares, "shares")
    n = len(shares)
    if n and shares.max() == 0:
        return 0.0, float(1 - (alpha / 2) ** (1 / n))
    if n and shares.min() == 1:
        return float((alpha / 2) ** (1 / n)), 1.0
    low, high = mean_interval(shares, alpha)[2:]
    return float(np.maximum(low, 0)), float(np.minimum(high, 1))
