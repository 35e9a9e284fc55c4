"""The page over all studies of a folder of results: what each asked, what it answered, and where its page is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from topomod.report.pages import fill, write_page
from topomod.report.words import SYMBOLS

INDEX = "index.html"


def write_index(results: Path) -> None:
    """Write ``index.html`` over the studies of a folder.

    Parameters
    ----------
    results : Path
        Folder with one folder for each study. Those without a page are left out.

    Raises
    ------
    OSError
        If the page cannot be written.
    """
    pages = sorted(results.glob("*/report.html"))
    context = {"studies": [_study(page) for page in pages], "symbols": SYMBOLS}
    write_page(fill("index.html", context), results / INDEX)


def _study(page: Path) -> dict[str, Any]:
    """A study by its answers; ``note`` says why there are none."""
    name = page.parent.name
    shown: dict[str, Any] = {"name": name, "link": f"{name}/{page.name}", "questions": [], "circuits": {}, "note": ""}
    path = page.with_name("summary.json")
    if not path.is_file():
        return shown | {"note": "It describes its networks and compares none."}
    try:
        found = json.loads(path.read_text("utf-8"))
        questions = [
            {key: str(question[key]) for key in ("question", "answer", "x", "y")} for question in found["questions"]
        ]
        circuits = {str(key): str(row["converged"]) for key, row in found["circuits"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return shown | {"note": "Its summary.json cannot be read."}
    return shown | {
        "questions": questions,
        "circuits": circuits,
        "note": "" if questions else "It declares no question.",
    }
