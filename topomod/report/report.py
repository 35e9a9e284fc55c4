"""One self-contained page of a study: verdicts first, then the figures, methods and provenance."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from topomod.neurons.sites import studied_sites
from topomod.report import plots, plots_population, plots_shapes
from topomod.report.examples import BARS_SHOWN, Example, read_examples, read_histories
from topomod.report.maps import (
    AMPLITUDES,
    PER_ARCHITECTURE,
    bottleneck_matrix,
    diagram_features,
    endpoint_map,
)
from topomod.report.pages import Option, csv_link, embed, render_page, write_page
from topomod.report.plots_history import topology_curves
from topomod.report.section_frequencies import frequencies
from topomod.report.section_planning import contrasts, planning
from topomod.report.words import (
    SYMBOLS,
    VERDICTS,
    circuit_counts,
    comparison_rows,
    control_outcomes,
    family_answers,
    main_row,
    verdict_counts,
)
from topomod.study.config import Study
from topomod.study.diagram_features import NotAvailableError
from topomod.study.endpoint_catalogue import ALL_ENDPOINTS, ENDPOINTS
from topomod.study.population import (
    LABELS,
    StudyTables,
    converged_rows,
    endpoint_matrix,
    label_shares,
    load_tables,
    maturity_endpoints,
    moving_endpoints,
    phase_density,
)
from topomod.study.provenance import provenance
from topomod.study.published import CLOSE, FEW_GROUPS, PAPER, PAPER_P, compare_published
from topomod.topology.betti import MIN_DEATH


def write_report(folder: Path, study: Study, output: Path) -> None:
    """Write the page of a finished study; it appears under its name only when complete.

    Parameters
    ----------
    folder : Path
        ``results/<study>``.
    study : Study
        The settings it ran with.
    output : Path
        HTML file.

    Raises
    ------
    FileNotFoundError, ValueError
        If a table of the study is missing or corrupt.
    """
    write_page(render(folder, study), output)


def render(folder: Path, study: Study) -> str:
    """Page of a finished study, as one string of HTML."""
    tables = load_tables(folder, study)
    context: dict[str, Any] = {"study": study, "symbols": SYMBOLS}
    context |= {"verdict_names": VERDICTS, "endpoint_titles": {k: e.title for k, e in ALL_ENDPOINTS.items()}}
    for section in (
        answers,
        planning,
        contrasts,
        frequencies,
        published,
        labels,
        shapes,
        distributions,
        maturity,
        maps,
        training,
    ):
        context |= section(folder, study, tables)
    context |= {"provenance": provenance(folder), "config_json": json.dumps(study.model_dump(), indent=1)}
    return render_page("report.html", context)


def endpoint_options(draw: Callable[[str, str], Any], study: Study, file: str) -> list[Option]:
    """One figure per scalar endpoint, in the order of the study's families."""
    return [
        Option(name, ENDPOINTS[name].title, family, embed(draw(name, ENDPOINTS[name].title), f"{file}_{name}"))
        for family, names in study.families.items()
        for name in names
        if name in ENDPOINTS
    ]


def answers(folder: Path, study: Study, tables: StudyTables) -> dict[str, Any]:
    """Verdicts of every comparison, and the answer for the pair the question is about."""
    comparisons = comparison_rows(tables.verdicts) if len(tables.verdicts) else []
    main = main_row(comparisons)
    for place, comparison in enumerate(comparisons):
        rows = comparison["rows"]
        by_family = {name: rows[rows["family"] == name] for name in study.families}
        comparison["value"] = f"comparison{place}"
        comparison["counts"] = {s: verdict_counts(own) for s, own in by_family.items()}
        comparison["tests"] = {s: [row._asdict() for row in own.itertuples()] for s, own in by_family.items()}
        comparison["plot"] = embed(plots.forest(rows), f"forest_{place}")
    return {
        "comparisons": comparisons,
        "main": main,
        "main_answers": family_answers(main["rows"]) if main else [],
        "controls": control_outcomes(comparisons, study.alpha),
        "circuit_counts": circuit_counts(tables.circuits, tables.endpoints, study),
        "verdicts_csv": csv_link(tables.verdicts),
    }


