"""The closed form, the network that attains it, and what spoils it."""

from dataclasses import replace

import numpy as np
import pytest

import topomod
from topomod.circuits import Circuit


@pytest.mark.parametrize("p", [7, 9, 11, 13, 59])
def test_the_construction_attains_the_maximum(p: int) -> None:
    task = topomod.ModularAddition(p=p)
    network = topomod.max_margin_network(task)
    assert len(network.weights["W_in"]) == 4 * (p - 1)
    assert network.accuracy() == 1.0
    assert topomod.normalized_margin(network) == pytest.approx(topomod.max_margin(task), rel=1e-10)


def test_known_values() -> None:
    for p, value in ((7, 1.714481666245e-02), (11, 8.206099398622e-03), (13, 6.290427967470e-03)):
        assert topomod.max_margin(topomod.ModularAddition(p=p)) == pytest.approx(value, rel=1e-11)


def changed(network: Circuit, rows: np.ndarray, weights: str, value: np.ndarray) -> Circuit:
    array = network.weights[weights].copy()
    array[rows] = value
    return replace(network, weights=network.weights | {weights: array})


def test_dropping_a_frequency_or_breaking_the_phase_rule_costs_margin() -> None:
    task = topomod.ModularAddition(p=11)
    network = topomod.max_margin_network(task)
    best = topomod.max_margin(task)
    kept = {name: value if name == "W_E" else value[8:] for name, value in network.weights.items()}
    assert topomod.normalized_margin(replace(network, weights=kept)) / best == pytest.approx(0.8047, abs=5e-5)
    one_in_eight = np.arange(0, 40, 8)
    shifted = np.roll(network.weights["W_U"][one_in_eight], 1, axis=1)
    broken = changed(network, one_in_eight, "W_U", shifted)
    assert topomod.normalized_margin(broken) < 0.5 * best


def test_scale_does_not_matter() -> None:
    network = topomod.max_margin_network(topomod.ModularAddition(p=7))
    scaled = {name: value if name == "W_E" else 3 * value for name, value in network.weights.items()}
    assert topomod.normalized_margin(replace(network, weights=scaled)) == pytest.approx(
        topomod.normalized_margin(network), rel=1e-12
    )


def test_refusals(trained: dict[str, Circuit]) -> None:
    with pytest.raises(ValueError, match="needs a power_mlp, found mlp_add"):
        topomod.normalized_margin(trained["mlp_add"])
    for call in (topomod.max_margin, topomod.max_margin_network):
        with pytest.raises(ValueError, match="odd p, found p = 8"):
            call(topomod.ModularAddition(p=8))
