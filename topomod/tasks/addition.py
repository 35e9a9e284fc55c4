"""Addition of k numbers modulo p."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from topomod.tasks.finite_group import SIZES, GroupComposition
from topomod.tasks.parity import sign_patterns
from topomod.tasks.symmetry import Symmetry, cyclic_symmetry
from topomod.tasks.task import TaskKind, checked_integer
from topomod.tasks.tokens import TokenTask

MAX_TERMS = 20  # even mod 3 so many numbers have more inputs than any network is evaluated on


@dataclass(frozen=True)
class ModularAddition(TokenTask):
    """Learn ``c = (a_1 + ... + a_k) mod p`` from one-hot inputs.

    Even and composite ``p`` are allowed; for even ``p`` the frequency ``p / 2`` has a single real phase.

    Parameters
    ----------
    p : int
        Modulus, at least 3.
    k : int
        Number of inputs, 2 to 20.

    Raises
    ------
    ValueError
        If ``p`` is not an integer of at least 3, or ``k`` not one from 2 to 20.

    References
    ----------
    Power et al., arXiv 2201.02177; Nanda et al., arXiv 2301.05217; k inputs: Li et al., arXiv 2402.09469.

    Examples
    --------
    >>> int(ModularAddition(p=5).targets()[3, 4])
    2
    >>> int(ModularAddition(p=5, k=3).targets()[3, 4, 4])
    1
    """

    p: int = 59
    k: int = 2

    def __post_init__(self) -> None:
        object.__setattr__(self, "p", checked_integer(self.p, "p", 3))
        object.__setattr__(self, "k", checked_integer(self.k, "k", 2, MAX_TERMS))

    def __str__(self) -> str:
        return f"addition{'' if self.k == 2 else f'_{self.k}'} mod {self.p}"

    @property
    def input_shape(self) -> tuple[int, ...]:
        """``(p,) * k``."""
        return (self.p,) * self.k

    @property
    def n_classes(self) -> int:
        """Number of classes, ``p``."""
        return self.p

    @property
    def modulus(self) -> int:
        """``p``."""
        return self.p

    @property
    def symmetry(self) -> Symmetry:
        """Numbers are themselves, in every argument."""
        return cyclic_symmetry(self.p, (1,) * self.k)

    @property
    def no_symmetry(self) -> str:
        """Empty: there is one."""
        return ""

    @property
    def finite_group(self) -> GroupComposition | None:
        """The cyclic group of order p where two numbers are added; None for more."""
        return GroupComposition(f"C{self.p}") if self.k == 2 and self.p <= SIZES["C"][1] else None

    @property
    def no_margin_theory(self) -> str:
        """Why there is no formula for an even p: its frequency p / 2 changes it. Empty for an odd p."""
        if self.p % 2:
            return ""
        instead = f'; GroupComposition("C{self.p}") has one' if self.k == 2 else ""
        return f"the closed form of modular addition is for odd p, found p = {self.p}{instead}"

    def targets(self) -> np.ndarray:
        """Correct class of every input, shape (p,) * k, indexed ``[a_1, ..., a_k]``."""
        return np.asarray(sum(np.ix_(*[np.arange(self.p)] * self.k)) % self.p)

    def describe(self) -> dict[str, Any]:
        """Name, ``p`` and ``k``."""
        return {"name": KIND.name, "p": self.p, "k": self.k}

    def max_margin(self) -> float:
        """``2 k! / ((2k + 2)^((k + 1) / 2) (p - 1) p^((k - 1) / 2))``, for odd p.

        References
        ----------
        Morwani et al., arXiv 2311.07568 (k = 2); Li et al., arXiv 2402.09469 (k inputs).
        """
        k = self.k
        return 2 * math.factorial(k) / float((2 * k + 2) ** ((k + 1) / 2) * (self.p - 1) * self.p ** ((k - 1) / 2))

    def margin_at(self, regularization: float) -> float:
        """Largest normalized margin, whatever the regularisation.

        By symmetry all features have the same strength, so the regularisation changes only the scale of the weights.
        """
        return self.max_margin()

    def max_margin_neurons(self) -> tuple[np.ndarray, np.ndarray]:
        """``u_j[a] = e_j cos(s_j + 2 pi f a / p)`` and ``w[c] = (prod e) cos(sum s + 2 pi f c / p)``.

        There is one neuron for each frequency f, phases s in {0, pi / 2}^k and signs e up to a common sign, which makes
        ``2^(2k - 2) (p - 1)`` neurons. Their phases obey the sum rule.
        """
        x = 2 * np.pi * np.arange(self.p) / self.p
        signs = sign_patterns(self.k)[:, :, None]
        W_in, W_U = [], []
        for f in range(1, (self.p - 1) // 2 + 1):
            for phases in product((0.0, np.pi / 2), repeat=self.k):
                W_in.append((signs * np.cos(np.array(phases)[:, None] + f * x)).reshape(len(signs), -1))
                W_U.append(signs.prod(axis=1) * np.cos(sum(phases) + f * x))
        return np.concatenate(W_in), np.concatenate(W_U)


KIND = TaskKind(
    name="modular_addition",
    pattern="addition(?:_([0-9]+))?",
    written="addition, addition_<k>",
    parse=lambda match, p: ModularAddition(p, int(match[1] or 2)),
    rebuild=lambda description: ModularAddition(description["p"], description.get("k", 2)),
)
