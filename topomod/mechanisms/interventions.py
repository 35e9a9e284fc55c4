"""Does a circuit use the shape of its neuron groups? Its logits when they are moved along it, keep only it, or lose it.

The fitted manifold of a group is what :class:`topomod.neurons.fitted.Characters` explain of each neuron: its mean, and
the first and second order at the group's frequency, or in its irrep. The rest is what a neuron holds besides.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import SupportsInt

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from topomod.mechanisms.changed_layer import ChangedLayer
from topomod.mechanisms.group_checks import checked_groups, checked_pairs, checked_shift, checked_symmetry
from topomod.networks.circuit import Circuit
from topomod.neurons.fitted import Fit, Rows, apart, group_characters, moved_tokens
from topomod.neurons.sites import Group
from topomod.tasks.task import Task

Logits = Float[np.ndarray, "a b c"]
Groups = Group | Sequence[Group]


def move_group(circuit: Circuit, group: Groups, shift: SupportsInt, site: str = "preactivations") -> Logits:
    """Logits when a group's fitted manifold is moved along itself, and all else is left alone.

    At every pair (a, b), the fitted part of the group is replaced by that of the pair whose answer is ``shift`` steps
    further. Where numbers are added, each of them takes half of the steps, so that a + b moves and a - b stays; see
    :func:`topomod.neurons.fitted.moved_tokens` for even moduli, and for finite groups, where the answer c becomes the
    product of c and the element ``shift``. If the circuit answers by this manifold alone, its answer moves as well.

    Parameters
    ----------
    circuit : Circuit
        Any circuit of two tokens, of one layer or several, trained here or read.
    group : NeuronGroup or IrrepGroup, or a list of them
        From :func:`topomod.group_neurons` or :func:`topomod.irrep_groups`. Several groups are moved together.
    shift : int
        Steps of the answer, of any sign; for a group by irrep the element of the finite group. The identity, 0, changes
        nothing: the logits are then those of the circuit to the last bit.
    site : {"preactivations", "activations", "logits"}
        Where the manifold is fitted and moved: before or after the nonlinearity, or in what the group adds to the
        logits.

    Returns
    -------
    ndarray
        (n_a, n_b, n_classes), as :meth:`Circuit.logits`.

    Raises
    ------
    ValueError
        If the shift is no integer, a group is empty or was found in another circuit, the task has no characters, or
        what comes after the layer is not known.

    Examples
    --------
    >>> import topomod
    >>> circuit = topomod.max_margin_network(topomod.ModularAddition(7))
    >>> moved = topomod.move_group(circuit, topomod.group_neurons(circuit), 2)
    >>> [int(logits.argmax()) for logits in (circuit.logits()[3, 1], moved[3, 1])]
    [4, 6]
    """
    steps = checked_shift(shift)
    layer, groups = checked_groups(circuit, group)
    changes = changes_along(groups, fit_groups(layer, groups, site), circuit.task, steps)
    return changed_logits(layer, groups, site, changes)


def oppose_group(circuit: Circuit, group: Groups, shift: SupportsInt, site: str = "preactivations") -> Logits:
    """Logits when a and b are moved against each other in a group's fitted manifold: a + b stays, a - b moves.

    a moves by ``shift`` steps of the answer and b by as many steps back, so that a - b moves by twice as many. A clock
    keeps its logits; those of a pizza follow ``|cos(pi f (a - b) / p)|``.

    Parameters
    ----------
    circuit, group, site
        As for :func:`move_group`; groups by frequency only.
    shift : int
        Steps of a.

    Returns
    -------
    ndarray
        (n_a, n_b, n_classes).

    Raises
    ------
    ValueError
        As for :func:`move_group`, and for groups by irrep.

    References
    ----------
    Clock and pizza: arXiv 2306.17844.
    """
    steps = checked_shift(shift)
    layer, groups = checked_groups(circuit, group)
    rows = apart(checked_symmetry(circuit.task, groups), steps, -steps)
    changes = [fit.change(rows) for fit in fit_groups(layer, groups, site)]
    return changed_logits(layer, groups, site, changes)


def fit_groups(layer: ChangedLayer, groups: Sequence[Group], site: str) -> list[Fit]:
    """Fit what each group holds at a site."""
    return [group_characters(layer.circuit.task, own).fit(layer.holds(site, own.neurons)) for own in groups]


def changes_along(
    groups: Sequence[Group], fits: Sequence[Fit], task: Task, steps: int
) -> list[Float[np.ndarray, "a b _"]]:
    """What is added to each group when it moves along its fitted manifold."""
    return [fit.change(moved_tokens(task, own, steps)) for own, fit in zip(groups, fits, strict=True)]


def restrict_to_manifold(
    circuit: Circuit, groups: Groups, site: str = "preactivations", others: str = "kept"
) -> Logits:
    """Logits when each group keeps only its fitted manifold.

    Parameters
    ----------
    circuit : Circuit
        As for :func:`move_group`.
    groups : list of NeuronGroup or IrrepGroup
        Groups of one layer that share no neuron.
    site : {"preactivations", "activations", "logits"}
        Where the manifold is fitted.
    others : {"kept", "mean"}
        What neurons of none of the groups hold: what they do, or their mean over all pairs, so that the groups' shape
        has to do the work alone.

    Returns
    -------
    ndarray
        (n_a, n_b, n_classes).

    Raises
    ------
    ValueError
        As for :func:`move_group`.
    """
    layer, own = checked_groups(circuit, groups)
    changes = [-left for left in manifold_and_rest(layer, own, site)[1]]
    if others == "kept":
        return changed_logits(layer, own, site, changes)
    if others != "mean":
        raise ValueError(f"others must be kept or mean, found {others!r}")
    return changed_logits(layer, own, site, changes, silence=True)


def remove_manifold(circuit: Circuit, groups: Groups, site: str = "preactivations") -> Logits:
    """Logits when each group loses its fitted manifold and keeps the rest.

    Each neuron keeps its mean over all pairs, as in ablation by the mean: what is removed is the shape, not where it
    lies.

    Parameters
    ----------
    circuit, groups, site
        As for :func:`restrict_to_manifold`.

    Returns
    -------
    ndarray
        (n_a, n_b, n_classes).

    Raises
    ------
    ValueError
        As for :func:`move_group`.
    """
    layer, own = checked_groups(circuit, groups)
    fitted, _ = manifold_and_rest(layer, own, site)
    return changed_logits(layer, own, site, [part.mean(axis=(0, 1)) - part for part in fitted])


def manifold_and_rest(
    layer: ChangedLayer, groups: Sequence[Group], site: str
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Fitted manifold of each group, (n_a, n_b, k), and what the group holds besides."""
    fitted = [fit.at() for fit in fit_groups(layer, groups, site)]
    return fitted, [layer.holds(site, own.neurons) - part for own, part in zip(groups, fitted, strict=True)]


