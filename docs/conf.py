"""Sphinx builds the documentation: ``sphinx-build -W -b html docs docs/_build``. It runs the code of the pages."""

import inspect
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from sphinx.application import Sphinx

import topomod

project = "topomod"
copyright = "topomod contributors"
version = release = topomod.__version__
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode", "sphinx.ext.mathjax"]
exclude_patterns = ["_build", "jupyter_execute"]

html_theme = "furo"
html_title = "topomod"

myst_heading_anchors = 3
myst_enable_extensions = ["dollarmath"]
nb_execution_mode = "force"  # what a page shows is what this code gives
nb_execution_timeout = 300  # seconds a cell
nb_execution_raise_on_error = True
nb_merge_streams = True

napoleon_google_docstring = False
napoleon_use_ivar = True
autodoc_typehints = "none"  # the docstrings say shapes and units
autodoc_member_order = "bysource"

ROOMS = {
    "tasks": "Tasks, groups and irreps",
    "networks": "Networks: circuits, and ways in",
    "training": "Training",
    "neurons": "Neuron groups and their manifolds",
    "topology": "Shapes of clouds",
    "mechanisms": "Mechanisms and interventions",
    "statistics": "Tests, answers and planning",
    "study": "Rows of studies",
}


def write_reference(app: Sphinx) -> None:
    """Write one page of the reference for each room, from the names that ``import topomod`` offers."""
    folder = Path(app.srcdir) / "reference"
    folder.mkdir(exist_ok=True)
    for room in dict.fromkeys(home.partition(".")[0] for home in topomod._HOME.values()):
        names = [name for name, home in topomod._HOME.items() if home.startswith(f"{room}.")]
        _write_page(folder / f"{room}.md", ROOMS[room], topomod, names)
    _write_page(folder / "plots.md", "Figures", topomod.plots, topomod.plots.__all__)


def _write_page(path: Path, title: str, module: ModuleType, names: Iterable[str]) -> None:
    entries = "\n".join(_entry(module, name) for name in names)
    path.write_text(f"# {title}\n\n```{{eval-rst}}\n{entries}```\n", encoding="utf-8")


def _entry(module: ModuleType, name: str) -> str:
    if not inspect.isclass(getattr(module, name)):
        return f".. autofunction:: {module.__name__}.{name}\n"
    return f".. autoclass:: {module.__name__}.{name}\n   :members:\n"


def setup(app: Sphinx) -> None:
    """Sphinx calls this."""
    app.connect("builder-inited", write_reference)
