"""What a finite group's irreps and cosets explain of the neurons of a network of two tokens."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from topomod.neurons.features import share_by_irrep
from topomod.neurons.irrep_groups import input_parts
from topomod.tasks.cosets import MAX_ORDER, coset_concentration
from topomod.tasks.irreps import real_irreps
from topomod.tasks.task import FiniteGroup

N_DRAWS = 500  # random neurons that tell what chance gives
COLUMNS = ("best_irrep_share", "best_irrep_chance", "coset_concentration", "coset_chance", "n_irreps")


def irrep_columns(preactivations: np.ndarray, group: FiniteGroup, min_neurons: int) -> dict[str, float]:
    """Means over live neurons, each beside that of random functions.

    Parameters
    ----------
    preactivations : ndarray
        (order, order, n_neurons), in the order of the group's elements.
    group : FiniteGroup
        What was learnt.
    min_neurons : int
        An irrep counts as used from so many neurons on.

    Returns
    -------
    dict
        ``best_irrep_share``, the share of a neuron's power, as functions of a and of b alone, in its best irrep;
        ``coset_concentration`` of those functions, NaN for orders above 120; ``n_irreps`` used.
    """
    alive, parts = input_parts(preactivations)
    share, concentration = neuron_structure(parts[alive], group)
    by_chance = _chance(group)
    best = share_by_irrep(parts[alive], real_irreps(group)).argmax(axis=1)
    used = int(np.sum(np.bincount(best)[1:] >= min_neurons)) if len(best) else 0
    means = [float(np.mean(values)) if len(values) else float("nan") for values in (share, concentration)]
    return dict(zip(COLUMNS, (means[0], by_chance[0], means[1], by_chance[1], used), strict=True))


def neuron_structure(parts: np.ndarray, group: FiniteGroup) -> tuple[np.ndarray, np.ndarray]:
    """Share in the best irrep but the trivial one, and concentration on cosets, (m,) each, of parts (m, 2, order)."""
    shares = share_by_irrep(parts, real_irreps(group))[:, 1:].max(axis=1)
    if group.order > MAX_ORDER:
        return shares, np.full(len(parts), np.nan)
    power = np.sum(parts**2, axis=2)
    each = np.nan_to_num(coset_concentration(parts, group))  # a neuron may read one input alone
    return shares, np.sum(each * power, axis=1) / power.sum(axis=1)


@lru_cache(maxsize=8)
def _chance(group: FiniteGroup) -> tuple[float, float]:
    """Both means for random functions without a constant part."""
    draws = np.random.default_rng(0).standard_normal((N_DRAWS, 2, group.order))
    share, concentration = neuron_structure(draws - draws.mean(axis=2, keepdims=True), group)
    return float(share.mean()), float(concentration.mean())
