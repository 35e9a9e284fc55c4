"""Transformers over k tokens as tables: one row per circuit, and their grokking curves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from topomod.networks.circuit import Circuit
from topomod.neurons.attention_heads import (
    attention_patterns,
    head_spectra,
    input_spectra,
    score_tables,
    untrained,
)
from topomod.tasks.fourier import frequency_energy
from topomod.training.sequences import CHECK_EVERY, GENERALISED

ENERGY = 0.9  # share of the embedding's variance that its n_frequencies hold together
N_UNTRAINED = 5  # number of new draws whose mean is the chance level


def sequence_circuit_rows(circuits: Sequence[Circuit]) -> pd.DataFrame:
    """What each circuit reached, when, and how much of it is at single frequencies.

    Returns
    -------
    DataFrame
        One row per circuit: architecture, seed, step, k, p, converged, reason; accuracy on all inputs, train_accuracy,
        test_accuracy, unseen_accuracy (on :func:`topomod.training.sequences.unseen_inputs`); memorisation_step (first
        with train accuracy 1), generalisation_step (first measured with test accuracy >= 0.99), grokking_delay between
        them, in steps, NaN where one was not reached; unseen_at_generalisation, unseen_accuracy at that step;
        embedding_frequency_share (best frequency's share of the
        variance of W_E), n_frequencies (fewest that hold ``ENERGY`` of it), qk_diagonal_share, qk_key_share and
        qk_frequency_share (of the heads' score tables, heads weighted by power), attention_frequency_share (of the
        patterns), neuron_purity (of the pre-activations). The columns that end in ``_untrained`` are means of the same
        over ``N_UNTRAINED`` networks with newly drawn weights: small p has few frequencies, so chance alone gives large
        shares.
    """
    chances: dict[tuple[object, ...], pd.Series] = {}
    rows = []
    for circuit in circuits:
        shapes = tuple(value.shape for value in circuit.weights.values())  # untrained ones differ by their size alone
        if shapes not in chances:
            draws = [spectral_summary(untrained(circuit, seed)) for seed in range(N_UNTRAINED)]
            chances[shapes] = pd.DataFrame(draws).mean()
        rows.append(_row(circuit, chances[shapes]))
    return pd.DataFrame(rows)


def _row(circuit: Circuit, chance: pd.Series) -> dict[str, object]:
    p, k = len(circuit.weights["W_E"]), len(circuit.weights["W_pos"])
    return {
        "architecture": circuit.label,
        "seed": circuit.seed,
        "step": circuit.step,
        "k": k,
        "p": p,
        "converged": circuit.converged,
        "reason": circuit.reason,
        "accuracy": circuit.accuracy(),
        **_grokking(circuit.history),
        **spectral_summary(circuit),
        **{f"{name}_untrained": float(chance[name]) for name in chance.index},
    }


def _grokking(history: dict[str, np.ndarray]) -> dict[str, float]:
    nan = np.full(1, np.nan)
    train, test, unseen = (history.get(f"{name}_accuracy", nan) for name in ("train", "test", "unseen"))
    memorised, generalised = _first(train >= 1), _first(test >= GENERALISED)
    return {
        "train_accuracy": float(train[-1]),
        "test_accuracy": float(test[-1]),
        "unseen_accuracy": float(unseen[-1]),
        "memorisation_step": memorised,
        "generalisation_step": generalised,
        "grokking_delay": generalised - memorised,
        "unseen_at_generalisation": _at(unseen, generalised),
    }


def _at(values: np.ndarray, step: float) -> float:
    return float(values[int(step)]) if step < len(values) else float("nan")


def _first(reached: np.ndarray) -> float:
    return float(np.argmax(reached)) if reached.any() else float("nan")


def spectral_summary(circuit: Circuit) -> dict[str, float]:
    """Columns of :func:`sequence_circuit_rows` that are functions of the weights alone."""
    shares = np.sort(np.nan_to_num(frequency_energy(circuit.embedding())))[::-1]
    heads = head_spectra(score_tables(circuit))
    weight = heads.power / max(heads.power.sum(), np.finfo(float).tiny)
    patterns = attention_patterns(circuit)
    return {
        "embedding_frequency_share": float(shares[0]),
        "n_frequencies": float(np.searchsorted(shares.cumsum(), ENERGY) + 1),
        "qk_diagonal_share": float(weight @ heads.diagonal_share),
        "qk_key_share": float(weight @ heads.key_share),
        "qk_frequency_share": float(weight @ heads.frequency_share),
        "attention_frequency_share": input_spectra(patterns.reshape(*patterns.shape[:-2], -1)).purity,
        "neuron_purity": input_spectra(circuit.preactivations()).purity,
    }


def sequence_curve_rows(circuits: Sequence[Circuit]) -> pd.DataFrame:
    """Loss and accuracies along training.

    Returns
    -------
    DataFrame
        Columns architecture, seed, step, loss, train_accuracy, test_accuracy, unseen_accuracy: a row every
        ``CHECK_EVERY`` steps, at which the last two were measured, and one for the step of the kept weights.
    """
    columns = ["architecture", "seed", "step", "loss", "train_accuracy", "test_accuracy", "unseen_accuracy"]
    tables = []
    for circuit in circuits:
        steps = np.unique([*range(0, circuit.step, CHECK_EVERY), circuit.step])
        values = {name: circuit.history[name][steps] for name in columns[3:]}
        tables.append(pd.DataFrame({"architecture": circuit.label, "seed": circuit.seed, "step": steps} | values))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)


def sequence_score_rows(circuits: Sequence[Circuit]) -> pd.DataFrame:
    """Two-dimensional Fourier spectra of the heads' scores, ``W_QK`` in the token basis.

    Returns
    -------
    DataFrame
        Columns architecture, seed, head, power (of the head, its mean over keys taken out), query_frequency,
        key_frequency (0..p//2 each) and share, of the head's power.

    References
    ----------
    Li et al., arXiv 2402.09469.
    """
    tables = []
    for circuit in circuits:
        found = head_spectra(score_tables(circuit))
        head, query, key = (index.ravel() for index in np.indices(found.shares.shape))
        columns = {"head": head, "power": found.power[head], "query_frequency": query, "key_frequency": key}
        own = {"architecture": circuit.label, "seed": circuit.seed}
        tables.append(pd.DataFrame(own | columns | {"share": found.shares.ravel()}))
    return pd.concat(tables, ignore_index=True)


def circuit_table(circuits: Sequence[Circuit], _min_neurons: int) -> pd.DataFrame:
    """Table ``measures`` of a shard."""
    return sequence_circuit_rows(circuits)


def curve_table(circuits: Sequence[Circuit], _min_neurons: int) -> pd.DataFrame:
    """Table ``curves`` of a shard."""
    return sequence_curve_rows(circuits)


def score_table(circuits: Sequence[Circuit], _min_neurons: int) -> pd.DataFrame:
    """Table ``scores`` of a shard."""
    return sequence_score_rows(circuits)
