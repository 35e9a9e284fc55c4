"""What a single network is, in one line of words."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pandas as pd

from topomod.study.analyze import Inspection

SHOWN = 12  # frequencies that are listed
PLURALS = {
    "disc": "discs",
    "torus": "tori",
    "circle": "circles",
    "other": "other shapes",
    "uncertain": "unclear shapes",
}


def in_words(found: Inspection, network: str) -> str:
    """Mechanism, frequencies, shapes before the nonlinearity and at the logits, and on how many pairs it is right.

    Examples
    --------
    ``pizza: 3 frequencies (3, 15, 17); discs before the nonlinearity, circles of a + b at the logits; right on all 3481
    pairs``
    """
    row = _rows(found.networks, network).iloc[0]
    if "not recognised" in row["no_symmetry"]:
        return (
            f"table not recognised on {row['n_pairs']} pairs: nothing is said of right answers, frequencies and irreps"
        )
    parts = [_features(found, row), _shapes(found, row), _right(row)]
    if not row["learnt"]:
        parts = [parts[2], *parts[:2]]
    head = f"{row['mechanism']}: " if row["mechanism"] else "" if row["learnt"] else "NOT LEARNT: "
    return head + "; ".join(part for part in parts if part)


def _rows(table: pd.DataFrame, network: str) -> pd.DataFrame:
    return table[table["network"] == network]


def _first_layer(found: Inspection, network: str) -> pd.DataFrame:
    groups = _rows(found.groups, network)
    return groups[(groups["layer"] == 0) & (groups["order"] == 1)]


def _features(found: Inspection, row: Any) -> str:
    irreps = _rows(found.irreps, row["network"])
    irreps = irreps[irreps["layer"] == 0]
    if len(irreps):
        held = [f"{own.irrep}: {own.n_neurons} neurons" for own in irreps.head(SHOWN).itertuples()]
        return f"{row['task']}; neurons of {len(irreps)} irrep{'s' * (len(irreps) > 1)} ({', '.join(held)})"
    if row["no_symmetry"]:
        return f"{row['task']} has no frequencies ({row['no_symmetry']})"
    frequencies = sorted(_first_layer(found, row["network"])["frequency"])
    if not frequencies:
        return "no group of neurons is large enough"
    listed = ", ".join(map(str, frequencies[:SHOWN])) + (", ..." if len(frequencies) > SHOWN else "")
    return f"{len(frequencies)} {'frequency' if len(frequencies) == 1 else 'frequencies'} ({listed})"


def _shapes(found: Inspection, row: Any) -> str:
    """Commonest shape of the first-order groups of the first layer at two sites; at the logits, of the last layer."""
    labels, layers = _rows(found.labels, row["network"]), _rows(found.layers, row["network"])
    before = labels[(labels["site"] == "preactivations") & (labels["layer"] == 0) & (labels["order"] == 1)]
    last = labels[(labels["site"] == "logits") & (labels["layer"] == layers["layer"].max())]
    parts = []
    for own, place in ((before, f"before the {layers['nonlinearity'].iloc[0]}"), (last, "at the logits")):
        first = own[own["order"] == 1]
        own = first if len(first) else own  # deeper layers may have groups of second order alone
        if len(own):
            shape, times = Counter(own["label"]).most_common(1)[0]
            some = "" if times == len(own) else f" ({times} of {len(own)})"
            parts.append(f"{PLURALS[shape]}{some}{_turning(own, shape, row)} {place}")
    return ", ".join(parts)


def _turning(labels: pd.DataFrame, shape: str, row: Any) -> str:
    """The sum that the angle of most circles turns with, if it is the task's."""
    if shape != "circle":
        return ""
    turns = Counter(labels.loc[labels["label"] == shape, "winding"]).most_common(1)[0][0]
    return f" of {row['sum']}" if turns == row["windings"] else f" that turn {turns}" if turns else ""


def _right(row: Any) -> str:
    if row["learnt"]:
        return f"right on all {row['n_pairs']} pairs"
    return f"right on {row['accuracy']:.1%} of {row['n_pairs']} pairs of {row['task']}"
