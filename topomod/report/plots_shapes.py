"""Figures of shapes: point clouds, persistence diagrams, and two diagrams matched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from topomod.report.colours import GREY, KINDS, css, cyclic, styles
from topomod.report.examples import Example
from topomod.report.plot_style import figure, floats
from topomod.topology.diagrams import DiagramMatching

DIMENSION_STYLE = ((GREY, "circle-open"), (KINDS[1], "square"), (KINDS[0], "diamond"))


def cyclic_scale() -> list[list[Any]]:
    """Colour scale whose two ends are the same, so that p - 1 is beside 0."""
    turns = np.linspace(0, 1, 25)
    return [[float(turn), css(colour)] for turn, colour in zip(turns, cyclic(turns), strict=True)]


def point_cloud(example: Example, site: str, p: int) -> Any:
    """First three principal components of a group at one site; the page recolours by f times a, b, a + b or a - b."""
    cloud, explained = example.clouds[site], example.explained[site]
    a, b = np.divmod(np.arange(len(cloud)), p)
    marker = {
        "size": 2.5,
        "color": (example.frequency * (a + b) % p).astype(np.uint16),
        "colorscale": cyclic_scale(),
        "cmin": 0,
        "cmax": p,
        "colorbar": {"thickness": 10, "len": 0.7, "title": {"text": ""}},
    }
    trace = {"type": "scatter3d", "mode": "markers", "name": f"{example.architecture}, {site}", "marker": marker}
    trace |= {"x": cloud[:, 0], "y": cloud[:, 1], "z": cloud[:, 2], "hoverinfo": "none"}
    reach = float(np.abs(cloud).max()) * 1.05 or 1.0
    axes = {
        f"{axis}axis": {"title": {"text": f"PC{i + 1} ({explained[i]:.0%})"}, "range": [-reach, reach]}
        | {"nticks": 4, "tickfont": {"size": 9}}
        for i, axis in enumerate("xyz")
    }
    camera = {"eye": {"x": 1.35, "y": 1.35, "z": 1.3}}
    scene = axes | {"aspectmode": "cube", "camera": camera, "dragmode": "turntable"}
    return figure(
        [trace], height=340, scene=scene, margin={"l": 0, "r": 0, "t": 0, "b": 0}, meta={"p": p, "f": example.frequency}
    )


def persistence_diagram(bars: pd.DataFrame, site: str) -> Any:
    """Births and deaths per dimension; the distance above the diagonal is the persistence."""
    own = bars[bars["site"] == site] if len(bars) else bars
    finite = own[np.isfinite(own["death"].astype(float))] if len(own) else own
    top = float(finite["death"].max()) * 1.12 if len(finite) else 1.0
    line = {"type": "scatter", "mode": "lines", "x": floats([0, top]), "y": floats([0, top]), "showlegend": False}
    traces: list[dict[str, Any]] = [line | {"hoverinfo": "skip", "line": {"color": GREY, "width": 1}}]
    for dimension, (colour, symbol) in enumerate(DIMENSION_STYLE):
        rows = own[own["dimension"] == dimension] if len(own) else own
        if not len(rows):
            continue
        deaths = rows["death"].to_numpy(float)
        drawn = np.where(np.isinf(deaths), top, deaths)
        traces.append(_pairs(f"H{dimension}", rows["birth"], drawn, {"color": colour, "symbol": symbol, "size": 7}))
    axis = {"range": [-0.03 * top, 1.03 * top], "zeroline": False}
    return figure(
        traces,
        height=280,
        xaxis=axis | {"title": {"text": "birth (rms units)"}},
        yaxis=axis | {"title": {"text": "death"}},
    )


def _pairs(name: str, births: Any, deaths: Any, marker: dict[str, Any]) -> dict[str, Any]:
    """Marks of a diagram's pairs."""
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": floats(births),
        "y": floats(deaths),
        "marker": marker,
        "hovertemplate": f"{name}<br>birth %{{x:.3f}}<br>death %{{y:.3f}}<extra></extra>",
    }


def matched_diagrams(
    diagrams: Sequence[np.ndarray], matching: DiagramMatching, names: Sequence[str], architectures: Sequence[str]
) -> Any:
    """Two diagrams of one dimension and their matching; a pair without a partner is joined to the diagonal.

    Parameters
    ----------
    diagrams : sequence of two ndarray
        (n_pairs, 2) births and finite deaths in rms units.
    matching : DiagramMatching
        Of the two, in this order.
    names : sequence of two str
        Their architectures.
    architectures : sequence of str
        All of the study, which gives both their colours and marks.
    """
    top = max((float(one.max()) for one in diagrams if len(one)), default=1.0) * 1.12
    ends = np.full((len(matching.pairs), 3, 2), np.nan)  # two ends of a line and a gap
    for line, places in zip(ends, matching.pairs, strict=True):
        points = [None if place < 0 else one[place] for one, place in zip(diagrams, places, strict=True)]
        line[0], line[1] = (_or_diagonal(points[k], points[1 - k]) for k in (0, 1))
    lines = ends.reshape(-1, 2)
    grey = {"type": "scatter", "mode": "lines", "showlegend": False, "hoverinfo": "skip"}
    traces: list[dict[str, Any]] = [
        grey | {"x": floats([0, top]), "y": floats([0, top]), "line": {"color": GREY, "width": 1}},
        grey
        | {
            "x": floats(lines[:, 0]),
            "y": floats(lines[:, 1]),
            "line": {"color": GREY, "width": 1.5},
            "opacity": 0.6,
        },
    ]
    for name, one in zip(names, diagrams, strict=True):
        colour, symbol = styles(architectures)[name]
        traces.append(_pairs(name, one[:, 0], one[:, 1], {"color": colour, "symbol": symbol, "size": 8}))
    axis = {"range": [-0.03 * top, 1.03 * top], "zeroline": False}
    return figure(
        traces,
        height=420,
        xaxis=axis | {"title": {"text": "birth (rms units)"}, "constrain": "domain"},
        yaxis=axis | {"title": {"text": "death (rms units)"}, "scaleanchor": "x", "constrain": "domain"},
    )


def _or_diagonal(point: np.ndarray | None, partner: np.ndarray | None) -> np.ndarray:
    """A point, or the place on the diagonal that is nearest to its partner."""
    if point is not None:
        return point
    assert partner is not None, "a matching never joins the diagonal to itself"
    return np.full(2, partner.mean())
