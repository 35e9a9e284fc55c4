"""Sections on the answer and on the verdicts of every comparison."""

from __future__ import annotations

from typing import Any

from topomod.report.answers import (
    circuit_counts,
    comparison_rows,
    control_outcomes,
    family_answers,
    main_row,
    verdict_counts,
)
from topomod.report.pages import csv_link, embed
from topomod.report.plots_verdicts import forest
from topomod.study.config import Study
from topomod.study.population import StudyTables
from topomod.study.shards import StudyFolder


def verdicts(folder: StudyFolder, study: Study, tables: StudyTables) -> dict[str, Any]:
    """Verdicts of every comparison, and the answer for the pair the question is about."""
    comparisons = comparison_rows(tables.verdicts) if len(tables.verdicts) else []
    main = main_row(comparisons, study.main_pair)
    for place, comparison in enumerate(comparisons):
        rows = comparison["rows"]
        by_family = {name: rows[rows["family"] == name] for name in study.families}
        comparison["value"] = f"comparison{place}"
        comparison["counts"] = {s: verdict_counts(own) for s, own in by_family.items()}
        comparison["tests"] = {s: [row._asdict() for row in own.itertuples()] for s, own in by_family.items()}
        comparison["plot"] = embed(forest(rows), f"forest_{place}")
    return {
        "comparisons": comparisons,
        "main": main,
        "main_answers": family_answers(main["rows"]) if main else [],
        "controls": control_outcomes(comparisons, study.alpha),
        "circuit_counts": circuit_counts(tables.circuits, tables.endpoints, study),
        "verdicts_csv": csv_link(tables.verdicts),
    }
