"""Time, memory and disk of a study before it is submitted, from a calibration on this machine.

One circuit of every architecture is trained, analysed and stored just as in the study, while all cores are busy. The
rest is arithmetic: the cost of every stage but the last two is linear in the number of circuits.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from topomod.networks.architectures import resolve
from topomod.networks.labels import Label
from topomod.study.config import Study

if TYPE_CHECKING:  # this imports torch, which only the workers need
    from topomod.networks.circuit import Circuit

# Seconds of the stages that see all circuits, on the machine of docs/speed.md: fixed, and per circuit.
LAST_STAGES = {
    "endpoints": (8.0, 0.01),
    "equivalence": (8.0, 0.02),
    "conclude": (1.0, 0.0),
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
    train : float
        Seconds of the training.
    per_step : float
        Seconds of one training step.
    stages : dict of float
        Seconds of each stage that works on one shard, by its name.
    memory : float
        Peak of the process, MB.
    disk : float
        Stored weights and history, MB.
    """

    train: float
    per_step: float
    stages: dict[str, float]
    memory: float
    disk: float


@dataclass(frozen=True)
class Prediction:
    """What one stage will take: number of jobs, CPU seconds of all of them, MB of the largest job and on disk."""

    name: str
    jobs: int
    seconds: float
    memory: float
    disk: float


def calibrate(study: Study, cores: int) -> dict[str, Calibration]:
    """Cost of one circuit of every architecture, by label, measured with all ``cores`` busy."""
    os.environ["OMP_NUM_THREADS"] = "1"  # read by the workers when they import torch
    jobs = [(study, label) for label in study.labels]
    jobs += [jobs[i % len(jobs)] for i in range(max(0, cores - len(jobs)))]
    with ProcessPoolExecutor(cores, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        found = list(pool.map(_calibrate_one, jobs))
    return dict(zip(study.architectures, found, strict=False))


def _calibrate_one(job: tuple[Study, Label]) -> Calibration:
    from topomod.networks.circuit_file import save_circuits

    study, label = job
    if study.system.followed and not label.given:
        _train_one(study, label, 0, steps=2)  # compiles
    seconds, circuits = _timed(lambda: [_make_one(study, label)])
    stages = {stage.name: _timed(resolve(stage.run), circuits, study.min_neurons)[0] for stage in study.shard_stages()}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "circuits.safetensors"
        save_circuits(path, circuits)
        disk = path.stat().st_size / 1e6
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    return Calibration(seconds, seconds / max(1, circuits[0].step), stages, memory, disk)


def _timed(function: Callable[..., Any], *arguments: Any) -> tuple[float, Any]:
    """Seconds that a call takes, and what it returns."""
    started = time.perf_counter()
    result = function(*arguments)
    return time.perf_counter() - started, result


def _make_one(study: Study, label: Label) -> Circuit:
    """One circuit of a study, trained or read."""
    if not label.given:
        return _train_one(study, label, study.seeds.first)
    from topomod.study.read import read_network

    return read_network(Path(study.networks[label.variant].files[0]), study.task_of(label))


def _train_one(study: Study, label: Label, seed: int, steps: int | None = None) -> Circuit:
    """One circuit of a study, or only its first steps."""
    from topomod.training.train import train

    fields = study.recipe_of(label) | ({"steps": steps, "max_steps": steps} if steps else {})
    return train(
        label.architecture,
        study.task_of(label),
        [seed],
        attention_rate=label.attention_rate,
        recipe=resolve(label.record.recipe)(**fields),
        size=study.size_of(label),
        device="cpu",
    )[0]


def startup_seconds() -> float:
    """Seconds until a job has imported what it needs."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import topomod.training.train, topomod.study.groups"], check=True)
    return time.perf_counter() - started


def predict(study: Study, costs: dict[str, Calibration], startup: float) -> list[Prediction]:
    """Predict the cost of every stage of a study.

    Parameters
    ----------
    study : Study
    costs : dict
        From :func:`calibrate`.
    startup : float
        Seconds every job spends on imports, from :func:`startup_seconds`.
    """
    shards = [(costs[str(shard.label)], len(shard)) for shard in study.shards()]
    memory = max(cost.memory + count * cost.disk for cost, count in shards)
    disk = sum(count * cost.disk for cost, count in shards)
    imports = len(shards) * startup
    train = imports + sum(count * cost.train for cost, count in shards)
    found = [Prediction("train", len(shards), train, memory, disk)]
    for stage in study.shard_stages():
        seconds = imports + sum(count * cost.stages[stage.name] for cost, count in shards)
        found.append(Prediction(stage.name, len(shards), seconds, memory, 0.05 * disk))
    if study.system.followed:
        found.append(_maturity(study, costs, startup, memory))
    n = sum(count for _, count in shards)
    return found + [_last_stage(name, startup, n) for name in study.system.last_stages]


def _maturity(study: Study, costs: dict[str, Calibration], startup: float, memory: float) -> Prediction:
    """Circuits that are followed past the schedule: trained to the last step, measured and labelled at each."""
    followed, looks = study.maturity.count, study.maturity.count * len(study.maturity.steps)
    labelling = [stage.name for stage in study.system.shard_stages]
    own = [costs[str(label)] for label in study.trained]
    longer = sum(followed * study.maturity.steps[-1] * cost.per_step for cost in own)
    looked_at = sum(looks * cost.stages[name] for cost in own for name in labelling)
    jobs = (1 + len(labelling)) * len(study.maturity_shards())
    disk = sum(looks * cost.disk for cost in own)
    return Prediction("maturity", jobs, jobs * startup + longer + looked_at, memory, disk)


def _last_stage(name: str, startup: float, n: int) -> Prediction:
    fixed, each = LAST_STAGES[name]
    return Prediction(name, 1, startup + fixed + each * n, LAST_MEMORY.get(name, 500.0), LAST_DISK.get(name, 1.0))


def wall_seconds(stages: list[Prediction], cores: int) -> float:
    """Seconds of the whole study: stages of one job come last, one by one, and the others share the cores.

    A stage cannot be faster than its share of ``cores`` allows, nor than one of its jobs.
    """
    spread = [stage for stage in stages if stage.jobs > 1]
    alone = sum(stage.seconds for stage in stages if stage.jobs == 1)
    longest_chain = sum(stage.seconds / stage.jobs for stage in spread)
    return alone + max(sum(stage.seconds for stage in spread) / cores, longest_chain)
