"""Studies of networks that were trained elsewhere: every kind of file is a row, and wrong settings are refused."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import topomod
from stages import run_stages
from synthetic_study import DEFAULT, make_circuit
from topomod.networks.circuit import Circuit
from topomod.networks.circuit_file import load_circuits, read_header, save_circuits, save_networks
from topomod.study.check import check_study, parse_settings
from topomod.study.config import Comparison, Study
from topomod.study.groups import analyse_groups
from topomod.study.homology import analyse_homology
from topomod.study.read import read_network, read_shard
from topomod.study.shards import CIRCUITS, Shard, StudyFolder
from topomod.study.stored import check_stored
from topomod.study.yaml_files import StudyError

P = 13
TASK = topomod.ModularAddition(P)


def arrays(seed: int = 0, readout: bool = True, sign: int = 1) -> dict[str, np.ndarray]:
    """What a network of 24 cosines at frequency 2 computes on all pairs, as its owner would record it."""
    rng = np.random.default_rng(seed)
    angle, phase = 2 * np.pi * 2 * np.arange(P) / P, rng.uniform(0, 2 * np.pi, 24)
    neurons = np.cos(angle[:, None, None] + phase) + np.cos(sign * angle[None, :, None] + phase)
    pairs = angle[:, None] + sign * angle
    found = {"preactivations": neurons, "logits": np.cos(pairs[..., None] - angle)}
    return found | ({"readout": np.cos(2 * phase - angle[:, None])} if readout else {"activations": neurons**3})


def without_readout(seed: int = 0) -> dict[str, np.ndarray]:
    return arrays(seed, readout=False)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with three recorded networks in two folders."""
    monkeypatch.chdir(tmp_path)
    for name in ("one/a", "one/b", "two/a"):
        Path(name).parent.mkdir(exist_ok=True)
        np.savez(f"{name}.npz", **arrays(len(list(tmp_path.rglob("*.npz")))))
    return tmp_path


def study_of(**changes: Any) -> Study:
    own = {"study": "given", "p": P, "architectures": [], "networks": {"one": {"from": "one/*.npz"}}, "questions": []}
    controls = {"positive_control": None, "negative_control": None, "main_pair": None}
    return check_study(DEFAULT | own | controls | {"maturity": {"count": 0, "steps": [1]}} | changes)


def test_circuits_of_several_architectures_share_a_file(tmp_path: Path) -> None:
    path = tmp_path / CIRCUITS
    made = [
        make_circuit(name, seed, P) for seed, name in enumerate(["mlp_add", "attention_1.0", "mlp_add", "mlp_concat"])
    ]
    circuits = [replace(circuit, name="given@x", source=f"{circuit.seed}.pt") for circuit in made]
    save_networks(path, circuits)
    for circuit, again in zip(circuits, load_circuits(path), strict=True):
        assert replace(circuit, weights={}, history={}) == replace(again, weights={}, history={})
        assert all(np.array_equal(value, again.weights[name]) for name, value in circuit.weights.items())
    assert set(read_header(path)) == {"blocks"}
    with pytest.raises(ValueError, match="circuits in one file must share architecture, task, recipe and shapes"):
        save_circuits(path, circuits)


def test_every_kind_of_file_is_a_circuit_or_says_why_not(folder: Path) -> None:
    own = replace(make_circuit("mlp_add", 1, P), converged=True)
    save_circuits("own.safetensors", [own])
    save_circuits("several.safetensors", [own, replace(own, seed=2)])
    save_circuits("other.safetensors", [replace(make_circuit("mlp_add", 1, 11), converged=True)])
    np.savez("minus.npz", **arrays(sign=-1))
    np.savez("small.npz", preactivations=np.ones((5, 5, 3)), logits=np.ones((5, 5, 5)))
    np.savez("nan.npz", **(arrays() | {"logits": np.full((P, P, P), np.nan)}))
    Path("no_network.pt").write_bytes(b"nothing")
    reasons = {
        "one/a.npz": "",
        "own.safetensors": r"right on \d+\.\d% of pairs|",
        "several.safetensors": "holds 2 circuits; a study reads files of one network",
        "other.safetensors": "learnt addition mod 11; the study compares addition mod 13",
        "minus.npz": r"right on 7\.7% of pairs",
        "small.npz": r"logits have \(5, 5\) inputs and 5 columns; addition mod 13 needs \(13, 13\) and at least 13",
        "nan.npz": "logits holds NaN or infinite values; all must be finite",
        "no_network.pt": r"not a state dict that can be read safely \(.*\)",
        "missing.pt": "no model file at missing.pt|.*missing.pt.*",
    }
    for name, reason in reasons.items():
        circuit = read_network(Path(name), TASK)
        assert circuit.task == TASK and circuit.converged == (not circuit.reason), name
        assert pd.Series([circuit.reason]).str.fullmatch(reason).all(), (name, circuit.reason)
    assert read_network(Path("one/a.npz"), TASK, min_purity=1.01).reason == "purity 1.000 below 1.01"


