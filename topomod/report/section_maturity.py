"""Section on maturity: endpoints, answers and topology along training."""

from __future__ import annotations

from typing import Any

import pandas as pd

from topomod.report.pages import Option, csv_link, embed, endpoint_options
from topomod.report.plots_training import maturity_curves, topology_curves
from topomod.study.config import Study
from topomod.study.maturity import DRIFTS, answers_at_steps, endpoint_drifts, maturity_endpoints
from topomod.study.population import StudyTables, endpoint_matrix
from topomod.study.shards import StudyFolder


def maturity(folder: StudyFolder, study: Study, tables: StudyTables) -> dict[str, Any]:
    """Endpoints along training, which of them still move after the schedule, and the answers at each step."""
    recipe = study.recipe
    context: dict[str, Any] = {"recipe": recipe, "final_decay": recipe.cumulative_decay(recipe.steps)}
    values = maturity_endpoints(tables)
    if values["value"].notna().sum() == 0:
        return context | {"maturity_options": []}
    drifts = endpoint_drifts(values, study)
    options = endpoint_options(
        lambda name, title: maturity_curves(values, name, title, study.architectures, recipe),
        study,
        "maturity",
    )
    primary = {name for question in study.questions for name in question.primary}
    shown = drifts[drifts["endpoint"].isin(primary) | (drifts["drift"] == "moves")]
    return (
        context
        | {
            "maturity_options": options,
            "maturity_csv": csv_link(endpoint_matrix(values)),
            "topology_options": _topology_options(study, tables),
            "drifts": shown.to_dict("records"),
            "drift_counts": drifts["drift"].value_counts().reindex(list(DRIFTS), fill_value=0).to_dict(),
            "drifts_total": len(drifts),
            "drift_steps": None if drifts.empty else drifts.iloc[0].to_dict(),
            "drifts_csv": csv_link(drifts),
        }
        | _answers(answers_at_steps(values, study))
    )


def _answers(answers: pd.DataFrame) -> dict[str, Any]:
    """One row for each question, with its answer at each step."""
    steps = sorted(int(step) for step in answers["step"].unique())
    rows = [
        {"question": words, "at": {int(row["step"]): row for row in own.to_dict("records")}}
        for words, own in answers.groupby("question", sort=False)
    ]
    return {"answer_steps": steps, "step_answers": rows, "step_answers_csv": csv_link(answers)}


def _topology_options(study: Study, tables: StudyTables) -> list[Option]:
    followed = tables.maturity_circuits
    options = []
    for name in (name for name in study.architectures if name in set(followed["architecture"])):
        own = tables.maturity_homology
        own = own[own["architecture"] == name] if len(own) else own
        curves = topology_curves(followed[followed["architecture"] == name], own)
        options.append(Option(name, name, "architecture", embed(curves, f"topology_{name}")))
    return options
