"""Kill jobs and snakemake at random moments until a study is finished, and compare it with an undisturbed one.

python benchmarks/kills.py --times 20        # table of docs/reliability.md
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from scale import checkout

from topomod.networks.circuit_file import read_digest

KINDS = {  # what is killed, and how
    "SIGKILL of a job": (False, signal.SIGKILL),
    "SIGTERM of a job": (False, signal.SIGTERM),
    "SIGKILL of snakemake": (True, signal.SIGKILL),
    "SIGTERM of snakemake": (True, signal.SIGTERM),
}


@dataclass
class Outcome:
    """What became of the runs of one kind of kill."""

    where: Counter[str] = field(default_factory=Counter)
    refused: int = 0  # runs that would not start
    partial: int = 0  # files that the next run found cut, or temporary files that stayed at the end
    studies: int = 0
    differing: int = 0  # tables


def fresh(folder: Path) -> Path:
    """A folder with a study that takes little."""
    checkout(folder, "kills", seeds=3, shard_size=3)
    return folder


def start(folder: Path) -> subprocess.Popen[bytes]:
    """Snakemake as a user starts it; what it says is added to run.log."""
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--configfile", "study.yaml"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with (folder / "run.log").open("a") as log:
        environment = os.environ | {"PATH": path, "OMP_NUM_THREADS": "1"}
        return subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=environment, start_new_session=True)


def jobs(folder: Path) -> Iterator[tuple[int, str]]:
    """Processes of topomod that work in the folder, and their stages."""
    for path in Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "cmdline").read_bytes().split(b"\0")
            inside = (path / "cwd").readlink() == folder
        except OSError:
            continue
        if inside and len(words) > 2 and words[1].endswith(b"/topomod"):
            yield int(path.name), words[2].decode()


def kill_once(
    folder: Path, run: subprocess.Popen[bytes], rng: np.random.Generator, kind: str, outcome: Outcome
) -> bool:
    """Wait for a random moment at which a job works, and kill; False if the run ended before."""
    of_snakemake, number = KINDS[kind]
    until = time.monotonic() + rng.uniform(0, 12)
    while run.poll() is None:
        found = sorted(jobs(folder))
        if time.monotonic() > until and found:
            pid, stage = found[int(rng.integers(len(found)))]
            try:
                os.kill(run.pid if of_snakemake else pid, number)
            except ProcessLookupError:
                continue
            outcome.where[stage] += 1
            return True
        time.sleep(0.02)
    return False


def disturb(folder: Path, rng: np.random.Generator, kind: str, times: int, outcome: Outcome) -> None:
    """Run the same command until the study is finished; at most so many kills."""
    while True:
        begun = len((folder / "run.log").read_text()) if (folder / "run.log").exists() else 0
        run = start(folder)
        killed = sum(outcome.where.values()) < times and kill_once(folder, run, rng, kind, outcome)
        code = run.wait()
        said = (folder / "run.log").read_text()[begun:]
        outcome.refused += "LockException" in said or "IncompleteFilesException" in said
        outcome.partial += said.count("is cut short")
        if code == 0:
            return
        if not killed:
            raise RuntimeError(f"a run that nobody killed failed:\n{said[-3000:]}")


def differing(folder: Path, undisturbed: Path) -> int:
    """Files of a finished study that are not as those of another: circuits by their digest, tables by their values."""
    count = 0
    for path in sorted((undisturbed / "results").rglob("*")):
        other = folder / path.relative_to(undisturbed)
        if path.suffix == ".safetensors":
            count += read_digest(path) != read_digest(other)
        elif path.suffix == ".parquet":
            count += not pd.read_parquet(path).equals(pd.read_parquet(other))
    return count


def main() -> None:
    """Print the table; status 1 if a run was refused, a file was partial or a result differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=20, help="kills of each kind")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng, bad = np.random.default_rng(arguments.seed), 0
    with tempfile.TemporaryDirectory() as place:
        undisturbed = fresh(Path(place) / "undisturbed")
        if start(undisturbed).wait():
            sys.exit((undisturbed / "run.log").read_text()[-3000:])
        print("| fault | times | where | runs refused | partial files | studies finished | files that differ |")
        print("|---|---|---|---|---|---|---|", flush=True)
        for kind in KINDS:
            outcome = Outcome()
            while sum(outcome.where.values()) < arguments.times:
                folder = fresh(Path(place) / f"{kind.replace(' ', '_')}_{outcome.studies}")
                disturb(folder, rng, kind, arguments.times, outcome)
                outcome.studies += 1
                outcome.partial += len(list(folder.rglob(".*.tmp")))
                outcome.differing += differing(folder, undisturbed)
            where = ", ".join(f"{stage} {n}" for stage, n in outcome.where.most_common())
            numbers = [outcome.refused, outcome.partial, outcome.studies, outcome.differing]
            print(f"| {kind} | {sum(outcome.where.values())} | {where} | {' | '.join(map(str, numbers))} |", flush=True)
            bad += outcome.refused + outcome.partial + outcome.differing
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
