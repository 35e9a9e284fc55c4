"""Figure of a comparison: every difference beside its margin."""

from __future__ import annotations

from textwrap import wrap
from typing import Any

import numpy as np
import pandas as pd

from topomod.report.colours import GREY
from topomod.report.plot_style import figure, floats
from topomod.report.words import SYMBOLS, number
from topomod.statistics.questions import ANSWERS

ANSWER_STYLE = {
    "the same": ("#00855f", "circle"),
    "different": ("#D55E00", "x"),
    "differs, size open": ("#B8860B", "diamond-open"),
    "not decided": (GREY, "circle-open"),
}
CLIP = 6.0  # margins; a forest plot on the scale of its largest difference would hide the band


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
    traces = [_forest_trace(placed[placed["answer"] == answer], answer) for answer in ANSWERS]
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


def _forest_trace(rows: pd.DataFrame, answer: str) -> dict[str, Any]:
    colour, marker = ANSWER_STYLE[answer]
    scaled = rows[["difference", "ci_low", "ci_high"]].astype(float).div(rows["margin"].astype(float), axis=0)
    outside = scaled["difference"].abs() > CLIP
    clipped = scaled.clip(-CLIP, CLIP)
    arrows = np.where(scaled["difference"] > 0, "triangle-right", "triangle-left")
    hover = [
        f"{row['title']}<br>{number(row['difference'])} [{number(row['ci_low'])}, {number(row['ci_high'])}]"
        f"<br>margin {number(row['margin'])}: {answer}"
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
        "name": f"{SYMBOLS[answer]} {answer}",
        "showlegend": bool(len(rows)),
        "x": floats(clipped["difference"]),
        "y": floats(rows["y"]),
        "error_x": ends | {"color": colour, "thickness": 1.6, "width": 3},
        "marker": {"color": colour, "size": 9, "symbol": list(np.where(outside, arrows, marker))},
        "hovertext": hover,
        "hoverinfo": "text",
    }
