"""Test of whether two samples of networks have the same mean up to a margin, and the verdicts in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from topomod.statistics.arguments import check_bounds, check_settings, scaled_bounds
from topomod.statistics.coverage import unseen_share
from topomod.statistics.mean_difference import MeanDifference, hedges_g, is_constant
from topomod.statistics.mean_inference import infer_means
from topomod.statistics.minimum_effect import p_beyond_margin
from topomod.statistics.samples import network_means
from topomod.statistics.shown_test import ShownTest
from topomod.topology.scale import times_power_of_two, unit_exponent

_IN_UNIT = ("ci_low", "ci_high", "ci_wide_low", "ci_wide_high")  # fields that carry the unit of the data

Verdict = Literal["equivalent", "different", "trivially different", "inconclusive"]


@dataclass(frozen=True)
class EquivalenceResult(ShownTest):
    """Outcome of `equivalence_test`; differences, intervals and margins are in the unit of the data.

    Parameters
    ----------
    difference : float
        Mean over networks of x less that of y.
    ci_low, ci_high : float
        Interval of level 1 - 2 alpha: equivalent when it lies inside (-margin, margin).
    ci_wide_low, ci_wide_high : float
        Interval of level 1 - alpha: different when it excludes 0.
    p_lower, p_upper : float
        One-sided p-values against "difference <= -margin" and "difference >= margin".
    p_equivalence : float
        The larger of the two.
    p_difference : float
        Two-sided p-value against "difference = 0".
    p_beyond : float
        P-value against ``|difference| <= margin``, see `p_beyond_margin`.
    effect_size : float
        Hedges' g over networks.
    margin, minimum_margin : float
        The margin used, and the smallest one with which these data would have been called equivalent. The latter is
        for reports only: a test with a margin that was chosen by it has no level.
    n_x, n_y : int
        Number of networks.
    method : str
        "welch" or "bounded".
    caveat : str
        Why a conclusion drawn here may be wrong more often than ``alpha`` says; "" where the data show no reason.
    unseen_share : float
        Share of networks that may lie anywhere, and yet be absent from the smaller sample with probability ``alpha``.
        Welch's test is valid for populations without such outliers, which no caveat can name. 0 for the bounded test,
        which needs no such condition.
    alpha : float
        Level of each test.
    n_resamples, seed : int
        Number of resamples, 0 for none, and the seed they were drawn with.
    verdict : str
        See `verdict_of`.
    """

    difference: float
    ci_low: float
    ci_high: float
    ci_wide_low: float
    ci_wide_high: float
    p_lower: float
    p_upper: float
    p_equivalence: float
    p_difference: float
    p_beyond: float
    effect_size: float
    margin: float
    minimum_margin: float
    n_x: int
    n_y: int
    method: str
    caveat: str
    unseen_share: float
    alpha: float
    n_resamples: int
    seed: int
    verdict: Verdict

    @property
    def covered(self) -> bool:
        """Whether nothing in the data speaks against the stated level of the conclusions."""
        return self.caveat == ""


def verdict_of(p_equivalence: float, p_difference: float, alpha: float = 0.05) -> Verdict:
    """Put the two p-values into words.

    "equivalent" needs a small p-value of its own: a difference that is not significant is "inconclusive". If both
    p-values are small, the verdict is "trivially different": there is a difference, and it is smaller than the margin.
    A missing p-value supports no conclusion.

    Parameters
    ----------
    p_equivalence, p_difference : float
        P-values, adjusted or not; NaN where a test could not be run.
    alpha : float
        Level of each test.

    Examples
    --------
    >>> verdict_of(p_equivalence=0.4, p_difference=0.6)
    'inconclusive'
    """
    equivalent, different = p_equivalence <= alpha, p_difference <= alpha
    if equivalent and different:
        return "trivially different"
    if equivalent:
        return "equivalent"
    return "different" if different else "inconclusive"


def equivalence_test(
    x: ArrayLike,
    y: ArrayLike,
    margin: float,
    clusters_x: ArrayLike | None = None,
    clusters_y: ArrayLike | None = None,
    alpha: float = 0.05,
    seed: int = 0,
    *,
    bounds: tuple[float, float] | None = None,
    method: str = "auto",
) -> EquivalenceResult:
    """Test whether the means of two samples of networks agree up to a margin.

    The tests are two one-sided tests (TOST) on the network means. Without ``bounds`` they are Welch's. They keep their
    level if the samples are large enough for their skewness, or are skewed alike and of about equal size. The field
    ``caveat`` says where the data speak against this, and a conclusion depends on it. With ``bounds`` the test needs
    no assumption on the distribution inside them, and samples may be constant. At ``alpha = 0.05`` it needs at least
    about ``3 * width / margin`` networks in each sample to conclude equivalence, where ``width`` is the upper bound
    less the lower one.

    Parameters
    ----------
    x, y : array_like
        (n_rows,) one number per row.
    margin : float
        Largest difference of means that does not matter, in the unit of x; fixed before seeing these data.
    clusters_x, clusters_y : array_like, optional
        (n_rows,) the trained network of each row: numbers, text or times. Labels are compared within a sample only.
        Default: each row is a network of its own.
    alpha : float
        Level of each test, in (0, 0.5).
    seed : int
        Seed of the bounded test.
    bounds : (float, float), optional
        Least and largest value the quantity can take, such as (0, 1) for a share.
    method : {"auto", "welch", "bounded"}
        By default the bounded test with ``bounds``, and Welch's without.

    Returns
    -------
    EquivalenceResult

    Raises
    ------
    ValueError
        A margin that is not positive, alpha outside (0, 0.5), a negative seed, settings of another type; fewer than 3
        networks, NaN, masked values, values that are no real numbers; clusters of another length, missing labels or
        labels that cannot be sorted; values outside the bounds, or two constant samples without bounds.

    Notes
    -----
    No test of means without bounds is safe against outliers so rare that a sample lacks them (``unseen_share``).
    ``docs/tests.md`` has the measured error rates, and those of the tests that were compared.

    References
    ----------
    Schuirmann (1987), Journal of Pharmacokinetics and Biopharmaceutics 15, 657-680. `bounded_means.bounded`
    names those of the bounded test, `coverage.caveats` those of the caveats. Bahadur and Savage (1956), Annals of
    Mathematical Statistics 27, 1115-1122, show that outliers cannot be excluded.

    Examples
    --------
    >>> result = equivalence_test([0.1, 0.2, 0.3, 0.2], [0.2, 0.1, 0.2, 0.3], margin=0.5)
    >>> result.verdict, round(result.difference, 3)
    ('equivalent', 0.0)
    """
    margin, alpha, seed = check_settings(margin, alpha, seed)
    means_x = network_means(x, clusters_x, "x", "clusters_x")
    means_y = network_means(y, clusters_y, "y", "clusters_y")
    bounds = check_bounds(bounds, margin, {"x": means_x, "y": means_y})
    if (bounds is None or method == "welch") and is_constant(means_x) and is_constant(means_y):
        raise ValueError("x and y are both constant; give bounds, such as (0, 1), and use the bounded test")
    exponent = unit_exponent(means_x, means_y, np.array(bounds or ()))
    means_x, means_y = times_power_of_two(means_x, -exponent), times_power_of_two(means_y, -exponent)
    unit_margin, unit_bounds = times_power_of_two(margin, -exponent), scaled_bounds(bounds, exponent)
    # One fixed order, so that exchanging the samples mirrors the result exactly, resampling included.
    swapped = (len(means_x), *means_x) > (len(means_y), *means_y)
    first, second = (means_y, means_x) if swapped else (means_x, means_y)
    inside, outside = (
        infer_means(first[None], second[None], at, alpha, seed, unit_bounds, method)
        for at in (unit_margin, -unit_margin)
    )
    p_beyond = float(p_beyond_margin(inside, outside)[0])
    inference = inside.mirrored() if swapped else inside
    return result_in_unit(means_x, means_y, inference, p_beyond, margin, alpha, seed, exponent)


def result_in_unit(
    x: Float[np.ndarray, " n"],
    y: Float[np.ndarray, " m"],
    inference: MeanDifference,
    p_beyond: float,
    margin: float,
    alpha: float,
    seed: int,
    exponent: int,
) -> EquivalenceResult:
    """Result in the unit of the data, ``2**exponent`` times that of the samples and the inference."""
    own = {name: values[0].item() for name, values in vars(inference).items()}
    own |= {name: times_power_of_two(own[name], exponent) for name in _IN_UNIT}
    p_equivalence = max(own["p_lower"], own["p_upper"])
    return EquivalenceResult(
        difference=times_power_of_two(float(x.mean() - y.mean()), exponent),
        p_equivalence=p_equivalence,
        p_beyond=p_beyond,
        effect_size=hedges_g(x, y),
        margin=margin,
        minimum_margin=max(own["ci_high"], -own["ci_low"]),
        n_x=len(x),
        n_y=len(y),
        unseen_share=0.0 if own["method"] == "bounded" else unseen_share(min(len(x), len(y)), alpha),
        alpha=alpha,
        seed=seed,
        verdict=verdict_of(p_equivalence, own["p_difference"], alpha),
        **own,
    )
