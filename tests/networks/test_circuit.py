"""What is written is read back; what is broken is refused with one sentence."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

import topomod
from topomod.networks.circuit import Circuit
from topomod.networks.circuit_file import load_circuits, save_circuits


def test_round_trip(tmp_path: Path, trained: dict[str, Circuit]) -> None:
    for name, circuit in trained.items():
        early = {key: values[:10] for key, values in circuit.history.items()}
        other = replace(circuit, seed=7, step=9, converged=False, reason="wrong on some pairs", history=early)
        path = tmp_path / f"{name}.safetensors"
        save_circuits(path, [circuit, other])
        first, second = load_circuits(path)
        assert replace(first, weights={}, history={}) == replace(circuit, weights={}, history={})
        assert second.seed == 7 and second.step == 9 and second.reason == other.reason
        assert np.array_equal(topomod.load_circuit(path, index=1).logits(), circuit.logits())
        assert np.array_equal(first.history["loss"], circuit.history["loss"])
        assert len(second.history["loss"]) == len(second.history["accurate"]) == 10
        assert [p.name for p in tmp_path.glob(".*")] == []


def test_shapes(trained: dict[str, Circuit]) -> None:
    circuit = trained["attention"]
    assert circuit.label == "attention_1.0"
    assert circuit.preactivations(layer=0).shape == (23, 23, 512)
    assert circuit.readout().shape == (23, 512)
    assert circuit.logits().shape == (23, 23, 23)
    with pytest.raises(IndexError, match="layers 0 to 0, asked for 1"):
        circuit.preactivations(layer=1)


def test_bad_files(tmp_path: Path, trained: dict[str, Circuit]) -> None:
    path = tmp_path / "x.safetensors"
    with pytest.raises(FileNotFoundError, match="no circuit file at"):
        load_circuits(path)
    save_circuits(path, [trained["mlp_add"]])
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"x\.safetensors is corrupt or truncated"):
        load_circuits(path)
    path.write_bytes(b"not a tensor file")
    with pytest.raises(ValueError, match="corrupt or truncated"):
        load_circuits(path)
    save_file({"x": np.zeros(2)}, path)
    with pytest.raises(ValueError, match="not a topomod circuit file"):
        load_circuits(path)
    save_file({"x": np.zeros(2)}, path, {"format": "topomod-circuits", "version": "99", "header": json.dumps({})})
    with pytest.raises(ValueError, match="is of version 99; this topomod reads version 1"):
        load_circuits(path)
    path.write_bytes(whole)
    with pytest.raises(IndexError, match="holds circuits 0 to 0, asked for 3"):
        topomod.load_circuit(path, index=3)


def test_one_file_holds_one_kind(tmp_path: Path, trained: dict[str, Circuit]) -> None:
    with pytest.raises(ValueError, match="share architecture"):
        save_circuits(tmp_path / "x", [trained["mlp_add"], trained["mlp_concat"]])
    with pytest.raises(ValueError, match="no circuits"):
        save_circuits(tmp_path / "x", [])
