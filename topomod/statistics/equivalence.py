"""Whether two samples of networks have the same mean, up to a margin: tests, verdicts, families of tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from topomod.statistics.mean_difference import MeanDifference, is_constant
from topomod.statistics.mean_inference import infer_means
from topomod.statistics.samples import check_settings, network_means

if TYPE_CHECKING:
    import pandas as pd

Verdict = Literal["equivalent", "different", "trivially different", "inconclusive"]


@dataclass(frozen=True)
class EquivalenceResult:
    """Outcome of `equivalence_test`; all quantities but p-values and ``effect_size`` in the unit of the data.

    Parameters
    ----------
    difference : float
        Mean over networks of x less that of y.
    ci_low, ci_high : float
        Interval of level 1 - 2 alpha: equivalent when it lies inside (-margin, margin).
    ci_wide_low, ci_wide_high : float
        Interval of level 1 - alpha: different when it excludes 0.
    p_lower, p_upper : float
        Against "difference <= -margin" and "difference >= margin".
    p_equivalence : float
        The larger of the two.
    p_difference : float
        Two-sided, against "difference = 0".
    effect_size : float
        Hedges' g over networks.
    margin, minimum_margin : float
        The margin used, and the smallest one with which these data would have been called equivalent: to be
        reported, never to be chosen.
    n_x, n_y : int
        Number of networks.
    method : str
        "welch", "bootstrap-t", "welch+bootstrap-t" (the more cautious of both) or "bounded".
    alpha : float
        Level of each test.
    n_resamples, seed : int
        Resamples drawn (0 for none) and what they were drawn with.
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
    effect_size: float
    margin: float
    minimum_margin: float
    n_x: int
    n_y: int
    method: str
    alpha: float
    n_resamples: int
    seed: int
    verdict: Verdict


def verdict_of(p_equivalence: float, p_difference: float, alpha: float = 0.05) -> Verdict:
    """Put the two p-values into words.

    "equivalent" needs evidence of its own; a difference that is not significant is "inconclusive". Both at
    once is "trivially different": a difference is there, and smaller than the margin. A missing p-value
    supports nothing.

    Parameters
    ----------
    p_equivalence, p_difference : float
        P-values, adjusted or not; NaN where a test could not be run.
    alpha : float
        Level of each.

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

    Two one-sided tests (TOST) on the network means. Without ``bounds`` Welch's; where the skewness of the
    data is predicted to move its size by more than a fifth of ``alpha``, the more cautious of Welch's and a
    bootstrap-t. With ``bounds``, a test that is valid for any distribution inside them, constant samples
    included; it needs about ``3 / margin`` networks (relative to the width of the bounds) to conclude
    equivalence at all.

    Parameters
    ----------
    x, y : array_like
        (n_rows,) one number per row.
    margin : float
        Largest difference of means that does not matter, in the unit of x; fixed before seeing these data.
    clusters_x, clusters_y : array_like, optional
        (n_rows,) the trained network of each row; compared within a sample only. Default: each row its own.
    alpha : float
        Level of each test, in (0, 0.5).
    seed : int
        Of the resampling.
    bounds : (float, float), optional
        Least and largest value the quantity can take, such as (0, 1) for a share.
    method : {"auto", "welch", "bootstrap-t"}
        Without ``bounds``: the rule above, or one of the two.

    Returns
    -------
    EquivalenceResult

    Raises
    ------
    ValueError
        Margin not positive, alpha outside (0, 0.5), fewer than 3 networks, NaN, clusters of another length,
        values outside the bounds, or two constant samples without bounds.

    References
    ----------
    Schuirmann (1987), Journal of Pharmacokinetics and Biopharmaceutics 15, 657-680. `bounded_means.bounded`
    names those of the bounded test.

    Examples
    --------
    >>> result = equivalence_test([0.1, 0.2, 0.3, 0.2], [0.2, 0.1, 0.2, 0.3], margin=0.5)
    >>> result.verdict, round(result.difference, 3)
    ('equivalent', 0.0)
    """
    check_settings(margin, alpha)
    means_x = network_means(x, clusters_x, "x")
    means_y = network_means(y, clusters_y, "y")
    if bounds is not None:
        _check_bounds(means_x, means_y, margin, bounds)
    elif is_constant(means_x) and is_constant(means_y):
        raise ValueError("x and y are both constant; give bounds if the quantity is bounded, such as (0, 1)")
    # One fixed order, so that exchanging the samples mirrors the result exactly, resampling included.
    swapped = (len(means_x), *means_x) > (len(means_y), *means_y)
    first, second = (means_y, means_x) if swapped else (means_x, means_y)
    inference = infer_means(first[None], second[None], margin, alpha, seed, bounds, method)
    return _result(means_x, means_y, inference.mirrored() if swapped else inference, margin, alpha, seed)


