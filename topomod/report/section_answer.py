"""Section on the answers: every question, what the answers rest on, and the circuits behind them."""

from __future__ import annotations

from typing import Any

from topomod.report.answers import circuit_counts, comparison_rows, control_outcomes, main_row, question_answers
from topomod.report.pages import csv_link
from topomod.statistics.questions import LEAST_SENSITIVITY
from topomod.study.config import Study
from topomod.study.population import StudyTables
from topomod.study.shards import StudyFolder


def answer(folder: StudyFolder, study: Study, tables: StudyTables) -> dict[str, Any]:
    """The answer to every question, controls, and counts of circuits."""
    comparisons = comparison_rows(tables.verdicts) if len(tables.verdicts) else []
    return {
        "main": main_row(comparisons, study.main_pair),
        "compared": bool(comparisons),
        "missing": [f"{name}.parquet" for name in tables.missing],
        "question_answers": question_answers(tables.answers),
        "answers_csv": csv_link(tables.answers) if len(tables.answers) else "",
        "least_sensitivity": LEAST_SENSITIVITY,
        "controls": control_outcomes(comparisons, study.alpha),
        "circuit_counts": circuit_counts(tables.circuits, tables.endpoints, study),
    }
