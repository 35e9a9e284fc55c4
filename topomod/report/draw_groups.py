"""Figure of a neuron group: what its neurons compute, at which frequencies, and with which phases."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from topomod.networks.circuit import Circuit
from topomod.neurons.groups import NeuronGroup
from topomod.neurons.layers import circuit_layers
from topomod.report.colours import GREY, KINDS, diverging
from topomod.report.svg_axes import Axes, text
from topomod.report.svg_figure import Figure, side_by_side
from topomod.tasks.fourier import order_power, spectrum

PER_ROW = 3
CELL = 92  # pixels of one heat map


def plot_group(circuit: Circuit, group: NeuronGroup, n_neurons: int = 6) -> Figure:
    """Neurons of a group over all pairs (a, b), the group's power spectrum, and the phases of its neurons.

    Parameters
    ----------
    circuit : Circuit
        Where the group was found.
    group : NeuronGroup
        From :func:`topomod.group_neurons`.
    n_neurons : int
        Heat maps that are drawn: those of the neurons with most variance.

    Returns
    -------
    Figure
        Its table has one row per frequency (share of the group's variance in waves of a or b alone, and in waves of
        a + b and a - b) and one per neuron (its phases for a and for b, in radians).

    Raises
    ------
    TypeError
        For a group that is none of one frequency.
    ValueError
        If the circuit does not have the group's layer or neurons, or ``n_neurons`` is below 1.
    """
    if not isinstance(group, NeuronGroup):
        raise TypeError(f"group must be a NeuronGroup of topomod.group_neurons, found {type(group).__name__}")
    if n_neurons < 1:
        raise ValueError(f"n_neurons must be at least 1, found {n_neurons}")
    values = _neurons(circuit, group)
    parts = [heat_maps(values, group, n_neurons), power_spectrum(values, group), phase_marks(group)]
    return side_by_side(parts, f"{circuit.label}: {group.headline}")


def _neurons(circuit: Circuit, group: NeuronGroup) -> Float[np.ndarray, "p p n"]:
    layers = circuit_layers(circuit)
    if not group.layer < len(layers):
        raise ValueError(f"{circuit.label} has {len(layers)} layers, and the group is of layer {group.layer}")
    values = layers[group.layer].preactivations
    if group.neurons.max() >= values.shape[-1]:
        raise ValueError(
            f"{circuit.label} has {values.shape[-1]} neurons, and the group has neuron {group.neurons.max()}"
        )
    return np.asarray(values[:, :, group.neurons], np.float64)


def heat_maps(values: Float[np.ndarray, "p p n"], group: NeuronGroup, n_neurons: int) -> Figure:
    """Pre-activations of the strongest neurons over (a, b); the mean is white, each map has its own scale."""
    centred = values - values.mean(axis=(0, 1))
    order = np.argsort(-centred.var(axis=(0, 1)), kind="stable")[:n_neurons]
    body = text(24, 14, "pre-activations over (a, b)")
    for place, index in enumerate(order):
        row, column = divmod(place, PER_ROW)
        left, top = 24 + column * (CELL + 8), 24 + row * (CELL + 20)
        shown = centred[:, :, index].T[::-1]
        colours = diverging(shown / (np.abs(shown).max() or 1.0))
        body += Axes(left, top, CELL, CELL, (0, 1), (0, 1)).pixels(colours)
        body += text(left + CELL / 2, top + CELL + 12, f"neuron {group.neurons[index]}", "middle", font_size="10")
    rows = -(-len(order) // PER_ROW)
    bottom = 24 + rows * (CELL + 20)
    body += text(24, bottom + 8, "a →", font_size="11") + text(
        16, 24 + CELL, "b →", font_size="11", transform=f"rotate(-90 16 {24 + CELL})"
    )
    body += text(60, bottom + 8, "blue low, orange high, white the mean", font_size="11")
    words = f"Heat maps of {len(order)} of {len(group.neurons)} neurons: waves of frequency {group.frequency}."
    return Figure(
        body,
        24 + min(len(order), PER_ROW) * (CELL + 8),
        bottom + 16,
        "Neurons",
        words,
        {"neuron": group.neurons[order].tolist()},
    )


def power_spectrum(values: Float[np.ndarray, "p p n"], group: NeuronGroup) -> Figure:
    """Share of the group's variance at each frequency, first and second order."""
    coefficients = spectrum(values)
    coefficients[0, 0] = 0
    total = np.sum(np.abs(coefficients) ** 2) or 1.0
    shares = [order.sum(axis=1) / total for order in order_power(coefficients)]
    frequencies = np.arange(1, len(shares[0]) + 1)
    axes = Axes(56, 40, 210, 150, (0.4, len(frequencies) + 0.6), (0, 1))
    body = axes.frame("frequency", "share of the variance", percent=True)
    words = ("waves of a or of b alone", "waves of a + b and of a − b")
    for place, (share, name) in enumerate(zip(shares, words, strict=True)):
        for frequency, value in zip(frequencies, share, strict=True):
            at = frequency + 0.4 * (place - 1)
            body += axes.box((at, at + 0.4), (0, float(value)), KINDS[place])
        body += f'<rect x="60" y="{4 + 16 * place}" width="10" height="10" fill="{KINDS[place]}"/>' + text(
            76, 13 + 16 * place, name
        )
    best = int(np.argmax(shares[0] + shares[1])) + 1
    share = float((shares[0] + shares[1])[best - 1])
    table = {"frequency": frequencies, "first_order_share": shares[0], "second_order_share": shares[1]}
    return Figure(body, 280, 228, "Power", f"{share:.0%} of the variance is at frequency {best}.", table)


def phase_marks(group: NeuronGroup) -> Figure:
    """Phase for a against phase for b, a mark for each neuron; on the line they are equal."""
    turns_a, turns_b = (np.mod(phases / (2 * np.pi), 1) for phases in (group.phases_a, group.phases_b))
    axes = Axes(56, 40, 150, 150, (0, 1), (0, 1))
    body = axes.frame("phase for a (turns)", "phase for b (turns)", [0, 0.5, 1])
    body += axes.line([0, 1], [0, 1], GREY, "4 3") + axes.marks(turns_a, turns_b, "circle", KINDS[0], 3)
    body += text(60, 14, f"coherence {group.coherence:.2f}")
    words = f"The phases for a and for b agree up to one shift with coherence {group.coherence:.2f}."
    table = {"neuron": group.neurons.tolist(), "phase_a": group.phases_a.tolist(), "phase_b": group.phases_b.tolist()}
    return Figure(body, 226, 228, "Phases", words, table)
