"""Circuits from arrays: what somebody's network computed on every input."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from topomod.networks.activations import Rest
from topomod.networks.array_files import read_arrays
from topomod.networks.circuit import Circuit
from topomod.networks.given import NONLINEARITIES, array_name
from topomod.networks.labels import GIVEN
from topomod.networks.read_off import Answers, Reading, decide_task
from topomod.tasks.task import Task

Array = Any  # what NumPy can make an array of: an array, a tensor on any device, nested lists


def from_activations(
    preactivations: Array | Sequence[Array],
    logits: Array,
    task: Task | None = None,
    readout: Array | Sequence[Array | None] | None = None,
    label: str = "mine",
    seed: int | None = None,
    nonlinearity: str | None = "relu",
) -> Circuit:
    """Make a circuit of what a network computed on every input.

    Parameters
    ----------
    preactivations : array_like, or list of array_like
        Input of a nonlinearity, (n_a, n_b, n_neurons), indexed ``[a, b]``; a list has one array for each layer.
    logits : array_like
        (n_a, n_b, n_columns). Columns after the last class, such as that of "=", are left out. Where one of them has
        the largest logit, the answer counts as wrong, and ``reason`` says so.
    task : Task, optional
        What the network was trained on. Without one, it is read off the table of the network's own answers.
    readout : array_like, optional
        Linear map from the activations of the last layer to the logits, (n_classes, n_neurons), or a list with one
        map or None for each layer. Without it there are no clouds at the sites "logits" and "readout".
    label : str
        What tables call the network.
    seed : int, optional
        The seed that the network was trained with.
    nonlinearity : str or None
        What makes activations of pre-activations: "relu", "gelu", "gelu_tanh", "silu", "tanh", "sigmoid" or "square".
        With None there are no activations, and no clouds that need them.

    Returns
    -------
    Circuit
        ``converged`` is True if all answers are right.

    Raises
    ------
    ValueError
        If an array does not hold finite real numbers, or its shape does not fit the others or the task.

    Examples
    --------
    >>> import numpy as np
    >>> import topomod
    >>> angle = 2 * np.pi * np.arange(7) / 7
    >>> a, b = np.meshgrid(angle, angle, indexing="ij")
    >>> neurons = np.stack([np.cos(a + s) + np.cos(b + s) for s in angle], axis=-1)
    >>> logits = np.cos((a + b)[..., None] - angle)
    >>> circuit = topomod.from_activations(neurons, logits, topomod.ModularAddition(7))
    >>> circuit.accuracy(), [group.frequency for group in topomod.group_neurons(circuit)]
    (1.0, [1])
    """
    layers = list(preactivations) if isinstance(preactivations, list | tuple) else [preactivations]
    if not layers:
        raise ValueError("preactivations must hold at least one layer, found none")
    maps = list(readout) if isinstance(readout, list | tuple) else [None] * (len(layers) - 1) + [readout]
    if len(maps) != len(layers):
        raise ValueError(f"readout must have one map or None for each of {len(layers)} layers, found {len(maps)}")
    if nonlinearity is not None and nonlinearity not in NONLINEARITIES:
        raise ValueError(f"nonlinearity must be one of {', '.join(NONLINEARITIES)} or None, found {nonlinearity!r}")
    arrays = {"logits": real_array(logits, "logits")}
    for index, (values, own_map) in enumerate(zip(layers, maps, strict=True)):
        name = array_name("preactivations", index)
        arrays[name] = real_array(values, name)
        if nonlinearity is not None:
            after = NONLINEARITIES[nonlinearity](torch.from_numpy(arrays[name])).numpy()
            arrays[array_name("activations", index)] = real_array(after, array_name("activations", index))
        if own_map is not None:
            arrays[array_name("readout", index)] = real_array(own_map, array_name("readout", index))
    return given_circuit(arrays, task, label, seed)


def real_array(values: Array, name: str) -> np.ndarray:
    """Finite real numbers as float32, or float64 where they are.

    Raises
    ------
    ValueError
        For anything else, by name.
    """
    if isinstance(values, torch.Tensor):
        values = _dense(values, name)
    try:
        found = np.asanyarray(values)
    except ValueError:
        raise ValueError(f"{name} must be an array, found rows of different lengths") from None
    if isinstance(found, np.ma.MaskedArray) and np.any(found.mask):
        raise ValueError(f"{name} has masked entries; every input must have its values")
    if found.dtype.kind not in "fiu":
        raise ValueError(f"{name} must hold real numbers, found {found.dtype}")
    found = np.ascontiguousarray(found, np.float64 if found.dtype.itemsize > 4 else np.float32)
    if not np.isfinite(found).all():
        raise ValueError(f"{name} holds NaN or infinite values; all must be finite")
    return found


def _dense(values: torch.Tensor, name: str) -> np.ndarray:
    if values.layout != torch.strided or values.is_nested or values.is_quantized or values.is_meta:
        raise ValueError(f"{name} must be a dense tensor, found a sparse, nested, quantised or empty one")
    if values.is_complex() or values.dtype == torch.bool:
        raise ValueError(f"{name} must hold real numbers, found {values.dtype}")
    own = values.detach().cpu()
    return np.asarray((own if own.dtype == torch.float64 else own.to(torch.float32)).numpy())


def given_circuit(
    arrays: Mapping[str, np.ndarray],
    task: Task | None,
    label: str,
    seed: int | None = None,
    rest: Callable[[Reading], Rest] | None = None,
) -> Circuit:
    """Make a circuit of arrays as :func:`topomod.networks.given.on_inputs` names them; see :func:`from_activations`.

    ``rest`` makes what comes after a layer from how the network's answers are read.

    Raises
    ------
    ValueError
        If the arrays do not fit each other or the task.
    """
    if not isinstance(label, str) or not label.strip():
        raise ValueError(f"label must be a text that is not empty, found {label!r}")
    found = decide_task(Answers.of(arrays["logits"]), task)
    kept = {name: np.ascontiguousarray(_part(name, values, found)) for name, values in arrays.items()}
    circuit = Circuit(
        GIVEN,
        found.task,
        kept,
        seed=seed,
        converged=not found.reason,
        reason=found.reason,
        name=label.strip(),
        rest=None if rest is None else rest(found),
    )
    circuit.activations()  # refuses arrays that do not fit each other
    return circuit


def _part(name: str, values: np.ndarray, found: Reading) -> np.ndarray:
    """The part of an array that belongs to the task; arrays of other shapes are left for the checks that follow."""
    shape, columns = found.answers.table.shape, found.answers.n_columns
    if name.startswith("readout"):
        return values[found.classes] if values.shape[:1] == (columns,) else values
    if values.shape[: len(shape)] != shape:
        return values
    part = values[found.inputs]
    return part[..., found.classes] if name == "logits" else part


def load_activations(path: Path | str, task: Task | None = None, label: str = "") -> Circuit:
    """Read a circuit from a file of arrays.

    Parameters
    ----------
    path : path
        An ``.npz`` or ``.safetensors`` file. It holds ``logits`` (n_a, n_b, n_columns) and ``preactivations``
        (n_a, n_b, n_neurons), for more layers also ``preactivations_1`` and so on. It may hold ``readout``
        (n_classes, n_neurons) and ``activations`` with the same endings. Without any ``activations`` the nonlinearity
        is taken to be ReLU. Nothing in a file is ever executed.
    task : Task, optional
        As for :func:`from_activations`.
    label : str
        What tables call the network; by default the file's name.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        As :func:`from_activations`, and for a file that is damaged or holds other arrays. The sentence names the file.
    """
    path = Path(path)
    arrays = read_arrays(path)
    try:
        values = {name: real_array(value, name) for name, value in arrays.items()}
        if not any(name.startswith("activations") for name in values):
            for name in [name for name in values if name.startswith("preactivations")]:
                values[name.removeprefix("pre")] = np.maximum(values[name], 0)
        return given_circuit(values, task, label or path.stem)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
