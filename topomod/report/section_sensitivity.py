"""Section on how far the answers depend on the margins, the level, and the circuits that were left out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pandas as pd

from topomod.report.pages import csv_link
from topomod.statistics.questions import AnswerWord
from topomod.study.config import Study
from topomod.study.population import StudyTables
from topomod.study.sensitivity import LEVELS, MULTIPLES, READINGS, answer_at, sensitivity_table
from topomod.study.sentences import sample_name
from topomod.study.shards import StudyFolder

ROWS: tuple[AnswerWord, ...] = ("the same", "not decided", "differs, size open", "different")  # from top to bottom
WIDTH, STEP, SHIFT = 480, 34, 5  # of the curves: pixels from end to end, between answers, between readings
DASHES = ("", "6 3", "2 3", "9 3 2 3")


def sensitivity(folder: StudyFolder, study: Study, tables: StudyTables) -> dict[str, Any]:
    """Each answer against the margin as a curve, and at other levels."""
    populations = {"phases": tables.phases, "diagrams": tables.diagrams}
    table = sensitivity_table(tables.endpoints, study, populations)
    found = [_question(str(words), rows, study.alpha) for words, rows in _by(table, "question")]
    return {
        "sensitivity": found,
        "sensitivity_rows": ROWS,
        "sensitivity_levels": sorted({*LEVELS, study.alpha}),
        "sensitivity_ticks": [(m, _x(m)) for m in (0.25, 0.5, 1.0, 2.0, 4.0)],
        "sensitivity_size": {"width": WIDTH, "step": STEP, "height": STEP * (len(ROWS) - 1)},
        "sensitivity_csv": csv_link(table) if len(table) else "",
    }


def _by(table: pd.DataFrame, column: str) -> list[tuple[Any, pd.DataFrame]]:
    return list(table.groupby(column, sort=False)) if len(table) else []


def _question(words: str, rows: pd.DataFrame, alpha: float) -> dict[str, Any]:
    readings = []
    for name, own in _by(rows, "reading"):
        place = READINGS.index(name)
        answers = {m: answer_at(part, alpha) for m, part in _by(own, "multiple")}
        heights = [STEP * ROWS.index(answers[m]) + SHIFT * place for m in MULTIPLES]
        declared = own[own["multiple"] == 1.0]
        readings.append(
            {"name": _named(name, own), "points": _steps(heights), "dash": DASHES[place], "place": place}
            | {"n_x": int(declared["n_x"].max()), "n_y": int(declared["n_y"].max())}
            | {"levels": [answer_at(declared, level) for level in sorted({*LEVELS, alpha})]}
        )
    return {"words": words, "readings": readings}


def _named(reading: str, rows: pd.DataFrame) -> str:
    """A reading with the names of the architectures."""
    pair = {side: sample_name(str(rows[side].iloc[0])) for side in "xy"}
    return " ".join(pair.get(word, word) for word in reading.split())


def _steps(heights: Sequence[int]) -> str:
    """Points of a curve that steps halfway between the multiples at which its heights are known."""
    places = [_x(m) for m in MULTIPLES]
    ends = [places[0], *((a + b) / 2 for a, b in pairwise(places)), places[-1]]
    return " ".join(f"{a:.1f},{h} {b:.1f},{h}" for a, b, h in zip(ends, ends[1:], heights, strict=False))


def _x(multiple: float) -> float:
    """Place of a multiple of the margin on its logarithmic axis."""
    low, high = math.log(MULTIPLES[0]), math.log(MULTIPLES[-1])
    return WIDTH * (math.log(multiple) - low) / (high - low)
