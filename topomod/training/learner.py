"""What the training loop needs to know of a kind of training."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch

from topomod.networks.size import NetworkSize
from topomod.training.recipes import MarginRecipe, Recipe

Numbers = dict[str, np.ndarray]


@dataclass(frozen=True)
class Setup:
    """What the circuits of one training have in common.

    Parameters
    ----------
    architecture : str
        Name in ``topomod.networks.architectures.ARCHITECTURES``.
    task : Task
        What they learn.
    recipe : Recipe or MarginRecipe
        How they are trained.
    attention_rate : float or None
        In [0, 1]; None for architectures without attention.
    size : NetworkSize or None
        Their widths; None where the recipe has the width.
    device : torch.device
        Where they are trained.
    """

    architecture: str
    task: Any
    recipe: Any
    attention_rate: float | None = None
    size: NetworkSize | None = None
    device: torch.device = torch.device("cpu")


class Learner(ABC):
    """Circuits of one kind of training, which train together: their weights, batches, criterion and optimiser.

    The loop (:func:`topomod.training.train.run`) calls ``forward``, now and then ``look``, and ``update``, step after
    step. Every result has one entry for each circuit, in the order of ``seeds``.

    Parameters
    ----------
    setup : Setup
        What the circuits have in common.
    seeds : sequence of int
        One for each circuit.

    Attributes
    ----------
    default_recipe, default_size : Recipe or MarginRecipe, NetworkSize or None
        What is taken unless the caller says otherwise. A size of None means that there is none to choose.
    devices : tuple of str
        Where it can train.
    has_snapshots : bool
        Whether circuits can be looked at along their training.
    look_every : int
        Steps between two looks.

    Raises
    ------
    ValueError
        When made from a setup that it cannot train.
    """

    default_recipe: ClassVar[Recipe | MarginRecipe]
    default_size: ClassVar[NetworkSize | None]
    devices: ClassVar[tuple[str, ...]]
    has_snapshots: ClassVar[bool]
    look_every: ClassVar[int]

    def __init__(self, setup: Setup, seeds: Sequence[int]) -> None:
        self.setup, self.seeds = setup, list(seeds)

    @abstractmethod
    def forward(self, step: int) -> Numbers:
        """Run the network at step 0, 1, ... on what this step trains on; the history's numbers of this step.

        ``loss`` is always among them. All are float32.
        """

    @abstractmethod
    def look(self) -> Numbers:
        """Test the current weights: numbers that the history repeats until the next look.

        ``accurate`` (bool) is always among them. It is called after a ``forward``.
        """

    @abstractmethod
    def due(self, step: int) -> bool:
        """Whether a circuit that meets the criterion at this step is kept."""

    @abstractmethod
    def reasons(self) -> list[str]:
        """Why each circuit does not meet the criterion now; empty where it does. Called after a ``forward``."""

    @abstractmethod
    def update(self, learning_rate: float) -> None:
        """Take one optimiser step with the gradient of the last ``forward``."""

    @abstractmethod
    def weights(self, index: int) -> dict[str, np.ndarray]:
        """Copy of one circuit's weights under the field's names."""
