"""Section on interventions: whether circuits use the shapes that they have, and clock or pizza by moving them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from topomod.mechanisms.changed_layer import ChangedLayer
from topomod.report.draw_moves import draw_move, readable_shift
from topomod.report.examples import Middle
from topomod.report.pages import csv_link, embed
from topomod.report.plots_use import opposed_curves, steering_curves
from topomod.report.svg_figure import Figure
from topomod.report.take_away import PageFigure
from topomod.statistics.intervals import mean_interval
from topomod.study.config import Study
from topomod.study.endpoint_catalogue import ENDPOINTS
from topomod.study.groups import first_order_groups
from topomod.study.population import StudyTables, endpoint_matrix
from topomod.study.shards import StudyFolder
from topomod.study.use_columns import USE

GEOMETRIC = ("disc_cka", "torus_cka", "first_order_r2", "logit_circle_cka")
MIN_RANKED = 3  # circuits that a rank correlation needs
COMPARED = ("gradient_symmetricity", "distance_irrelevance")


def use(folder: StudyFolder, study: Study, tables: StudyTables) -> dict[str, Any]:
    """Steering curves, opposed moves, and causal measures beside geometric ones."""
    context: dict[str, Any] = {"use_rows": [], "steering_plot": None, "opposed_plot": None, "agreements": []}
    circuits = tables.circuits[tables.circuits["converged"].astype(bool)]
    if "steering_share" not in circuits or circuits["steering_share"].isna().all():
        return context
    matrix = endpoint_matrix(tables.endpoints)
    context["use_rows"] = _rows(matrix, study.architectures)
    context["use_csv"] = csv_link(circuits[["architecture", "seed", *USE, "clock_position"]])
    context["steering_plot"] = embed(steering_curves(circuits, study.architectures), "steering")
    if circuits["clock_position"].notna().any():
        context["opposed_plot"] = embed(opposed_curves(circuits, study.architectures), "opposed")
        agreements = (_agreement(circuits, name) for name in COMPARED)
        context["agreements"] = [found for found in agreements if np.isfinite(found["rank"])]
    return context


def moves(study: Study, middles: Mapping[str, Middle]) -> dict[str, list[PageFigure]]:
    """Where points and answers of each middle circuit go when its groups are moved."""
    drawn = {name: _move(middle, study.min_neurons) for name, middle in middles.items()}
    return {"moves": [PageFigure(f"move_{name}", own) for name, own in drawn.items() if own is not None]}


def _move(middle: Middle, min_neurons: int) -> Figure | None:
    """The figure of one circuit; None where its logits at other pre-activations are not known."""
    layer, symmetry = ChangedLayer.of(middle.circuit, middle.group.layer), middle.circuit.task.symmetry
    if layer.obstacle or symmetry is None:
        return None
    return draw_move(layer, first_order_groups(middle.layer, min_neurons), readable_shift(middle.group, symmetry))


def _rows(matrix: pd.DataFrame, architectures: Sequence[str]) -> list[dict[str, Any]]:
    """One row for each measure: its title, whether it is geometric or causal, and the mean of each architecture."""
    rows = []
    for kind, names in (("geometric", GEOMETRIC), ("causal", (*USE, "clock_position"))):
        for name in (name for name in names if name in matrix):
            cells = {}
            for label in architectures:
                values = matrix.loc[matrix["architecture"] == label, name].to_numpy(float)
                n, mean, low, high = mean_interval(values)
                if n:
                    cells[label] = {"mean": mean, "low": low, "high": high}
            rows.append({"kind": kind, "title": ENDPOINTS[name].title, "unit": ENDPOINTS[name].unit, "cells": cells})
    return rows


def _agreement(circuits: pd.DataFrame, name: str) -> dict[str, Any]:
    """Rank correlation of the position with another measure, over converged circuits; NaN for few or equal ones."""
    pair = circuits[["clock_position", name]].dropna()
    ranked = len(pair) >= MIN_RANKED and pair.nunique().min() > 1
    rank = pair["clock_position"].rank().corr(pair[name].rank()) if ranked else np.nan
    return {"title": ENDPOINTS[name].title, "n": len(pair), "rank": float(rank)}
