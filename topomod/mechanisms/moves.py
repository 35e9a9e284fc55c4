"""Moves of the groups of a layer along their manifolds, at some pairs: what several measures try."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from topomod.mechanisms.changed_layer import ChangedLayer
from topomod.mechanisms.controls import CONTROLS, controlled
from topomod.mechanisms.interventions import changed_logits, fit_groups
from topomod.neurons.fitted import Fit, Rows, moved_tokens
from topomod.neurons.groups import NeuronGroup
from topomod.neurons.sites import Group
from topomod.tasks.symmetry import Symmetry

SITE = "preactivations"
ONE_IN, FEWEST = 10, 6  # tokens a at which moves are tried; b takes all, so that every answer is there equally often
MAX_SHIFTS, MAX_CONTROLLED = 128, 8  # of so many, evenly spread, a group's order may have more


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

    @cached_property
    def starts(self) -> list[np.ndarray]:
        """What each fit says of the tried tokens."""
        return [fit.at(self.tokens) for fit in self.fits]

    def changes(self, rows: tuple[Rows, Rows]) -> list[np.ndarray]:
        """What is added to each group at the tried tokens when its fit becomes that of other tokens."""
        return [self._change(index, rows) for index in range(len(self.groups))]

    def _change(self, index: int, rows: tuple[Rows, Rows]) -> Float[np.ndarray, "a b m"]:
        """The same of one group."""
        return np.asarray(self.fits[index].at(rows[0][self.tokens], rows[1]) - self.starts[index])

    def rows(self, shift: int) -> tuple[Rows, Rows]:
        """Tokens that stand for each token when the groups move."""
        return moved_tokens(self.layer.circuit.task, self.groups[0], int(shift))

    @cached_property
    def _held(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What the groups' neurons hold before and after the nonlinearity, and their map to the logits."""
        neurons = np.concatenate([group.neurons for group in self.groups])
        own = self.part.holds(SITE, neurons)
        return own, self.part.nonlinearity(own), self.part.readout_of(neurons).T

    def moved(self, changes: Sequence[np.ndarray]) -> Float[np.ndarray, "a b c"]:
        """:func:`changed_logits` at the tried tokens; what does not change is computed once."""
        if self.part.runs_again(SITE):
            return changed_logits(self.part, self.groups, SITE, changes)
        own, after, readout = self._held
        return self.part.plus((self.part.nonlinearity(own + np.concatenate(changes, axis=-1)) - after) @ readout)

    def goals(self, shift: int) -> Int[np.ndarray, "a b"]:
        """The class that each tried pair's answer goes to: that of the pair which stands for it."""
        to_a, to_b = self.rows(shift)
        return np.asarray(self.targets[np.ix_(to_a[self.tokens], to_b)])

    def steering(self) -> tuple[Float[np.ndarray, " d"], float]:
        """Share of pairs that follow each shift, and the mean phase error of all groups by frequency."""
        shares, errors = [], []
        for shift in self.shifts.tolist():
            logits = self.moved(self.changes(self.rows(shift)))
            shares.append(share_answered(logits, self.goals(shift)))
            errors += [self._phase_error(logits, f, shift) for f in self.frequencies]
        return np.array(shares), float(np.mean(errors)) if errors else float("nan")

    @property
    def symmetry(self) -> Symmetry:
        """Symmetry of the task; groups by frequency have one."""
        symmetry = self.layer.circuit.task.symmetry
        assert symmetry is not None
        return symmetry

    def coordinate(self, logits: Float[np.ndarray, "a b c"], frequency: int) -> np.ndarray:
        """The logits' wave, (n_a, n_b) complex: ``sum_c logit_c exp(2 pi i f z_c / n)``, z_c c's number."""
        wave = np.exp(2j * np.pi * frequency * np.arange(self.symmetry.n) / self.symmetry.n)
        return np.asarray(self.symmetry.arrange_classes(logits) @ wave)

    @cached_property
    def frequencies(self) -> list[int]:
        """Frequencies of the groups, each once."""
        return sorted({group.frequency for group in self.groups if isinstance(group, NeuronGroup)})

    def _phase_error(self, logits: Float[np.ndarray, "a b c"], frequency: int, shift: int) -> float:
        before, after = (self.coordinate(values, frequency) for values in (self.part.logits, logits))
        wanted = np.exp(2j * np.pi * frequency * shift / self.symmetry.n)
        return float(np.mean(np.abs(np.angle(after * np.conj(before) * np.conj(wanted)))))

    def controls(self, generator: np.random.Generator) -> Float[np.ndarray, "d 3"]:
        """Share of pairs that follow a shift under each control, at some of the shifts."""
        shares = np.full((len(self.shifts), len(CONTROLS)), np.nan)
        for i in spread(len(self.shifts), MAX_CONTROLLED):
            shift = int(self.shifts[i])
            changes, goals = self.changes(self.rows(shift)), self.goals(shift)
            for j, control in enumerate(CONTROLS):
                neurons, change = controlled(self.layer, self.groups, changes, control, generator)
                own = self.part.holds(SITE, neurons)
                moved = self.part.with_values(SITE, neurons, own + change, own)
                shares[i, j] = share_answered(moved, goals)
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
        added = self._change(index, self.rows(shift))
        change = changed_logits(self.part, [group], SITE, [added]) - self.part.logits
        change = change.astype(np.float64) - change.mean(axis=-1, keepdims=True)
        total = np.sum(change**2)
        assert isinstance(group, NeuronGroup)
        wave = np.abs(self.coordinate(change, group.frequency)) ** 2
        folded = 1 if 2 * group.frequency == change.shape[-1] else 2
        return float(folded * np.sum(wave) / (change.shape[-1] * total)) if total > 0 else float("nan")


def spread(n: int, most: int) -> Rows:
    """Up to so many of n places, evenly spread, both ends among them."""
    return np.asarray(np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(int)))


def share_answered(logits: Float[np.ndarray, "a b c"], classes: Int[np.ndarray, "a b"]) -> float:
    """Share of pairs at which the largest logit is that of the class."""
    return float(np.mean(logits.argmax(axis=-1) == classes))
