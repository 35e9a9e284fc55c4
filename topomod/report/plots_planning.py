"""Figure of planning: how often studies decide, against the number of circuits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from topomod.report.colours import GREY, KINDS
from topomod.report.plot_style import figure, floats
from topomod.statistics.power import CURVE, TARGET


def power_curve(row: Mapping[str, Any], n: int) -> Any:
    """Share of studies that decide, against the circuits per architecture; this study's number is marked."""
    kinds = (
        ("equivalent", "shows sameness, where there is no difference", "solid", "circle"),
        ("decided", "decides, whatever the difference", "dash", "square"),
    )
    traces = []
    for place, (kind, name, dash, marker) in enumerate(kinds):
        shares = [row[f"{kind}_{size}"] for size in CURVE]
        traces.append(
            {"type": "scatter", "mode": "lines+markers", "name": name, "x": list(CURVE), "y": floats(shares)}
            | {"line": {"color": KINDS[place], "dash": dash}, "marker": {"symbol": marker, "size": 7}}
            | {"hovertemplate": f"%{{x}} circuits: %{{y:.0%}}<extra>{name}</extra>"}
        )
    ticks = [5, 10, 20, 50, 100, 200]
    lines = [
        {"type": "line", "x0": n, "x1": n, "y0": 0, "y1": 1.02, "line": {"color": GREY, "width": 2}},
        {"type": "line", "x0": CURVE[0], "x1": CURVE[-1], "y0": TARGET, "y1": TARGET}
        | {"line": {"color": GREY, "width": 1, "dash": "dot"}},
    ]
    mark = {"x": np.log10(n), "y": 1.04, "text": f"this study: {n}", "showarrow": False, "yanchor": "bottom"}
    return figure(
        traces,
        height=340,
        shapes=lines,
        annotations=[mark],
        legend={"y": 1.14},
        xaxis={"type": "log", "tickvals": ticks, "ticktext": [str(t) for t in ticks]}
        | {"title": {"text": "circuits of each architecture"}},
        yaxis={"range": [-0.02, 1.12], "tickformat": ".0%", "title": {"text": "share of studies"}},
    )
