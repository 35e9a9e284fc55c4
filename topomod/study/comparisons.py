"""Which samples a study compares, and which of these comparisons it is about. This module imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

from topomod.networks.labels import Label
from topomod.tasks.catalogue import parse_task
from topomod.tasks.task import Task, same_function

if TYPE_CHECKING:
    import pandas as pd


def comparisons(settings: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Role and names of all comparisons; ``name#even`` and ``name#odd`` are halves of one architecture.

    Architectures that learnt different tasks are compared only as a positive control.
    """
    positive, tasks = set(settings["positive_control"] or ()), written_tasks(settings)
    pairs = [
        ("positive control" if positive == {x, y} else "pair", x, y)
        for x, y in combinations(settings["architectures"], 2)
        if positive == {x, y} or same_function(tasks[x], tasks[y])
    ]
    half = settings["negative_control"]
    return [*pairs, ("negative control", f"{half}#even", f"{half}#odd")] if half else pairs


def written_tasks(settings: Mapping[str, Any]) -> dict[str, Task]:
    """Task of each architecture of a study's settings."""
    labels = {name: Label.parse(name) for name in settings["architectures"]}
    named = {name: settings.get("networks" if label.given else "variants", {}) for name, label in labels.items()}
    own = {name: named[name].get(label.variant, settings) for name, label in labels.items()}
    return {name: parse_task(one.get("task", "addition"), one["p"]) for name, one in own.items()}


def main_comparison(
    names: Sequence[tuple[str, str, str]], main_pair: Sequence[str] | None
) -> tuple[str, str, str] | None:
    """The comparison a study is about: its ``main_pair`` if it has both, else the first that is no control."""
    named = (one for one in names if set(one[1:]) == set(main_pair or ()))
    return next(named, next((one for one in names if one[0] == "pair"), None))


def asked_pair(settings: Mapping[str, Any], question: Mapping[str, Any]) -> tuple[str, str] | None:
    """The two architectures of a question, in the order of the comparison; None where nothing is compared."""
    names = comparisons(settings)
    main = main_comparison(names, settings.get("main_pair"))
    wanted = set(question["architectures"] or (() if main is None else main[1:]))
    return next(((x, y) for _, x, y in names if {x, y} == wanted), None)


def primary_question(settings: Mapping[str, Any], x: str, y: str) -> dict[str, str]:
    """Words of the question that each primary endpoint of a comparison belongs to; the others are secondary."""
    return {
        name: question["words"]
        for question in settings.get("questions", ())
        if set(asked_pair(settings, question) or ()) == {x, y}
        for name in question["primary"]
    }


def sample_of(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """Rows of an architecture, or of half of its seeds."""
    label, _, half = name.partition("#")
    own = rows[rows["architecture"] == label]
    return own if not half else own[own["seed"] % 2 == (half == "odd")]
