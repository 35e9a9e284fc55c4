"""What the HTML pages share: figures and tables inside one file, and the template environment."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from topomod.files import atomic_path
from topomod.report.csv_text import csv_text
from topomod.report.words import described, needed_circuits, number, p_value, style_name
from topomod.study.config import Study
from topomod.study.endpoint_catalogue import ENDPOINTS
from topomod.study.sentences import sample_name, short_name
from topomod.study.settings import canonical_json

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Plot:
    """A figure as the page holds it.

    Parameters
    ----------
    json : str
        The figure, safe inside a script element.
    height : int
        Pixels kept free until it is drawn.
    name : str
        File name of its data.
    """

    json: str
    height: int
    name: str


@dataclass(frozen=True)
class Option:
    """One entry of a drop-down list and the figure it shows; ``group`` is the heading it stands under."""

    value: str
    label: str
    group: str
    plot: Plot


@cache
def page_environment() -> Any:
    """Jinja environment of the templates; a missing variable is an error, and text is escaped."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"number": number, "p_value": p_value, "sample": sample_name, "described": described}
    environment.filters["tojson_plain"] = canonical_json  # escaped as all text is
    environment.filters |= {"needed": needed_circuits, "style": style_name, "short": short_name}
    environment.filters |= {"words": lambda name: name.replace("_", " ")}
    return environment


def write_page(page: str | bytes, output: Path) -> None:
    """Write a page or another file; it appears under its name only when complete."""
    with atomic_path(output) as temporary:
        temporary.write_bytes(page if isinstance(page, bytes) else page.encode())


def fill(template: str, context: dict[str, Any]) -> str:
    """A template as one string of HTML."""
    return str(page_environment().get_template(template).render(context))


def render_page(template: str, context: dict[str, Any]) -> str:
    """A template with plotly's code, as one string of HTML."""
    from plotly.offline import get_plotlyjs

    return fill(template, context | {"plotlyjs": get_plotlyjs()})


def embed(figure: Any, name: str) -> Plot:
    """Make a figure's JSON that cannot end the script element it stands in."""
    text = figure.to_json().replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return Plot(text, int(figure.layout.height), name)


def endpoint_options(draw: Callable[[str, str], Any], study: Study, file: str) -> list[Option]:
    """One figure per scalar endpoint, in the order of the study's families."""
    return [
        Option(name, ENDPOINTS[name].title, family, embed(draw(name, ENDPOINTS[name].title), f"{file}_{name}"))
        for family, names in study.families.items()
        for name in names
        if name in ENDPOINTS
    ]


def csv_link(table: pd.DataFrame) -> str:
    """Table as a data URI."""
    return "data:text/csv;base64," + base64.b64encode(csv_text(table).encode()).decode()
