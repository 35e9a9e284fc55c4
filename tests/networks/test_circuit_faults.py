"""A circuit file that is damaged or malformed is refused in one sentence that names it, whatever the fault."""

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

import topomod
from synthetic_study import make_circuit
from topomod.networks.circuit import Circuit
from topomod.networks.circuit_file import load_circuits, read_header, save_circuits
from topomod.networks.circuit_header import digest

Header = dict[str, Any]
Tensors = dict[str, np.ndarray]
LABELS = ["mlp_add", "mlp_concat", "attention_0.5"]


def parts(path: Path) -> tuple[Header, Tensors]:
    with safe_open(path, framework="numpy") as file:
        return json.loads(file.metadata()["header"]), {key: file.get_tensor(key) for key in file.keys()}


def write(path: Path, header: Any, tensors: Tensors, signed: bool = True) -> Path:
    """A file of any content; its digest is right, so that only the content itself can be refused."""
    text = json.dumps(header)
    metadata = {"format": "topomod-circuits", "version": "1", "header": text}
    save_file(tensors, path, metadata | ({"digest": digest(text, tensors)} if signed else {}))
    return path


def refusal(path: Path) -> str:
    with pytest.raises(ValueError) as caught:
        load_circuits(path)
    message = str(caught.value)
    assert str(path) in message and "\n" not in message
    return message


@pytest.fixture
def path(tmp_path: Path) -> Path:
    save_circuits(tmp_path / "c.safetensors", [make_circuit("attention_0.5", seed, 13) for seed in (0, 1)])
    return tmp_path / "c.safetensors"


