"""Fourier analysis over Z_p, where +f and -f count as one frequency."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd

import numpy as np
import scipy.fft
from jaxtyping import Complex, Float, Int, Shaped


def spectrum(values: Float[np.ndarray, "p p n"]) -> Complex[np.ndarray, "p p n"]:
    """Coefficients of ``exp(2 pi i (k a + l b) / p)`` for functions on Z_p x Z_p, axes (k, l, n)."""
    return np.asarray(scipy.fft.fft2(values, axes=(0, 1), norm="forward"))


def fold(power: np.ndarray, axes: Sequence[int]) -> np.ndarray:
    """Add the power at -f to that at f: each given axis of length p becomes one of p // 2 + 1.

    Frequency 0, and for even p the frequency p / 2, is its own negative and is counted once.

    Examples
    --------
    >>> fold(np.ones(5), [0]).tolist(), fold(np.ones(6), [0]).tolist()
    ([1.0, 2.0, 2.0], [1.0, 2.0, 2.0, 1.0])
    """
    for axis in axes:
        signed = np.moveaxis(power, axis, 0)
        p = len(signed)
        twins = np.arange(1, (p + 1) // 2)
        folded = signed[: p // 2 + 1].copy()
        folded[twins] += signed[p - twins]
        power = np.moveaxis(folded, 0, axis)
    return power


def folded_power(values: np.ndarray, axes: Sequence[int]) -> np.ndarray:
    """Power spectrum over the given axes, +f and -f folded, so that it sums to the mean square.

    Examples
    --------
    >>> folded_power(2 * np.cos(2 * np.pi * 2 * np.arange(5) / 5), [0]).round(6)
    array([0., 0., 2.])
    """
    spectra = scipy.fft.fftn(np.asarray(values, np.float64), axes=axes, norm="forward")
    return fold(np.abs(spectra) ** 2, axes)


def order_power(coefficients: Complex[np.ndarray, "p p n"]) -> tuple[np.ndarray, np.ndarray]:
    """First- and second-order power at each frequency.

    Returns
    -------
    first, second : ndarray
        (p // 2, n) each; row f - 1 holds frequency f.
    """
    power = fold(np.abs(coefficients) ** 2, (0, 1))
    f = np.arange(1, len(power))
    return power[f, 0] + power[0, f], power[f, f]


def rebase(values: np.ndarray, frequency: int) -> Shaped[np.ndarray, "p p ..."]:
    """Re-index both axes so that a function of this frequency gets frequency 1.

    Entry ``[a, b]`` of the result is entry ``[a / frequency, b / frequency]`` mod p of the input.

    Parameters
    ----------
    values : ndarray
        (p, p, ...), indexed ``[a, b]``.
    frequency : int
        Cycles per p steps, coprime to p.

    Raises
    ------
    ValueError
        If the first two axes differ, or ``frequency`` shares a factor with p and so has no inverse.

    References
    ----------
    McCracken et al., arXiv 2505.18266.

    Examples
    --------
    >>> fast, slow = (np.exp(2j * np.pi * f * np.add.outer(np.arange(7), np.arange(7)) / 7) for f in (3, 1))
    >>> np.allclose(rebase(fast, 3), slow)
    True
    """
    if values.ndim < 2 or values.shape[0] != values.shape[1]:
        raise ValueError(f"values must be (p, p, ...), found {values.shape}")
    p = len(values)
    if gcd(frequency, p) != 1:
        raise ValueError(f"frequency {frequency} and p = {p} share a factor; rebase needs coprime ones")
    index = np.arange(p) * pow(int(frequency), -1, p) % p
    return np.asarray(values[np.ix_(index, index)])


def quotient(values: np.ndarray, frequency: int) -> tuple[Shaped[np.ndarray, "q q ..."], int]:
    """What a function on Z_n x Z_n has left of it where a frequency shares a factor d with n: one on Z_(n / d).

    A wave of this frequency has the period n / d. The values are averaged over all d periods of both axes.

    Parameters
    ----------
    values : ndarray
        (n, n, ...), indexed ``[a, b]``.
    frequency : int
        Cycles per n steps.

    Returns
    -------
    values : ndarray
        (n / d, n / d, ...); the given ones where d is 1.
    frequency : int
        ``frequency / d``, coprime to n / d.

    Examples
    --------
    >>> wave = np.cos(2 * np.pi * 4 * np.arange(6) / 6)
    >>> found, frequency = quotient(np.add.outer(wave, wave), 4)
    >>> found.shape, frequency, np.allclose(found, np.add.outer(wave[:3], wave[:3]))
    ((3, 3), 2, True)
    """
    n, d = len(values), gcd(int(frequency), len(values))
    if d == 1:
        return values, int(frequency)
    blocks = values.reshape(d, n // d, d, n // d, *values.shape[2:])
    return np.asarray(blocks.mean(axis=(0, 2))), int(frequency) // d


def frequency_basis(p: int, frequencies: Sequence[int]) -> Float[np.ndarray, "p k"]:
    """Orthonormal cosines and sines over Z_p at the given frequencies, (p, 2 n); p / 2 has no sine.

    Raises
    ------
    ValueError
        If a frequency is not an integer in 1..p//2.
    """
    wrong = [f for f in frequencies if not isinstance(f, int | np.integer) or not 1 <= f <= p // 2]
    if wrong:
        raise ValueError(f"frequencies must be integers in 1..{p // 2}, found {wrong}")
    chosen = np.unique(np.asarray(frequencies, dtype=int))
    angle = 2 * np.pi * np.outer(np.arange(p), chosen) / p
    columns = np.concatenate([np.cos(angle), np.sin(angle[:, 2 * chosen != p])], axis=1)
    return np.asarray(columns / np.linalg.norm(columns, axis=0))


def frequency_energy(rows: Float[np.ndarray, "p n"]) -> Float[np.ndarray, " f"]:
    """Share of the variance over rows at each frequency 1..p//2, summing to 1; NaN for constant rows.

    References
    ----------
    arXiv 2503.22059; arXiv 2301.05217.
    """
    centred = np.asarray(rows, np.float64) - np.mean(rows, axis=0, dtype=np.float64)  # exactly 0 where constant
    power = np.sum(folded_power(centred, [0])[1:], axis=1)
    total = power.sum()
    return power / total if total > 0 else np.full(len(power), np.nan)


def class_means(
    values: Float[np.ndarray, "*inputs n"], targets: Int[np.ndarray, "*inputs"]
) -> Float[np.ndarray, "p n"]:
    """Mean of a function over the inputs of each class, (p, n); all classes must have equally many inputs."""
    order = np.argsort(targets, axis=None, kind="stable")
    rows = values.reshape(-1, values.shape[-1])[order]
    return np.asarray(rows.reshape(int(targets.max()) + 1, -1, rows.shape[1]).mean(axis=1))
