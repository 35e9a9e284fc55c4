"""Columns on how a circuit uses the manifolds of its groups, for tables of studies and of single networks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from topomod.mechanisms.clock_position import N_BINS, position_of
from topomod.mechanisms.group_checks import checked_groups
from topomod.mechanisms.moves import Moves
from topomod.mechanisms.use import ManifoldUse, use_of
from topomod.networks.circuit import Circuit
from topomod.neurons.groups import NeuronGroup
from topomod.neurons.sites import Group

USE = (
    "sufficiency_accuracy",
    "sufficiency_loss",
    "sufficiency_r2",
    "necessity_accuracy",
    "necessity_loss",
    "steering_share",
    "steering_control",
    "steering_phase_error",
    "separability",
    "off_manifold",
)
POSITION = ("clock_position", "clock_position_low", "clock_position_high")
CURVE_SHIFTS = (1, 2, 4, 8, 16, 32)  # steps d whose share the report draws; smaller ones where the modulus is small
STEERED = tuple(f"steering_by_{d}" for d in CURVE_SHIFTS)
OPPOSED = tuple(f"opposed_{i}" for i in range(N_BINS))


def use_columns(circuit: Circuit, groups: Sequence[Group]) -> dict[str, float]:
    """Measures of :func:`topomod.manifold_use` and :func:`topomod.clock_position`, and points of their curves.

    Parameters
    ----------
    circuit : Circuit
        Any circuit.
    groups : sequence of NeuronGroup or IrrepGroup
        All groups of one layer.

    Returns
    -------
    dict
        NaN without a group, and where the layer's nonlinearity or linear map to the logits is not known. The clock
        position, too, is NaN for groups by irrep.
    """
    missing = dict.fromkeys((*USE, *POSITION, *STEERED, *OPPOSED), float("nan"))
    if not groups:
        return missing
    own, checked = checked_groups(circuit, groups)
    if own.obstacle:
        return missing
    moves = Moves(own, checked)
    use = use_of(moves)
    found = {name: float(getattr(use, name)) for name in USE} | _shares(use)
    if not all(isinstance(group, NeuronGroup) for group in groups):
        return missing | found
    place = position_of(moves)
    ends = dict(zip(POSITION, (place.position, place.ci_low, place.ci_high), strict=True))
    return missing | found | ends | dict(zip(OPPOSED, place.measured.tolist(), strict=True))


def _shares(use: ManifoldUse) -> dict[str, float]:
    """Share of pairs that follow each shift that the report draws, as far as it was tried."""
    places = {int(shift): float(share) for shift, share in zip(use.shifts, use.shares, strict=True)}
    own = zip(STEERED, CURVE_SHIFTS, strict=True)
    return {name: places.get(d, float(np.nan)) for name, d in own}
