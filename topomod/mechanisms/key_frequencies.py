"""Which frequencies a circuit holds in its matrices and states, their rank, and how well the read-out follows a + b."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from topomod.networks.circuit import Circuit
from topomod.neurons.layers import circuit_layers
from topomod.neurons.readout import activations_of, readout_of
from topomod.tasks.fourier import class_means, frequency_basis, frequency_energy

MATRICES = {"W_E": "embedding", "W_in": "input", "W_h": "recurrent", "W_U": "unembedding"}


def site_energies(circuit: Circuit) -> dict[str, Float[np.ndarray, " f"]]:
    """Frequency energy of each place in a circuit of two inputs.

    Returns
    -------
    dict
        ``embedding`` (over tokens), ``hidden`` (post-activations of the last layer, over a at a mean b),
        ``hidden_sum`` (their means over pairs of one sum), ``readout`` (the map from post-activations to logits, over
        classes) and ``logits`` (over classes); ``first_state`` for recurrent networks.
    """
    layer = circuit_layers(circuit)[-1]
    hidden, logits = activations_of(layer), layer.logits.astype(np.float64)
    places = {
        "embedding": circuit.embedding(),
        "hidden": hidden.mean(axis=1),
        "hidden_sum": class_means(hidden, circuit.task.targets()),
        "readout": readout_of(layer),
        "logits": np.moveaxis(logits, -1, 0).reshape(circuit.p, -1),
    }
    if "W_h" in circuit.weights:
        weights = circuit.weights
        places["first_state"] = np.maximum(circuit.embedding() @ weights["W_in"].T + weights["b_in"], 0)
    return {name: frequency_energy(rows) for name, rows in places.items()}


def key_frequencies(circuit: Circuit, n: int | None = None) -> list[int]:
    """Frequencies of the read-out by falling energy: the ``n`` strongest, or all that stand out from noise.

    A frequency stands out if it has more than three times an even share of the energy, ``6 / (p - 1)``, or more than
    half of all.
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
    """:func:`rank_at` of each weight matrix of :data:`MATRICES` that is there; the embedding is centred."""
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
    read = circuit.logits().astype(np.float64) @ frequency_basis(p, [frequency])  # (p, p, 2)
    centred = read - read.mean(axis=(0, 1))
    means = class_means(centred, circuit.task.targets())
    basis = frequency_basis(p, [frequency])
    explained = p * np.sum((basis.T @ means) ** 2)
    return float(1 - explained / np.sum(centred**2))
