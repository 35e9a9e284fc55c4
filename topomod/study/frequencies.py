"""Tables of a shard's frequencies: energies and ranks, one row per circuit, and ablation curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from topomod.mechanisms.ablation import ablation_rows
from topomod.mechanisms.clock_pizza import modulus_of
from topomod.mechanisms.key_frequencies import key_frequencies, matrix_ranks, readout_error, site_energies
from topomod.networks.circuit import Circuit
from topomod.study.rows import identity

N_DOMINANT = 6  # arXiv 2503.22059 finds six dominant frequencies


def frequency_row(circuit: Circuit) -> dict[str, Any]:
    """Energy at the six strongest frequencies of the read-out, ranks at 95 %, and the read-out's error.

    Returns
    -------
    dict
        ``energy_<place>`` for each place of :func:`topomod.mechanisms.key_frequencies.site_energies`,
        ``rank_<matrix>``, ``n_key_frequencies``, and ``readout_error``, the mean over key frequencies.

    References
    ----------
    arXiv 2503.22059. Its exact definition of the energy was not at hand; this one is topomod's.
    """
    modulus_of(circuit)  # refuses tasks whose waves are not the same in every place
    strongest = np.array(key_frequencies(circuit, N_DOMINANT)) - 1
    keys = key_frequencies(circuit)
    energies = {f"energy_{place}": float(e[strongest].sum()) for place, e in site_energies(circuit).items()}
    ranks = {f"rank_{name}": float(rank) for name, rank in matrix_ranks(circuit).items()}
    errors = [readout_error(circuit, frequency) for frequency in keys]
    more = {"n_key_frequencies": len(keys), "readout_error": float(np.mean(errors)) if errors else float("nan")}
    return (
        identity(circuit) | {"converged": circuit.converged, "accuracy": circuit.accuracy()} | energies | ranks | more
    )


def frequency_tables(circuits: Sequence[Circuit], _min_neurons: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tables of frequencies (one row per circuit) and of ablation (one row per circuit, site, kind and number)."""
    rows = pd.DataFrame([frequency_row(circuit) for circuit in circuits])
    curves = [ablation_rows(circuit).assign(**identity(circuit), converged=circuit.converged) for circuit in circuits]
    return rows, pd.concat(curves, ignore_index=True)
