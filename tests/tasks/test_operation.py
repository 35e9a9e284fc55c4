"""Operations mod p: values, what is refused, and the symmetry that each one carries."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import topomod
from topomod.networks.circuit import Circuit
from topomod.neurons.features import neuron_features
from topomod.neurons.groups import groups_of_spectra
from topomod.neurons.layers import Layer, circuit_layers
from topomod.neurons.sites import ordered_cloud
from topomod.study.rows import group_columns
from topomod.tasks.catalogue import parse_task, task_from_description
from topomod.tasks.operation import primitive_root
from topomod.tasks.task import Task

SYMMETRIC = ("a + b", "a - b", "2 * a + 3 * b", "5 - a - 4 * b", "a * b", "a / b", "3 * a**5 * b")


def plain(operation: str, p: int) -> np.ndarray:
    """The same table, number by number; division by the inverse."""

    class Residue(int):
        def __truediv__(self, other: int) -> int:
            return int(self) * pow(int(other), -1, p)

    first = p - topomod.ModularOperation(operation, p).input_shape[0]
    code = compile(operation, "", "eval")
    numbers = [Residue(x) for x in range(first, p)]
    return np.array([[eval(code, {}, {"a": a, "b": b}) % p for b in numbers] for a in numbers])


@pytest.mark.parametrize(
    "operation",
    [
        "a + b",
        "a - b",
        "2 * a + 3 * b",
        "a * b",
        "a / b",
        "a**2 + b**2",
        "a**2 + a*b + b**2",
        "a**3 + a*b",
        "a / b + a",
    ],
)
def test_targets_are_the_values_of_the_expression(operation: str) -> None:
    for p in (13, 17):
        task = topomod.ModularOperation(operation, p)
        one_product = task.n_classes == p - 1
        assert np.array_equal(task.targets() + one_product, plain(operation, p))
        assert isinstance(task, Task) and task.targets().shape == task.input_shape
        assert 0 <= task.targets().min() and task.targets().max() < task.n_classes


def test_zero_is_left_out_where_it_has_no_inverse_or_no_logarithm() -> None:
    shapes = {"a + b": 13, "a * b": 12, "a / b": 12, "a / b + a": 12, "a**3 + a*b": 13, "a * b + 1": 13}
    for operation, n in shapes.items():
        assert topomod.ModularOperation(operation, 13).input_shape == (n, n)
    assert topomod.ModularOperation("a * b", 12).input_shape == (12, 12)  # 12 is no prime: 5 * 5 = 1, yet 3 * 4 = 0


@pytest.mark.parametrize("operation", SYMMETRIC)
@pytest.mark.parametrize("p", [13, 17])
def test_tasks_are_sums_of_the_numbers_of_their_tokens(operation: str, p: int) -> None:
    task = topomod.ModularOperation(operation, p)
    symmetry = task.symmetry
    assert symmetry is not None and not task.no_symmetry
    n, x = symmetry.n, np.arange(symmetry.n)
    sums = (symmetry.signs[0] * x[:, None] + symmetry.signs[1] * x) % n
    assert np.array_equal(symmetry.numbers(task.targets()), sums)
    waves = np.exp(2j * np.pi * np.outer(x, x) / n)[:, np.argsort(symmetry.tokens[0])]  # characters of the tokens
    assert np.allclose(waves @ waves.conj().T, n * np.eye(n))
    by_class = np.exp(2j * np.pi * np.outer(x, x) / n)[:, np.argsort(symmetry.classes)]
    b = np.exp(2j * np.pi * np.outer(x, x) / n)[:, np.argsort(symmetry.tokens[1])]
    signed = [wave if sign > 0 else wave.conj() for wave, sign in zip((waves, b), symmetry.signs, strict=True)]
    assert np.allclose(by_class[:, task.targets()], signed[0][:, :, None] * signed[1][:, None])  # chi(a b) = chi chi


def test_windings() -> None:
    found = {operation: topomod.ModularOperation(operation, 13).symmetry.windings for operation in SYMMETRIC}
    assert found == {
        "a + b": (1, 1),
        "a - b": (1, -1),
        "2 * a + 3 * b": (2, 3),
        "5 - a - 4 * b": (-1, -4),
        "a * b": (1, 1),
        "a / b": (1, -1),
        "3 * a**5 * b": (5, 1),
    }


def test_discrete_logarithms() -> None:
    symmetry = topomod.ModularOperation("a * b", 13).symmetry
    assert primitive_root(13) == 2 and symmetry.n == 12
    assert [token + 1 for token in symmetry.tokens[0]] == [pow(2, x, 13) for x in range(12)]


@pytest.mark.parametrize(
    ("operation", "p", "reason"),
    [
        ("a**3 + a*b", 13, "neither a weighted sum of a and b nor one product"),
        ("a**2 + b**2", 13, "neither a weighted sum"),
        ("a / b + a", 13, "neither a weighted sum"),
        ("a**2 * b", 13, "the exponents of a\\*\\*2 \\* b share a factor with p - 1 = 12"),
        ("2 * a + b", 12, "multiplies by shares a factor with p = 12"),
        ("a * b", 12, "neither a weighted sum"),
    ],
)
def test_other_operations_have_no_symmetry_and_say_why(operation: str, p: int, reason: str) -> None:
    task = topomod.ModularOperation(operation, p)
    assert task.symmetry is None and task.modulus is None and task.finite_group is None
    with pytest.raises(ValueError, match=reason):
        topomod.max_margin(task)
    n, m = task.input_shape[0], task.n_classes
    weights = {"W_E": np.eye(n), "W_in": np.ones((4, 2 * n)), "b_in": np.zeros(4), "W_U": np.ones((4, m))}
    with pytest.raises(ValueError, match=f"which has no frequencies of two inputs: .*{reason}"):
        topomod.group_neurons(Circuit("mlp_concat", task, weights))


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        ("a", "must depend on both a and b"),
        ("13 * a + b", "must depend on both a and b mod 13"),
        ("a + c", "holds 'c'"),
        ("a ^ b", "holds '\\^'"),
        ("__import__('os').system('true')", "holds '_'"),
        ("(a).b", "holds '.'"),
        ("a b", "is not an expression"),
        ("2a + b", "is not an expression"),
        ("a(b)", "holds 'a\\(b\\)'"),
        ("a // b", "holds 'a // b'"),
        ("a**b", "has the exponent 'b'"),
        ("a + b**-1", "has the exponent '-1'"),
        ("a + b**51", "has the exponent '51'; allowed are 0 to 50"),
        ("a + (b**50)**50", "has an exponent beyond 50"),
        ("a / (a + b)", "divides by a sum"),
        ("b / (a - a)", "divides by 0"),
        ("a + b / 26", "divides by 0"),
        ("", "must be a text of 1 to 200 letters"),
        ("a + b" * 50, "must be a text of 1 to 200 letters"),
    ],
)
def test_a_bad_expression_is_refused_in_one_sentence(operation: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"the operation .*{message}") as caught:
        topomod.ModularOperation(operation, 13)
    assert "\n" not in str(caught.value)


@given(st.text(alphabet="ab0123 +-*/()", max_size=30))
def test_any_text_is_an_operation_or_a_sentence(text: str) -> None:
    try:
        task = topomod.ModularOperation(text, 7)
    except ValueError as error:
        assert "\n" not in str(error).replace(repr(text), "")
    else:
        assert task_from_description(task.describe()) == task == parse_task(task.operation, 7)


def test_division_needs_a_prime_and_numbers_an_inverse() -> None:
    with pytest.raises(ValueError, match="divides, which needs a prime p, found p = 12"):
        topomod.ModularOperation("a / b", 12)
    with pytest.raises(ValueError, match="divides by 2, which has no inverse mod 12"):
        topomod.ModularOperation("a + b / 2", 12)
    with pytest.raises(ValueError, match="p must be an integer from 3 to 1024, found 1025"):
        topomod.ModularOperation("a + b", 1025)


@pytest.mark.parametrize("operation", SYMMETRIC)
def test_ideal_networks_are_grouped_and_wind_as_the_task(operation: str) -> None:
    """Networks of largest normalized margin: neurons of every frequency, tori before and circles after them."""
    task = topomod.ModularOperation(operation, 13)
    network, symmetry = topomod.max_margin_network(task), task.symmetry
    assert network.accuracy() == 1 and network.p == symmetry.n
    assert topomod.normalized_margin(network) == pytest.approx(topomod.max_margin(task), rel=1e-9)
    groups = topomod.group_neurons(network)
    assert [group.frequency for group in groups if group.order == 1] == list(range(1, math.ceil(symmetry.n / 2)))
    features = neuron_features(network)
    assert features.max_power == pytest.approx(1) and features.shared.all()
    assert np.allclose(features.phase_error[2 * features.frequency != symmetry.n], 0, atol=1e-6)
    layer = circuit_layers(network)[0]
    for group in groups:
        row = group_columns(layer, group)
        assert row["torus_cka"] == pytest.approx(1) and row["coordinate_circle_cka"] == pytest.approx(1)
        assert row["winding_is_sum"] == 1 and (row["winding_a"], row["winding_b"]) == symmetry.windings
    cloud, n = ordered_cloud(layer, groups[0], "logits")
    verdict = topomod.classify_manifold(cloud, p=n)
    assert verdict.label == "circle"
    turns = symmetry.turns(verdict.winding)
    assert turns in (symmetry.windings, tuple(-turn for turn in symmetry.windings))


def test_margins_are_those_of_the_cyclic_group() -> None:
    addition, group = topomod.ModularAddition(13), topomod.GroupComposition("C12")
    for operation in ("a + b", "a - b", "2 * a + 3 * b"):
        assert topomod.max_margin(topomod.ModularOperation(operation, 13)) == pytest.approx(
            topomod.max_margin(addition)
        )
    for operation in ("a * b", "a / b"):
        assert topomod.max_margin(topomod.ModularOperation(operation, 13)) == pytest.approx(topomod.max_margin(group))


def test_a_sum_is_addition_in_another_writing() -> None:
    task, addition = topomod.ModularOperation("a+b", 11), topomod.ModularAddition(11)
    assert np.array_equal(task.targets(), addition.targets()) and task.modulus == 11
    assert task.finite_group == addition.finite_group and task.operation == "a + b"
    product, table = topomod.ModularOperation("a * b", 11), topomod.CayleyTable
    assert table(product.targets()).finite_group is not None  # the units mod 11
    assert table(product.targets()).symmetry.tokens == product.symmetry.tokens  # both order them by powers of 2


def rows_of_a_disc(sign: int, p: int = 13) -> np.ndarray:
    """Neurons cos(t a + phase) + cos(sign t b + phase): those of a disc of a + sign b."""
    t, phase = 2 * np.pi * 3 * np.arange(p) / p, np.linspace(0, 2 * np.pi, 12, endpoint=False)
    return np.cos(t[:, None, None] + phase) + np.cos(sign * t[None, :, None] + phase)


@pytest.mark.parametrize(("operation", "sign"), [("a + b", 1), ("a - b", -1)])
def test_a_disc_of_a_difference_is_as_coherent_as_one_of_a_sum(operation: str, sign: int) -> None:
    values = rows_of_a_disc(sign)
    symmetry = topomod.ModularOperation(operation, 13).symmetry
    wave = np.exp(2j * np.pi * 3 * np.arange(13) / 13)
    answer = np.multiply.outer(wave, wave if sign > 0 else wave.conj())
    logits = (answer[:, :, None] * wave.conj()).real
    layer = Layer(values, np.maximum(values, 0), None, logits, symmetry)
    (group,) = groups_of_spectra(layer.spectra)
    row = group_columns(layer, group)
    assert group.coherence == pytest.approx(1) and row["disc_cka"] == pytest.approx(1)
    assert row["torus_distance"] <= 1 and row["winding_is_sum"] == 1
