"""Figures of interventions: where answers go when manifolds move, and what opposed moves do to the logits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from topomod.report.colours import styles
from topomod.report.plot_style import figure, floats
from topomod.statistics.intervals import mean_interval
from topomod.study.use_columns import CURVE_SHIFTS, OPPOSED, STEERED


def steering_curves(circuits: pd.DataFrame, architectures: Sequence[str]) -> Any:
    """Share of pairs whose answer follows a move by d, mean and 95 % interval over circuits; the control is dotted."""
    traces = []
    for label, (colour, marker) in styles(architectures).items():
        own = circuits[circuits["architecture"] == label]
        if own.empty:
            continue
        trace = _curve(own, np.array(CURVE_SHIFTS), STEERED) | {"name": label, "legendgroup": label}
        traces.append(trace | {"line": {"color": colour}, "marker": {"color": colour, "symbol": marker, "size": 7}})
        control = float(own["steering_control"].mean())
        line: dict[str, Any] = {"type": "scatter", "mode": "lines", "x": floats(CURVE_SHIFTS)}
        line |= {
            "y": floats([control] * len(STEERED)),
            "name": f"{label}, control",
            "legendgroup": label,
            "showlegend": False,
        }
        traces.append(line | {"line": {"color": colour, "dash": "dot", "width": 1}})
    ticks = {"type": "log", "tickvals": list(CURVE_SHIFTS), "ticktext": [str(d) for d in CURVE_SHIFTS]}
    return figure(
        traces,
        height=380,
        xaxis={"title": {"text": "steps d that the manifolds are moved"}} | ticks,
        yaxis={"title": {"text": "pairs whose answer moves by d"}, "range": [-0.03, 1.05], "tickformat": ".0%"},
    )


def opposed_curves(circuits: pd.DataFrame, architectures: Sequence[str]) -> Any:
    """Length of the logits' wave when a and b are moved against each other, beside what clock and pizza predict."""
    places = (np.arange(len(OPPOSED)) + 0.5) / len(OPPOSED) / 2
    traces = []
    for label, (colour, marker) in styles(architectures).items():
        own = circuits[circuits["architecture"] == label]
        if len(own):
            trace = _curve(own, places, OPPOSED) | {"name": label}
            traces.append(trace | {"line": {"color": colour}, "marker": {"color": colour, "symbol": marker, "size": 6}})
    for name, values in (("pizza", np.pi / 2 * np.cos(np.pi * places)), ("clock", np.ones(len(places)))):
        line = {"type": "scatter", "mode": "lines", "name": f"{name}, predicted", "x": floats(places)}
        traces.append(line | {"y": floats(values), "line": {"color": "#8c8c8c", "dash": "dash", "width": 1.5}})
    return figure(
        traces,
        height=380,
        xaxis={"title": {"text": "distance between a and b on the moved manifold, turns of its frequency"}},
        yaxis={"title": {"text": "length of the logits' wave / mean"}},
    )


def _curve(own: pd.DataFrame, places: Sequence[int] | np.ndarray, columns: Sequence[str]) -> dict[str, Any]:
    """Scatter trace of means over circuits with their 95 % intervals, at the places that were measured."""
    found = [(x, *mean_interval(own[name].to_numpy(float))) for x, name in zip(places, columns, strict=True)]
    found = [point for point in found if point[1]]
    ends = {"type": "data", "symmetric": False, "thickness": 1.2, "width": 3}
    ends |= {"array": floats([p[4] - p[2] for p in found]), "arrayminus": floats([p[2] - p[3] for p in found])}
    trace = {"type": "scatter", "mode": "lines+markers", "x": floats([p[0] for p in found]), "error_y": ends}
    return trace | {"y": floats([p[2] for p in found])}
