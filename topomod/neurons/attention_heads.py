"""Which frequencies a one-layer transformer over k tokens uses: embedding, heads, patterns, neurons.

Frequencies f and p - f are the same wave and are merged everywhere, so they run over 0, 1, ..., p // 2.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int

from topomod.networks.architectures import ARCHITECTURES
from topomod.networks.circuit import Circuit
from topomod.networks.sequence_transformer import all_inputs, sequence_transformer
from topomod.networks.size import NetworkSize
from topomod.tasks.fourier import folded_power
from topomod.tasks.spectra import DEAD_POWER


@dataclass(frozen=True)
class HeadSpectra:
    """Two-dimensional spectra of the heads' score tables.

    Parameters
    ----------
    power : ndarray
        (n_heads,) variance of each head's table over pairs of tokens, its mean over keys taken out.
    shares : ndarray
        (n_heads, p // 2 + 1, p // 2 + 1) of that power at (query frequency, key frequency).
    diagonal_share : ndarray
        (n_heads,) share at equal frequencies, where the score depends on sums and differences of tokens.
    key_share : ndarray
        (n_heads,) share at query frequency 0, where the score depends on the key alone.
    frequency : ndarray
        (n_heads,) int f in 1..p//2 that explains most.
    frequency_share : ndarray
        (n_heads,) share at the components that are all 0 or ``frequency``: (0, f) and (f, f).
    """

    power: Float[np.ndarray, " n_heads"]
    shares: Float[np.ndarray, "n_heads n_f n_f"]
    diagonal_share: Float[np.ndarray, " n_heads"]
    key_share: Float[np.ndarray, " n_heads"]
    frequency: Int[np.ndarray, " n_heads"]
    frequency_share: Float[np.ndarray, " n_heads"]


@dataclass(frozen=True)
class InputSpectra:
    """Single-frequency content of functions of k tokens, such as pre-activations or attention patterns.

    Parameters
    ----------
    power : ndarray
        (n,) variance over all inputs.
    alive : ndarray
        (n,) bool, power at least ``DEAD_POWER`` of the strongest function's.
    frequency : ndarray
        (n,) int in 1..p//2 that explains most.
    frequency_share : ndarray
        (n,) share of the power at components (f_1, ..., f_k) that are all 0 or ``frequency``: max normalized power.
    first_order_share : ndarray
        (n,) the part of it with one component other than 0, waves of one token alone.
    """

    power: Float[np.ndarray, " n"]
    alive: np.ndarray
    frequency: Int[np.ndarray, " n"]
    frequency_share: Float[np.ndarray, " n"]
    first_order_share: Float[np.ndarray, " n"]

    @property
    def purity(self) -> float:
        """Share of all the power that live functions hold at their own frequency."""
        total = self.power.sum()
        return float((self.frequency_share * self.power * self.alive).sum() / total) if total > 0 else 0.0


def _shares(power: np.ndarray, total: np.ndarray) -> np.ndarray:
    return np.asarray(power / np.where(total > 0, total, 1))


def score_tables(circuit: Circuit) -> Float[np.ndarray, "n_heads p p"]:
    """Score that a last token gives a token elsewhere, ``(W_E + W_pos[-1]) W_Q^T W_K W_E^T``, (n_heads, p, p).

    Rows are queries, columns are keys. Scores are not divided by the root of d_head, and what position adds to a key
    is left out.

    References
    ----------
    Li et al., arXiv 2402.09469, the attention's W_KQ in the token basis.
    """
    x = {name: np.asarray(value, np.float64) for name, value in circuit.weights.items()}
    query = np.einsum("ad,hkd->hak", x["W_E"] + x["W_pos"][-1], x["W_Q"])
    key = np.einsum("bd,hkd->hbk", x["W_E"], x["W_K"])
    return np.asarray(query @ key.transpose(0, 2, 1))


def head_spectra(tables: Float[np.ndarray, "n_heads p p"]) -> HeadSpectra:
    """Spectra of score tables, (n_heads, p, p) with rows of queries.

    Each query's mean over keys is taken out first: the softmax does not depend on it.
    """
    power = folded_power(tables - tables.mean(axis=2, keepdims=True), [1, 2])
    power[:, :, 0] = 0  # rounding
    total = power.sum(axis=(1, 2))
    shares = _shares(power, total[:, None, None])
    diagonal = np.diagonal(shares, axis1=1, axis2=2)[:, 1:]
    alone = shares[:, 0, 1:]
    both = alone + diagonal
    return HeadSpectra(
        power=total,
        shares=shares,
        diagonal_share=diagonal.sum(axis=1),
        key_share=alone.sum(axis=1),
        frequency=both.argmax(axis=1) + 1,
        frequency_share=both.max(axis=1),
    )


def attention_patterns(circuit: Circuit) -> np.ndarray:
    """Attention from the last token, (p, ..., p, n_heads, k), indexed ``[a_1, ..., a_k, head, position]``."""
    weights = {name: torch.from_numpy(value) for name, value in circuit.weights.items()}
    with torch.no_grad():
        pattern = sequence_transformer(weights, all_inputs(circuit.task)).pattern
    n_tokens = pattern.shape[-1]
    return np.asarray(pattern.unflatten(0, (len(circuit.weights["W_E"]),) * n_tokens).numpy())


def input_spectra(values: Float[np.ndarray, "*inputs n"]) -> InputSpectra:
    """Spectra of n functions of k tokens.

    Parameters
    ----------
    values : ndarray
        (p, ..., p, n), such as ``circuit.preactivations()``.

    Raises
    ------
    ValueError
        If the axes of tokens differ in length: the array is transposed.
    """
    grid = values.shape[:-1]
    if not grid or len(set(grid)) != 1:
        raise ValueError(f"values must be (p, ..., p, n), found {values.shape}")
    k, zero = len(grid), (0,) * len(grid)
    power = folded_power(values, range(k))
    rounding = 1e-12 * np.max(power[zero], initial=0)  # what float32 leaves of a constant
    power[zero] = 0
    total = power.sum(axis=tuple(range(k)))
    frequencies = range(1, grid[0] // 2 + 1)
    both = np.stack([power[np.ix_(*[(0, f)] * k)].sum(axis=tuple(range(k))) for f in frequencies])
    first = np.stack([sum(power[(*zero[:j], f, *zero[j + 1 :])] for j in range(k)) for f in frequencies])
    best, each = both.argmax(axis=0), np.arange(len(total))
    return InputSpectra(
        power=total,
        alive=(total > rounding) & (total >= DEAD_POWER * total.max(initial=0)),
        frequency=best + 1,
        frequency_share=_shares(both[best, each], total),
        first_order_share=_shares(first[best, each], total),
    )


def untrained(circuit: Circuit, seed: int) -> Circuit:
    """The same network with weights newly drawn as at the start of training: what chance alone gives."""
    if circuit.task.modulus is None:
        raise ValueError(f"{circuit.label} learnt {circuit.task}, which has no frequencies mod p in every place")
    d_mlp, d_model = circuit.weights["W_in"].shape
    size = NetworkSize(d_model, d_mlp, len(circuit.weights["W_Q"]))
    weights = ARCHITECTURES[circuit.architecture].initial_weights(circuit.task, np.random.default_rng(seed), size)
    return replace(circuit, weights=weights, step=0, history={})
