"""The house rule: nine rooms, one direction of imports, small modules and functions, no branch on a kind of thing."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import topomod
from topomod.networks.architectures import ARCHITECTURES, Architecture, resolve
from topomod.study.systems import SYSTEMS

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path(topomod.__file__).parent

# Each room and the rooms that it may import from.
ROOMS = {
    "tasks": (),
    "networks": ("tasks",),
    "training": ("tasks", "networks"),
    "topology": ("tasks",),
    "neurons": ("tasks", "networks", "topology"),
    "mechanisms": ("tasks", "networks", "topology", "neurons"),
    "statistics": ("topology",),
    "study": ("tasks", "networks", "training", "topology", "neurons", "mechanisms", "statistics"),
    "report": ("tasks", "networks", "training", "topology", "neurons", "mechanisms", "statistics", "study"),
}
ROOT_MODULES = {"__init__", "cli", "cli_circuits", "files", "notebook", "plots"}
SLOW = ("torch", "scipy", "sklearn", "pandas", "gudhi", "gtda", "umap", "statsmodels", "plotly", "snakemake")
MAX_MODULE, MAX_FUNCTION, MAX_BRANCHES = 300, 45, 8
BRANCHES = (ast.If, ast.IfExp, ast.For, ast.While, ast.ExceptHandler, ast.match_case)


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def imported_modules(source: str) -> set[str]:
    """Modules of topomod imported anywhere in a source, also inside functions and under TYPE_CHECKING."""
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


def test_the_package_is_nine_rooms() -> None:
    folders = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    assert folders == set(ROOMS)
    assert {path.stem for path in PACKAGE.glob("*.py")} == ROOT_MODULES
    assert {path.name for path in Path(__file__).parent.iterdir() if path.is_dir()} - {"__pycache__"} >= set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_from_rooms_below(room: str) -> None:
    allowed = {room, *ROOMS[room], "files", "notebook"}
    for path in (PACKAGE / room).rglob("*.py"):
        rooms = {name.partition(".")[0] for name in imported_modules(path.read_text(encoding="utf-8"))}
        assert rooms <= allowed, (path.name, rooms - allowed)


def test_no_imports_go_round_in_a_circle() -> None:
    """At import time, that is: what a function imports when it runs may know its own caller."""
    names = {".".join(path.relative_to(PACKAGE).with_suffix("").parts): path for path in modules()}
    graph = {name: top_level_imports(path) & set(names) for name, path in names.items()}
    while graph:
        free = {name for name, needed in graph.items() if not needed & set(graph)}
        assert free, f"imports go round in a circle among {sorted(graph)}"
        graph = {name: needed for name, needed in graph.items() if name not in free}


def top_level_imports(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    body = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    found = imported_modules(ast.unparse(ast.Module(body, [])))
    for node in body:  # `from topomod.tasks import parity` names a module, not a room
        if isinstance(node, ast.ImportFrom) and node.module in {f"topomod.{room}" for room in ROOMS}:
            found |= {f"{node.module.removeprefix('topomod.')}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import numpy", set()),
        ("from topomod.tasks.addition import ModularAddition", {"tasks.addition"}),
        ("def f():\n    from topomod.topology.classify import x", {"topology.classify"}),
        ("from topomod import classify_manifold, __version__", {"classify_manifold"}),
        ("import topomod", {"topomod"}),
    ],
)
def test_imports_are_seen(source: str, found: set[str]) -> None:
    assert imported_modules(source) == found


def test_relative_imports_are_refused() -> None:
    with pytest.raises(AssertionError, match="relative import in line 1"):
        imported_modules("from .tasks import ModularAddition")


def functions(source: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring."""
    lines = (function.end_lineno or 0) - function.lineno + 1
    if ast.get_docstring(function) is not None:
        docstring = function.body[0]
        lines -= (docstring.end_lineno or 0) - docstring.lineno + 1
    return lines


def branches(function: ast.AST) -> int:
    """Places where a function can go one way or the other, ternaries and filters counted, inner functions not."""
    count, waiting = 0, list(ast.iter_child_nodes(function))
    while waiting:
        node = waiting.pop()
        count += isinstance(node, BRANCHES) + (len(node.ifs) if isinstance(node, ast.comprehension) else 0)
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            waiting += ast.iter_child_nodes(node)
    return count


def test_branches_are_counted() -> None:
    source = "def f(x):\n    for y in x:\n        if y:\n            return 1 if x else [z for z in x if z]\n"
    assert branches(next(functions(source))) == 4


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_modules_and_functions_are_small(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= MAX_MODULE
    long = [f.name for f in functions(source) if length(f) > MAX_FUNCTION]
    forked = [f.name for f in functions(source) if branches(f) > MAX_BRANCHES]
    assert (long, forked) == ([], [])


KINDS = "|".join([*ARCHITECTURES, *SYSTEMS])
FORBIDDEN = {
    "a branch on the class of a task": r"isinstance\([^)]*(ModularAddition|SparseParity|GroupComposition)",
    "a branch on an architecture's or a system's name": rf"(==|!=|\bin\b) *[\[\(\{{]*[\"']({KINDS})(_[\d.]+)?[\"']",
    "an architecture looked for in its label": rf"[\"']({KINDS})[\"'] *(==|!=|in\b)",
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_code_asks_records_not_names(what: str) -> None:
    rooms = [room for room in ROOMS if room not in ("networks", "tasks", "training")]
    paths = [path for room in rooms for path in (PACKAGE / room).rglob("*.py")] + [PACKAGE / "cli.py"]
    found = [
        (path.name, line)
        for path in paths
        for line in path.read_text().splitlines()
        if re.search(FORBIDDEN[what], line)
    ]
    assert found == []


def test_every_part_that_a_catalogue_names_is_there() -> None:
    parts = [value for record in ARCHITECTURES.values() for value in vars(record).values()]
    for system in SYSTEMS.values():
        parts += [system.page, *system.measures.values(), *(stage.run for stage in system.shard_stages)]
    named = [part for part in parts if isinstance(part, str) and ":" in part]
    assert len(named) > 50 and all(callable(resolve(part)) for part in named)
    assert {record.system for record in ARCHITECTURES.values() if record.learner} == set(SYSTEMS)
    assert isinstance(ARCHITECTURES["rnn"], Architecture)


def loaded_by(source: str) -> set[str]:
    """Top-level packages a fresh interpreter holds after running the source."""
    tail = "\nimport sys\nprint('LOADED', *{name.partition('.')[0] for name in sys.modules})"
    run = subprocess.run([sys.executable, "-c", source + tail], check=True, capture_output=True, text=True)
    return set(run.stdout.rpartition("LOADED")[2].split())


@pytest.mark.parametrize("path", sorted((ROOT / "benchmarks").glob("*.py")), ids=lambda path: path.name)
def test_a_benchmark_finds_what_it_imports(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(path.parent))
    monkeypatch.setattr(os, "environ", dict(os.environ))  # they pin the threads of their own process
    assert import_module(path.stem).__doc__


def test_import_is_light() -> None:
    assert loaded_by("import topomod").isdisjoint([*SLOW, "numpy", "typer"])


def test_what_the_workflow_reads_is_light() -> None:
    assert loaded_by("import topomod.study.check, topomod.study.shards").isdisjoint(SLOW)


def test_stages_that_read_tables_need_no_torch() -> None:
    stages = ", ".join(f"topomod.study.{name}" for name in ("endpoints", "equivalence", "power", "describe"))
    assert "torch" not in loaded_by(f"import {stages}")


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