def _check_bounds(
    x: Float[np.ndarray, " n"], y: Float[np.ndarray, " m"], margin: float, bounds: tuple[float, float]
) -> None:
    """Refuse bounds that the data or the margin contradict."""
    low, high = bounds
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise ValueError(f"bounds are {bounds}; they must be two finite numbers, the lower one first")
    slack = 1e-9 * (high - low)
    for name, values in (("x", x), ("y", y)):
        if values.min() < low - slack or values.max() > high + slack:
            raise ValueError(f"{name} runs from {values.min():g} to {values.max():g}, outside its bounds {bounds}")
    if margin >= high - low:
        raise ValueError(f"margin is {margin} but bounds {bounds} allow no larger difference; choose a smaller one")


def _result(
    x: Float[np.ndarray, " n"],
    y: Float[np.ndarray, " m"],
    inference: MeanDifference,
    margin: float,
    alpha: float,
    seed: int,
) -> EquivalenceResult:
    own = {name: values[0].item() for name, values in vars(inference).items()}
    p_equivalence = max(own["p_lower"], own["p_upper"])
    return EquivalenceResult(
        difference=float(x.mean() - y.mean()),
        p_equivalence=p_equivalence,
        effect_size=hedges_g(x, y),
        margin=margin,
        minimum_margin=max(own["ci_high"], -own["ci_low"]),
        n_x=len(x),
        n_y=len(y),
        alpha=alpha,
        seed=seed,
        verdict=verdict_of(p_equivalence, own["p_difference"], alpha),
        **own,
    )


def hedges_g(x: Float[np.ndarray, " n"], y: Float[np.ndarray, " m"]) -> float:
    """Standardised difference of two means, corrected for small samples; infinite where nothing varies.

    References
    ----------
    Hedges (1981), Journal of Educational Statistics 6, 107-128.
    """
    difference = float(x.mean() - y.mean())
    df = len(x) + len(y) - 2
    if is_constant(x) and is_constant(y):
        return 0.0 if is_constant(np.concatenate([x, y])) else float(np.copysign(np.inf, difference))
    pooled = np.sqrt(((len(x) - 1) * x.var(ddof=1) + (len(y) - 1) * y.var(ddof=1)) / df)
    return (1 - 3 / (4 * df - 1)) * difference / float(pooled)


def holm(p_values: ArrayLike) -> Float[np.ndarray, " n"]:
    """Holm's adjusted p-values of one family.

    Parameters
    ----------
    p_values : array_like
        (n_tests,). A NaN, a planned test that could not be run, stays NaN and still counts in the family.

    Raises
    ------
    ValueError
        A p-value outside [0, 1].

    References
    ----------
    Holm (1979), Scandinavian Journal of Statistics 6, 65-70.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).round(2).tolist()
    [0.03, 0.06, 0.06]
    """
    from statsmodels.stats.multitest import multipletests

    values = np.asarray(p_values, dtype=float)
    missing = np.isnan(values)
    if ((values < 0) | (values > 1)).any():
        raise ValueError("p_values must lie in [0, 1]")
    if missing.all():
        return values.copy()
    adjusted = np.asarray(multipletests(np.where(missing, 1.0, values), method="holm")[1], dtype=float)
    return np.where(missing, np.nan, adjusted)


def adjust_family(table: pd.DataFrame, family: Sequence[str] = (), alpha: float = 0.05) -> pd.DataFrame:
    """Adjust the tests of a table by Holm within each family, equivalences and differences apart.

    Parameters
    ----------
    table : DataFrame
        One test per row, with ``p_equivalence`` and ``p_difference``.
    family : sequence of str
        Columns whose values together name the family of a row; none: the whole table is one family.
    alpha : float
        Familywise level of each of the two.

    Returns
    -------
    DataFrame
        The table with ``p_equivalence_adjusted``, ``p_difference_adjusted``, the ``verdict`` from them, and
        the earlier verdict, if any, as ``verdict_unadjusted``. Intervals stay those of single tests.
    """
    adjusted = table.rename(columns={"verdict": "verdict_unadjusted"})
    for column in ("p_equivalence", "p_difference"):
        name = f"{column}_adjusted"
        if family:
            adjusted[name] = adjusted.groupby(list(family), dropna=False)[column].transform(holm)
        else:
            adjusted[name] = holm(adjusted[column])
    pairs = zip(adjusted["p_equivalence_adjusted"], adjusted["p_difference_adjusted"], strict=True)
    adjusted["verdict"] = [verdict_of(equivalence, difference, alpha) for equivalence, difference in pairs]
    return adjusted
