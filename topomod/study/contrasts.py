"""Verdicts put side by side: along the attention rate, and under different recipes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import pandas as pd

from topomod.networks.labels import Label

SAME = "the same"
OPEN = "not decided"
READINGS = ("agree", "contradiction", "not decided")


def attention_rates(architectures: Sequence[str]) -> dict[str, float]:
    """Rates of the architectures with attention and no recipe of their own, ascending."""
    rates = {name: Label.parse(name).attention_rate for name in architectures if not Label.parse(name).variant}
    found = {name: rate for name, rate in rates.items() if rate is not None}
    return dict(sorted(found.items(), key=lambda item: item[1]))


def rate_table(verdicts: pd.DataFrame, architectures: Sequence[str]) -> pd.DataFrame:
    """Per endpoint, up to which attention rate circuits are the same as at the lowest rate.

    Returns
    -------
    DataFrame
        Columns family, endpoint, title, margin, ``answer_<rate>`` against the lowest rate, same_to (the highest rate
        up to which every answer is sameness; NaN if there is none) and different_from (the lowest rate that differs;
        NaN if none does). Empty with fewer than three rates.
    """
    rates = attention_rates(architectures)
    if len(rates) < 3:
        return pd.DataFrame(columns=["endpoint"])
    first, *others = rates
    rows: dict[str, dict] = {}
    for name in others:
        for row in comparison(verdicts, first, name).to_dict("records"):
            common = {key: row[key] for key in ("family", "endpoint", "title", "margin")}
            rows.setdefault(row["endpoint"], common)[f"answer_{rates[name]}"] = row["answer"]
    table = pd.DataFrame(rows.values())
    ends = [_ends([row[f"answer_{rates[name]}"] for name in others]) for row in rows.values()]
    above = [rates[name] for name in others]
    table["same_to"] = [above[same - 1] if same else float("nan") for same, _ in ends]
    table["different_from"] = [above[apart] if apart is not None else float("nan") for _, apart in ends]
    return table


def _ends(answers: Sequence[str]) -> tuple[int, int | None]:
    same = next((i for i, answer in enumerate(answers) if answer != SAME), len(answers))
    return same, next((i for i, answer in enumerate(answers) if answer not in (SAME, OPEN)), None)


def comparison(verdicts: pd.DataFrame, x: str, y: str) -> pd.DataFrame:
    """Rows of the comparison of two architectures, in the order in which the study made it."""
    pair = (verdicts["x"] == x) & (verdicts["y"] == y) | (verdicts["x"] == y) & (verdicts["y"] == x)
    rows: pd.DataFrame = verdicts[pair & (verdicts["role"] != "negative control")]
    return rows


def recipe_table(verdicts: pd.DataFrame, architectures: Sequence[str]) -> pd.DataFrame:
    """Each comparison of two architectures under the study's own recipe beside the same one under a named recipe.

    Returns
    -------
    DataFrame
        One row per comparison, recipe and endpoint: x, y, recipe, family, endpoint, title, margin, and answer,
        difference, ci_low, ci_high of both (``_named`` for the named recipe), and reading: "agree",
        "contradiction" (the same under one, different under the other, or different in opposite directions),
        or "not decided" where one of them is.
    """
    parts = []
    for one, other in combinations([Label.parse(name) for name in architectures], 2):
        known = {str(one.plain), str(other.plain)} <= set(architectures)
        if one.variant and one.variant == other.variant and known:
            own = comparison(verdicts, str(one.plain), str(other.plain))
            parts.append(_beside(own, comparison(verdicts, str(one), str(other)), one.variant))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["endpoint"])


def _beside(own: pd.DataFrame, named: pd.DataFrame, recipe: str) -> pd.DataFrame:
    columns = ["answer", "difference", "ci_low", "ci_high", "n_x", "n_y"]
    both = own[["x", "y", "family", "endpoint", "title", "margin", *columns]].merge(
        named[["endpoint", *columns]], on="endpoint", suffixes=("", "_named")
    )
    both["recipe"] = recipe
    products = (both["difference"] * both["difference_named"]).astype(float)
    triples = zip(both["answer"], both["answer_named"], products, strict=True)
    both["reading"] = [_reading(str(own), str(named), product) for own, named, product in triples]
    return both


def _reading(own: str, named: str, product: float) -> str:
    if OPEN in (own, named):
        return OPEN
    if SAME in (own, named):
        return "agree" if own == named else "contradiction"
    return "agree" if product > 0 else "contradiction"
