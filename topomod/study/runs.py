"""Runs of the workflow in this folder: what a killed one left behind is ended and unlocked by the next.

A lock of snakemake holds no process. Each run writes a record of itself beside the locks, which it removes at its end.
A record whose process is gone is that of a killed run.
"""

from __future__ import annotations

import atexit
import json
import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

LOCKS = Path(".snakemake") / "locks"
RECORDS = Path(".snakemake") / "topomod_runs"
VARIABLE = "TOPOMOD_RUN"  # in the environment of a run's jobs: the name of its record
PATIENCE = 10.0  # seconds that a job of a killed run has to end
PROC = Path("/proc")


def begin_run(results: Path) -> list[str]:
    """Record this process as a run, and clear what killed runs of the same study left, where that is certain.

    It is certain where no other run of the study is recorded, on this machine or another, whose process may be alive.
    Jobs that such runs left are ended, and their locks removed. Everything else is left to snakemake, which refuses a
    locked folder.

    Parameters
    ----------
    results : Path
        Folder of the study, as paths of its files begin.

    Returns
    -------
    list of str
        Sentences on what was done.
    """
    RECORDS.mkdir(parents=True, exist_ok=True)
    own = {"machine": _machine(), "pid": str(os.getpid()), "started": _state(os.getpid())[1], "results": str(results)}
    path = RECORDS / f"{own['machine']}.{own['pid']}.{own['started']}.json"
    path.write_text(json.dumps(own))
    atexit.register(path.unlink, missing_ok=True)
    os.environ[VARIABLE] = path.name
    others = {other: record for other, record in _records() if other != path and record["results"] == str(results)}
    if not others or any(_alive(record) for record in others.values()):
        return []
    ended = _end_jobs({other.name for other in others})
    unlocked = _remove_locks(str(results))
    for other in others:
        other.unlink(missing_ok=True)
    jobs = f"{ended} of its jobs ended, " if ended else ""
    return [f"{results}: an earlier run was killed; {jobs}{unlocked} locks removed"] if ended or unlocked else []


def _machine() -> str:
    """Name of this machine and, in a container, of its processes: other containers count their own."""
    try:
        namespace = str((PROC / "self" / "ns" / "pid").readlink())
    except OSError:
        return socket.gethostname()
    return "-".join([socket.gethostname(), *re.findall(r"\d+", namespace)])


def _state(pid: int) -> tuple[str, str]:
    """State of a process, and when it started in ticks since boot; empty where it is gone or no /proc tells."""
    try:
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "", ""
    return fields[0], fields[19]


def _records() -> Iterator[tuple[Path, dict[str, str]]]:
    """Records that can be read; one that another run is writing now is no dead one."""
    for path in RECORDS.glob("*.json"):
        with suppress(OSError, ValueError):
            yield path, json.loads(path.read_text())


def _alive(record: dict[str, str]) -> bool:
    """Whether a recorded run may still work: on another machine nobody can tell."""
    if record["machine"] != _machine():
        return True
    return _exists(int(record["pid"])) and record["started"] == _state(int(record["pid"]))[1]


def _exists(pid: int) -> bool:
    """Whether a process has the number and is no zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return _state(pid)[0] != "Z"


def _end_jobs(runs: set[str]) -> int:
    """End the processes of this machine that the runs started: they are asked, and after some seconds killed."""
    jobs = list(_processes(runs))
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in filter(_exists, jobs):
            _signal(pid, number)
        until = time.monotonic() + PATIENCE
        while any(map(_exists, jobs)) and time.monotonic() < until:
            time.sleep(0.05)
    return len(jobs)


def _processes(runs: set[str]) -> Iterator[int]:
    """Processes with one of the runs in their environment."""
    marks = {f"{VARIABLE}={run}".encode() for run in runs}
    for path in PROC.glob("[0-9]*/environ"):
        with suppress(OSError):  # it ended meanwhile, or is another user's
            if marks & set(path.read_bytes().split(b"\0")):
                yield int(path.parent.name)


def _signal(pid: int, number: int) -> None:
    with suppress(OSError):
        os.kill(pid, number)


def _remove_locks(results: str) -> int:
    """Remove locks on files of a study; how many there were."""
    found = [path for path in LOCKS.glob("*.lock") if f"\n{results}/" in f"\n{path.read_text()}"]
    for path in found:
        path.unlink(missing_ok=True)
    return len(found)
