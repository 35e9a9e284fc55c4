"""The file that circuits of one architecture and task share."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from topomod.files import atomic_path
from topomod.networks.circuit import Circuit
from topomod.networks.power_mlp import POWER_NETWORKS
from topomod.tasks.catalogue import task_from_description
from topomod.training.recipes import MarginRecipe, Recipe

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
    header = {
        "architecture": first.architecture,
        "attention_rate": first.attention_rate,
        "task": first.task.describe(),
        "recipe": None if first.recipe is None else dataclasses.asdict(first.recipe),
        "circuits": [{"seed": c.seed, "step": c.step, "converged": c.converged, "reason": c.reason} for c in circuits],
    }
    tensors = {f"weights/{k}": np.stack([c.weights[k] for c in circuits]) for k in first.weights}
    tensors |= {f"history/{k}": _stack_padded([c.history[k] for c in circuits]) for k in first.history}
    metadata = {"format": FORMAT, "version": str(VERSION), "header": json.dumps(header)}
    with atomic_path(Path(path)) as temporary:
        save_file(tensors, temporary, metadata=metadata)


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
    kind = MarginRecipe if header["architecture"] in POWER_NETWORKS else Recipe
    recipe = None if header["recipe"] is None else kind(**header["recipe"])
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


def load_circuit(path: Path | str, index: int = 0) -> Circuit:
    """Read one circuit of a file written by topomod.

    Parameters
    ----------
    path : path
        A ``.safetensors`` file under ``results/<study>/circuits``.
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


def _read(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise FileNotFoundError(f"no circuit file at {path}")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != FORMAT:
                raise ValueError(f"{path} is not a topomod circuit file: it has no 'format': '{FORMAT}'")
            if metadata.get("version") != str(VERSION):
                found = metadata.get("version")
                raise ValueError(f"{path} is of version {found}; this topomod reads version {VERSION}")
            return json.loads(metadata["header"]), {key: file.get_tensor(key) for key in file.keys()}
    except (SafetensorError, KeyError, json.JSONDecodeError, OSError) as error:
        raise ValueError(f"{path} is corrupt or truncated ({error}); delete it and run again") from error
