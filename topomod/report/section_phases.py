"""Section on phases: which pair (a, b) each neuron prefers."""

from __future__ import annotations

from typing import Any

import numpy as np

from topomod.networks.labels import Label
from topomod.report.pages import embed
from topomod.report.plots_phases import phase_heatmap, torus_histogram
from topomod.study.config import Study
from topomod.study.population import StudyTables, converged_rows, phase_density
from topomod.study.shards import StudyFolder


def phases(folder: StudyFolder, study: Study, tables: StudyTables) -> dict[str, Any]:
    """Phase alignment distribution of each architecture, and distances from the diagonal."""
    rows = converged_rows(tables.phases, tables.circuits)
    found = [name for name in study.architectures if len(rows) and name in set(rows["architecture"])]
    orders = {name: study.order_of(Label.parse(name)) for name in found}
    densities = [phase_density(rows[rows["architecture"] == name], n) for name, n in orders.items()]
    top = max((float(np.quantile(density, 0.999)) for density in densities), default=1.0)
    maps = {name: embed(phase_heatmap(rows, name, n, top), f"phases_{name}") for name, n in orders.items()}
    distances = torus_histogram(rows, orders) if found else None
    return {"phase_maps": maps, "torus_plot": embed(distances, "torus_distance") if distances else None}
