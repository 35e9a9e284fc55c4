"""Winding numbers of a complex function on the torus Z_p x Z_p, and re-indexing it to frequency 1."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Complex, Int
from numpy.typing import ArrayLike

from topomod.topology.inputs import plain_array
from topomod.topology.scale import times_power_of_two, unit_exponent

MIN_WINDING_AGREEMENT = 0.9  # share of loops that wind alike, from which on a cloud has a winding


class WindingNumbers(NamedTuple):
    """Class of a map from the torus of pairs to the punctured plane; unpacks as a 3-tuple.

    Parameters
    ----------
    winding : tuple of int
        ``(m_a, m_b)``: turns made while ``a``, respectively ``b``, runs once through Z_p. Each is the mode over the p
        loops of its direction.
    agreement : float
        Share of the loops that turn as often as the mode, the smaller of the two directions. Below 1 the
        function has zeros, or steps of more than half a turn, between grid points.
    clearance : float
        ``min |z| / median |z|``. Near 0 the map hits the origin and has no winding number.
    """

    winding: tuple[int, int]
    agreement: float
    clearance: float


def _mode(turns: Int[np.ndarray, " p"]) -> tuple[int, float]:
    values, counts = np.unique(turns, return_counts=True)
    best = int(np.argmax(counts))
    return int(values[best]), float(counts[best] / len(turns))


def _unit_entries(z: Complex[np.ndarray, "p p"]) -> Complex[np.ndarray, "p p"]:
    """Each entry divided by its own power of two, so that products of entries neither vanish nor overflow."""
    exponent = np.frexp(np.maximum(np.abs(z.real), np.abs(z.imag)))[1]
    unit = np.empty_like(z)
    unit.real, unit.imag = np.ldexp(z.real, -exponent), np.ldexp(z.imag, -exponent)
    return unit


def winding_numbers(z: ArrayLike) -> WindingNumbers:
    """Winding numbers of a function on Z_p x Z_p around 0.

    Each step from one grid point to the next is taken the short way round, so the function must turn by less
    than half a turn per step: re-base it to frequency 1 first (:func:`rebase`).

    Parameters
    ----------
    z : array_like
        (p, p) complex numbers in any unit, indexed ``[a, b]``.

    Returns
    -------
    WindingNumbers
        ``(m_a, m_b), agreement, clearance``.

    Raises
    ------
    ValueError
        If ``z`` is not a square matrix of finite numbers, none of them masked, with p >= 3.

    References
    ----------
    The class in H^1(T^2; Z) that circular coordinates represent: de Silva, Morozov, Vejdemo-Johansson,
    arXiv 0905.4887.

    Examples
    --------
    >>> angle = 2 * np.pi * np.arange(59) / 59
    >>> (m_a, m_b), agreement, clearance = winding_numbers(np.exp(1j * np.subtract.outer(angle, angle)))
    >>> (m_a, m_b), agreement, round(clearance, 6)
    ((1, -1), 1.0, 1.0)
    """
    z = plain_array(z, "z")
    if z.dtype.kind not in "biufc":
        raise ValueError(f"z must hold complex numbers, found dtype {z.dtype}")
    z = z.astype(np.complex128)
    if z.ndim != 2 or z.shape[0] != z.shape[1] or len(z) < 3:
        raise ValueError(f"z must be (p, p) with p at least 3, found {z.shape}")
    if not np.isfinite(z).all():
        raise ValueError(f"z must be finite, found {int((~np.isfinite(z)).sum())} entries that are not")
    modes, direction = [], _unit_entries(z)
    for axis in (0, 1):
        steps = np.angle(np.roll(direction, -1, axis=axis) * np.conj(direction))
        modes.append(_mode(np.rint(steps.sum(axis=axis) / (2 * np.pi)).astype(np.int64)))
    (m_a, share_a), (m_b, share_b) = modes
    modulus = np.abs(times_power_of_two(z, -unit_exponent(z.real, z.imag)))
    median = float(np.median(modulus))
    clearance = float(modulus.min()) / median if median > 0 else 0.0
    return WindingNumbers((m_a, m_b), min(share_a, share_b), clearance)
