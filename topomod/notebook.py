"""How results show themselves in a notebook: one small table of HTML per result, with every text escaped."""

from __future__ import annotations

from dataclasses import fields
from html import escape
from typing import Any

SHOWN_TEXT = 160  # characters of one value


class Shown:
    """A result that a notebook shows as a table: a headline, and a row for each field."""

    @property
    def headline(self) -> str:
        """What the result says, in one line."""
        return ""

    def _repr_html_(self) -> str:
        """HTML of the table; nothing in it is markup of the result."""
        name = type(self).__name__
        head = f"{name}: {self.headline}" if self.headline else name
        rows = "".join(
            f'<tr><th scope="row" style="text-align:left">{escape(key)}</th>'
            f'<td style="text-align:left">{escape(in_short(value))}</td></tr>'
            for key, value in _values(self)
        )
        return f'<table><caption style="text-align:left"><strong>{escape(head)}</strong></caption>{rows}</table>'


def _values(result: Any) -> list[tuple[str, Any]]:
    """Public fields that say something."""
    named = [(one.name, getattr(result, one.name)) for one in fields(result) if not one.name.startswith("_")]
    return [(name, value) for name, value in named if not isinstance(value, str) or value]


def in_short(value: Any) -> str:
    """A value as short text: numbers with four digits, arrays by their shape.

    Examples
    --------
    >>> in_short(0.123456), in_short((1, 2)), in_short("x" * 200)[-3:]
    ('0.1235', '(1, 2)', '...')
    """
    if isinstance(value, float):
        return f"{value:.4g}"
    if hasattr(value, "shape") and getattr(value, "ndim", False):
        return f"array {tuple(value.shape)}"
    if isinstance(value, tuple) and any(hasattr(part, "shape") for part in value):
        return ", ".join(in_short(part) for part in value)
    text = str(value)
    return text if len(text) <= SHOWN_TEXT else f"{text[:SHOWN_TEXT]}..."
