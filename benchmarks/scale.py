"""Many tiny circuits through all stages, and the plan of many more: times, memory, files. Tables of docs/scaling.md.

python benchmarks/scale.py --plan 100000                 # the plan alone, by dry run
python benchmarks/scale.py --circuits 10000 --cores 2    # all stages
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from topomod.study.provenance import stage_costs

ROOT = Path(__file__).resolve().parents[1]
STUDY = """
study: {name}
p: 7
architectures: [mlp_add, attention_0.0]
negative_control: null
positive_control: null
main_pair: null
questions: []
seeds: {{first: 0, count: {seeds}}}
shard_size: {shard_size}
network: {{d_model: 16, d_mlp: 24, n_heads: 1}}
recipe: {{train_fraction: 0.9, steps: 60, max_steps: 60}}
maturity: {{count: 0, steps: [50]}}
min_neurons: 3
"""


def checkout(folder: Path, name: str, seeds: int, shard_size: int) -> None:
    """What a run of snakemake reads, in a folder, with a study of two architectures that takes little."""
    for part in ("config", "profiles"):
        shutil.copytree(ROOT / part, folder / part)
    for part in ("Snakefile", "environment.yaml"):
        shutil.copy(ROOT / part, folder)
    (folder / "study.yaml").write_text(STUDY.format(name=name, seeds=seeds, shard_size=shard_size))


def run(folder: Path, circuits: int, shard_size: int, *options: str) -> tuple[float, float, float]:
    """Snakemake on a study of so many circuits: wall seconds, CPU seconds with all jobs, peak MB of one process."""
    checkout(folder, "scale", circuits // 2, shard_size)
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    command = [sys.executable, "-m", "snakemake", "--configfile", "study.yaml", *options]
    started, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    with (folder / "log").open("w") as log:
        subprocess.run(command, cwd=folder, env=environment, stdout=log, stderr=log, check=True)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - started, cpu, used.ru_maxrss / 1e3


def main() -> None:
    """Print what the plan takes, or each stage."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plan", type=int, default=0, help="circuits that are only planned")
    parser.add_argument("--circuits", type=int, default=0, help="circuits that go through all stages")
    parser.add_argument("--shard-size", type=int, default=25)
    parser.add_argument("--cores", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.plan:
        with tempfile.TemporaryDirectory() as place:
            options = ("--dry-run", "--quiet", "all", "--cores", "1")
            _, cpu, memory = run(Path(place), arguments.plan, arguments.shard_size, *options)
        shards = arguments.plan // arguments.shard_size
        print(f"plan of {arguments.plan} circuits in {shards} shards: {cpu:.0f} s of CPU, {memory:.0f} MB", flush=True)
    if arguments.circuits:
        with tempfile.TemporaryDirectory() as place:
            options = ("--cores", str(arguments.cores), "--quiet", "all")
            wall, cpu, _ = run(Path(place), arguments.circuits, arguments.shard_size, *options)
            results = Path(place) / "results" / "scale"
            files = [path for path in results.rglob("*") if path.is_file()]
            size, page = sum(path.stat().st_size for path in files), (results / "report.html").stat().st_size
            print(f"{arguments.circuits} circuits: {wall:.0f} s, {cpu:.0f} s of CPU")
            print(f"{len(files)} files, {size / 1e6:.0f} MB; report.html {page / 1e6:.1f} MB\n")
            print("| stage | jobs | s together | peak MiB of a job |\n|---|---|---|---|")
            for row in stage_costs(results / "benchmarks"):
                print(f"| {row['stage']} | {row['jobs']} | {row['seconds']:.0f} | {row['memory']:.0f} |")


if __name__ == "__main__":
    main()
