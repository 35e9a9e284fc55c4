"""Answers under other margins, levels and readings of the circuits that were left out."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthetic_study import make_study
from topomod.report.section_sensitivity import _steps, _x
from topomod.statistics.questions import ANSWERS
from topomod.study.answers import answer_table
from topomod.study.equivalence import verdict_table
from topomod.study.power import TRUTHS, planned_answers
from topomod.study.sensitivity import MULTIPLES, READINGS, answer_at, sensitivity_table

PAIR = ["attention_0.0", "attention_1.0"]
ASKED = [
    {"words": "Near?", "primary": ["disc_cka", "share_disc_preactivations"]},
    {"words": "Far?", "primary": ["gradient_symmetricity"]},
    {"words": "Phases?", "primary": ["pad"]},
]
SHIFTS = {"disc_cka": 0.05, "share_disc_preactivations": 0.0, "gradient_symmetricity": 0.3, "n_groups": 0.0}


def endpoints_of(n: int = 40, failed: int = 0) -> pd.DataFrame:
    """Values of two architectures, the first ``failed`` circuits of which did not converge; margins are 0.1."""
    rng, parts = np.random.default_rng(0), []
    for label in PAIR:
        for name, shift in SHIFTS.items():
            at = 0.5 + shift * (label == PAIR[1])
            value = at + 0.05 * rng.uniform(-1, 1, n)
            own = {"architecture": label, "seed": range(n), "step": 500, "endpoint": name, "value": value}
            parts.append(pd.DataFrame(own | {"converged": np.arange(n) >= failed}))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def found() -> tuple[Any, pd.DataFrame, pd.DataFrame]:
    study, endpoints = make_study(PAIR, 40, questions=ASKED), endpoints_of(failed=2)
    return study, endpoints, sensitivity_table(endpoints, study, {})


def test_at_the_declared_margins_answers_are_those_of_the_study(found: tuple[Any, pd.DataFrame, pd.DataFrame]) -> None:
    study, endpoints, table = found
    answers = answer_table(verdict_table(endpoints, study.model_dump()), endpoints, study.model_dump())
    expected = answers.groupby("question")["answer"].first()
    declared = table[(table["multiple"] == 1.0) & (table["reading"] == READINGS[0])]
    assert {words: answer_at(rows, study.alpha) for words, rows in declared.groupby("question")} == expected.to_dict()
    assert expected.to_dict() == {"Near?": "the same", "Far?": "different", "Phases?": "not decided"}


def test_a_wider_margin_never_weakens_sameness_nor_strengthens_a_large_difference(
    found: tuple[Any, pd.DataFrame, pd.DataFrame],
) -> None:
    table = found[2].dropna(subset=["p_equivalence"])
    for _, rows in table.groupby(["endpoint", "reading"]):
        assert tuple(rows["multiple"]) == MULTIPLES[: len(rows)]
        assert (np.diff(rows["p_equivalence"]) <= 1e-12).all() and (np.diff(rows["p_beyond"]) >= -1e-12).all()
        assert rows["p_difference"].nunique() == 1


def test_worst_cases_put_left_out_circuits_at_opposite_ends(found: tuple[Any, pd.DataFrame, pd.DataFrame]) -> None:
    table = found[2][(found[2]["multiple"] == 1.0) & (found[2]["endpoint"] == "share_disc_preactivations")]
    p = table.set_index("reading")["p_equivalence"]
    assert table["n_x"].tolist() == [38, 40, 40, 40]
    assert min(p[READINGS[2]], p[READINGS[3]]) > p[READINGS[0]]  # ends of the bounds, 0 and 1
    phases = found[2][found[2]["question"] == "Phases?"]
    assert phases["p_equivalence"].isna().all()


def test_without_left_out_circuits_there_is_one_reading() -> None:
    study = make_study(PAIR, 40, questions=ASKED[1:2])
    table = sensitivity_table(endpoints_of(), study, {})
    assert set(table["reading"]) == {READINGS[0]} and len(table) == len(MULTIPLES)
    assert sensitivity_table(endpoints_of(), make_study(PAIR, 40), {}).empty


def test_planned_answers_are_of_the_scalar_primary_endpoints() -> None:
    settings = make_study(PAIR, 40, questions=ASKED).model_dump()
    planned = planned_answers(endpoints_of(), settings, ("attention_0.0", "attention_1.0"), [20])
    scalar = ["disc_cka", "share_disc_preactivations", "gradient_symmetricity"]
    assert planned["endpoint"].unique().tolist() == scalar and len(planned) == 3 * len(TRUTHS)
    assert np.allclose(planned[list(ANSWERS)].sum(axis=1), 1)
    same, far = (planned[planned["truth"] == truth] for truth in (0.0, 2.0))
    assert (same["different"] == 0).all() and (far["the same"] == 0).all() and far["different"].max() > 0.9
    assert planned_answers(endpoints_of(2), settings, ("attention_0.0", "attention_1.0")).empty
    assert planned_answers(endpoints_of(), settings, None).empty


def test_curves_are_steps_between_the_ends_of_the_axis() -> None:
    points = [tuple(map(float, point.split(","))) for point in _steps(list(range(len(MULTIPLES)))).split()]
    assert points[0] == (0.0, 0.0) and points[-1] == (_x(4.0), len(MULTIPLES) - 1.0)
    assert all(a[1] == b[1] and a[0] < b[0] for a, b in zip(points[::2], points[1::2], strict=True))
