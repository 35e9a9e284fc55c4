"""Networks of any kind of file, each under a name of its own."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from topomod.networks.array_files import NPZ, SAFETENSORS, holds_activations
from topomod.networks.circuit import Circuit
from topomod.networks.circuit_file import FORMAT, load_circuits
from topomod.networks.from_arrays import load_activations
from topomod.networks.released import load_released
from topomod.tasks.task import Task


@dataclass(frozen=True)
class NetworkFiles:
    """What some files hold.

    Parameters
    ----------
    networks : list of (str, Circuit)
        Every network that can be analysed, under a name that no other one has.
    problems : list of str
        One sentence for every file or network that cannot: which one it is, and why.
    """

    networks: list[tuple[str, Circuit]]
    problems: list[str]


def read_files(paths: Sequence[Path], seed: int | None = None) -> NetworkFiles:
    """Read topomod's own circuits, released networks and files of activations; a bad file does not stop the others.

    ``.npz`` files hold activations, ``.safetensors`` files circuits, activations or a state dict, by their keys, and
    all others a state dict.

    A released network has the name of its file without the ending (``model.pt`` that of its folder), a circuit has
    the name ``<architecture> seed <seed> step <step>``. Where two of these are equal, the shortest end of the file's
    path that tells the networks apart is the name, or stands before it.

    Parameters
    ----------
    paths : sequence of Path
        Files. One that is given twice is read once.
    seed : int, optional
        Only networks of this seed; all by default.

    Returns
    -------
    NetworkFiles
        Networks and problems, both in the order of the files.
    """
    places, names, circuits, problems = [], [], [], []
    once: dict[Path, Path] = {}
    for path in paths:
        once.setdefault(path.resolve(), path)
    for path in once.values():
        try:
            found = _of_seed(read_file(path), seed, path)
        except (ValueError, OSError) as error:
            problems.append(str(error))
            continue
        for name, circuit in found:
            if fault := network_fault(circuit):
                problems.append(f"{path}{f', {name}' if name else ''}: {fault}")
            else:
                places.append(path)
                names.append(name)
                circuits.append(circuit)
    return NetworkFiles(list(zip(_unique_names(places, names), circuits, strict=True)), problems)


def _of_seed(found: list[tuple[str, Circuit]], seed: int | None, path: Path) -> list[tuple[str, Circuit]]:
    """Networks of a seed; all without one."""
    wanted = [(name, circuit) for name, circuit in found if seed in (None, circuit.seed)]
    if found and not wanted:
        seeds = sorted({circuit.seed for _, circuit in found if circuit.seed is not None})
        has = f"seeds {seeds[0]} to {seeds[-1]}" if seeds else "no seeds"
        raise ValueError(f"{path}: no network of seed {seed}; the file has {has}")
    return wanted


def read_networks(paths: Sequence[Path]) -> Iterator[tuple[str, Circuit]]:
    """Name and circuit of every network of some files, all of which must be good; see :func:`read_files`.

    Raises
    ------
    ValueError
        At the first file or network that cannot be analysed.
    """
    found = read_files(paths)
    if found.problems:
        raise ValueError(found.problems[0])
    yield from found.networks


def read_file(path: Path, task: Task | None = None) -> list[tuple[str, Circuit]]:
    """Networks of a file by name; the name is empty where the file's own name is that of the network.

    Parameters
    ----------
    path : Path
        See :func:`read_files`.
    task : Task, optional
        What a released network or one of activations was trained on; circuits know their own task.

    Raises
    ------
    ValueError, OSError
        If the file cannot be read; the sentence names it.
    """
    try:
        return _read(path, task)
    except (ValueError, OSError):
        raise
    except Exception as error:  # one file must not stop the others
        reason = str(error).partition("\n")[0]
        raise ValueError(f"{path}: cannot be read ({type(error).__name__}: {reason})") from error


def _read(path: Path, task: Task | None) -> list[tuple[str, Circuit]]:
    kind = _kind(path)
    if kind != FORMAT:
        return [("", load_activations(path, task) if kind == NPZ else load_released(path, task=task))]
    circuits = load_circuits(path)
    names = [f"{circuit.label} seed {circuit.seed} step {circuit.step}" for circuit in circuits]
    times = Counter(names)
    return [
        (name if times[name] == 1 else f"{name} circuit {index}", circuit)
        for index, (name, circuit) in enumerate(zip(names, circuits, strict=True))
    ]


def _kind(path: Path) -> str:
    """What a file holds: circuits (their format's name), activations (".npz") or a state dict (empty)."""
    if path.suffix == NPZ:
        return NPZ
    if path.suffix != SAFETENSORS or not path.is_file():
        return FORMAT if path.suffix == SAFETENSORS else ""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            if (file.metadata() or {}).get("format") == FORMAT:
                return FORMAT
            keys = set(file.keys())
    except (SafetensorError, OSError):  # read as circuits, which says what is wrong
        return FORMAT
    return NPZ if holds_activations(keys) else "" if any("." in key or key.startswith("W") for key in keys) else FORMAT


def network_fault(circuit: Circuit) -> str:
    """Why a network cannot be analysed; empty if it can."""
    if not circuit.task.one_hot or len(circuit.task.input_shape) != 2:
        return f"learnt {circuit.task}; only networks of two tokens are analysed"
    if not (circuit.record.reads_pairs or circuit.record.recorded):
        return f"is a {circuit.architecture}; only networks that embed a and b and read pairs of them are analysed"
    broken = [name for name, value in circuit.weights.items() if not np.isfinite(value).all()]
    if broken:
        return f"weights {', '.join(broken)} hold NaN or infinite values; all weights must be finite"
    return ""


def _unique_names(paths: Sequence[Path], own: Sequence[str]) -> list[str]:
    """Names of networks, from their files and their own names (empty for one network that is a whole file)."""
    plain = [name or _end(path)[-1] for path, name in zip(paths, own, strict=True)]
    names = []
    for path, name, short in zip(paths, own, plain, strict=True):
        others = [other for other, same in zip(paths, plain, strict=True) if same == short and other != path]
        place = _shortest_end(path, others) if others else ""
        names.append(f"{place} {name}".strip() if place else short)
    return names


def _end(path: Path) -> tuple[str, ...]:
    """Parts of a path, without the ending; ``model.pt`` is named by its folder."""
    folder = Path(os.path.abspath(path)).parent.parts
    return folder if path.stem == "model" and len(folder) > 1 else (*folder, path.stem)


def _shortest_end(path: Path, others: Sequence[Path]) -> str:
    """Shortest end of a path that no other one has; with the file's ending where folder and stem are the same."""
    whole = Path(os.path.abspath(path)).parts
    for parts, rest in (
        (_end(path), [_end(other) for other in others]),
        (whole, [Path(os.path.abspath(other)).parts for other in others]),
    ):
        for length in range(1, len(parts) + 1):
            if all(other[-length:] != parts[-length:] for other in rest):
                return Path(*parts[-length:]).as_posix()
    return Path(*whole).as_posix()