def published(folder: Path, study: Study, tables: StudyTables) -> dict[str, Any]:
    """The published table beside this study's, where the modulus is the paper's."""
    context = {"paper": PAPER, "paper_p": PAPER_P, "close": CLOSE, "published": []}
    table = compare_published(tables, study.architectures, study.alpha) if study.p == PAPER_P else pd.DataFrame()
    if table.empty:
        return context | {"published_csv": "", "published_architectures": []}
    rows = [
        {"head": own.iloc[0].to_dict(), "cells": own.set_index("architecture").to_dict("index")}
        for _, own in table.groupby(["row", "column"], sort=False)
    ]
    names = list(table["architecture"].unique())
    context |= {"few_groups": FEW_GROUPS, "published_architectures": names}
    return context | {"published": rows, "published_csv": csv_link(table)}


def labels(folder: Path, study: Study, tables: StudyTables) -> dict[str, Any]:
    """Shares of labels per site."""
    shares = label_shares(tables.homology, tables.circuits, study.alpha)
    rows = {
        key: own.set_index("label").to_dict("index")
        for key, own in shares.groupby(["site", "architecture"], sort=False)
    }
    sites = [site for site in studied_sites() if site in set(shares["site"])]
    figures = {site: embed(plots.label_bars(shares, site), f"labels_{site}") for site in sites}
    found = converged_rows(tables.homology, tables.circuits)
    discs = found[(found["site"] == "logits") & (found["label"] == "disc")] if len(found) else found
    pinched = int((discs["winding"] == "(1, 1)").sum()) if len(discs) else 0
    context = {"discs": len(discs), "pinched": pinched, "min_death": MIN_DEATH}
    return context | {"labels": LABELS, "shares": rows, "share_plots": figures, "shares_csv": csv_link(shares)}


def shapes(folder: Path, study: Study, tables: StudyTables) -> dict[str, Any]:
    """Example manifolds, and the phases of all neurons."""
    examples = read_examples(folder, study, tables.circuits, tables.groups)
    phases = converged_rows(tables.phases, tables.circuits)
    found = [name for name in study.architectures if len(phases) and name in set(phases["architecture"])]
    densities = [phase_density(phases[phases["architecture"] == name], study.p) for name in found]
    top = max((float(np.quantile(density, 0.999)) for density in densities), default=1.0)
    maps = {name: embed(plots_shapes.phase_heatmap(phases, name, study.p, top), f"phases_{name}") for name in found}
    distances = plots_shapes.torus_histogram(phases, found, study.p) if found else None
    return {
        "sites": studied_sites(),
        "bars_shown": BARS_SHOWN,
        "examples": [_example_card(example, tables, study.p) for example in examples],
        "no_example": [n for n in study.architectures if n not in {e.architecture for e in examples}],
        "phase_maps": maps,
        "torus_plot": embed(distances, "torus_distance") if distances else None,
    }


def _example_card(example: Example, tables: StudyTables, p: int) -> dict[str, Any]:
    key = {name: getattr(example, name) for name in ("architecture", "seed", "step", "frequency")}
    group, verdicts = _select(tables.groups, key), _select(tables.homology, key)
    sites = {}
    for site in studied_sites():
        stem = f"{example.architecture}_{site}"
        own = verdicts[verdicts["site"] == site]
        sites[site] = {
            "cloud": embed(plots_shapes.point_cloud(example, site, p), f"cloud_{stem}"),
            "diagram": embed(plots_shapes.persistence_diagram(example.bars, site), f"diagram_{stem}"),
            "verdict": own.iloc[0].to_dict() if len(own) else None,
        }
    return {"example": example, "group": group.iloc[0].to_dict(), "sites": sites}


def _select(table: pd.DataFrame, key: dict[str, Any]) -> pd.DataFrame:
    rows: pd.DataFrame = table[np.logical_and.reduce([table[name] == value for name, value in key.items()])]
    return rows


