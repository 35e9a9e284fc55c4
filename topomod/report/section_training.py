"""Section on training: loss curves of all circuits."""

from __future__ import annotations

from typing import Any

from topomod.report.histories import read_histories
from topomod.report.pages import embed
from topomod.report.plots_training import loss_curves
from topomod.study.config import Study
from topomod.study.population import StudyTables
from topomod.study.shards import StudyFolder


def training(folder: StudyFolder, study: Study, tables: StudyTables) -> dict[str, Any]:
    """Loss curves of all circuits."""
    histories = read_histories(folder, study)
    if histories.empty:
        return {"loss_plot": None}
    return {"loss_plot": embed(loss_curves(histories, study.architectures), "loss")}
