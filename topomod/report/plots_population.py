"""Figures of populations: maturity, maps of circuits, diagram features, training curves."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import Any

import numpy as np
import pandas as pd

from topomod.report.plots import figure, floats, joined_curves, styles
from topomod.training.recipes import Recipe


def maturity_curves(
    maturity: pd.DataFrame, endpoint: str, title: str, architectures: Sequence[str], recipe: Recipe
) -> Any:
    """An endpoint along training: thin lines circuits, thick lines their mean, dotted where the schedule ends."""
    rows = maturity[maturity["endpoint"] == endpoint]
    decay = {int(step): recipe.cumulative_decay(int(step)) for step in rows["step"].unique()}
    traces: list[dict[str, Any]] = []
    for name, (colour, marker) in styles(architectures).items():
        own = rows[rows["architecture"] == name].sort_values("step")
        if own["seed"].nunique() > 1:
            for seed, one in own.groupby("seed"):
                line = {"line": {"color": colour, "width": 1}, "opacity": 0.45, "showlegend": False}
                traces.append(_along(one["step"], one["value"], f"{name}, seed {seed}", decay) | line)
        mean = own.groupby("step")["value"].mean()
        line = {"mode": "lines+markers", "line": {"color": colour, "width": 3}}
        line |= {"marker": {"symbol": marker, "size": 7}}
        traces.append(_along(mean.index, mean, name, decay) | line)
    end = {"type": "line", "xref": "x", "yref": "paper", "x0": recipe.steps, "x1": recipe.steps, "y0": 0, "y1": 1}
    return figure(
        traces,
        height=360,
        shapes=[end | {"line": {"color": "#8c8c8c", "dash": "dot"}}],
        xaxis={"type": "log", "title": {"text": "training step"}, "tickvals": sorted(decay)},
        yaxis={"title": {"text": "<br>".join(wrap(title, 36))}},
    )


def _along(steps: Any, values: Any, name: str, decay: dict[int, float]) -> dict[str, Any]:
    whole = np.asarray(steps, np.int32)
    hover = f"{name}<br>step %{{x}}, cumulative decay %{{customdata:.2f}}<br>%{{y:.4g}}<extra></extra>"
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": whole,
        "y": floats(values),
        "customdata": floats([decay[int(step)] for step in whole]),
        "hovertemplate": hover,
    }


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


def loss_curves(histories: pd.DataFrame, architectures: Sequence[str]) -> Any:
    """Training loss of every circuit; marks where it was first right on all pairs."""
    traces: list[dict[str, Any]] = []
    for name, (colour, marker) in styles(architectures).items():
        own = histories[histories["architecture"] == name]
        if not len(own):
            continue
        curves = [one.sort_values("step") for _, one in own.groupby("seed")]
        traces.append(
            {"type": "scatter", "mode": "lines", "name": name, "line": {"color": colour, "width": 1}}
            | joined_curves(curves, "loss")
            | {"opacity": 0.55, "legendgroup": name}
        )
        firsts = [one[one["accurate"] > 0].head(1) for one in curves]
        right = pd.concat([first for first in firsts if len(first)] or [own.head(0)])
        traces.append(
            {"type": "scatter", "mode": "markers", "name": f"{name}, all right", "legendgroup": name}
            | {"x": floats(right["step"]), "y": floats(right["loss"]), "showlegend": False}
            | {"marker": {"color": colour, "symbol": marker, "size": 7}}
            | {"customdata": right["seed"].to_numpy(np.int32)}
            | {"hovertemplate": f"{name}, seed %{{customdata}}<br>all pairs right by step %{{x}}<extra></extra>"}
        )
    return figure(
        traces,
        height=380,
        xaxis={"type": "log", "dtick": 1, "title": {"text": "training step"}},
        yaxis={"type": "log", "dtick": 1, "title": {"text": "training loss"}, "exponentformat": "power"},
    )
