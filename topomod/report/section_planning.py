"""Section on planning: how many circuits the margins ask for."""

from __future__ import annotations

from typing import Any

from topomod.report.pages import Option, csv_link, embed
from topomod.report.plots_planning import power_curve
from topomod.statistics.power import TARGET
from topomod.study.config import Study
from topomod.study.population import StudyTables
from topomod.study.power import planned_answers
from topomod.study.shards import StudyFolder


def planning(folder: StudyFolder, study: Study, tables: StudyTables) -> dict[str, Any]:
    """How many circuits the margins ask for, by the spread seen here."""
    context: dict[str, Any] = {"target": TARGET, "power_options": [], "power_rows": [], "planned": []}
    if tables.power.empty:
        return context | {"power_csv": ""}
    kept = tables.power[tables.power["n_pilot"] >= 3]
    rows: list[dict[str, Any]] = [{str(key): value for key, value in row.items()} for row in kept.to_dict("records")]
    context["power_options"] = [
        Option(r["endpoint"], r["title"], r["family"], embed(power_curve(r, r["n_pilot"]), f"power_{r['endpoint']}"))
        for r in rows
    ]
    answers = planned_answers(tables.endpoints, study.model_dump(), study.compared_pair)
    context["planned"] = [
        {"title": title, "margin": own["margin"].iloc[0], "rows": own.to_dict("records")}
        for title, own in (answers.groupby("title", sort=False) if len(answers) else [])
    ]
    context["planned_csv"] = csv_link(answers)
    return context | {"power_rows": rows, "power_csv": csv_link(tables.power)}
