"""The stage train: the circuits of one shard."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from topomod.networks.architectures import resolve
from topomod.networks.circuit_file import save_circuits
from topomod.networks.size import NetworkSize
from topomod.study.progress import TrainingProgress, bars
from topomod.study.settings import MAX_SHOWN, canonical_json, json_object
from topomod.study.shards import Shard
from topomod.study.systems import SYSTEMS
from topomod.study.yaml_files import StudyError
from topomod.tasks.catalogue import parse_task
from topomod.training.train import train


def train_shard(
    shard: Shard, settings: str, output: Path, snapshots: Sequence[int], device: str, declared: str = ""
) -> None:
    """Train a shard and write its circuits; they appear under their name only when all are there.

    Parameters
    ----------
    shard : Shard
        Architecture and seeds.
    settings : str
        JSON of ``p`` and ``recipe``, and of ``task`` and ``network`` where they are not the defaults.
    output : Path
        Where the circuits are written.
    snapshots : sequence of int
        Steps at which circuits are looked at instead of being kept at the end.
    device : {"auto", "cpu", "cuda"}
        As in :func:`topomod.train`.
    declared : str
        JSON from :func:`topomod.study.declared.declaration`, kept with the circuits; training does not depend on it.

    Raises
    ------
    StudyError
        If the settings lack a key or hold one that is not known, or what was declared is not JSON.
    """
    json_object(declared or "{}", "--declared")
    label, fields = shard.label, _fields(settings)
    try:
        recipe = resolve(label.record.recipe)(**fields["recipe"])
        size = NetworkSize(**fields.get("network", {})) if SYSTEMS[label.record.system].sized else None
        task = parse_task(fields.get("task", "addition"), fields["p"])
    except (TypeError, ValueError) as error:
        raise StudyError(f"--settings: {error}") from None
    with bars() as progress:
        circuits = train(
            label.architecture,
            task,
            list(shard.seeds),
            attention_rate=label.attention_rate,
            recipe=recipe,
            size=size,
            device=device,
            snapshots=snapshots,
            watcher=TrainingProgress(progress),
        )
    told = fields | {"snapshots": list(snapshots)}
    save_circuits(output, circuits, declared, canonical_json(told))


def _fields(settings: str) -> dict[str, Any]:
    fields = json_object(settings, "--settings")
    if missing := {"p", "recipe"} - set(fields):
        raise StudyError(f"--settings needs {' and '.join(sorted(missing))}, found {settings[:MAX_SHOWN]}")
    if type(fields["p"]) is not int:
        raise StudyError(f"--settings: p must be a whole number, found {fields['p']!r}")
    return fields
