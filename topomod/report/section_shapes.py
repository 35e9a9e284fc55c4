"""Section on shapes: an example of each architecture, drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from topomod.neurons.sites import studied_sites
from topomod.report.examples import BARS_SHOWN, Example, read_examples
from topomod.report.pages import embed
from topomod.report.plots_shapes import persistence_diagram, point_cloud
from topomod.study.config import Study
from topomod.study.population import StudyTables


def shapes(folder: Path, study: Study, tables: StudyTables) -> dict[str, Any]:
    """One drawn example of each architecture."""
    examples = read_examples(folder, study, tables.circuits, tables.groups)
    return {
        "sites": studied_sites(),
        "bars_shown": BARS_SHOWN,
        "examples": [_example_card(example, tables, study.p) for example in examples],
        "no_example": [n for n in study.architectures if n not in {e.architecture for e in examples}],
    }


def _example_card(example: Example, tables: StudyTables, p: int) -> dict[str, Any]:
    key = {name: getattr(example, name) for name in ("architecture", "seed", "step", "frequency")}
    group, verdicts = _select(tables.groups, key), _select(tables.homology, key)
    sites = {}
    for site in studied_sites():
        stem = f"{example.architecture}_{site}"
        own = verdicts[verdicts["site"] == site]
        sites[site] = {
            "cloud": embed(point_cloud(example, site, p), f"cloud_{stem}"),
            "diagram": embed(persistence_diagram(example.bars, site), f"diagram_{stem}"),
            "verdict": own.iloc[0].to_dict() if len(own) else None,
        }
    return {"example": example, "group": group.iloc[0].to_dict(), "sites": sites}


def _select(table: pd.DataFrame, key: dict[str, Any]) -> pd.DataFrame:
    rows: pd.DataFrame = table[np.logical_and.reduce([table[name] == value for name, value in key.items()])]
    return rows
