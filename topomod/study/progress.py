"""What a stage shows while it works: a bar on a terminal, nothing more than its plain lines in a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from topomod.training.watcher import Watcher

if TYPE_CHECKING:
    from topomod.networks.circuit import Circuit


def log(message: str) -> None:
    """Print one line with the time of day, at once."""
    from rich.console import Console

    Console(soft_wrap=True, highlight=False, markup=False).print(f"{time.strftime('%H:%M:%S')} {message}")


@contextmanager
def bars() -> Iterator[Any]:
    """Give rich progress bars, which draw on a terminal only."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield progress


@contextmanager
def counter(what: str) -> Iterator[Callable[[], None]]:
    """Give a function that counts one more thing on a bar whose end is not known."""
    with bars() as progress:
        task = progress.add_task(what, total=None)
        yield lambda: progress.advance(task)


class TrainingProgress(Watcher):
    """A line for every finished circuit, and bars of circuits and steps.

    Parameters
    ----------
    progress : rich.progress.Progress
        From :func:`bars`.
    """

    def __init__(self, progress: Any) -> None:
        self._progress = progress

    def start(self, n_circuits: int, n_steps: int) -> None:
        """Draw both bars at zero."""
        self._circuits = self._progress.add_task("circuits", total=n_circuits)
        self._steps = self._progress.add_task("steps", total=n_steps)

    def step(self, n_circuits: int) -> None:
        """Move the bar of steps."""
        self._progress.advance(self._steps)

    def circuit(self, circuit: Circuit) -> None:
        """Print what became of a circuit; the bar of steps begins again."""
        state = "converged" if circuit.converged else f"not converged: {circuit.reason}"
        loss = circuit.history["loss"][-1]
        self._progress.console.print(
            f"{time.strftime('%H:%M:%S')} {circuit.label} seed {circuit.seed} step {circuit.step}: "
            f"{state}, loss {loss:.2e}",
            soft_wrap=True,
            highlight=False,
            markup=False,
        )
        self._progress.advance(self._circuits)
        self._progress.reset(self._steps)
