"""Whether a circuit uses the manifolds of its groups: sufficiency, necessity, steering, separability."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import scipy.special
from jaxtyping import Float, Int

from topomod.mechanisms.changed_layer import ChangedLayer
from topomod.mechanisms.controls import CONTROLS, controlled
from topomod.mechanisms.group_checks import checked_groups
from topomod.mechanisms.interventions import (
    Groups,
    changed_logits,
    fit_groups,
    manifold_and_rest,
    others_of,
)
from topomod.networks.circuit import Circuit
from topomod.neurons.fitted import Fit, Rows, moved_tokens
from topomod.neurons.groups import NeuronGroup
from topomod.neurons.sites import Group

SITE = "preactivations"
ONE_IN, FEWEST = 10, 6  # tokens a at which moves are tried; b takes all, so that every answer is there equally often
MAX_SHIFTS, MAX_CONTROLLED = 128, 8  # of so many, evenly spread, a group's order may have more


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
    layer, own = checked_groups(circuit, groups)
    generator = np.random.default_rng(seed)
    targets = circuit.task.targets()
    fitted, left = manifold_and_rest(layer, own, SITE)
    kept = changed_logits(layer, own, SITE, [-part for part in left], silence=True)
    centred = [part.mean(axis=(0, 1)) - part for part in fitted]
    lost = changed_logits(layer, own, SITE, centred)
    moves = Moves(layer, own)
    shares, errors = moves.steering()
    controls = moves.controls(generator)
    return ManifoldUse(
        sufficiency_accuracy=_accuracy(kept, targets),
        sufficiency_loss=cross_entropy(kept, targets),
        sufficiency_r2=1 - _change(kept, layer.logits),
        necessity_accuracy=_accuracy(lost, targets),
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


@dataclass(frozen=True)
class Moves:
    """Moves of the groups of a layer, tried at some tokens a and all tokens b.

    Parameters
    ----------
    layer : ChangedLayer
        Over all pairs.
    groups : sequence of NeuronGroup or IrrepGroup
        Groups of it.
    """

    layer: ChangedLayer
    groups: Sequence[Group]

    @cached_property
    def tokens(self) -> Rows:
        """The tokens a, (n_tried,), evenly spread; all of them where the rest of the network is run again."""
        n = len(self.layer.logits)
        return np.arange(0, n, 1 if self.layer.runs_again(SITE) else max(1, min(ONE_IN, n // FEWEST)))

    @cached_property
    def targets(self) -> Int[np.ndarray, "a b"]:
        """Correct class of every pair."""
        return np.asarray(self.layer.circuit.task.targets())

    @cached_property
    def part(self) -> ChangedLayer:
        """The layer at these tokens."""
        whole, rows = self.layer, self.tokens
        after = None if whole.activations is None else whole.activations[rows]
        pre, logits = whole.preactivations[rows], whole.logits[rows]
        return replace(whole, preactivations=pre, activations=after, logits=logits)

    @cached_property
    def shifts(self) -> Int[np.ndarray, " d"]:
        """Steps of the answer other than none, or elements other than the identity."""
        task = self.layer.circuit.task
        n = task.symmetry.n if isinstance(self.groups[0], NeuronGroup) and task.symmetry else task.n_classes
        still = 0 if isinstance(self.groups[0], NeuronGroup) or not task.finite_group else task.finite_group.identity
        every = np.setdiff1d(np.arange(n), [still])
        return np.asarray(every[spread(len(every), MAX_SHIFTS)])

    @cached_property
    def fits(self) -> list[Fit]:
        """Fit of each group."""
        return fit_groups(self.layer, self.groups, SITE)

    def changes(self, shift: int) -> list[np.ndarray]:
        """What is added to each group at the tried tokens when it moves."""
        return [
            fit.change(self.rows(group, shift), self.tokens) for group, fit in zip(self.groups, self.fits, strict=True)
        ]

    def rows(self, group: Group, shift: int) -> tuple[Rows, Rows]:
        """Tokens that stand for each token when a group moves."""
        return moved_tokens(self.layer.circuit.task, group, int(shift))

    def goals(self, shift: int) -> Int[np.ndarray, "a b"]:
        """The class that each tried pair's answer goes to: that of the pair which stands for it."""
        to_a, to_b = self.rows(self.groups[0], shift)
        return np.asarray(self.targets[np.ix_(to_a[self.tokens], to_b)])

    def steering(self) -> tuple[Float[np.ndarray, " d"], float]:
        """Share of pairs that follow each shift, and the mean phase error of all groups by frequency."""
        shares, errors = [], []
        for shift in self.shifts.tolist():
            logits = changed_logits(self.part, self.groups, SITE, self.changes(shift))
            shares.append(float(np.mean(logits.argmax(axis=-1) == self.goals(shift))))
            errors += [self._phase_error(logits, f, shift) for f in self.frequencies]
        return np.array(shares), float(np.mean(errors)) if errors else float("nan")

    @cached_property
    def frequencies(self) -> list[int]:
        """Frequencies of the groups, each once."""
        return sorted({group.frequency for group in self.groups if isinstance(group, NeuronGroup)})

    def _phase_error(self, logits: Float[np.ndarray, "a b c"], frequency: int, shift: int) -> float:
        before, after = (coordinate(self.layer.circuit, values, frequency) for values in (self.part.logits, logits))
        symmetry = self.layer.circuit.task.symmetry
        assert symmetry is not None
        wanted = np.exp(2j * np.pi * frequency * shift / symmetry.n)
        return float(np.mean(np.abs(np.angle(after * np.conj(before) * np.conj(wanted)))))

    def controls(self, generator: np.random.Generator) -> Float[np.ndarray, "d 3"]:
        """Share of pairs that follow a shift under each control, at some of the shifts."""
        shares = np.full((len(self.shifts), len(CONTROLS)), np.nan)
        for i in spread(len(self.shifts), MAX_CONTROLLED):
            shift = int(self.shifts[i])
            changes, goals = self.changes(shift), self.goals(shift)
            for j, control in enumerate(CONTROLS):
                neurons, change = controlled(self.layer, self.groups, changes, control, generator)
                own = self.part.holds(SITE, neurons)
                moved = self.part.with_values(SITE, neurons, own + change, own)
                shares[i, j] = np.mean(moved.argmax(axis=-1) == goals)
        return shares

    def separability(self) -> float:
        """Share of the change at a group's own frequency when it is moved alone, mean over groups and some shifts."""
        if not self.frequencies:
            return float("nan")
        found = [self._own_share(i, shift) for i in range(len(self.groups)) for shift in self._few()]
        return float(np.nanmean(found)) if np.isfinite(found).any() else float("nan")

    def _few(self) -> Iterator[int]:
        """Three shifts, evenly spread."""
        yield from (int(self.shifts[i]) for i in spread(len(self.shifts), 3))

    def _own_share(self, index: int, shift: int) -> float:
        group = self.groups[index]
        added = self.fits[index].change(self.rows(group, shift), self.tokens)
        change = changed_logits(self.part, [group], SITE, [added]) - self.part.logits
        change = change.astype(np.float64) - change.mean(axis=-1, keepdims=True)
        total = np.sum(change**2)
        assert isinstance(group, NeuronGroup)
        wave = np.abs(coordinate(self.layer.circuit, change, group.frequency)) ** 2
        folded = 1 if 2 * group.frequency == change.shape[-1] else 2
        return float(folded * np.sum(wave) / (change.shape[-1] * total)) if total > 0 else float("nan")


def spread(n: int, most: int) -> Rows:
    """Up to so many of n places, evenly spread, both ends among them."""
    return np.asarray(np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(int)))


def coordinate(circuit: Circuit, logits: Float[np.ndarray, "a b c"], frequency: int) -> np.ndarray:
    """The logits' wave at a frequency, (n_a, n_b) complex: ``sum_c logit_c exp(2 pi i f z_c / n)``, z_c c's number."""
    symmetry = circuit.task.symmetry
    assert symmetry is not None
    wave = np.exp(2j * np.pi * frequency * np.arange(symmetry.n) / symmetry.n)
    return np.asarray(symmetry.arrange_classes(logits) @ wave)


def cross_entropy(logits: Float[np.ndarray, "*inputs c"], targets: Int[np.ndarray, "*inputs"]) -> float:
    """Mean cross entropy over inputs, nats."""
    values = logits.astype(np.float64)
    correct = np.take_along_axis(values, targets[..., None], axis=-1)[..., 0]
    return float(np.mean(scipy.special.logsumexp(values, axis=-1) - correct))


def _accuracy(logits: Float[np.ndarray, "a b c"], targets: Int[np.ndarray, "a b"]) -> float:
    return float(np.mean(logits.argmax(axis=-1) == targets))


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
