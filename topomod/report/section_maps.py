"""Section on maps: UMAP of endpoints, features of diagrams, bottleneck distances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from topomod.neurons.sites import studied_sites
from topomod.report.diagram_summaries import (
    AMPLITUDES,
    PER_ARCHITECTURE,
    bottleneck_matrix,
    diagram_features,
    mean_images,
)
from topomod.report.endpoint_map import endpoint_map
from topomod.report.pages import csv_link, embed
from topomod.report.plots_maps import betti_curves, circuit_map, distance_blocks, image_grid
from topomod.study.config import Study
from topomod.study.diagram_features import NotAvailableError
from topomod.study.population import StudyTables, converged_rows, endpoint_matrix
from topomod.study.shards import StudyFolder


def maps(folder: StudyFolder, study: Study, tables: StudyTables) -> dict[str, Any]:
    """Maps of circuits: UMAP, diagram features, bottleneck distances."""
    names = study.architectures
    context: dict[str, Any] = {"map_plot": None, "map_note": "", "features": {}, "amplitudes": AMPLITUDES}
    context["per_architecture"] = PER_ARCHITECTURE
    try:
        places = endpoint_map(endpoint_matrix(tables.endpoints))
        context["map_plot"] = embed(circuit_map(places, names), "umap")
    except NotAvailableError as error:
        context["map_note"] = str(error)
    diagrams = converged_rows(tables.diagrams, tables.circuits)
    for site in studied_sites():
        context["features"][site] = _site_features(diagrams, site, names)
    return context


def _site_features(diagrams: pd.DataFrame, site: str, names: Sequence[str]) -> dict[str, Any]:
    parts: dict[str, Any] = {
        "note": "",
        "rows": [],
        "curves": None,
        "images": None,
        "csv": "",
        "blocks": None,
        "compared": 0,
    }
    if diagrams.empty:
        return parts | {"note": "They were not computed, because no group has a bar in H1."}
    circuits, distances = bottleneck_matrix(diagrams, site, list(names))
    if len(circuits) > 1:
        parts["blocks"] = embed(distance_blocks(circuits, distances), f"bottleneck_{site}")
    try:
        features, curves = diagram_features(diagrams, site)
    except NotAvailableError as error:
        return parts | {"note": str(error)}
    grouped = features.groupby("architecture", sort=False)[["n_bars", "entropy", *AMPLITUDES]]
    mean, spread, sizes = grouped.mean(), grouped.std(ddof=1), grouped.size()
    rows = [
        {"architecture": name, "n": int(sizes[name]), "mean": mean.loc[name].to_dict()}
        | {"sd": spread.loc[name].to_dict()}
        for name in names
        if name in mean.index
    ]
    curve_plot = embed(betti_curves(curves, names), f"betti_{site}")
    images = embed(image_grid(mean_images(diagrams, site), names), f"images_{site}")
    return parts | {"rows": rows, "curves": curve_plot, "images": images, "csv": csv_link(features)}
