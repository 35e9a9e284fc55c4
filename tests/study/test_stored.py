"""Circuits on disk that are not those of the study, or are no numbers, are said to be so."""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import topomod
from synthetic_study import make_circuit, make_study, write_synthetic
from topomod import cli
from topomod.networks.circuit_file import load_circuits, read_header, save_circuits
from topomod.study.config import Study
from topomod.study.endpoints import read_endpoints
from topomod.study.equivalence import compare_study
from topomod.study.groups import analyse_groups
from topomod.study.homology import analyse_homology
from topomod.study.shards import CIRCUITS, StudyFolder
from topomod.study.stored import check_stored
from topomod.tasks.addition import ModularAddition


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[StudyFolder, Study]:
    folder, study = StudyFolder(tmp_path_factory.mktemp("stored")), make_study(["mlp_add", "attention_0.0"], 4)
    write_synthetic(folder.root, study)
    return folder, study


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"recipe": {"steps": 300, "lr": 0.02}}, r"recipe.lr is 0.01 there and 0.02 in the study"),
        ({"p": 17}, r"task.p is 13 there and 17 in the study"),
        ({"recipe": {"steps": 300, "batches": 1}}, r"recipe.batches is 2 there and 1 in the study"),
    ],
)
def test_circuits_of_other_settings_are_refused_by_every_stage(
    finished: tuple[StudyFolder, Study], changes: dict[str, Any], difference: str
) -> None:
    folder, _ = finished
    other = make_study(["mlp_add", "attention_0.0"], 4, **changes)
    compare = partial(compare_study, endpoints=folder.table("endpoints"))
    for stage in (check_stored, read_endpoints, compare):
        with pytest.raises(ValueError, match=rf"{CIRCUITS}: its circuits were trained by other settings: {difference}"):
            stage(folder, other)
    with pytest.raises(ValueError, match=difference):
        cli.report(folder.root, other.report_settings(), folder.report)
    assert not folder.report.exists()


def test_circuits_of_the_study_pass(finished: tuple[StudyFolder, Study]) -> None:
    check_stored(*finished)
    folder, study = finished
    check_stored(folder, make_study(["mlp_add", "attention_0.0"], 4, alpha=0.01))  # of the tests, not of the circuits


def test_other_seeds_and_architectures_under_a_name_are_refused(
    finished: tuple[StudyFolder, Study], tmp_path: Path
) -> None:
    _, study = finished
    folder, shard = StudyFolder(tmp_path), study.shards()[0]
    save_circuits(folder.population(shard) / CIRCUITS, [make_circuit("mlp_add", seed, 13) for seed in (0, 1)])
    with pytest.raises(ValueError, match=r"seeds is \[0, 1\] there and \[0, 1, 2, 3\] in the study"):
        check_stored(folder, study)
    save_circuits(folder.population(shard) / CIRCUITS, [make_circuit("mlp_concat", seed, 13) for seed in range(4)])
    with pytest.raises(ValueError, match='architecture is "mlp_concat" there and "mlp_add" in the study'):
        check_stored(folder, study)


def test_a_header_is_read_without_weights(tmp_path: Path) -> None:
    save_circuits(tmp_path / CIRCUITS, [make_circuit("attention_0.5", 3, 13)])
    header = read_header(tmp_path / CIRCUITS)
    assert header["architecture"] == "attention" and header["attention_rate"] == 0.5
    assert [own["seed"] for own in header["circuits"]] == [3]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_diverged_circuit_is_a_row_and_the_others_stay(value: float) -> None:
    circuits = [make_circuit("mlp_add", seed, 13) for seed in (0, 1)]
    broken = {name: np.full_like(weight, value) for name, weight in circuits[0].weights.items()}
    diverged = replace(circuits[0], weights=broken, converged=False, reason="diverged")
    found, groups, phases = analyse_groups([diverged, circuits[1]], 10)
    assert found["converged"].tolist() == [False, True] and found["reason"].tolist() == ["diverged", ""]
    assert np.isnan(found["accuracy"][0]) and found["n_groups"][0] == 0
    alone = analyse_groups([circuits[1]], 10)
    pd.testing.assert_frame_equal(groups, alone[1])
    pd.testing.assert_frame_equal(phases, alone[2])
    pd.testing.assert_frame_equal(found[1:].reset_index(drop=True), alone[0], check_dtype=False)
    labels, _ = analyse_homology([diverged, circuits[1]], 10)
    assert set(labels["seed"]) == {1}


def test_a_rate_at_which_training_diverges_goes_through_the_stages(tmp_path: Path) -> None:
    recipe = topomod.Recipe(lr=1e30, weight_decay=0.0, steps=30, max_steps=30)
    (circuit,) = topomod.train("mlp_add", ModularAddition(13), [0], recipe=recipe, device="cpu")
    assert (circuit.converged, circuit.reason) == (False, "diverged")
    save_circuits(tmp_path / CIRCUITS, [circuit])
    (row,) = analyse_groups(load_circuits(tmp_path / CIRCUITS), 10)[0].to_dict("records")
    assert row["reason"] == "diverged" and not row["converged"]


@dataclass(frozen=True)
class OtherTargets(ModularAddition):
    """Passes for addition in every respect but its targets."""

    def targets(self) -> np.ndarray:
        return (super().targets() + 1) % self.p


def test_a_task_that_would_come_back_as_another_is_refused(tmp_path: Path) -> None:
    circuit = replace(make_circuit("mlp_add", 0, 13), task=OtherTargets(13))
    with pytest.raises(ValueError, match=r"OtherTargets\(p=13, k=2\) comes back .* as ModularAddition\(p=13, k=2\)"):
        save_circuits(tmp_path / CIRCUITS, [circuit])
    assert not (tmp_path / CIRCUITS).exists()
