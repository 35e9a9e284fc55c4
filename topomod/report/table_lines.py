"""What ``topomod equivalence`` says of groups of networks in a table of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from topomod.statistics.answer_power import networks_to_settle
from topomod.statistics.designs import groups_equivalence_test, paired_equivalence_test
from topomod.statistics.equivalence import equivalence_test
from topomod.statistics.questions import answer_question
from topomod.study.answers import OPEN
from topomod.study.own_table import read_samples
from topomod.study.sentences import answer_lead, primary_sentence, settling_sentence


class _Asked(NamedTuple):
    """What was asked of a table; as the parameters of :func:`table_lines`."""

    path: Path
    value: str
    network: str
    margin: float
    bounds: tuple[float, float] | None
    alpha: float
    paired: bool


def table_lines(
    path: Path,
    value: str,
    group: str,
    network: str,
    margin: float | None,
    bounds: str = "",
    alpha: float = 0.05,
    paired: bool = False,
) -> Iterator[str]:
    """The answer for groups of networks, with its numbers and what it rests on.

    Parameters
    ----------
    path : path
        CSV or Parquet file with one row per measurement.
    value, group, network : str
        Columns of the numbers, of the groups, and of the network that each row belongs to.
    margin : float
        Largest difference of means that does not matter, fixed before seeing the table.
    bounds : str
        ``LOW,HIGH``, the range that the quantity can take; empty where it has none.
    alpha : float
        Level of each test.
    paired : bool
        Whether networks of two groups with one name are a pair, as those of one seed are.

    Raises
    ------
    ValueError
        No margin, pairs of more than two groups or with bounds, and as :func:`topomod.study.own_table.read_samples`,
        :func:`topomod.equivalence_test` and :func:`topomod.paired_equivalence_test`.
    """
    if margin is None:
        raise ValueError(f"{path}: name the largest difference that does not matter with --margin")
    samples = read_samples(path, {"value": value, "group": group, "network": network})
    if paired and (len(samples) != 2 or bounds):
        raise ValueError(f"{path}: --paired is for two groups without --bounds, found {len(samples)} groups")
    asked = _Asked(path, value, network, margin, _bounds(bounds), alpha, paired)
    yield from _range_lines(asked, samples)
    for two in combinations(samples, 2):
        yield from _pair_lines(asked, {name: samples[name] for name in two})


def _range_lines(asked: _Asked, samples: dict[str, pd.DataFrame]) -> Iterator[str]:
    """What is said of more than two groups together; each two of them are then answered alone."""
    if len(samples) == 2:
        return
    values, networks = (
        {name: rows[column] for name, rows in samples.items()} for column in (asked.value, asked.network)
    )
    try:
        found = groups_equivalence_test(values, asked.margin, networks, asked.alpha, bounds=asked.bounds)
    except ValueError as error:
        raise ValueError(f"{asked.path}: {error}") from None
    yield f"{', '.join(samples)}: {found.answer}"
    yield (
        f"The largest difference between two groups is at most {found.range_bound:.3g} (level {1 - asked.alpha:g}, "
        f"margin {asked.margin:g}). Below, every two groups are answered alone, without an adjustment for their number."
    )


def _pair_lines(asked: _Asked, samples: dict[str, pd.DataFrame]) -> Iterator[str]:
    (x_name, x), (y_name, y) = samples.items()
    value, network = asked.value, asked.network
    arguments = (x[value], y[value], asked.margin, x[network], y[network], asked.alpha)
    try:
        found = (
            paired_equivalence_test(*arguments)
            if asked.paired
            else equivalence_test(*arguments, bounds=asked.bounds, seed=0)
        )
    except ValueError as error:
        raise ValueError(f"{asked.path}: x is {x_name!r}, y is {y_name!r}: {error}") from None
    answer = answer_question([found], found.alpha)
    (primary,) = answer.primaries
    test = vars(found) | {"title": f"the column {value!r}", "unit": "", "x": x_name, "y": y_name}
    test |= {"mean_x": _mean(x, value, network), "mean_y": _mean(y, value, network)}
    test |= {"primary_answer": primary.answer, "small_difference": primary.small_difference, "n_needed": float("nan")}
    yield f"{x_name} and {y_name}: {answer.answer}"
    yield f"{answer_lead(answer.answer, [test])} {primary_sentence(answer.answer, test)}"
    yield f"{x_name} has {found.n_x} networks, {y_name} has {found.n_y}. The method is {found.method}."
    if answer.answer in OPEN and not asked.paired:
        pilot_x, pilot_y = (rows.groupby(network)[value].mean() for rows in (x, y))
        test["n_needed"] = networks_to_settle(
            answer.answer, pilot_x, pilot_y, asked.margin, found.alpha, bounds=asked.bounds
        )
        settling = settling_sentence(answer.answer, [test])
        yield settling.replace("circuits of each architecture", "networks of each group")


def _bounds(text: str) -> tuple[float, float] | None:
    if not text:
        return None
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        raise ValueError(f"--bounds must be LOW,HIGH, two numbers, found {text!r}") from None
    return low, high


def _mean(rows: pd.DataFrame, value: str, network: str) -> float:
    """Mean over networks, each counting once."""
    return float(rows.groupby(network)[value].mean().mean())
