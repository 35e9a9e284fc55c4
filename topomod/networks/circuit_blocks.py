"""Circuits that are not alike, in one file: blocks of circuits that are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from topomod.networks.circuit_header import CIRCUIT_KEYS, OWN_KEYS

if TYPE_CHECKING:  # this imports torch
    from topomod.networks.circuit import Circuit

BLOCKS = "blocks"  # key of a header that has one header for each block
Value = TypeVar("Value")


def shared_by(circuit: Circuit) -> tuple[Any, ...]:
    """What circuits of one block have in common: all that their arrays are stacked by."""
    shapes = tuple((name, weight.shape, weight.dtype.name) for name, weight in circuit.weights.items())
    return circuit.label, circuit.architecture, circuit.attention_rate, circuit.task, circuit.recipe, shapes


def alike(circuits: Sequence[Circuit]) -> list[list[Circuit]]:
    """Circuits in blocks, in the order in which the first of each block stands."""
    blocks: list[tuple[tuple[Any, ...], list[Circuit]]] = []
    for circuit in circuits:
        own = shared_by(circuit)
        found = next((block for key, block in blocks if key == own), None)
        if found is None:
            blocks.append((own, [circuit]))
        else:
            found.append(circuit)
    return [block for _, block in blocks]


def own_state(circuit: Circuit) -> dict[str, Any]:
    """What a header says of one circuit alone."""
    names = (*CIRCUIT_KEYS, *(key for key in OWN_KEYS if getattr(circuit, key)))
    return {name: getattr(circuit, name) for name in names}


def stack_padded(rows: Sequence[np.ndarray]) -> np.ndarray:
    """Stack histories of circuits that stopped at different steps; reading cuts them at their step again."""
    longest = max(len(row) for row in rows)
    return np.stack([np.pad(row, (0, longest - len(row))) for row in rows])


def joined(parts: Sequence[tuple[dict[str, Any], dict[str, np.ndarray]]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """One header and the arrays of all blocks; a single block is written as it is."""
    if len(parts) == 1:
        return parts[0]
    tensors = {f"{_prefix(i)}{name}": value for i, (_, own) in enumerate(parts) for name, value in own.items()}
    return {BLOCKS: [header for header, _ in parts]}, tensors


def block_headers(stored: Any) -> list[tuple[str, Any]]:
    """What stands before the names of a block's arrays, and the block's header, for each block."""
    if not isinstance(stored, dict) or set(stored) != {BLOCKS}:
        return [("", stored)]
    if not isinstance(stored[BLOCKS], list) or not stored[BLOCKS]:
        raise ValueError(f"{BLOCKS} must be a list of at least one header, found {stored[BLOCKS]!r:.100}")
    return [(_prefix(i), header) for i, header in enumerate(stored[BLOCKS])]


def block_part(prefix: str, named: Mapping[str, Value]) -> dict[str, Value]:
    """What belongs to a block, by its names there."""
    return {name.removeprefix(prefix): value for name, value in named.items() if name.startswith(prefix)}


def all_settings(headers: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One header for all blocks: that of the first block, with the circuits of all in the order of their seeds."""
    if len(headers) == 1:
        return headers[0]
    circuits = [circuit for header in headers for circuit in header["circuits"]]
    return headers[0] | {"circuits": sorted(circuits, key=lambda own: own["seed"] or 0)}


def _prefix(index: int) -> str:
    return f"{index}/"
