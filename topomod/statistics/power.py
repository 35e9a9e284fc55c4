"""How many networks a verdict needs: the tests themselves, run on networks drawn anew from a pilot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from scipy import special

from topomod.statistics.mean_difference import MeanDifference, is_constant
from topomod.statistics.mean_inference import infer_means
from topomod.statistics.samples import check_settings, network_means

N_RUNS = 250
N_RESAMPLES = 999  # of each test within a run
TARGET = 0.8
CURVE = (5, 7, 10, 14, 20, 28, 40, 57, 80, 113, 160, 226, 320)


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

    Both samples of a run are drawn with replacement from the pilot's networks, so they do not differ, and are skewed
    as those are. A pilot is small: without ``bounds`` its spread is taken at the upper end of an 80 % one-sided
    interval, which heavy tails widen. The test is the one that a study runs, with fewer resamples.

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

    References
    ----------
    Browne (1995), On the use of a pilot sample for sample size determination, Statistics in Medicine 14, 1933-1940.

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
    if bounds is None:
        networks = networks.mean() + _caution(networks) * (networks - networks.mean())
    rng = np.random.default_rng([seed, n])
    x, y = networks[rng.integers(len(networks), size=(2, n_runs, n))]
    varied = np.ones(n_runs, bool) if bounds is not None else ~(is_constant(x) & is_constant(y))
    if not varied.any():
        return Power(n, 0.0, 0.0)
    test = infer_means(x[varied], y[varied], margin, alpha, seed, bounds, n_resamples=N_RESAMPLES)
    difference = x[varied].mean(axis=1) - y[varied].mean(axis=1)
    equivalent = float((test.p_equivalence <= alpha).sum()) / n_runs
    return Power(n, equivalent, float(_decides(test, difference, margin).sum()) / n_runs)


def _caution(networks: Float[np.ndarray, " n"]) -> float:
    """Upper end of the 80 % one-sided interval of a standard deviation over its estimate.

    Heavy tails make a variance less certain by (kurtosis - 1) / 2, which is the factor that its degrees of freedom
    are divided by.
    """
    squares = (networks - networks.mean()) ** 2
    spread = squares.mean()
    kurtosis = np.mean(squares**2) / spread**2 if spread > 0 else 3.0
    df = 2 * (len(networks) - 1) / (max(3.0, kurtosis) - 1)
    return float(np.sqrt(df / special.chdtri(df, 0.8)))


def _decides(test: MeanDifference, difference: Float[np.ndarray, " b"], margin: float) -> np.ndarray:
    """Whether intervals are so narrow that one inside the margin or one without 0 would follow at any difference."""
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

    Read off a `power_curve`, straight lines in log n between its points.

    Parameters
    ----------
    curve : sequence of Power
        With n increasing.
    target : float
        In (0, 1).
    decided : bool
        Conclude something whatever the difference, instead of equivalence where there is none.

    Returns
    -------
    int or None
        None where the largest n of the curve does not do.

    Raises
    ------
    ValueError
        For a target outside (0, 1).

    Examples
    --------
    >>> required_networks([Power(10, 0.2, 0.0), Power(40, 0.9, 0.1)], target=0.55)
    20
    """
    if not 0 < target < 1:
        raise ValueError(f"target is {target}; it must lie strictly between 0 and 1")
    shares = np.array([point.decided if decided else point.equivalent for point in curve])
    log_n = np.log([point.n for point in curve])
    for place in np.flatnonzero(shares >= target)[:1]:
        if place == 0:
            return curve[0].n
        below, above = shares[place - 1], shares[place]
        between = log_n[place - 1] + (target - below) / (above - below) * (log_n[place] - log_n[place - 1])
        return int(np.ceil(np.exp(between) - 1e-9))
    return None
