"""Time, memory and disk of a study before it is submitted, from a calibration on this machine.

One circuit of every architecture is trained, analysed and stored just as the study would, all cores at work; the
rest is counting: every stage but the last two is linear in the number of circuits.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from topomod.networks.labels import parse_label, parse_seeds
from topomod.study.config import Study

if TYPE_CHECKING:  # torch, which only the workers need
    from topomod.networks.circuit import Circuit

# Seconds of the stages that see all circuits, on the machine of docs/speed.md: fixed, and per circuit.
LAST_STAGES = {
    "endpoints": (8.0, 0.01),
    "equivalence": (8.0, 0.02),
    "power": (20.0, 0.0),
    "describe": (1.0, 0.0),
    "report": (25.0, 0.06),
}
LAST_MEMORY, LAST_DISK = {"report": 1000.0}, {"report": 8.0}


@dataclass(frozen=True)
class Calibration:
    """What one circuit of one architecture cost.

    Parameters
    ----------
    train, groups, homology : float
        Seconds.
    per_step : float
        Seconds of one training step.
    memory : float
        Peak of the process, MB.
    disk : float
        Stored weights and history, MB.
    frequencies : float
        Seconds of the frequencies stage, 0 where the study does not ask for it.
    """

    train: float
    per_step: float
    groups: float
    homology: float
    memory: float
    disk: float
    frequencies: float = 0.0


@dataclass(frozen=True)
class Stage:
    """Prediction for one stage: number of jobs, CPU seconds of all of them, MB of the largest job and on disk."""

    name: str
    jobs: int
    seconds: float
    memory: float
    disk: float


def calibrate(study: Study, cores: int) -> dict[str, Calibration]:
    """Cost of one circuit of every architecture, by label, measured with all ``cores`` busy."""
    os.environ["OMP_NUM_THREADS"] = "1"  # read by the workers when they import torch
    jobs = [(study, label) for label in study.architectures]
    jobs += [jobs[i % len(jobs)] for i in range(max(0, cores - len(jobs)))]
    with ProcessPoolExecutor(cores, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        found = list(pool.map(_calibrate_one, jobs))
    return dict(zip(study.architectures, found, strict=False))


def _calibrate_one(job: tuple[Study, str]) -> Calibration:
    from topomod.networks.circuit_file import save_circuits
    from topomod.study.frequencies import analyse_frequencies
    from topomod.study.groups import analyse_groups
    from topomod.study.homology import analyse_homology
    from topomod.study.systems import measure_circuits

    study, label = job
    compared = study.system == "pairs"
    if compared:
        _train_one(study, label, 0, steps=2)  # compiles
    clock = [time.perf_counter()]
    circuits = [_train_one(study, label, study.seeds.first)]
    clock.append(time.perf_counter())
    if compared:
        analyse_groups(circuits, study.min_neurons)
    else:
        measure_circuits(circuits, study.min_neurons)
    clock.append(time.perf_counter())
    if compared:
        analyse_homology(circuits, study.min_neurons)
    clock.append(time.perf_counter())
    if study.ablation:
        analyse_frequencies(circuits)
    clock.append(time.perf_counter())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "circuits.safetensors"
        save_circuits(path, circuits)
        disk = path.stat().st_size / 1e6
    seconds = [b - a for a, b in zip(clock, clock[1:], strict=False)]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    per_step = seconds[0] / max(1, circuits[0].step)
    return Calibration(seconds[0], per_step, seconds[1], seconds[2], memory, disk, seconds[3])


def _train_one(study: Study, label: str, seed: int, steps: int | None = None) -> Circuit:
    """One circuit of a study, or only its first steps."""
    from topomod.training.recipes import MarginRecipe, Recipe
    from topomod.training.train import train

    name, rate = parse_label(label)
    fields, size = study.recipe_of(label), None
    if study.system != "margins":
        size = study.variant_of(label).network
        fields |= {"steps": steps, "max_steps": steps} if steps else {}
    recipe = MarginRecipe(**fields) if study.system == "margins" else Recipe(**fields)
    task = study.task_of(label)
    return train(name, task, [seed], attention_rate=rate, recipe=recipe, size=size, device="cpu")[0]


def startup_seconds() -> float:
    """Seconds until a job has imported what it needs."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import topomod.training.train, topomod.study.groups"], check=True)
    return time.perf_counter() - started


def predict(study: Study, costs: dict[str, Calibration], startup: float) -> list[Stage]:
    """Every stage of a study.

    Parameters
    ----------
    study : Study
    costs : dict
        From :func:`calibrate`.
    startup : float
        Seconds every job spends on imports, from :func:`startup_seconds`.
    """
    shards = [(label, len(parse_seeds(seeds))) for label, _, seeds in (s.partition("/") for s in study.shards())]
    n = sum(count for _, count in shards)
    memory = max(costs[label].memory + count * costs[label].disk for label, count in shards)
    disk = sum(count * costs[label].disk for label, count in shards)

    def linear(stage: str) -> float:
        return len(shards) * startup + sum(count * float(getattr(costs[label], stage)) for label, count in shards)

    if study.system != "pairs":
        return [
            Stage("train", len(shards), linear("train"), memory, disk),
            Stage("measure", len(shards), linear("groups"), memory, 0.05 * disk),
            *(_last_stage(name, startup, n) for name in ("describe", "report")),
        ]
    followed, looks = study.maturity.count, study.maturity.count * len(study.maturity.steps)
    longer = sum(followed * study.maturity.steps[-1] * cost.per_step for cost in costs.values())
    looked_at = sum(looks * (cost.groups + cost.homology) for cost in costs.values())
    looks_disk = sum(looks * cost.disk for cost in costs.values())
    n_followed = len(study.maturity_shards())
    return [
        Stage("train", len(shards), linear("train"), memory, disk),
        Stage("groups", len(shards), linear("groups"), memory, 0.05 * disk),
        Stage("homology", len(shards), linear("homology"), memory, 0.05 * disk),
        *([Stage("frequencies", len(shards), linear("frequencies"), memory, 0.1)] if study.ablation else []),
        Stage("maturity", 3 * n_followed, 3 * n_followed * startup + longer + looked_at, memory, looks_disk),
        *(_last_stage(name, startup, n) for name in ("endpoints", "equivalence", "power", "report")),
    ]


def _last_stage(name: str, startup: float, n: int) -> Stage:
    fixed, each = LAST_STAGES[name]
    return Stage(name, 1, startup + fixed + each * n, LAST_MEMORY.get(name, 500.0), LAST_DISK.get(name, 1.0))


def wall_seconds(stages: list[Stage], cores: int) -> float:
    """Seconds of the whole study: the stages of one job come last, one by one, the rest fills the cores.

    A stage cannot be faster than its share of ``cores`` allows, nor than one of its jobs.
    """
    spread = [stage for stage in stages if stage.jobs > 1]
    alone = sum(stage.seconds for stage in stages if stage.jobs == 1)
    longest_chain = sum(stage.seconds / stage.jobs for stage in spread)
    return alone + max(sum(stage.seconds for stage in spread) / cores, longest_chain)
