"""Whether the guarantee of Welch's test covers given data: the signs of danger that samples can show.

No sample shows all of them. Networks far from all others, too rare to be among n, can move a mean by any amount, and no
test of means without bounds is safe against them (Bahadur and Savage 1956). `unseen_share` says how many there can be.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy import special

from topomod.statistics.mean_difference import deviations, is_constant, variances

# These and `FACTORS` were chosen by simulation: errors without a caveat stay within the level (`benchmarks/errors.py`).
SHIFT = 0.11  # of the quantiles of t, that skewness may cause
SHIFT_UNSEEN = 0.3  # the same, that a sample of this size may hide
PILED = "more than half of a sample's networks share its smallest or its largest value; give bounds if there are any"
FEW = "there are too few networks to show whether their populations are skewed, which this level needs"
SKEWED = "the samples are skewed, and not alike; the test can err more often than its level says"
# A conclusion needs no caveat where it also stands with a standard error so many times larger.
FACTORS = {"": 1.0, SKEWED: 2.0, FEW: 3.0, PILED: np.inf}


def caveats(
    x: Float[np.ndarray, "b n"], y: Float[np.ndarray, "b m"] | None, alpha: float, strength: Float[np.ndarray, " b"]
) -> np.ndarray:
    """Why conclusions of Welch's test at level alpha may be wrong more often than that; "" where nothing shows it.

    Skewness moves the quantiles of t by about ``g (2 z^2 + 1) / 6``, where g is the skewness of the difference of the
    means. The skewness of a sample is estimated from its L-skewness tau as ``6 tau + 36 tau^3``, which is nearly that
    of gamma and lognormal distributions. The third moment of a sample shows a fraction of it.

    Parameters
    ----------
    x, y : ndarray
        (b, n) and (b, m) network means; y is None where x holds the differences of pairs.
    alpha : float
        Level of each one-sided test.
    strength : ndarray
        (b,) factor by which the standard error could grow before a conclusion is lost; infinite where nothing was
        concluded, so that nothing can be wrong.

    References
    ----------
    Hall, The Bootstrap and Edgeworth Expansion (1992), section 2.6. Hosking (1990), L-moments, Journal of the Royal
    Statistical Society B 52, 105-124.
    """
    other = np.zeros_like(x) if y is None else y
    found = np.where(_shift(x, other, alpha) > SHIFT, SKEWED, "")
    found = np.where(_shift_unseen(min(x.shape[1], other.shape[1]), alpha) > SHIFT_UNSEEN, FEW, found)
    found = np.where(_is_piled(x) | (_is_piled(y) if y is not None else False), PILED, found)
    needed = np.array([FACTORS[name] for name in found.tolist()])
    return np.where((strength < needed) & np.isfinite(strength), found, "")


def _shift(x: Float[np.ndarray, "b n"], y: Float[np.ndarray, "b m"], alpha: float) -> Float[np.ndarray, " b"]:
    """Move of the quantiles of t that the samples show, and half its standard error for normal samples."""
    centred_x, centred_y, _ = deviations(x, y)
    v_x, v_y = variances(centred_x) / x.shape[1], variances(centred_y) / y.shape[1]
    total = np.maximum(v_x + v_y, np.finfo(float).tiny)
    weight_x, weight_y = (v_x / total) ** 1.5 / np.sqrt(x.shape[1]), (v_y / total) ** 1.5 / np.sqrt(y.shape[1])
    skewness_x, skewness_y = (6 * tau + 36 * tau**3 for tau in (l_skewness(x), l_skewness(y)))
    skewness = np.abs(weight_x * skewness_x - weight_y * skewness_y)
    error = 6 * np.hypot(weight_x * _normal_error(x.shape[1]), weight_y * _normal_error(y.shape[1]))
    return np.asarray(_per_skewness(alpha) * (skewness + error / 2))


def _shift_unseen(n: int, alpha: float) -> float:
    """Standard error of the move of the quantiles of t for one normal sample of n."""
    return float(_per_skewness(alpha) * 6 * _normal_error(n) / np.sqrt(n))


def _per_skewness(alpha: float) -> float:
    return (2 * float(special.ndtri(alpha)) ** 2 + 1) / 6


def l_skewness(values: Float[np.ndarray, "b n"]) -> Float[np.ndarray, " b"]:
    """Third L-moment over the second, in (-1, 1); 0 for a constant sample.

    Examples
    --------
    >>> l_skewness(np.array([[1.0, 2.0, 3.0], [0.0, 0.0, 1.0]])).tolist()
    [0.0, 1.0]
    """
    n = values.shape[1]
    ordered = np.sort(values - values.mean(axis=1, keepdims=True), axis=1)
    rank = np.arange(n)
    second = (ordered * (2 * rank / (n - 1) - 1)).mean(axis=1)
    third = (ordered * (6 * rank * (rank - 1) / ((n - 1) * (n - 2)) - 6 * rank / (n - 1) + 1)).mean(axis=1)
    varied = ~is_constant(values) & (second > 0)
    return np.asarray(np.divide(third, second, out=np.zeros_like(third), where=varied))


def _normal_error(n: int) -> float:
    """Standard error of the L-skewness of n normal values (Hosking 1990, table 4, with a term for small samples)."""
    return float(np.sqrt(0.1866 / n + 0.8 / n**2))


def _is_piled(values: Float[np.ndarray, "b n"]) -> np.ndarray:
    """Whether more than half of a sample are equal to its smallest or to its largest value."""
    ends = (values.min(axis=1, keepdims=True), values.max(axis=1, keepdims=True))
    return np.asarray(np.maximum(*((values == end).mean(axis=1) for end in ends)) > 0.5)


def unseen_share(n: int, alpha: float) -> float:
    """Largest share of networks that n of them lack altogether with probability alpha.

    Examples
    --------
    >>> round(unseen_share(50, 0.05), 3)
    0.058
    """
    return float(1 - alpha ** (1 / n))
