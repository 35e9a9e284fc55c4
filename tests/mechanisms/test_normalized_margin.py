"""The closed forms and the linear program, the networks that attain them, and what spoils them."""

from dataclasses import replace

import numpy as np
import pytest

import topomod
from topomod.networks.circuit import Circuit
from topomod.tasks.irrep_strengths import margin_of_strengths

# (k, p, neurons, largest margin)
ADDITION = [
    (2, 7, 24, 1.714481666245e-02),
    (2, 9, 32, 2 * 2 / (6**1.5 * 8 * 3)),
    (2, 11, 40, 8.206099398622e-03),
    (2, 13, 48, 6.290427967470e-03),
    (2, 59, 232, 6.109126476468e-04),
    (3, 7, 96, 4.464285714286e-03),
    (3, 11, 160, 1.704545454545e-03),
    (3, 13, 192, 1.201923076923e-03),
    (4, 5, 256, 3.394112549695e-03),
    (4, 7, 384, 1.365975553525e-03),
    (4, 11, 640, 4.160564025799e-04),
    (5, 5, 1024, 1.388888888889e-03),
]
# (n, k, neurons, largest margin)
PARITY = [
    (6, 1, 1, 0.707106781187),
    (4, 2, 2, 0.544331053952),
    (5, 3, 4, 0.530330085890),
    (10, 4, 8, 0.607157310752),
    (7, 5, 16, 0.785674201318),
]
# (group, neurons, largest margin, complex irreps as (dimension, 1 if real else 2)); A5 has its own test
GROUPS = [
    ("S3", 18, 2.3604969310e-02, [(2, 1), (1, 1)]),
    ("S4", 126, 2.0766479960e-03, [(3, 1), (2, 1), (3, 1), (1, 1)]),
    ("S5", 1190, 1.3259774900e-04, [(4, 1), (5, 1), (6, 1), (5, 1), (4, 1), (1, 1)]),
    ("D5", 34, 9.8846033183e-03, [(1, 1), (2, 1), (2, 1)]),
    ("D6", 38, 7.7625662922e-03, [(1, 1)] * 3 + [(2, 1)] * 2),
    ("D7", 50, 5.7243004248e-03, [(1, 1)] + [(2, 1)] * 3),
    ("C7", 24, 1.7144816662e-02, [(1, 2)] * 6),
    ("C8", 26, 1.4346729224e-02, [(1, 1)] + [(1, 2)] * 6),
    ("C11", 40, 8.2060993986e-03, [(1, 2)] * 10),
    ("Q8", 70, 1.2371160317e-02, [(1, 1)] * 3 + [(2, 2)]),
    ("A4", 62, 6.0331111789e-03, [(1, 2), (1, 2), (3, 1)]),
]
PRINTED = {"C7": 2.4246e-02, "C11": 1.1605e-02, "C8": 1.9440e-02, "Q8": 1.5720e-02, "A4": 6.3173e-03}


def attains(task: object, n_neurons: int, value: float, digits: float = 1e-10) -> None:
    network = topomod.max_margin_network(task)
    assert len(network.weights["W_in"]) == len(network.weights["W_U"]) == n_neurons
    assert network.accuracy() == 1.0
    assert topomod.max_margin(task) == pytest.approx(value, rel=digits)
    assert topomod.normalized_margin(network) == pytest.approx(topomod.max_margin(task), rel=1e-10)


@pytest.mark.parametrize(("k", "p", "n_neurons", "value"), ADDITION)
def test_addition(k: int, p: int, n_neurons: int, value: float) -> None:
    attains(topomod.ModularAddition(p, k), n_neurons, value)


@pytest.mark.parametrize(("n", "k", "n_neurons", "value"), PARITY)
def test_parity(n: int, k: int, n_neurons: int, value: float) -> None:
    attains(topomod.SparseParity(n, k), n_neurons, value)


