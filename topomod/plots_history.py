"""Figures of one circuit's topology along its training."""

from __future__ import annotations

from typing import Any

import numpy as np

from topomod.inspection import Inspection
from topomod.plots import OKABE_ITO, figure, floats

SITES = ("preactivations", "logits")
PANELS = (
    ("accuracy", "accuracy", [0.72, 1.0]),
    ("h1_persistence", "longest H1 bar", [0.37, 0.65]),
    ("betti_1", "Betti number b1", [0.0, 0.28]),
)


def topology_curves(found: Inspection) -> Any:
    """Accuracy, longest loop and first Betti number against the step; means over groups, one line per site."""
    steps = found.networks.groupby("step")["accuracy"].mean()
    first = found.labels[found.labels["layer"] == 0] if len(found.labels) else found.labels
    labels = first.merge(found.networks[["network", "step"]], on="network") if len(first) else first
    traces: list[dict[str, Any]] = [_line(steps.index, steps, "accuracy, all pairs", "y", "#8c8c8c")]
    for place, (column, _, _) in enumerate(PANELS[1:], start=2):
        for site, colour in zip(SITES, OKABE_ITO, strict=False):
            if len(labels):
                means = labels[labels["site"] == site].groupby("step")[column].mean()
                trace = _line(means.index, means, site, f"y{place}", colour)
                traces.append(trace | {"showlegend": place == 2})
    axes = {
        f"yaxis{place if place > 1 else ''}": {"title": {"text": title}, "domain": domain, "rangemode": "tozero"}
        for place, (_, title, domain) in enumerate(PANELS, start=1)
    }
    return figure(traces, height=560, xaxis={"title": {"text": "training step"}, "anchor": "y3"}, **axes)


def _line(x: Any, y: Any, name: str, axis: str, colour: str) -> dict[str, Any]:
    data = {"x": np.asarray(x, int), "y": floats(y), "name": name, "yaxis": axis}
    return {"type": "scatter", "mode": "lines+markers", "line": {"color": colour}} | data
