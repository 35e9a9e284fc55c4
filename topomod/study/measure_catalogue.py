"""What is reported of circuits without being compared: one number per circuit, means with intervals."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from topomod.study.population import mean_interval, share_interval

MEASURES = {
    "margin_ratio": "normalized margin / its maximum",
    "expected_margin_ratio": "the same, expected at the last regularisation at unlimited width",
    "n_dead": "dead neurons",
    "single_frequency_share": "share of live neurons above .95 in one frequency",
    "median_max_power": "median power of a neuron in its frequency",
    "phase_error": "phase rule: distance of summed input phases to the output's (radians)",
    "shared_frequency": "share of live neurons with one frequency in all inputs and the output",
    "support_mass": "share of squared weights on the parity's support",
    "magnitude_spread": "spread of the weights' magnitudes on the support / mean",
    "balance": "output weight / input weights on the support",
    "best_irrep_share": "power of a neuron in its best irrep",
    "best_irrep_baseline": "the same for random weights",
    "n_frequencies": "frequencies used",
    "memorisation_step": "step at which all training inputs are right",
    "generalisation_step": "step at which 99 % of the held-out inputs are right",
    "grokking_delay": "steps between the two",
    "unseen_at_generalisation": "accuracy at that step on inputs of which no rearrangement was trained",
    "embedding_frequency_share": "embedding: variance at its best frequency",
    "qk_diagonal_share": "W_QK: power on the diagonal f = f'",
    "qk_key_share": "W_QK: power in functions of the key alone",
    "qk_frequency_share": "W_QK: power at its best frequency",
    "attention_frequency_share": "attention patterns: power at their best frequency",
    "neuron_purity": "pre-activations: power at each neuron's best frequency",
    "n_key_frequencies": "key frequencies of the read-out",
    "readout_error": "read-out error, 1 - R2 of cos and sin of a + b",
    "energy_embedding": "embedding: energy at the six strongest",
    "energy_first_state": "first hidden state: energy at the six strongest",
    "energy_hidden": "last hidden state, by a: energy at the six strongest",
    "energy_hidden_sum": "last hidden state, by a + b: energy at the six strongest",
    "energy_readout": "read-out: energy at the six strongest",
    "energy_logits": "logits: energy at the six strongest",
    "rank_embedding": "rank of the embedding at 95 %",
    "rank_input": "rank of the input weights at 95 %",
    "rank_recurrent": "rank of the recurrent weights at 95 %",
    "rank_unembedding": "rank of the unembedding at 95 %",
}
UNTRAINED = "_untrained"
CONSTANTS = ("expected_margin_ratio", "best_irrep_baseline")  # of theory or chance, the same for every circuit
_SHARE = re.compile(r".*(ratio|share|mass|power|purity|frequency|generalisation)$|energy_.*")  # of values in [0, 1]


def measure_table(circuits: pd.DataFrame, alpha: float = 0.05) -> pd.DataFrame:
    """Mean and interval of every measure over converged circuits, per architecture.

    A t interval, which for shares is cut to [0, 1], and where all are 0 or 1 is one that holds for any distribution;
    none for what is the same of every circuit.

    Parameters
    ----------
    circuits : DataFrame
        One row a circuit: architecture, converged, and some columns of :data:`MEASURES`; a column
        ``<measure>_untrained`` is the same of networks with new random weights.
    alpha : float
        The interval has level 1 - alpha.

    Returns
    -------
    DataFrame
        Columns architecture, measure, title, n, mean, ci_low, ci_high, least, most, untrained (NaN if not known).
    """
    rows = []
    for architecture, own in circuits[circuits["converged"].astype(bool)].groupby("architecture", sort=False):
        for name, title in MEASURES.items():
            if name not in own or own[name].isna().all():
                continue
            values = own[name].to_numpy(float)
            n, mean, low, high = mean_interval(values, alpha)
            if name in CONSTANTS:
                low = high = mean
            elif _SHARE.fullmatch(name):
                low, high = share_interval(values[~np.isnan(values)], alpha)
            chance = float(own[name + UNTRAINED].mean()) if name + UNTRAINED in own else np.nan
            row = {"architecture": architecture, "measure": name, "title": title, "n": n, "mean": mean}
            row |= {"ci_low": low, "ci_high": high, "least": np.nanmin(values), "most": np.nanmax(values)}
            rows.append(row | {"untrained": chance})
    columns = "architecture measure title n mean ci_low ci_high least most untrained".split()
    return pd.DataFrame(rows, columns=columns)


def measure_rows(table: pd.DataFrame, architectures: Sequence[str]) -> list[dict[str, Any]]:
    """Rows for display: title, and the cell of each architecture that has the measure."""
    found = []
    for name in (name for name in MEASURES if name in set(table["measure"])):
        own = table[table["measure"] == name].set_index("architecture")
        cells = {label: own.loc[label].to_dict() for label in architectures if label in own.index}
        found.append({"name": name, "title": MEASURES[name], "cells": cells})
    return found
