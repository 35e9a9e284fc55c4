"""Figures of phases: which pair (a, b) each neuron prefers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from topomod.report.colours import GREY, styles
from topomod.report.plot_style import figure, floats
from topomod.study.population import phase_density
from topomod.study.tables import KEY


def phase_heatmap(phases: pd.DataFrame, architecture: str, p: int, top: float) -> Any:
    """Phase alignment distribution over (a, b), 1 being uniform; colours run with its square root."""
    density = phase_density(phases[phases["architecture"] == architecture], p)
    ticks = [value for value in (0, 1, 5, 10, 20, 40, 80, 160) if value <= top] or [0]
    trace = {
        "type": "heatmap",
        "z": floats(np.sqrt(density.T)),
        "customdata": floats(density.T),
        "colorscale": "Viridis",
        "zmin": 0,
        "zmax": float(np.sqrt(top)),
        "colorbar": {"thickness": 10, "tickvals": np.sqrt(ticks).tolist(), "ticktext": [str(t) for t in ticks]},
        "hovertemplate": "a = %{x}, b = %{y}<br>%{customdata:.2f} times uniform<extra></extra>",
    }
    return figure(
        [trace],
        height=300,
        xaxis={"title": {"text": "a (re-based)"}, "constrain": "domain", "showgrid": False},
        yaxis={"title": {"text": "b (re-based)"}, "scaleanchor": "x", "constrain": "domain", "showgrid": False},
    )


def torus_histogram(phases: pd.DataFrame, orders: Mapping[str, int]) -> Any:
    """Share of neurons at each distance from the diagonal a = b, circuits weighted equally.

    ``orders`` is how many values each input of an architecture has.
    """
    p = max(orders.values())
    steps = np.arange(p // 2 + 1)
    uniform = np.where((steps == 0) | (2 * steps == p), 1, 2) / p
    traces: list[dict[str, Any]] = [
        {"type": "scatter", "mode": "lines", "name": "independent phases", "x": steps, "y": floats(uniform)}
        | {"line": {"color": GREY, "dash": "dot"}}
    ]
    for name, (colour, marker) in styles(list(orders)).items():
        rows = phases[phases["architecture"] == name]
        if not len(rows):
            continue
        own = orders[name]
        gap = (rows["a"].to_numpy(int) - rows["b"].to_numpy(int)) % own
        weights = (1 / rows.groupby(KEY)["a"].transform("size")).to_numpy(float)
        shares = np.bincount(np.minimum(gap, own - gap), weights=weights, minlength=len(steps)) / weights.sum()
        traces.append(
            {"type": "scatter", "mode": "lines+markers", "name": name, "x": steps, "y": floats(shares)}
            | {"line": {"color": colour}, "marker": {"symbol": marker, "size": 6}}
        )
    return figure(
        traces,
        height=340,
        xaxis={"title": {"text": "torus distance (steps)"}},
        yaxis={"title": {"text": "share of neurons"}, "tickformat": ".0%"},
    )
