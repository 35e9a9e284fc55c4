"""The file that circuits of one architecture and task share."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from topomod.files import atomic_path
from topomod.networks.circuit_blocks import (
    alike,
    all_settings,
    block_headers,
    block_part,
    joined,
    own_state,
    stack_padded,
)
from topomod.networks.circuit_header import (
    Header,
    check_finite,
    check_header,
    check_settings,
    declared_arrays,
    digest,
)
from topomod.tasks.catalogue import task_from_description

if TYPE_CHECKING:
    from topomod.networks.circuit import Circuit

FORMAT = "topomod-circuits"
VERSION = 1


def save_circuits(path: Path | str, circuits: Sequence[Circuit], declared: str = "", settings: str = "") -> None:
    """Write circuits of one architecture and task into one safetensors file.

    Weights and histories are stacked on a leading circuit axis; everything else is JSON in the file's metadata.
    The file appears under its name only when complete, and with a SHA-256 of all it holds.

    Parameters
    ----------
    path : path
        File to write.
    circuits : sequence of Circuit
        At least one.
    declared : str
        What their study had declared when their training began, for :func:`read_record`; empty outside a study.
    settings : str
        What their training was told, likewise.

    Raises
    ------
    ValueError
        If there is no circuit, they differ in architecture, task or recipe, or :func:`load_circuits` would refuse them.
    OSError
        If the file cannot be written.
    """
    if len(alike(circuits)) > 1:
        raise ValueError(f"{path}: circuits in one file must share architecture, task, recipe and shapes of weights")
    save_networks(path, circuits, declared, settings)


def save_networks(path: Path | str, circuits: Sequence[Circuit], declared: str = "", settings: str = "") -> None:
    """Write circuits of any architectures into one file: :func:`save_circuits` in blocks of those that are alike.

    Raises
    ------
    ValueError
        If there is no circuit, or :func:`load_circuits` would refuse them.
    OSError
        If the file cannot be written.
    """
    from safetensors.numpy import save

    if not circuits:
        raise ValueError(f"{path}: no circuits to write")
    header, tensors = joined([_block(Path(path), block) for block in alike(circuits)])
    text = json.dumps(header)
    metadata = {"format": FORMAT, "version": str(VERSION), "header": text, "digest": digest(text, tensors)}
    for name, record in {"declared": declared, "settings": settings}.items():
        if record:
            metadata |= {name: record, f"{name}_digest": digest(record, {})}
    with atomic_path(Path(path)) as temporary:
        temporary.write_bytes(save(tensors, metadata=metadata))


def _block(path: Path, circuits: Sequence[Circuit]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Header and arrays of circuits that are alike, checked."""
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
        "circuits": [own_state(circuit) for circuit in circuits],
    }
    tensors = {f"weights/{k}": np.stack([c.weights[k] for c in circuits]) for k in first.weights}
    tensors |= {f"history/{k}": stack_padded([c.history[k] for c in circuits]) for k in first.history}
    _checked(path, header, {key: (value.dtype.name, value.shape) for key, value in tensors.items()})
    return header, tensors


def _fields(recipe: Any) -> dict[str, Any]:
    fields: dict[str, Any] = dataclasses.asdict(recipe)
    return fields


def load_circuits(path: Path | str) -> list[Circuit]:
    """Read all circuits of a file written by :func:`save_circuits`.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is truncated, damaged, is not a topomod file or is of another version, or its header is wrong.
    """
    path = Path(path)
    with _opened(path) as file:
        blocks = _blocks(path, _stored(file, path), declared_arrays(file))
        tensors = {key: file.get_tensor(key) for key in file.keys()}
        written, found = file.metadata().get("digest"), digest(file.metadata()["header"], tensors)
    if written is not None and written != found:
        raise ValueError(f"{path} is damaged: its content is not what was written; delete it and run again")
    circuits: list[Circuit] = []
    for prefix, header in blocks:
        own = block_part(prefix, tensors)
        with _named(path):
            check_finite(header, own)
        circuits += _circuits(header, own)
    return circuits if len(blocks) == 1 else sorted(circuits, key=lambda circuit: circuit.seed or 0)


