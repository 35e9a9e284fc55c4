"""How often a study would give each answer at a stated true difference, by simulation from pilots of both samples."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from scipy import special

from topomod.statistics.arguments import check_bounds, check_number, check_settings, check_whole, scaled_bounds
from topomod.statistics.mean_difference import is_constant
from topomod.statistics.mean_inference import infer_means
from topomod.statistics.minimum_effect import p_beyond_margin
from topomod.statistics.power import (
    CURVE,
    N_RESAMPLES,
    N_RUNS,
    TARGET,
    cautious,
    power_curve,
    reached,
    required_networks,
)
from topomod.statistics.questions import ANSWERS, AnswerWord, answer_of
from topomod.statistics.samples import MIN_NETWORKS, network_means
from topomod.topology.scale import times_power_of_two, unit_exponent


def answer_shares(
    pilot_x: ArrayLike,
    pilot_y: ArrayLike,
    margin: float,
    n: int,
    difference: float,
    alpha: float = 0.05,
    seed: int = 0,
    *,
    bounds: tuple[float, float] | None = None,
    n_runs: int = N_RUNS,
) -> dict[AnswerWord, float]:
    """Share of studies with each answer, for one endpoint, n networks in each sample and a true difference of means.

    Samples are drawn with replacement from the pilots, each with its own spread and skewness. Without bounds, y is
    moved, and the spread is taken with caution as in `power`. With bounds, a part of y's networks is moved to a bound
    instead, so that the mean is right and no value leaves its range.

    Parameters
    ----------
    pilot_x, pilot_y : array_like
        (n_networks,) one number per network.
    margin, alpha, bounds
        As in `equivalence_test`.
    n : int
        Networks in each sample, at least 3.
    difference : float
        True mean of x less that of y.
    seed, n_runs : int
        Seed and number of simulated studies.

    Returns
    -------
    dict
        Answer to share, in the order of `ANSWERS`. All are NaN where bounds allow no such difference.

    Raises
    ------
    ValueError
        As `equivalence_test`; n below 3, n_runs below 1, a difference that is no finite number.

    Examples
    --------
    >>> spread = np.random.default_rng(0).normal(size=50)
    >>> shares = answer_shares(spread, spread, margin=1.0, n=80, difference=2.0)
    >>> max(shares, key=shares.get)
    'different'
    """
    margin, alpha, seed = check_settings(margin, alpha, seed)
    n, n_runs = check_whole(n, "n", MIN_NETWORKS), check_whole(n_runs, "n_runs", 1)
    difference = check_number(difference, "difference", "be a finite number", math.isfinite)
    pilots = [network_means(own, None, name, "") for own, name in ((pilot_x, "pilot_x"), (pilot_y, "pilot_y"))]
    bounds = check_bounds(bounds, margin, dict(zip(("pilot_x", "pilot_y"), pilots, strict=True)))
    exponent = unit_exponent(*pilots, np.array(bounds or ()))
    pilots = [times_power_of_two(own, -exponent) for own in pilots]
    margin, difference = (times_power_of_two(value, -exponent) for value in (margin, difference))
    drawn = _drawn(pilots, difference, scaled_bounds(bounds, exponent), (n_runs, n), np.random.default_rng([seed, n]))
    if drawn is None:
        return dict.fromkeys(ANSWERS, math.nan)
    return _shares(*drawn, margin, alpha, seed, scaled_bounds(bounds, exponent))


def _drawn(
    pilots: Sequence[Float[np.ndarray, " _"]],
    difference: float,
    bounds: tuple[float, float] | None,
    shape: tuple[int, int],
    rng: np.random.Generator,
) -> tuple[Float[np.ndarray, "b n"], Float[np.ndarray, "b n"]] | None:
    """Samples of simulated studies whose populations differ as stated; None where bounds allow no such difference."""
    pilots = pilots if bounds else [cautious(own) for own in pilots]
    x, y = (own[rng.integers(len(own), size=shape)] for own in pilots)
    moved = float(pilots[0].mean() - pilots[1].mean()) - difference  # of the mean of y
    if bounds is None:
        return x, y + moved
    room = (bounds[1] if moved > 0 else bounds[0]) - float(pilots[1].mean())
    share = moved / room if moved else 0.0
    if not 0 <= share <= 1:
        return None
    return x, np.where(rng.random(shape) < share, bounds[1] if moved > 0 else bounds[0], y)


def _shares(
    x: Float[np.ndarray, "b n"],
    y: Float[np.ndarray, "b n"],
    margin: float,
    alpha: float,
    seed: int,
    bounds: tuple[float, float] | None,
) -> dict[AnswerWord, float]:
    varied = np.ones(len(x), bool) if bounds is not None else ~(is_constant(x) & is_constant(y))
    counts = dict.fromkeys(ANSWERS, 0)
    counts["not decided"] = int((~varied).sum())
    if varied.any():
        inside, outside = (
            infer_means(x[varied], y[varied], at, alpha, seed, bounds, n_resamples=N_RESAMPLES)
            for at in (margin, -margin)
        )
        beyond = p_beyond_margin(inside, outside)
        for same, outer, different in zip(inside.p_equivalence, beyond, inside.p_difference, strict=True):
            counts[answer_of(float(same), float(outer), float(different), alpha)] += 1
    return {answer: count / len(x) for answer, count in counts.items()}


def networks_to_settle(
    answer: AnswerWord,
    pilot_x: ArrayLike,
    pilot_y: ArrayLike,
    margin: float,
    alpha: float = 0.05,
    seed: int = 0,
    *,
    bounds: tuple[float, float] | None = None,
    target: float = TARGET,
) -> float:
    """Networks in each sample that would settle an endpoint on which a study came to an open answer.

    After "not decided" they show sameness or a difference whatever the true difference is, by the pilot that needs
    more. After "differs, size open" they show whether the difference is inside or beyond the margin, if it is that of
    the pilots.

    Parameters
    ----------
    answer : {"not decided", "differs, size open"}
        The open answer.
    pilot_x, pilot_y, margin, alpha, seed, bounds
        As in `answer_shares`.
    target : float
        Share of studies, in (0, 1).

    Returns
    -------
    float
        Infinite beyond the end of `power.CURVE`, as for an open size where the difference is the margin.

    Raises
    ------
    ValueError
        As `answer_shares`; another answer.
    """
    if answer == "not decided":
        curves = [power_curve(pilot, margin, alpha, seed, bounds=bounds) for pilot in (pilot_x, pilot_y)]
        needed = [required_networks(curve, target, decided=True) for curve in curves]
        return max(math.inf if n is None else float(n) for n in needed)
    if answer != "differs, size open":
        raise ValueError(f"answer is {answer!r}; it must be 'not decided' or 'differs, size open'")
    x, y = np.asarray(pilot_x, float), np.asarray(pilot_y, float)
    settled = []
    for n in CURVE:
        shares = answer_shares(x, y, margin, n, float(x.mean() - y.mean()), alpha, seed, bounds=bounds)
        settled.append(shares["the same"] + shares["different"])
    found = reached(CURVE, settled, target)
    return math.inf if found is None else float(found)


def mmd_networks_to_settle(
    difference: float,
    ci_low: float,
    ci_high: float,
    margin: float,
    n: int,
    alpha: float = 0.05,
    target: float = TARGET,
) -> float:
    """Networks in each sample that show an MMD inside or beyond the margin, if it is the estimated one.

    A simulation would resample a kernel for every study. Instead, the distance from the estimate to its confidence
    bound is taken to shrink with the root of the number of networks, and to be normal. This is a rough number.

    Parameters
    ----------
    difference, ci_low, ci_high, margin
        Of an `MMDResult`.
    n : int
        Networks in its smaller sample.
    alpha : float
        Level of its bounds.
    target : float
        Share of studies, in (0, 1).

    Returns
    -------
    float
        Infinite where the estimate is the margin, or a bound is infinite.

    Examples
    --------
    >>> mmd_networks_to_settle(0.0, 0.0, 0.2, margin=0.1, n=20)
    183.0
    """
    reach = ci_high - difference if difference < margin else difference - ci_low
    gap = abs(margin - difference)
    if gap == 0 or not math.isfinite(reach):
        return math.inf
    surer = 1 + float(special.ndtri(target) / special.ndtri(1 - alpha))
    return float(max(MIN_NETWORKS, math.ceil(n * (surer * reach / gap) ** 2)))
