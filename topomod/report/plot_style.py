"""The style of interactive figures: layout, and how arrays are written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd


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
