"""The page of described networks, from tables of networks whose answers are known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import topomod
from synthetic_study import make_study
from topomod.networks.circuit import Circuit
from topomod.report.description import figures, populations, write_description
from topomod.study.describe import measure_table
from topomod.study.measure import measure_circuits
from topomod.study.shards import CIRCUITS, StudyFolder
from topomod.study.tables import read_tables, write_table
from topomod.training.recipes import MarginRecipe

SETTINGS = {
    "maturity": {"count": 0, "steps": [1]},
    "variants": {"k2": {"p": 7}, "s3": {"task": "S3"}, "even": {"p": 8}},
}


def labelled(circuit: Circuit, variant: str, seed: int, converged: bool = True) -> Circuit:
    recipe = MarginRecipe(name=variant)
    return replace(circuit, recipe=recipe, seed=seed, converged=converged, reason="" if converged else "a test")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two populations at the largest margin; of S3 the second circuit did not converge and has no neuron left."""
    study = make_study(["power_mlp@k2", "power_mlp@s3"], 2, **SETTINGS)
    place = tmp_path_factory.mktemp("described")
    tasks = {"k2": topomod.ModularAddition(p=7), "s3": topomod.GroupComposition("S3")}
    measures = []
    for shard, (variant, task) in zip(study.shards(), tasks.items(), strict=True):
        network = topomod.max_margin_network(task)
        broken = {name: 0 * value for name, value in network.weights.items()}
        second = replace(network, weights=broken) if variant == "s3" else network
        circuits = [labelled(network, variant, 0), labelled(second, variant, 1, variant != "s3")]
        found = measure_circuits(circuits)
        measures.append(found["measures"])
        for name, table in found.items():
            write_table(table, StudyFolder(place).population(shard) / f"{name}.parquet")
        topomod.save_circuits(StudyFolder(place).population(shard) / CIRCUITS, circuits)
    summary = measure_table(read_tables(place.rglob("measures.parquet")))
    write_table(summary, place / "summary_of_measures.parquet")
    return place


def test_page_says_what_converged_and_how_near_theory_is(folder: Path) -> None:
    study = make_study(["power_mlp@k2", "power_mlp@s3"], 2, **SETTINGS)
    write_description(StudyFolder(folder), study, folder / "report.html")
    page = (folder / "report.html").read_text()
    assert "1.7145e-02" in page and "2.3605e-02" in page and "seed 1: a test" in page
    assert "normalized margin / its maximum" in page and 'id="irreps"' in page and 'id="neurons"' in page


def test_figures_hold_converged_circuits_only(folder: Path) -> None:
    study = make_study(["power_mlp@k2", "power_mlp@s3"], 2, **SETTINGS)
    shards = [StudyFolder(folder).population(shard) for shard in study.shards()]
    tables = {name: read_tables(shard / f"{name}.parquet" for shard in shards) for name in study.system.shard_tables}
    found = figures(StudyFolder(folder), study, tables)
    assert [option.value for option in found["neurons"]] == ["power_mlp@k2"]
    assert [option.value for option in found["irreps"]] == ["power_mlp@s3"]
    rows = populations(study, tables["measures"])["populations"]
    assert [row["converged"] for row in rows] == [2, 1] and rows[1]["accuracy"] < 1


def test_theory_is_silent_for_even_moduli() -> None:
    study = make_study(["power_mlp@even"], 1, **SETTINGS)
    nothing = pd.DataFrame(columns=["architecture", "converged", "accuracy", "seed", "reason"])
    assert np.isnan(populations(study, nothing)["populations"][0]["max_margin"])
