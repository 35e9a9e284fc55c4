"""Figure of labels: which share of the groups has which shape."""

from __future__ import annotations

from typing import Any

import pandas as pd

from topomod.report.colours import GREY, KINDS
from topomod.report.plot_style import figure, floats
from topomod.study.population import LABELS

LABEL_COLOURS = dict(zip(LABELS, (KINDS[0], KINDS[2], KINDS[1], KINDS[3], GREY), strict=True))


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
