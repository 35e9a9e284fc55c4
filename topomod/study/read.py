"""The stage read: circuits of one shard of networks that were trained elsewhere, one for each file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from topomod.networks.circuit import Circuit
from topomod.networks.circuit_file import save_networks
from topomod.networks.labels import GIVEN
from topomod.study.network_files import network_fault, read_file
from topomod.study.progress import log
from topomod.study.settings import json_object
from topomod.study.shards import Shard
from topomod.study.yaml_files import StudyError
from topomod.tasks.catalogue import parse_task
from topomod.tasks.spectra import impurity
from topomod.tasks.task import Task, same_function


def read_shard(shard: Shard, files: Sequence[Path], settings: str, output: Path, declared: str = "") -> None:
    """Read networks and write them as circuits; they appear under their name only when all are there.

    A file that holds no network of the task becomes a circuit of NaN, with the reason: it has a row in the tables, and
    counts as one that has not converged.

    Parameters
    ----------
    shard : Shard
        Name of the networks in the study, and the places of their files among all of its files.
    files : sequence of Path
        One for each place.
    settings : str
        JSON of ``p``, ``task`` and ``min_purity``.
    output : Path
        Where the circuits are written.
    declared : str
        As in :func:`topomod.study.train.train_shard`.

    Raises
    ------
    StudyError
        If there are more files than places or fewer, or the settings are not those of networks that are read.
    """
    fields = json_object(settings, "--settings")
    if set(fields) != {"p", "task", "min_purity"}:
        raise StudyError(f"--settings needs p, task and min_purity, found {', '.join(fields) or 'nothing'}")
    if not shard.label.given or len(files) != len(shard):
        raise StudyError(f"{shard} are {len(shard)} places of {GIVEN}@<name>, found {len(files)} files")
    task = parse_task(fields["task"], fields["p"])
    circuits = []
    for seed, path in zip(shard.seeds, files, strict=True):
        circuit = read_network(path, task, float(fields["min_purity"]))
        if circuit.reason:
            log(f"{path}: {circuit.reason}")
        circuits.append(replace(circuit, seed=seed, name=str(shard.label), source=str(path)))
    save_networks(output, circuits, declared)


def read_network(path: Path, task: Task, min_purity: float = 0.0) -> Circuit:
    """The only network of a file, as a circuit of a task.

    Parameters
    ----------
    path : Path
        A file as :func:`topomod.study.network_files.read_file` reads it.
    task : Task
        Two tokens.
    min_purity : float
        Least purity of the first hidden layer of a converged circuit, as a recipe asks for it.

    Returns
    -------
    Circuit
        ``reason`` says why it is not converged. A circuit of a file without a network of the task holds NaN.
    """
    try:
        found = read_file(path, task)
    except (ValueError, OSError) as error:
        return _unread(task, str(error).removeprefix(f"{path}: "))
    if len(found) != 1:
        return _unread(task, f"holds {len(found)} circuits; a study reads files of one network")
    circuit = found[0][1]
    if not same_function(circuit.task, task):
        return _unread(task, f"learnt {circuit.task}; the study compares {task}")
    if fault := network_fault(circuit):
        return _unread(task, fault)
    reason = "" if circuit.accuracy() == 1 else circuit.reason or f"right on {circuit.accuracy():.1%} of pairs"
    reason = reason or impurity(task.symmetry, circuit.preactivations(), min_purity)
    # it was not trained by any recipe of the study, and its file says nothing of how its loss fell here
    return replace(circuit, task=task, converged=not reason, reason=reason, recipe=None, history={})


def _unread(task: Task, reason: str) -> Circuit:
    """A circuit that is none: one neuron, and no number."""
    shapes = {"logits": (*task.input_shape, task.n_classes), "preactivations": (*task.input_shape, 1)}
    arrays = {name: np.full(shape, np.nan, np.float32) for name, shape in shapes.items()}
    return Circuit(GIVEN, task, arrays, converged=False, reason=reason)
