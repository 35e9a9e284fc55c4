"""What a killed run left is ended and unlocked; what may belong to a living one is left alone."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from topomod.study import runs

RUN = """
import subprocess, sys, time
from pathlib import Path
from topomod.study.runs import LOCKS, begin_run
print(begin_run(Path("results/study")), flush=True)
if len(sys.argv) > 1:
    LOCKS.mkdir(parents=True)
    (LOCKS / "0.output.lock").write_text("results/study/report.html\\n")
    (LOCKS / "1.output.lock").write_text("results/study_2/report.html\\n")
    print(subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdout=subprocess.DEVNULL).pid, flush=True)
    time.sleep(600)
"""
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
NOTHING = "[]"


def begin(folder: Path) -> str:
    """A run that begins and ends; what it said."""
    return subprocess.run(
        [sys.executable, "-c", RUN], cwd=folder, capture_output=True, text=True, check=True
    ).stdout.strip()


def long_run(folder: Path, job: str) -> tuple[subprocess.Popen[str], int]:
    """A run with two locks and a job."""
    run = subprocess.Popen([sys.executable, "-c", RUN, job], cwd=folder, stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None and run.stdout.readline().strip() == NOTHING
    return run, int(run.stdout.readline())


def locks(folder: Path) -> set[str]:
    return {path.name for path in (folder / runs.LOCKS).iterdir()}


@pytest.mark.parametrize("job", ["import time; time.sleep(600)", STUBBORN])
def test_a_killed_run_is_cleared_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, job: str) -> None:
    run, pid = long_run(tmp_path, job)
    try:
        assert begin(tmp_path) == NOTHING  # it is alive
        run.kill()
        run.communicate()
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(runs, "PATIENCE", 0.5)
        monkeypatch.setattr(runs.atexit, "register", lambda *_, **__: None)
        monkeypatch.setenv(runs.VARIABLE, "")
        said = runs.begin_run(Path("results/study"))
        assert said == ["results/study: an earlier run was killed; 1 of its jobs ended, 1 locks removed"]
        assert runs._state(pid)[0] in ("", "Z")
        assert locks(tmp_path) == {"1.output.lock"}
    finally:
        for process in (run.pid, pid):
            runs._signal(process, signal.SIGKILL)


@pytest.mark.parametrize(
    ("changes", "dead"),
    [
        ({}, True),
        ({"machine": "another"}, False),
        ({"results": "results/other"}, False),
        ({"pid": str(os.getpid()), "started": "1"}, True),  # the number was given again
        ({"pid": str(os.getpid()), "started": runs._state(os.getpid())[1]}, False),
    ],
)
def test_only_what_is_certainly_dead_is_cleared(tmp_path: Path, changes: dict[str, str], dead: bool) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    record = {"machine": runs._machine(), "pid": str(ended.pid), "started": "7", "results": "results/study"} | changes
    (tmp_path / runs.RECORDS).mkdir(parents=True)
    (tmp_path / runs.RECORDS / "old.json").write_text(json.dumps(record))
    (tmp_path / runs.RECORDS / "cut.json").write_text('{"mach')
    (tmp_path / runs.LOCKS).mkdir(parents=True)
    (tmp_path / runs.LOCKS / "0.input.lock").write_text("a\nresults/study/x.parquet\n")
    assert (begin(tmp_path) != NOTHING) is dead
    assert locks(tmp_path) == (set() if dead else {"0.input.lock"})
    left = {path.name for path in (tmp_path / runs.RECORDS).iterdir()}
    assert left == ({"cut.json"} if dead else {"cut.json", "old.json"})  # its own is gone, as it has ended
