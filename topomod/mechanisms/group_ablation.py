"""Ablation that can be compared: groups set to zero, to their mean and to another input's values; excluded losses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from topomod.mechanisms.changed_layer import ChangedLayer
from topomod.mechanisms.group_checks import checked_groups, group_title
from topomod.mechanisms.interventions import Groups, changed_logits
from topomod.mechanisms.moves import share_answered
from topomod.mechanisms.use import cross_entropy
from topomod.networks.circuit import Circuit
from topomod.neurons.sites import Group
from topomod.tasks.fourier import frequency_basis
from topomod.tasks.irreps import entry_functions, real_irreps
from topomod.tasks.task import Task

KINDS = ("zero", "mean", "resample")


def ablate_groups(circuit: Circuit, groups: Groups, site: str = "activations", seed: int = 0) -> pd.DataFrame:
    """Accuracy and loss when a group is ablated, in three ways side by side.

    Setting neurons to zero takes them where the network never is, and their mean, of which the network may depend, is
    lost too. Setting them to their mean keeps that. Giving them what they hold at a random other pair also keeps the
    spread of their values.

    Parameters
    ----------
    circuit, groups, site
        As for :func:`topomod.restrict_to_manifold`. Each group is ablated alone, and in the last rows all of them.
    seed : int
        Seed of the other pairs.

    Returns
    -------
    DataFrame
        Columns group ("all" for all of them), kind ("zero", "mean", "resample"), accuracy and loss (nats).

    Raises
    ------
    ValueError
        As for :func:`topomod.move_group`.
    """
    layer, own = checked_groups(circuit, groups)
    order = np.random.default_rng(seed).permutation(circuit.task.n_inputs)
    targets, rows = circuit.task.targets(), []
    for name, part in [*((group_title(group), [group]) for group in own), ("all", own)]:
        for kind in KINDS:
            logits = changed_logits(layer, part, site, list(_ablations(layer, part, site, kind, order)))
            row = {"accuracy": share_answered(logits, targets), "loss": cross_entropy(logits, targets)}
            rows.append({"group": name, "kind": kind} | row)
    return pd.DataFrame(rows)


def _ablations(
    layer: ChangedLayer, groups: Sequence[Group], site: str, kind: str, order: np.ndarray
) -> Iterator[np.ndarray]:
    """What is added to each group to ablate it."""
    for group in groups:
        held = layer.holds(site, group.neurons)
        other = {
            "zero": lambda held=held: np.zeros_like(held),
            "mean": lambda held=held: held.mean(axis=(0, 1)),
            "resample": lambda held=held: held.reshape(len(order), -1)[order].reshape(held.shape),
        }
        yield np.asarray(other[kind]() - held)


def excluded_losses(circuit: Circuit, pairs: Bool[np.ndarray, "a b"] | None = None, layer: int = 0) -> pd.DataFrame:
    """Loss without and with only what depends on the right answer through one frequency or irrep.

    At the site "activations", what the neurons hold is projected on the functions of the answer that belong to the
    frequency (cosine and sine) or the irrep (its matrix entries). The restricted loss is that of the projection, the
    excluded loss that of what is left; both are read by the layer's linear map to the logits alone, without biases and
    what goes past the layer. At the site "logits", the centred logits are projected on ``chi(a b c^-1)``, the character
    of the right answer and each class.

    Parameters
    ----------
    circuit : Circuit
        A circuit of two tokens with a symmetry or a finite group.
    pairs : ndarray, optional
        (n_a, n_b) bool: pairs on which the excluded loss is taken, those of the training in the papers; all pairs if
        not given. The restricted loss is always that of all pairs.
    layer : int
        Which nonlinearity.

    Returns
    -------
    DataFrame
        Columns name (of the frequency or irrep), site, excluded_loss and restricted_loss (nats).

    Raises
    ------
    ValueError
        If the task has no characters, the layer has no known linear map to the logits, or ``pairs`` does not fit.

    References
    ----------
    Nanda et al., arXiv 2301.05217; Chughtai et al., arXiv 2302.03025, whose metrics these are.
    """
    task, found = circuit.task, ChangedLayer.of(circuit, layer)
    targets = task.targets()
    chosen = np.ones(targets.shape, dtype=bool) if pairs is None else np.asarray(pairs)
    if chosen.shape != targets.shape or chosen.dtype != bool or not chosen.any():
        raise ValueError(
            f"pairs must be bool {targets.shape} with at least one pair, found {chosen.dtype} {chosen.shape}"
        )
    every = np.arange(found.preactivations.shape[-1])
    held, readout = found.holds("activations", every), found.readout_of(every)
    centred = found.logits - found.logits.mean(axis=-1, keepdims=True, dtype=np.float64)
    rows = []
    for name, functions in class_functions(task):
        at_pairs = functions[targets]  # (n_a, n_b, k), orthonormal over classes
        share = len(functions) / targets.size
        kept = at_pairs @ (np.tensordot(at_pairs, held, axes=([0, 1], [0, 1])) * share)
        character = at_pairs @ functions.T
        along = character * (np.sum(character * centred) / np.sum(character**2))
        for site, whole, part in (("activations", held @ readout.T, kept @ readout.T), ("logits", centred, along)):
            excluded = cross_entropy((whole - part)[chosen], targets[chosen])
            restricted = cross_entropy(part, targets)
            rows.append({"name": name, "site": site, "excluded_loss": excluded, "restricted_loss": restricted})
    return pd.DataFrame(rows)


def class_functions(task: Task) -> Iterator[tuple[str, Float[np.ndarray, "c k"]]]:
    """Each frequency or non-trivial irrep, and an orthonormal basis of its functions of the class.

    Raises
    ------
    ValueError
        If the task has neither.
    """
    if task.symmetry is not None:
        numbers = np.argsort(task.symmetry.classes)
        for frequency in range(1, task.symmetry.n // 2 + 1):
            yield str(frequency), frequency_basis(task.symmetry.n, [frequency])[numbers]
    elif task.finite_group is not None:
        for irrep in real_irreps(task.finite_group)[1:]:
            yield irrep.name, entry_functions(irrep)
    else:
        raise ValueError(f"{task} has no frequencies and no irreps: {task.no_symmetry}")
