"""Figures of verdicts and endpoints. Functions take data and return a plotly figure; the page colours the text."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import Any

import numpy as np
import pandas as pd

from topomod.report.words import SYMBOLS, VERDICTS, number
from topomod.statistics.intervals import mean_interval
from topomod.study.population import LABELS

# Okabe and Ito's colours without black and yellow, which vanish on a dark or a light page.
OKABE_ITO = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#999999")
MARKERS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "star", "hexagon")
VERDICT_STYLE = {
    "equivalent": ("#009E73", "circle"),
    "trivially different": ("#56B4E9", "diamond"),
    "different": ("#D55E00", "x"),
    "inconclusive": ("#8c8c8c", "circle-open"),
}
LABEL_COLOURS = dict(zip(LABELS, ("#2f6690", "#8fc1e3", "#c9a227", "#8d6b94", "#a6a6a6"), strict=True))
CLIP = 6.0  # margins; a forest plot on the scale of its largest difference would hide the band


def styles(architectures: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Colour and marker of each architecture."""
    size = len(OKABE_ITO)
    return {name: (OKABE_ITO[i % size], MARKERS[i % size]) for i, name in enumerate(architectures)}


def figure(traces: Sequence[dict[str, Any]], height: int, **layout: Any) -> Any:
    """Plotly figure in the house layout: no title (the caption says it), legend above, room for long ticks."""
    import plotly.graph_objects as go

    base: dict[str, Any] = {
        "template": go.layout.Template(),
        "height": height,
        "margin": {"l": 10, "r": 10, "t": 10, "b": 10},
        "legend": {"orientation": "h", "y": 1.02, "x": 0, "yanchor": "bottom", "xanchor": "left"},
        "xaxis": {"automargin": True},
        "yaxis": {"automargin": True},
    }
    for name, value in layout.items():
        both = isinstance(value, dict) and isinstance(base.get(name), dict)
        base[name] = base[name] | value if both else value
    return go.Figure(data=list(traces), layout=base)


def floats(values: Any) -> np.ndarray:
    """Array as float32, which plotly writes in a third of the space of text."""
    return np.asarray(values, np.float32)


def joined_curves(curves: Sequence[pd.DataFrame], y: str) -> dict[str, np.ndarray]:
    """Curves of several circuits as the x (step) and y of one trace, with a gap after each."""
    gap = pd.DataFrame({"step": [np.nan], y: [np.nan]})
    joined = pd.concat([part for one in curves for part in (one[["step", y]].astype(float), gap)])
    return {"x": floats(joined["step"]), "y": floats(joined[y])}


def forest(rows: pd.DataFrame) -> Any:
    """Difference over margin with its interval, one line per endpoint; sameness means inside the band."""
    places, ticks, y = [], [], 0.0
    for family, own in rows.groupby("family", sort=False):
        ticks.append((y, f"<b>{family}</b>"))
        for index in own.index:
            y += 1
            places.append((index, y))
            ticks.append((y, "<br>".join(wrap(str(rows["title"][index]), 32))))
        y += 1.4
    placed = rows.assign(y=pd.Series(dict(places)))
    traces = [_forest_trace(placed[placed["verdict"] == verdict], verdict) for verdict in VERDICTS]
    limits = [-CLIP - 0.4, CLIP + 0.4]
    band = {"type": "rect", "x0": -1, "x1": 1, "y0": -1, "y1": y, "line": {"width": 0}, "layer": "below"}
    return figure(
        traces,
        height=int(28 * y + 90),
        shapes=[band | {"fillcolor": "rgba(0,158,115,0.16)"}],
        xaxis={"title": {"text": "difference / margin"}, "range": limits, "zeroline": True, "dtick": 2},
        yaxis={
            "range": [y - 0.4, -0.8],
            "tickvals": [tick for tick, _ in ticks],
            "ticktext": [text for _, text in ticks],
            "tickfont": {"size": 10.5},
            "showgrid": False,
            "zeroline": False,
        },
    )


