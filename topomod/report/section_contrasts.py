"""Sections on the attention rate and on recipes: where sameness ends, which verdicts depend on training."""

from __future__ import annotations

from typing import Any

import pandas as pd

from topomod.report.pages import Option, csv_link, embed
from topomod.report.plots_endpoints import rate_curve
from topomod.study.config import Study
from topomod.study.contrasts import READINGS, attention_rates, rate_table, recipe_table
from topomod.study.endpoint_catalogue import ENDPOINTS
from topomod.study.population import StudyTables, endpoint_matrix
from topomod.study.shards import StudyFolder
from topomod.tasks.task import same_function


def contrasts(folder: StudyFolder, study: Study, tables: StudyTables) -> dict[str, Any]:
    """Where sameness ends along the attention rate, and which verdicts depend on the recipe."""
    rates = attention_rates(study.architectures)
    along = rate_table(tables.verdicts, study.architectures)
    tasks = {label: (study.task_of(label), study.task_of(label.plain)) for label in study.trained}
    alike = [str(label) for label, both in tasks.items() if same_function(*both)]
    recipes = recipe_table(tables.verdicts, alike)
    matrix = endpoint_matrix(tables.endpoints)
    drawn = [row for row in along.itertuples() if row.endpoint in ENDPOINTS and row.endpoint in matrix]
    options = [_rate_option(matrix, row, rates) for row in drawn]
    return {
        "rates": list(rates.values()),
        "rate_rows": along.to_dict("records"),
        "rate_options": options,
        "rate_csv": csv_link(along) if len(along) else "",
        "recipe_pairs": [
            {"x": x, "y": y, "recipe": recipe, "rows": rows.to_dict("records"), "counts": _readings(rows)}
            for (x, y, recipe), rows in (recipes.groupby(["x", "y", "recipe"], sort=False) if len(recipes) else [])
        ],
        "recipe_csv": csv_link(recipes) if len(recipes) else "",
    }


def _rate_option(matrix: pd.DataFrame, row: Any, rates: dict[str, float]) -> Option:
    curve = rate_curve(matrix, row.endpoint, row.title, rates, row.margin)
    return Option(row.endpoint, row.title, row.family, embed(curve, f"rate_{row.endpoint}"))


def _readings(rows: pd.DataFrame) -> dict[str, int]:
    return {reading: int((rows["reading"] == reading).sum()) for reading in READINGS}
