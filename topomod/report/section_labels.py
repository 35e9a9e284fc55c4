"""Section on labels: which shapes were found at which site."""

from __future__ import annotations

from typing import Any

from topomod.neurons.sites import studied_sites
from topomod.report.pages import csv_link, embed
from topomod.report.plots_labels import label_bars
from topomod.study.config import Study
from topomod.study.population import LABELS, StudyTables, converged_rows, label_shares
from topomod.study.shards import StudyFolder
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
    pinched = int((discs["winding"] == "(1, 1)").sum()) if len(discs) else 0
    context = {"discs": len(discs), "pinched": pinched, "min_death": MIN_DEATH}
    return context | {"labels": LABELS, "shares": rows, "share_plots": figures, "shares_csv": csv_link(shares)}