def patch_group(circuit: Circuit, group: Groups, source: ArrayLike, target: ArrayLike) -> Float[np.ndarray, "n c"]:
    """Logits at target pairs when a group holds what it holds at source pairs, its manifold and all else.

    Since each neuron has one nonlinearity, it makes no difference whether it is patched before or after that.

    Parameters
    ----------
    circuit, group
        As for :func:`move_group`.
    source, target : array_like
        (n, 2) tokens a and b: what the group holds at ``source[i]`` is put in place at ``target[i]``. One pair (2,) is
        taken for one row.

    Returns
    -------
    ndarray
        (n, n_classes).

    Raises
    ------
    ValueError
        As for :func:`move_group`, and if the pairs are no tokens, or not equally many.

    Examples
    --------
    >>> import topomod
    >>> circuit = topomod.max_margin_network(topomod.ModularAddition(7))
    >>> groups = topomod.group_neurons(circuit)
    >>> logits = topomod.patch_group(circuit, groups, source=[[1, 1], [5, 6]], target=[[3, 3]] * 2)
    >>> logits.argmax(axis=1).tolist()
    [2, 4]
    """
    layer, groups = checked_groups(circuit, group)
    sources, targets = checked_pairs(circuit, source, target)
    neurons = np.concatenate([own.neurons for own in groups])
    held = layer.holds("preactivations", neurons)
    logits = np.empty((len(targets), layer.logits.shape[-1]), layer.logits.dtype)
    for chosen in _rounds(targets):
        at, values = tuple(targets[chosen].T), held.copy()
        values[at] = held[tuple(sources[chosen].T)]
        logits[chosen] = layer.with_values("preactivations", neurons, values, held)[at]
    return logits


def _rounds(targets: Int[np.ndarray, "n 2"]) -> list[np.ndarray]:
    """Indices of pairs in rounds in which no pair is there twice: one run can patch each pair once."""
    order, turns = np.lexsort(targets.T), np.zeros(len(targets), dtype=int)
    same = np.all(np.diff(targets[order], axis=0) == 0, axis=1)
    for before, after, repeated in zip(order[:-1], order[1:], same, strict=True):
        turns[after] = turns[before] + 1 if repeated else 0
    return [np.flatnonzero(turns == turn) for turn in range(int(turns.max(initial=0)) + 1)]


def changed_logits(
    layer: ChangedLayer,
    groups: Sequence[Group],
    site: str,
    changes: Sequence[Float[np.ndarray, "a b _"]],
    silence: bool = False,
) -> Logits:
    """Logits when something is added to what each group holds, and neurons of no group keep their mean if silenced."""
    if site == "logits":
        total = np.sum(changes, axis=0)
        if silence:
            total = total + _to_the_mean(layer, groups, site)
        return layer.with_values(site, groups[0].neurons, total, np.zeros_like(total))
    neurons = np.concatenate([group.neurons for group in groups])
    change = np.concatenate(changes, axis=-1)
    if silence:
        rest = others_of(layer, groups)
        neurons, change = (
            np.concatenate([neurons, rest]),
            np.concatenate([change, _to_the_mean(layer, groups, site)], -1),
        )
    own = layer.holds(site, neurons)
    return layer.with_values(site, neurons, own + change, own)


def others_of(layer: ChangedLayer, groups: Sequence[Group]) -> Rows:
    """Neurons of the layer that are in none of the groups."""
    grouped = np.concatenate([group.neurons for group in groups])
    return np.setdiff1d(np.arange(layer.preactivations.shape[-1]), grouped)


def _to_the_mean(layer: ChangedLayer, groups: Sequence[Group], site: str) -> Float[np.ndarray, "a b k"]:
    """What takes the neurons of no group to their mean over all pairs."""
    held = layer.holds(site, others_of(layer, groups))
    return np.asarray(held.mean(axis=(0, 1)) - held)
