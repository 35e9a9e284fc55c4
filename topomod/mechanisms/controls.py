"""Controls of a move along the manifold: changes of the same norm that do not follow it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import SupportsInt

import numpy as np
from jaxtyping import Float

from topomod.mechanisms.changed_layer import ChangedLayer, Neurons
from topomod.mechanisms.group_checks import checked_groups, checked_shift
from topomod.mechanisms.interventions import Groups, Logits, changes_along, fit_groups
from topomod.networks.circuit import Circuit
from topomod.neurons.sites import Group
from topomod.tasks.spectra import DEAD_POWER

CONTROLS = ("direction", "neurons", "phases")
Change = Float[np.ndarray, "a b _"]


def move_control(circuit: Circuit, group: Groups, shift: SupportsInt, control: str, seed: int = 0) -> Logits:
    """Logits when pre-activations change as much as in :func:`topomod.move_group`, but not along the manifold.

    Parameters
    ----------
    circuit, group, shift
        As for :func:`topomod.move_group`.
    control : {"direction", "neurons", "phases"}
        ``direction``: the change of each group is turned by a random rotation of its neurons, which keeps its norm at
        every pair. ``neurons``: random live neurons of the layer get the changes of the group's neurons.
        ``phases``: the neurons of a group get each other's changes, in random order.
    seed : int
        Seed of the draw.

    Returns
    -------
    ndarray
        (n_a, n_b, n_classes).

    Raises
    ------
    ValueError
        As for :func:`topomod.move_group`, and for another control.
    """
    steps = checked_shift(shift)
    layer, groups = checked_groups(circuit, group)
    changes = changes_along(groups, fit_groups(layer, groups, "preactivations"), circuit.task, steps)
    neurons, change = controlled(layer, groups, changes, control, np.random.default_rng(seed))
    own = layer.holds("preactivations", neurons)
    return layer.with_values("preactivations", neurons, own + change, own)


def controlled(
    layer: ChangedLayer,
    groups: Sequence[Group],
    changes: Sequence[Change],
    control: str,
    generator: np.random.Generator,
) -> tuple[Neurons, Change]:
    """Neurons that a control changes, and their changes.

    Raises
    ------
    ValueError
        For an unknown control.
    """
    if control not in CONTROLS:
        raise ValueError(f"control must be one of {', '.join(CONTROLS)}, found {control!r}")
    neurons = np.concatenate([group.neurons for group in groups])
    if control == "direction":
        turned = [change @ _rotation(change.shape[-1], generator) for change in changes]
        return neurons, np.concatenate(turned, axis=-1)
    if control == "phases":
        shuffled = [generator.permutation(change, axis=-1) for change in changes]
        return neurons, np.concatenate(shuffled, axis=-1)
    power = np.var(layer.preactivations, axis=(0, 1), dtype=np.float64)
    live = np.union1d(np.flatnonzero(power >= DEAD_POWER * power.max()), neurons)
    return generator.permutation(live)[: len(neurons)], np.concatenate(changes, axis=-1)


def _rotation(n: int, generator: np.random.Generator) -> Float[np.ndarray, "n n"]:
    """A random orthogonal matrix, uniform up to the signs of its columns."""
    return np.asarray(np.linalg.qr(generator.standard_normal((n, n)))[0])
