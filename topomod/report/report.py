"""The page of a study whose networks are compared: its sections in their order, methods and provenance."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from topomod.report.pages import render_page, write_page
from topomod.report.section_contrasts import contrasts
from topomod.report.section_endpoints import endpoints
from topomod.report.section_frequencies import frequencies
from topomod.report.section_labels import labels
from topomod.report.section_looks import looks
from topomod.report.section_maps import maps
from topomod.report.section_maturity import maturity
from topomod.report.section_operations import operations
from topomod.report.section_phases import phases
from topomod.report.section_planning import planning
from topomod.report.section_published import published
from topomod.report.section_sensitivity import sensitivity
from topomod.report.section_shapes import shapes
from topomod.report.section_training import training
from topomod.report.section_verdicts import verdicts
from topomod.report.words import SYMBOLS
from topomod.statistics.questions import ANSWERS
from topomod.study.config import Study
from topomod.study.endpoint_catalogue import all_endpoints
from topomod.study.looks import at_look, stopped_at
from topomod.study.population import load_tables
from topomod.study.provenance import provenance
from topomod.study.shards import StudyFolder


def write_report(folder: StudyFolder, study: Study, output: Path) -> None:
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
    write_page(render(folder, study), output)


def render(folder: StudyFolder, study: Study) -> str:
    """Page of a finished study, as one string of HTML.

    Each section is a function here and a file of the same name under ``templates/``.
    """
    tables = load_tables(folder, study)
    declared, study = study, at_look(study, stopped_at(tables.looks))
    context: dict[str, Any] = {"study": study, "symbols": SYMBOLS, "answer_names": ANSWERS}
    context |= looks(folder, declared, tables)
    context["endpoint_titles"] = {name: endpoint.title for name, endpoint in all_endpoints().items()}
    sections = (
        verdicts,
        operations,
        contrasts,
        frequencies,
        sensitivity,
        planning,
        published,
        labels,
        shapes,
        endpoints,
        phases,
        maturity,
        maps,
        training,
    )
    for section in sections:
        context |= section(folder, study, tables)
    context |= {"provenance": provenance(folder.benchmarks), "config_json": json.dumps(declared.model_dump(), indent=1)}
    return render_page("report.html", context)
