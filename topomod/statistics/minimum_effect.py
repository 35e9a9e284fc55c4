"""The minimum-effect test, which shows that the difference of two means is beyond the margin."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from topomod.statistics.mean_difference import MeanDifference


def p_beyond_margin(inside: MeanDifference, outside: MeanDifference) -> Float[np.ndarray, " b"]:
    """P-value against "the difference lies in [-margin, margin]", for each pair of samples.

    For a difference above 0 it is the p-value against "difference <= margin" plus that against "difference <= -margin".
    The second one counts samples that are as far out on the other side; it matters only where the margin is no larger
    than the standard error. At a margin of 0 the sum is the two-sided p-value of a difference.

    Parameters
    ----------
    inside : MeanDifference
        Inference with the margin: its ``p_lower`` is against "difference <= -margin".
    outside : MeanDifference
        Inference with the margin's negative: its ``p_lower`` is against "difference <= margin".

    References
    ----------
    Hodges and Lehmann (1954), Testing the approximate validity of statistical hypotheses, Journal of the Royal
    Statistical Society B 16, 261-268.
    """
    above, below = outside.p_lower + inside.p_lower, outside.p_upper + inside.p_upper
    return np.asarray(np.minimum(1.0, np.minimum(above, below)))