@pytest.mark.parametrize(("name", "n_neurons", "value", "irreps"), GROUPS)
def test_groups(name: str, n_neurons: int, value: float, irreps: list[tuple[int, int]]) -> None:
    task = topomod.GroupComposition(name)
    attains(task, n_neurons, value)
    formula = 2 / (3 * np.sqrt(3 * task.order)) / sum(np.sqrt(eps) * d**2.5 for d, eps in irreps)
    assert topomod.max_margin(task) == pytest.approx(formula, rel=1e-10)


def test_the_linear_program_leaves_out_an_irrep_of_a5() -> None:
    task = topomod.GroupComposition("A5")
    attains(task, 236, 4.3157089877e-04)
    assert topomod.irrep_strengths(task) == {"1": 0.0, "3": 1.0, "3'": 1.0, "4": 0.5, "5": 0.0}


@pytest.mark.parametrize("name", PRINTED)
def test_the_printed_group_formula_is_too_large_without_real_irreps(name: str) -> None:
    assert topomod.max_margin(topomod.GroupComposition(name)) < 0.96 * PRINTED[name]


@pytest.mark.parametrize("p", [7, 9, 11])
def test_cyclic_groups_are_modular_addition(p: int) -> None:
    cyclic, addition = topomod.GroupComposition(f"C{p}"), topomod.ModularAddition(p)
    assert topomod.max_margin(cyclic) == pytest.approx(topomod.max_margin(addition), rel=1e-12)
    network = replace(topomod.max_margin_network(cyclic), task=addition)
    assert topomod.normalized_margin(network) == pytest.approx(topomod.max_margin(addition), rel=1e-10)


def test_even_cyclic_groups() -> None:
    for n in (4, 8, 10):
        formula = 2 / (3 * np.sqrt(3 * n) * (1 + np.sqrt(2) * (n - 2)))
        assert topomod.max_margin(topomod.GroupComposition(f"C{n}")) == pytest.approx(formula, rel=1e-12)


def test_all_margins_of_an_optimum_are_equal() -> None:
    task = topomod.ModularAddition(7, 3)
    logits = topomod.max_margin_network(task).logits()
    classes = task.targets()[..., None]
    gaps = np.take_along_axis(logits, classes, axis=-1) - logits
    np.put_along_axis(gaps, classes, gaps.max(), axis=-1)
    assert np.ptp(gaps) < 1e-12 * gaps.max()


def ratio(network: Circuit, **weights: np.ndarray) -> float:
    return topomod.normalized_margin(replace(network, weights=network.weights | weights)) / topomod.max_margin(
        network.task
    )


def test_dropping_a_frequency_or_breaking_the_phase_rule_costs_margin() -> None:
    network = topomod.max_margin_network(topomod.ModularAddition(p=11))
    W_in, W_U = network.weights["W_in"], network.weights["W_U"]
    assert ratio(network, W_in=W_in[8:], W_U=W_U[8:]) == pytest.approx(0.8047, abs=5e-5)
    broken = W_U.copy()
    broken[::8] = np.roll(broken[::8], 1, axis=1)
    assert ratio(network, W_U=broken) == pytest.approx(-1.0000, abs=5e-5)


def test_memorising_is_right_everywhere_with_little_margin() -> None:
    task = topomod.ModularAddition(p=11)
    one_hot = np.eye(11)
    a, b = np.indices((11, 11)).reshape(2, -1)
    signs = np.repeat([[1.0], [-1.0]], 121, axis=0)
    a, b = np.tile(a, 2), np.tile(b, 2)
    weights = {
        "W_in": np.concatenate([one_hot[a], signs * one_hot[b]], axis=1),
        "W_U": signs * one_hot[(a + b) % 11],
    }
    network = Circuit("power_mlp", task, weights)
    assert network.accuracy() == 1.0
    assert topomod.normalized_margin(network) == pytest.approx(4 / (2 * 3**1.5 * 121), rel=1e-10)
    assert ratio(network) == pytest.approx(0.3876, abs=5e-5)


