"""What was declared before training, and at which numbers of circuits the study was looked at."""

from __future__ import annotations

from typing import Any

from topomod.report.pages import csv_link
from topomod.study.config import Study
from topomod.study.declared import declaration, declaration_hash, declared_history
from topomod.study.looks import look_sizes, undeclared
from topomod.study.population import StudyTables
from topomod.study.shards import StudyFolder


def looks(folder: StudyFolder, study: Study, tables: StudyTables) -> dict[str, Any]:
    """Record of what was declared, log of the looks, and whether the error rates hold.

    Parameters
    ----------
    folder : StudyFolder
        ``results/<study>``.
    study : Study
        The whole study, not as it stands at a look.
    tables : StudyTables
        Of the finished study.
    """
    history = declared_history(folder, study)
    made = [_look(n, rows.to_dict("records")) for n, rows in tables.looks.groupby("n")]
    return {
        "declared": {"hash": declaration_hash(declaration(study)), "history": history},
        "planned_looks": look_sizes(study),
        "looks_made": made,
        "looks_csv": csv_link(tables.looks),
        "undeclared_looks": undeclared(tables.looks, history),
    }


def _look(n: Any, rows: list[dict[Any, Any]]) -> dict[str, Any]:
    first = rows[0]
    answers = {row["question"]: row["answer"] for row in rows if row["question"]}
    return {"n": int(n), "level": first["level"], "declared": first["declared"], "last": first["last"]} | {
        "answers": answers
    }
