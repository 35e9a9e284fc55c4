"""What ``topomod power`` prints."""

from __future__ import annotations

import numpy as np
import pandas as pd

from topomod.networks.labels import Label
from topomod.report.words import needed_circuits
from topomod.statistics.power import TARGET
from topomod.study.config import Comparison


def power_lines(table: pd.DataFrame, study: Comparison, pair: tuple[str, str] | None) -> list[str]:
    """What `topomod power` prints: per endpoint, the circuits needed, and whether the study has them."""
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
    return lines
