"""Section on tasks: which are learnt, which shapes they have, and whether sameness holds beyond one of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from topomod.networks.labels import Label
from topomod.report.answers import comparison_rows, family_answers
from topomod.report.pages import csv_link
from topomod.study.config import Study
from topomod.study.irrep_columns import COLUMNS
from topomod.study.population import StudyTables, converged_rows, group_means, label_shares
from topomod.study.shards import StudyFolder


def operations(folder: StudyFolder, study: Study, tables: StudyTables) -> dict[str, Any]:
    """What was learnt of each task; no section where all architectures add two numbers mod p."""
    tasks = {str(label): study.task_of(label) for label in study.labels}
    names = list(dict.fromkeys(map(str, tasks.values())))
    plain = all(task.modulus and task.finite_group for task in tasks.values())
    if plain and len(names) == 1:
        return {"task_names": names, "operations": []}
    rows = [_row(name, study, tables) for name in study.architectures]
    return {
        "task_names": names,
        "operations": rows,
        "without_symmetry": {row["task"]: row["why"] for row in rows if row["why"] and not row["irreps"]},
        "operations_csv": csv_link(pd.DataFrame(rows)),
        "same_by_task": _answers(study, tables),
        "same_families": list(study.families),
    }


def _row(name: str, study: Study, tables: StudyTables) -> dict[str, Any]:
    """One architecture: its task, how many circuits learnt it, and what shapes they have."""
    task = study.task_of(Label.parse(name))
    own = tables.circuits[tables.circuits["architecture"] == name]
    kept = own[own["converged"].astype(bool)]
    row = {"architecture": name, "task": str(task), "why": task.no_symmetry, "trained": len(own)}
    row |= {"learnt": int((own["accuracy"] == 1).sum()), "converged": len(kept)}
    row |= {"accuracy": float(own["accuracy"].mean()), "groups": float(kept["n_groups"].mean())}
    windings = str(task.symmetry.windings) if task.symmetry else ""
    shares = {
        f"{label}_{site}": _share(tables, own, label, site)
        for label, site in (("disc", "preactivations"), ("torus", "preactivations"), ("circle", "logits"))
    }
    irreps = {column: float(kept[column].mean()) if column in kept else float("nan") for column in COLUMNS}
    row["irreps"] = task.finite_group is not None and task.symmetry is None
    return row | {"windings": windings} | shares | _means(tables, kept) | irreps


def _share(tables: StudyTables, own: pd.DataFrame, label: str, site: str) -> float:
    """Mean share of one label over an architecture's converged circuits; NaN without groups."""
    kept = converged_rows(tables.homology, own)
    if kept.empty:
        return float("nan")
    found = label_shares(kept, own).query("site == @site and label == @label")["mean"]
    return float(found.iloc[0]) if len(found) else float("nan")


def _means(tables: StudyTables, kept: pd.DataFrame) -> dict[str, float]:
    """Means over converged circuits of what is measured of groups."""
    columns = ["disc_cka", "logit_circle_cka", "winding_is_sum"]
    if kept.empty or tables.groups.empty:
        return dict.fromkeys(columns, float("nan"))
    means = group_means(tables.groups, kept, columns)
    return {name: float(np.nanmean(means[name])) if means[name].notna().any() else float("nan") for name in columns}


def _answers(study: Study, tables: StudyTables) -> list[dict[str, Any]]:
    """The answer of each family for every pair of architectures of one task."""
    compared = comparison_rows(tables.verdicts) if len(tables.verdicts) else []
    found = []
    for one in compared:
        if one["role"] == "negative control" or len({one["x"], one["y"]} - set(study.architectures)):
            continue
        tasks = {str(study.task_of(Label.parse(one[side]))) for side in ("x", "y")}
        answers = {answer["claim"]: answer["answer"] for answer in family_answers(one["rows"])}
        found.append({"title": one["title"], "task": ", ".join(sorted(tasks)), "answers": list(answers.values())})
    return found
