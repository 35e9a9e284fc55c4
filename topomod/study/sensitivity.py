"""Each answer of a study under other margins, other levels, and other readings of the circuits that were left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from topomod.networks.labels import Label
from topomod.statistics.equivalence import equivalence_test
from topomod.statistics.questions import AnswerWord, PValues, answer_question
from topomod.study.comparisons import asked_pair, sample_of
from topomod.study.config import Comparison
from topomod.study.endpoint_catalogue import ENDPOINTS, POPULATIONS
from topomod.study.equivalence import population_run
from topomod.study.tables import KEY

MULTIPLES = tuple(float(m) for m in np.round(2.0 ** (np.arange(-8, 9) / 4), 4))  # of each declared margin
LEVELS = (0.01, 0.05, 0.1)
# What becomes of circuits without a value, or that did not converge. The last two are the worst cases.
READINGS = ("left out", "as measured", "x least, y most", "x most, y least")


def sensitivity_table(
    endpoints: pd.DataFrame,
    study: Comparison,
    populations: Mapping[str, pd.DataFrame],
    seed: int = 0,
) -> pd.DataFrame:
    """P-values of every primary endpoint at multiples of its margin, under each reading.

    Parameters
    ----------
    endpoints : DataFrame
        From :func:`topomod.study.endpoints.circuit_endpoints`.
    study : Comparison
        As it stands at its last look.
    populations : mapping
        As in :func:`topomod.study.equivalence.verdict_table`.
    seed : int
        For the resampling.

    Returns
    -------
    DataFrame
        Columns question, x, y, endpoint, reading, multiple, margin, n_x, n_y, p_equivalence, p_beyond, p_difference.
        P-values are NaN where a test cannot be run, as for the worst cases of a distribution. Other readings
        than the first have rows only where a circuit of the pair was left out.
    """
    settings = study.model_dump()
    rows: list[dict[str, Any]] = []
    for question in settings["questions"]:
        pair = asked_pair(settings, question)
        if pair is None or endpoints.empty:  # as a table that was lost is
            continue
        own = [sample_of(endpoints, name) for name in pair]
        kept = READINGS if any(_left_out(part, question["primary"]) for part in own) else READINGS[:1]
        for name in question["primary"]:
            margin = settings["margins"][name]["margin"]
            for reading in kept:
                common = {"question": question["words"], "x": pair[0], "y": pair[1], "endpoint": name}
                common |= {"reading": reading}
                tests = (
                    _scalar_tests(own, name, margin, reading, seed)
                    if name in ENDPOINTS
                    else _population_tests(own, name, populations, study, reading, seed)
                )
                rows += [common | {"multiple": m, "margin": m * margin} | test for m, test in tests]
    return pd.DataFrame(rows)


def answer_at(rows: pd.DataFrame, alpha: float) -> AnswerWord:
    """The answer of a question from its rows of one reading and one multiple of the margins."""
    names = ["p_equivalence", "p_beyond", "p_difference"]
    return answer_question([PValues(*map(float, values)) for values in rows[names].to_numpy()], alpha).answer


def _left_out(rows: pd.DataFrame, names: Sequence[str]) -> bool:
    """Whether a circuit takes no part in the tests of some endpoint."""
    own = rows[rows["endpoint"].isin(names)]
    return not rows["converged"].all() or bool(own["value"].isna().any())


def _scalar_tests(
    own: Sequence[pd.DataFrame], name: str, margin: float, reading: str, seed: int
) -> Iterator[tuple[float, dict[str, Any]]]:
    bounds = ENDPOINTS[name].bounds
    x, y = _samples([part[part["endpoint"] == name] for part in own], reading, bounds)
    for multiple in MULTIPLES:
        found = {"n_x": len(x), "n_y": len(y)}
        try:
            test = equivalence_test(x, y, multiple * margin, seed=seed, bounds=bounds)
        except ValueError:  # too few circuits, or a margin as wide as the bounds
            yield multiple, found | dict.fromkeys(("p_equivalence", "p_beyond", "p_difference"), np.nan)
            continue
        yield multiple, found | {key: getattr(test, key) for key in ("p_equivalence", "p_beyond", "p_difference")}


def _samples(
    parts: Sequence[pd.DataFrame], reading: str, bounds: tuple[float, float] | None
) -> tuple[np.ndarray, np.ndarray]:
    """Values of both samples of one endpoint under a reading."""
    values = [part["value"].to_numpy(float) for part in parts]
    used = [part["converged"].to_numpy(bool) & ~np.isnan(v) for part, v in zip(parts, values, strict=True)]
    if reading == READINGS[0]:
        x, y = (v[own] for v, own in zip(values, used, strict=True))
        return x, y
    seen = np.concatenate([v[~np.isnan(v)] for v in values])
    if reading == READINGS[1] or not len(seen):
        x, y = (v[~np.isnan(v)] for v in values)
        return x, y
    low, high = bounds or (float(seen.min()), float(seen.max()))
    ends = (low, high) if reading == READINGS[2] else (high, low)
    x, y = (np.where(own, v, end) for v, own, end in zip(values, used, ends, strict=True))
    return x, y


def _order(study: Comparison, own: Sequence[pd.DataFrame]) -> int:
    """Number of values that each input of a comparison has."""
    return study.order_of(Label.parse(str(own[0]["architecture"].iloc[0])))


def _population_tests(
    own: Sequence[pd.DataFrame],
    name: str,
    populations: Mapping[str, pd.DataFrame],
    study: Comparison,
    reading: str,
    seed: int,
) -> Iterator[tuple[float, dict[str, Any]]]:
    """The distribution of all circuits has no worst case, and is read as measured only where it was."""
    rows = [part if reading == READINGS[1] else part[part["converged"]] for part in own]
    circuits = [part[KEY].drop_duplicates() for part in rows]
    table, margin = populations.get(POPULATIONS[name].kind), study.margins[name].margin
    run = population_run(name, table, circuits, margin, _order(study, own), seed)
    for multiple in MULTIPLES:
        found: dict[str, Any] = {"n_x": len(circuits[0]), "n_y": len(circuits[1])}
        names = ("p_equivalence", "p_beyond", "p_difference")
        if reading in READINGS[2:]:
            yield multiple, found | dict.fromkeys(names, np.nan)
            continue
        test = run(study.alpha, multiple * margin)
        yield multiple, found | {key: test[key] for key in names}
