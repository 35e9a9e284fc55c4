"""Files of arrays: NumPy's .npz and safetensors. Nothing in them is ever executed."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import numpy as np

from topomod.networks.given import PER_LAYER

NPZ, SAFETENSORS = ".npz", ".safetensors"
MAX_BYTES = 2**33  # of one array; a small file can say that its array is larger than any memory
HEADER = 2**12  # bytes of an .npz member that hold the array's type and shape


def holds_activations(names: set[str]) -> bool:
    """Whether arrays of these names are what a network computed, not its weights."""
    return {"logits", "preactivations"} <= names


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Arrays of a file by name.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is damaged, is of another kind, holds Python objects, or other arrays than a network's activations.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no file of activations at {path}")
    readers = {NPZ: _read_npz, SAFETENSORS: _read_safetensors}
    if path.suffix not in readers:
        raise ValueError(f"{path}: activations are read from {' and '.join(readers)} files")
    arrays = readers[path.suffix](path)
    known = rf"(logits|({'|'.join(PER_LAYER)})(_[1-9][0-9]*)?)"
    if unknown := sorted(name for name in arrays if not re.fullmatch(known, name)):
        allowed = f"logits, {', '.join(PER_LAYER)}, and these three with _1, _2, ..."
        raise ValueError(f"{path}: array {unknown[0]!r} is not understood; known: {allowed}")
    if not holds_activations(set(arrays)):
        raise ValueError(f"{path}: must hold the arrays logits and preactivations, found {sorted(arrays)}")
    layers = sum(name.startswith("preactivations") for name in arrays)
    own = {"logits"} | {name + (f"_{k}" if k else "") for name in PER_LAYER for k in range(layers)}
    if lost := sorted(set(arrays) - own):
        raise ValueError(f"{path}: {lost[0]} belongs to no layer; there are preactivations of {layers} layers")
    return arrays


def _read_npz(path: Path) -> dict[str, np.ndarray]:
    try:
        _refuse_large(path)
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except ValueError as error:  # NumPy's refusal of Python objects, too
        raise ValueError(f"{path}: cannot be read safely as an .npz file ({error})") from None
    except Exception as error:  # NumPy and zipfile raise many types for damaged files
        raise ValueError(f"{path}: is damaged or no .npz file ({type(error).__name__})") from None


def _refuse_large(path: Path) -> None:
    """Refuse an array whose header promises more than fits, before memory is taken for it."""
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if member.file_size > MAX_BYTES:
                raise ValueError(f"{member.filename} would take {member.file_size} bytes; at most {MAX_BYTES} are read")
            with archive.open(member) as file:
                found = re.search(rb"'shape': \(([0-9, ]*)\)", file.read(HEADER))
            sizes = [int(size) for size in re.findall(rb"[0-9]+", found[1])] if found else []
            if np.prod(sizes, dtype=float) > member.file_size:  # an entry takes at least one byte
                raise ValueError(f"{member.filename} has fewer entries than its shape {tuple(sizes)} says")


def _read_safetensors(path: Path) -> dict[str, np.ndarray]:
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:  # through torch, as NumPy has no bfloat16
        tensors = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise ValueError(f"{path} is corrupt or truncated ({error})") from None
    short = (torch.bfloat16, torch.float16)
    return {name: (value.float() if value.dtype in short else value).numpy() for name, value in tensors.items()}
