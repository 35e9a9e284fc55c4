"""What the verdicts of a study say: an answer per family, the outcome of controls, counts of circuits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from topomod.report.words import VERDICTS, comparison_title
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


def verdict_counts(rows: pd.DataFrame) -> dict[str, int]:
    """Number of endpoints with each verdict."""
    return {verdict: int((rows["verdict"] == verdict).sum()) for verdict in VERDICTS}


def family_answers(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """One answer per family for the rows of one comparison.

    Returns
    -------
    list of dict
        ``claim``, ``answer`` (yes, no, partly shown, undecided), ``sentence``, ``counts``, and ``different`` (titles of
        the endpoints that differ).
    """
    answers = []
    for family, own in rows.groupby("family", sort=False):
        counts = verdict_counts(own)
        answer, sentence = _answer(counts, len(own))
        different = own[own["verdict"] == "different"]
        beyond = (different["ci_low"] > different["margin"]) | (different["ci_high"] < -different["margin"])
        answers.append(
            {"claim": f"Same {family}", "answer": answer, "sentence": sentence, "counts": counts, "n": len(own)}
            | {"different": list(different["title"]), "beyond": list(different.loc[beyond, "title"])}
            | {"trivial": list(own.loc[own["verdict"] == "trivially different", "title"])}
        )
    return answers


def _answer(counts: dict[str, int], n: int) -> tuple[str, str]:
    shown = counts["equivalent"] + counts["trivially different"]
    if counts["different"]:
        return "no", f"They differ on {counts['different']} of {n} endpoints."
    if shown == n:
        return "yes", "Sameness is shown on every endpoint, up to the declared margins."
    if shown:
        return "partly shown", (
            f"Sameness is shown on {shown} of {n} endpoints. "
            "The others are undecided, and that is no evidence of sameness."
        )
    return "undecided", "These circuits decide no endpoint, and that is no evidence of sameness."


def control_outcomes(comparisons: Sequence[dict[str, Any]], alpha: float) -> list[dict[str, Any]]:
    """What the controls say of the tests: the positive one should find differences, the negative one none.

    ``passed`` is None where halves show no difference, yet are too few to be found equivalent on every endpoint.
    """
    outcomes = []
    for comparison in comparisons:
        if comparison["role"] == "pair":
            continue
        counts = verdict_counts(comparison["rows"])
        n, different = len(comparison["rows"]), counts["different"] + counts["trivially different"]
        if comparison["role"] == "positive control":
            passed: bool | None = counts["different"] > 0
            text = f"These two are known to differ. {counts['different']} of {n} endpoints are found different."
            text += "" if passed else " These circuits are too few to find differences of this size."
        else:
            same = counts["equivalent"] + counts["trivially different"]
            passed = False if counts["different"] else True if same == n else None
            text = (
                f"These are two halves of one architecture, so no endpoint should be found different. Of {n} endpoints "
                f"{same} are found equivalent and {different} different. In each family, at least one difference is "
                f"found by chance in at most {alpha:.0%} of studies."
            )
            text += (
                f" The tests do not decide {n - same} of the {n}, because halves have few circuits."
                if passed is None
                else ""
            )
        outcomes.append({"title": comparison["title"], "passed": passed, "text": text, "counts": counts})
    return outcomes


def circuit_counts(circuits: pd.DataFrame, endpoints: pd.DataFrame, study: Study) -> list[dict[str, Any]]:
    """Trained, converged and unusable circuits per architecture."""
    missing = endpoints[endpoints["converged"].astype(bool) & endpoints["value"].isna()]
    rows = []
    for architecture in study.architectures:
        own = circuits[circuits["architecture"] == architecture]
        converged = own["converged"].astype(bool)
        gaps = missing[missing["architecture"] == architecture]
        failures = [f"seed {row.seed}: {row.reason}" for row in own[~converged].itertuples()]
        rows.append(
            {"architecture": architecture, "trained": len(own), "converged": int(converged.sum())}
            | {"failures": failures, "without_groups": int((own["n_groups"] == 0).sum())}
            | {"missing": len(gaps[KEY].drop_duplicates()), "missing_endpoints": sorted(set(gaps["endpoint"]))}
            | {"steps": _range(own.loc[converged, "step"]), "accuracy": float(own["accuracy"].min())}
        )
    return rows


def _range(values: pd.Series) -> str:
    if values.empty:
        return "–"
    low, high = int(values.min()), int(values.max())
    return str(low) if low == high else f"{low}–{high}"
