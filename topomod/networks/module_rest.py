"""What comes after a watched submodule of somebody else's module: it is run again with another output there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from topomod.networks import read_off
from topomod.networks.module_inputs import Reading
from topomod.networks.module_runs import (
    BATCH,
    LOGITS,
    ROUNDING,
    Sites,
    at_last_token,
    evaluated,
    logits_of,
    output_of,
    watched,
)


@dataclass(frozen=True)
class ModuleRest:
    """A module with what its submodules returned when it was read.

    Parameters
    ----------
    module : Module
        As it is now; its weights must still be those that were read.
    sites : dict of Module
        The watched submodules by name, one for each layer.
    reading : Reading
        The form in which the module takes all inputs, and what it computed.
    read : Reading
        Which of these inputs and of its columns belong to the task.
    """

    module: nn.Module
    sites: Sites
    reading: Reading
    read: read_off.Reading

    def __call__(self, layer: int, preactivations: np.ndarray) -> np.ndarray:
        """Logits on all inputs of the task when a submodule returns other values at the last token.

        Parameters
        ----------
        layer : int
            Which of the submodules.
        preactivations : ndarray
            (*inputs, n_neurons).

        Returns
        -------
        ndarray
            (*inputs, n_classes).

        Raises
        ------
        ValueError
            If the submodule no longer returns what it did.
        """
        name = list(self.sites)[layer]
        own = self.reading.run.outputs[name]
        changed = own.unflatten(0, self.reading.shape).clone()
        changed[self.read.inputs] = torch.from_numpy(preactivations).to(own)
        rows, n = changed.flatten(0, len(self.reading.shape) - 1), len(own)
        with evaluated(self.module):
            parts = [self._run(name, own, rows, slice(start, start + BATCH)) for start in range(0, n, BATCH)]
        logits = torch.cat(parts).unflatten(0, self.reading.shape)[self.read.inputs][..., self.read.classes]
        return np.asarray(logits.to(torch.promote_types(logits.dtype, torch.float32)).cpu().numpy())

    def _run(self, name: str, own: Tensor, rows: Tensor, part: slice) -> Tensor:
        """Logits of some of the module's inputs, (n, n_columns)."""
        arguments = tuple(value[part] for value in self.reading.arguments)
        n = len(arguments[0])

        def change(_index: int, output: Any) -> Tensor:
            found = at_last_token(output, n, output_of(name))
            if not torch.allclose(found, own[part], rtol=0, atol=_rounding(own)):
                raise ValueError(f"{output_of(name)} is no longer what it was when the network was read; read it again")
            changed: Tensor = output.clone()
            changed[(...,) if output.ndim == 2 else (slice(None), -1)] = rows[part]
            return changed

        with torch.no_grad(), watched([self.sites[name]], change):
            return at_last_token(logits_of(self.module(*arguments)), n, LOGITS).detach().clone()


def _rounding(values: Tensor) -> float:
    """How far two runs of one module may be apart, as :func:`topomod.networks.module_runs.check_function` allows."""
    return ROUNDING.get(values.dtype, 1e-5) * (float(values.abs().max()) or 1.0)
