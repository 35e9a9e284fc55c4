"""The house rule: a module imports only from modules above it, and nothing slow before its use."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import topomod

PACKAGE = Path(topomod.__file__).parent

# A new reader goes from a network to its verdict by reading these from top to bottom.
ORDER = [
    "files",
    "tasks",
    "networks",
    "power_networks",
    "forward",
    "sequences",
    "architectures",
    "batches",
    "optimiser",
    "pairstep",
    "pairstep_cpu",
    "spectra",
    "recipe",
    "circuits",
    "released",
    "draws",
    "sequence_training",
    "margin_training",
    "training",
    "groups",
    "manifolds",
    "winding",
    "phases",
    "denoise",
    "diagrams",
    "betti",
    "coordinates",
    "shapes",
    "verdict",
    "evidence",
    "homology",
    "mechanisms",
    "attention_spectra",
    "frequencies",
    "ablation",
    "irreps",
    "group_margins",
    "neuron_features",
    "margins",
    "margin_analysis",
    "analysis",
    "margin_manifolds",
    "frequency_tables",
    "samples",
    "resampling",
    "mean_difference",
    "equivalence",
    "kernels",
    "embedding_difference",
    "mmd",
    "diagram_populations",
    "endpoints",
    "planning",
    "labels",
    "settings",
    "config",
    "tables",
    "sequence_tables",
    "comparisons",
    "contrasts",
    "provenance",
    "population",
    "measures",
    "systems",
    "diagram_features",
    "population_examples",
    "population_map",
    "published",
    "report_words",
    "plots",
    "plots_population",
    "plots_shapes",
    "plots_history",
    "pages",
    "plots_planning",
    "report_planning",
    "plots_curves",
    "report_frequencies",
    "report",
    "description",
    "inspection",
    "inspection_page",
    "inspection_words",
    "estimate",
    "cli",
]

SLOW = ("torch", "scipy", "sklearn", "pandas", "gudhi", "gtda", "umap", "statsmodels", "plotly", "snakemake")


def modules() -> list[str]:
    """Dotted names below topomod; the package's ``__init__`` is the face of all of them and has no layer."""
    names = (".".join(path.relative_to(PACKAGE).with_suffix("").parts) for path in PACKAGE.rglob("*.py"))
    return sorted(name for name in names if name != "__init__")


def imported_modules(source: str) -> set[str]:
    """Modules of topomod imported anywhere in a source, also inside functions and under TYPE_CHECKING.

    ``import topomod`` and names taken from the package itself come back as they are, hence in no layer: the
    package reaches all of them.
    """
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.split(".")[0] == "topomod"}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in line {node.lineno}"
            if node.module == "topomod":
                found |= {f"topomod.{alias.name}" for alias in node.names if alias.name != "__version__"}
            elif (node.module or "").startswith("topomod."):
                found.add(str(node.module))
    return {name.removeprefix("topomod.") for name in found}


def test_every_module_has_one_layer() -> None:
    assert sorted(ORDER) == modules()


@pytest.mark.parametrize("module", ORDER)
def test_imports_only_from_above(module: str) -> None:
    path = PACKAGE.joinpath(*module.split(".")).with_suffix(".py")
    above = set(ORDER[: ORDER.index(module)])
    assert imported_modules(path.read_text(encoding="utf-8")) <= above


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import numpy", set()),
        ("from topomod.tasks.catalogue import ModularAddition", {"tasks"}),
        ("def f():\n    from topomod.topology.classify import verdict", {"homology"}),
        ("from topomod import homology, __version__", {"homology"}),
        ("import topomod.topology.classify", {"homology"}),
        ("import topomod", {"topomod"}),
    ],
)
def test_imports_are_seen(source: str, found: set[str]) -> None:
    assert imported_modules(source) == found


def test_relative_imports_are_refused() -> None:
    with pytest.raises(AssertionError, match="relative import in line 1"):
        imported_modules("from .tasks import ModularAddition")


def loaded_by(source: str) -> set[str]:
    """Top-level packages a fresh interpreter holds after running the source."""
    tail = "\nimport sys\nprint('LOADED', *{name.partition('.')[0] for name in sys.modules})"
    run = subprocess.run([sys.executable, "-c", source + tail], check=True, capture_output=True, text=True)
    return set(run.stdout.rpartition("LOADED")[2].split())


def test_import_is_light() -> None:
    assert loaded_by("import topomod").isdisjoint([*SLOW, "numpy", "typer"])


def test_help_is_light() -> None:
    source = """
import sys
from topomod.cli import main
sys.argv = ["topomod", "--help"]
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
"""
    assert loaded_by(source).isdisjoint(SLOW)