def distributions(folder: Path, study: Study, tables: StudyTables) -> dict[str, Any]:
    """Every endpoint of every circuit."""
    matrix = endpoint_matrix(tables.endpoints)
    options = endpoint_options(
        lambda name, title: plots.endpoint_strip(matrix, name, title, study.architectures), study, "endpoint"
    )
    return {"endpoint_options": options, "endpoints_csv": csv_link(matrix)}


def maturity(folder: Path, study: Study, tables: StudyTables) -> dict[str, Any]:
    """Endpoints along training, and which of them still move after the schedule."""
    recipe = study.recipe
    context: dict[str, Any] = {"recipe": recipe, "final_decay": recipe.cumulative_decay(recipe.steps)}
    context["topology_options"] = []
    values = maturity_endpoints(tables)
    if values["value"].notna().sum() == 0:
        return context | {"maturity_options": [], "moving": [], "moving_steps": None, "maturity_csv": ""}
    moving = moving_endpoints(values, study)
    options = endpoint_options(
        lambda name, title: plots_population.maturity_curves(values, name, title, study.architectures, recipe),
        study,
        "maturity",
    )
    steps = None if moving.empty else moving.iloc[0].to_dict()
    rows = moving[moving["moves"]].to_dict("records")
    csv = csv_link(endpoint_matrix(values))
    context["topology_options"] = _topology_options(study, tables)
    return context | {"maturity_options": options, "moving": rows, "moving_steps": steps, "maturity_csv": csv}


def _topology_options(study: Study, tables: StudyTables) -> list[Option]:
    followed = tables.maturity_circuits
    options = []
    for name in (name for name in study.architectures if name in set(followed["architecture"])):
        own = tables.maturity_homology
        own = own[own["architecture"] == name] if len(own) else own
        curves = topology_curves(followed[followed["architecture"] == name], own)
        options.append(Option(name, name, "architecture", embed(curves, f"topology_{name}")))
    return options


def maps(folder: Path, study: Study, tables: StudyTables) -> dict[str, Any]:
    """Maps of circuits: UMAP, diagram features, bottleneck distances."""
    names = study.architectures
    context: dict[str, Any] = {"map_plot": None, "map_note": "", "features": {}, "amplitudes": AMPLITUDES}
    context["per_architecture"] = PER_ARCHITECTURE
    try:
        places = endpoint_map(endpoint_matrix(tables.endpoints))
        context["map_plot"] = embed(plots_population.circuit_map(places, names), "umap")
    except NotAvailableError as error:
        context["map_note"] = str(error)
    diagrams = converged_rows(tables.diagrams, tables.circuits)
    for site in studied_sites():
        context["features"][site] = _site_features(diagrams, site, names)
    return context


def _site_features(diagrams: pd.DataFrame, site: str, names: Sequence[str]) -> dict[str, Any]:
    parts: dict[str, Any] = {"note": "", "rows": [], "curves": None, "csv": "", "blocks": None, "compared": 0}
    if diagrams.empty:
        return parts | {"note": "Not computed: no group has a bar in H1."}
    circuits, distances = bottleneck_matrix(diagrams, site, list(names))
    if len(circuits) > 1:
        parts["blocks"] = embed(plots_population.distance_blocks(circuits, distances), f"bottleneck_{site}")
    try:
        features, curves = diagram_features(diagrams, site)
    except NotAvailableError as error:
        return parts | {"note": str(error)}
    grouped = features.groupby("architecture", sort=False)[["n_bars", "entropy", *AMPLITUDES]]
    mean, spread, sizes = grouped.mean(), grouped.std(ddof=1), grouped.size()
    rows = [
        {"architecture": name, "n": int(sizes[name]), "mean": mean.loc[name].to_dict()}
        | {"sd": spread.loc[name].to_dict()}
        for name in names
        if name in mean.index
    ]
    curve_plot = embed(plots_population.betti_curves(curves, names), f"betti_{site}")
    return parts | {"rows": rows, "curves": curve_plot, "csv": csv_link(features)}


def training(folder: Path, study: Study, tables: StudyTables) -> dict[str, Any]:
    """Loss curves of all circuits."""
    histories = read_histories(folder, study)
    if histories.empty:
        return {"loss_plot": None}
    return {"loss_plot": embed(plots_population.loss_curves(histories, study.architectures), "loss")}
