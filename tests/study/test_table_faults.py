"""A table that is damaged, foreign or not whole is refused in one sentence that names its file."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthetic_study import make_circuit, make_study, write_synthetic
from topomod.study.describe import measure_table
from topomod.study.frequencies import frequency_tables
from topomod.study.table_columns import KEY, TABLES
from topomod.study.tables import read_tables, write_table

MEASURED = pd.DataFrame(
    [
        {"task": "t", "architecture": "power_mlp", "seed": seed, "step": 1, "converged": True, "reason": ""}
        | {"accuracy": 1.0, "margin_ratio": 0.9 + seed / 100}
        for seed in range(3)
    ]
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real tables of every kind, but for those of power networks and transformers."""
    root = tmp_path_factory.mktemp("tables")
    study = make_study(["mlp_add", "attention_0.0"], 4, questions=[{"words": "Alike?", "primary": ["disc_cka"]}])
    write_synthetic(root, study)
    tables = dict(zip(("frequencies", "ablation"), frequency_tables([make_circuit("mlp_add", 1, 13)]), strict=True))
    tables |= {"measures": MEASURED, "summary_of_measures": measure_table(MEASURED)}
    for name, table in tables.items():
        write_table(table, root / f"{name}.parquet")
    return root


def kinds(folder: Path) -> dict[str, Path]:
    """One file of each kind."""
    return {path.stem: path for path in folder.rglob("*.parquet")}


def refusal(path: Path) -> str:
    with pytest.raises(ValueError) as caught:
        read_tables([path])
    message = str(caught.value)
    assert message.startswith(str(path)) and "\n" not in message
    return message


def test_every_table_of_a_study_passes(folder: Path, tmp_path: Path) -> None:
    assert set(TABLES) - set(kinds(folder)) == {"neurons", "irreps", "manifolds", "curves"}
    for name, path in kinds(folder).items():
        table = read_tables([path])
        assert len(table) > 0
        write_table(table, tmp_path / f"{name}.parquet")
        pd.testing.assert_frame_equal(read_tables([tmp_path / f"{name}.parquet"]), table)


def test_a_lost_column_is_named(folder: Path, tmp_path: Path) -> None:
    for name, whole in kinds(folder).items():
        table, columns = pd.read_parquet(whole), TABLES[name]
        for column in [*columns.names, *columns.needed.split(), *columns.measured.split()]:
            path = tmp_path / whole.name
            write_table(table.drop(columns=column), path)
            assert f"has no column {column}" in refusal(path)


def test_a_row_that_stands_twice_is_named(folder: Path, tmp_path: Path) -> None:
    for name, whole in kinds(folder).items():
        if not TABLES[name].repeated:
            table, path = pd.read_parquet(whole), tmp_path / whole.name
            write_table(pd.concat([table, table[-1:]]), path)
            assert "has several rows of " in refusal(path)


def test_a_row_that_two_files_hold_is_named(folder: Path, tmp_path: Path) -> None:
    table = pd.read_parquet(kinds(folder)["circuits"])
    paths = [tmp_path / part / "circuits.parquet" for part in "ab"]
    for path in paths:
        write_table(table, path)
    with pytest.raises(ValueError, match=r"circuits\.parquet has several rows of architecture \S+, seed \d+, step \d+"):
        read_tables(paths)


@pytest.mark.parametrize("column", ["seed", "step"])
@pytest.mark.parametrize("value", ["7", 0.5, None])
def test_seeds_and_steps_are_whole_numbers(folder: Path, tmp_path: Path, column: str, value: object) -> None:
    table = pd.read_parquet(kinds(folder)["circuits"])
    write_table(table.assign(**{column: value}), tmp_path / "circuits.parquet")
    assert f"has no whole numbers in the column {column}" in refusal(tmp_path / "circuits.parquet")


def test_a_shard_whose_circuits_all_diverged_passes(tmp_path: Path) -> None:
    row = {"architecture": "mlp_add", "seed": 0, "step": 1, "converged": False, "reason": "diverged", "n_groups": 0}
    write_table(pd.DataFrame([row | dict.fromkeys(("accuracy", "loss", "purity"))]), tmp_path / "circuits.parquet")
    assert len(read_tables([tmp_path / "circuits.parquet"])) == 1
    write_table(pd.DataFrame(columns=[*KEY, "frequency"]), tmp_path / "groups.parquet")
    assert read_tables([tmp_path / "groups.parquet"]).empty


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1PAR1", b"a,b\n1,2\n", b"PK\x03\x04", b"\x00" * 5000])
def test_what_is_no_table_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "circuits.parquet"
    path.write_bytes(content)
    assert "is corrupt or missing" in refusal(path)


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "circuits.parquet")
    (tmp_path / "groups.parquet").mkdir()
    refusal(tmp_path / "groups.parquet")


def test_a_table_of_something_else_is_refused(folder: Path, tmp_path: Path) -> None:
    pd.DataFrame({"x": [1, 2]}).to_parquet(tmp_path / "circuits.parquet")
    assert "has no column architecture, seed, step" in refusal(tmp_path / "circuits.parquet")
    (tmp_path / "groups.parquet").write_bytes(kinds(folder)["circuits"].read_bytes())
    assert "has no column frequency" in refusal(tmp_path / "groups.parquet")


def test_a_table_without_checksums_is_read_as_before(folder: Path, tmp_path: Path) -> None:
    table = pd.read_parquet(kinds(folder)["groups"])
    table.to_parquet(tmp_path / "groups.parquet", index=False)
    pd.testing.assert_frame_equal(read_tables([tmp_path / "groups.parquet"]), table)


def test_fuzz(folder: Path, tmp_path: Path) -> None:
    """Bits flipped, bytes lost, repeated, overwritten: never another error, never another table."""
    rng = np.random.default_rng(0)
    wrong = []
    for name in ("circuits", "groups", "endpoints"):
        whole, path = kinds(folder)[name].read_bytes(), tmp_path / f"{name}.parquet"
        table = pd.read_parquet(kinds(folder)[name])
        for trial in range(120):
            where, changed = int(rng.integers(len(whole))), bytearray(whole)
            kind = trial % 5
            if kind < 2:
                changed[where] ^= 1 << int(rng.integers(8))
            elif kind == 2:
                del changed[where:]
            elif kind == 3:
                changed[where : where + 8] = rng.bytes(8)
            else:
                changed[where:where] = whole[where : where + int(rng.integers(1, 40))]
            path.write_bytes(bytes(changed))
            try:
                found = read_tables([path])
            except ValueError as error:
                assert str(error).startswith(str(path)) and "\n" not in str(error)
                continue
            if not found.equals(table):
                wrong.append((name, trial, where, len(whole)))
    assert wrong == []
