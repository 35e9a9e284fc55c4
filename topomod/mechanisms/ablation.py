"""Accuracy after frequencies are projected out: one at a time, several together, at three sites."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from topomod.mechanisms.clock_pizza import modulus_of
from topomod.mechanisms.key_frequencies import key_frequencies
from topomod.networks.architectures import ARCHITECTURES, resolve
from topomod.networks.circuit import Circuit
from topomod.tasks.fourier import class_means, frequency_basis

ABLATION_SITES = ("embedding", "hidden", "logits")
N_ABLATED = 8


def ablate_frequencies(circuit: Circuit, frequencies: Sequence[int], site: str = "logits") -> float:
    """Accuracy on all inputs after some frequencies are projected out.

    Parameters
    ----------
    circuit : Circuit
        Any circuit that adds mod p, of any number of inputs.
    frequencies : sequence of int
        Each in 1..p//2. Without any, the circuit stays as it is.
    site : {"logits", "hidden", "embedding"}
        ``logits`` projects along the classes. ``hidden`` takes the cosines and sines of the sum of the inputs out of
        the last layer's activations; the read-out is linear, so this is done on what it makes of them. ``embedding``
        projects along the tokens of the embedding, or of each input's weights where there is no embedding.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    ValueError
        For another site, a frequency out of range, a circuit that learnt something else, or one of which only the
        activations are known and that has to be run again for the site.

    References
    ----------
    arXiv 2503.22059; arXiv 2301.05217.
    """
    if site not in ABLATION_SITES:
        raise ValueError(f"site must be one of {', '.join(ABLATION_SITES)}, found {site!r}")
    basis = frequency_basis(modulus_of(circuit), frequencies)
    if site == "embedding":
        return _without(circuit, basis).accuracy()
    logits = circuit.logits()
    through = _through(circuit) if site == "hidden" else logits
    return _accuracy(circuit.task.targets(), logits, through, basis, site)


def _without(circuit: Circuit, basis: np.ndarray) -> Circuit:
    """The circuit with its token embeddings projected away from some functions of the token."""

    def without(values: np.ndarray) -> np.ndarray:
        return np.asarray(values - (values @ basis) @ basis.T)

    map_tokens = resolve(ARCHITECTURES[circuit.architecture].map_tokens)
    return replace(circuit, weights=map_tokens(circuit.weights, without))


def _through(circuit: Circuit) -> np.ndarray:
    """The part of the logits of all inputs that comes through the last layer, not past it."""
    found = circuit.activations()
    activations, readout = found.activations[-1], found.readouts[-1]
    if activations is None or readout is None:
        raise ValueError(f"the map from the last layer of {circuit.label} to its logits is not known")
    return np.asarray(activations[0].numpy() @ readout[0].numpy().T)


def _accuracy(targets: np.ndarray, logits: np.ndarray, through: np.ndarray, basis: np.ndarray, site: str) -> float:
    if site == "logits":
        left = logits - (logits @ basis) @ basis.T
    else:
        left = logits - (basis @ (basis.T @ class_means(through, targets)))[targets]
    return float(np.mean(np.argmax(left, axis=-1) == targets))


def ablation_rows(circuit: Circuit, n: int = N_ABLATED, seed: int = 0) -> pd.DataFrame:
    """Ablation curves of one circuit.

    Parameters
    ----------
    circuit : Circuit
        A circuit that adds two inputs mod p.
    n : int
        How many frequencies, in falling order of the read-out's energy.
    seed : int
        Seed of the random control: as many frequencies, which are neither key ones nor among the n strongest.

    Returns
    -------
    DataFrame
        Columns site, kind ("single": the n-th strongest alone; "cumulative": the n strongest; "random": n others), n
        and accuracy.
    """
    strongest = key_frequencies(circuit, n)
    keys = set(key_frequencies(circuit)) | set(strongest)
    others = [f for f in range(1, circuit.p // 2 + 1) if f not in keys]
    control = [int(f) for f in np.random.default_rng(seed).permutation(others)]
    targets, logits, through = circuit.task.targets(), circuit.logits(), _through(circuit)
    rows = []
    for site in ABLATION_SITES:
        sets = {("single", i + 1): strongest[i : i + 1] for i in range(len(strongest))}
        sets |= {("cumulative", i): strongest[:i] for i in range(len(strongest) + 1)}
        sets |= {("random", i): control[:i] for i in range(1, min(n, len(control)) + 1)}
        for (kind, count), frequencies in sets.items():
            basis = frequency_basis(circuit.p, frequencies)
            left = _without(circuit, basis).accuracy() if site == "embedding" else None
            accuracy = _accuracy(targets, logits, through, basis, site) if left is None else left
            rows.append({"site": site, "kind": kind, "n": count, "accuracy": accuracy})
    return pd.DataFrame(rows)
