"""Loss along training of every circuit, read from the circuits' files."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from topomod.study.config import Study
from topomod.study.shards import CIRCUITS, StudyFolder

CURVE_POINTS = 60  # per circuit, evenly spaced in log step


def read_histories(folder: StudyFolder, study: Study) -> pd.DataFrame:
    """Loss along training of every circuit, thinned: architecture, seed, step, loss, accurate."""
    from topomod.networks.circuit_file import load_circuits

    parts = []
    for shard in study.shards():
        path = folder.population(shard) / CIRCUITS
        if path.is_file():
            parts += [_history(circuit) for circuit in load_circuits(path)]
    filled = [part for part in parts if len(part)]
    columns = ["architecture", "seed", "step", "loss", "accurate"]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=columns)


def _history(circuit: Any) -> pd.DataFrame:
    losses = np.asarray(circuit.history.get("loss", ()), float)
    steps = np.arange(len(losses))
    kept = np.flatnonzero((steps > 0) & (steps <= max(circuit.step, 1)) & np.isfinite(losses) & (losses > 0))
    if len(kept) > CURVE_POINTS:
        targets = np.geomspace(steps[kept[0]], steps[kept[-1]], CURVE_POINTS)
        kept = np.unique(kept[np.searchsorted(steps[kept], targets).clip(0, len(kept) - 1)])
    accurate = np.asarray(circuit.history.get("accurate", np.zeros(len(steps))), float)
    table = {"step": steps[kept], "loss": losses[kept], "accurate": accurate[kept]}
    return pd.DataFrame({"architecture": circuit.label, "seed": circuit.seed, **table})
