"""A figure as SVG: it needs no script and no drawing library, prints, and carries the table that it was drawn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from topomod.files import atomic_path
from topomod.report.csv_text import csv_text

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"
FORMATS = (".svg", ".csv")


@dataclass(frozen=True)
class Figure:
    """One figure: what `topomod.plots` returns.

    A notebook shows it. Text and axes take the colour of the text around them, so that it is legible on light and on
    dark pages.

    Parameters
    ----------
    body : str
        SVG elements.
    width, height : float
        In pixels.
    title : str
        What it shows, in one line.
    description : str
        What a reader learns from it, for those who cannot see it.
    table : mapping of str to sequence, or DataFrame
        The tidy table that it was drawn from.
    """

    body: str
    width: int | float
    height: int | float
    title: str
    description: str
    table: Mapping[str, Any] | pd.DataFrame

    def to_svg(self) -> str:
        """The figure as a complete SVG document."""
        label = escape(f"{self.title}. {self.description}", quote=True)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="figure" viewBox="0 0 {self.width:g} {self.height:g}" '
            f'width="{self.width:g}" height="{self.height:g}" style="max-width:100%;height:auto" role="img" '
            f'aria-label="{label}" font-family="{FONT}" font-size="12" font-weight="400" fill="currentColor">'
            f"<title>{escape(self.title)}</title><desc>{escape(self.description)}</desc>{self.body}</svg>"
        )

    def _repr_html_(self) -> str:
        return self.to_svg()

    def to_frame(self) -> pd.DataFrame:
        """The tidy table that the figure was drawn from."""
        return pd.DataFrame({name: list(values) for name, values in self.table.items()})

    def save(self, path: str | Path) -> None:
        """Write the figure (``.svg``) or its table (``.csv``).

        Raises
        ------
        ValueError
            For another ending.
        OSError
            If the file cannot be written.
        """
        path = Path(path)
        if path.suffix not in FORMATS:
            raise ValueError(f"{path}: a figure is saved as {' or '.join(FORMATS)}, found {path.suffix or 'no ending'}")
        text = self.to_svg() if path.suffix == ".svg" else csv_text(self.to_frame())
        with atomic_path(path) as temporary:
            temporary.write_text(text, encoding="utf-8")


def side_by_side(parts: Sequence[Figure], title: str, gap: int = 12) -> Figure:
    """Several figures in one row, with one title, and the tables of all below each other."""
    body, left = "", 0.0
    for part in parts:
        body += f'<g transform="translate({left:g} 0)">{part.body}</g>'
        left += part.width + gap
    table = pd.concat([part.to_frame().assign(part=part.title) for part in parts], ignore_index=True)
    described = " ".join(f"{part.title}: {part.description}" for part in parts)
    return Figure(body, left - gap, max(part.height for part in parts), title, described, table)
