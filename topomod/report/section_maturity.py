"""Section on maturity: endpoints and topology along training."""

from __future__ import annotations

from typing import Any

from topomod.report.pages import Option, csv_link, embed, endpoint_options
from topomod.report.plots_training import maturity_curves, topology_curves
from topomod.study.config import Study
from topomod.study.population import StudyTables, endpoint_matrix, maturity_endpoints, moving_endpoints
from topomod.study.shards import StudyFolder


def maturity(folder: StudyFolder, study: Study, tables: StudyTables) -> dict[str, Any]:
    """Endpoints along training, and which of them still move after the schedule."""
    recipe = study.recipe
    context: dict[str, Any] = {"recipe": recipe, "final_decay": recipe.cumulative_decay(recipe.steps)}
    context["topology_options"] = []
    values = maturity_endpoints(tables)
    if values["value"].notna().sum() == 0:
        return context | {"maturity_options": [], "moving": [], "moving_steps": None, "maturity_csv": ""}
    moving = moving_endpoints(values, study)
    options = endpoint_options(
        lambda name, title: maturity_curves(values, name, title, study.architectures, recipe),
        study,
        "maturity",
    )
    steps = None if moving.empty else moving.iloc[0].to_dict()
    rows = moving[moving["moves"]].to_dict("records")
    csv = csv_link(endpoint_matrix(values))
    context["topology_options"] = _topology_options(study, tables)
    return context | {"maturity_options": options, "moving": rows, "moving_steps": steps, "maturity_csv": csv}


def _topology_options(study: Study, tables: StudyTables) -> list[Option]:
    followed = tables.maturity_circuits
    options = []
    for name in (name for name in study.architectures if name in set(followed["architecture"])):
        own = tables.maturity_homology
        own = own[own["architecture"] == name] if len(own) else own
        curves = topology_curves(followed[followed["architecture"] == name], own)
        options.append(Option(name, name, "architecture", embed(curves, f"topology_{name}")))
    return options
