"""How a circuit computes, as Zhong et al. measure it. None of this is read from the labels of its clouds."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float

from topomod.networks.architectures import ARCHITECTURES
from topomod.networks.circuit import Circuit
from topomod.tasks.fourier import folded_power
from topomod.topology.scale import is_constant, rounding_share, unit_scale

GRADIENT_TRIPLES = 100
PIZZA_SYMMETRICITY, PIZZA_IRRELEVANCE = 0.9, 0.6
LOGIT_ROUNDING = 1e-9  # of a logit, at least: it is a sum over neurons, and large terms can cancel


def gradient_symmetricity(circuit: Circuit) -> float:
    """Mean cosine between the gradients of a logit with respect to the two token embeddings.

    The mean is over 100 random triples (a, b, c), those that Zhong et al. draw. It is near 1 for pizza-like circuits.

    Returns
    -------
    float
        In [-1, 1].

    References
    ----------
    arXiv 2306.17844.
    """
    sizes = (*circuit.task.input_shape, circuit.task.n_classes)
    a, b, c = (torch.tensor(column) for column in zip(*_triples(*sizes), strict=True))
    n = len(a)
    # double precision: else a neuron within rounding of the ReLU's kink changes the fourth digit
    own = {name: torch.from_numpy(value).double() for name, value in circuit.weights.items()}
    # the circuit is stacked with itself once per triple, so that each copy runs on the one pair of its triple
    weights = {name: value.expand(n, *value.shape) for name, value in own.items()}
    x_a = torch.from_numpy(circuit.embedding()).double()[a, None].requires_grad_()
    x_b = own.get("W_E_right", own["W_E"])[b, None].requires_grad_()
    architecture = ARCHITECTURES[circuit.architecture]
    logits = architecture.activations(weights, x_a, x_b, circuit.attention_rate or 0.0).logits
    logits[torch.arange(n), 0, 0, c].sum().backward()
    assert x_a.grad is not None and x_b.grad is not None
    # torch takes gradients shorter than 1e-8 to be that long
    one, other = (torch.from_numpy(_unit_rows(grad[:, 0].numpy())) for grad in (x_a.grad, x_b.grad))
    return float(torch.nn.functional.cosine_similarity(one, other, dim=1).mean())


def _unit_rows(rows: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n k"]:
    """Each row divided by its own power of two."""
    return np.ldexp(rows, -np.frexp(np.abs(rows).max(axis=1, keepdims=True))[1])


@lru_cache
def _triples(n_a: int, n_b: int, n_c: int) -> list[tuple[int, int, int]]:
    triples = [(a, b, c) for a in range(n_a) for b in range(n_b) for c in range(n_c)]
    random.Random(42).shuffle(triples)  # Zhong et al.'s generator and seed, so that the values are the same as theirs
    return triples[:GRADIENT_TRIPLES]


def distance_irrelevance(circuit: Circuit, logit: str = "correct") -> float:
    """How little a logit depends on the distance a - b: near 0 pizza, near 1 clock.

    Two definitions are in use and must not be mixed: the correct logit (paper, notebook) and the largest wrong
    logit (released tables). Both depend on more than the probabilities: a function of (a, b) that is added to all
    logits alike changes no probability, but it changes this value. Centring the unembedding is such a change.

    Parameters
    ----------
    circuit : Circuit
        Any circuit of two inputs whose task has a symmetry. The distance and the sum are those of the numbers that the
        symmetry gives the tokens.
    logit : {"correct", "runner_up"}
        Which logit.

    Returns
    -------
    float
        Mean over distances of the standard deviation over sums, divided by the standard deviation of all values; NaN
        for a constant logit.

    Raises
    ------
    ValueError
        For another ``logit``, or a circuit whose task has no symmetry.

    References
    ----------
    arXiv 2306.17844.
    """
    _ = circuit.p  # refuses circuits that learnt something else
    if logit not in ("correct", "runner_up"):
        raise ValueError(f"logit must be 'correct' or 'runner_up', found {logit!r}")
    return logit_distance_irrelevance(sum_logits(circuit), logit)


def sum_logits(circuit: Circuit) -> Float[np.ndarray, "p p p"]:
    """Logits (p, p, p) with tokens and classes in such an order that the class is the sum of both numbers.

    That is the order of the task's symmetry, where the numbers of an input that is subtracted are negated.
    """
    symmetry = circuit.task.symmetry
    assert symmetry is not None
    return symmetry.as_sum(symmetry.arrange_classes(symmetry.arrange(circuit.logits())))


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
    if is_constant(values.reshape(-1, 1), max(LOGIT_ROUNDING, rounding_share(values.dtype))):
        return float("nan")
    values = unit_scale(values.astype(np.float64))
    return float(values.std(axis=0).mean() / values.std())


def mechanism_name(metrics: Mapping[str, float]) -> str:
    """Which of Zhong et al.'s two algorithms a network that is right on all pairs looks like.

    Parameters
    ----------
    metrics : mapping
        ``gradient_symmetricity``, NaN where it is not known, and ``distance_irrelevance`` of the correct logit.

    Returns
    -------
    str
        "pizza" for a gradient symmetricity of at least 0.9 and a distance irrelevance of at most 0.6, "clock" for less
        and more, "neither" for other networks, and empty where the distance irrelevance is not known. Where only that
        is known, it decides alone.

    References
    ----------
    arXiv 2306.17844 has the metrics; the two limits lie between the networks that it released.

    Examples
    --------
    >>> mechanism_name({"gradient_symmetricity": 0.99, "distance_irrelevance": 0.17})
    'pizza'
    >>> mechanism_name({"gradient_symmetricity": 0.33, "distance_irrelevance": 0.85})
    'clock'
    """
    symmetric, irrelevant = metrics["gradient_symmetricity"], metrics["distance_irrelevance"]
    if irrelevant != irrelevant:  # NaN
        return ""
    near, far = irrelevant <= PIZZA_IRRELEVANCE, irrelevant > PIZZA_IRRELEVANCE
    if near and not symmetric < PIZZA_SYMMETRICITY:
        return "pizza"
    return "clock" if far and not symmetric >= PIZZA_SYMMETRICITY else "neither"


def circularity(circuit: Circuit) -> float:
    """Mean over the embedding's first four principal components of their largest power in one frequency.

    Returns
    -------
    float
        In [0, 1]; NaN where all tokens are embedded alike.

    Raises
    ------
    ValueError
        If the circuit's task has no symmetry, or the circuit has no embedding.

    References
    ----------
    arXiv 2306.17844.
    """
    symmetry = circuit.task.symmetry
    if symmetry is None:
        raise ValueError(f"{circuit.label} learnt {circuit.task}, which has no frequencies: {circuit.task.no_symmetry}")
    embedding = symmetry.arrange_tokens(circuit.embedding())
    if is_constant(embedding):
        return float("nan")
    embedding = unit_scale(embedding.astype(np.float64))
    centred = embedding - embedding.mean(axis=0)
    left, singular, _ = np.linalg.svd(centred, full_matrices=False)
    scores = (left * singular)[:, :4]
    power = folded_power(scores, [0])[1:]
    return float(np.mean(power.max(axis=0) / np.mean(scores**2, axis=0)))


def modulus_of(circuit: Circuit) -> int:
    """The p of a circuit of any number of inputs mod p.

    Raises
    ------
    ValueError
        If its task has no frequencies mod p.
    """
    if circuit.task.modulus is None:
        raise ValueError(f"{circuit.label} learnt {circuit.task}, which has no frequencies mod p")
    return circuit.task.modulus


@dataclass(frozen=True)
class LogitFVE:
    """How much of the logits that one circle of the embedding makes is explained by each formula.

    Parameters
    ----------
    frequency : int
        Frequency of the circle, in 1..p//2.
    clock : float
        Share that ``cos(w (a + b - c))``, ``w = 2 pi frequency / p``, explains.
    pizza : float
        Share that ``|cos(w (a - b) / 2)| cos(w (a + b - c))`` explains.
    """

    frequency: int
    clock: float
    pizza: float


def logit_fve(circuit: Circuit, frequencies: Sequence[int] | None = None) -> list[LogitFVE]:
    """Explained variance of the logits, circle by circle.

    A circle is a pair of principal components of the embedding with one frequency, and at least a tenth of the
    first one's variance; all other components are set to their mean. Both sides are standardised, so the share is
    ``2 r - 1`` with Pearson's r, not its square.

    Parameters
    ----------
    circuit : Circuit
        A circuit of two inputs whose task has a symmetry, and that embeds both tokens alike.
    frequencies : sequence of int, optional
        Only these circles are measured, such as those that neurons read. Embeddings also hold others.

    Returns
    -------
    list of LogitFVE
        By falling variance; empty where each input has an embedding of its own, or the task multiplies both by
        different numbers, so that one circle has two frequencies.

    References
    ----------
    arXiv 2306.17844, its logit FVE.
    """
    _ = circuit.p  # refuses circuits that learnt something else
    symmetry = circuit.task.symmetry
    assert symmetry is not None
    if "W_E_right" in circuit.weights or not symmetry.shared_tokens:
        return []
    embedding = circuit.embedding().astype(np.float64)
    mean = embedding.mean(axis=0)
    left, singular, axes = np.linalg.svd(embedding - mean, full_matrices=False)
    frequency = np.argmax(folded_power(symmetry.arrange_tokens(left), [0])[1:], axis=0) + 1
    found = []
    for first in range(0, len(singular) - 1, 2):
        if singular[first] ** 2 < 0.1 * singular[0] ** 2 or frequency[first] != frequency[first + 1]:
            break
        if frequencies is not None and frequency[first] not in frequencies:
            continue
        pair = slice(first, first + 2)
        alone = mean + (left[:, pair] * singular[pair]) @ axes[pair]
        weights = circuit.weights | {"W_E": alone.astype(np.float32)}
        found.append(_fve(sum_logits(replace(circuit, weights=weights)), int(frequency[first])))
    return found


def _fve(logits: np.ndarray, frequency: int) -> LogitFVE:
    p = len(logits)
    a, b, c = np.ogrid[:p, :p, :p]
    w = 2 * np.pi * frequency / p
    clock = np.cos(w * (a + b - c))
    pizza = np.abs(np.cos(w * (a - b) / 2)) * clock
    values = logits.astype(np.float64).ravel()
    r = [np.corrcoef(values, formula.ravel())[0, 1] for formula in (clock, pizza)]
    return LogitFVE(frequency, *(float(2 * value - 1) for value in r))
