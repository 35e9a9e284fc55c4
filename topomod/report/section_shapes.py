"""Section on shapes: an example of each architecture, drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from topomod.networks.labels import Label
from topomod.neurons.sites import studied_sites
from topomod.report.answers import comparison_rows, main_row
from topomod.report.examples import BARS_SHOWN, Example, Middle, read_examples
from topomod.report.pages import embed
from topomod.report.plots_shapes import matched_diagrams, persistence_diagram, point_cloud
from topomod.study.config import Study
from topomod.study.population import StudyTables
from topomod.study.shards import StudyFolder
from topomod.topology.diagrams import diagram_matching


def shapes(folder: StudyFolder, study: Study, tables: StudyTables, middles: Mapping[str, Middle]) -> dict[str, Any]:
    """One drawn example of each architecture: the circuit nearest the middle of its population."""
    examples = read_examples(folder, study, middles)
    return {
        "sites": studied_sites(),
        "bars_shown": BARS_SHOWN,
        "examples": [
            _example_card(example, tables, study.order_of(Label.parse(example.architecture))) for example in examples
        ],
        "matchings": _matchings(study, tables, examples),
        "no_example": [n for n in study.architectures if n not in {e.architecture for e in examples}],
    }


def _matchings(study: Study, tables: StudyTables, examples: Sequence[Example]) -> dict[str, dict[str, Any]]:
    """Per site, the H1 diagrams of the main pair's two examples, matched; empty if there are no two examples."""
    main = main_row(comparison_rows(tables.verdicts), study.main_pair) if len(tables.verdicts) else None
    own = {example.architecture: example for example in examples}
    if main is None or not {main["x"], main["y"]} <= set(own):
        return {}
    names = (main["x"], main["y"])
    found = {}
    for site in (site for site in studied_sites() if all(site in own[name].clouds for name in names)):
        diagrams = [_loops(own[name].bars, site) for name in names]
        matching = diagram_matching(*diagrams)
        drawn = matched_diagrams(diagrams, matching, names, study.architectures)
        found[site] = {"x": names[0], "y": names[1], "distance": matching.distance}
        found[site]["plot"] = embed(drawn, f"matching_{site}")
    return found


def _loops(bars: pd.DataFrame, site: str) -> Float[np.ndarray, "n 2"]:
    """Births and deaths of the drawn H1 bars that die."""
    if bars.empty:
        return np.zeros((0, 2))
    own = bars[(bars["site"] == site) & (bars["dimension"] == 1)]
    finite = own[np.isfinite(own["death"].astype(float))]
    return finite[["birth", "death"]].to_numpy(float)


def _example_card(example: Example, tables: StudyTables, p: int) -> dict[str, Any]:
    key = {name: getattr(example, name) for name in ("architecture", "seed", "step", "frequency")}
    group, verdicts = _select(tables.groups, key), _select(tables.homology, key)
    sites = {}
    for site in example.clouds:
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
