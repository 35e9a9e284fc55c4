"""What every layout of a released state dict has in common: its keys have known shapes, and it is read as weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from topomod.networks.released_files import State


@dataclass(frozen=True)
class Reading:
    """A state dict as a network's weights.

    Parameters
    ----------
    architecture : str
        Name in ``topomod.networks.architectures.ARCHITECTURES``.
    weights : dict of ndarray
        By the field's names. ``W_U`` (d_model, n_columns) and ``b_U`` still have all columns.
    attention_rate : float or None
        None without attention.
    doubt : str
        Why keys, shapes and config do not decide the reading: only a network that is right on most pairs confirms it.
        Empty where they do.
    adds : bool
        Whether networks of this layout are known to add mod p where their config names no operation.
    """

    architecture: str
    weights: State
    attention_rate: float | None = None
    doubt: str = ""
    adds: bool = False


def match_shapes(
    state: State, needed: Mapping[str, str], optional: Mapping[str, str] | None = None, unused: tuple[str, ...] = ()
) -> dict[str, int]:
    """Sizes by name, after every key was found with its shape and with finite values.

    Parameters
    ----------
    state : dict of ndarray
        A state dict.
    needed, optional : mapping
        Shape of each key, in names or products of names: ``"d h*k"``. A name has one size everywhere.
    unused : tuple of str
        Keys that may be there and do not change the function.

    Raises
    ------
    ValueError
        If a key is wrong. The sentence names the key, what was found and what is allowed.
    """
    known = {**needed, **(optional or {})}
    if unknown := sorted(set(state) - set(known) - set(unused)):
        raise ValueError(f"not understood: {', '.join(unknown)}")
    if missing := sorted(set(needed) - set(state)):
        raise ValueError(f"keys are missing: {', '.join(missing)}")
    sizes: dict[str, int] = {}
    # products come last, when the sizes of their factors are known
    for key in sorted((key for key in known if key in state), key=lambda key: "*" in known[key]):
        shape, names = state[key].shape, known[key].split()
        for name, size in zip(names, shape, strict=False):
            if name.isalpha():
                sizes.setdefault(name, size)
        wanted = tuple(_size(name, sizes) for name in names)
        if shape != wanted or 0 in shape:
            raise ValueError(f"{key} has shape {shape}; allowed is ({', '.join(names)}) = {wanted}")
        if not np.isfinite(state[key]).all():
            raise ValueError(f"{key} holds NaN or infinite values; all weights must be finite")
    return sizes


def _size(name: str, sizes: Mapping[str, int]) -> int | str:
    """A size or product of sizes; the name itself while it has none."""
    factors = [int(part) if part.isdigit() else sizes.get(part) for part in name.split("*")]
    return name if None in factors else math.prod(factor for factor in factors if factor is not None)
