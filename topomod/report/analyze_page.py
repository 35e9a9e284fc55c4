"""One self-contained page about single networks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from topomod.networks.circuit import Circuit
from topomod.neurons.groups import NeuronGroup, groups_of_spectra
from topomod.neurons.layers import Layer, circuit_layers
from topomod.neurons.sites import layer_cloud, layer_sites
from topomod.report import pages, plots_shapes
from topomod.report.examples import Example, principal_components
from topomod.report.network_words import in_words
from topomod.report.pages import Plot, csv_link, embed
from topomod.report.plots_training import topology_curves
from topomod.study.analyze import Inspection

SHOWN_GROUPS = 3  # clouds are drawn of so many groups a layer, largest first; every group is in the tables
SHOWN_NETWORKS = 12  # a browser does not open a page of many more


def write_page(named: Sequence[tuple[str, Circuit]], found: Inspection, output: Path, history: bool = False) -> None:
    """Write the page of :func:`topomod.study.analyze.inspect_networks`; it appears only when complete.

    Parameters
    ----------
    named : sequence of (str, Circuit)
        The networks themselves, under the names they have in the tables; they are run again for the figures.
    found : Inspection
        Their tables.
    output : Path
        HTML file.
    history : bool
        Whether the networks are circuits at several training steps, to be drawn against the step.
    """
    context: dict[str, Any] = {"sites": ("preactivations", "activations", "logits", "readout")}
    context["history"] = embed(_history(found), "history") if history else None
    shown = named[-1:] if history else named[:SHOWN_NETWORKS]
    context["cards"] = [_card(name, circuit, found) for name, circuit in shown]
    context["networks"] = found.networks.to_dict("records")
    context["csv_tables"] = {name: csv_link(table) for name, table in vars(found).items()}
    pages.write_page(pages.render_page("analyze.html", context), output)


def _history(found: Inspection) -> Any:
    first = found.labels[found.labels["layer"] == 0]
    return topology_curves(found.networks, first.merge(found.networks[["network", "step"]], on="network"))


def _card(name: str, circuit: Circuit, found: Inspection) -> dict[str, Any]:
    layers = []
    for index, layer in enumerate(circuit_layers(circuit)):
        groups, labels = (
            table[(table["network"] == name) & (table["layer"] == index)] for table in (found.groups, found.labels)
        )
        measured = set(zip(groups["order"], groups["frequency"], strict=True))  # others were too small for the tables
        every = groups_of_spectra(layer.spectra, index, min_neurons=1) if layer.symmetry else []
        drawn = sorted(
            (group for group in every if (group.order, group.frequency) in measured), key=lambda g: -len(g.neurons)
        )
        clouds = [{"group": g, "figures": _figures(name, circuit, layer, g)} for g in drawn[:SHOWN_GROUPS]]
        layers.append({"index": index, "rows": _rows(groups, labels), "sites": layer_sites(layer), "clouds": clouds})
    return {"name": name, "words": in_words(found, name), "layers": layers}


def _figures(name: str, circuit: Circuit, layer: Layer, group: NeuronGroup) -> dict[str, Plot]:
    """One figure of a group's point cloud per site."""
    parts = {site: principal_components(layer_cloud(layer, group, site)) for site in layer_sites(layer)}
    example = Example(
        architecture=name,
        seed=circuit.seed or 0,
        step=circuit.step,
        frequency=group.frequency,
        n_neurons=len(group.neurons),
        converged=circuit.converged,
        clouds={site: scores.astype(np.float32) for site, (scores, _) in parts.items()},
        explained={site: shares for site, (_, shares) in parts.items()},
        bars=pd.DataFrame(),
    )
    own = f"{name}_{group.layer}_{group.frequency}".replace("/", "_")  # part of a file's name
    return {
        site: embed(plots_shapes.point_cloud(example, site, len(layer.preactivations)), f"{own}_{site}")
        for site in parts
    }


def _rows(groups: pd.DataFrame, labels: pd.DataFrame) -> list[dict[str, Any]]:
    rows = []
    for row in groups.to_dict("records"):
        own = labels[(labels["frequency"] == row["frequency"]) & (labels["order"] == row["order"])]
        rows.append(
            {str(name): value for name, value in row.items()} | {"labels": own.set_index("site").to_dict("index")}
        )
    return rows
