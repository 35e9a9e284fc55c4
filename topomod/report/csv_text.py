"""Tables as CSV: a spreadsheet takes no cell for a formula."""

from __future__ import annotations

import pandas as pd

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # beginnings of what a spreadsheet computes


def csv_text(table: pd.DataFrame, float_format: str | None = None) -> str:
    """A table as CSV, numbers at full precision; what a spreadsheet would take for a formula begins with an apostrophe.

    Examples
    --------
    >>> csv_text(pd.DataFrame({"name": ["=1+1"], "value": [-0.5]})).split()
    ['name,value', "'=1+1,-0.5"]
    """
    plain = table.map(lambda cell: f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell)
    return str(plain.to_csv(index=False, float_format=float_format))
