"""What the tables of a study say: an answer to each question, the outcome of controls, counts of circuits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from topomod.report.words import comparison_title
from topomod.statistics.questions import ANSWERS
from topomod.study.comparisons import main_comparison
from topomod.study.config import Study
from topomod.study.tables import KEY


def comparison_rows(verdicts: pd.DataFrame) -> list[dict[str, Any]]:
    """Role, names and rows of each comparison, pairs first as declared, the negative control last."""
    grouped = verdicts.groupby(["role", "x", "y"], sort=False)
    return [
        {"role": role, "x": x, "y": y, "title": comparison_title(str(role), str(x), str(y)), "rows": rows}
        for (role, x, y), rows in grouped
    ]


def main_row(comparisons: Sequence[dict[str, Any]], main_pair: Sequence[str] | None = None) -> dict[str, Any] | None:
    """The comparison a study is about, see :func:`topomod.study.comparisons.main_comparison`."""
    main = main_comparison([(one["role"], one["x"], one["y"]) for one in comparisons], main_pair)
    return next((one for one in comparisons if (one["role"], one["x"], one["y"]) == main), None)


def answer_counts(rows: pd.DataFrame) -> dict[str, int]:
    """Number of endpoints with each answer."""
    return {answer: int((rows["answer"] == answer).sum()) for answer in ANSWERS}


def question_answers(answers: pd.DataFrame) -> list[dict[str, Any]]:
    """What is said of each question, with the rows of its primary endpoints under ``primaries``."""
    return [
        {str(key): value for key, value in rows.iloc[0].items()} | {"primaries": rows.to_dict("records")}
        for _, rows in (answers.groupby("question", sort=False) if len(answers) else [])
    ]


def control_outcomes(comparisons: Sequence[dict[str, Any]], alpha: float) -> list[dict[str, Any]]:
    """What the controls say of the tests: the positive one should find differences, the negative one none.

    ``passed`` is None where halves show no difference, yet are too few to be found the same on every endpoint.
    """
    outcomes = []
    for comparison in comparisons:
        if comparison["role"] == "pair":
            continue
        counts = answer_counts(comparison["rows"])
        n, differ = len(comparison["rows"]), counts["different"] + counts["differs, size open"]
        if comparison["role"] == "positive control":
            passed: bool | None = differ > 0
            text = (
                f"These two are known to differ. A difference is found in {differ} of {n} endpoints. It is shown to be "
            )
            text += f"larger than the margin in {counts['different']}."
            text += "" if passed else " These circuits are too few to find differences of this size."
        else:
            same, found = counts["the same"], differ + int(comparison["rows"]["small_difference"].sum())
            passed = False if differ else True if same == n else None
            text = (
                f"These are two halves of one architecture, so no endpoint should differ. Of {n} endpoints {same} are "
                f"found the same, and a difference is found in {found}. At least one difference is found by chance in "
                f"at most {alpha:.0%} of studies."
            )
            text += (
                f" The tests do not decide {n - same} of the {n}, because halves have few circuits."
                if passed is None
                else ""
            )
        outcomes.append({"role": comparison["role"], "title": comparison["title"], "passed": passed, "text": text})
    return outcomes


def circuit_counts(circuits: pd.DataFrame, endpoints: pd.DataFrame, study: Study) -> list[dict[str, Any]]:
    """Trained, converged and unusable circuits per architecture."""
    missing = endpoints[endpoints["converged"].astype(bool) & endpoints["value"].isna()]
    rows = []
    for architecture in study.architectures:
        own = circuits[circuits["architecture"] == architecture]
        converged = own["converged"].astype(bool)
        gaps = missing[missing["architecture"] == architecture]
        failures = [f"{_named(row)}: {row['reason']}" for row in own[~converged].to_dict("records")]
        rows.append(
            {"architecture": architecture, "trained": len(own), "converged": int(converged.sum())}
            | {"failures": failures, "without_groups": int((own["n_groups"] == 0).sum())}
            | {"missing": len(gaps[KEY].drop_duplicates()), "missing_endpoints": sorted(set(gaps["endpoint"]))}
            | {"files": own.to_dict("records") if "source" in own and own["source"].notna().any() else []}
            | {"steps": _range(own.loc[converged, "step"]), "accuracy": float(own["accuracy"].min())}
        )
    return rows


def _named(row: dict[Any, Any]) -> str:
    """A circuit by its file, or by its seed where it was trained."""
    return row["source"] if isinstance(row.get("source"), str) else f"seed {row['seed']}"


def _range(values: pd.Series) -> str:
    if values.empty:
        return "–"
    low, high = int(values.min()), int(values.max())
    return str(low) if low == high else f"{low}–{high}"
