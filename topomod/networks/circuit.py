"""A trained network with its task, seed, recipe and history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float

from topomod.networks.activations import Activations, Patch, Rest
from topomod.networks.architectures import ARCHITECTURES, Architecture, resolve
from topomod.networks.labels import Label
from topomod.tasks.task import Task


@runtime_checkable
class NamedRecipe(Protocol):
    """How a circuit was trained: a recipe of :mod:`topomod.training.recipes`, a dataclass with a name."""

    @property
    def name(self) -> str: ...  # noqa: D102


@dataclass(frozen=True)
class Circuit:
    """One network, as it was at one training step.

    Parameters
    ----------
    architecture : str
        Name in ``topomod.networks.architectures.ARCHITECTURES``.
    task : ModularAddition, ModularOperation, CayleyTable, GroupComposition or SparseParity
        What it was trained on.
    weights : dict of ndarray
        By the field's names (``W_E``, ``W_in``, ...).
    seed : int or None
        Decides initial weights and train split; None for imported networks.
    attention_rate : float or None
        From 0 (uniform attention) to 1 (learnable attention); None for other architectures.
    recipe : Recipe, MarginRecipe or None
        How it was trained; None for imported networks.
    step : int
        Optimiser steps taken when the weights were kept.
    converged : bool
        Whether it is right on all inputs and, where its recipe asks for that, structured.
    reason : str
        Why it has not converged; empty where it has.
    history : dict of ndarray
        ``loss`` and ``accurate`` (right on all inputs) before step 0, 1, ..., ``step``.
    name : str
        What a network that was not trained here is called in tables; empty for the name of its architecture.
    rest : callable or None
        What comes after a layer, of a module of somebody else; it is in no file.
    source : str
        The file that a study read it from; empty for a circuit that was trained here.
    """

    architecture: str
    task: Task
    weights: dict[str, np.ndarray]
    seed: int | None = None
    attention_rate: float | None = None
    recipe: NamedRecipe | None = None
    step: int = 0
    converged: bool = False
    reason: str = ""
    history: dict[str, np.ndarray] = field(default_factory=dict)
    name: str = ""
    rest: Rest | None = field(default=None, compare=False, repr=False)
    source: str = ""

    @property
    def label(self) -> str:
        """Name in tables and paths: ``attention_1.0``, or ``attention_1.0@long`` with a named recipe."""
        return self.name or str(Label(self.architecture, self.attention_rate, self.recipe.name if self.recipe else ""))

    @property
    def record(self) -> Architecture:
        """Its architecture's entry in the catalogue."""
        return ARCHITECTURES[self.architecture]

    @property
    def p(self) -> int:
        """Number of frequencies of both inputs: p of addition mod p, p - 1 of multiplication mod p.

        Raises
        ------
        ValueError
            For a network of other than two inputs, or whose task has no symmetry.
        """
        symmetry = self.task.symmetry
        if symmetry is None or len(symmetry.tokens) != 2:
            reason = f": {self.task.no_symmetry}" if self.task.no_symmetry else ""
            raise ValueError(f"{self.label} learnt {self.task}, which has no frequencies of two inputs{reason}")
        return symmetry.n

    def is_finite(self) -> bool:
        """Whether every weight is a finite number; a circuit whose training diverged has others."""
        return all(bool(np.isfinite(weight).all()) for weight in self.weights.values())

    def activations(self) -> Activations:
        """Pre-activations and logits on all inputs, from one run."""
        weights = {name: torch.from_numpy(value)[None] for name, value in self.weights.items()}
        with torch.no_grad():
            return self.record.run(weights, self.task, self.attention_rate or 0.0)

    def preactivations(self, layer: int = 0) -> Float[np.ndarray, "*inputs n_neurons"]:
        """Input of a layer's nonlinearity at the last token, (p, ..., p, n_neurons), indexed ``[a_1, ..., a_k]``.

        For other tasks the first axes are those of the targets: ``(*inputs, n_neurons)``.

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
        if in_parts := self.record.logits:
            return np.asarray(resolve(in_parts)(self.task, self.weights))
        return np.asarray(self.activations().logits[0].numpy())

    def logits_from(
        self, layer: int, values: Float[np.ndarray, "*inputs n_neurons"], site: str = "preactivations"
    ) -> Float[np.ndarray, "*inputs n_classes"]:
        """Logits on all inputs when a layer holds other values; what comes after it is run again.

        Parameters
        ----------
        layer : int
            Which nonlinearity.
        values : ndarray
            ``(*inputs, n_neurons)``, at the last token.
        site : {"preactivations", "activations"}
            Before or after the nonlinearity.

        Raises
        ------
        ValueError
            If what comes after the layer is not known.
        """
        if self.rest is not None and site == "preactivations":
            return self.rest(layer, values)
        if not self.record.on_pairs:
            raise ValueError(f"what comes after layer {layer} of {self.label} is not known")
        weights = {name: torch.from_numpy(value)[None] for name, value in self.weights.items()}
        patch = Patch(layer, site, torch.from_numpy(values.astype(self.weights["W_E"].dtype))[None])
        with torch.no_grad():
            found = self.record.run(weights, self.task, self.attention_rate or 0.0, patch)
        return np.asarray(found.logits[0].numpy())

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
            why = "only its activations are known" if self.record.recorded else "it takes one-hot inputs or signs"
            raise ValueError(f"{self.label} has no embedding: {why}")
        return self.weights["W_E"]


def _layer(values: Sequence[torch.Tensor | None], layer: int, label: str) -> np.ndarray:
    if not 0 <= layer < len(values):
        raise IndexError(f"{label} has layers 0 to {len(values) - 1}, asked for {layer}")
    value = values[layer]
    if value is None:
        raise ValueError(f"layer {layer} of {label} reaches the logits only through another nonlinearity")
    return np.asarray(value[0].numpy())
