"""Similarities against their exact values and invariances."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist

import topomod
from topomod.networks.circuit import Circuit
from topomod.neurons.references import reference_manifold
from topomod.neurons.similarity import linear_cka, rsm_similarity, top_variance

SHAPES = {shape: reference_manifold(shape, 59, 7) for shape in ("disc", "torus", "circle")}


def test_exact_values_between_references() -> None:
    assert linear_cka(SHAPES["disc"], SHAPES["torus"]) == pytest.approx(2**-0.5, abs=1e-12)
    assert linear_cka(SHAPES["disc"], SHAPES["circle"]) == pytest.approx(0, abs=1e-12)
    assert linear_cka(SHAPES["torus"], SHAPES["circle"]) == pytest.approx(0, abs=1e-12)
    assert rsm_similarity(SHAPES["disc"], SHAPES["torus"]) == pytest.approx(0.577129, abs=1e-6)


def test_pizza_logits_against_the_circle() -> None:
    angle = 2 * np.pi * 7 * np.arange(59) / 59
    a, b = np.meshgrid(angle, angle, indexing="ij")
    z = (np.abs(np.cos((a - b) / 2)) * np.exp(1j * (a + b))).ravel()
    assert linear_cka(np.stack([z.real, z.imag], 1), SHAPES["circle"]) == pytest.approx(0.8108, abs=5e-5)


def test_rsm_is_the_pearson_correlation_of_all_distances() -> None:
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((40, 5)), rng.standard_normal((40, 3))
    X[:, 0] += 2 * Y[:, 0]
    wanted = np.corrcoef(pdist(X, "sqeuclidean"), pdist(Y, "sqeuclidean"))[0, 1]
    assert rsm_similarity(X, Y) == pytest.approx(wanted, rel=1e-10)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10**6), scale=st.floats(1e-2, 1e2), shift=st.floats(-10, 10))
def test_similarities_ignore_rotation_scale_and_shift(seed: int, scale: float, shift: float) -> None:
    rng = np.random.default_rng(seed)
    X, Y = rng.standard_normal((30, 4)), rng.standard_normal((30, 6))
    rotation = np.linalg.qr(rng.standard_normal((4, 4)))[0]
    moved = scale * X @ rotation + shift
    assert linear_cka(moved, Y) == pytest.approx(linear_cka(X, Y), rel=1e-8)
    assert rsm_similarity(moved, Y) == pytest.approx(rsm_similarity(X, Y), rel=1e-6, abs=1e-8)
    assert top_variance(moved, 2) == pytest.approx(top_variance(X, 2), rel=1e-8)
    assert 0 <= linear_cka(X, Y) <= 1


def test_constant_clouds_have_no_similarity() -> None:
    flat = np.ones((10, 3))
    assert np.isnan(linear_cka(flat, np.eye(10)[:, :3]))
    assert np.isnan(rsm_similarity(flat, np.eye(10)[:, :3]))
    assert np.isnan(top_variance(flat, 2))


def test_bad_input() -> None:
    with pytest.raises(ValueError, match="unknown shape 'sphere'; known shapes: disc, circle, torus"):
        reference_manifold("sphere", 7)
    with pytest.raises(ValueError, match="same rows"):
        linear_cka(np.eye(3), np.eye(4))


def test_manifolds_of_a_trained_circuit(trained: dict[str, Circuit]) -> None:
    circuit = trained["mlp_concat"]
    group = max(topomod.group_neurons(circuit), key=lambda g: g.power)
    X = topomod.manifold(circuit, group)
    assert X.shape == (23 * 23, len(group.neurons))
    assert linear_cka(X, reference_manifold("torus", 23, group.frequency)) > 0.9
    logits = topomod.manifold(circuit, group, site="logits")
    assert logits.shape == (23 * 23, 23)
    with pytest.raises(
        ValueError, match="unknown site 'hidden'; known sites: preactivations, activations, logits, readout"
    ):
        topomod.manifold(circuit, group, site="hidden")


def test_group_logits_of_all_neurons_sum_to_the_logits(trained: dict[str, Circuit]) -> None:
    circuit = trained["mlp_add"]
    whole = np.maximum(circuit.preactivations(), 0) @ circuit.readout().T
    assert np.allclose(whole, circuit.logits(), atol=1e-3)
