"""``topomod equivalence`` of a table of one's own: the answer in four words, and one sentence for each fault."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from topomod import cli
from topomod.report.table_lines import table_lines
from topomod.statistics.equivalence import equivalence_test
from topomod.study.sentences import rounded

COLUMNS = ("acc", "kind", "seed")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two rows of each of 12 and 15 networks."""
    rng = np.random.default_rng(0)
    rows = [
        (kind, seed, rng.normal(0.3 * (kind == "b"), 0.2))
        for kind, n in (("a", 12), ("b", 15))
        for seed in range(n)
        for _ in range(2)
    ]
    path = tmp_path_factory.mktemp("table") / "table.csv"
    pd.DataFrame(rows, columns=["kind", "seed", "acc"]).to_csv(path, index=False)
    return path


@pytest.mark.parametrize(("margin", "answer"), [(5.0, "the same"), (0.02, "different"), (0.3, "differs, size open")])
def test_two_groups_are_answered(path: Path, margin: float, answer: str) -> None:
    lines = list(table_lines(path, *COLUMNS, margin))
    table = pd.read_csv(path)
    a, b = (table[table["kind"] == kind] for kind in "ab")
    test = equivalence_test(a["acc"], b["acc"], margin, a["seed"], b["seed"])
    assert lines[0] == f"a and b: {answer}"
    assert f"difference {rounded(test.difference, margin)}" in lines[1] and f"margin {margin:g}" in lines[1]
    assert "a has 12 networks, b has 15." in lines[2]
    assert (len(lines) == 4 and "to show in 80 % of studies" in lines[3]) == (answer == "differs, size open")


def test_an_open_table_says_how_many_networks_it_takes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"acc": rng.normal(size=10), "kind": list("ab") * 5, "seed": range(10)})
    frame.to_parquet(tmp_path / "t.parquet")
    *_, last = table_lines(tmp_path / "t.parquet", *COLUMNS, 1.0)
    assert last.startswith("It takes about ") and "networks of each group" in last


def test_several_groups_are_answered_together_and_each_two_alone(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"acc": rng.normal(size=60), "kind": list("abc") * 20, "seed": np.repeat(range(20), 3)})
    frame.loc[frame["kind"] == "c", "acc"] += 9
    frame.to_csv(tmp_path / "t.csv", index=False)
    lines = list(table_lines(tmp_path / "t.csv", *COLUMNS, 2.0))
    assert lines[0] == "a, b, c: different" and lines[1].startswith("The largest difference between two groups is at")
    answers = ["a and b: the same", "a and c: different", "b and c: different"]
    assert [line for line in lines if " and " in line and line.endswith(("same", "different"))] == answers


def test_pairs_are_networks_of_one_name(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    shared = 5 * rng.normal(size=20)
    frame = pd.DataFrame({"acc": np.r_[shared, shared + 0.1 * rng.normal(size=20)], "kind": ["a"] * 20 + ["b"] * 20})
    path = tmp_path / "t.csv"
    frame.assign(seed=list(range(20)) * 2).sample(frac=1, random_state=0).to_csv(path, index=False)
    assert next(iter(table_lines(path, *COLUMNS, 0.2, paired=True))).endswith(": the same")
    assert next(iter(table_lines(path, *COLUMNS, 0.2))).endswith(": not decided")
    with pytest.raises(ValueError, match="--paired is for two groups without --bounds, found 2 groups"):
        list(table_lines(path, *COLUMNS, 0.2, "-99,99", paired=True))
    frame.assign(seed=range(40)).to_csv(path, index=False)
    with pytest.raises(ValueError, match="is only in x; a pair needs both of its networks"):
        list(table_lines(path, *COLUMNS, 0.2, paired=True))


def test_values_that_are_bounded_may_be_constant(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    pd.DataFrame({"acc": 1.0, "kind": ["a", "b"] * 40, "seed": range(80)}).to_csv(table, index=False)
    assert next(iter(table_lines(table, *COLUMNS, 0.2, bounds="0,1"))) == "a and b: the same"
    with pytest.raises(ValueError, match="x is 'a', y is 'b': x and y are both constant; give bounds"):
        list(table_lines(table, *COLUMNS, 0.2))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("acc", "kind", "", 1.0), "name the column of the network with --network"),
        (("", "kind", "seed", 1.0), "name the column of the value with --value"),
        ((*COLUMNS, None), "name the largest difference that does not matter with --margin"),
        (("loss", "kind", "seed", 1.0), "has no column 'loss'; it has kind, seed, acc"),
        (("acc", "seed", "kind", 1.0), "the group '0' has 2 networks; at least 3 are needed"),
        (("kind", "kind", "seed", 1.0), "x is 'a', y is 'b': x holds 'a' of type str"),
        ((*COLUMNS, -1.0), "margin is -1.0; it must be a positive number"),
        ((*COLUMNS, 1.0, "0"), "--bounds must be LOW,HIGH, two numbers, found '0'"),
        ((*COLUMNS, 0.5, "0,1"), "outside its bounds"),
    ],
)
def test_bad_input_is_one_sentence(path: Path, arguments: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        list(table_lines(path, *arguments))
    assert "\n" not in str(caught.value)


def test_small_groups_and_rows_without_a_network_are_named(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    frame = pd.DataFrame({"acc": range(6), "kind": list("aaaabb"), "seed": [0.0, 1, 2, 3, 0, 1]})
    frame.to_csv(table, index=False)
    with pytest.raises(ValueError, match="the group 'b' has 2 networks; at least 3 are needed"):
        list(table_lines(table, *COLUMNS, 1.0))
    frame.assign(seed=[0.0, 1, np.nan, 3, 0, 1]).to_csv(table, index=False)
    with pytest.raises(ValueError, match="the column 'seed' is empty in row 3"):
        list(table_lines(table, *COLUMNS, 1.0))
    table.write_bytes(b"\xff\x00\x01")
    with pytest.raises(ValueError, match="cannot be read as a table"):
        list(table_lines(table, *COLUMNS, 1.0))


def test_the_command_answers_or_says_what_is_missing(path: Path) -> None:
    command = [sys.executable, "-m", "topomod.cli", "equivalence", str(path), "--value", "acc", "--group", "kind"]
    command += ["--margin", "5"]
    done, refused = (
        subprocess.run([*command, *more], capture_output=True, text=True, timeout=120)
        for more in (["--network", "seed"], [])
    )
    assert done.returncode == 0 and done.stdout.startswith("a and b: the same\nAny difference in the column 'acc'")
    assert refused.returncode == 2 and refused.stderr.endswith("name the column of the network with --network\n")
    assert len(refused.stderr.splitlines()) == 1


def test_results_that_are_no_file_need_the_options_of_a_study(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is no file; the results of a study need --settings"):
        cli.equivalence(tmp_path / "none.csv")
