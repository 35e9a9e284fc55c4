"""Circuits on disk must be those that the settings describe."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from topomod.networks.circuit_file import read_record, read_settings
from topomod.study.config import Population
from topomod.study.shards import CIRCUITS, Shard, StudyFolder


def check_stored(folder: StudyFolder, population: Population) -> None:
    """Refuse a study's folder whose circuits were trained by other settings than the population's.

    Parameters
    ----------
    folder : StudyFolder
        Where the circuits lie; files that are not there are left to the stages that need them.
    population : Population
        Settings that the circuits must have: task, recipe, attention rate and seeds; files of networks that are read.

    Raises
    ------
    ValueError
        If settings differ. The message names the file, each setting that differs, and both of its values.
    """
    for shard in population.shards():
        path = folder.population(shard) / CIRCUITS
        if path.is_file():
            _check(path, shard, population, [])
    for shard in population.maturity_shards():
        path = folder.maturity(shard) / CIRCUITS
        if path.is_file():
            _check(path, shard, population, population.snapshots())


def _check(path: Path, shard: Shard, population: Population, snapshots: list[int]) -> None:
    stored, label = read_settings(path), shard.label
    told = json.loads(read_record(path, "settings") or "{}")
    wanted: dict[str, Any] = {"task": population.task_of(label).describe(), "seeds": list(shard.seeds)}
    if label.given:
        wanted["files"] = population.files_of(shard)
    else:
        wanted |= {"architecture": label.architecture, "attention_rate": label.attention_rate}
        wanted["recipe"] = population.recipe_of(label)
    circuits = stored["circuits"]
    seeds = list(dict.fromkeys(own["seed"] for own in circuits))  # a followed one has several entries
    found = {key: stored.get(key) for key in wanted} | {"seeds": seeds}
    found["files"] = [own.get("source", "") for own in circuits]
    if told and (size := population.size_of(label)):  # older files do not say what training was told
        found |= {key: told.get(key) for key in ("network", "snapshots")}
        wanted |= {"network": asdict(size), "snapshots": snapshots}
    if differences := list(_differences(found, wanted)):
        made = "read" if label.given else "trained"
        raise ValueError(
            f"{path}: its circuits were {made} by other settings: {'; '.join(differences)}. "
            "Delete the file or give the study another name, and run again"
        )


def _differences(found: dict[str, Any], wanted: dict[str, Any], within: str = "") -> Iterator[str]:
    """Sentences on each setting that differs, nested ones by their whole name; only wanted settings count."""
    for key, value in wanted.items():
        other = found.get(key)
        if isinstance(value, dict):
            yield from _differences(other if isinstance(other, dict) else {}, value, f"{key}.")
        elif other != value:
            yield f"{within}{key} is {json.dumps(other)} there and {json.dumps(value)} in the study"
