"""What ``topomod power`` prints."""

from __future__ import annotations

import numpy as np
import pandas as pd

from topomod.networks.labels import Label
from topomod.report.words import needed_circuits
from topomod.statistics.power import TARGET
from topomod.statistics.questions import ANSWERS
from topomod.study.config import Comparison
from topomod.study.power import planned_answers


def power_lines(
    table: pd.DataFrame, endpoints: pd.DataFrame, study: Comparison, pair: tuple[str, str] | None
) -> list[str]:
    """What `topomod power` prints: circuits needed, whether the study has them, and how often it would answer what."""
    if pair is None:
        return ["The study compares no two architectures."]
    planned = min(study.count_of(Label.parse(name)) for name in pair)
    lines = [
        f"{pair[0]} and {pair[1]} are compared, with {planned} circuits each.",
        f"The level is {study.alpha}, divided by the number of primary endpoints where a question has several (Holm).",
        f"same: so many circuits show sameness in {TARGET:.0%} of studies where there is no difference.",
        f"decided: so many circuits show sameness or a difference in {TARGET:.0%} of studies, whatever the difference.",
        "",
        f"{'endpoint':30s} {'margin':>7s} {'sd':>7s} {'same':>6s} {'decided':>8s}  enough",
    ]
    for row in table.to_dict("records"):
        if np.isnan(row.get("sd", np.nan)):
            lines.append(
                f"{row['endpoint']:30s} {row['margin']:7g}  the pilot has {row['n_pilot']} values, and 3 are needed"
            )
            continue
        needed = [needed_circuits(row[name]) for name in ("n_equivalent", "n_decided")]
        enough = "yes" if row["n_decided"] <= planned else "same only" if row["n_equivalent"] <= planned else "no"
        lines.append(
            f"{row['endpoint']:30s} {row['margin']:7g} {row['sd']:7.3g} {needed[0]:>6s} {needed[1]:>8s}  {enough}"
        )
    return lines + _answer_lines(endpoints, study, pair, planned)


def _answer_lines(endpoints: pd.DataFrame, study: Comparison, pair: tuple[str, str], n: int) -> list[str]:
    shares = planned_answers(endpoints, study.model_dump(), pair, [n])
    if shares.empty:
        return []
    lines = ["", f"How often {n} circuits would give each answer, by the true difference in margins:"]
    lines.append(f"{'primary endpoint':30s} {'true':>5s} " + " ".join(f"{name:>18s}" for name in ANSWERS))
    for row in shares.to_dict("records"):
        told = " ".join(f"{row[name]:18.0%}" for name in ANSWERS)
        lines.append(f"{row['endpoint']:30s} {row['truth']:5.1f} {told}")
    return lines
