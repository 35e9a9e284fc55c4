"""Figure of a move: a group's fitted manifold, where each point of it goes, and where the answers go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import SupportsInt

import numpy as np
from jaxtyping import Float

from topomod.mechanisms.changed_layer import ChangedLayer
from topomod.mechanisms.group_checks import checked_groups, checked_shift, checked_symmetry
from topomod.mechanisms.interventions import Groups, changed_logits, changes_along, fit_groups
from topomod.networks.circuit import Circuit
from topomod.neurons.fitted import halves
from topomod.neurons.groups import NeuronGroup
from topomod.neurons.sites import Group
from topomod.report.colours import GREY, KINDS
from topomod.report.draw_shapes import ground, square_axes
from topomod.report.svg_axes import Axes, evenly, text
from topomod.report.svg_figure import Figure, side_by_side
from topomod.tasks.symmetry import Symmetry
from topomod.topology.principal_components import principal_axes

MAX_ARROWS = 60
SITE = "preactivations"


def plot_move(circuit: Circuit, groups: Groups, shift: SupportsInt) -> Figure:
    """Where points of the manifold and answers go when groups are moved along their fitted manifolds.

    Parameters
    ----------
    circuit, groups
        As for :func:`topomod.move_group`; groups by frequency. The manifold that is drawn is that of the largest one.
    shift : int
        Steps d of the answer.

    Returns
    -------
    Figure
        Its table has one row per arrow (pc1, pc2, to_pc1, to_pc2) and one per number of steps (steps, share of pairs
        whose answer moved by so many).

    Raises
    ------
    ValueError
        As :func:`topomod.move_group`, and for groups by irrep.

    Examples
    --------
    >>> import topomod
    >>> circuit = topomod.max_margin_network(topomod.ModularAddition(7))
    >>> plot_move(circuit, topomod.group_neurons(circuit), 2).to_frame().query("steps == 2")["share"].item()
    1.0
    """
    steps = checked_shift(shift)
    return draw_move(*checked_groups(circuit, groups), steps)


def draw_move(layer: ChangedLayer, groups: Sequence[Group], steps: int) -> Figure:
    """:func:`plot_move` of groups that were checked, or found in this layer."""
    circuit = layer.circuit
    symmetry = checked_symmetry(circuit.task, groups)
    fits = fit_groups(layer, groups, SITE)
    changes = changes_along(groups, fits, circuit.task, steps)
    largest = max(range(len(groups)), key=lambda place: len(groups[place].neurons))
    group, start = groups[largest], fits[largest].at()
    assert isinstance(group, NeuronGroup)  # the symmetry was checked
    moved = changed_logits(layer, groups, SITE, changes)
    parts = [
        _arrows(start.reshape(-1, start.shape[-1]), changes[largest].reshape(-1, start.shape[-1]), group),
        _answers(layer.logits, moved, symmetry, steps),
    ]
    return side_by_side(parts, f"{circuit.label}: groups moved by d = {steps}")


def readable_shift(group: NeuronGroup, symmetry: Symmetry) -> int:
    """Steps for which each number turns by the least that is more than a sixteenth of a turn, so that lines are seen.

    A disc's points turn half as much as its answers. Half of the other shifts turn each number by half a turn more.
    """
    shifts = np.arange(1, symmetry.n)
    turns = group.frequency * np.array([halves(int(d), symmetry.n)[0] for d in shifts]) / symmetry.n % 1
    away = np.minimum(turns, 1 - turns)
    return int(shifts[np.argmin(np.where(away > 1 / 16, away, 1))])


def _arrows(start: Float[np.ndarray, "n m"], change: Float[np.ndarray, "n m"], group: NeuronGroup) -> Figure:
    """Fitted manifold on its first two principal components, and where some of its points go."""
    start, change = (np.pad(values, ((0, 0), (0, max(0, 2 - values.shape[1])))) for values in (start, change))
    centre = start.mean(axis=0)
    variances, directions = principal_axes(start - centre, 2)
    scores = (start - centre) @ directions
    ends = scores + change @ directions
    some = np.random.default_rng(0).permutation(len(scores))[:MAX_ARROWS]  # even steps would repeat with the pairs
    axes = square_axes(22, 22, 196, np.concatenate([scores, ends]))
    body = ground(variances / (np.sum((start - centre) ** 2) or 1.0), top=22)
    shown = evenly(len(scores), 2000)
    body += axes.dots(scores[shown, 0], scores[shown, 1], GREY, 2)
    for one in some:
        (x0, y0), (x1, y1) = scores[one], ends[one]
        body += axes.line([x0, x1], [y0, y1], KINDS[0], width=1)
    body += axes.dots(ends[some, 0], ends[some, 1], KINDS[0], 4)
    body += text(22, 14, f"manifold, f = {group.frequency}")
    words = (
        f"{len(some)} points of the fitted manifold, f = {group.frequency}. A line leads from each to its new place."
    )
    table = {"pc1": scores[some, 0], "pc2": scores[some, 1], "to_pc1": ends[some, 0], "to_pc2": ends[some, 1]}
    return Figure(body, 226, 240, "Manifold", words, table)


def _answers(
    before: Float[np.ndarray, "a b c"], after: Float[np.ndarray, "a b c"], symmetry: Symmetry, steps: int
) -> Figure:
    """Share of pairs whose answer moved by each number of steps."""
    place = np.argsort(symmetry.classes)
    went = (place[after.argmax(axis=-1)] - place[before.argmax(axis=-1)]) % symmetry.n
    shares = np.bincount(went.ravel(), minlength=symmetry.n) / went.size
    wanted = steps % symmetry.n
    axes = Axes(56, 22, 230, 176, (-0.8, symmetry.n - 0.2), (0, 1))
    body = axes.frame("steps that the answer moved", "share of pairs", percent=True)
    for step, share in enumerate(shares):
        colour = KINDS[0] if step == wanted else GREY
        body += axes.box((step - 0.4, step + 0.4), (0, float(share)), colour) if share else ""
    body += text(56, 14, f"{shares[wanted]:.0%} of the answers moved by {wanted}")
    words = f"{shares[wanted]:.0%} of the answers moved by d = {wanted}."
    return Figure(body, 296, 240, "Answers", words, {"steps": np.arange(symmetry.n), "share": shares})
