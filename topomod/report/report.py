"""The pages of a study whose networks are compared: the answers, all details, and the circuits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from topomod.report.circuits_page import circuits
from topomod.report.examples import Middle, read_middles
from topomod.report.first_page import Shown, headline, listed, page_figures, trust
from topomod.report.pages import fill, render_page, write_page
from topomod.report.section_answer import answer
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
from topomod.report.section_use import moves, use
from topomod.report.section_verdicts import verdicts
from topomod.report.take_away import cite, figures_archive, summary, summary_json
from topomod.report.words import SYMBOLS
from topomod.statistics.questions import ANSWERS
from topomod.study.config import Study
from topomod.study.endpoint_catalogue import all_endpoints
from topomod.study.looks import at_look, stopped_at
from topomod.study.origin import study_origin
from topomod.study.population import StudyTables, load_tables
from topomod.study.provenance import provenance
from topomod.study.shards import StudyFolder

FIRST, DETAILS, CIRCUITS = "report.html", "details.html", "circuits.html"
SECTIONS = (
    verdicts,
    contrasts,
    frequencies,
    sensitivity,
    planning,
    published,
    labels,
    use,
    endpoints,
    phases,
    maturity,
    maps,
)


def write_report(folder: StudyFolder, study: Study, output: Path) -> None:
    """Write the pages of a finished study, its answers and its figures; each file appears only when complete.

    Beside the first page stand ``details.html``, ``circuits.html``, ``summary.json`` and ``figures.zip``.

    Parameters
    ----------
    folder : StudyFolder
        ``results/<study>``.
    study : Study
        The settings it ran with.
    output : Path
        HTML file of the first page.

    Raises
    ------
    FileNotFoundError, ValueError
        If the tables of the study are missing or corrupt.
    """
    for name, content in render(folder, study, output.name).items():
        write_page(content, output.with_name(name))


def render(folder: StudyFolder, study: Study, first: str = FIRST) -> dict[str, str | bytes]:
    """Content of each file of a finished study's report, by its name; ``first`` is that of the first page."""
    tables = load_tables(folder, study)
    declared, study = study, at_look(study, stopped_at(tables.looks, study))
    middles = read_middles(folder, study, tables)
    shared: dict[str, Any] = {"study": study, "symbols": SYMBOLS, "answer_names": ANSWERS, "first": first}
    shared["origin"] = study_origin(folder, study, [declared.report_settings()], study.maturity_shards())
    shared |= {"provenance": provenance(folder.benchmarks)}
    shared |= operations(folder, study, tables) | answer(folder, study, tables) | looks(folder, declared, tables)
    commit, questions = shared["provenance"]["commit"], shared["question_answers"]
    figures = page_figures(Shown(folder, study, tables, middles, questions, _pair(shared, study)))
    found = summary(declared, questions, shared["circuit_counts"], commit)
    return {
        first: fill("first.html", shared | _first(shared, declared, middles) | {"figures": figures}),
        DETAILS: render_page("report.html", shared | _details(folder, study, tables, middles) | _written(declared)),
        CIRCUITS: fill("circuits.html", shared | circuits(folder, study, tables)),
        "summary.json": summary_json(found),
        "figures.zip": figures_archive(listed(figures)),
    }


def _pair(shared: dict[str, Any], study: Study) -> tuple[str, ...]:
    """The architectures that the first page shows: the main pair, else the first two."""
    main = shared["main"]
    return (main["x"], main["y"]) if main else tuple(study.architectures[:2])


def _first(shared: dict[str, Any], study: Study, middles: dict[str, Middle]) -> dict[str, Any]:
    """What the first page says beside its figures."""
    pair, counts, questions = _pair(shared, study), shared["circuit_counts"], shared["question_answers"]
    return {
        "pair": pair,
        "middles": middles,
        "headline": headline(questions, pair) if questions else "",
        "trust": trust(counts, shared["controls"], pair),
        "cite": cite(study, shared["task_names"], counts, shared["provenance"]["commit"]),
    }


def _written(study: Study) -> dict[str, str]:
    """The settings of the whole study."""
    return {"config_json": json.dumps(study.model_dump(), indent=1)}


def _details(folder: StudyFolder, study: Study, tables: StudyTables, middles: dict[str, Middle]) -> dict[str, Any]:
    """Context of the second page: each section is a function and a template of the same name."""
    context: dict[str, Any] = {"endpoint_titles": {name: own.title for name, own in all_endpoints().items()}}
    for section in SECTIONS:
        context |= section(folder, study, tables)
    return context | shapes(folder, study, tables, middles) | moves(study, middles)
