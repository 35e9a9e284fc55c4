"""Figures along training: loss, accuracy, endpoints and topology against the step."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import Any

import numpy as np
import pandas as pd

from topomod.neurons.sites import studied_sites
from topomod.report.colours import GREY, KINDS, styles
from topomod.report.plot_style import figure, floats, joined_curves
from topomod.training.recipes import Recipe

PANELS = (
    ("accuracy", "accuracy", [0.72, 1.0]),
    ("h1_persistence", "longest H1 bar", [0.37, 0.65]),
    ("betti_1", "Betti number b1", [0.0, 0.28]),
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


def accuracy_curves(table: pd.DataFrame, architectures: Sequence[str]) -> Any:
    """Accuracy by step: thin, each circuit on held-out inputs; solid, their median; dotted, that on training inputs."""
    traces = []
    for label, (colour, _) in styles(architectures).items():
        own = table[table["architecture"] == label]
        if not len(own):
            continue
        single = {"type": "scatter", "mode": "lines", "showlegend": False, "hoverinfo": "skip", "legendgroup": label}
        single |= {"line": {"color": colour, "width": 0.7}, "opacity": 0.35}
        traces.append(single | joined_curves([one for _, one in own.groupby("seed")], "test_accuracy"))
        for column, dash in (("test_accuracy", "solid"), ("train_accuracy", "dot")):
            wide = own.pivot_table(index="step", columns="seed", values=column).ffill()
            line = {"color": colour, "dash": dash, "width": 2}
            words = "held out" if column == "test_accuracy" else "training"
            trace = {
                "type": "scatter",
                "mode": "lines",
                "name": f"{label}, {words}",
                "line": line,
                "legendgroup": label,
            }
            traces.append(trace | {"x": floats(wide.index), "y": floats(wide.median(axis=1))})
    return figure(
        traces,
        height=380,
        xaxis={"type": "log", "dtick": 1, "title": {"text": "training step"}},
        yaxis={"title": {"text": "accuracy"}, "range": [-0.03, 1.05], "tickformat": ".0%"},
    )


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
        shapes=[end | {"line": {"color": GREY, "dash": "dot"}}],
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


def topology_curves(circuits: pd.DataFrame, homology: pd.DataFrame) -> Any:
    """Accuracy, longest loop and first Betti number against the step: means over circuits and groups, a line per site.

    Parameters
    ----------
    circuits : DataFrame
        Columns step, accuracy.
    homology : DataFrame
        Columns step, site, h1_persistence (rms units), betti_1; may be empty.
    """
    accuracy = circuits.groupby("step")["accuracy"].mean()
    traces = [_line(accuracy, "accuracy, all pairs", "y", GREY)]
    for place, (column, _, _) in enumerate(PANELS[1:], start=2):
        for site, colour in zip(studied_sites(), KINDS, strict=False):
            if len(homology):
                means = homology[homology["site"] == site].groupby("step")[column].mean()
                traces.append(_line(means, site, f"y{place}", colour) | {"showlegend": place == 2})
    axes = {
        f"yaxis{place if place > 1 else ''}": {"title": {"text": title}, "domain": domain, "rangemode": "tozero"}
        for place, (_, title, domain) in enumerate(PANELS, start=1)
    }
    return figure(traces, height=520, xaxis={"title": {"text": "training step"}, "anchor": "y3"}, **axes)


def _line(means: pd.Series, name: str, axis: str, colour: str) -> dict[str, Any]:
    data = {"x": np.asarray(means.index, int), "y": floats(means), "name": name, "yaxis": axis}
    return {"type": "scatter", "mode": "lines+markers", "line": {"color": colour}} | data
