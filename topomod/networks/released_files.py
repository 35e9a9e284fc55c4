"""The two files of a released network, its state dict and its config, as checked arrays and fields."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

State = dict[str, np.ndarray]
Fields = Mapping[str, Any]


def read_state(path: Path) -> State:
    """Arrays of a state dict in float32, by key.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file cannot be read without running code, or a value is not a dense tensor of real numbers. Values are
        not looked at here: buffers that are never used may hold infinite ones.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no model file at {path}")
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many types for broken or unsafe files
        raise ValueError(f"{path}: not a state dict that can be read safely ({type(error).__name__})") from error
    if not isinstance(loaded, Mapping):
        raise ValueError(f"{path}: must hold a state dict of tensors, found {type(loaded).__name__}")
    for key, value in loaded.items():
        if fault := _fault(value):
            raise ValueError(f"{path}: {key} must be a dense tensor of real numbers, found {fault}")
    return {str(key): value.detach().to(torch.float32).numpy() for key, value in loaded.items()}


def _fault(value: Any) -> str:
    """What makes a value no dense tensor of real numbers; empty if it is one."""
    if not isinstance(value, torch.Tensor):
        return type(value).__name__
    if value.layout != torch.strided or value.is_nested:
        return "a sparse or nested tensor"
    if value.is_meta:
        return "a tensor without data"
    if value.is_quantized:
        return "a quantised tensor"
    if value.is_complex():
        return "complex numbers"
    if value.numel() * value.element_size() > value.untyped_storage().nbytes():
        return f"shape {tuple(value.shape)} with fewer numbers stored"
    return ""


def read_config(path: Path, config: Path | str | Mapping[str, Any] | None) -> dict[str, Any]:
    """Fields of a network's config; empty where none is given and none lies beside the model.

    Raises
    ------
    ValueError
        If it is neither a mapping nor a readable JSON file with an object in it.
    """
    if isinstance(config, Mapping):
        return dict(config)
    if config is not None and not isinstance(config, Path | str):
        raise ValueError(f"config must be a path, a mapping or None, found {type(config).__name__}")
    beside = path.with_name(path.name.replace("model_", "config_", 1)).with_suffix(".json")
    found = [place for place in (beside, path.with_name("cfg.json")) if place.is_file()]
    if config is None and not found:
        return {}
    chosen = Path(config) if config is not None else found[0]
    try:
        fields = json.loads(chosen.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:  # text that is no UTF-8, no JSON, or nested without end
        raise ValueError(f"{chosen}: cannot be read as JSON ({error})") from error
    if not isinstance(fields, dict):
        raise ValueError(f"{chosen}: must hold a JSON object with the network's settings, found {fields!r:.60}")
    return fields


def whole_number(fields: Fields, key: str) -> int | None:
    """A config's whole number of at least 0, such as ``113`` or ``250000.0``; None where the key is missing.

    Raises
    ------
    ValueError
        For anything else.
    """
    if key not in fields:
        return None
    value = fields[key]
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    if not numeric or not 0 <= value < 2**63 or value != int(value):  # tables hold numbers of 64 bits
        raise ValueError(f"config {key!r} must be a whole number of at least 0, found {value!r}")
    return int(value)


def one_of(fields: Fields, key: str, allowed: tuple[Any, ...], default: Any) -> Any:
    """A config's value where it is among those that are read; ``default`` where the key is missing.

    Raises
    ------
    ValueError
        For another value: the network computes something that is not read.
    """
    value = fields.get(key, default)
    if not any(value == known for known in allowed):
        known = ", ".join("null" if known is None else str(known) for known in allowed)
        raise ValueError(f"config {key} {value!r} is not understood; known: {known}")
    return value


def step_of(fields: Fields) -> int:
    """Training step that a config names as ``epoch`` or ``num_epochs``, 0 without either."""
    steps = [whole_number(fields, key) for key in ("epoch", "num_epochs") if key in fields]
    return steps[0] or 0 if steps else 0
