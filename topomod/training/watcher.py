"""What is told how a training goes on. Imports nothing heavy: the command line makes one before it trains."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from topomod.networks.circuit import Circuit


class Watcher:
    """Looks at a training and does nothing; override what you want to know."""

    def start(self, n_circuits: int, n_steps: int) -> None:
        """Training begins: each of ``n_circuits`` takes ``n_steps`` steps at most."""

    def step(self, n_circuits: int) -> None:
        """Each of ``n_circuits``, which train together, took one more step."""

    def circuit(self, circuit: Circuit) -> None:
        """Look at a circuit that is finished, or at a snapshot of one."""
