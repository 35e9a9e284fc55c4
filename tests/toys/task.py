"""Learn c = (a - b) mod p."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from topomod.tasks.addition import ModularAddition
from topomod.tasks.symmetry import Symmetry, cyclic_symmetry
from topomod.tasks.task import TaskKind


@dataclass(frozen=True)
class ModularSubtraction(ModularAddition):
    """Inputs and classes are those of addition; the targets and the sign of b are not."""

    def __str__(self) -> str:
        return f"subtraction mod {self.p}"

    @property
    def symmetry(self) -> Symmetry:
        """Numbers are themselves, and b is subtracted."""
        return cyclic_symmetry(self.p, (1, -1))

    @property
    def finite_group(self) -> None:
        """None: a difference is no group's product."""
        return None

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
