"""How many networks a verdict needs: the tests themselves, run on networks drawn anew from a pilot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy.typing import ArrayLike

from topomod.endpoints import ENDPOINTS
from topomod.mean_difference import MeanDifference, infer_means, is_constant
from topomod.samples import check_settings, network_means

N_RUNS = 400
N_RESAMPLES = 999  # of each test within a run
TARGET = 0.8
CURVE = (5, 10, 20, 30, 50, 100, 200)
MAX_NETWORKS = 2000
_SEARCH_RUNS = 200


@dataclass(frozen=True)
class Power:
    """What ``n`` networks of each of two populations like the pilot would show.

    Parameters
    ----------
    n : int
        Networks in each sample.
    equivalent : float
        Share of studies that conclude equivalence where there is no difference.
    decided : float
        Share of studies so precise that they conclude something, equivalent or different, whatever the difference.
    """

    n: int
    equivalent: float
    decided: float


def power(
    pilot: ArrayLike,
    margin: float,
    n: int,
    alpha: float = 0.05,
    seed: int = 0,
    *,
    clusters: ArrayLike | None = None,
    bounds: tuple[float, float] | None = None,
    n_runs: int = N_RUNS,
) -> Power:
    """Power of `equivalence_test` with n networks in each sample, by simulation.

    Both samples of a run are drawn with replacement from the pilot's networks, so they do not differ, and spread and
    are skewed as those are. The test is the one that a study runs, with fewer resamples.

    Parameters
    ----------
    pilot : array_like
        (n_rows,) one number per row, of one architecture.
    margin, alpha, bounds
        As in `equivalence_test`; for one test of a Holm family of m, ``alpha / m`` is on the safe side.
    n : int
        At least 3.
    seed : int
        Of the runs.
    clusters : array_like, optional
        (n_rows,) the trained network of each row.
    n_runs : int
        Simulated studies; the Monte Carlo standard error is at most ``0.5 / sqrt(n_runs)``.

    Raises
    ------
    ValueError
        As `equivalence_test`; n below 3.

    Examples
    --------
    >>> spread = np.random.default_rng(0).normal(size=40)
    >>> power(spread, margin=1.0, n=40).equivalent > power(spread, margin=1.0, n=10).equivalent
    True
    """
    check_settings(margin, alpha)
    if n < 3:
        raise ValueError(f"n is {n}; at least 3 networks are needed")
    networks = network_means(pilot, clusters, "pilot")
    rng = np.random.default_rng([seed, n])
    x, y = networks[rng.integers(len(networks), size=(2, n_runs, n))]
    varied = np.ones(n_runs, bool) if bounds is not None else ~(is_constant(x) & is_constant(y))
    if not varied.any():
        return Power(n, 0.0, 0.0)
    test = infer_means(x[varied], y[varied], margin, alpha, seed, bounds, n_resamples=N_RESAMPLES)
    difference = x[varied].mean(axis=1) - y[varied].mean(axis=1)
    equivalent = float((test.p_equivalence <= alpha).sum()) / n_runs
    return Power(n, equivalent, float(_decides(test, difference, margin).sum()) / n_runs)


def _decides(test: MeanDifference, difference: Float[np.ndarray, " b"], margin: float) -> np.ndarray:
    """Whether intervals are so narrow that one inside the margin or one without 0 would follow at any difference."""
    above = (test.ci_high - difference) + (difference - test.ci_wide_low)
    below = (difference - test.ci_low) + (test.ci_wide_high - difference)
    return np.maximum(above, below) <= margin


def required_networks(
    pilot: ArrayLike,
    margin: float,
    alpha: float = 0.05,
    seed: int = 0,
    *,
    target: float = TARGET,
    decided: bool = False,
    bounds: tuple[float, float] | None = None,
) -> int | None:
    """Smallest number of networks in each sample at which a share ``target`` of studies concludes.

    Parameters
    ----------
    pilot, margin, alpha, seed, bounds
        As in `power`.
    target : float
        In (0, 1).
    decided : bool
        Conclude something whatever the difference, instead of equivalence where there is none.

    Returns
    -------
    int or None
        None where ``MAX_NETWORKS`` are too few.
    """
    if not 0 < target < 1:
        raise ValueError(f"target is {target}; it must lie strictly between 0 and 1")

    def enough(n: int) -> bool:
        found = power(pilot, margin, n, alpha, seed, bounds=bounds, n_runs=_SEARCH_RUNS)
        return (found.decided if decided else found.equivalent) >= target

    low, high = 2, 4
    while not enough(high):
        low, high = high, 2 * high
        if high > MAX_NETWORKS:
            return None
    while high - low > max(1, low // 20):  # to 5 %, as good as the runs are
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
