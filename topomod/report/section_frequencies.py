"""Section of the report on frequencies: energies, ranks, and what ablation leaves."""

from __future__ import annotations

from typing import Any

from topomod.mechanisms.ablation import ABLATION_SITES
from topomod.report.pages import Option, csv_link, embed
from topomod.report.plots_frequencies import ablation_curves
from topomod.study.config import Study
from topomod.study.describe import measure_rows, measure_table
from topomod.study.population import StudyTables
from topomod.study.shards import StudyFolder
from topomod.study.systems import ABLATION_TABLES
from topomod.study.tables import read_tables

SITE_WORDS = {
    "embedding": "embedding, along tokens",
    "hidden": "last hidden state, cosines and sines of a + b",
    "logits": "logits, along classes",
}


def frequencies(folder: StudyFolder, study: Study, tables: StudyTables) -> dict[str, Any]:
    """Energies, ranks and ablation curves, where the study asks for them."""
    context: dict[str, Any] = {"frequency_rows": [], "ablation_options": [], "frequency_csv": "", "ablation_csv": ""}
    if not study.ablation:
        return context
    found, curves = (read_tables(folder.shard_tables(name, study.shards())) for name in ABLATION_TABLES)
    measured = measure_table(found.drop(columns="accuracy"), study.alpha)
    context["frequency_rows"] = measure_rows(measured, study.architectures)
    context["ablation_options"] = [
        Option(
            site,
            SITE_WORDS[site],
            "site",
            embed(ablation_curves(curves[curves["site"] == site], study.architectures), f"ablation_{site}"),
        )
        for site in ABLATION_SITES
    ]
    return context | {"frequency_csv": csv_link(measured), "ablation_csv": csv_link(curves)}
