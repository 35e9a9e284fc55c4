"""What :mod:`topomod.study.analyze` found, as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from topomod.report.network_words import in_words
from topomod.study.analyze import Inspection


def summary(found: Inspection) -> Iterator[str]:
    """Lines that say what each network is: accuracy and metrics, its layers, its groups and their labels."""
    for row in found.networks.itertuples():
        name = str(row.network)
        yield f"{name}: {in_words(found, name)}"
        yield f"  {row.architecture}, {row.task}, p = {row.p}"
        if row.reason:
            yield f"  it does not count as converged: {row.reason!s}"
        yield f"  {_metrics(row)}"
        circles = _own(found.circles, name)
        if len(circles):
            shares = (f"{c.frequency}: {c.clock:.4f} / {c.pizza:.4f}" for c in circles.itertuples())
            yield f"  logit FVE of the embedding's circles, clock / pizza: {', '.join(shares)}"
        for layer in _own(found.layers, name).itertuples():
            yield from _layer_lines(found, name, layer)


def _metrics(row: Any) -> str:
    """Zhong et al.'s metrics and the norm of all weights, as far as they are known."""
    values = {
        "gradient symmetricity": f"{row.gradient_symmetricity:.6f}",
        "distance irrelevance": f"{row.distance_irrelevance:.6f} (correct logit) and "
        f"{row.distance_irrelevance_runner_up:.4f} (runner-up)",
        "circularity": f"{row.circularity:.6f}",
        "parameter norm": f"{row.parameter_norm:.3f}",
    }
    known = [f"{name} {value}" for name, value in values.items() if not value.startswith("nan")]
    return ", ".join(known) or "no metric of its weights is known"


def _layer_lines(found: Inspection, network: str, layer: Any) -> Iterator[str]:
    if not layer.n_dead >= 0:  # NaN without frequencies
        yield f"  layer {layer.layer}: {layer.n_neurons} neurons, in no group of one frequency"
        return
    yield (
        f"  layer {layer.layer}: {layer.n_neurons} neurons, {layer.n_dead:.0f} of them dead, "
        f"{layer.n_second_order:.0f} of second order; of the variance in the read-out directions the sum has "
        f"{layer.readout_sum_r2:.3f}, a or b alone {layer.readout_first_order_r2:.4f}"
    )
    yield from _use_lines(layer)
    groups, labels = (_own(table, network, layer.layer) for table in (found.groups, found.labels))
    if groups.empty:
        yield "    this layer has no group of neurons that is large enough"
    for group in groups.itertuples():
        own = labels[(labels["frequency"] == group.frequency) & (labels["order"] == group.order)]
        words = (f"{label.site} {label.label} {label.winding}".rstrip() for label in own.itertuples())
        kind = "" if group.order == 1 else " of second order"
        yield (
            f"    frequency {group.frequency}: {group.n_neurons} neurons{kind}, R2 {group.first_order_r2:.3f} of first "
            f"and {group.second_order_r2:.3f} of second order, coherence {group.phase_coherence:.2f}; "
            f"{', '.join(words)}"
        )


def _use_lines(layer: Any) -> Iterator[str]:
    """What interventions say of a layer, as far as they can be made."""
    if layer.steering_share != layer.steering_share:  # NaN
        return
    yield (
        f"    with its groups' manifolds alone it is right on {layer.sufficiency_accuracy:.1%} of pairs, without them "
        f"on {layer.necessity_accuracy:.1%}; {layer.steering_share:.1%} of answers follow when the manifolds move, and "
        f"{layer.steering_control:.1%} follow the strongest control"
    )
    if layer.clock_position == layer.clock_position:
        low, high = layer.clock_position_low, layer.clock_position_high
        ends = f" [{low:.2f}, {high:.2f}]" if low == low else ""
        yield (
            f"    moved against each other, a and b put it at {layer.clock_position:.2f}{ends} between pizza (0) and "
            "clock (1)"
        )


def _own(table: pd.DataFrame, network: str, layer: int | None = None) -> pd.DataFrame:
    rows = table[table["network"] == network]
    return rows if layer is None else rows[rows["layer"] == layer]
