"""What depends on the training step: endpoints of circuits that were followed, and answers at each step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from topomod.statistics.equivalence import equivalence_test
from topomod.statistics.intervals import mean_interval
from topomod.statistics.questions import PValues, answer_question
from topomod.statistics.samples import MIN_NETWORKS
from topomod.study.comparisons import asked_pair, sample_of
from topomod.study.config import Study
from topomod.study.endpoint_catalogue import ENDPOINTS
from topomod.study.endpoints import circuit_endpoints
from topomod.study.population import StudyTables
from topomod.study.tables import KEY

DRIFTS = ("settled", "moves", "not known")
DRIFT_COLUMNS = (
    *("architecture", "endpoint", "n", "from_step", "to_step", "mean_from", "mean_to", "change", "ci_low", "ci_high"),
    *("margin", "drift", "settled_from"),
)


def maturity_endpoints(tables: StudyTables) -> pd.DataFrame:
    """Endpoints of the followed circuits at each step, in long form; empty if none was followed."""
    if tables.maturity_circuits.empty:
        return pd.DataFrame(columns=[*KEY, "converged", "endpoint", "value"])
    return circuit_endpoints(tables.maturity_circuits, tables.maturity_groups, tables.maturity_homology)


def endpoint_drifts(maturity: pd.DataFrame, study: Study) -> pd.DataFrame:
    """How far the mean of each endpoint moves from the end of the schedule to the last step.

    The change is that of each circuit from one step to the other. Its interval has the level 1 - 2 ``alpha``, as
    that of two one-sided tests. An endpoint is "settled" where the interval lies inside the margin, and "moves"
    where it lies beyond; otherwise it is "not known", as it is for fewer than 3 circuits,
    which have no interval.

    Parameters
    ----------
    maturity : DataFrame
        From :func:`maturity_endpoints`. Only circuits with a value at both steps count.
    study : Study
        Its schedule, margins and level.

    Returns
    -------
    DataFrame
        Columns architecture, endpoint, n, from_step, to_step, mean_from, mean_to, change, ci_low, ci_high, margin,
        drift, settled_from (the first step from which on the change to the last step is settled; NaN where there
        is none). No rows for circuits of one step.
    """
    steps = np.sort(maturity["step"].unique().astype(int)) if len(maturity) else np.zeros(0, int)
    if len(steps) < 2 or (start := int(steps[np.abs(steps - study.recipe.steps).argmin()])) == steps[-1]:
        return pd.DataFrame(columns=DRIFT_COLUMNS)
    wide = maturity.pivot(index=["architecture", "endpoint", "seed"], columns="step", values="value")
    rows: list[dict[str, Any]] = []
    for (architecture, endpoint), part in wide.groupby(level=[0, 1], sort=False):
        margin = study.margins[str(endpoint)].margin
        changes = {int(step): _change(part, int(step), int(steps[-1]), margin, study.alpha) for step in steps[:-1]}
        if changes[start]["n"]:
            key = {"architecture": architecture, "endpoint": endpoint, "from_step": start, "to_step": int(steps[-1])}
            rows.append(key | changes[start] | {"margin": margin, "settled_from": _settled_from(changes)})
    order = {name: i for i, name in enumerate([*study.architectures, *ENDPOINTS])}
    drifts = pd.DataFrame(rows, columns=DRIFT_COLUMNS)
    return drifts.sort_values(["architecture", "endpoint"], key=lambda names: names.map(order), ignore_index=True)


def _change(part: pd.DataFrame, start: int, end: int, margin: float, alpha: float) -> dict[str, Any]:
    """Mean change of circuits between two steps, and what its interval says."""
    both = part[[start, end]].dropna()
    n, change, low, high = mean_interval((both[end] - both[start]).to_numpy(float), 2 * alpha)
    settled, moves = (low > -margin and high < margin), (low > margin or high < -margin)
    if n < MIN_NETWORKS:  # two circuits that happen to agree would have an interval without width
        low, high, settled, moves = np.nan, np.nan, False, False
    return {
        "n": n,
        "mean_from": float(both[start].mean()) if n else np.nan,
        "mean_to": float(both[end].mean()) if n else np.nan,
        "change": change,
        "ci_low": low,
        "ci_high": high,
        "drift": DRIFTS[0] if settled else DRIFTS[1] if moves else DRIFTS[2],
    }


def _settled_from(changes: Mapping[int, Mapping[str, Any]]) -> float:
    """The first step from which on every change to the last step is settled."""
    first = np.nan
    for step in sorted(changes, reverse=True):
        if changes[step]["drift"] != DRIFTS[0]:
            break
        first = float(step)
    return first


def answers_at_steps(maturity: pd.DataFrame, study: Study) -> pd.DataFrame:
    """What the answer of each question would be, had the circuits been measured at another step.

    Parameters
    ----------
    maturity : DataFrame
        From :func:`maturity_endpoints`; a test at a step takes the circuits that have converged by then.
    study : Study
        Its questions, margins and level.

    Returns
    -------
    DataFrame
        Columns question, step, x, y, n_x, n_y, answer. No rows for a question with an endpoint that is a whole
        distribution, and for a step at which an architecture has fewer than 3 values.
    """
    rows = [row for question in study.model_dump()["questions"] for row in _answers(maturity, study, question)]
    return pd.DataFrame(rows, columns=["question", "step", "x", "y", "n_x", "n_y", "answer"])


def _answers(maturity: pd.DataFrame, study: Study, question: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    pair = asked_pair(study.model_dump(), question)
    if pair is None or maturity.empty or not set(question["primary"]) <= set(ENDPOINTS):
        return
    kept = maturity[maturity["converged"].astype(bool) & maturity["value"].notna()]
    for _, rows in kept.groupby("step"):
        samples = [
            [
                part.loc[part["endpoint"] == name, "value"].to_numpy(float)
                for part in (sample_of(rows, own) for own in pair)
            ]
            for name in question["primary"]
        ]
        sizes = [min(len(own[side]) for own in samples) for side in (0, 1)]
        if min(sizes) >= MIN_NETWORKS:
            found = [
                _p_values(x, y, name, study.margins[name].margin)
                for (x, y), name in zip(samples, question["primary"], strict=True)
            ]
            key = {"question": question["words"], "step": int(rows["step"].iloc[0]), "x": pair[0], "y": pair[1]}
            yield key | {
                "n_x": sizes[0],
                "n_y": sizes[1],
                "answer": answer_question(found, study.alpha).answer,
            }


def _p_values(x: np.ndarray, y: np.ndarray, name: str, margin: float) -> PValues:
    try:
        test = equivalence_test(x, y, margin, bounds=ENDPOINTS[name].bounds)
    except ValueError:  # the margin is as wide as the bounds
        return PValues(np.nan, np.nan, np.nan)
    return PValues(test.p_equivalence, test.p_beyond, test.p_difference)
