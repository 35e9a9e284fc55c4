"""Margins by rule, from the tables of a finished study: what is printed is what the next study takes."""

import copy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

from synthetic_study import DEFAULT
from topomod.cli import app
from topomod.study.check import check_study
from topomod.study.endpoint_catalogue import ENDPOINTS
from topomod.study.equivalence import verdict_table
from topomod.study.pilot import margins_yaml
from topomod.study.shards import StudyFolder
from topomod.study.tables import write_table
from topomod.study.yaml_files import StudyError

N = 30
APART = {"disc_cka": 0.3127, "n_groups": 2.0}  # what the positive control differs by; in the others it does not


@pytest.fixture(scope="module")
def pilot(tmp_path_factory: pytest.TempPathFactory) -> StudyFolder:
    """Tables of a study whose positive control differs in two endpoints by known distances."""
    rng, folder, parts = np.random.default_rng(0), StudyFolder(tmp_path_factory.mktemp("pilot")), []
    for name in ENDPOINTS:
        noise = rng.normal(size=N)
        noise -= noise.mean()
        for label in ("mlp_add", "mlp_concat"):
            own = {"architecture": label, "seed": range(N), "step": 500, "converged": True, "endpoint": name}
            at = 0.5 + APART.get(name, 0.0) * (label == "mlp_concat")
            parts.append(pd.DataFrame(own | {"value": at + 0.01 * noise}))
    endpoints = pd.concat(parts, ignore_index=True)
    study = {"architectures": ["mlp_add", "mlp_concat"], "negative_control": None, "main_pair": None, "questions": []}
    settings = check_study(copy.deepcopy(DEFAULT) | study).model_dump()
    write_table(endpoints, folder.table("endpoints"))
    write_table(verdict_table(endpoints, settings), folder.table("verdicts"))
    return folder


def test_what_is_printed_is_a_studys_margins(pilot: StudyFolder) -> None:
    printed = CliRunner().invoke(app, ["margins", str(pilot.root), "--fraction", "0.25"])
    assert printed.exit_code == 0, printed.output
    margins = yaml.safe_load(printed.output)["margins"]
    assert set(margins) == set(APART)
    assert margins["disc_cka"]["control_distance"] == 0.313 and margins["disc_cka"]["pilot_seeds"] == [0, N - 1]
    later = copy.deepcopy(DEFAULT) | {"seeds": {"first": N, "count": 10}}
    later["margins"] |= margins
    assert check_study(later).margins["n_groups"].margin == 0.5
    assert "were not shown to differ on: " in printed.output and "hole_logits" in printed.output
    with pytest.raises(StudyError, match="the pilot's seeds 0 to 29 are also seeds of this study"):
        check_study(later | {"seeds": {"first": 0, "count": 10}})


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.5, float("nan")])
def test_a_fraction_outside_its_range_is_refused(pilot: StudyFolder, fraction: float) -> None:
    with pytest.raises(ValueError, match="fraction is .*; it must be a number strictly between 0 and 1"):
        margins_yaml(pilot, fraction)


def test_a_pilot_without_a_control_or_a_table_is_named(pilot: StudyFolder, tmp_path: Path) -> None:
    verdicts = pd.read_parquet(pilot.table("verdicts"))
    write_table(verdicts[verdicts["role"] == "pair"], StudyFolder(tmp_path).table("verdicts"))
    with pytest.raises(ValueError, match="has no positive control whose distance could be measured"):
        margins_yaml(StudyFolder(tmp_path), 0.5)
    run = CliRunner().invoke(app, ["margins", str(tmp_path / "nowhere"), "--fraction", "0.5"])
    assert run.exit_code and "verdicts.parquet" in str(run.exception)
