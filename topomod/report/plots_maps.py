"""Figures that compare all circuits of a study: map of endpoints, Betti curves, distances of diagrams."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from topomod.report.plot_style import figure, floats, styles


def circuit_map(places: pd.DataFrame, architectures: Sequence[str]) -> Any:
    """Circuits on the two UMAP coordinates; hollow marks did not converge."""
    traces = []
    for name, (colour, marker) in styles(architectures).items():
        own = places[places["architecture"] == name].sort_values("converged", ascending=False, kind="stable")
        converged = own["converged"].astype(bool).to_numpy()
        symbols = [marker if state else f"{marker}-open" for state in converged]
        traces.append(
            {"type": "scatter", "mode": "markers", "name": name, "x": floats(own["x"]), "y": floats(own["y"])}
            | {"marker": {"color": colour, "symbol": symbols, "size": 8, "opacity": 0.8}}
            | {"customdata": own["seed"].to_numpy(np.int32)}
            | {"hovertemplate": f"{name}, seed %{{customdata}}<extra></extra>"}
        )
    axis = {"showticklabels": False, "zeroline": False}
    return figure(
        traces,
        height=420,
        xaxis=axis | {"title": {"text": "UMAP 1 (no unit)"}},
        yaxis=axis | {"title": {"text": "UMAP 2 (no unit)"}},
    )


def betti_curves(curves: pd.DataFrame, architectures: Sequence[str]) -> Any:
    """Mean number of loops alive at each scale."""
    traces = []
    for name, (colour, _) in styles(architectures).items():
        own = curves[curves["architecture"] == name]
        traces.append(
            {"type": "scatter", "mode": "lines", "name": name, "line": {"color": colour, "width": 2}}
            | {"x": floats(own["scale"]), "y": floats(own["betti"])}
        )
    return figure(
        traces,
        height=300,
        xaxis={"title": {"text": "scale (rms units)"}},
        yaxis={"title": {"text": "mean H1 Betti number"}},
    )


def distance_blocks(circuits: Sequence[tuple[str, int]], distances: np.ndarray) -> Any:
    """Matrix of distances between circuits, blocks by architecture."""
    names = [name for name, _ in circuits]
    starts = [i for i in range(len(names)) if i == 0 or names[i] != names[i - 1]]
    ends = [*starts[1:], len(names)]
    titles = np.array([f"{name}, seed {seed}" for name, seed in circuits])
    hover = [[f"{row}<br>{column}" for column in titles] for row in titles]
    trace = {"type": "heatmap", "z": floats(distances), "colorscale": "Cividis", "colorbar": {"thickness": 10}}
    trace |= {"hovertext": hover, "hovertemplate": "%{hovertext}<br>%{z:.3f} rms<extra></extra>"}
    lines = []
    for start in starts[1:]:
        line = {"type": "line", "line": {"color": "#ffffff", "width": 2}}
        span = {"x0": -0.5, "x1": len(names) - 0.5, "y0": start - 0.5, "y1": start - 0.5}
        lines += [line | span, line | {f"{'yx'[k[0] == 'y']}{k[1]}": v for k, v in span.items()}]
    ticks = {"tickvals": [(s + e - 1) / 2 for s, e in zip(starts, ends, strict=True)], "showgrid": False}
    ticks |= {"ticktext": [names[s] for s in starts], "constrain": "domain"}
    return figure(
        [trace],
        height=400,
        shapes=lines,
        xaxis=ticks | {"tickangle": 30},
        yaxis=ticks | {"autorange": "reversed", "scaleanchor": "x"},
    )
