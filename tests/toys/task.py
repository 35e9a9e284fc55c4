"""Learn c = (a - b) mod p."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from topomod.tasks.addition import ModularAddition
from topomod.tasks.task import TaskKind


@dataclass(frozen=True)
class ModularSubtraction(ModularAddition):
    """Inputs, classes and frequencies are those of addition; the targets are not."""

    def __str__(self) -> str:
        return f"subtraction mod {self.p}"

    @property
    def no_margin_theory(self) -> str:
        """Theory has a closed form for sums."""
        return "the largest margin of subtraction is not known here"

    def targets(self) -> np.ndarray:
        """Correct class of every pair, (p, p)."""
        return np.subtract.outer(np.arange(self.p), np.arange(self.p)) % self.p

    def describe(self) -> dict[str, Any]:
        """Name and modulus."""
        return {"name": KIND.name, "p": self.p}


KIND = TaskKind(
    name="modular_subtraction",
    pattern="subtraction",
    written="subtraction",
    parse=lambda _match, p: ModularSubtraction(p),
    rebuild=lambda description: ModularSubtraction(description["p"]),
)
