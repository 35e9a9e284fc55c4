"""Figures that compare all circuits of a study: map of endpoints, means and distances of diagrams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from topomod.report.colours import styles
from topomod.report.plot_style import figure, floats
from topomod.topology.persistence_images import BIRTHS, PERSISTENCES, PIXEL


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


def image_grid(images: Mapping[str, np.ndarray], architectures: Sequence[str]) -> Any:
    """Mean persistence images (height, width) as small heat maps, two a row; colours run with the square root."""
    names = [name for name in architectures if name in images]
    n_rows = (len(names) + 1) // 2
    top = max((float(image.max()) for image in images.values()), default=1.0)
    traces, layout, titles = [], {}, []
    for place, name in enumerate(names):
        row, column = divmod(place, 2)
        tail = str(place + 1) if place else ""
        left, upper = 0.52 * column, 1 - row / n_rows
        lower = upper - (0.8 if n_rows > 1 else 1) / n_rows
        across = {"range": list(BIRTHS), "domain": [left, left + 0.46], "anchor": f"y{tail}"}
        up = {"range": list(PERSISTENCES), "domain": [lower, upper], "anchor": f"x{tail}"}
        last, first = place + 2 >= len(names), column == 0
        layout[f"xaxis{tail}"] = across | _image_axis("birth (rms units)" if last else "")
        layout[f"yaxis{tail}"] = up | _image_axis("persistence" if first else "")
        traces.append(_image_trace(images[name], name, tail))
        title = {"text": name, "x": left, "y": upper, "xref": "paper", "yref": "paper", "showarrow": False}
        titles.append(title | {"xanchor": "left", "yanchor": "bottom"})
    ticks = [value for value in (0, 0.01, 0.05, 0.2, 0.5, 1, 2, 5, 10) if value <= top]
    bar = {"thickness": 10, "tickvals": np.sqrt(ticks).tolist(), "ticktext": [str(tick) for tick in ticks]}
    scale = {"colorscale": "Viridis", "cmin": 0, "cmax": float(np.sqrt(top)) or 1.0, "colorbar": bar}
    return figure(traces, height=60 + 190 * n_rows, annotations=titles, coloraxis=scale, margin={"t": 24}, **layout)


def _image_trace(image: np.ndarray, name: str, tail: str) -> dict[str, Any]:
    hover = f"{name}<br>birth %{{x:.3f}}<br>persistence %{{y:.3f}}<br>%{{customdata:.4f}}<extra></extra>"
    return {
        "type": "heatmap",
        "name": name,
        "z": floats(np.sqrt(np.maximum(image, 0))),  # rounding leaves pixels just below 0
        "customdata": floats(image),
        "x": floats(BIRTHS[0] + PIXEL * (np.arange(image.shape[1]) + 0.5)),
        "y": floats(PERSISTENCES[0] + PIXEL * (np.arange(image.shape[0]) + 0.5)),
        "xaxis": f"x{tail}",
        "yaxis": f"y{tail}",
        "coloraxis": "coloraxis",
        "hovertemplate": hover,
    }


def _image_axis(title: str) -> dict[str, Any]:
    return {"title": {"text": title}, "tickfont": {"size": 10}, "zeroline": False, "showgrid": False}


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
