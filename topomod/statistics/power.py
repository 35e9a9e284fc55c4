"""Power of the test of means, by simulation from a pilot, and the number of networks that a study needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from scipy import special

from topomod.notebook import Shown
from topomod.statistics.arguments import check_bounds, check_settings, check_share, check_whole, scaled_bounds
from topomod.statistics.mean_difference import MeanDifference, is_constant
from topomod.statistics.mean_inference import infer_means
from topomod.statistics.samples import MIN_NETWORKS, network_means
from topomod.topology.scale import times_power_of_two, unit_exponent

N_RUNS = 250
N_RESAMPLES = 999  # of each test within a run
TARGET = 0.8
CURVE = (5, 7, 10, 14, 20, 28, 40, 57, 80, 113, 160, 226, 320)


@dataclass(frozen=True)
class Power(Shown):
    """Power of a study with ``n`` networks of each of two populations like the pilot.

    Parameters
    ----------
    n : int
        Networks in each sample.
    equivalent : float
        Share of studies that conclude equivalence where there is no difference.
    decided : float
        Share of studies that are so precise that they conclude equivalence or a difference at any true difference.
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

    Both samples of a run are drawn with replacement from the pilot's networks. So their populations do not differ, and
    have the skewness of the pilot. Because a pilot is small, its spread is taken at the upper end of an 80 % one-sided
    interval, which heavy tails widen; with ``bounds`` it is taken as it is. The test is the one that a study runs, with
    fewer resamples.

    Parameters
    ----------
    pilot : array_like
        (n_rows,) one number per row, of one architecture.
    margin, alpha, bounds
        As in `equivalence_test`. For one test of a Holm family of m, take ``alpha / m``, the smallest level that Holm
        can give to it.
    n : int
        Networks in each sample, at least 3.
    seed : int
        Seed of the runs.
    clusters : array_like, optional
        (n_rows,) the trained network of each row. Default: each row is a network of its own.
    n_runs : int
        Number of simulated studies; the Monte Carlo standard error is at most ``0.5 / sqrt(n_runs)``.

    Raises
    ------
    ValueError
        As `equivalence_test`; n below 3, n_runs below 1.

    References
    ----------
    Browne (1995), On the use of a pilot sample for sample size determination, Statistics in Medicine 14, 1933-1940.

    Examples
    --------
    >>> spread = np.random.default_rng(0).normal(size=40)
    >>> power(spread, margin=1.0, n=40).equivalent > power(spread, margin=1.0, n=10).equivalent
    True
    """
    margin, alpha, seed = check_settings(margin, alpha, seed)
    n, n_runs = check_whole(n, "n", MIN_NETWORKS), check_whole(n_runs, "n_runs", 1)
    networks = network_means(pilot, clusters, "pilot", "clusters")
    bounds = check_bounds(bounds, margin, {"pilot": networks})
    exponent = unit_exponent(networks, np.array(bounds or ()))
    networks, margin = times_power_of_two(networks, -exponent), times_power_of_two(margin, -exponent)
    bounds = scaled_bounds(bounds, exponent)
    networks = networks if bounds else cautious(networks)
    rng = np.random.default_rng([seed, n])
    x, y = networks[rng.integers(len(networks), size=(2, n_runs, n))]
    varied = np.ones(n_runs, bool) if bounds is not None else ~(is_constant(x) & is_constant(y))
    if not varied.any():
        return Power(n, 0.0, 0.0)
    test = infer_means(x[varied], y[varied], margin, alpha, seed, bounds, n_resamples=N_RESAMPLES)
    difference = x[varied].mean(axis=1) - y[varied].mean(axis=1)
    equivalent = float((test.p_equivalence <= alpha).sum()) / n_runs
    return Power(n, equivalent, float(_decides(test, difference, margin).sum()) / n_runs)


def cautious(networks: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """A pilot with the spread at the upper end of its 80 % one-sided interval.

    Heavy tails make an estimated variance less certain. Its degrees of freedom are divided by (kurtosis - 1) / 2.
    """
    squares = (networks - networks.mean()) ** 2
    spread = squares.mean()
    kurtosis = np.mean(squares**2) / spread**2 if spread > 0 else 3.0
    df = 2 * (len(networks) - 1) / (max(3.0, kurtosis) - 1)
    wider = float(np.sqrt(df / special.chdtri(df, 0.8)))
    return np.asarray(networks.mean() + wider * (networks - networks.mean()))


def _decides(test: MeanDifference, difference: Float[np.ndarray, " b"], margin: float) -> np.ndarray:
    """Whether the intervals are so narrow that the test would conclude equivalence or a difference at any difference.

    That is so if the interval of level 1 - 2 alpha cannot reach beyond the margin while that of level 1 - alpha has 0
    inside.
    """
    above = (test.ci_high - difference) + (difference - test.ci_wide_low)
    below = (difference - test.ci_low) + (test.ci_wide_high - difference)
    return np.asarray(np.maximum(above, below) <= margin)


def power_curve(
    pilot: ArrayLike,
    margin: float,
    alpha: float = 0.05,
    seed: int = 0,
    *,
    clusters: ArrayLike | None = None,
    bounds: tuple[float, float] | None = None,
) -> list[Power]:
    """`power` at the numbers of networks of ``CURVE``; parameters and errors as there."""
    return [power(pilot, margin, n, alpha, seed, clusters=clusters, bounds=bounds) for n in CURVE]


def required_networks(curve: Sequence[Power], target: float = TARGET, *, decided: bool = False) -> int | None:
    """Smallest number of networks in each sample at which a share ``target`` of studies concludes.

    The power between the points of a `power_curve` is taken from straight lines in log n.

    Parameters
    ----------
    curve : sequence of Power
        Points with n increasing.
    target : float
        Share of studies, in (0, 1).
    decided : bool
        Ask for ``decided`` instead of ``equivalent``.

    Returns
    -------
    int or None
        None where the power at the largest n of the curve is below the target.

    Raises
    ------
    ValueError
        For a target outside (0, 1).

    Examples
    --------
    >>> required_networks([Power(10, 0.2, 0.0), Power(40, 0.9, 0.1)], target=0.55)
    20
    """
    target = check_share(target, "target")
    shares = [point.decided if decided else point.equivalent for point in curve]
    return reached([point.n for point in curve], shares, target)


def reached(sizes: Sequence[int], shares: Sequence[float], target: float) -> int | None:
    """Smallest number of networks at which a share reaches its target, by straight lines in log n; None beyond."""
    log_n = np.log(sizes)
    for place in np.flatnonzero(np.asarray(shares) >= target)[:1]:
        if place == 0:
            return sizes[0]
        below, above = shares[place - 1], shares[place]
        between = log_n[place - 1] + (target - below) / (above - below) * (log_n[place] - log_n[place - 1])
        return int(np.ceil(np.exp(between) - 1e-9))
    return None
