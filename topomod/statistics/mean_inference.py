"""The choice of a method for a difference of two means."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from topomod.statistics.bounded_means import bounded
from topomod.statistics.mean_difference import MeanDifference
from topomod.statistics.welch import welch

N_RESAMPLES = 9999
METHODS = ("auto", "welch", "bounded")


@np.errstate(over="ignore")  # a margin can be so many standard errors that t is infinite
def infer_means(
    x: Float[np.ndarray, "b n"],
    y: Float[np.ndarray, "b m"],
    margin: float,
    alpha: float,
    seed: int,
    bounds: tuple[float, float] | None = None,
    method: str = "auto",
    n_resamples: int | None = None,
) -> MeanDifference:
    """Infer the difference of means of each pair of samples by the method that `equivalence_test` describes.

    Parameters
    ----------
    x, y : ndarray
        (b, n) and (b, m) network means. For Welch's test at least one sample of each pair varies.
    margin, alpha, seed, bounds
        As in `equivalence_test`, already checked.
    method : {"auto", "welch", "bounded"}
        By default the bounded test with bounds, and Welch's without.
    n_resamples : int, optional
        Default: ``N_RESAMPLES``.

    Raises
    ------
    ValueError
        For an unknown method, or the bounded one without bounds.
    """
    if method not in METHODS:
        raise ValueError(f"method is {method!r}; it must be one of {', '.join(METHODS)}")
    if method == "bounded" and bounds is None:
        raise ValueError("method is 'bounded' but there are no bounds; give them, such as (0, 1) for a share")
    if method == "welch" or bounds is None:
        return welch(x, y, margin, alpha)
    return bounded(x, y, margin, alpha, bounds, seed, n_resamples or N_RESAMPLES)
