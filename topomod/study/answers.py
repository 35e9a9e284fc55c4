"""The answers to a study's questions: one row per question and primary endpoint, with a sentence for each question."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from topomod.statistics.answer_power import mmd_networks_to_settle, networks_to_settle
from topomod.statistics.clusters import effective_number
from topomod.statistics.questions import Answer, answer_question, assay_sensitivity
from topomod.statistics.samples import MIN_NETWORKS
from topomod.study.comparisons import asked_pair, sample_of
from topomod.study.endpoint_catalogue import ENDPOINTS
from topomod.study.equivalence import endpoint_correlations
from topomod.study.power import endpoint_pilots
from topomod.study.sentences import answer_lead, estimate, primary_sentence, sensitivity_sentence, settling_sentence
from topomod.study.tables import empty_table

OPEN = ("differs, size open", "not decided")  # answers that more circuits can settle
_KEPT = (
    "endpoint title x y alpha mean_x mean_y difference ci_low ci_high margin margin_reason p_equivalence n_x n_y "
    "caveat note"
).split()


def answer_table(
    verdicts: pd.DataFrame, endpoints: pd.DataFrame, settings: Mapping[str, Any], seed: int = 0
) -> pd.DataFrame:
    """Answer each question of a study from its table of verdicts.

    Parameters
    ----------
    verdicts : DataFrame
        From :func:`topomod.study.equivalence.verdict_table`.
    endpoints : DataFrame
        From :func:`topomod.study.endpoints.circuit_endpoints`.
    settings : mapping
        ``alpha``, ``architectures``, ``margins``, ``families``, ``questions`` and controls of the study.
    seed : int
        Seed of the simulations that say how many circuits would decide.

    Returns
    -------
    DataFrame
        One row per question and primary endpoint; what belongs to the question stands in each of its rows.
        ``sensitivity`` is the distance of the positive control in margins (NaN without one), ``n_needed`` the
        circuits of each architecture that would settle an open endpoint (NaN where it is settled or nothing can be
        said, infinite where they are too many), ``n_secondary`` the secondary endpoints that vary from circuit to
        circuit, and ``effective_secondary`` their effective number.
    """
    rows = []
    for question in settings["questions"]:
        pair = asked_pair(settings, question)
        if pair is not None:
            rows += _question_rows(question, pair, verdicts, endpoints, settings, seed)
    return pd.DataFrame(rows) if rows else empty_table("answers")


def _question_rows(
    question: Mapping[str, Any],
    pair: tuple[str, str],
    verdicts: pd.DataFrame,
    endpoints: pd.DataFrame,
    settings: Mapping[str, Any],
    seed: int,
) -> list[dict[str, Any]]:
    x, y = pair
    own = verdicts[(verdicts["x"] == x) & (verdicts["y"] == y)].set_index("endpoint", drop=False)
    primaries = own.loc[question["primary"]]
    answer = answer_question(list(primaries.itertuples()), settings["alpha"])
    rows = [
        {key: test[key] for key in _KEPT}
        | {"unit": _unit(test["endpoint"]), "primary_answer": primary.answer}
        | {"small_difference": primary.small_difference, "p_beyond_adjusted": primary.p_beyond_adjusted}
        | {"p_difference_adjusted": primary.p_difference_adjusted}
        | {"sensitivity": _sensitivity(test, verdicts)}
        for primary, test in zip(answer.primaries, primaries.to_dict("records"), strict=True)
    ]
    level = settings["alpha"] / len(rows)
    for row in rows:
        row["n_needed"] = np.nan
        row["estimate"] = primary_sentence(answer.answer, row)
        if row["primary_answer"] in OPEN:
            row["n_needed"] = _needed(endpoints, row, pair, level, seed)
    shared = _said(question["words"], answer, rows, own, settings) | _secondary(own, pair, endpoints)
    return [shared | row for row in rows]


def _said(
    words: str,
    answer: Answer,
    rows: list[dict[str, Any]],
    own: pd.DataFrame,
    settings: Mapping[str, Any],
) -> dict[str, Any]:
    """What is said of a question as a whole."""
    lead = answer_lead(answer.answer, rows)
    families = set(own.loc[[row["endpoint"] for row in rows], "family"])
    beyond = own[(own["question"] == "") & (own["answer"] == "different") & own["family"].isin(families)]
    same = answer.answer == "the same"
    exceptions = [_estimate(row) for row in beyond.to_dict("records")] if same else []
    return {
        "question": words,
        "answer": answer.answer,
        "lead": lead,
        "sentence": " ".join([lead, *(row["estimate"] for row in rows)]),
        "sensitivity_sentence": sensitivity_sentence(rows, settings["positive_control"]) if same else "",
        "exceptions": "; ".join(exceptions),
        "to_settle": settling_sentence(answer.answer, rows) if answer.answer in OPEN else "",
    }


def _estimate(row: Mapping[Any, Any]) -> str:
    return estimate({**row, "unit": _unit(row["endpoint"]), "alpha": row["level_equivalence"]})


def _unit(endpoint: str) -> str:
    return ENDPOINTS[endpoint].unit if endpoint in ENDPOINTS else ""


def _sensitivity(test: Mapping[str, Any], verdicts: pd.DataFrame) -> float:
    """Distance of the positive control in this endpoint, in margins."""
    control = verdicts[(verdicts["role"] == "positive control") & (verdicts["endpoint"] == test["endpoint"])]
    if control.empty or np.isnan(control["difference"].iloc[0]):
        return float("nan")
    return assay_sensitivity(control["difference"].iloc[0], test["margin"])


def _needed(endpoints: pd.DataFrame, row: Mapping[Any, Any], pair: tuple[str, str], level: float, seed: int) -> float:
    """Circuits of each architecture that would settle an endpoint; NaN where nothing can be said.

    A scalar endpoint that is not decided is planned for any true difference, one of open size for the estimated one,
    and so is a distribution.
    """
    name, margin = row["endpoint"], row["margin"]
    if name not in ENDPOINTS:
        bounds = (row["difference"], row["ci_low"], row["ci_high"])
        n = int(min(row["n_x"], row["n_y"]))
        return mmd_networks_to_settle(*bounds, margin, n, row["alpha"]) if not np.isnan(row["difference"]) else np.nan
    x, y = endpoint_pilots(endpoints, name, pair)
    if min(len(x), len(y)) < MIN_NETWORKS:
        return float("nan")
    return networks_to_settle(row["primary_answer"], x, y, margin, level, seed, bounds=ENDPOINTS[name].bounds)


def _secondary(own: pd.DataFrame, pair: tuple[str, str], endpoints: pd.DataFrame) -> dict[str, Any]:
    """How many secondary endpoints vary, and to how many independent ones they amount."""
    kept = endpoints[endpoints["converged"] & endpoints["value"].notna()]
    values = pd.concat([sample_of(kept, name) for name in pair])
    found = endpoint_correlations(values[values["endpoint"].isin(own.index[own["question"] == ""])])
    return {"n_secondary": len(found), "effective_secondary": effective_number(found.to_numpy()) if len(found) else 0.0}
