"""Figures of frequencies and irreps: which are used, and what is left without them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from topomod.report.colours import GREY, KINDS, styles
from topomod.report.plot_style import figure, floats
from topomod.statistics.intervals import mean_interval


def ablation_curves(table: pd.DataFrame, architectures: Sequence[str]) -> Any:
    """Accuracy with frequencies projected out at one site, mean and 95 % interval over circuits.

    Left: the n strongest together (solid), n that are not key (dotted). Right: the n-th strongest alone.
    """
    traces = []
    panels = (("cumulative", "solid", "x"), ("random", "dot", "x"), ("single", "solid", "x2"))
    for label, (colour, marker) in styles(architectures).items():
        own = table[(table["architecture"] == label) & table["converged"].astype(bool)]
        for kind, dash, axis in panels:
            part = own[own["kind"] == kind]
            if len(part):
                trace = _with_interval(part, "n", "accuracy") | {"name": label, "legendgroup": label, "xaxis": axis}
                trace |= {"showlegend": kind == "cumulative", "mode": "lines+markers"}
                trace |= {"line": {"color": colour, "dash": dash, "width": 1 if kind == "random" else 2}}
                traces.append(trace | {"marker": {"color": colour, "symbol": marker, "size": 6}})
    return figure(
        traces,
        height=400,
        xaxis={"title": {"text": "the n strongest together"}, "dtick": 1, "domain": [0, 0.48]},
        xaxis2={"title": {"text": "the n-th strongest alone"}, "dtick": 1, "domain": [0.52, 1]},
        yaxis={"title": {"text": "accuracy on all pairs"}, "range": [-0.03, 1.05], "tickformat": ".0%"},
    )


def _with_interval(part: pd.DataFrame, x: str, y: str) -> dict[str, Any]:
    """Scatter trace of mean shares over circuits with their 95 % intervals, cut to what a share can be."""
    places = np.sort(part[x].unique())
    found = [mean_interval(part.loc[part[x] == place, y].to_numpy(float)) for place in places]
    found = [(n, mean, max(low, 0.0), min(high, 1.0)) for n, mean, low, high in found]
    ends = {"type": "data", "symmetric": False, "thickness": 1.2, "width": 3}
    ends |= {"array": floats([f[3] - f[1] for f in found]), "arrayminus": floats([f[1] - f[2] for f in found])}
    hover = [
        f"{place:g}: {f[1]:.3f} [{f[2]:.3f}, {f[3]:.3f}], {f[0]} circuits"
        for place, f in zip(places, found, strict=True)
    ]
    trace = {"type": "scatter", "x": floats(places), "y": floats([f[1] for f in found]), "error_y": ends}
    return trace | {"hovertext": hover, "hoverinfo": "text+name"}


def feature_bars(neurons: pd.DataFrame) -> Any:
    """Live neurons per circuit at each frequency or irrep, with the number that even use would give."""
    counts = neurons.groupby(["seed", "feature"]).size().unstack(fill_value=0)
    order = sorted(counts.columns, key=lambda name: (len(str(name)), str(name)))
    means = counts[order].mean()
    trace = {"type": "bar", "x": [str(name) for name in order], "y": floats(means), "showlegend": False}
    trace |= {"marker": {"color": KINDS[0]}, "hovertemplate": "%{x}: %{y:.1f} neurons a circuit<extra></extra>"}
    even = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": float(means.mean()), "y1": float(means.mean())}
    return figure(
        [trace],
        height=320,
        shapes=[even | {"line": {"color": GREY, "dash": "dot", "width": 1}}],
        xaxis={"type": "category", "title": {"text": "frequency, or irrep of the group"}},
        yaxis={"title": {"text": "live neurons, mean over circuits"}},
    )


def irrep_bars(irreps: pd.DataFrame, alpha: float) -> Any:
    """Share of the network in each irrep, mean and interval over circuits, beside what theory expects.

    ``expected_share`` is for the regularisation that the circuits ended with, ``limit_share`` for the largest margin.
    """
    names = list(irreps["irrep"].unique())
    found = [mean_interval(irreps.loc[irreps["irrep"] == name, "share"].to_numpy(float), alpha) for name in names]
    ends = {"type": "data", "symmetric": False, "array": floats([f[3] - f[1] for f in found])}
    ends |= {"arrayminus": floats([f[1] - f[2] for f in found]), "thickness": 2, "width": 5}
    trained = {"type": "bar", "name": "trained", "x": names, "y": floats([f[1] for f in found]), "error_y": ends}
    traces = [trained | {"marker": {"color": KINDS[5]}}]
    theories = (
        ("expected_share", "theory, last regularisation", 4),
        ("limit_share", "theory, largest margin", 6),
    )
    for column, words, colour in theories:
        values = floats([irreps.loc[irreps["irrep"] == name, column].mean() for name in names])
        marks = {"color": KINDS[colour], "symbol": "line-ew-open", "size": 22, "line": {"width": 3}}
        traces.append({"type": "scatter", "mode": "markers", "name": words, "x": names, "y": values, "marker": marks})
    return figure(
        traces,
        height=340,
        xaxis={"type": "category", "title": {"text": "real irrep"}},
        yaxis={"title": {"text": "share of the network"}, "rangemode": "tozero"},
    )


def score_spectrum(scores: pd.DataFrame) -> Any:
    """Spectrum of one circuit's scores, heads weighted by power; the colour is the logarithm of the share."""
    weight = scores["power"] * scores["share"]
    power = weight.groupby([scores["query_frequency"], scores["key_frequency"]]).sum().unstack()
    shares = np.maximum(power.to_numpy() / max(power.to_numpy().sum(), np.finfo(float).tiny), 1e-5)
    ticks = {"tickvals": [-5, -4, -3, -2, -1, 0], "ticktext": ["≤ 0.00001", "0.0001", "0.001", "0.01", "0.1", "1"]}
    trace = {"type": "heatmap", "z": floats(np.log10(shares)), "zmin": -5, "zmax": 0, "colorscale": "Cividis"}
    trace |= {"customdata": floats(shares), "colorbar": ticks | {"thickness": 10, "title": {"text": "share"}}}
    hover = "query frequency %{y}, key frequency %{x}: %{customdata:.4f}<extra></extra>"
    return figure(
        [trace | {"hovertemplate": hover}],
        height=420,
        xaxis={"title": {"text": "frequency of the key"}, "showgrid": False, "constrain": "domain"},
        yaxis={"title": {"text": "frequency of the query"}, "showgrid": False, "scaleanchor": "x"},
    )
