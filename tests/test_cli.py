"""The real command in a real process: results, and one sentence where something is wrong."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import topomod

TRAIN = ["train", "--architecture", "mlp_add", "--seeds", "0-1", "--output", "x", "--settings"]


def topomod_command(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "topomod.cli", *map(str, arguments)], capture_output=True, text=True, timeout=300
    )


def test_train_groups_homology(tmp_path: Path) -> None:
    settings = json.dumps({"p": 13, "recipe": {"steps": 200, "max_steps": 300, "train_fraction": 0.9}})
    store = tmp_path / "circuits.safetensors"
    done = topomod_command(
        "train", "--architecture", "mlp_concat", "--seeds", "0-1", "--settings", settings, "--output", store
    )
    assert done.returncode == 0, done.stderr
    assert "mlp_concat seed 1 step" in done.stdout
    tables = {name: tmp_path / f"{name}.parquet" for name in ("circuits", "groups", "phases", "homology", "diagrams")}
    done = topomod_command(
        "groups", store, "--circuits-table", tables["circuits"], "--groups-table", tables["groups"],
        "--phases-table", tables["phases"],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    done = topomod_command(
        "homology", store, "--verdicts-table", tables["homology"], "--diagrams-table", tables["diagrams"]
    )
    assert done.returncode == 0, done.stderr
    circuits, groups, homology = (pd.read_parquet(tables[name]) for name in ("circuits", "groups", "homology"))
    assert circuits["seed"].tolist() == [0, 1] and (circuits["n_groups"] > 0).all()
    assert len(homology) == 2 * len(groups)
    assert set(homology["label"]) <= {"disc", "circle", "torus", "other", "uncertain"}
    circuit = topomod.load_circuit(store, index=1)
    assert circuit.accuracy() == circuits["accuracy"][1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "nowhere.yaml"], "topomod: nowhere.yaml: cannot be read"),
        (["train", "--architecture", "lstm", "--seeds", "0-1", "--output", "x"], "unknown architecture 'lstm'"),
        (["train", "--architecture", "mlp_add", "--seeds", "3", "--output", "x"], "seeds must be FIRST-LAST"),
        ([*TRAIN, '{"p": 5}'], "--settings needs recipe, found"),
        ([*TRAIN, '{"p": 5, "recipe": {"speed": 1}}'], "--settings: Recipe has no 'speed'; it has lr, weight_decay"),
        (
            ["homology", "none.safetensors", "--verdicts-table", "x", "--diagrams-table", "y"],
            "no circuit file at none.safetensors",
        ),
    ],
)
def test_wrong_input_is_one_sentence(arguments: list[str], message: str) -> None:
    done = topomod_command(*arguments)
    assert done.returncode == 2
    assert message in done.stderr and "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
