"""What pages hand out as files."""

import base64
from pathlib import Path

import pandas as pd
import pytest

from topomod.report.pages import csv_link
from topomod.report.svg_figure import Figure
from topomod.report.take_away import PageFigure


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_a_csv_is_a_formula(start: str) -> None:
    table = pd.DataFrame({"reason": [f"{start}HYPERLINK(1)", "plain"], "value": [-1.5, 2.0]})
    text = base64.b64decode(csv_link(table).partition(",")[2]).decode()
    assert f"'{start}HYPERLINK(1)" in text and "plain,2.0" in text and ",-1.5" in text


def test_no_cell_of_a_figures_table_is_a_formula(tmp_path: Path) -> None:
    """Neither in the file that a figure saves, nor in the archive and the link of a page."""
    figure = Figure("", 1, 1, "title", "words", {"name": ["=HYPERLINK(1)"], "value": [-1.5]})
    figure.save(tmp_path / "figure.csv")
    assert (tmp_path / "figure.csv").read_text().split() == ["name,value", "'=HYPERLINK(1),-1.5"]
    assert PageFigure("figure", figure).csv.split() == ["name,value", "'=HYPERLINK(1),-1.5"]
