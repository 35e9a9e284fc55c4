"""Addition of k numbers modulo p."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class ModularAddition:
    """Learn ``c = (a_1 + ... + a_k) mod p`` from one-hot inputs.

    Even and composite ``p`` are allowed; for even ``p`` the frequency ``p / 2`` has a single real phase.

    Parameters
    ----------
    p : int
        Modulus, at least 3.
    k : int
        Number of inputs, at least 2.

    Raises
    ------
    ValueError
        If ``p`` is not an integer of at least 3, or ``k`` not one of at least 2.

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
        for name, least in (("p", 3), ("k", 2)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
                raise ValueError(f"{name} must be an integer >= {least}, found {value!r}")
            object.__setattr__(self, name, int(value))

    def __str__(self) -> str:
        return f"addition{'' if self.k == 2 else f'_{self.k}'} mod {self.p}"

    @property
    def n_inputs(self) -> int:
        """Number of inputs, ``p**k``."""
        return int(self.p**self.k)

    @property
    def n_classes(self) -> int:
        """Number of classes, ``p``."""
        return self.p

    def targets(self) -> np.ndarray:
        """Correct class of every input, shape (p,) * k, indexed ``[a_1, ..., a_k]``."""
        return np.asarray(sum(np.ix_(*[np.arange(self.p)] * self.k)) % self.p)

    def describe(self) -> dict[str, Any]:
        """Return what :func:`task_from_description` needs to rebuild the task."""
        return {"name": "modular_addition", "p": self.p, "k": self.k}
