"""Which frequencies a circuit's matrices and states carry, their rank, and how exactly the read-out hears a + b."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from topomod.networks.circuit import Circuit
from topomod.neurons.sites import circuit_layers

MATRICES = {"W_E": "embedding", "W_in": "input", "W_h": "recurrent", "W_U": "unembedding"}


def frequency_basis(p: int, frequencies: Sequence[int]) -> Float[np.ndarray, "p k"]:
    """Orthonormal cosines and sines over Z_p at the given frequencies, (p, 2 n) or less where p / 2 is among them.

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
    p = len(rows)
    centred = np.asarray(rows, np.float64) - np.mean(rows, axis=0, dtype=np.float64)  # exactly 0 where constant
    power = np.sum(np.abs(np.fft.rfft(centred, axis=0)[1:]) ** 2, axis=1)
    power[np.arange(1, p // 2 + 1) * 2 != p] *= 2  # frequency f stands for p - f too
    total = power.sum()
    return power / total if total > 0 else np.full(p // 2, np.nan)


def class_means(
    values: Float[np.ndarray, "*inputs n"], targets: Int[np.ndarray, "*inputs"]
) -> Float[np.ndarray, "p n"]:
    """Mean of a function of the inputs over those of each class, (p, n); every class has as many inputs."""
    order = np.argsort(targets, axis=None, kind="stable")
    rows = values.reshape(-1, values.shape[-1])[order]
    return np.asarray(rows.reshape(int(targets.max()) + 1, -1, rows.shape[1]).mean(axis=1))


def site_energies(circuit: Circuit) -> dict[str, Float[np.ndarray, " f"]]:
    """Frequency energy of every place where a circuit of two inputs keeps its numbers.

    Returns
    -------
    dict
        ``embedding`` (over tokens), ``hidden`` (post-activations of the last layer, over a at a mean b),
        ``hidden_sum`` (their means over pairs of one sum), ``readout`` (the map from post-activations to logits, over
        classes) and ``logits`` (over classes); ``first_state`` for recurrent networks.
    """
    layer = circuit_layers(circuit)[-1]
    assert layer.readout is not None  # nothing lies between the last layer and the logits
    hidden, logits = layer.activations, layer.logits.astype(np.float64)
    places = {
        "embedding": circuit.embedding(),
        "hidden": hidden.mean(axis=1),
        "hidden_sum": class_means(hidden, circuit.task.targets()),
        "readout": layer.readout,
        "logits": np.moveaxis(logits, -1, 0).reshape(circuit.p, -1),
    }
    if "W_h" in circuit.weights:
        weights = circuit.weights
        places["first_state"] = np.maximum(circuit.embedding() @ weights["W_in"].T + weights["b_in"], 0)
    return {name: frequency_energy(rows) for name, rows in places.items()}


def key_frequencies(circuit: Circuit, n: int | None = None) -> list[int]:
    """Frequencies of the read-out by falling energy: the ``n`` strongest, or all that stand out from noise.

    Standing out: more than three times an even share of the energy, ``6 / (p - 1)``, or than half of it.
    """
    energy = frequency_energy(circuit.readout(0))
    order = np.argsort(-energy)
    kept = order[:n] if n is not None else order[energy[order] > min(0.5, 3 / len(energy))]
    return [int(f) + 1 for f in kept]


def rank_at(matrix: Float[np.ndarray, "m n"], share: float = 0.95) -> int:
    """Least rank that holds a share of the matrix's squared singular values."""
    squared = np.linalg.svd(np.asarray(matrix, np.float64), compute_uv=False) ** 2
    return int(np.searchsorted(np.cumsum(squared) / squared.sum(), share - 1e-12) + 1)


def matrix_ranks(circuit: Circuit, share: float = 0.95) -> dict[str, int]:
    """:func:`rank_at` of each weight matrix of :data:`MATRICES` that is there; the embedding centred over tokens."""
    ranks = {}
    for name, title in MATRICES.items():
        if name in circuit.weights:
            matrix = circuit.weights[name]
            ranks[title] = rank_at(matrix - matrix.mean(axis=0) if name == "W_E" else matrix, share)
    return ranks


def readout_error(circuit: Circuit, frequency: int) -> float:
    """How far the read-out's cosine and sine at a frequency are from those of ``a + b``: 1 - R2 of the best fit.

    References
    ----------
    arXiv 2503.22059, its relative error of the final layer.
    """
    p = circuit.p
    heard = circuit.logits().astype(np.float64) @ frequency_basis(p, [frequency])  # (p, p, 2)
    centred = heard - heard.mean(axis=(0, 1))
    means = class_means(centred, circuit.task.targets())
    basis = frequency_basis(p, [frequency])
    explained = p * np.sum((basis.T @ means) ** 2)
    return float(1 - explained / np.sum(centred**2))
