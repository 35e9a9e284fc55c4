"""How a circuit computes, as Zhong et al. measure it; three statements apart from its shape."""

from __future__ import annotations

import random
from functools import lru_cache
from typing import Literal

import numpy as np
import torch

from topomod.circuits import Circuit
from topomod.networks import ARCHITECTURES

GRADIENT_TRIPLES = 100


def gradient_symmetricity(circuit: Circuit) -> float:
    """Mean cosine between the gradients of a logit with respect to the two token embeddings.

    Over 100 random triples (a, b, c), the ones Zhong et al. draw. Near 1 for pizza-like circuits.

    Returns
    -------
    float
        In [-1, 1].

    References
    ----------
    arXiv 2306.17844.
    """
    a, b, c = (torch.tensor(column) for column in zip(*_triples(circuit.task.p), strict=True))
    weights = {name: torch.from_numpy(value)[None] for name, value in circuit.weights.items()}
    x_a = weights["W_E"][:, a].requires_grad_()
    x_b = weights["W_E"][:, b].requires_grad_()
    architecture = ARCHITECTURES[circuit.architecture]
    logits = architecture.activations(weights, x_a, x_b, circuit.attention_rate or 0.0).logits[0]
    n = torch.arange(len(a))
    logits[n, n, c].sum().backward()
    assert x_a.grad is not None and x_b.grad is not None
    return float(torch.nn.functional.cosine_similarity(x_a.grad[0], x_b.grad[0], dim=1).mean())


@lru_cache
def _triples(p: int) -> list[tuple[int, int, int]]:
    triples = [(a, b, c) for a in range(p) for b in range(p) for c in range(p)]
    random.Random(42).shuffle(triples)  # Zhong et al.'s generator and seed, so that their values are met
    return triples[:GRADIENT_TRIPLES]


def distance_irrelevance(circuit: Circuit, logit: Literal["correct", "runner_up"] = "correct") -> float:
    """How little a logit depends on the distance a - b: near 0 pizza, near 1 clock.

    Two definitions circulate and must not be mixed: the correct logit (paper, notebook) and the largest wrong
    logit (released tables).

    Parameters
    ----------
    circuit : Circuit
        Any circuit of modular addition.
    logit : {"correct", "runner_up"}
        Which logit.

    Returns
    -------
    float
        Mean over distances of the standard deviation over sums, over the standard deviation of all; NaN for a
        constant logit.

    Raises
    ------
    ValueError
        For another ``logit``.

    References
    ----------
    arXiv 2306.17844.
    """
    if logit not in ("correct", "runner_up"):
        raise ValueError(f"logit must be 'correct' or 'runner_up', found {logit!r}")
    return logit_distance_irrelevance(circuit.logits(), logit)


def logit_distance_irrelevance(logits: np.ndarray, logit: str = "correct") -> float:
    """:func:`distance_irrelevance` from logits (p, p, p)."""
    p = len(logits)
    b, distance = np.meshgrid(np.arange(p), np.arange(p), indexing="ij")
    a = (b + distance) % p  # for one distance, b runs over every sum (every second one when p is even)
    rows = logits[a, b]
    classes = (a + b) % p
    if logit == "correct":
        values = np.take_along_axis(rows, classes[..., None], axis=2)[..., 0]
    else:
        rows = rows.copy()
        np.put_along_axis(rows, classes[..., None], -np.inf, axis=2)
        values = rows.max(axis=2)
    values = values.astype(np.float64)
    spread = values.std()
    return float(values.std(axis=0).mean() / spread) if spread > 1e-9 * np.abs(values).max() else float("nan")


def circularity(circuit: Circuit) -> float:
    """Mean over the embedding's first four principal components of their largest power in one frequency.

    Returns
    -------
    float
        In [0, 1].

    References
    ----------
    arXiv 2306.17844.
    """
    embedding = circuit.embedding().astype(np.float64)
    centred = embedding - embedding.mean(axis=0)
    left, singular, _ = np.linalg.svd(centred, full_matrices=False)
    scores = (left * singular)[:, :4]
    power = np.abs(np.fft.rfft(scores, axis=0)[1:]) ** 2
    return float(np.mean(2 * power.max(axis=0) / (len(scores) * np.sum(scores**2, axis=0))))
