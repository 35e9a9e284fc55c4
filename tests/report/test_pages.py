"""What pages hand out as files."""

import base64

import pandas as pd
import pytest

from topomod.report.pages import csv_link


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_a_csv_is_a_formula(start: str) -> None:
    table = pd.DataFrame({"reason": [f"{start}HYPERLINK(1)", "plain"], "value": [-1.5, 2.0]})
    text = base64.b64decode(csv_link(table).partition(",")[2]).decode()
    assert f"'{start}HYPERLINK(1)" in text and "plain,2.0" in text and ",-1.5" in text
