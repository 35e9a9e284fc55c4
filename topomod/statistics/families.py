"""Holm's adjustment of a family of tests, and the level of intervals that agree with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from topomod.statistics.arguments import number_array
from topomod.statistics.equivalence import verdict_of

if TYPE_CHECKING:
    import pandas as pd


def holm(p_values: ArrayLike) -> Float[np.ndarray, " n"]:
    """Holm's adjusted p-values of one family.

    Parameters
    ----------
    p_values : array_like
        (n_tests,). NaN stands for a planned test that could not be run. It stays NaN, and counts in the family.

    Raises
    ------
    ValueError
        A p-value outside [0, 1], masked, or no real number.

    References
    ----------
    Holm (1979), Scandinavian Journal of Statistics 6, 65-70.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).round(2).tolist()
    [0.03, 0.06, 0.06]
    """
    values = number_array(p_values, "p_values")
    missing = np.isnan(values)
    if ((values < 0) | (values > 1)).any():
        raise ValueError("p_values must lie in [0, 1]")
    if missing.all():
        return values.copy()
    known = np.where(missing, 1.0, values)
    order = np.argsort(known)
    adjusted = np.empty_like(known)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(known[order] * np.arange(len(known), 0, -1)))
    return np.where(missing, np.nan, adjusted)


def holm_level(p_values: ArrayLike, alpha: float = 0.05) -> float:
    """Level at which single tests conclude just what Holm's procedure concludes of a family at ``alpha``.

    Intervals of this level agree with the adjusted verdicts: those that lie inside the margin are the equivalent ones.
    With r of m tests concluded it is ``alpha / (m - r)``, and ``alpha`` where all are.

    Parameters
    ----------
    p_values : array_like
        (n_tests,), as in `holm`.
    alpha : float
        Familywise level.

    Raises
    ------
    ValueError
        As `holm`.

    Examples
    --------
    >>> holm_level([0.001, 0.02, 0.03, 0.5])
    0.016666666666666666
    """
    adjusted = holm(p_values)
    return alpha / max(1, len(adjusted) - int((adjusted <= alpha).sum()))


def adjust_family(table: pd.DataFrame, family: Sequence[str] = (), alpha: float = 0.05) -> pd.DataFrame:
    """Adjust the tests of a table by Holm within each family, equivalences and differences apart.

    Parameters
    ----------
    table : DataFrame
        One test per row, with ``p_equivalence`` and ``p_difference``.
    family : sequence of str
        Columns whose values together name the family of a row. Without columns the whole table is one family.
    alpha : float
        Familywise level of each of the two.

    Returns
    -------
    DataFrame
        The table with ``p_equivalence_adjusted``, ``p_difference_adjusted``, the ``verdict`` from them, and the earlier
        verdict, if any, as ``verdict_unadjusted``; ``level_equivalence`` and ``level_difference`` of each family are
        those of `holm_level`, for intervals that agree with the verdicts. Intervals of the table stay as they are.
    """
    adjusted = table.rename(columns={"verdict": "verdict_unadjusted"})
    for kind in ("equivalence", "difference"):
        values = adjusted[f"p_{kind}"]
        if family:
            groups = adjusted.groupby(list(family), dropna=False)[f"p_{kind}"]
            adjusted[f"p_{kind}_adjusted"] = groups.transform(holm)
            adjusted[f"level_{kind}"] = groups.transform(holm_level, alpha)
        else:
            adjusted[f"p_{kind}_adjusted"] = holm(values)
            adjusted[f"level_{kind}"] = holm_level(values, alpha)
    pairs = zip(adjusted["p_equivalence_adjusted"], adjusted["p_difference_adjusted"], strict=True)
    adjusted["verdict"] = [verdict_of(equivalence, difference, alpha) for equivalence, difference in pairs]
    return adjusted
