"""Looks spend the level as published, and together keep it."""

import numpy as np
import pytest
from scipy import stats

from topomod.statistics.looks import (
    SPENDING,
    crossing_probabilities,
    obrien_fleming_spending,
    plan_looks,
    pocock_spending,
    spending_bounds,
)

FIFTHS = np.arange(1, 6) / 5


@pytest.mark.parametrize(
    ("bounds", "level"),
    [
        (np.full(5, 2.413), 0.05),  # Pocock (1977), Biometrika 64, table 1
        (2.040 * np.sqrt(1 / FIFTHS), 0.05),  # O'Brien and Fleming (1979); Jennison and Turnbull (2000), table 2.3
        (np.full(5, 2.986), 0.01),
    ],
)
def test_published_constants_have_their_level(bounds, level):
    assert crossing_probabilities(FIFTHS, bounds, both=True).sum() == pytest.approx(level, abs=2e-4)


@pytest.mark.parametrize(
    ("spending", "bounds"),
    [  # the tables that the program of Reboussin et al. (2000), Controlled Clinical Trials 21, 190-207, prints
        (obrien_fleming_spending, (4.8769, 3.3569, 2.6803, 2.2898, 2.0310)),
        (pocock_spending, (2.4380, 2.4268, 2.4101, 2.3966, 2.3859)),
    ],
)
def test_spending_bounds_are_the_published_ones(spending, bounds):
    found = spending_bounds(FIFTHS, 2 * spending(FIFTHS, 0.025), both=True)
    assert found == pytest.approx(bounds, abs=2e-4)


@pytest.mark.parametrize("both", [False, True])
def test_the_recursion_is_the_multivariate_normal_integral(both):
    fractions, bounds = np.array([0.3, 0.6, 1.0]), np.array([2.2, 2.0, 1.9])
    correlation = np.sqrt(np.minimum.outer(fractions, fractions) / np.maximum.outer(fractions, fractions))
    normal = stats.multivariate_normal(cov=correlation, abseps=1e-8, releps=1e-8)
    inside = normal.cdf(bounds, lower_limit=-bounds if both else np.full(3, -np.inf), rng=np.random.default_rng(0))
    assert 1 - crossing_probabilities(fractions, bounds, both=both).sum() == pytest.approx(float(inside), abs=1e-6)


@pytest.mark.parametrize("spending", SPENDING)
def test_all_looks_together_have_the_level(spending):
    looks = plan_looks([10, 30, 35, 100], 0.05, spending)
    fractions = np.array([look.n for look in looks]) / 100
    one_sided = stats.norm.isf([look.equivalence for look in looks])
    two_sided = stats.norm.isf([look.difference / 2 for look in looks])
    assert crossing_probabilities(fractions, one_sided).sum() == pytest.approx(0.05, abs=1e-8)
    assert crossing_probabilities(fractions, two_sided, both=True).sum() <= 0.05 + 1e-8
    assert all(0 < look.level == min(look.equivalence, look.difference) < 0.05 for look in looks)


def test_one_look_is_a_single_test():
    (look,) = plan_looks([40], 0.05)
    assert (look.equivalence, look.difference) == pytest.approx((0.05, 0.05))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([],), "one or more numbers that rise"),
        (([20, 20],), "one or more numbers that rise"),
        (([40, 20],), "one or more numbers that rise"),
        (([2, 20],), "a look is 2; it must be a whole number, at least 3"),
        (([20], 0.5), "alpha is 0.5"),
        (([20], 0.05, "haybittle"), "spending is 'haybittle'; it must be one of pocock, obrien-fleming"),
    ],
)
def test_bad_looks_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        plan_looks(*arguments)
