"""A trained network with its task, seed, recipe and history, and the file many of them share."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from topomod.files import atomic_path
from topomod.networks.architectures import ARCHITECTURES
from topomod.networks.pair_form import Activations
from topomod.networks.power_mlp import POWER_NETWORKS, power_logits
from topomod.tasks.catalogue import ModularAddition, Task, task_from_description
from topomod.training.recipes import MarginRecipe, Recipe

FORMAT = "topomod-circuits"
VERSION = 1


@dataclass(frozen=True)
class Circuit:
    """One network, as it was at one training step.

    Parameters
    ----------
    architecture : str
        Name in ``topomod.networks.architectures.ARCHITECTURES``.
    task : ModularAddition, SparseParity or GroupComposition
        What it was trained on.
    weights : dict of ndarray
        By the field's names (``W_E``, ``W_in``, ...).
    seed : int or None
        Decides initial weights and train split; None for imported networks.
    attention_rate : float or None
        0 uniform ... 1 learnable attention; None for other architectures.
    recipe : Recipe, MarginRecipe or None
        How it was trained; None for imported networks.
    step : int
        Optimiser steps taken when the weights were kept.
    converged : bool
        Right on all inputs and, by a :class:`Recipe` that says so, structured.
    reason : str
        Why not converged; empty when it is.
    history : dict of ndarray
        ``loss`` and ``accurate`` (right on all inputs) before step 0, 1, ..., ``step``.
    """

    architecture: str
    task: Task
    weights: dict[str, np.ndarray]
    seed: int | None = None
    attention_rate: float | None = None
    recipe: Recipe | MarginRecipe | None = None
    step: int = 0
    converged: bool = False
    reason: str = ""
    history: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Architecture as tables and paths print it, ``attention_1.0``, or ``attention_1.0@long`` of a named recipe."""
        own = architecture_label(self.architecture, self.attention_rate)
        return f"{own}@{self.recipe.name}" if self.recipe and self.recipe.name else own

    @property
    def p(self) -> int:
        """Modulus; a ValueError for a network that does not add two inputs mod p."""
        if not isinstance(self.task, ModularAddition) or self.task.k != 2:
            raise ValueError(f"{self.label} learnt {self.task}, not addition of two inputs mod p")
        return self.task.p

    def activations(self) -> Activations:
        """Pre-activations and logits on all inputs, one pass."""
        weights = {name: torch.from_numpy(value)[None] for name, value in self.weights.items()}
        architecture = ARCHITECTURES[self.architecture]
        with torch.no_grad():
            if architecture.forward_inputs is not None:
                return architecture.forward_inputs(weights, self.task)
            x = weights["W_E"]
            x_right = weights.get("W_E_right", x)
            return architecture.activations(weights, x, x_right, self.attention_rate or 0.0)

    def preactivations(self, layer: int = 0) -> Float[np.ndarray, "*inputs n_neurons"]:
        """Input of a layer's nonlinearity at the last token, (p, ..., p, n_neurons), indexed ``[a_1, ..., a_k]``.

        Other tasks: as their targets, (*inputs, n_neurons).

        Raises
        ------
        IndexError
            If the network has no such layer.
        """
        return _layer(self.activations().preactivations, layer, self.label)

    def readout(self, layer: int = 0) -> Float[np.ndarray, "n_classes n_neurons"]:
        """Linear map from a layer's post-activations to the logits, (n_classes, n_neurons).

        Raises
        ------
        IndexError
            If the network has no such layer.
        ValueError
            If another nonlinearity lies between the layer and the logits.
        """
        return _layer(self.activations().readouts, layer, self.label)

    def logits(self) -> Float[np.ndarray, "*inputs n_classes"]:
        """Logits on all inputs, (p, ..., p, n_classes), (p, p, n_classes) where there are two."""
        if self.architecture in POWER_NETWORKS:  # some inputs at a time: all pre-activations may not fit
            return power_logits(self.architecture, self.task, self.weights)
        return np.asarray(self.activations().logits[0].numpy())

    def accuracy(self) -> float:
        """Share of all inputs, trained on or held out, that get their class."""
        return float(np.mean(np.argmax(self.logits(), axis=-1) == self.task.targets()))

    def embedding(self) -> Float[np.ndarray, "p d_model"]:
        """Token embedding W_E, (p, d_model); the first token's where the second has its own, ``W_E_right``.

        Raises
        ------
        ValueError
            If the network has none.
        """
        if "W_E" not in self.weights:
            raise ValueError(f"{self.label} has no embedding: it takes one-hot inputs or signs")
        return self.weights["W_E"]


def _layer(values: Sequence[torch.Tensor | None], layer: int, label: str) -> np.ndarray:
    if not 0 <= layer < len(values):
        raise IndexError(f"{label} has layers 0 to {len(values) - 1}, asked for {layer}")
    value = values[layer]
    if value is None:
        raise ValueError(f"layer {layer} of {label} reaches the logits only through another nonlinearity")
    return np.asarray(value[0].numpy())


def architecture_label(architecture: str, attention_rate: float | None) -> str:
    """Name of an architecture with its attention rate, if it has one.

    Examples
    --------
    >>> architecture_label("attention", 1.0)
    'attention_1.0'
    """
    return architecture if attention_rate is None else f"{architecture}_{float(attention_rate)}"


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
