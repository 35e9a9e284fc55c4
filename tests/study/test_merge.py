"""Two finished studies become one: circuits of both, once each, under one recipe and the same margins."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

from synthetic_study import make_circuit, make_study
from topomod.cli import app
from topomod.networks.circuit_file import load_circuits, save_circuits
from topomod.study.check import load_study
from topomod.study.config import Study
from topomod.study.merge import merge_studies
from topomod.study.read import read_shard
from topomod.study.shards import CIRCUITS, Shard, StudyFolder
from topomod.study.yaml_files import StudyError, yaml_text

NAMES = ["mlp_add", "attention_0.0"]


def study(name: str, first: int, architectures: list[str] = NAMES, **changes: Any) -> Study:
    plain = {"maturity": {"count": 0, "steps": [1]}, "main_pair": None, "seeds": {"first": first, "count": 3}}
    return make_study(architectures, 3, **(plain | {"study": name, "min_neurons": 10} | changes))


def write(folder: Path, made: Study) -> Path:
    """A study's YAML."""
    path = folder / f"{made.study}.yaml"
    settings = json.loads(made.report_settings())
    path.write_text(yaml_text(settings))
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two finished studies; in ``y`` seeds begin at 20, and there is another architecture."""
    place = tmp_path_factory.mktemp("merge")
    for made in (study("x", 0), study("y", 20, ["mlp_add", "mlp_concat"])):
        write(place, made)
        write_circuits(made, StudyFolder(place / "results" / made.study))
    shard = StudyFolder(place / "results" / "x").population(Shard.parse("attention_0.0/00000-00002"))
    pd.DataFrame({"any": [1]}).to_parquet(shard / "groups.parquet")
    return place


def write_circuits(made: Study, results: StudyFolder) -> None:
    """Circuits of a study that trains and reads; nothing is measured."""
    for shard in made.shards():
        path = results.population(shard) / CIRCUITS
        if shard.label.given:
            files = [Path(name) for name in made.files_of(shard)]
            read_shard(shard, files, made.reading_settings(shard.label), path)
        else:
            save_circuits(path, [make_circuit(str(shard.label), seed, made.p) for seed in shard.seeds])


def test_circuits_of_both_are_one_study(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    result = CliRunner().invoke(app, ["merge", "x.yaml", "y.yaml", "-o", "both.yaml"])
    assert result.exit_code == 0, result.output
    assert result.output == "both.yaml: 12 circuits. Run: snakemake --cores 2 --configfile both.yaml\n"
    merged, results = load_study("both.yaml"), StudyFolder(Path("results/both"))
    assert merged.architectures == ["mlp_add", "attention_0.0", "mlp_concat"]
    assert [str(shard) for shard in merged.shards()] == [
        "mlp_add/00000-00002",
        "mlp_add/00020-00022",
        "attention_0.0/00000-00002",
        "mlp_concat/00020-00022",
    ]
    seeds = [c.seed for s in merged.shards() for c in load_circuits(results.population(s) / CIRCUITS)]
    assert seeds == [0, 1, 2, 20, 21, 22, 0, 1, 2, 20, 21, 22]
    tables = [path.relative_to(results.root).as_posix() for path in results.root.rglob("*.parquet")]
    assert tables == ["population/attention_0.0/00000-00002/groups.parquet"]
    copied = results.population(merged.shards()[1]) / CIRCUITS
    original = Path("results/y/population/mlp_add/00020-00022") / CIRCUITS
    assert copied.read_bytes() == original.read_bytes() and copied.stat().st_mtime == original.stat().st_mtime
    with pytest.raises(StudyError, match=r"both\.yaml is there already"):
        merge_studies(Path("x.yaml"), Path("y.yaml"), Path("both.yaml"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"recipe": {"steps": 300, "lr": 0.02}}, r"recipe\.lr is 0\.01 in x\.yaml and 0\.02 in z\.yaml"),
        ({"p": 17}, r"p is 13 in x\.yaml and 17 in z\.yaml"),
        ({"min_neurons": 5}, r"min_neurons is 10 in x\.yaml and 5 in z\.yaml"),
        ({"alpha": 0.01}, r"alpha is 0\.05 in x\.yaml and 0\.01 in z\.yaml"),
        ({"seeds": {"first": 2, "count": 3}}, r"both have mlp_add of seed 2$"),
        ({"seeds": {"first": 0, "count": 2}}, r"both have mlp_add of seed 0, 1$"),
        ({}, r"z/population/mlp_add/00030-00032/circuits\.safetensors is not there; finish the study"),
    ],
)
def test_studies_that_do_not_agree_are_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], message: str
) -> None:
    monkeypatch.chdir(folder)
    write(folder, study("z", 30, **changes))
    with pytest.raises(StudyError, match=message) as caught:
        merge_studies(Path("x.yaml"), Path("z.yaml"), Path("xz.yaml"))
    assert not changes or "x.yaml and z.yaml do not merge: " in str(caught.value)
    assert not Path("xz.yaml").exists() and not Path("results/xz").exists()


def test_margins_must_agree_and_their_reasons_need_not(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    settings = yaml.safe_load(Path("y.yaml").read_text())
    for margin, message in ((0.1, "z/population"), (0.2, r"margins\.disc_cka is 0\.1 in x\.yaml and 0\.2 in z\.yaml")):
        margins = settings["margins"] | {"disc_cka": {"margin": margin, "reason": "another one"}}
        Path("z.yaml").write_text(yaml_text(settings | {"study": "z", "margins": margins}))
        with pytest.raises(StudyError, match=message):
            merge_studies(Path("x.yaml"), Path("z.yaml"), Path("xz.yaml"))


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        (
            {"mlp_add": ["00000-00004", "00004-00006"]},
            "blocks 00000-00004 and 00004-00006 of mlp_add both hold the seed 4",
        ),
        ({"mlp_add": ["4-2"]}, "seeds must be FIRST-LAST"),
        ({"mlp_concat": ["0-2"]}, "'mlp_concat' is not one of the study's architectures"),
        ({"mlp_ad": ["0-2"]}, "unknown architecture 'mlp_ad'"),
        ({"mlp_add": []}, "should have at least 1 item"),
    ],
)
def test_blocks_of_seeds_are_checked(blocks: dict[str, Any], message: str) -> None:
    with pytest.raises(StudyError, match=message):
        study("x", 0, seeds={"first": 0, "count": 3, "blocks": blocks})


def test_networks_of_both_are_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one name they are refused: it is not known whether they are the same."""
    monkeypatch.chdir(tmp_path)
    Path("one").mkdir()
    np.savez("one/a.npz", preactivations=np.eye(13)[:, :, None] + np.zeros(3), logits=np.zeros((13, 13, 13)))
    for name, own in (("x", "mine"), ("y", "yours"), ("z", "mine")):
        made = study(name, {"x": 0, "y": 5, "z": 9}[name], ["mlp_add"], networks={own: {"from": "one/*"}})
        write(tmp_path, made)
        if name != "z":
            write_circuits(made, StudyFolder(Path("results") / name))
    merged = merge_studies(Path("x.yaml"), Path("y.yaml"), Path("xy.yaml"))
    assert merged.architectures == ["mlp_add", "given@mine", "given@yours"]
    assert "files" not in yaml.safe_load(Path("xy.yaml").read_text())["networks"]["mine"]
    assert load_study("xy.yaml") == merged
    with pytest.raises(StudyError, match="x.yaml and z.yaml do not merge: both have networks of the name 'mine'"):
        merge_studies(Path("x.yaml"), Path("z.yaml"), Path("xz.yaml"))
