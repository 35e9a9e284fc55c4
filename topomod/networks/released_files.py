"""The two files of a released network, its state dict and its config, as checked arrays and fields."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

State = dict[str, np.ndarray]
Fields = Mapping[str, Any]

STATES = ("model", "state_dict", "model_state_dict")  # keys under which a file keeps a state dict beside other things
CONFIGS = ("config", "cfg")
PREFIXES = r"(module\.|_orig_mod\.)+"  # what torch's DataParallel and compile write before every key
MAX_GROWTH = 2  # bytes of a file's parts over the bytes of the file: torch never compresses
MAX_VALUES = 2**30  # numbers that one network may compute on all pairs, 4 GiB


def read_state(path: Path) -> tuple[State, dict[str, Any]]:
    """Arrays of a state dict in float32, by key, and the config that the same file holds.

    A file may hold the state dict itself, or keep it under ``model``, ``state_dict`` or ``model_state_dict`` beside a
    ``config`` or ``cfg`` and anything else. ``module.`` and ``_orig_mod.`` before every key are left out.

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
    loaded = _load_safetensors(path) if path.suffix == ".safetensors" else _load_pickle(path)
    if not isinstance(loaded, Mapping):
        raise ValueError(f"{path}: must hold a state dict of tensors, found {type(loaded).__name__}")
    state, config = _unwrapped(path, loaded)
    for key, value in state.items():
        if fault := _fault(value):
            raise ValueError(f"{path}: {key} must be a dense tensor of real numbers, found {fault}")
    return {key: value.detach().to(torch.float32).numpy() for key, value in _plain_keys(state).items()}, config


def _load_pickle(path: Path) -> Any:
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                size = sum(member.file_size for member in archive.infolist())
            if size > MAX_GROWTH * path.stat().st_size:
                raise ValueError(f"its parts are {size} bytes, those of a file that torch writes are not compressed")
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many types for broken or unsafe files
        why = str(error) if type(error) is ValueError and "compressed" in str(error) else type(error).__name__
        raise ValueError(f"{path}: not a state dict that can be read safely ({why})") from error


def _load_safetensors(path: Path) -> Any:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise ValueError(f"{path} is corrupt or truncated ({error})") from None


def _unwrapped(path: Path, loaded: Mapping[Any, Any]) -> tuple[Mapping[Any, Any], dict[str, Any]]:
    """The state dict and the config in what a file holds."""
    places = [key for key in STATES if isinstance(loaded.get(key), Mapping)]
    configs = [key for key in CONFIGS if isinstance(loaded.get(key), Mapping)]
    if not places:
        return loaded, {}
    for kind, found in (("state dicts", places), ("configs", configs)):
        if len(found) > 1:
            raise ValueError(f"{path}: holds {kind} under {' and '.join(found)}; a file must have one")
    return loaded[places[0]], dict(loaded[configs[0]]) if configs else {}


def _plain_keys(state: Mapping[Any, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Values by key, without prefixes that all keys have."""
    if state and all(re.match(PREFIXES, str(key)) for key in state):
        return {re.sub(f"^{PREFIXES}", "", str(key)): value for key, value in state.items()}
    return {str(key): value for key, value in state.items()}


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


def read_config(path: Path, config: Path | str | Mapping[str, Any] | None, inside: Fields) -> dict[str, Any]:
    """Fields of a network's config; empty where none is given, none lies beside the model and none is in its file.

    Raises
    ------
    ValueError
        If it is neither a mapping nor a readable JSON file with an object in it, or contradicts the one in the file.
    """
    fields = _config_outside(path, config)
    if different := sorted(key for key in set(fields) & set(inside) if fields[key] != inside[key]):
        key = different[0]
        raise ValueError(
            f"{path}: config {key!r} is {fields[key]!r:.60}, and the config in the file itself says {inside[key]!r:.60}"
        )
    return {**inside, **fields}


def _config_outside(path: Path, config: Path | str | Mapping[str, Any] | None) -> dict[str, Any]:
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
    """A config's whole number of at least 0, such as ``113`` or ``250000.0``; None where the key is missing or null.

    Raises
    ------
    ValueError
        For anything else.
    """
    value = fields.get(key)
    if value is None:
        return None
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    if not numeric or not 0 <= value < 2**63 or value != int(value):  # tables hold numbers of 64 bits
        raise ValueError(f"config {key!r} must be a whole number of at least 0, found {value!r:.60}")
    return int(value)


def one_of(fields: Fields, key: str, allowed: tuple[Any, ...], default: Any) -> Any:
    """A config's value where it is among those that are read; ``default`` where the key is missing.

    Raises
    ------
    ValueError
        For another value: the network computes something that is not read.
    """
    value = fields.get(key, default)
    if not isinstance(value, str | int | float | None) or not any(value == known for known in allowed):
        known = ", ".join("null" if known is None else str(known) for known in allowed)
        raise ValueError(f"config {key} {value!r:.60} is not understood; known: {known}")
    return value


def step_of(fields: Fields) -> int:
    """Training step that a config names as ``epoch`` or ``num_epochs``, 0 without either."""
    steps = (whole_number(fields, key) for key in ("epoch", "num_epochs"))
    return next((step for step in steps if step is not None), 0)


def check_size(n_left: int, n_right: int, width: int) -> None:
    """Refuse a network that computes too many numbers on all pairs; ``width`` is how many on one pair.

    Raises
    ------
    ValueError
        If there are more than ``MAX_VALUES``.
    """
    if n_left * n_right * width > MAX_VALUES:
        raise ValueError(
            f"on {n_left} x {n_right} pairs with {width} neurons and logits it computes {n_left * n_right * width} "
            f"numbers; networks of at most {MAX_VALUES} are read"
        )
