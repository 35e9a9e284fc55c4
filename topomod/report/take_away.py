"""What a reader takes from a study's first page: figures with their tables, the answers as JSON, and how to cite it."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import numpy as np

from topomod import __version__
from topomod.report.csv_text import csv_text
from topomod.report.svg_figure import Figure
from topomod.study.config import Study
from topomod.study.declared import declaration, declaration_hash
from topomod.study.sentences import short_name

SAFE = "/,:;()+-_."  # these need no escape in a data URI
EPOCH = (1980, 1, 1, 0, 0, 0)  # files in an archive have this date, so that the same study gives the same archive
PRIMARY = (
    "endpoint title unit mean_x mean_y difference ci_low ci_high margin primary_answer small_difference n_x n_y alpha "
    "caveat"
).split()


@dataclass(frozen=True)
class PageFigure:
    """A figure of the first page with its files.

    Parameters
    ----------
    name : str
        Of its files, without an ending.
    figure : Figure
        The figure itself.
    """

    name: str
    figure: Figure

    @property
    def svg(self) -> str:
        """The figure, to stand in the page."""
        return self.figure.to_svg()

    @property
    def svg_link(self) -> str:
        """The figure as a data URI."""
        return "data:image/svg+xml;base64," + base64.b64encode(self.svg.encode()).decode()

    @property
    def csv_link(self) -> str:
        """Its table as a data URI."""
        return "data:text/csv," + quote(self.csv, safe=SAFE)

    @property
    def csv(self) -> str:
        """Its table as text."""
        return csv_text(self.figure.to_frame(), float_format="%.6g")


def figures_archive(figures: Sequence[PageFigure]) -> bytes:
    """A ZIP archive with each figure as SVG and its table as CSV."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for one in figures:
            for ending, content in ((".svg", one.svg), (".csv", one.csv)):
                archive.writestr(zipfile.ZipInfo(one.name + ending, EPOCH), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def summary(
    study: Study, questions: Sequence[Mapping[str, Any]], counts: Sequence[Mapping[str, Any]], commit: str
) -> dict[str, Any]:
    """The answers of a study with their numbers, as plain values; what is not known is None.

    Parameters
    ----------
    study : Study
        Its settings.
    questions : sequence of mapping
        From :func:`topomod.report.answers.question_answers`.
    counts : sequence of mapping
        From :func:`topomod.report.answers.circuit_counts`.
    commit : str
        Commit of topomod, "unknown" outside a checkout.
    """
    return {
        "study": study.study,
        "topomod": __version__,
        "commit": None if commit == "unknown" else commit,
        "declared": declaration_hash(declaration(study)),
        "alpha": study.alpha,
        "interval_level": 1 - 2 * study.alpha,
        "circuits": {row["architecture"]: {key: int(row[key]) for key in ("trained", "converged")} for row in counts},
        "questions": [
            {key: plain(question[key]) for key in ("question", "x", "y", "answer", "lead", "exceptions", "to_settle")}
            | {"primary": [{key: plain(test[key]) for key in PRIMARY} for test in question["primaries"]]}
            for question in questions
        ],
    }


def plain(value: Any) -> Any:
    """A value as JSON has it: numbers that are not finite are None."""
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value


def summary_json(found: Mapping[str, Any]) -> str:
    """`summary` as text."""
    return json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def cite(study: Study, tasks: Sequence[str], counts: Sequence[Mapping[str, Any]], commit: str) -> dict[str, str]:
    """A sentence for a methods section, a BibTeX entry, and the command that makes the study again."""
    sizes = ", ".join(f"{row['converged']} of {row['trained']} {short_name(row['architecture'])}" for row in counts)
    known = "" if commit == "unknown" else f", commit {commit}"
    declared = declaration_hash(declaration(study))
    looks = f" over looks at {', '.join(map(str, study.looks))} circuits of each" if study.looks else ""
    sentence = (
        f"We trained networks on {' and '.join(tasks)} and compared the circuits that converged ({sizes}) by topomod "
        f"{__version__}{known}. Sameness was tested by two one-sided tests at level {study.alpha:g}{looks}, within "
        f"margins that have the hash {declared}."
    )
    bibtex = (
        "@software{topomod,\n"
        "  title = {topomod: the shape of what small networks learn},\n"
        "  author = {{topomod contributors}},\n"
        f"  version = {{{__version__}}},\n"
        "  license = {MIT}\n}"
    )
    return {"sentence": sentence, "bibtex": bibtex, "command": "snakemake --cores 8 --configfile study.yaml"}
