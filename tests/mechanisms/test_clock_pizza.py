"""Mechanism metrics on constructed logits, and against published values on released networks."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import topomod
from topomod.mechanisms.clock_pizza import logit_distance_irrelevance
from topomod.networks.circuit import Circuit

# Published by Zhong et al. (arXiv 2306.17844) for their models A and B; correct / runner-up logit
PUBLISHED = {
    "p99zdpze5l": (0.993665, 0.171736, 0.2218, 0.997818, {3: 149, 15: 190, 17: 173}),
    "l8k1hzciux": (0.333638, 0.848260, 0.8849, 0.998907, {13: 180, 16: 184, 21: 122}),
}


@pytest.mark.parametrize("p", [59, 13])
def test_distance_irrelevance_of_pizza_and_clock(p: int) -> None:
    a, b, c = np.meshgrid(*[2 * np.pi * np.arange(p) / p] * 3, indexing="ij")
    clock = np.cos(a + b - c) + 0.5 * np.cos(3 * (a + b)) * (np.abs(np.sin((a + b - c) / 2)) < 1e-9)
    pizza = np.abs(np.cos((a - b) / 2)) * np.cos(a + b - c)
    assert logit_distance_irrelevance(clock) == pytest.approx(1, abs=1e-9)
    assert logit_distance_irrelevance(pizza) == pytest.approx(0, abs=1e-9)
    assert np.isnan(logit_distance_irrelevance(np.cos(a + b - c)))


LOGITS = np.random.default_rng(0).normal(size=(7, 7, 7)).astype(np.float32).astype(float)


@settings(max_examples=30)
@given(exponent=st.integers(-980, 1015), logit=st.sampled_from(["correct", "runner_up"]))
def test_logits_have_no_unit(exponent: int, logit: str) -> None:
    plain = logit_distance_irrelevance(LOGITS, logit)
    assert logit_distance_irrelevance(np.ldexp(LOGITS, exponent), logit) == plain
    size = 10.0 ** (0.3 * exponent)
    assert logit_distance_irrelevance(size * LOGITS, logit) == pytest.approx(plain, rel=1e-9)


@given(value=st.floats(-1e30, 1e30), dtype=st.sampled_from([np.float32, np.float64]), seed=st.integers(0, 99))
@settings(max_examples=30)
def test_logits_that_vary_by_rounding_alone_are_constant(value: float, dtype: type, seed: int) -> None:
    step = np.finfo(dtype).eps * np.random.default_rng(seed).uniform(-5, 5, (7, 7, 7))
    logits = (value * (1 + step)).astype(dtype)
    assert np.isnan(logit_distance_irrelevance(logits)) and np.isnan(logit_distance_irrelevance(logits, "runner_up"))


@pytest.mark.parametrize("logit", ["correct", "runner_up"])
def test_distance_irrelevance_depends_on_what_no_probability_does(logit: str) -> None:
    shift = np.random.default_rng(1).normal(size=(7, 7, 1))  # one number for each pair, added to all its logits
    moved = logit_distance_irrelevance(LOGITS + shift, logit)
    assert abs(moved - logit_distance_irrelevance(LOGITS, logit)) > 1e-3


@pytest.mark.parametrize("size", [2.0**-100, 2.0**-30, 2.0**30, 2.0**100])
def test_mechanisms_have_no_unit(trained: dict[str, Circuit], size: float) -> None:
    circuit = trained["mlp_concat"]

    def scaled(name: str) -> Circuit:
        return replace(circuit, weights=circuit.weights | {name: (circuit.weights[name] * size).astype(np.float32)})

    assert topomod.gradient_symmetricity(scaled("W_U")) == topomod.gradient_symmetricity(circuit)
    assert topomod.circularity(scaled("W_E")) == topomod.circularity(circuit)
    assert topomod.distance_irrelevance(scaled("W_U")) == pytest.approx(topomod.distance_irrelevance(circuit), rel=1e-5)


def test_an_embedding_of_one_point_has_no_circles(trained: dict[str, Circuit]) -> None:
    circuit = trained["mlp_add"]
    flat = np.full_like(circuit.weights["W_E"], 0.1)
    assert np.isnan(topomod.circularity(replace(circuit, weights=circuit.weights | {"W_E": flat})))


@pytest.mark.parametrize("p", [13, 59])
def test_logits_that_are_equal_but_for_cancelling_terms_are_constant(p: int) -> None:
    circuit = topomod.max_margin_network(topomod.ModularAddition(p=p))
    assert np.isnan(topomod.distance_irrelevance(circuit))
    assert np.isnan(topomod.distance_irrelevance(circuit, logit="runner_up"))


def test_mechanisms_of_trained_circuits(trained: dict[str, Circuit]) -> None:
    assert topomod.gradient_symmetricity(trained["mlp_add"]) == pytest.approx(1, abs=1e-6)
    assert abs(topomod.gradient_symmetricity(trained["mlp_concat"])) < 0.6
    with pytest.raises(ValueError, match="'correct' or 'runner_up', found 'best'"):
        topomod.distance_irrelevance(trained["mlp_add"], logit="best")


def test_mechanisms_need_a_symmetry() -> None:
    group = topomod.max_margin_network(topomod.GroupComposition("S3"))
    for measure in (topomod.distance_irrelevance, topomod.logit_fve):
        with pytest.raises(ValueError, match="learnt S3, which has no frequencies of two inputs"):
            measure(group)
    with pytest.raises(ValueError, match="has no embedding"):
        topomod.gradient_symmetricity(group)
    with pytest.raises(ValueError, match="learnt S3, which has no frequencies"):
        topomod.circularity(group)


@pytest.mark.parametrize("run", PUBLISHED)
def test_released_networks_have_their_published_values(released: Path, run: str) -> None:
    symmetricity, irrelevance, runner_up, circularity, groups = PUBLISHED[run]
    circuit = topomod.load_released(released / f"model_{run}.pt")
    assert circuit.converged and circuit.accuracy() == 1.0
    assert topomod.gradient_symmetricity(circuit) == pytest.approx(symmetricity, abs=1.5e-6)
    assert topomod.distance_irrelevance(circuit) == pytest.approx(irrelevance, abs=1e-6)
    assert topomod.distance_irrelevance(circuit, logit="runner_up") == pytest.approx(runner_up, abs=5e-5)
    assert topomod.circularity(circuit) == pytest.approx(circularity, abs=1e-6)
    found = topomod.group_neurons(circuit)
    assert {g.frequency: len(g.neurons) for g in found if g.order == 1} == groups
    assert sum(len(g.neurons) for g in found if g.order == 2) == (26 if run == "l8k1hzciux" else 0)
