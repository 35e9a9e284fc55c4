"""P-values of loops against clouds without structure, and control of false discoveries over many clouds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike

from topomod.notebook import Shown
from topomod.topology.classify import MAX_ROWS, MIN_DISTINCT, check_cloud, n_distinct_rows
from topomod.topology.complexes import cloud_diagrams, thin
from topomod.topology.loop_views import leading_view
from topomod.topology.scale import is_constant
from topomod.topology.surrogates import Surrogates

MIN_DRAWS = 19  # with fewer no p-value is 0.05
LEAST_LENGTH = 0.01  # small clouds may have no gap at all
ENOUGH = 10  # draws with a loop as clear as that of the cloud, after which no more are made
NULL_POINTS = {1: 600, 2: 600, 3: 400, 4: 250}  # of each complex, by its dimension
RIPS_NULL_POINTS = 150


@dataclass(frozen=True)
class MatchedNull(Shown):
    """How clear the clearest loop of a cloud is, and how clear those of clouds without structure are.

    Parameters
    ----------
    clearness : float
        Length of the clearest loop of the cloud over those of the gaps of its sample (:func:`clearest_loop`).
    draws : ndarray
        (n_made,) the same of each random cloud.
    p_value : float
        Probability that the clearest loop of such a cloud is at least as clear.
    """

    clearness: float
    draws: Float[np.ndarray, " b"]
    p_value: float


@dataclass(frozen=True)
class LoopsFound(Shown):
    """Which of many clouds have a loop, with a bound on the share of false ones among them.

    Parameters
    ----------
    found : ndarray
        (n_clouds,) whether a cloud has one.
    p_values, p_adjusted : ndarray
        (n_clouds,) of the single clouds, and adjusted as by Benjamini and Hochberg.
    level : float
        The expected share of false ones among those found is at most this.
    least_share : float
        Loops can be found only where at least this share of the clouds has one; more draws make it smaller.
    """

    found: Bool[np.ndarray, " n"]
    p_values: Float[np.ndarray, " n"]
    p_adjusted: Float[np.ndarray, " n"]
    level: float
    least_share: float


def matched_null(X: ArrayLike, p: int | None = None, n_draws: int = 199, seed: int = 0) -> MatchedNull:
    """Compare the clearest loop of a cloud with those of random clouds of the same spectrum.

    The random clouds are rotations of the given one that keep its mean and covariance; with ``p`` they keep the power
    of each frequency, too (:class:`topomod.topology.surrogates.Surrogates`). The p-value is exact where the given cloud
    is Gaussian, of any covariance. On uniform clouds it is somewhat too small (``docs/verdicts.md``). A small one says
    that there is a loop that such a cloud does not have. It does not say which shape the cloud is.

    Parameters
    ----------
    X : array_like
        (n_points, n_features) finite numbers in any unit. With ``p``, rows are in the order of ``a * p + b``. Without
        ``p``, 20000 random rows are used where there are more.
    p : int, optional
        Modulus, at least 5.
    n_draws : int
        Random clouds at most. Fewer are made where 10 have a loop at least as clear: the p-value is then 10 over their
        number.
    seed : int
        Seed of the random clouds and of the jitter.

    Returns
    -------
    MatchedNull

    Raises
    ------
    ValueError
        For what :func:`topomod.classify_manifold` refuses, fewer than 10 distinct points, and ``n_draws`` below 19.

    References
    ----------
    Stopping early: Besag and Clifford 1991, doi 10.1093/biomet/78.2.301.

    Examples
    --------
    >>> angle = 2 * np.pi * np.arange(60) / 60
    >>> matched_null(np.stack([np.cos(angle), np.sin(angle)], axis=1), n_draws=99).p_value
    0.01
    """
    _check_draws(n_draws)
    rows = check_cloud(X, p)
    rng = np.random.default_rng(seed)
    distinct = 1 if is_constant(rows) else n_distinct_rows(rows, rng)
    if distinct < MIN_DISTINCT:
        raise ValueError(f"X must have at least {MIN_DISTINCT} distinct points, found {distinct}")
    if p is None and len(rows) > MAX_ROWS:
        rows = rows[rng.choice(len(rows), MAX_ROWS, replace=False)]
    own, surrogates = clearest_loop(rows, p, rng), Surrogates(rows, p)
    draws: list[float] = []
    n_above = 0
    while len(draws) < n_draws and n_above < ENOUGH:
        draws.append(clearest_loop(surrogates.draw(rng), p, rng))
        n_above += draws[-1] >= own
    p_value = n_above / len(draws) if n_above == ENOUGH else (n_above + 1) / (n_draws + 1)
    return MatchedNull(own, np.array(draws), p_value)


def _check_draws(n_draws: object) -> None:
    whole = isinstance(n_draws, (int, np.integer)) and not isinstance(n_draws, bool)
    if not whole or n_draws < MIN_DRAWS:  # type: ignore[operator]
        raise ValueError(f"n_draws is {n_draws!r}; it must be a whole number, at least {MIN_DRAWS}")


def find_loops(
    clouds: Sequence[ArrayLike], p: int | None = None, level: float = 0.05, n_draws: int = 199, seed: int = 0
) -> LoopsFound:
    """Say which of many clouds have a loop, with a bound on the expected share of false ones among those found.

    Each cloud gets its :func:`matched_null`; their p-values are adjusted together.

    Parameters
    ----------
    clouds : sequence of array_like
        Clouds as :func:`matched_null` takes them, independent of one another.
    p : int, optional
        Modulus of all of them.
    level : float
        Bound on the expected share of false discoveries, between 0 and 1.
    n_draws : int
        Random clouds for each at most. No p-value is below ``1 / (n_draws + 1)``. So loops that one cloud in a
        thousand has need 20 thousand draws at level 0.05. Clouds without a loop cost 10 to 20 draws.
    seed : int
        Seed of the first cloud; the next ones have the seeds that follow.

    Returns
    -------
    LoopsFound

    Raises
    ------
    ValueError
        For no clouds, a level outside (0, 1), and what :func:`matched_null` refuses.

    References
    ----------
    Benjamini and Hochberg 1995, doi 10.1111/j.2517-6161.1995.tb02031.x.

    Examples
    --------
    >>> angle = 2 * np.pi * np.arange(60) / 60
    >>> circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    >>> blob = np.random.default_rng(0).normal(size=(60, 2))
    >>> find_loops([circle, blob]).found.tolist()
    [True, False]
    """
    from scipy.stats import false_discovery_control

    if isinstance(level, bool) or not isinstance(level, (int, float)) or not 0 < level < 1:
        raise ValueError(f"level is {level!r}; it must be a number strictly between 0 and 1")
    if len(clouds) == 0:
        raise ValueError("clouds is empty; at least one point cloud is needed")
    p_values = np.array([_named(place, X, p, n_draws, seed + place).p_value for place, X in enumerate(clouds)])
    adjusted = np.asarray(false_discovery_control(p_values))
    return LoopsFound(adjusted <= level, p_values, adjusted, float(level), min(1.0, 1 / (level * (n_draws + 1))))


def _named(place: int, X: ArrayLike, p: int | None, n_draws: int, seed: int) -> MatchedNull:
    """The null of one of several clouds, whose place an error tells."""
    _check_draws(n_draws)
    try:
        return matched_null(X, p, n_draws, seed)
    except ValueError as error:
        raise ValueError(f"clouds[{place}]: {error}") from error


def clearest_loop(X: Float[np.ndarray, "n m"], p: int | None, rng: np.random.Generator) -> float:
    """Length of the clearest loop of a cloud over the mean length of its fourth to eighth one.

    The length of a bar is the logarithm of its death over its birth. Those of the gaps of a sample hardly depend on
    where the points come from (Bobrowski and Skraba, arXiv 2207.03926), as their persistence does.
    """
    points = leading_view(X, p, rng).points
    points = thin(points, NULL_POINTS.get(points.shape[1], RIPS_NULL_POINTS), rng)
    bars = cloud_diagrams(points)[0][1]
    lengths = np.append(np.sort(np.log(bars[:, 1] / bars[:, 0]))[::-1], np.zeros(8))
    return float(lengths[0] / (lengths[3:8].mean() + LEAST_LENGTH))
