"""What moves after the schedule, by how much, and what the answers would have been at other steps."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t

from synthetic_study import make_study
from topomod.study.maturity import answers_at_steps, endpoint_drifts

STEPS = (100, 300, 600)  # the synthetic studies' schedule ends at step 300
PAIR = ["attention_0.0", "attention_1.0"]


def followed(changes: np.ndarray, first: float = 0.0, architecture: str = "mlp_add") -> pd.DataFrame:
    """Circuits whose value changes by ``first`` from step 100 to 300, and each by its own change after."""
    rows = [
        (seed, step, value)
        for seed, (base, change) in enumerate(zip(0.5 + np.linspace(-0.01, 0.01, len(changes)), changes, strict=True))
        for step, value in zip(STEPS, base + np.array([0.0, first, first + change]), strict=True)
    ]
    table = pd.DataFrame(rows, columns=["seed", "step", "value"])
    return table.assign(architecture=architecture, endpoint="disc_cka", converged=True)


@given(st.floats(-0.3, 0.3), st.floats(0.001, 0.2), st.integers(3, 12))
def test_the_interval_says_whether_an_endpoint_moves(mean: float, spread: float, n: int) -> None:
    study = make_study(["mlp_add"], 2)
    margin = study.margins["disc_cka"].margin
    changes = mean + spread * np.linspace(-1, 1, n)
    (row,) = endpoint_drifts(followed(changes), study).to_dict("records")
    half = t.ppf(1 - study.alpha, n - 1) * changes.std(ddof=1) / np.sqrt(n)
    assert (row["from_step"], row["to_step"], row["n"]) == (300, 600, n)
    assert row["change"] == pytest.approx(mean, abs=1e-9)
    assert [row["ci_low"], row["ci_high"]] == pytest.approx([mean - half, mean + half], abs=1e-9)
    away = min(abs(abs(mean) + side * half - margin) for side in (1, -1))
    if away > 1e-9:  # not on the edge, where rounding decides
        settled, moves = abs(mean) + half < margin, abs(mean) - half > margin
        assert row["drift"] == ("settled" if settled else "moves" if moves else "not known")


def test_two_circuits_show_nothing() -> None:
    study = make_study(["mlp_add"], 2)
    (row,) = endpoint_drifts(followed(np.array([0.0, 0.001])), study).to_dict("records")
    assert row["drift"] == "not known" and np.isnan(row["settled_from"]) and row["change"] == pytest.approx(0.0005)


def test_an_endpoint_is_settled_from_the_first_step_after_which_nothing_moves() -> None:
    study, small = make_study(["mlp_add"], 2), np.array([0.0, 0.01, -0.01])
    (early,) = endpoint_drifts(followed(small), study).to_dict("records")
    (late,) = endpoint_drifts(followed(small, first=0.3), study).to_dict("records")
    (never,) = endpoint_drifts(followed(small + 0.3), study).to_dict("records")
    assert (early["settled_from"], late["settled_from"]) == (100, 300) and np.isnan(never["settled_from"])
    assert never["drift"] == "moves"


def test_drifts_need_a_step_after_the_schedule() -> None:
    study, table = make_study(["mlp_add"], 2), followed(np.array([0.2, 0.2, 0.2]))
    assert endpoint_drifts(table[table["step"] == 300], study).empty
    assert endpoint_drifts(table[table["step"] <= 300], study).empty
    assert endpoint_drifts(table.iloc[:0], study).empty


def test_answers_follow_the_circuits_of_each_step() -> None:
    """Alike at step 300, far apart at step 600; before, one architecture has too few circuits."""
    asked = [{"words": "Near?", "primary": ["disc_cka"]}, {"words": "Phases?", "primary": ["pad"]}]
    study, spread = make_study(PAIR, 12, questions=asked), 0.01 * np.linspace(-1, 1, 12)
    table = pd.concat([followed(spread, architecture=PAIR[0]), followed(0.5 + spread, architecture=PAIR[1])])
    table.loc[(table["step"] == 100) & (table["architecture"] == PAIR[1]) & (table["seed"] > 1), "converged"] = False
    found = answers_at_steps(table, study)
    assert found[["question", "step", "answer"]].to_numpy().tolist() == [
        ["Near?", 300, "the same"],
        ["Near?", 600, "different"],
    ]
    assert found[["n_x", "n_y"]].eq(12).all(axis=None)
    assert answers_at_steps(table.iloc[:0], study).empty
