"""Levels of tests that are repeated as a study grows, so that all looks together keep the level.

A study may look at its circuits several times, and stop once it concludes, if it declares beforehand how many networks
each look has. Each look then spends a part of the level.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import optimize, special

from topomod.statistics.arguments import check_number, check_whole, describe
from topomod.statistics.samples import MIN_NETWORKS

_FAR = 9.0  # standard errors beyond which there is no probability to speak of
_NODES = 200  # of the integral over the scores of one look; bounds then have eight correct digits


def pocock_spending(fraction: Float[np.ndarray, " k"], alpha: float) -> Float[np.ndarray, " k"]:
    """Level spent up to a fraction of the networks, in nearly equal parts (Lan and DeMets 1983)."""
    return np.asarray(alpha * np.log(1 + (math.e - 1) * fraction))


def obrien_fleming_spending(fraction: Float[np.ndarray, " k"], alpha: float) -> Float[np.ndarray, " k"]:
    """Level spent up to a fraction of the networks, nearly all of it at the end (Lan and DeMets 1983)."""
    return np.asarray(2 * special.ndtr(special.ndtri(alpha / 2) / np.sqrt(fraction)))


SPENDING = {"pocock": pocock_spending, "obrien-fleming": obrien_fleming_spending}


@dataclass(frozen=True)
class Look:
    """One declared look.

    Parameters
    ----------
    n : int
        Networks in each sample.
    equivalence : float
        Level at which this look tests equivalence: each of its two one-sided tests.
    difference : float
        Level at which this look tests a difference, two-sided.
    """

    n: int
    equivalence: float
    difference: float

    @property
    def level(self) -> float:
        """The smaller of the two: the ``alpha`` of this look's `equivalence_test`."""
        return min(self.equivalence, self.difference)


def plan_looks(looks: Sequence[int], alpha: float = 0.05, spending: str = "pocock") -> list[Look]:
    """Level of each of several declared looks at growing samples.

    A study that tests at each look with ``alpha=look.level``, and stops when it concludes, concludes equivalence at the
    margin, and a difference where there is none, in at most a share ``alpha`` of studies each. The levels are
    exact for normal estimates. ``benchmarks/errors.py looks`` has the rates of the tests.

    Parameters
    ----------
    looks : sequence of int
        Networks in each sample at each look, at least 3, rising; the last is the largest number that is trained.
    alpha : float
        Level of all looks together, in (0, 0.5).
    spending : {"pocock", "obrien-fleming"}
        The first has nearly equal levels, and stops early; the second is strict at first, and tests at nearly
        ``alpha`` at the end.

    Raises
    ------
    ValueError
        No looks, looks that do not rise or have fewer than 3 networks, alpha outside (0, 0.5), unknown spending.

    References
    ----------
    Lan and DeMets (1983), Discrete sequential boundaries for clinical trials, Biometrika 70, 659-663. The recursion is
    that of Armitage, McPherson and Rowe (1969), Journal of the Royal Statistical Society A 132, 235-244.

    Examples
    --------
    >>> [round(look.level, 4) for look in plan_looks([20, 40, 60, 80, 100])]
    [0.0148, 0.0152, 0.0159, 0.0165, 0.017]
    """
    numbers = [check_whole(n, "a look", MIN_NETWORKS) for n in looks]
    if not numbers or any(later <= earlier for earlier, later in zip(numbers, numbers[1:], strict=False)):
        raise ValueError(f"looks are {describe(tuple(looks))}; they must be one or more numbers that rise")
    alpha = check_number(alpha, "alpha", "be a number strictly between 0 and 0.5", lambda number: 0 < number < 0.5)
    if spending not in SPENDING:
        raise ValueError(f"spending is {spending!r}; it must be one of {', '.join(SPENDING)}")
    fractions = np.array(numbers) / numbers[-1]
    one_sided = special.ndtr(-spending_bounds(fractions, SPENDING[spending](fractions, alpha)))
    two_sided = 2 * special.ndtr(-spending_bounds(fractions, SPENDING[spending](fractions, alpha / 2) * 2, both=True))
    return [Look(n, float(a), float(b)) for n, a, b in zip(numbers, one_sided, two_sided, strict=True)]


def spending_bounds(
    fractions: Float[np.ndarray, " k"], spent: Float[np.ndarray, " k"], *, both: bool = False
) -> Float[np.ndarray, " k"]:
    """Bounds on z at each look, which are first crossed with the probabilities that are spent.

    Parameters
    ----------
    fractions : ndarray
        (k,) information at each look over that at the last.
    spent : ndarray
        (k,) level spent up to each look.
    both : bool
        Whether the bounds hold on both sides of 0.
    """
    bounds: list[float] = []
    studies = _Studies.all_at_once()
    for fraction, target in zip(fractions, np.diff(spent, prepend=0.0), strict=True):
        bounds.append(studies.bound(fraction, target, both))
        studies = studies.that_go_on(fraction, bounds[-1], both)
    return np.array(bounds)


def crossing_probabilities(
    fractions: Float[np.ndarray, " k"], bounds: Float[np.ndarray, " k"], *, both: bool = False
) -> Float[np.ndarray, " k"]:
    """Probability that z first crosses its bound at each look, where there is no difference.

    Parameters
    ----------
    fractions, bounds, both
        As in `spending_bounds`.
    """
    crossed, studies = [], _Studies.all_at_once()
    for fraction, bound in zip(fractions, bounds, strict=True):
        crossed.append(studies.crossing(fraction, bound, both))
        studies = studies.that_go_on(fraction, bound, both)
    return np.array(crossed)


@dataclass(frozen=True)
class _Studies:
    """Distribution of the score ``z sqrt(fraction)`` among studies without a difference that no look has stopped.

    Scores have independent normal increments. Their density is carried from look to look on the nodes of an integral.
    """

    fraction: float
    scores: Float[np.ndarray, " n"]
    weights: Float[np.ndarray, " n"]

    @classmethod
    def all_at_once(cls) -> _Studies:
        return cls(0.0, np.zeros(1), np.ones(1))

    def crossing(self, fraction: float, bound: float, both: bool) -> float:
        """Probability to go on up to this look, and to cross its bound there."""
        step, end = math.sqrt(fraction - self.fraction), bound * math.sqrt(fraction)
        below = special.ndtr((-end - self.scores) / step) if both else 0.0
        return float(self.weights @ (special.ndtr((self.scores - end) / step) + below))

    def bound(self, fraction: float, target: float, both: bool) -> float:
        """Bound that is crossed with a given probability, at most ``_FAR``."""
        if self.crossing(fraction, _FAR, both) >= target:
            return _FAR

        def excess(bound: float) -> float:
            return self.crossing(fraction, bound, both) - target

        return float(optimize.brentq(excess, 0.0 if both else -_FAR, _FAR, xtol=1e-10))

    def that_go_on(self, fraction: float, bound: float, both: bool) -> _Studies:
        """Those that do not cross the bound."""
        step, scale = math.sqrt(fraction - self.fraction), math.sqrt(fraction)
        low, high = (-bound if both else -_FAR) * scale, bound * scale
        nodes, weights = special.roots_legendre(_NODES)
        scores = (high - low) / 2 * nodes + (high + low) / 2
        density = np.exp(-(((scores[:, None] - self.scores) / step) ** 2) / 2) @ self.weights
        return _Studies(fraction, scores, density * weights * (high - low) / 2 / (step * math.sqrt(2 * math.pi)))