def _forest_trace(rows: pd.DataFrame, verdict: str) -> dict[str, Any]:
    colour, marker = VERDICT_STYLE[verdict]
    scaled = rows[["difference", "ci_low", "ci_high"]].astype(float).div(rows["margin"].astype(float), axis=0)
    outside = scaled["difference"].abs() > CLIP
    clipped = scaled.clip(-CLIP, CLIP)
    arrows = np.where(scaled["difference"] > 0, "triangle-right", "triangle-left")
    hover = [
        f"{row['title']}<br>{number(row['difference'])} [{number(row['ci_low'])}, {number(row['ci_high'])}]"
        f"<br>margin {number(row['margin'])}: {verdict}"
        for row in rows.to_dict("records")
    ]
    ends = {
        "type": "data",
        "symmetric": False,
        "array": floats(clipped["ci_high"] - clipped["difference"]),
        "arrayminus": floats(clipped["difference"] - clipped["ci_low"]),
    }
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"{SYMBOLS[verdict]} {verdict}",
        "showlegend": bool(len(rows)),
        "x": floats(clipped["difference"]),
        "y": floats(rows["y"]),
        "error_x": ends | {"color": colour, "thickness": 1.6, "width": 3},
        "marker": {"color": colour, "size": 9, "symbol": list(np.where(outside, arrows, marker))},
        "hovertext": hover,
        "hoverinfo": "text",
    }


def label_bars(shares: pd.DataFrame, site: str) -> Any:
    """Stacked shares of labels, one bar per architecture."""
    own = shares[shares["site"] == site]
    traces = []
    for label in LABELS:
        rows = own[own["label"] == label]
        hover = [
            f"{row.architecture}: {label} {row.mean:.0%}<br>interval {row.ci_low:.0%} to {row.ci_high:.0%}"
            f"<br>{row.n_groups} groups of {row.n_circuits} circuits"
            for row in rows.itertuples()
        ]
        text = [f"{label} {share:.0%}" if share >= 0.16 else "" for share in rows["mean"]]
        traces.append(
            {"type": "bar", "orientation": "h", "name": label, "y": list(rows["architecture"])}
            | {"x": floats(rows["mean"]), "text": text, "textposition": "inside", "insidetextanchor": "middle"}
            | {"marker": {"color": LABEL_COLOURS[label]}, "hovertext": hover, "hoverinfo": "text"}
            | {"textangle": 0, "constraintext": "none", "textfont": {"size": 11}}
        )
    return figure(
        traces,
        height=90 + 46 * max(1, own["architecture"].nunique()),
        barmode="stack",
        bargap=0.25,
        xaxis={"range": [0, 1], "tickformat": ".0%", "title": {"text": "share of a circuit's groups"}},
        yaxis={"autorange": "reversed"},
        legend={"traceorder": "normal"},
        margin={"r": 24},
    )


def endpoint_strip(matrix: pd.DataFrame, endpoint: str, title: str, architectures: Sequence[str]) -> Any:
    """Every converged circuit's value beside its architecture's mean and 95 % interval."""
    traces = []
    kept = matrix[matrix["converged"].astype(bool)]
    for place, (name, (colour, marker)) in enumerate(styles(architectures).items()):
        own = kept[kept["architecture"] == name]
        values = own[endpoint].to_numpy(float) if endpoint in own else np.full(len(own), np.nan)
        spread = (np.arange(len(values)) * 0.618034 % 1 - 0.5) * 0.5  # a fixed scatter, evenly filled
        traces.append(
            {"type": "scatter", "mode": "markers", "name": name, "showlegend": False}
            | {"x": floats(place - 0.1 + spread), "y": floats(values)}
            | {"marker": {"color": colour, "symbol": marker, "size": 7, "opacity": 0.7}}
            | {"customdata": own["seed"].to_numpy(np.int32)}
            | {"hovertemplate": f"{name}, seed %{{customdata}}<br>%{{y:.4g}}<extra></extra>"}
        )
        traces.append(_mean_mark(place + 0.36, values, colour, name))
    names = list(architectures)
    ticks = [name.replace("_", "_<br>") for name in names]  # one line each would not fit a phone
    return figure(
        traces,
        height=360,
        xaxis={"tickvals": list(range(len(names))), "ticktext": ticks, "range": [-0.6, len(names) - 0.4]},
        yaxis={"title": {"text": "<br>".join(wrap(title, 36))}},
    )


def _mean_mark(place: float, values: np.ndarray, colour: str, name: str) -> dict[str, Any]:
    n, mean, low, high = mean_interval(values)
    ends = {"type": "data", "symmetric": False, "array": floats([high - mean]), "arrayminus": floats([mean - low])}
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"{name}, mean",
        "showlegend": False,
        "x": floats([place]),
        "y": floats([mean]),
        "error_y": ends | {"color": colour, "thickness": 2, "width": 6},
        "marker": {"color": colour, "size": 10, "symbol": "line-ew-open", "line": {"width": 3}},
        "hovertext": f"{name}: mean of {n} is {number(mean)} [{number(low)}, {number(high)}]",
        "hoverinfo": "text",
    }
