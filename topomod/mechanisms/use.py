"""Whether a circuit uses the manifolds of its groups: sufficiency, necessity, steering, separability."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.special
from jaxtyping import Float, Int

from topomod.mechanisms.changed_layer import ChangedLayer
from topomod.mechanisms.group_checks import checked_groups
from topomod.mechanisms.interventions import (
    Groups,
    changed_logits,
    manifold_and_rest,
    others_of,
)
from topomod.mechanisms.moves import SITE, Moves, share_answered
from topomod.networks.circuit import Circuit
from topomod.neurons.sites import Group


@dataclass(frozen=True)
class ManifoldUse:
    """How a circuit uses the manifolds of its groups.

    Parameters
    ----------
    sufficiency_accuracy, sufficiency_loss, sufficiency_r2 : float
        Accuracy, cross entropy (nats) and R2 of the logits when every group keeps only its fitted manifold, and every
        other neuron of the layer its mean. The logits count up to a number that is added to all classes.
    necessity_accuracy, necessity_loss : float
        The same without the manifolds: each neuron of a group keeps its mean and what is not fitted.
    steering_share : float
        Share of pairs whose answer moves by d when all groups are moved by d steps, over all d but 0.
    steering_control : float
        The same under the strongest of the three controls of :func:`topomod.move_control`.
    steering_phase_error : float
        Mean distance (radians) between the turn of the logits' wave at a group's frequency and ``2 pi f d / p``,
        pi / 2 on average for random turns; NaN for groups by irrep.
    separability : float
        Of the change of the logits when one group is moved, the share that lies at its own frequency; mean over groups.
        NaN for groups by irrep.
    off_manifold : float
        Change of the logits over their variance when all that is not fitted is taken from another, random pair: what
        groups hold beside their manifold, and the neurons of no group.
    shifts : ndarray
        (n_shifts,) steps d, or elements of a finite group.
    shares, controls : ndarray
        (n_shifts,) and (n_shifts, 3): share of pairs that follow each shift, and those of the controls; NaN where a
        control was not tried.
    """

    sufficiency_accuracy: float
    sufficiency_loss: float
    sufficiency_r2: float
    necessity_accuracy: float
    necessity_loss: float
    steering_share: float
    steering_control: float
    steering_phase_error: float
    separability: float
    off_manifold: float
    shifts: Int[np.ndarray, " d"]
    shares: Float[np.ndarray, " d"]
    controls: Float[np.ndarray, "d 3"]


def manifold_use(circuit: Circuit, groups: Groups, seed: int = 0) -> ManifoldUse:
    """Measure whether a circuit computes with the manifolds of its groups.

    All groups of a layer belong here: what is not in one counts as neurons of no group. Moves are tried at every tenth
    token a (at least six of them) and all tokens b, everything else at all pairs.

    Parameters
    ----------
    circuit : Circuit
        As for :func:`topomod.move_group`; its layer must reach the logits by a known linear map.
    groups : list of NeuronGroup or IrrepGroup
        All groups of one layer.
    seed : int
        Seed of the controls, and of the pairs that others are taken from.

    Returns
    -------
    ManifoldUse

    Raises
    ------
    ValueError
        As for :func:`topomod.move_group`.

    Examples
    --------
    >>> import topomod
    >>> circuit = topomod.max_margin_network(topomod.ModularAddition(7))
    >>> use = topomod.manifold_use(circuit, topomod.group_neurons(circuit))
    >>> use.sufficiency_accuracy, use.steering_share, round(use.separability, 6)
    (1.0, 1.0, 1.0)
    """
    return use_of(Moves(*checked_groups(circuit, groups)), seed)


def use_of(moves: Moves, seed: int = 0) -> ManifoldUse:
    """:func:`manifold_use` of groups that were checked."""
    layer, own, targets = moves.layer, moves.groups, moves.targets
    generator = np.random.default_rng(seed)
    fitted, left = manifold_and_rest(layer, own, SITE)
    kept = changed_logits(layer, own, SITE, [-part for part in left], silence=True)
    centred = [part.mean(axis=(0, 1)) - part for part in fitted]
    lost = changed_logits(layer, own, SITE, centred)
    shares, errors = moves.steering()
    controls = moves.controls(generator)
    return ManifoldUse(
        sufficiency_accuracy=share_answered(kept, targets),
        sufficiency_loss=cross_entropy(kept, targets),
        sufficiency_r2=1 - _change(kept, layer.logits),
        necessity_accuracy=share_answered(lost, targets),
        necessity_loss=cross_entropy(lost, targets),
        steering_share=float(shares.mean()),
        steering_control=float(np.nanmean(controls, axis=0).max()),
        steering_phase_error=errors,
        separability=moves.separability(),
        off_manifold=_off_manifold(layer, own, left, generator),
        shifts=moves.shifts,
        shares=shares,
        controls=controls,
    )


def cross_entropy(logits: Float[np.ndarray, "*inputs c"], targets: Int[np.ndarray, "*inputs"]) -> float:
    """Mean cross entropy over inputs, nats."""
    values = logits.astype(np.float64)
    correct = np.take_along_axis(values, targets[..., None], axis=-1)[..., 0]
    return float(np.mean(scipy.special.logsumexp(values, axis=-1) - correct))


def _change(logits: Float[np.ndarray, "a b c"], before: Float[np.ndarray, "a b c"]) -> float:
    """Squared change of the logits over their variance, up to a number that is added to all classes of a pair."""
    now, then = (values.astype(np.float64) - values.mean(axis=-1, keepdims=True) for values in (logits, before))
    total = np.sum((then - then.mean(axis=(0, 1))) ** 2)
    return float(np.sum((now - then) ** 2) / total) if total > 0 else float("nan")


def _off_manifold(
    layer: ChangedLayer, groups: Sequence[Group], left: Sequence[np.ndarray], generator: np.random.Generator
) -> float:
    """:func:`_change` when all that is not fitted comes from random other pairs."""
    n_a, n_b = layer.logits.shape[:2]
    order = generator.permutation(n_a * n_b)

    def taken(values: np.ndarray) -> np.ndarray:
        return np.asarray(values.reshape(n_a * n_b, -1)[order].reshape(values.shape) - values)

    others = others_of(layer, groups)
    neurons = np.concatenate([*(group.neurons for group in groups), others])
    parts = [taken(part) for part in (*left, layer.holds(SITE, others))]
    own = layer.holds(SITE, neurons)
    return _change(layer.with_values(SITE, neurons, own + np.concatenate(parts, axis=-1), own), layer.logits)
