"""What is reported of circuits without being compared: the catalogue of measures, one number per circuit each."""

from __future__ import annotations

from dataclasses import dataclass

UNIT = (0.0, 1.0)


@dataclass(frozen=True)
class Measure:
    """One number per circuit.

    Parameters
    ----------
    title : str
        As the report prints it.
    unit : str
        Unit of the number; empty for shares and other numbers without one.
    bounds : tuple of float or None
        Least and largest value the number can take; the interval of its mean is then cut to them.
    constant : bool
        Whether it comes from theory or from chance, so that it is the same for every circuit: no interval.
    """

    title: str
    unit: str = ""
    bounds: tuple[float, float] | None = None
    constant: bool = False


MEASURES: dict[str, Measure] = {
    "margin_ratio": Measure("normalized margin / its maximum", bounds=UNIT),
    "expected_margin_ratio": Measure(
        "the same, expected at the last regularisation at unlimited width", bounds=UNIT, constant=True
    ),
    "n_dead": Measure("dead neurons", "neurons"),
    "single_frequency_share": Measure("share of live neurons above .95 in one frequency", bounds=UNIT),
    "median_max_power": Measure("median power of a neuron in its frequency", bounds=UNIT),
    "phase_error": Measure("phase rule: distance of summed input phases to the output's (radians)", "radians"),
    "shared_frequency": Measure("share of live neurons with one frequency in all inputs and the output", bounds=UNIT),
    "support_mass": Measure("share of squared weights on the parity's support", bounds=UNIT),
    "magnitude_spread": Measure("spread of the weights' magnitudes on the support / mean"),
    "balance": Measure("output weight / input weights on the support"),
    "best_irrep_share": Measure("power of a neuron in its best irrep", bounds=UNIT),
    "best_irrep_baseline": Measure("the same for random weights", constant=True),
    "n_frequencies": Measure("frequencies used", "frequencies"),
    "memorisation_step": Measure("step at which all training inputs are right", "steps"),
    "generalisation_step": Measure("step at which 99 % of the held-out inputs are right", "steps"),
    "grokking_delay": Measure("steps between the two", "steps"),
    "unseen_at_generalisation": Measure(
        "accuracy at that step on inputs of which no rearrangement was trained", bounds=UNIT
    ),
    "embedding_frequency_share": Measure("embedding: variance at its best frequency", bounds=UNIT),
    "qk_diagonal_share": Measure("W_QK: power on the diagonal f = f'", bounds=UNIT),
    "qk_key_share": Measure("W_QK: power in functions of the key alone", bounds=UNIT),
    "qk_frequency_share": Measure("W_QK: power at its best frequency", bounds=UNIT),
    "attention_frequency_share": Measure("attention patterns: power at their best frequency", bounds=UNIT),
    "neuron_purity": Measure("pre-activations: power at each neuron's best frequency", bounds=UNIT),
    "n_key_frequencies": Measure("key frequencies of the read-out", "frequencies"),
    "readout_error": Measure("read-out error, 1 - R2 of cos and sin of a + b"),
    "energy_embedding": Measure("embedding: energy at the six strongest", bounds=UNIT),
    "energy_first_state": Measure("first hidden state: energy at the six strongest", bounds=UNIT),
    "energy_hidden": Measure("last hidden state, by a: energy at the six strongest", bounds=UNIT),
    "energy_hidden_sum": Measure("last hidden state, by a + b: energy at the six strongest", bounds=UNIT),
    "energy_readout": Measure("read-out: energy at the six strongest", bounds=UNIT),
    "energy_logits": Measure("logits: energy at the six strongest", bounds=UNIT),
    "rank_embedding": Measure("rank of the embedding at 95 %"),
    "rank_input": Measure("rank of the input weights at 95 %"),
    "rank_recurrent": Measure("rank of the recurrent weights at 95 %"),
    "rank_unembedding": Measure("rank of the unembedding at 95 %"),
}
