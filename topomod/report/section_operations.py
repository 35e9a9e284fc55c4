"""Section on tasks: which are learnt, and which shapes they have."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from topomod.networks.labels import Label
from topomod.report.pages import csv_link
from topomod.statistics.questions import SHOWN_TO_DIFFER
from topomod.study.config import Study
from topomod.study.irrep_columns import COLUMNS
from topomod.study.population import StudyTables, converged_rows, group_means, label_shares
from topomod.study.shards import StudyFolder

DISC = ("share_disc_preactivations", "disc_cka")
NO_FREQUENCIES = "no frequencies"
SENTENCES = {
    "the same disc": "Both form the same disc before the ReLU",
    "the same, but no disc": "Both form the same shape before the ReLU, which is mostly no disc",
    "different": "What they form before the ReLU differs",
    "not decided": "It is not decided whether they form the same disc",
    NO_FREQUENCIES: "No group of neurons has a shape, as the task has no frequencies",
}


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
        **same_disc(study, tables.verdicts),
    }


def same_disc(study: Study, verdicts: pd.DataFrame) -> dict[str, Any]:
    """Whether architectures that learnt one task form the same disc before the ReLU, task by task.

    The reading of a pair follows a rule. It is "the same disc" where the share of discs and the CKA to the disc are
    both found the same, and the mean share is above one half in both. It is "the same, but no disc" where it is not
    above that, "different" where one of the two endpoints differs, and else "not decided". Of a task without
    frequencies nothing is said.

    Returns
    -------
    dict
        ``disc_rows`` (one for each pair that is compared, and one for a task without frequencies) and
        ``disc_sentences`` (one for each reading, with its tasks).
    """
    rows: list[dict[str, Any]] = []
    for task, labels in _by_task(study).items():
        if study.task_of(labels[0]).symmetry is None:
            rows.append({"task": task, "x": "", "y": "", "reading": NO_FREQUENCIES, "tests": {}})
            continue
        names = set(map(str, labels))
        pairs = verdicts[(verdicts["role"] == "pair") & verdicts["x"].isin(names) & verdicts["y"].isin(names)]
        for (x, y), tests in pairs[pairs["endpoint"].isin(DISC)].groupby(["x", "y"], sort=False):
            own = tests.set_index("endpoint")
            rows.append({"task": task, "x": x, "y": y, "reading": _reading(own), "tests": own.to_dict("index")})
    readings: dict[str, list[str]] = {}
    for row in rows:
        readings.setdefault(row["reading"], []).append(row["task"])
    return {
        "disc_rows": rows,
        "disc_sentences": [f"{SENTENCES[r]}: {', '.join(dict.fromkeys(names))}." for r, names in readings.items()],
    }


def _by_task(study: Study) -> dict[str, list[Label]]:
    """Architectures of each task, by its name."""
    found: dict[str, list[Label]] = {}
    for label in study.labels:
        found.setdefault(str(study.task_of(label)), []).append(label)
    return found


def _reading(tests: pd.DataFrame) -> str:
    answers = set(tests["answer"]) if len(tests) == len(DISC) else set()
    if answers == {"the same"}:
        share = tests.loc[DISC[0]]
        return "the same disc" if min(share["mean_x"], share["mean_y"]) > 0.5 else "the same, but no disc"
    return "different" if answers.intersection(SHOWN_TO_DIFFER) else "not decided"


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
