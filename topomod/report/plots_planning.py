"""Figures of planning and contrasts: power against the number of circuits, endpoints against the attention rate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from topomod.report.plots import OKABE_ITO, figure, floats
from topomod.statistics.intervals import mean_interval
from topomod.statistics.power import CURVE, TARGET


def power_curve(row: Mapping[str, Any], n: int) -> Any:
    """Share of studies that conclude, against the circuits per architecture; this study's number is marked."""
    kinds = (
        ("equivalent", "equivalence, where there is no difference", "solid", "circle"),
        ("decided", "a verdict, whatever the difference", "dash", "square"),
    )
    traces = []
    for place, (kind, name, dash, marker) in enumerate(kinds):
        shares = [row[f"{kind}_{size}"] for size in CURVE]
        traces.append(
            {"type": "scatter", "mode": "lines+markers", "name": name, "x": list(CURVE), "y": floats(shares)}
            | {"line": {"color": OKABE_ITO[place], "dash": dash}, "marker": {"symbol": marker, "size": 7}}
            | {"hovertemplate": f"%{{x}} circuits: %{{y:.0%}}<extra>{name}</extra>"}
        )
    ticks = [5, 10, 20, 50, 100, 200]
    lines = [
        {"type": "line", "x0": n, "x1": n, "y0": 0, "y1": 1.02, "line": {"color": "#8c8c8c", "width": 2}},
        {"type": "line", "x0": CURVE[0], "x1": CURVE[-1], "y0": TARGET, "y1": TARGET}
        | {"line": {"color": "#8c8c8c", "width": 1, "dash": "dot"}},
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
        yaxis={"range": [-0.02, 1.12], "tickformat": ".0%", "title": {"text": "studies that conclude"}},
    )


def rate_curve(matrix: pd.DataFrame, endpoint: str, title: str, rates: Mapping[str, float], margin: float) -> Any:
    """Mean and 95 % interval of an endpoint at each attention rate; the band is what counts as rate 0."""
    kept = matrix[matrix["converged"].astype(bool)]
    found = [mean_interval(kept.loc[kept["architecture"] == name, endpoint].to_numpy(float)) for name in rates]
    x, means = list(rates.values()), np.array([one[1] for one in found])
    ends = {"type": "data", "symmetric": False, "array": floats([f[3] - f[1] for f in found])}
    ends |= {"arrayminus": floats([f[1] - f[2] for f in found]), "color": OKABE_ITO[0], "thickness": 2, "width": 6}
    trace = {"type": "scatter", "mode": "lines+markers", "name": title, "showlegend": False, "x": x, "y": floats(means)}
    trace |= {"error_y": ends, "marker": {"color": OKABE_ITO[0], "size": 9}, "line": {"color": OKABE_ITO[0]}}
    trace |= {"hovertext": [f"rate {r:g}: {m:.3g} ({f[0]} circuits)" for r, m, f in zip(x, means, found, strict=True)]}
    band = {"type": "rect", "xref": "paper", "x0": 0, "x1": 1, "y0": means[0] - margin, "y1": means[0] + margin}
    band |= {"line": {"width": 0}, "fillcolor": "rgba(0,158,115,0.16)", "layer": "below"}
    return figure(
        [trace | {"hoverinfo": "text"}],
        height=340,
        shapes=[band],
        xaxis={"title": {"text": "attention rate (0 uniform, 1 learnable)"}, "tickvals": x},
        yaxis={"title": {"text": title}},
    )
