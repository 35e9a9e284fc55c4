"""Section on endpoints: every circuit, every endpoint."""

from __future__ import annotations

from typing import Any

from topomod.report.pages import csv_link, endpoint_options
from topomod.report.plots_endpoints import endpoint_strip
from topomod.study.config import Study
from topomod.study.population import StudyTables, endpoint_matrix
from topomod.study.shards import StudyFolder


def endpoints(folder: StudyFolder, study: Study, tables: StudyTables) -> dict[str, Any]:
    """Every endpoint of every circuit."""
    matrix = endpoint_matrix(tables.endpoints)
    options = endpoint_options(
        lambda name, title: endpoint_strip(matrix, name, title, study.architectures), study, "endpoint"
    )
    return {"endpoint_options": options, "endpoints_csv": csv_link(matrix)}
