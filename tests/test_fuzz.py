"""Damaged circuits, tables, YAML, settings and command lines: each is refused in words, or read as it was."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "fuzz.py"


@pytest.fixture(scope="module")
def fuzz() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fuzz", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["fuzz"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("kind", "n_inputs"), [("circuits", 60), ("tables", 100), ("YAML", 15), ("settings", 100), ("command lines", 40)]
)
def test_damaged_input_is_refused_in_words(
    fuzz: ModuleType, kind: str, n_inputs: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", sys.argv)
    outcomes = fuzz.fuzz(kind, n_inputs, seed=1)
    assert set(outcomes) <= {"refused", "as before"}, capsys.readouterr().err
    assert outcomes["refused"] > 0


def test_what_goes_wrong_is_seen(fuzz: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> bool:
        raise TypeError

    def endless() -> bool:
        while True:
            pass

    monkeypatch.setattr(fuzz, "SECONDS", 1)
    found = [fuzz.judge(run) for run in (broken, endless, lambda: True, lambda: False)]
    assert found == ["traceback TypeError", "hang", "wrongly accepted", "as before"]
