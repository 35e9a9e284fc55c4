"""The choice of a method for a difference of two means, from the data and from what is known of their range."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
from jaxtyping import Float

from topomod.statistics.bootstrap_t import bootstrap_t
from topomod.statistics.bounded_means import bounded
from topomod.statistics.mean_difference import MeanDifference, cautious
from topomod.statistics.welch import edgeworth_t, welch, welch_size_error

N_RESAMPLES = 9999
METHODS = ("auto", "welch", "bootstrap-t")
# Welch's test is used alone while skewness is predicted to move its one-sided size by less than this share of alpha.
TOLERATED_SIZE_ERROR = 0.1


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
        (b, n) and (b, m) network means. Without bounds at least one sample of each pair varies.
    margin, alpha, seed, bounds
        As in `equivalence_test`, already checked.
    method : {"auto", "welch", "bootstrap-t"}
        Without bounds: the choice from the data, or one method.
    n_resamples : int, optional
        Default: ``N_RESAMPLES``.

    Raises
    ------
    ValueError
        For an unknown method.
    """
    if method not in METHODS:
        raise ValueError(f"method is {method!r}; it must be one of {', '.join(METHODS)}")
    n_resamples = n_resamples or N_RESAMPLES
    if bounds is not None:
        return bounded(x, y, margin, alpha, bounds, seed, n_resamples)
    if method == "bootstrap-t":
        return bootstrap_t(x, y, margin, alpha, seed, n_resamples)
    by_welch = welch(x, y, margin, alpha)
    skewed = welch_size_error(x, y, alpha) > TOLERATED_SIZE_ERROR * alpha
    if method == "welch" or not skewed.any():
        return by_welch
    part = MeanDifference(**{field.name: getattr(by_welch, field.name)[skewed] for field in fields(by_welch)})
    corrected = edgeworth_t(x[skewed], y[skewed], margin, alpha)
    both = cautious(cautious(part, corrected), bootstrap_t(x[skewed], y[skewed], margin, alpha, seed, n_resamples))
    merged = {}
    for field in fields(both):
        values = getattr(by_welch, field.name).astype(getattr(both, field.name).dtype)
        values[skewed] = getattr(both, field.name)
        merged[field.name] = values
    return MeanDifference(**merged)
