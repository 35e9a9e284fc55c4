"""The file that circuits of one architecture and task share."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from topomod.files import atomic_path
from topomod.networks.architectures import ARCHITECTURES, resolve
from topomod.networks.circuit import Circuit
from topomod.tasks.catalogue import task_from_description

FORMAT = "topomod-circuits"


VERSION = 1


def save_circuits(path: Path | str, circuits: Sequence[Circuit]) -> None:
    """Write circuits of one architecture and task into one safetensors file.

    Weights and histories are stacked on a leading circuit axis; everything else is JSON in the file's metadata.
    The file appears under its name only when complete.

    Raises
    ------
    ValueError
        If there is no circuit, or they differ in architecture, task or recipe.
    """
    from safetensors.numpy import save_file

    if not circuits:
        raise ValueError(f"{path}: no circuits to write")
    shared = [(c.label, c.task, c.recipe) for c in circuits]
    if any(key != shared[0] for key in shared):
        raise ValueError(f"{path}: circuits in one file must share architecture, task and recipe")
    first = circuits[0]
    if task_from_description(first.task.describe()) != first.task:
        raise ValueError(
            f"{path}: {first.task!r} comes back from its description as "
            f"{task_from_description(first.task.describe())!r}; a task of its own needs a kind of its own in TASK_KINDS"
        )
    header = {
        "architecture": first.architecture,
        "attention_rate": first.attention_rate,
        "task": first.task.describe(),
        "recipe": None if first.recipe is None else _fields(first.recipe),
        "circuits": [{"seed": c.seed, "step": c.step, "converged": c.converged, "reason": c.reason} for c in circuits],
    }
    tensors = {f"weights/{k}": np.stack([c.weights[k] for c in circuits]) for k in first.weights}
    tensors |= {f"history/{k}": _stack_padded([c.history[k] for c in circuits]) for k in first.history}
    metadata = {"format": FORMAT, "version": str(VERSION), "header": json.dumps(header)}
    with atomic_path(Path(path)) as temporary:
        save_file(tensors, temporary, metadata=metadata)


def _fields(recipe: Any) -> dict[str, Any]:
    fields: dict[str, Any] = dataclasses.asdict(recipe)
    return fields


def _stack_padded(rows: Sequence[np.ndarray]) -> np.ndarray:
    """Stack histories of circuits that stopped at different steps; reading cuts them at their step again."""
    longest = max(len(row) for row in rows)
    return np.stack([np.pad(row, (0, longest - len(row))) for row in rows])


def load_circuits(path: Path | str) -> list[Circuit]:
    """Read all circuits of a file written by :func:`save_circuits`.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is truncated, is not a topomod file or is of another version.
    """
    header, tensors = _read(Path(path))
    recipe = None if header["recipe"] is None else _recipe(header)
    task = task_from_description(header["task"])

    def row(kind: str, index: int, length: int | None = None) -> dict[str, np.ndarray]:
        return {k.removeprefix(kind): v[index][:length] for k, v in tensors.items() if k.startswith(kind)}

    return [
        Circuit(
            architecture=header["architecture"],
            task=task,
            weights=row("weights/", i),
            attention_rate=header["attention_rate"],
            recipe=recipe,
            history=row("history/", i, own["step"] + 1),
            **own,
        )
        for i, own in enumerate(header["circuits"])
    ]


def _recipe(header: dict[str, Any]) -> Any:
    return resolve(ARCHITECTURES[header["architecture"]].recipe)(**header["recipe"])


def load_circuit(path: Path | str, index: int = 0) -> Circuit:
    """Read one circuit of a file written by topomod.

    Parameters
    ----------
    path : path
        A ``circuits.safetensors`` under ``results/<study>/population`` or ``maturity``.
    index : int
        Which of its circuits.

    Raises
    ------
    FileNotFoundError, ValueError
        As :func:`load_circuits`.
    IndexError
        If the file holds fewer circuits.
    """
    circuits = load_circuits(path)
    if not 0 <= index < len(circuits):
        raise IndexError(f"{path} holds circuits 0 to {len(circuits) - 1}, asked for {index}")
    return circuits[index]


def read_header(path: Path) -> dict[str, Any]:
    """What a file says of its circuits, without their weights: architecture, task, recipe, and each one's state.

    Raises
    ------
    FileNotFoundError, ValueError
        As :func:`load_circuits`.
    """
    with _opened(path) as file:
        return _header(file, path)


def _read(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    with _opened(path) as file:
        return _header(file, path), {key: file.get_tensor(key) for key in file.keys()}


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open a safetensors file; each fault in it becomes one sentence that names the file."""
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise FileNotFoundError(f"no circuit file at {path}")
    try:
        with safe_open(path, framework="numpy") as file:
            yield file
    except (SafetensorError, KeyError, json.JSONDecodeError, OSError) as error:
        raise ValueError(f"{path} is corrupt or truncated ({error}); delete it and run again") from error


def _header(file: Any, path: Path) -> dict[str, Any]:
    metadata = file.metadata() or {}
    if metadata.get("format") != FORMAT:
        raise ValueError(f"{path} is not a topomod circuit file: it has no 'format': '{FORMAT}'")
    if metadata.get("version") != str(VERSION):
        raise ValueError(f"{path} is of version {metadata.get('version')}; this topomod reads version {VERSION}")
    header: dict[str, Any] = json.loads(metadata["header"])
    return header