@pytest.mark.parametrize(("eps", "expected"), [(0.05, 0.949), (0.2, 0.784)])
def test_weight_off_the_support_costs_margin(eps: float, expected: float) -> None:
    network = topomod.max_margin_network(topomod.SparseParity(n=5, k=3))
    W_in = network.weights["W_in"].copy()
    W_in[:, 3] = eps
    assert ratio(network, W_in=W_in) == pytest.approx(expected, abs=5e-4)


def test_equal_strengths_are_not_best_for_a5() -> None:
    """The network of all irreps with strengths D, optimal where the condition holds, loses to the program's."""
    irreps = topomod.real_irreps(topomod.GroupComposition("A5"))[1:]
    D = np.array([irrep.real_dimension for irrep in irreps])
    every = 2 / (3 * np.sqrt(3 * 60)) / np.sum(D**2.5)
    assert every == pytest.approx(4.1729071e-04, rel=1e-7)
    assert every < topomod.max_margin(topomod.GroupComposition("A5"))


@pytest.mark.parametrize("task", [topomod.ModularAddition(7, 3), topomod.SparseParity(4, 2)])
def test_scale_does_not_matter(task: object) -> None:
    network = topomod.max_margin_network(task)
    tripled = {name: 3 * value for name, value in network.weights.items()}
    assert ratio(network, **tripled) == pytest.approx(1, rel=1e-10)


def test_relu_networks_have_a_margin_of_degree_two() -> None:
    """max(a, 0) - max(-a, 0) is a: parity of one sign, margin 2 |a| over 2 neurons of squared norm 1 + 2."""
    weights = {"W_in": np.array([[1.0], [-1.0]]), "W_U": np.array([[1.0, -1.0], [-1.0, 1.0]])}
    network = Circuit("relu_mlp", topomod.SparseParity(1, 1), weights)
    assert topomod.normalized_margin(network) == pytest.approx(2 / 6, rel=1e-12)


def test_refusals(trained: dict[str, Circuit]) -> None:
    with pytest.raises(ValueError, match="needs a power_mlp or relu_mlp, found mlp_add"):
        topomod.normalized_margin(trained["mlp_add"])
    for call in (topomod.max_margin, topomod.max_margin_network):
        with pytest.raises(ValueError, match=r'odd p, found p = 8; GroupComposition\("C8"\) has one'):
            call(topomod.ModularAddition(p=8))
        with pytest.raises(ValueError, match="odd p, found p = 6$"):
            call(topomod.ModularAddition(6, 3))


@pytest.mark.parametrize("name", ["S4", "A5", "A4"])
def test_strengths_with_regularisation_tend_to_the_limit(name: str) -> None:
    """The ratio of margins rises, with the logarithm of the regularisation only."""
    task = topomod.GroupComposition(name)
    best = topomod.max_margin(task)
    ratios = [
        margin_of_strengths(task, topomod.irrep_strengths(task, 10.0**power)) / best for power in (-5, -10, -20, -40)
    ]
    assert ratios == sorted(ratios) and 0.9 < ratios[0] and 0.99 < ratios[-1] < 1


def test_strengths_of_one_dimension_need_no_limit() -> None:
    task = topomod.GroupComposition("C7")
    assert topomod.irrep_strengths(task, 1e-3) == pytest.approx(topomod.irrep_strengths(task), abs=1e-6)


def test_too_strong_a_regularisation_learns_nothing() -> None:
    task = topomod.GroupComposition("S3")
    assert set(topomod.irrep_strengths(task, 1.0).values()) == {0.0}
    assert np.isnan(margin_of_strengths(task, topomod.irrep_strengths(task, 1.0)))
    with pytest.raises(ValueError, match="regularization must not be negative, found -1"):
        topomod.irrep_strengths(task, -1.0)
