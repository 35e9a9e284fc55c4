"""Figures of single endpoints: every circuit, and means along the attention rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

import numpy as np
import pandas as pd

from topomod.report.colours import KINDS, styles
from topomod.report.plot_style import figure, floats
from topomod.report.words import number
from topomod.statistics.intervals import mean_interval


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


def rate_curve(matrix: pd.DataFrame, endpoint: str, title: str, rates: Mapping[str, float], margin: float) -> Any:
    """Mean and 95 % interval of an endpoint at each attention rate; the band is what counts as rate 0."""
    kept = matrix[matrix["converged"].astype(bool)]
    found = [mean_interval(kept.loc[kept["architecture"] == name, endpoint].to_numpy(float)) for name in rates]
    x, means = list(rates.values()), np.array([one[1] for one in found])
    ends = {"type": "data", "symmetric": False, "array": floats([f[3] - f[1] for f in found])}
    ends |= {"arrayminus": floats([f[1] - f[2] for f in found]), "color": KINDS[0], "thickness": 2, "width": 6}
    trace = {"type": "scatter", "mode": "lines+markers", "name": title, "showlegend": False, "x": x, "y": floats(means)}
    trace |= {"error_y": ends, "marker": {"color": KINDS[0], "size": 9}, "line": {"color": KINDS[0]}}
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
