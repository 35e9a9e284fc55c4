"""Networks that are described: tables with known answers, the real pipeline on small versions of the real studies."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

import topomod
from topomod.networks.circuit import Circuit
from topomod.networks.labels import Label, written_names
from topomod.study.check import load_study
from topomod.study.describe import measure_rows, measure_table
from topomod.study.measure import measure_circuits
from topomod.study.measure_catalogue import MEASURES
from topomod.study.systems import MEASURED_TABLES, SYSTEMS
from topomod.study.tables import read_tables

ROOT = Path(__file__).resolve().parents[2]
STUDIES = ("addition_k", "parity", "finite_groups", "transformers_k", "rnn")
SHORT: dict[str, dict[str, Any]] = {
    "addition_k": {"margin_recipe": {"steps": 30, "width": 20}, "architectures": ["power_mlp@k3", "relu_mlp@k2"]},
    "parity": {"margin_recipe": {"steps": 30}, "architectures": ["power_mlp@n10_k3", "power_mlp@n8_k5"]},
    "finite_groups": {"margin_recipe": {"steps": 30}, "architectures": ["power_mlp@S3", "power_mlp@Q8"]},
    "transformers_k": {
        "recipe": {"steps": 20, "max_steps": 30},
        "network": {"d_model": 16, "d_mlp": 32},
        "architectures": ["sequence_transformer@k3", "sequence_transformer@k4"],
    },
    "rnn": {
        "p": 11,
        "recipe": {"steps": 150, "max_steps": 150, "min_purity": 0.1, "train_fraction": 0.9},
        "network": {"d_mlp": 128},
        "architectures": ["rnn", "attention_0.0"],
        "positive_control": None,
        "seeds": {"counts": {"rnn": 2}},
    },
}


def test_systems_of_labels() -> None:
    assert [
        Label.parse(label).record.system for label in ("rnn", "attention_0.5", "relu_mlp@x", "sequence_transformer")
    ] == [
        "pairs",
        "pairs",
        "margins",
        "sequences",
    ]
    assert written_names("pairs") == ("mlp_add", "mlp_concat", "rnn", "attention_<rate>")
    assert {name for system in SYSTEMS for name in written_names(system)} == set(written_names())


def test_the_network_of_largest_margin_has_every_feature_of_theory() -> None:
    found = measure_circuits([topomod.max_margin_network(topomod.ModularAddition(p=7, k=3))])
    assert tuple(found) == MEASURED_TABLES and found["irreps"].empty and found["curves"].empty
    row = found["measures"].iloc[0]
    assert row["margin_ratio"] == pytest.approx(1, rel=1e-10) and row["accuracy"] == 1
    assert row["single_frequency_share"] == row["shared_frequency"] == 1 and row["n_frequencies"] == 3
    assert row["phase_error"] == pytest.approx(0, abs=1e-7)
    assert found["neurons"].groupby("feature").size().tolist() == [32, 32, 32]


def test_a_group_has_a_table_of_irreps() -> None:
    irreps = measure_circuits([topomod.max_margin_network(topomod.GroupComposition("A5"))])["irreps"]
    share = irreps.set_index("irrep")["share"]
    np.testing.assert_allclose(share, irreps["limit_share"], atol=1e-9)
    assert share["5"] == pytest.approx(0, abs=1e-12) and share.sum() == pytest.approx(1)


def test_a_regularisation_that_kills_everything_has_no_shares() -> None:
    network = topomod.max_margin_network(topomod.GroupComposition("S3"))
    recipe = topomod.MarginRecipe(regularization_first=1.0, regularization_last=1.0)
    irreps = measure_circuits([replace(network, recipe=recipe)])["irreps"]
    assert irreps["expected_share"].isna().all() and irreps["limit_share"].sum() == pytest.approx(1)


def test_other_circuits_are_refused(trained: dict[str, Circuit]) -> None:
    with pytest.raises(ValueError, match="mlp_add is measured by the stages groups and homology"):
        measure_circuits([trained["mlp_add"]])


def test_measures_have_means_over_converged_circuits() -> None:
    circuits = pd.DataFrame({"architecture": "a", "converged": [True, True, False], "n_dead": [1.0, 3.0, 50.0]})
    table = measure_table(circuits.assign(n_dead_untrained=7.0, other=0.0))
    assert len(table) == 1 and table["n"][0] == 2 and table["mean"][0] == 2 and table["untrained"][0] == 7
    assert table["ci_low"][0] < 1 and (table["least"][0], table["most"][0]) == (1, 3)
    fixed = measure_table(circuits.assign(expected_margin_ratio=1.0, shared_frequency=1.0)).set_index("measure")
    assert tuple(fixed.loc["expected_margin_ratio", ["ci_low", "ci_high"]]) == (1, 1)  # nothing to estimate
    assert fixed.loc["shared_frequency", "ci_low"] < 1 == fixed.loc["shared_frequency", "ci_high"]
    rows = measure_rows(table, ["b", "a"])
    assert [row["title"] for row in rows] == [MEASURES["n_dead"].title] and set(rows[0]["cells"]) == {"a"}


@pytest.mark.parametrize("name", STUDIES)
def test_the_studies_are_valid_and_large_enough(name: str) -> None:
    study = load_study(ROOT / "config" / f"{name}.yaml", ROOT / "config" / "config.yaml")
    assert study.study == name and study.seeds.count >= 16
    assert study.system.name == ("pairs" if name == "rnn" else "sequences" if name == "transformers_k" else "margins")


@pytest.mark.workflow
@pytest.mark.parametrize("name", STUDIES)
def test_a_small_version_of_each_study_runs(name: str, tmp_path: Path) -> None:
    study = yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text())
    changes = SHORT[name]
    for key, value in changes.items():
        study[key] = study.get(key, {}) | value if isinstance(value, dict) else value
    for variant in study.get("variants", {}).values():
        for part in ("margin_recipe", "recipe"):
            variant[part] = variant.get(part, {}) | changes.get(part, {})
    study |= {"seeds": study["seeds"] | {"count": 2}, "questions": []}  # 2 circuits answer none
    if study["negative_control"]:
        study["negative_control"] = None
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study))
    for part in ("Snakefile", "environment.yaml", "config"):
        (tmp_path / part).symlink_to(ROOT / part)
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--configfile", "study.yaml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=900, env=environment)
    assert done.returncode == 0, done.stderr
    results = tmp_path / "results" / name
    page = "".join(path.read_text() for path in results.glob("*.html"))
    assert all(label in page for label in study["architectures"])
    if name == "rnn":
        assert len(read_tables(results.rglob("ablation.parquet"))) and 'id="frequencies"' in page
    else:
        measures = read_tables(results.rglob("measures.parquet"))
        assert measures.groupby("architecture").size().tolist() == [2, 2]
        assert ('id="manifolds"' in page) == (name == "finite_groups")  # the others are of k = 3, signs, or few neurons
