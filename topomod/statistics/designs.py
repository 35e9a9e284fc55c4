"""Designs beside two independent samples: pairs of networks, several groups, and groups along an ordered factor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from numpy.typing import ArrayLike

from topomod.statistics.arguments import check_settings, describe
from topomod.statistics.equivalence import EquivalenceResult, equivalence_test, result_in_unit
from topomod.statistics.families import holm
from topomod.statistics.mean_difference import is_constant
from topomod.statistics.minimum_effect import p_beyond_margin
from topomod.statistics.questions import AnswerWord, answer_of
from topomod.statistics.samples import check_partners, labelled_means
from topomod.statistics.welch import paired
from topomod.topology.scale import times_power_of_two, unit_exponent


def paired_equivalence_test(
    x: ArrayLike,
    y: ArrayLike,
    margin: float,
    clusters_x: ArrayLike | None = None,
    clusters_y: ArrayLike | None = None,
    alpha: float = 0.05,
) -> EquivalenceResult:
    """Test whether paired samples of networks have the same mean up to a margin: one seed or one split in both.

    The tests are two one-sided t tests of the mean difference. What the two networks of a pair have in common cancels,
    so fewer networks are needed where they are alike.

    Parameters
    ----------
    x, y : array_like
        (n_rows,) one number per row.
    margin, alpha
        As in `equivalence_test`.
    clusters_x, clusters_y : array_like, optional
        (n_rows,) the label of each row's network; the two networks of a pair have one label. Default: rows are
        networks, paired in their order.

    Returns
    -------
    EquivalenceResult
        With the method "paired t".

    Raises
    ------
    ValueError
        A network without its partner, differences that are all alike, and as `equivalence_test`.

    Examples
    --------
    >>> result = paired_equivalence_test([0.1, 0.5, 0.9, 0.4], [0.2, 0.5, 1.0, 0.4], margin=0.2)
    >>> result.verdict, round(result.difference, 3)
    ('equivalent', -0.05)
    """
    margin, alpha, _ = check_settings(margin, alpha, 0)
    means_x = labelled_means(x, clusters_x, "x", "clusters_x")
    means_y = labelled_means(y, clusters_y, "y", "clusters_y")
    check_partners(clusters_x, clusters_y)
    if len(means_x) != len(means_y):
        raise ValueError(f"x has {len(means_x)} networks and y has {len(means_y)}; pairs need as many of both")
    if is_constant(means_x - means_y):
        raise ValueError(f"the pairs all differ by {float(means_x[0] - means_y[0]):g}, which gives no error")
    exponent = unit_exponent(means_x, means_y)
    means_x, means_y = times_power_of_two(means_x, -exponent), times_power_of_two(means_y, -exponent)
    unit = times_power_of_two(margin, -exponent)
    inside, outside = (paired((means_x - means_y)[None], at, alpha) for at in (unit, -unit))
    beyond = float(p_beyond_margin(inside, outside)[0])
    return result_in_unit(means_x, means_y, inside, beyond, margin, alpha, 0, exponent)


@dataclass(frozen=True)
class GroupsResult:
    """Outcome of `groups_equivalence_test`.

    Parameters
    ----------
    pairs : dict
        Names of two groups to their `EquivalenceResult`.
    answer : str
        One of `questions.ANSWERS`: the same if every two groups are, different if two of them are beyond the margin.
    p_equivalence : float
        The largest of all pairs: against "two groups differ by the margin or more".
    p_beyond, p_difference : float
        The smallest of all pairs, adjusted by Holm.
    range_bound : float
        Upper confidence bound of level 1 - alpha of the largest difference between two groups.
    """

    pairs: dict[tuple[str, str], EquivalenceResult]
    answer: AnswerWord
    p_equivalence: float
    p_beyond: float
    p_difference: float
    range_bound: float


def groups_equivalence_test(
    samples: Mapping[str, ArrayLike],
    margin: float,
    clusters: Mapping[str, ArrayLike] | None = None,
    alpha: float = 0.05,
    seed: int = 0,
    *,
    bounds: tuple[float, float] | None = None,
) -> GroupsResult:
    """Test whether several groups of networks all have the same mean up to a margin.

    All are the same if every two of them are shown to be. This needs no adjustment, because every single one of these
    tests has to conclude (intersection-union). That some differ, or are beyond the margin, is adjusted by Holm.

    Parameters
    ----------
    samples : mapping
        Name of each group to (n_rows,) numbers; two groups or more.
    margin, alpha, seed, bounds
        As in `equivalence_test`.
    clusters : mapping, optional
        Name of each group to (n_rows,) labels of networks. Default: each row is a network of its own.

    Raises
    ------
    ValueError
        Fewer than two groups, other names in ``clusters``, and as `equivalence_test`, with the names of the groups.

    References
    ----------
    Berger (1982), Technometrics 24, 295-300.

    Examples
    --------
    >>> import numpy as np
    >>> wave = np.sin(np.arange(30.0))
    >>> groups_equivalence_test({"a": wave, "b": wave[::-1], "c": wave + 0.1}, margin=1.0).answer
    'the same'
    """
    _check_groups(samples, clusters)
    labels = clusters or dict.fromkeys(samples)
    pairs = {}
    for one, other in combinations(samples, 2):
        try:
            pairs[one, other] = equivalence_test(
                samples[one], samples[other], margin, labels[one], labels[other], alpha, seed, bounds=bounds
            )
        except ValueError as error:
            raise ValueError(f"x is {one!r}, y is {other!r}: {error}") from None
    same = max(test.p_equivalence for test in pairs.values())
    beyond, different = (
        float(holm([getattr(test, name) for test in pairs.values()]).min()) for name in ("p_beyond", "p_difference")
    )
    bound = max(test.minimum_margin for test in pairs.values())
    return GroupsResult(pairs, answer_of(same, beyond, different, alpha), same, beyond, different, bound)


def _check_groups(samples: Mapping[str, ArrayLike], clusters: Mapping[str, ArrayLike] | None) -> None:
    if len(samples) < 2:
        raise ValueError(f"samples has {len(samples)} group(s); at least 2 are compared")
    if clusters is not None and set(clusters) != set(samples):
        raise ValueError(f"clusters names the groups {sorted(clusters)}, and samples {sorted(samples)}")


@dataclass(frozen=True)
class SamenessEnd:
    """Where sameness with the first group ends, from `sameness_end`.

    Parameters
    ----------
    tests : tuple of EquivalenceResult
        Each later group against the first.
    same_to : float
        The highest level up to which every group is shown to be the same as the first; the first level itself if none
        is.
    different_from : float
        The lowest level that is shown to be beyond the margin; NaN if none is.
    confidence_set : tuple of float
        Levels that may be the last one up to which all groups are the same as the first. It has that level with
        probability at least 1 - alpha.
    """

    tests: tuple[EquivalenceResult, ...]
    same_to: float
    different_from: float
    confidence_set: tuple[float, ...]


def sameness_end(
    samples: Sequence[ArrayLike],
    levels: Sequence[float],
    margin: float,
    clusters: Sequence[ArrayLike] | None = None,
    alpha: float = 0.05,
    seed: int = 0,
    *,
    bounds: tuple[float, float] | None = None,
) -> SamenessEnd:
    """Say up to which level of an ordered factor, such as the attention rate, networks are the same as at its first.

    Groups are tested against the first in the order of their levels, each at alpha / 2, up to the first that is not
    shown to be the same (fixed sequence, which needs no adjustment). That a group is beyond the margin is tested at
    alpha / 2 and adjusted by Holm. Nothing is assumed of how means depend on the factor.

    Parameters
    ----------
    samples : sequence of array_like
        (n_rows,) numbers of each group, in the order of ``levels``.
    levels : sequence of float
        Rising levels of the factor, two or more.
    margin, alpha, seed, bounds
        As in `equivalence_test`.
    clusters : sequence of array_like, optional
        (n_rows,) labels of networks of each group. Default: each row is a network of its own.

    Raises
    ------
    ValueError
        Levels that do not rise, as many samples or clusters as levels that are not there, and as `equivalence_test`.

    References
    ----------
    Maurer, Hothorn and Lehmacher (1995), in Vollmar (ed.), Biometrie in der chemisch-pharmazeutischen Industrie 6,
    3-18 (fixed sequence). Holm (1979), Scandinavian Journal of Statistics 6, 65-70.

    Examples
    --------
    >>> import numpy as np
    >>> wave = np.sin(np.arange(40.0))
    >>> found = sameness_end([wave, wave[::-1], wave + 3], [0.0, 0.5, 1.0], margin=1.0)
    >>> found.same_to, found.different_from, found.confidence_set
    (0.5, 1.0, (0.5,))
    """
    rates = [float(level) for level in levels]
    if len(rates) < 2 or any(not a < b for a, b in zip(rates, rates[1:], strict=False)):
        raise ValueError(f"levels are {describe(tuple(rates))}; they must be two or more numbers that rise")
    labels: Sequence[ArrayLike | None] = [None] * len(rates) if clusters is None else clusters
    if not len(samples) == len(labels) == len(rates):
        found = f"{len(samples)} samples and {len(labels)} clusters"
        raise ValueError(f"there are {len(rates)} levels, but {found}; there must be one of each for every level")
    tests = tuple(
        equivalence_test(own, samples[0], margin, label, labels[0], alpha / 2, seed, bounds=bounds)
        for own, label in zip(samples[1:], labels[1:], strict=True)
    )
    same = next((i for i, test in enumerate(tests) if test.p_equivalence > alpha / 2), len(tests))
    beyond = holm([test.p_beyond for test in tests]) <= alpha / 2
    first = int(beyond.argmax()) + 1 if beyond.any() else len(rates)
    apart = rates[first] if beyond.any() else float("nan")
    return SamenessEnd(tests, rates[same], apart, tuple(rates[same:first]))
