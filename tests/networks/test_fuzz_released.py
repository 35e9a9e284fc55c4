"""Malformed models, configs and arrays: refused in one sentence each, and no code in a file runs."""

import importlib.util
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "fuzz_released.py"


@pytest.mark.filterwarnings("ignore::UserWarning:torch", "ignore:torch.quantize_per_tensor")
def test_malformed_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    spec = importlib.util.spec_from_file_location("fuzz_released", SCRIPT)
    assert spec is not None and spec.loader is not None
    fuzz_released = importlib.util.module_from_spec(spec)
    sys.modules["fuzz_released"] = fuzz_released
    spec.loader.exec_module(fuzz_released)
    outcomes, wrong, ran = fuzz_released.fuzz(300, seed=1)
    assert (dict(outcomes), dict(wrong), ran) == ({"refused": 300}, {}, False)
