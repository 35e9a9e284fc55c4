"""What a circuit file must say of itself: each fault is one sentence, found before any weight is read."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from topomod.networks.architectures import ARCHITECTURES, Architecture, resolve
from topomod.networks.size import NetworkSize
from topomod.tasks.catalogue import task_from_description
from topomod.tasks.checked import MAX_SEED
from topomod.tasks.task import Task, checked_integer

HEADER_KEYS = {"architecture", "attention_rate", "task", "recipe", "circuits"}
CIRCUIT_KEYS = ("seed", "step", "converged", "reason")
OWN_KEYS = ("name", "source")  # of networks that were not trained here
WEIGHT_TYPES = ("float32", "float64")
# as safetensors and as NumPy name them
DTYPES = {"F16": "float16", "F32": "float32", "F64": "float64", "BOOL": "bool", "I64": "int64"}
HISTORY_TYPES = ("bool", "float32", "float64", "int64")

Declared = Mapping[str, tuple[str, tuple[int, ...]]]  # of each tensor its dtype and shape


@dataclasses.dataclass(frozen=True)
class Header:
    """What a circuit file says of its circuits, checked.

    Parameters
    ----------
    architecture : str
        Name in the catalogue.
    attention_rate : float or None
        In [0, 1] where the architecture takes one.
    task : Task
        What the circuits learnt.
    recipe : Recipe, MarginRecipe or None
        How they were trained.
    circuits : list of dict
        Seed, step, converged and reason of each, and its own name and file if it has them.
    """

    architecture: str
    attention_rate: float | None
    task: Task
    recipe: Any
    circuits: list[dict[str, Any]]


def check_header(stored: Any, declared: Declared) -> Header:
    """Check a header against the catalogues, and the declared tensors against the header.

    Parameters
    ----------
    stored : object
        What the file's JSON holds.
    declared : dict
        ``{tensor: (dtype, shape)}``; names begin with ``weights/`` or ``history/``.

    Raises
    ------
    ValueError
        Saying what is wrong, what was found and what is allowed.
    """
    header = check_settings(stored)
    _check_tensors(declared, len(header.circuits))
    shapes = {key.removeprefix("weights/"): shape[1:] for key, (_, shape) in declared.items() if "weights/" in key}
    _check_shapes(ARCHITECTURES[header.architecture], header, shapes)
    return header


def check_settings(stored: Any) -> Header:
    """Check a header against the catalogues alone, which needs no torch.

    Raises
    ------
    ValueError
        As :func:`check_header`.
    """
    _check_keys("the header", stored, HEADER_KEYS)
    name = stored["architecture"]
    if not isinstance(name, str) or name not in ARCHITECTURES:
        raise ValueError(f"unknown architecture {name!r}; known: {', '.join(ARCHITECTURES)}")
    record, rate = ARCHITECTURES[name], stored["attention_rate"]
    _check_rate(record, rate)
    if not isinstance(stored["task"], dict):
        raise ValueError(f"task must hold keys and values, found {stored['task']!r}")
    return Header(
        architecture=name,
        attention_rate=rate,
        task=task_from_description(stored["task"]),
        recipe=_recipe(record, stored["recipe"]),
        circuits=_circuits(stored["circuits"]),
    )


def _check_keys(place: str, found: Any, needed: set[str], optional: frozenset[str] = frozenset()) -> None:
    if not isinstance(found, dict):
        raise ValueError(f"{place} must hold keys and values, found {type(found).__name__}")
    if missing := sorted(needed - set(found)):
        raise ValueError(f"missing in {place}: {', '.join(missing)}")
    if unknown := sorted(set(found) - needed - optional):
        raise ValueError(f"unknown key {unknown[0]!r} in {place}; allowed: {', '.join(sorted(needed | optional))}")


def _check_rate(record: Architecture, rate: Any) -> None:
    if record.takes_rate:
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate <= 1:
            raise ValueError(f"attention_rate of {record.name} must be a number from 0 to 1, found {rate!r}")
    elif rate is not None:
        raise ValueError(f"{record.name} takes no attention_rate, found {rate!r}")


def _recipe(record: Architecture, fields: Any) -> Any:
    if fields is None:
        return None
    kind = resolve(record.recipe)
    _check_keys("the recipe", fields, {field.name for field in dataclasses.fields(kind)})
    return kind(**fields)


def _circuits(rows: Any) -> list[dict[str, Any]]:
    if not isinstance(rows, list) or not rows:
        raise ValueError(f"circuits must be a list of at least one, found {rows!r}")
    for index, row in enumerate(rows):
        _check_keys(f"circuit {index}", row, set(CIRCUIT_KEYS), frozenset(OWN_KEYS))
        if row["seed"] is not None:
            checked_integer(row["seed"], f"seed of circuit {index}", 0, MAX_SEED)
        checked_integer(row["step"], f"step of circuit {index}", 0, MAX_SEED)
        for key, kind in (("converged", bool), ("reason", str), *((own, str) for own in OWN_KEYS)):
            if key in row and not isinstance(row[key], kind):
                raise ValueError(f"{key} of circuit {index} must be a {kind.__name__}, found {row[key]!r}")
    return rows


def _check_tensors(declared: Declared, n_circuits: int) -> None:
    """Names, number types and the leading axis of circuits."""
    for key, (dtype, shape) in declared.items():
        kind, _, name = key.partition("/")
        if kind not in ("weights", "history") or not name:
            raise ValueError(f"unknown tensor {key!r}; names begin with weights/ or history/")
        allowed = WEIGHT_TYPES if kind == "weights" else HISTORY_TYPES
        if dtype not in allowed:
            raise ValueError(f"{key} is {dtype}; allowed: {', '.join(allowed)}")
        if not shape or shape[0] != n_circuits:
            raise ValueError(f"{key} of shape {shape} does not hold {n_circuits} circuits, as the header does")
        if kind == "history" and len(shape) != 2:
            raise ValueError(f"{key} must have one row for each circuit, found shape {shape}")


def _check_shapes(record: Architecture, header: Header, found: dict[str, tuple[int, ...]]) -> None:
    """Weights must be those of the architecture, in its shapes; networks that were read may lack a bias or a matrix."""
    if record.shapes and (header.recipe is not None or not record.reads_pairs):
        wanted = {key: shape for key, (shape, _) in resolve(record.shapes)(header.task, _size(found)).items()}
        _check_keys(f"the weights of {record.name}", found, set(wanted))
        for key, shape in wanted.items():
            if found[key] != shape:
                raise ValueError(f"weights/{key} has shape {found[key]} in each circuit; {header.task} needs {shape}")
    elif record.reads_pairs or record.recorded:
        _check_run(record, header, found)


def _size(found: dict[str, tuple[int, ...]]) -> NetworkSize:
    """Widths that the weights have, by the field's names and axes."""

    def axis(name: str, index: int) -> int:
        shape = found.get(name, ())
        return max(1, shape[index]) if shape else 1

    return NetworkSize(d_model=axis("W_E", -1), d_mlp=axis("W_in", 0), n_heads=axis("W_Q", 0))


