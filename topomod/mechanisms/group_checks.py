"""What interventions accept: groups of this circuit, whole numbers of steps, pairs of tokens."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int
from numpy.typing import ArrayLike

from topomod.mechanisms.changed_layer import ChangedLayer
from topomod.networks.circuit import Circuit
from topomod.neurons.groups import NeuronGroup
from topomod.neurons.irrep_groups import input_parts
from topomod.neurons.sites import Group
from topomod.tasks.irreps import irrep_power, named_irrep, real_irreps
from topomod.tasks.symmetry import Symmetry
from topomod.tasks.task import Task

SAME_POWER = 1e-3  # relative; float32 sums over all pairs differ by less


def checked_groups(circuit: Circuit, groups: Group | Sequence[Group]) -> tuple[ChangedLayer, list[Group]]:
    """Layer of some groups of a circuit, and the groups as a list.

    Raises
    ------
    ValueError
        If there is no group, a group is empty or was found in another circuit, two share neurons or are of different
        layers, or the circuit's task has no characters.
    """
    _check_task(circuit)
    own: list[Group] = list(groups) if isinstance(groups, Sequence) else [groups]
    if not own:
        raise ValueError("groups must hold at least one group, found none")
    for group in own:
        if not hasattr(group, "neurons"):
            raise ValueError(f"a group must be a NeuronGroup or an IrrepGroup, found {type(group).__name__}")
        if not len(group.neurons):
            raise ValueError(f"{group_title(group)} is empty: it has no neurons")
    if len(found := {group.layer for group in own}) > 1:
        raise ValueError(f"groups must be of one layer, found groups of layers {', '.join(map(str, sorted(found)))}")
    layer = ChangedLayer.of(circuit, own[0].layer)
    for group in own:
        _check_found_here(layer, group)
    every = np.concatenate([group.neurons for group in own])
    if len(np.unique(every)) < len(every):
        raise ValueError("groups must not share neurons, and none must be there twice")
    return layer, own


def _check_task(circuit: Circuit) -> None:
    task = circuit.task
    if task.finite_group is None and (task.symmetry is None or len(task.input_shape) != 2):
        why = f": {task.no_symmetry}" if task.no_symmetry else "; interventions need two inputs"
        raise ValueError(f"{circuit.label} learnt {task}, which has no characters to move along{why}")


def group_title(group: Group) -> str:
    """What sentences and tables call a group."""
    return f"the group of frequency {group.frequency}" if isinstance(group, NeuronGroup) else f"group {group.irrep}"


def _check_found_here(layer: ChangedLayer, group: Group) -> None:
    """Refuse a group whose neurons do not hold here what it says."""
    circuit, n = layer.circuit, layer.preactivations.shape[-1]
    if max(group.neurons) >= n or min(group.neurons) < 0:
        raise ValueError(
            f"{group_title(group)} has neuron {max(group.neurons)}, and layer {layer.index} of {circuit.label} has {n} "
            "neurons: it was found in another circuit"
        )
    if isinstance(group, NeuronGroup):
        values = layer.preactivations[:, :, group.neurons].astype(np.float64)
        power = float(np.sum(np.var(values, axis=(0, 1))))
        if abs(power - group.power) > SAME_POWER * max(power, group.power):
            raise ValueError(
                f"{group_title(group)} was found in another circuit: its neurons had a variance of {group.power:.4g} "
                f"there, and have {power:.4g} in {circuit.label}"
            )
    else:
        _check_irrep(layer, group.irrep, np.asarray(group.neurons))


def _check_irrep(layer: ChangedLayer, name: str, neurons: Int[np.ndarray, " g"]) -> None:
    """Refuse a group by irrep whose neurons hold more of another one here."""
    finite_group = layer.circuit.task.finite_group
    if finite_group is None:
        raise ValueError(f"{layer.circuit.label} learnt {layer.circuit.task}, which has no irreps of a group")
    named_irrep(finite_group, name)
    irreps = real_irreps(finite_group)[1:]
    _, parts = input_parts(layer.preactivations[:, :, neurons])
    shares = irrep_power(parts, irreps) * np.sum(parts**2, axis=-1, keepdims=True)
    best = irreps[int(np.argmax(shares.sum(axis=(0, 1))))].name
    if best != name:
        raise ValueError(
            f"group {name} was found in another circuit: its neurons hold most of irrep {best} in {layer.circuit.label}"
        )


def checked_symmetry(task: Task, groups: Sequence[Group]) -> Symmetry:
    """Symmetry of a task whose two numbers are moved against each other in groups by frequency.

    Raises
    ------
    ValueError
        If it has none, or a group is by irrep.
    """
    if task.symmetry is None or any(not isinstance(group, NeuronGroup) for group in groups):
        raise ValueError(f"a and b are moved against each other in groups by frequency; {task} has irreps")
    return task.symmetry


def checked_shift(shift: object) -> int:
    """Return a whole number of steps.

    Raises
    ------
    ValueError
        If it is none.
    """
    if not isinstance(shift, int | np.integer) or isinstance(shift, bool):
        raise ValueError(f"shift must be an integer, found {shift!r}")
    return int(shift)


def checked_pairs(
    circuit: Circuit, source: ArrayLike, target: ArrayLike
) -> tuple[Int[np.ndarray, "n 2"], Int[np.ndarray, "n 2"]]:
    """Return source and target pairs as arrays, (n, 2) each.

    Raises
    ------
    ValueError
        If they are no pairs of tokens, or not equally many.
    """
    pairs = {"source": np.atleast_2d(np.asarray(source)), "target": np.atleast_2d(np.asarray(target))}
    n = circuit.task.input_shape
    for name, values in pairs.items():
        if values.ndim != 2 or values.shape[1] != 2 or values.dtype.kind not in "iu":
            raise ValueError(f"{name} must be (n, 2) tokens, found {values.dtype} {values.shape}")
        if values.size and (values.min() < 0 or np.any(values.max(axis=0) >= n)):
            raise ValueError(f"{name} must hold tokens below {n}, found {values.min()} to {values.max()}")
    if len(pairs["source"]) != len(pairs["target"]):
        lengths = " and ".join(str(len(values)) for values in pairs.values())
        raise ValueError(f"source and target must have equally many pairs, found {lengths}")
    return pairs["source"], pairs["target"]