def test_what_a_file_lacks_is_missing_in_its_rows_alone(folder: Path) -> None:
    np.savez("one/a.npz", **arrays(readout=False))
    shard = Shard.parse("given@one/00000-00001")
    read_shard(shard, [Path("one/a.npz"), Path("one/b.npz")], study_of().reading_settings(shard.label), Path(CIRCUITS))
    circuits = load_circuits(CIRCUITS)
    rows, groups, _ = analyse_groups(circuits, 10)
    assert list(rows["source"]) == ["one/a.npz", "one/b.npz"] and list(groups["frequency"]) == [2, 2]
    assert list(groups["logit_circle_cka"].isna()) == list(rows["readout_sum_r2"].isna()) == [True, False]
    labels, _ = analyse_homology(circuits, 10)
    assert list(zip(labels["seed"], labels["site"], strict=True)) == [
        (0, "preactivations"), (1, "preactivations"), (1, "logits"),
    ]  # fmt: skip
    with pytest.raises(StudyError, match="are 2 places of given@<name>, found 1 files"):
        read_shard(shard, [Path("one/a.npz")], study_of().reading_settings(shard.label), Path(CIRCUITS))


def test_names_of_networks_are_architectures(folder: Path) -> None:
    two = {"one": {"from": "one/*.npz"}, "two": {"from": "**/two/*.npz"}}
    study = study_of(
        architectures=["two", "mlp_add"], networks=two, main_pair=["one", "mlp_add"], negative_control="one"
    )
    assert study.architectures == ["given@two", "mlp_add", "given@one"]
    assert (study.main_pair, study.negative_control) == (("given@one", "mlp_add"), "given@one")
    assert [(str(s), study.files_of(s)) for s in study.shards() if s.label.given] == [
        ("given@two/00000-00000", ["two/a.npz"]), ("given@one/00000-00001", ["one/a.npz", "one/b.npz"]),
    ]  # fmt: skip
    assert study.compared_pair == ("mlp_add", "given@one") and not study.maturity_shards()
    assert parse_settings(Comparison, study.equivalence_settings()).networks == study.networks
    assert check_study(study.model_dump()) == study


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"networks": {"x": {"from": "x/*.npz"}}}, "networks.x: no file is named by 'x/[*].npz', seen from"),
        ({"networks": {"x": {"form": "one/*.npz"}}}, "key 'networks.x.from' is missing"),
        ({"networks": {"x": {"from": ["one/*.npz"]}}}, "key 'networks.x.from': input should be a valid string"),
        ({"networks": {"x": {"from": "one/*", "files": ["c"]}}}, "networks.x.files are not the 2 files named by 'one"),
        ({"networks": {"x": {"from": "one/*", "p": 7}}}, "networks.x are compared at p = 13, found p = 7"),
        ({"networks": {"x": {"from": "one/*", "task": "S77"}}}, "key 'networks.x': unknown group 'S77'"),
        ({"networks": {"x": {"from": "one/*", "task": "addition_3"}}}, "networks of two tokens are compared, found"),
        ({"networks": {"rnn": {"from": "one/*"}}}, "networks.rnn: rnn is the name of an architecture"),
        ({"networks": {"x": 3}}, "key 'networks.x': input should be a valid dictionary"),
        ({"networks": [1]}, "key 'networks': input should be a valid dictionary"),
        ({"architectures": ["given@y"]}, r"'given@y' names none of 'networks', which has \['one'\]"),
        ({"architectures": ["given"]}, "unknown architecture 'given'"),
        ({"architectures": ["one", "given@one"]}, "architectures must be distinct"),
        ({"architectures": ["power_mlp"]}, "architectures of one study are trained and measured alike"),
        ({"ablation": True}, "ablation is for networks that are trained here, found one"),
    ],
)
def test_wrong_settings_are_refused(folder: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(StudyError, match=message):
        study_of(**changes)


def test_a_study_of_recorded_networks_alone(folder: Path) -> None:
    """From files to the page; one population has no read-out, so that it has nothing at the logits."""
    for path in Path("two").iterdir():
        np.savez(path, **arrays(readout=False))
    study = study_of(networks={"one": {"from": "one/*"}, "two": {"from": "two/*"}}, main_pair=["one", "two"])
    results = StudyFolder(folder / "results")
    run_stages(study, results)
    page = results.report.read_text(encoding="utf-8")
    assert "given@one: 2 files were read" in page and "two/a.npz" in page
    check_stored(results, study)
    Path("one/a.npz").rename("one/c.npz")
    with pytest.raises(ValueError, match=r"its circuits were read by other settings: files is .*one/a.* in the study"):
        check_stored(results, study_of())


def test_a_circuit_without_a_source_has_no_column_of_it() -> None:
    rows, _, _ = analyse_groups([make_circuit("mlp_add", 1, P)], 10)
    assert "source" not in rows


def test_unread(tmp_path: Path) -> None:
    circuit: Circuit = read_network(tmp_path / "nothing.npz", TASK)
    assert circuit.reason.startswith("no file of activations") and not circuit.is_finite()
