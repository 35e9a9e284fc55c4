"""Section on the endpoints of every comparison."""

from __future__ import annotations

from typing import Any

import pandas as pd

from topomod.report.answers import answer_counts, comparison_rows, main_row
from topomod.report.pages import csv_link, embed
from topomod.report.plots_verdicts import forest
from topomod.study.config import Study
from topomod.study.population import StudyTables
from topomod.study.shards import StudyFolder


def verdicts(folder: StudyFolder, study: Study, tables: StudyTables) -> dict[str, Any]:
    """Every endpoint of every comparison."""
    comparisons = comparison_rows(tables.verdicts) if len(tables.verdicts) else []
    main = main_row(comparisons, study.main_pair)
    for place, comparison in enumerate(comparisons):
        rows = comparison["rows"]
        by_family = {name: rows[rows["family"] == name] for name in study.families}
        comparison["value"] = f"comparison{place}"
        comparison["counts"] = {s: answer_counts(own) for s, own in by_family.items()}
        comparison["tests"] = {s: [row._asdict() for row in own.itertuples()] for s, own in by_family.items()}
        comparison["clusters"] = {
            row["title"]: sorted(_together(rows, row["cluster"]) - {row["title"]}) for row in rows.to_dict("records")
        }
        comparison["plot"] = embed(forest(rows), f"forest_{place}")
    return {
        "comparisons": comparisons,
        "main": main,
        "verdicts_csv": csv_link(tables.verdicts),
    }


def _together(rows: pd.DataFrame, cluster: float) -> set[str]:
    """Titles of the endpoints of one cluster."""
    return set(rows.loc[rows["cluster"] == cluster, "title"])
