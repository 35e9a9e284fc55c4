import numpy as np
import pandas as pd
import pytest

from topomod.study.contrasts import attention_rates, rate_table, recipe_table

RATES = ["attention_0.0", "attention_0.5", "attention_1.0"]


def verdicts(rows: list[tuple[str, str, str, float]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["x", "y", "answer", "difference"])
    table = table.assign(role="pair", family="mechanism", endpoint="circularity", title="circularity", margin=0.1)
    return table.assign(ci_low=table["difference"] - 0.1, ci_high=table["difference"] + 0.1, n_x=5, n_y=5)


def test_rates_are_sorted_and_leave_other_recipes_out() -> None:
    names = ["attention_1.0", "mlp_add", "attention_0.25@long", "attention_0.0"]
    assert attention_rates(names) == {"attention_0.0": 0.0, "attention_1.0": 1.0}


@pytest.mark.parametrize(
    ("found", "same_to", "different_from"),
    [
        (("the same", "the same"), 1.0, np.nan),
        (("the same", "different"), 0.5, 1.0),
        (("differs, size open", "the same"), np.nan, 0.5),
        (("not decided", "the same"), np.nan, np.nan),
    ],
)
def test_where_sameness_ends(found: tuple[str, str], same_to: float, different_from: float) -> None:
    rows = [("attention_0.0", name, answer, 0.0) for name, answer in zip(RATES[1:], found, strict=True)]
    rows.append(("attention_0.5", "attention_1.0", "different", 0.0))  # not against the lowest rate
    table = rate_table(verdicts(rows), RATES)
    assert len(table) == 1 and list(table["answer_0.5"]) == [found[0]]
    assert np.array_equal(table[["same_to", "different_from"]].to_numpy()[0], [same_to, different_from], equal_nan=True)


def test_two_rates_are_no_continuum() -> None:
    assert rate_table(verdicts([("attention_0.0", "attention_1.0", "different", 1.0)]), RATES[::2]).empty


@pytest.mark.parametrize(
    ("own", "named", "reading"),
    [
        (("the same", 0.01), ("the same", 0.05), "agree"),
        (("different", 0.4), ("differs, size open", 0.5), "agree"),
        (("different", 0.4), ("different", -0.5), "contradiction"),
        (("the same", 0.0), ("different", 0.5), "contradiction"),
        (("not decided", 0.1), ("different", 0.5), "not decided"),
    ],
)
def test_reading_of_two_recipes(own: tuple[str, float], named: tuple[str, float], reading: str) -> None:
    names = ["mlp_add", "mlp_concat", "mlp_add@long", "mlp_concat@long"]
    rows = [("mlp_add", "mlp_concat", *own), ("mlp_add@long", "mlp_concat@long", *named)]
    rows.append(("mlp_add", "mlp_add@long", "different", 1.0))
    table = recipe_table(verdicts(rows), names)
    assert list(table["reading"]) == [reading] and list(table["recipe"]) == ["long"]
    assert recipe_table(verdicts(rows), names[:2]).empty
