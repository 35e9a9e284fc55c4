"""Figures of topology along training."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from topomod.neurons.sites import studied_sites
from topomod.report.plots import OKABE_ITO, figure, floats

PANELS = (
    ("accuracy", "accuracy", [0.72, 1.0]),
    ("h1_persistence", "longest H1 bar", [0.37, 0.65]),
    ("betti_1", "Betti number b1", [0.0, 0.28]),
)


def topology_curves(circuits: pd.DataFrame, homology: pd.DataFrame) -> Any:
    """Accuracy, longest loop and first Betti number against the step: means over circuits and groups, a line per site.

    Parameters
    ----------
    circuits : DataFrame
        Columns step, accuracy.
    homology : DataFrame
        Columns step, site, h1_persistence (rms units), betti_1; may be empty.
    """
    accuracy = circuits.groupby("step")["accuracy"].mean()
    traces = [_line(accuracy, "accuracy, all pairs", "y", "#8c8c8c")]
    for place, (column, _, _) in enumerate(PANELS[1:], start=2):
        for site, colour in zip(studied_sites(), OKABE_ITO, strict=False):
            if len(homology):
                means = homology[homology["site"] == site].groupby("step")[column].mean()
                traces.append(_line(means, site, f"y{place}", colour) | {"showlegend": place == 2})
    axes = {
        f"yaxis{place if place > 1 else ''}": {"title": {"text": title}, "domain": domain, "rangemode": "tozero"}
        for place, (_, title, domain) in enumerate(PANELS, start=1)
    }
    return figure(traces, height=520, xaxis={"title": {"text": "training step"}, "anchor": "y3"}, **axes)


def _line(means: pd.Series, name: str, axis: str, colour: str) -> dict[str, Any]:
    data = {"x": np.asarray(means.index, int), "y": floats(means), "name": name, "yaxis": axis}
    return {"type": "scatter", "mode": "lines+markers", "line": {"color": colour}} | data