def _circuits(header: Header, tensors: dict[str, np.ndarray]) -> Iterator[Circuit]:
    """Circuits of one block."""
    from topomod.networks.circuit import Circuit

    def row(kind: str, index: int, length: int | None = None) -> dict[str, np.ndarray]:
        return {k.removeprefix(kind): v[index][:length] for k, v in tensors.items() if k.startswith(kind)}

    for i, own in enumerate(header.circuits):
        yield Circuit(
            architecture=header.architecture,
            task=header.task,
            weights=row("weights/", i),
            attention_rate=header.attention_rate,
            recipe=header.recipe,
            history=row("history/", i, own["step"] + 1),
            **own,
        )


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
        stored: dict[str, Any] = _stored(file, path)
        _blocks(path, stored, declared_arrays(file))
        return stored


def read_settings(path: Path) -> dict[str, Any]:
    """What a file says of its circuits, without a look at the weights' shapes, which takes seconds to import torch.

    Where circuits are not alike, architecture and attention rate are those of the first ones.

    Raises
    ------
    FileNotFoundError, ValueError
        As :func:`load_circuits`.
    """
    with _opened(path) as file:
        stored = _stored(file, path)
    with _named(path):
        headers = [header for _, header in block_headers(stored)]
        for header in headers:
            check_settings(header)
    return all_settings(headers)


def read_record(path: Path, name: str) -> str:
    """What :func:`save_circuits` was given as ``declared`` or ``settings``; empty where the file has no record.

    Raises
    ------
    FileNotFoundError, ValueError
        As :func:`load_circuits`, and for a record that is not what was written.
    """
    with _opened(path) as file:
        metadata = file.metadata() or {}
    record: str = metadata.get(name, "")
    if record and metadata.get(f"{name}_digest") != digest(record, {}):
        raise ValueError(f"{path} is damaged: its record {name!r} is not what was written; delete it and run again")
    return record


def read_digest(path: Path) -> str:
    """SHA-256 that a file gives of its header and weights; empty where it gives none.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such file, or it is cut short.
    """
    with _opened(path) as file:
        return str((file.metadata() or {}).get("digest", ""))


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open a safetensors file; each fault in it becomes one sentence that names the file."""
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise FileNotFoundError(f"no circuit file at {path}")
    try:
        with safe_open(path, framework="numpy") as file:
            yield file
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror or error})") from error
    except SafetensorError as error:
        raise ValueError(f"{path} is corrupt or truncated ({error}); delete it and run again") from error


def _stored(file: Any, path: Path) -> Any:
    """The header as the file holds it."""
    metadata = file.metadata() or {}
    if metadata.get("format") != FORMAT:
        raise ValueError(f"{path} is not a topomod circuit file: it has no 'format': '{FORMAT}'")
    if metadata.get("version") != str(VERSION):
        raise ValueError(f"{path} is of version {metadata.get('version')}; this topomod reads version {VERSION}")
    try:
        return json.loads(metadata.get("header", ""))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is corrupt: its header is not JSON ({error}); delete it and run again") from None


def _checked(path: Path, stored: Any, declared: dict[str, tuple[str, tuple[int, ...]]]) -> Header:
    with _named(path):
        return check_header(stored, declared)


def _blocks(path: Path, stored: Any, declared: dict[str, tuple[str, tuple[int, ...]]]) -> list[tuple[str, Header]]:
    """Checked header of every block, and what stands before the names of its arrays."""
    with _named(path):
        headers = block_headers(stored)
        if lost := [key for key in declared if not key.startswith(tuple(prefix for prefix, _ in headers))]:
            raise ValueError(f"{lost[0]} belongs to no block of circuits")
    return [(prefix, _checked(path, own, block_part(prefix, declared))) for prefix, own in headers]


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Begin what a check says with the file's name."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
