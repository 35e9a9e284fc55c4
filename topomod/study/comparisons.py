"""Which samples a study compares, and which of these comparisons it is about. This module imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any


def comparisons(settings: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Role and names of all comparisons; ``name#even`` and ``name#odd`` are halves of one architecture."""
    positive = set(settings["positive_control"] or ())
    pairs = [
        ("positive control" if positive == {x, y} else "pair", x, y)
        for x, y in combinations(settings["architectures"], 2)
    ]
    half = settings["negative_control"]
    return [*pairs, ("negative control", f"{half}#even", f"{half}#odd")] if half else pairs


def main_comparison(
    names: Sequence[tuple[str, str, str]], main_pair: Sequence[str] | None
) -> tuple[str, str, str] | None:
    """The comparison a study is about: its ``main_pair`` if it has both, else the first that is no control."""
    named = (one for one in names if set(one[1:]) == set(main_pair or ()))
    return next(named, next((one for one in names if one[0] == "pair"), None))
