"""Section on labels: which shapes were found at which site."""

from __future__ import annotations

from typing import Any

from topomod.neurons.sites import studied_sites
from topomod.report.pages import csv_link, embed
from topomod.report.plots_labels import label_bars
from topomod.study.config import Study
from topomod.study.population import LABELS, StudyTables, converged_rows, label_shares
from topomod.study.shards import StudyFolder
from topomod.tasks.task import Task
from topomod.topology.betti import MIN_DEATH


def labels(folder: StudyFolder, study: Study, tables: StudyTables) -> dict[str, Any]:
    """Shares of labels per site."""
    shares = label_shares(tables.homology, tables.circuits, study.alpha)
    rows = {
        key: own.set_index("label").to_dict("index")
        for key, own in shares.groupby(["site", "architecture"], sort=False)
    }
    sites = [site for site in studied_sites() if site in set(shares["site"])]
    figures = {site: embed(label_bars(shares, site), f"labels_{site}") for site in sites}
    found = converged_rows(tables.homology, tables.circuits)
    discs = found[(found["site"] == "logits") & (found["label"] == "disc")] if len(found) else found
    turns = {str(label): _turns(study.task_of(label)) for label in study.labels}
    pinched = int((discs["winding"] == discs["architecture"].map(turns)).sum()) if len(discs) else 0
    context = {"discs": len(discs), "pinched": pinched, "min_death": MIN_DEATH}
    return context | {"labels": LABELS, "shares": rows, "share_plots": figures, "shares_csv": csv_link(shares)}


def _turns(task: Task) -> str:
    """The task's windings as a label's are written: the first one is positive."""
    if task.symmetry is None:
        return ""
    sign = 1 if task.symmetry.windings > (0, 0) else -1
    return str(tuple(sign * turns for turns in task.symmetry.windings))
