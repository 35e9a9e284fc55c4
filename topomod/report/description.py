"""The page of a study whose networks are described, not compared: means with intervals, figures, provenance."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from topomod.mechanisms.normalized_margin import known_max_margin
from topomod.report.histories import read_histories
from topomod.report.pages import Option, csv_link, embed, render_page, write_page
from topomod.report.plots_endpoints import endpoint_strip
from topomod.report.plots_frequencies import feature_bars, irrep_bars, score_spectrum
from topomod.report.plots_training import accuracy_curves, loss_curves
from topomod.study.config import Study
from topomod.study.describe import measure_rows
from topomod.study.irrep_manifolds import manifold_summary
from topomod.study.measure_catalogue import MEASURES
from topomod.study.origin import study_origin
from topomod.study.population import converged_rows
from topomod.study.provenance import provenance
from topomod.study.shards import StudyFolder
from topomod.study.tables import read_tables


def write_description(folder: StudyFolder, study: Study, output: Path) -> None:
    """Write the page of a finished study; it appears under its name only when complete.

    Parameters
    ----------
    folder : StudyFolder
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
    tables = {name: read_tables(folder.shard_tables(name, study.shards())) for name in study.system.shard_tables}
    summary = read_tables([folder.table("summary_of_measures")])
    context: dict[str, Any] = {"study": study, "alpha": study.alpha}
    context |= populations(study, tables["measures"])
    context |= {"rows": measure_rows(summary, study.architectures), "summary_csv": csv_link(summary)}
    context |= figures(folder, study, tables)
    context["origin"] = study_origin(folder, study, [study.report_settings()], study.maturity_shards())
    context |= {"provenance": provenance(folder.benchmarks), "config_json": json.dumps(study.model_dump(), indent=1)}
    write_page(render_page("description.html", context), output)


def populations(study: Study, measures: pd.DataFrame) -> dict[str, Any]:
    """What was trained, and how much of it converged."""
    rows = []
    for label in study.labels:
        own = measures[measures["architecture"] == str(label)]
        failures = own[~own["converged"].astype(bool)]
        row = {"architecture": str(label), "task": str(study.task_of(label)), "trained": len(own)}
        row |= {"converged": int(own["converged"].sum()), "right": int((own["accuracy"] == 1).sum())}
        row["accuracy"] = float(own["accuracy"].min())
        row |= {"failures": [f"seed {f.seed}: {f.reason}" for f in failures.itertuples()]}
        rows.append(row | {"max_margin": known_max_margin(label.architecture, study.task_of(label))})
    known = any(label.record.homogeneous for label in study.labels)
    return {"populations": rows, "measures_csv": csv_link(measures), "has_normalized_margin": known}


def figures(folder: StudyFolder, study: Study, tables: dict[str, pd.DataFrame]) -> dict[str, Any]:
    """One figure per measure, neurons by frequency or irrep, accuracy or loss along training."""
    measures, names = tables["measures"], study.architectures
    found = [name for name in MEASURES if name in measures and measures[name].notna().any()]
    drawn = {name: endpoint_strip(measures, name, MEASURES[name].title, names) for name in found}
    kept = {kind: converged_rows(tables[kind], measures) for kind in ("neurons", "irreps", "manifolds")}
    neurons, irreps = (_by_architecture(kept[kind], names) for kind in ("neurons", "irreps"))
    features = {name: own for name, own in neurons.items() if name not in irreps and own["feature"].nunique() > 1}
    curves = tables["curves"]
    if len(curves):
        training = embed(accuracy_curves(curves, names), "accuracy")
    else:
        training = embed(loss_curves(read_histories(folder, study), names), "loss")
    return {
        "strips": [_option(name, MEASURES[name].title, figure) for name, figure in drawn.items()],
        "neurons": [_option(name, name, feature_bars(own)) for name, own in features.items()],
        "irreps": [_option(name, name, irrep_bars(own, study.alpha)) for name, own in irreps.items()],
        "manifolds": manifold_summary(kept["manifolds"]),
        "manifolds_csv": csv_link(kept["manifolds"]) if len(kept["manifolds"]) else "",
        "scores": [_score_option(own) for own in _by_architecture(tables["scores"], names).values()],
        "training": training,
        "grokking": len(curves) > 0,
    }


def _score_option(scores: pd.DataFrame) -> Option:
    """The spectrum of an architecture's first seed."""
    seed, name = scores["seed"].min(), scores["architecture"].iloc[0]
    return _option(name, f"{name}, seed {seed}", score_spectrum(scores[scores["seed"] == seed]))


def _by_architecture(table: pd.DataFrame, names: Sequence[str]) -> dict[str, pd.DataFrame]:
    parts = {name: table[table["architecture"] == name] for name in names}
    return {name: own for name, own in parts.items() if len(own)}


def _option(value: str, title: str, figure: Any) -> Option:
    return Option(value, title, "measure" if value in MEASURES else "architecture", embed(figure, value))
