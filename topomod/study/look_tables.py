"""Tables of the looks of a study: verdicts and answers at one look, and what stands when the study stops."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from topomod.study.answers import answer_table
from topomod.study.check import parse_settings
from topomod.study.config import Comparison
from topomod.study.equivalence import compare_study
from topomod.study.looks import SETTLED, at_look, look_sizes
from topomod.study.origin import stored_origin, study_origin
from topomod.study.progress import log
from topomod.study.shards import StudyFolder
from topomod.study.tables import read_tables, write_table


def write_look(results: Path, settings: str, endpoints_table: Path, verdicts_table: Path, answers_table: Path) -> None:
    """Write verdicts and answers of a look whose table of endpoints is there.

    Raises
    ------
    ValueError
        As :func:`topomod.study.check.parse_settings` and :func:`topomod.study.equivalence.compare_study`.
    """
    study, folder = parse_settings(Comparison, settings), StudyFolder(results)
    verdicts, origin = compare_study(folder, study, endpoints_table), study_origin(folder, study, [settings])
    write_table(verdicts, verdicts_table, origin)
    write_table(answer_table(verdicts, read_tables([endpoints_table]), study.model_dump()), answers_table, origin)
    log(f"{len(verdicts)} tests, {len(study.questions)} questions")


def conclude(folder: StudyFolder, study: Comparison, n: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Answers of a study that stops at a look, and the log of its looks.

    A settled question keeps the answer of the look that settled it: the level of later looks is not spent on it. All
    others have that of the last look.

    Parameters
    ----------
    folder : StudyFolder
        With a folder of tables for each look.
    study : Comparison
        The whole study.
    n : int
        Seeds of each architecture at the look at which it stops.

    Returns
    -------
    answers, log : DataFrame
        Both as stored; the log also has looks that were made under earlier settings of the study.

    Raises
    ------
    ValueError
        If a table is corrupt or missing.
    """
    tables = dict(_tables(folder))
    sizes = [size for size in look_sizes(study) if size <= n]
    kept: dict[str, pd.DataFrame] = {}
    for size in sizes:
        for rows in _questions(tables[size]):
            question = str(rows["question"].iloc[0])
            if question not in kept or kept[question]["answer"].iloc[0] not in SETTLED:
                kept[question] = rows
    answers = pd.concat(kept.values(), ignore_index=True) if kept else tables[n]
    entries = [_entry(size, rows, study, n) for size, table in tables.items() for rows in _questions(table) or [table]]
    return answers, pd.DataFrame(entries)


def write_conclusion(look: Path, settings: str) -> None:
    """Write the tables of a study that stops at a look, and the log of its looks.

    Parameters
    ----------
    look : path
        Folder of the look, ``results/<study>/looks/<n>``.
    settings : str
        The whole study as JSON.

    Raises
    ------
    ValueError
        As :func:`topomod.study.check.parse_settings` and :func:`conclude`, and for answers by other settings.
    """
    folder, study, n = StudyFolder(look.parents[1]), parse_settings(Comparison, settings), int(look.name)
    for size in look_sizes(study):
        if size <= n:
            _check_look(folder, study, size)
    answers, found = conclude(folder, study, n)
    tables = {name: read_tables([folder.look(n).table(name)]) for name in ("endpoints", "summary", "verdicts")}
    origin = study_origin(folder, at_look(study, n), [settings])
    for name, table in (tables | {"answers": answers, "looks": found}).items():
        write_table(table, folder.table(name), origin)
    log(f"stops at {n} circuits of each architecture; looks in the log: {found['n'].nunique()}")


def _check_look(folder: StudyFolder, study: Comparison, n: int) -> None:
    """Refuse answers of a look that were given by other settings: a copy may have lost the times that show it."""
    path, own = folder.look(n).table("answers"), at_look(study, n)
    found = stored_origin(path)
    if found not in (None, study_origin(folder, own, [own.equivalence_settings()])):
        raise ValueError(f"{path} was made by other settings or from other tables; run again, and it is made again")


def _tables(folder: StudyFolder) -> Iterator[tuple[int, pd.DataFrame]]:
    for n in folder.looked_at():
        yield n, read_tables([folder.look(n).table("answers")])


def _questions(answers: pd.DataFrame) -> list[pd.DataFrame]:
    """Rows of each question."""
    return [rows for _, rows in answers.groupby("question", sort=False)] if len(answers) else []


def _entry(n: int, rows: pd.DataFrame, study: Comparison, last: int) -> dict[str, Any]:
    first = rows.iloc[0] if len(rows) else {"question": "", "answer": "", "alpha": float("nan")}
    declared = n in (study.looks or [study.seeds.count])
    return {
        "n": n,
        "question": first["question"],
        "answer": first["answer"],
        "level": first["alpha"],
        "declared": declared,
        "last": n == last,
    }
