"""One layer of a circuit, and the circuit's logits when some of its neurons hold something else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from topomod.networks.circuit import Circuit
from topomod.networks.given import NONLINEARITIES
from topomod.neurons.readout import NO_ACTIVATIONS, NO_READOUT

LAYER_SITES = ("preactivations", "activations", "logits")
SAME = 1e-4  # of the largest activation: what float32 leaves between a nonlinearity and what a network computed
Neurons = Int[np.ndarray, " g"]


@dataclass(frozen=True)
class ChangedLayer:
    """Arrays of one layer over all pairs, in the order of tokens and classes.

    Parameters
    ----------
    circuit : Circuit
        Whose layer it is.
    index : int
        Which nonlinearity.
    preactivations : ndarray
        (n_a, n_b, n_neurons).
    activations : ndarray or None
        The same after the nonlinearity; None where it is not known.
    readout : ndarray or None
        (n_classes, n_neurons); None where another nonlinearity lies between the layer and the logits.
    logits : ndarray
        (n_a, n_b, n_classes) of the circuit as it is.
    """

    circuit: Circuit
    index: int
    preactivations: Float[np.ndarray, "a b m"]
    activations: Float[np.ndarray, "a b m"] | None
    readout: Float[np.ndarray, "c m"] | None
    logits: Float[np.ndarray, "a b c"]

    @classmethod
    def of(cls, circuit: Circuit, index: int) -> ChangedLayer:
        """Run a circuit once.

        Raises
        ------
        ValueError
            If it has no such layer.
        """
        found = circuit.activations()
        if not 0 <= index < len(found.preactivations):
            raise ValueError(
                f"the group is of layer {index}; {circuit.label} has layers 0 to {len(found.preactivations) - 1}"
            )
        post, readout = (
            None if part is None else np.asarray(part[0].numpy())
            for part in (found.activations[index], found.readouts[index])
        )
        logits = circuit.logits() if circuit.record.logits else found.logits[0].numpy()  # those of logits(), to the bit
        return cls(circuit, index, found.preactivations[index][0].numpy(), post, readout, logits)

    def holds(self, site: str, neurons: Neurons) -> Float[np.ndarray, "a b k"]:
        """What some neurons hold: themselves, or at the site "logits" what they add to the logits, in float64.

        Raises
        ------
        ValueError
            If the site is not known, or needs what is not known of this layer.
        """
        if site not in LAYER_SITES:
            raise ValueError(f"site must be one of {', '.join(LAYER_SITES)}, found {site!r}")
        if site == "preactivations":
            return self.preactivations[:, :, neurons].astype(np.float64)
        if self.activations is None:
            raise ValueError(f"no {site} in layer {self.index} of {self.circuit.label}: {NO_ACTIVATIONS}")
        own = self.activations[:, :, neurons].astype(np.float64)
        return own if site == "activations" else own @ self.readout_of(neurons).T

    def with_values(
        self, site: str, neurons: Neurons, values: Float[np.ndarray, "a b k"], own: Float[np.ndarray, "a b k"]
    ) -> Float[np.ndarray, "a b c"]:
        """Logits of all pairs when some neurons hold other values than their own, which :meth:`holds` tells.

        Pairs whose values stay keep their logits, to the last bit.

        Raises
        ------
        ValueError
            If what comes after the layer is not known.
        """
        if site == "logits":
            return self.plus(values - own)
        if self.runs_again(site):
            held = self.preactivations if site == "preactivations" else self.activations
            assert held is not None
            changed = held.astype(np.float64)
            changed[:, :, neurons] = values
            return self.circuit.logits_from(self.index, changed, site)
        if site == "preactivations":
            values, own = self.nonlinearity(values), self.nonlinearity(own)
        return self.plus((values - own) @ self.readout_of(neurons).T)

    def runs_again(self, site: str) -> bool:
        """Whether the rest of the network is run at all pairs: a module's own, or where no linear map stands for it."""
        if self.circuit.rest is not None and site == "preactivations":
            return True
        return bool(self.circuit.record.on_pairs) and (self.readout is None or self.activations is None)

    def readout_of(self, neurons: Neurons) -> Float[np.ndarray, "c k"]:
        """Linear map from some neurons to the logits, in float64.

        Raises
        ------
        ValueError
            If it is not known.
        """
        if self.readout is None:
            raise ValueError(f"no linear read-out of layer {self.index} of {self.circuit.label}: {NO_READOUT}")
        return self.readout[:, neurons].astype(np.float64)

    def plus(self, added: Float[np.ndarray, "a b c"]) -> Float[np.ndarray, "a b c"]:
        """The circuit's logits and something else; where that is 0 they stay as they are, also -0."""
        total = (self.logits + added).astype(self.logits.dtype)
        return np.where(added == 0, self.logits, total)

    @property
    def obstacle(self) -> str:
        """Why the logits of other pre-activations cannot be told without running the rest again; empty if they can."""
        if self.readout is None or self.activations is None:
            return NO_READOUT if self.readout is None else NO_ACTIVATIONS
        try:
            _ = self.nonlinearity
        except ValueError as error:
            return str(error)
        return ""

    @cached_property
    def nonlinearity(self) -> Callable[[np.ndarray], np.ndarray]:
        """The known function that makes this layer's activations of its pre-activations."""
        if self.activations is None:
            raise ValueError(f"layer {self.index} of {self.circuit.label} cannot be run again: {NO_ACTIVATIONS}")
        pre, post = torch.from_numpy(self.preactivations), torch.from_numpy(self.activations)
        allowed, best = SAME * max(float(post.abs().max()), 1e-30), ("", float("inf"))
        for name, function in NONLINEARITIES.items():
            off = float((function(pre) - post).abs().max())
            if off < best[1]:
                best = name, off
            if off == 0:
                break
        if not best[1] <= allowed:
            known = ", ".join(NONLINEARITIES)
            raise ValueError(
                f"layer {self.index} of {self.circuit.label} has a nonlinearity that is none of {known}: it cannot be "
                "run on other pre-activations"
            )
        return _on_arrays(NONLINEARITIES[best[0]])


def _on_arrays(function: Callable[[Tensor], Tensor]) -> Callable[[np.ndarray], np.ndarray]:
    return lambda values: np.asarray(function(torch.from_numpy(np.ascontiguousarray(values))).numpy())