def _check_run(record: Architecture, header: Header, found: dict[str, tuple[int, ...]]) -> None:
    """Run the architecture on shapes alone, without numbers and memory."""
    import torch

    weights = {key: torch.empty((1, *shape), device="meta") for key, shape in found.items()}
    wanted = (*header.task.input_shape, header.task.n_classes)
    try:
        with torch.device("meta"):  # for what a network makes itself, such as a mask
            logits = tuple(record.run(weights, header.task, header.attention_rate or 0.0).logits.shape[1:])
    except KeyError as error:
        raise ValueError(f"missing in the weights of {record.name}: {error.args[0]}") from None
    except (RuntimeError, IndexError, ValueError, TypeError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"the shapes of the weights do not fit {record.name} ({reason})") from None
    if logits != wanted:
        raise ValueError(f"the weights make logits of shape {logits}; {header.task} needs {wanted}")


def check_finite(header: Header, tensors: Mapping[str, np.ndarray]) -> None:
    """Refuse numbers that are not finite in circuits that are said to be converged.

    Raises
    ------
    ValueError
        Naming the first tensor and circuit.
    """
    for key, values in tensors.items():
        for index, own in enumerate(header.circuits):
            if own["converged"] and not np.isfinite(values[index]).all():
                raise ValueError(f"{key} of circuit {index} is not finite, though the circuit counts as converged")


def digest(text: str, tensors: Mapping[str, np.ndarray]) -> str:
    """SHA-256 over a header's text and all tensors: names, number types, shapes and bytes."""
    found = hashlib.sha256(text.encode())
    for key in sorted(tensors):
        values = tensors[key]
        found.update(f"\n{key} {values.dtype.name} {values.shape}\n".encode())
        found.update(np.ascontiguousarray(values).data)
    return found.hexdigest()


def declared_arrays(file: Any) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Number type and shape of each tensor, before any is read."""
    slices = {key: file.get_slice(key) for key in file.keys()}
    return {key: (DTYPES.get(s.get_dtype(), s.get_dtype()), tuple(s.get_shape())) for key, s in slices.items()}
