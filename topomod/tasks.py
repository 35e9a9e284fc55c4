"""What is to be learnt: a finite set of inputs, each with one correct class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class ModularAddition:
    """Learn ``c = (a + b) mod p`` from one-hot ``a`` and ``b``.

    Even and composite ``p`` are allowed; for even ``p`` the frequency ``p / 2`` has a single real phase.

    Parameters
    ----------
    p : int
        Modulus, at least 3.

    Raises
    ------
    ValueError
        If ``p`` is not an integer of at least 3.

    References
    ----------
    Power et al., arXiv 2201.02177; Nanda et al., arXiv 2301.05217.

    Examples
    --------
    >>> int(ModularAddition(p=5).targets()[3, 4])
    2
    """

    p: int = 59

    def __post_init__(self) -> None:
        if isinstance(self.p, bool) or not isinstance(self.p, int | np.integer) or self.p < 3:
            raise ValueError(f"p must be an integer >= 3, found {self.p!r}")
        object.__setattr__(self, "p", int(self.p))

    @property
    def n_inputs(self) -> int:
        """Number of input pairs, ``p**2``."""
        return self.p**2

    @property
    def n_classes(self) -> int:
        """Number of classes, ``p``."""
        return self.p

    def targets(self) -> np.ndarray:
        """Correct class of every input, shape (p, p), indexed ``[a, b]``."""
        a = np.arange(self.p)
        return (a[:, None] + a[None, :]) % self.p

    def describe(self) -> dict[str, Any]:
        """Return what :func:`task_from_description` needs to rebuild the task."""
        return {"name": "modular_addition", "p": self.p}


TASKS = {"modular_addition": ModularAddition}


def task_from_description(description: dict[str, Any]) -> ModularAddition:
    """Rebuild a task from :meth:`ModularAddition.describe`.

    Raises
    ------
    ValueError
        If the task's name is not known.
    """
    fields = dict(description)
    name = fields.pop("name", None)
    if name not in TASKS:
        raise ValueError(f"unknown task {name!r}; known tasks: {', '.join(TASKS)}")
    return TASKS[name](**fields)
