"""Clock or pizza by intervention: what a circuit does when a and b are moved against each other along the manifold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.stats
from jaxtyping import Float

from topomod.mechanisms.group_checks import checked_groups, checked_symmetry
from topomod.mechanisms.interventions import Groups
from topomod.mechanisms.moves import Moves, spread
from topomod.networks.circuit import Circuit
from topomod.neurons.fitted import apart

N_BINS = 12  # of the distance between a and b, from 0 to half a turn
MAX_OPPOSED = 24  # shifts d; each gives every distance, at pairs that had another one


@dataclass(frozen=True)
class ClockPosition:
    """Where a circuit lies between pizza and clock.

    Parameters
    ----------
    position : float
        0 where the logits' wave follows ``|cos(pi f (a - b) / p)|`` of the moved manifold, as a pizza's does, and 1
        where it does not depend on it, as a clock's; mean over frequencies. It may lie a little outside.
    ci_low, ci_high : float
        95 % t interval over the circuit's frequencies; NaN for fewer than 2. All pairs are measured, so frequencies
        that differ are the only uncertainty.
    by_frequency : dict of float
        Position of each frequency.
    distance : ndarray
        (n_bins,) distance between a and b on the moved manifold times f, in turns, from 0 to 0.5.
    measured, pizza : ndarray
        (n_bins,) length of the logits' wave along ``a + b``, over its mean; mean over frequencies. What a pizza would
        have; a clock would have 1 everywhere.
    """

    position: float
    ci_low: float
    ci_high: float
    by_frequency: dict[int, float]
    distance: Float[np.ndarray, " bins"]
    measured: Float[np.ndarray, " bins"]
    pizza: Float[np.ndarray, " bins"]


def clock_position(circuit: Circuit, groups: Groups) -> ClockPosition:
    """Measure whether a circuit is a clock or a pizza, by moving its manifold.

    All groups are moved by (d, -d) for up to 24 shifts d other than 0: a + b stays, and a - b moves by 2 d. The part
    of the logits' wave at frequency f that points along ``a + b`` is regressed on ``|cos(pi f (a - b + 2 d) / p)|``,
    both over their means. One minus the slope is the position. Since the pairs keep their own distance, it cannot
    stand in for that of the manifold.

    Parameters
    ----------
    circuit : Circuit
        As for :func:`topomod.oppose_group`.
    groups : list of NeuronGroup
        All groups of one layer.

    Returns
    -------
    ClockPosition

    Raises
    ------
    ValueError
        As for :func:`topomod.oppose_group`.

    References
    ----------
    Clock and pizza: arXiv 2306.17844.

    Examples
    --------
    >>> import topomod
    >>> circuit = topomod.max_margin_network(topomod.ModularAddition(11))
    >>> round(topomod.clock_position(circuit, topomod.group_neurons(circuit)).position, 6)
    1.0
    """
    return position_of(Moves(*checked_groups(circuit, groups)))


def position_of(moves: Moves) -> ClockPosition:
    """:func:`clock_position` of groups that were checked."""
    n = checked_symmetry(moves.layer.circuit.task, moves.groups).n
    shifts = (1 + spread(n - 1, MAX_OPPOSED)).tolist()
    opposed = _opposed(moves, shifts)
    waves = {f: np.array([_lengths(moves, f, logits) for logits in opposed]) for f in moves.frequencies}
    apart_by = {f: _distances(moves, f, shifts) for f in moves.frequencies}
    found = {f: _position(waves[f], apart_by[f]) for f in moves.frequencies}
    low, high = _interval(list(found.values()))
    edges = np.linspace(0, 0.5, N_BINS + 1)
    curves = [_binned(_relative(waves[f]), apart_by[f], edges) for f in moves.frequencies]
    pizza = [_binned(_pizza(apart_by[f]), apart_by[f], edges) for f in moves.frequencies]
    middle = (edges[:-1] + edges[1:]) / 2
    return ClockPosition(float(np.mean(list(found.values()))), low, high, found, middle, _mean(curves), _mean(pizza))


def _opposed(moves: Moves, shifts: Sequence[int]) -> list[np.ndarray]:
    """Logits at the tried tokens for each shift of a against b."""
    return [moves.moved(moves.changes(apart(moves.symmetry, shift, -shift))) for shift in shifts]


def _relative(lengths: Float[np.ndarray, "d a b"]) -> Float[np.ndarray, "d a b"]:
    """Lengths over their mean; NaN where the logits have no such wave."""
    mean = lengths.mean()
    return lengths / mean if mean else np.full(lengths.shape, np.nan)


def _lengths(moves: Moves, frequency: int, logits: Float[np.ndarray, "a b c"]) -> Float[np.ndarray, "a b"]:
    """Part of the logits' wave that points along the right answer."""
    answer = np.argsort(moves.symmetry.classes)[moves.targets[moves.tokens]]
    along = np.exp(-2j * np.pi * frequency * answer / moves.symmetry.n)
    return np.asarray((moves.coordinate(logits, frequency) * along).real)


def _distances(moves: Moves, frequency: int, shifts: Sequence[int]) -> Float[np.ndarray, "d a b"]:
    """Turns between a and b on the moved manifold, times the frequency, from 0 to 0.5."""
    symmetry = moves.symmetry
    numbers = [np.argsort(tokens) * sign for tokens, sign in zip(symmetry.tokens, symmetry.signs, strict=True)]
    own = np.subtract.outer(numbers[0][moves.tokens], numbers[1])
    turns = frequency * (own + 2 * np.asarray(shifts)[:, None, None]) / symmetry.n % 1
    return np.asarray(np.minimum(turns, 1 - turns))


def _pizza(distance: np.ndarray) -> np.ndarray:
    """What a pizza's wave would have as its length, over the mean 2 / pi."""
    return np.asarray(np.pi / 2 * np.cos(np.pi * distance))


def _position(lengths: np.ndarray, distance: np.ndarray) -> float:
    """One minus the slope of the lengths over their mean against a pizza's; NaN for a wave without a mean length."""
    if not lengths.mean() > 0:
        return float("nan")
    pizza = _pizza(distance)
    return float(1 - np.cov(pizza.ravel(), _relative(lengths).ravel())[0, 1] / np.var(pizza, ddof=1))


def _interval(values: Sequence[float]) -> tuple[float, float]:
    n = len(values)
    if n < 2:
        return float("nan"), float("nan")
    reach = float(scipy.stats.t.ppf(0.975, n - 1) * np.std(values, ddof=1) / np.sqrt(n))
    return float(np.mean(values)) - reach, float(np.mean(values)) + reach


def _binned(values: np.ndarray, distance: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Mean of the values in each bin; NaN where it has none."""
    place = np.clip(np.searchsorted(edges, distance.ravel(), side="right") - 1, 0, len(edges) - 2)
    count = np.bincount(place, minlength=len(edges) - 1)
    total = np.bincount(place, weights=values.ravel(), minlength=len(edges) - 1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _mean(curves: Sequence[np.ndarray]) -> np.ndarray:
    """Mean of curves, without those that lack a bin."""
    held = np.isfinite(curves)
    total = np.sum(np.where(held, curves, 0), axis=0)
    return np.where(held.any(axis=0), total / np.maximum(held.sum(axis=0), 1), np.nan)