def places(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in nested JSON."""
    found = [way] if way else []
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        found += places(part, (*way, key))
    return found


def at(header: Any, way: tuple[Any, ...]) -> Any:
    for key in way:
        header = header[key]
    return header


def test_every_key_of_the_header_is_needed(path: Path) -> None:
    header, tensors = parts(path)
    keys = [way for way in places(header) if isinstance(way[-1], str) and way != ("task", "k")]
    assert len(keys) > 20
    for *way, key in keys:
        changed = copy.deepcopy(header)
        del at(changed, tuple(way))[key]
        message = refusal(write(path, changed, tensors))
        assert key in message or way == ["task"]


def allowed_there(way: tuple[Any, ...], old: Any, value: Any) -> bool:
    """Values that may stand in a place: none at all for some, another one of the same kind elsewhere."""
    if value is None:
        return way[-1] in ("seed", "recipe")
    if way[-1] in ("reason", "name") and way[0] != "task":
        return isinstance(value, str)
    numbers = all(isinstance(each, int | float) and not isinstance(each, bool) for each in (old, value))
    return value is old or numbers or (way[-1] == "converged" and isinstance(value, bool))


def test_every_value_has_its_type(path: Path) -> None:
    header, tensors = parts(path)
    for way in places(header):
        for value in (None, True, "7", 2.5, -1, [], {}, [[1]], float("nan"), 10**30):
            if not allowed_there(way, at(header, way), value):
                changed = copy.deepcopy(header)
                at(changed, way[:-1])[way[-1]] = value
                assert refusal(write(path, changed, tensors)), (way, value)


def test_unknown_keys_are_named(path: Path) -> None:
    header, tensors = parts(path)
    for way in ((), ("recipe",), ("circuits", 0)):
        changed = copy.deepcopy(header)
        at(changed, way)["colour"] = "red"
        assert "'colour'" in refusal(write(path, changed, tensors))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda h, t: h.update(architecture="lstm"), "unknown architecture 'lstm'; known: mlp_add"),
        (lambda h, t: h.update(architecture="mlp_add"), "mlp_add takes no attention_rate, found 0.5"),
        (lambda h, t: h.update(attention_rate=1.5), "attention_rate of attention must be a number from 0 to 1"),
        (lambda h, t: h["task"].update(name="sorting"), "unknown task 'sorting'"),
        (lambda h, t: h["task"].update(p=17), "needs \\(17, 4\\)"),
        (lambda h, t: h["task"].update(p=1000), "has shape \\(13, 4\\)"),
        (lambda h, t: h["circuits"].pop(), "does not hold 1 circuits"),
        (lambda h, t: h["circuits"].append(h["circuits"][0]), "does not hold 3 circuits"),
        (lambda h, t: h["circuits"][0].update(seed=2**63), "seed of circuit 0 must be an integer from 0 to"),
        (lambda h, t: t.pop("weights/W_in"), "missing in the weights of attention: W_in"),
        (lambda h, t: t.update({"weights/b_U": np.zeros((2, 13), np.float32)}), "unknown key 'b_U'"),
        (lambda h, t: t.update({"weights/W_in": t["weights/W_in"][:, :, :-1].copy()}), "W_in has shape \\(48, 3\\)"),
        (lambda h, t: t.update({"weights/W_E": t["weights/W_E"].astype(np.float16)}), "W_E is float16; allowed"),
        (lambda h, t: t.update({"weights/W_E": t["weights/W_E"].astype(np.int64)}), "W_E is int64; allowed: float32"),
        (lambda h, t: t.update({"history/loss": t["history/loss"][:, :, None]}), "one row for each circuit"),
        (lambda h, t: t.update({"history/loss": np.zeros(())}), "does not hold 2 circuits"),
        (lambda h, t: t.update({"other": np.zeros(2)}), "unknown tensor 'other'"),
    ],
)
def test_what_does_not_fit_is_named(path: Path, change: Callable[[Header, Tensors], Any], message: str) -> None:
    header, tensors = parts(path)
    change(header, tensors)
    with pytest.raises(ValueError, match=message):
        load_circuits(write(path, header, tensors))
    with pytest.raises(ValueError, match=message):
        read_header(path)


@pytest.mark.parametrize("header", [[], None, "x", 3])
def test_a_header_that_is_no_mapping(path: Path, header: Any) -> None:
    assert "the header must hold keys and values" in refusal(write(path, header, parts(path)[1]))


def test_a_header_that_is_no_json(path: Path) -> None:
    tensors = parts(path)[1]
    for text in ("", "{", "[" * 100_000, "9" * 10_000):
        save_file(tensors, path, {"format": "topomod-circuits", "version": "1", "header": text})
        refusal(path)


def test_a_declared_shape_beyond_the_file_is_refused(path: Path) -> None:
    whole = path.read_bytes()
    length = int.from_bytes(whole[:8], "little")
    declared = json.loads(whole[8 : 8 + length])
    for shape in ([2, 10**9, 4], [2, 2**62, 2**62], [2, -1, 4]):
        declared["weights/W_E"]["shape"] = shape
        text = json.dumps(declared).encode()
        path.write_bytes(len(text).to_bytes(8, "little") + text + whole[8 + length :])
        refusal(path)
    path.write_bytes((2**62).to_bytes(8, "little") + whole[8:])
    refusal(path)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_only_a_circuit_that_is_not_converged_may_have_nan(tmp_path: Path, value: float) -> None:
    circuit = make_circuit("mlp_add", 1, 13)
    broken = replace(circuit, weights=circuit.weights | {"W_U": np.full_like(circuit.weights["W_U"], value)})
    path = tmp_path / "c.safetensors"
    save_circuits(path, [circuit, replace(broken, converged=False, reason="diverged")])
    assert not load_circuits(path)[1].is_finite()
    header, tensors = parts(path)
    header["circuits"][1]["converged"] = True
    assert "weights/W_U of circuit 1 is not finite" in refusal(write(path, header, tensors))


def test_a_file_without_a_digest_is_read_as_before(path: Path) -> None:
    before = load_circuits(path)
    after = load_circuits(write(path, *parts(path), signed=False))
    for one, other in zip(before, after, strict=True):
        assert replace(one, weights={}, history={}) == replace(other, weights={}, history={})
        assert all(np.array_equal(one.weights[name], other.weights[name]) for name in one.weights)


@pytest.mark.parametrize("name", ["mlp_add", "mlp_add_two_layers", "transformer", "transformer_causal"])
def test_a_network_of_others_is_run_on_its_shapes(tmp_path: Path, name: str) -> None:
    circuit = imported(name)
    path = tmp_path / "c.safetensors"
    save_circuits(path, [circuit])
    assert np.array_equal(topomod.load_circuit(path).logits(), circuit.logits())
    header, tensors = parts(path)
    for key, values in tensors.items():
        write(path, header, {other: value for other, value in tensors.items() if other != key})
        assert key.removeprefix("weights/") in refusal(path) or name.startswith("transformer")
        write(path, header, tensors | {key: np.concatenate([values] * 5, axis=-1)})
        refusal(path)


def imported(name: str) -> Circuit:
    """A network without a recipe."""
    p, d, m = 5, 4, 6
    shapes: dict[str, tuple[int, ...]] = {"W_E": (p, d), "W_in": (m, d), "b_in": (m,)}
    if name == "mlp_add":
        shapes |= {"W_U": (m, p)}
    elif name.startswith("mlp"):
        shapes |= {"W_in_1": (m, m), "b_in_1": (m,), "W_U": (m, p)}
    else:
        shapes = {"W_E": (p, d), "W_eq": (d,), "W_pos": (3, d), "W_U": (d, p), "W_in": (m, d), "b_in": (m,)}
        shapes |= {"W_out": (d, m), "b_out": (d,)} | {f"W_{x}": (2, 2, d) for x in "QKV"} | {"W_O": (2, d, 2)}
    rng = np.random.default_rng(0)
    weights = {key: rng.standard_normal(shape).astype(np.float32) for key, shape in shapes.items()}
    rate = 1.0 if name.startswith("transformer") else None
    return Circuit(name, topomod.ModularAddition(p), weights, attention_rate=rate)


def test_what_could_not_be_read_is_not_written(tmp_path: Path) -> None:
    circuit = make_circuit("mlp_add", 1, 13)
    for weights in (
        circuit.weights | {"b_U": np.zeros(13, np.float32)},
        circuit.weights | {"W_in": circuit.weights["W_in"].T.copy()},
        circuit.weights | {"W_in": circuit.weights["W_in"].astype(np.float16)},
    ):
        with pytest.raises(ValueError, match=r"c\.safetensors: "):
            save_circuits(tmp_path / "c.safetensors", [replace(circuit, weights=weights)])
    assert list(tmp_path.iterdir()) == []


def test_fuzz(tmp_path: Path) -> None:
    """Bits flipped, bytes lost, repeated, overwritten: never another error, never another circuit."""
    rng = np.random.default_rng(0)
    path, accepted = tmp_path / "c.safetensors", 0
    for label in LABELS:
        circuits = [make_circuit(label, seed, 13, step=20) for seed in (0, 1)]
        save_circuits(path, circuits)
        whole = path.read_bytes()
        start = 8 + int.from_bytes(whole[:8], "little")
        for trial in range(150):
            path.write_bytes(mutation(rng, whole, start if trial % 2 else len(whole), trial % 5))
            try:
                found = load_circuits(path)
            except (ValueError, FileNotFoundError) as error:
                assert path.name in str(error) and "\n" not in str(error)
                continue
            accepted += 1
            for one, other in zip(circuits, found, strict=True):
                assert replace(one, weights={}, history={}) == replace(other, weights={}, history={})
                assert one.weights.keys() == other.weights.keys()
                assert all(np.array_equal(one.weights[name], other.weights[name]) for name in one.weights)
    assert accepted < 20


def mutation(rng: np.random.Generator, whole: bytes, end: int, kind: int) -> bytes:
    """One of five kinds of damage to the first ``end`` bytes."""
    where, changed = int(rng.integers(end)), bytearray(whole)
    if kind < 2:
        changed[where] ^= 1 << int(rng.integers(8))
    elif kind == 2:
        return whole[:where]
    elif kind == 3:
        changed[where : where + 8] = rng.bytes(8)
    else:
        changed[where:where] = whole[where : where + int(rng.integers(1, 40))]
    return bytes(changed)


def test_every_flipped_weight_is_refused(path: Path) -> None:
    whole = path.read_bytes()
    start = 8 + int.from_bytes(whole[:8], "little")
    rng = np.random.default_rng(1)
    for where in rng.integers(start, len(whole), size=100):
        changed = bytearray(whole)
        changed[where] ^= 1 << int(rng.integers(8))
        path.write_bytes(bytes(changed))
        with pytest.raises(ValueError, match=r"c\.safetensors is damaged|has shape|is corrupt"):
            load_circuits(path)
