"""What a study would not make now is made again: files that were cut, and those of other circuits or settings."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from synthetic_study import make_circuit, make_study, write_synthetic
from topomod import cli
from topomod.networks.circuit_file import save_circuits
from topomod.study.config import Study
from topomod.study.origin import shard_origin, stored_origin
from topomod.study.outdated import outdated, remove_outdated
from topomod.study.shards import CIRCUITS, StudyFolder
from topomod.study.stored import check_stored
from topomod.study.tables import write_table

ARCHITECTURES = ["mlp_add", "attention_0.0"]
WHOLE = [f"{name}.parquet" for name in ("endpoints", "summary", "verdicts", "answers", "looks", "power")]
LOOK = [f"looks/4/{name}.parquet" for name in ("endpoints", "summary", "verdicts", "answers")]
PAGES = ["circuits.html", "details.html", "report.html"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root, study = tmp_path_factory.mktemp("finished") / "study", make_study(ARCHITECTURES, 4)
    write_synthetic(root, study)
    cli.report(root, study.report_settings(), root / "report.html")
    return root


@pytest.fixture
def folder(finished: Path, tmp_path: Path) -> Iterator[StudyFolder]:
    """A copy that kept no times."""
    yield StudyFolder(Path(shutil.copytree(finished, tmp_path / "study", copy_function=shutil.copyfile)))


def study(**changes: Any) -> Study:
    return make_study(ARCHITECTURES, 4, **changes)


def names(folder: StudyFolder, wanted: Study) -> set[str]:
    return {str(path.relative_to(folder.root)) for path, _ in outdated(folder, wanted)}


def results(folder: StudyFolder) -> list[Path]:
    return sorted(path for path in folder.root.rglob("*") if path.is_file())


def test_a_copy_of_a_finished_study_is_as_it_should_be(folder: StudyFolder) -> None:
    assert len(results(folder)) == 4 * 6 + 4 + 6 + 1 + len(study().system.beside_page)
    assert all(stored_origin(path) for path in results(folder) if path.suffix in (".html", ".parquet"))
    assert remove_outdated(folder, study(), dry_run=False) == []


@pytest.mark.parametrize("left", [0, 100, -9])
def test_every_file_that_was_cut_is_made_again(folder: StudyFolder, left: int) -> None:
    paths = results(folder)
    for path in paths:
        content = path.read_bytes()
        path.write_bytes(content[:left])
        assert {found for found, _ in outdated(folder, study())} >= {path}
        path.write_bytes(content)
    assert names(folder, study()) == set()


def test_a_dry_run_only_says_so(folder: StudyFolder) -> None:
    folder.report.write_bytes(b"<html>")
    before = results(folder)
    said = [f"{folder.report} is cut short; it is made again"]
    assert remove_outdated(folder, study(), dry_run=True) == said and results(folder) == before
    assert remove_outdated(folder, study(), dry_run=False) == said and not folder.report.exists()


@pytest.mark.parametrize(
    ("changes", "files"),
    [
        ({"margins": {n: m.model_dump() | {"margin": 0.2} for n, m in study().margins.items()}}, [*LOOK[2:], *WHOLE]),
        ({"alpha": 0.01}, [*LOOK, *WHOLE]),
        ({"recipe": {"steps": 301}}, [*LOOK, *WHOLE]),
        ({"maturity": {"count": 1, "steps": [100, 300, 700]}}, []),
    ],
)
def test_other_settings(folder: StudyFolder, changes: dict[str, Any], files: list[str]) -> None:
    assert names(folder, study(**changes)) == {*PAGES, *files}


def test_another_least_size_of_groups(folder: StudyFolder) -> None:
    assert {path.parent.parent.parent.name for path, _ in outdated(folder, study(min_neurons=12))} == {
        "population",
        "maturity",
    }
    (sentence, *_) = remove_outdated(folder, study(min_neurons=12), dry_run=True)
    assert sentence.endswith("circuits.parquet was made by min_neurons 10 instead of 12; it is made again")


def test_tables_of_other_circuits(folder: StudyFolder) -> None:
    shard = study().shards()[0]
    place = folder.population(shard)
    save_circuits(place / CIRCUITS, [make_circuit("mlp_add", seed, 13, step=299) for seed in shard.seeds])
    found = dict(outdated(folder, study()))
    assert found == {place / f"{name}.parquet": "was made from other circuits" for name in study().shard_tables()}


def test_whole_tables_of_other_shards(folder: StudyFolder) -> None:
    """As after a kill between the tables of shards and what is made from them."""
    place = folder.population(study().shards()[0])
    circuits, seeds = place / CIRCUITS, study().shards()[0].seeds
    save_circuits(circuits, [make_circuit("mlp_add", seed, 13, step=299) for seed in seeds])
    tables = {name: place / f"{name}.parquet" for name in study().shard_tables()}
    cli.groups(circuits, tables["circuits"], tables["groups"], tables["phases"], 10)
    for name in ("homology", "diagrams"):
        write_table(pd.read_parquet(tables[name]), tables[name], shard_origin(circuits, min_neurons=10))
    assert names(folder, study()) == {*PAGES, *LOOK, *WHOLE}


def test_files_without_an_origin_are_taken_as_they_are(folder: StudyFolder) -> None:
    for path in folder.root.rglob("*.parquet"):
        pd.read_parquet(path).to_parquet(path, index=False)
    for name in PAGES:
        (folder.root / name).write_text("<html></html>\n")
    assert names(folder, study()) == set()


def test_followed_circuits_and_widths_count_as_settings(folder: StudyFolder) -> None:
    wanted = study()
    shard = wanted.maturity_shards()[0]
    path = folder.maturity(shard) / CIRCUITS
    circuits = [make_circuit("mlp_add", 0, 13, step) for step in wanted.maturity.steps]
    settings = '{"network": {"d_model": 128, "d_mlp": 512, "n_heads": 4}, "snapshots": [100, 300, 600]}'
    save_circuits(path, circuits, settings=settings)
    check_stored(folder, wanted)
    for changes, sentence in (
        ({"network": {"d_mlp": 256}}, "network.d_mlp is 512 there and 256 in the study"),
        ({"maturity": {"count": 1, "steps": [9]}}, r"snapshots is \[100, 300, 600\] there and \[9\] in the study"),
    ):
        with pytest.raises(ValueError, match=f"maturity.*{CIRCUITS}: its circuits .* {sentence}"):
            check_stored(folder, study(**changes))
