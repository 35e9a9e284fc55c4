"""Snakemake itself on a tiny study: complete, idempotent, and only what changed runs again."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import lru_cache
from io import BytesIO
from pathlib import Path

import pandas as pd
import pytest
import torch
import yaml

from elsewhere import Adder, taught
from topomod.networks.circuit_file import read_digest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.workflow


COMMAND = [sys.executable, "-m", "snakemake", "--cores", "2", "--configfile", "study.yaml"]


def snakemake(checkout: Path, *arguments: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    """Snakemake with the given PATH, or with an active environment."""
    environment = os.environ | {"PATH": path or f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    command = [*COMMAND, *arguments]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, timeout=900, env=environment)


def rules_run(output: str) -> set[str]:
    return set(re.findall(r"^\s*(?:local)?(?:rule|checkpoint) (\w+):", output, flags=re.MULTILINE))


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the pipeline needs, with the tiny study finished; "first" keeps its results, others change."""
    folder = copy_of_checkout(tmp_path_factory.mktemp("checkout"))
    done = snakemake(folder)
    assert done.returncode == 0, done.stderr
    shutil.copytree(folder / "results", folder / "first")
    return folder


def copy_of_checkout(folder: Path) -> Path:
    for name in ("Snakefile", "environment.yaml"):
        shutil.copy(ROOT / name, folder)
    for name in ("config", "profiles"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "tests" / "tiny.yaml", folder / "study.yaml")
    change(folder, networks={"mine": {"from": "networks/*.pt"}})
    (folder / "networks").mkdir()
    for name, content in networks().items():
        (folder / "networks" / name).write_bytes(content)
    return folder


@lru_cache
def networks() -> dict[str, bytes]:
    """Files of networks that plain PyTorch trained at p = 13: two are right, one learnt nothing, one is damaged."""
    table = torch.arange(13)[:, None].add(torch.arange(13)) % 13
    files = {}
    for name, steps, seed in (("a", 400, 0), ("b 'x", 400, 1), ("c", 1, 2)):
        torch.save(taught(lambda: Adder(13), table, steps, seed, decay=2.0).state_dict(), content := BytesIO())
        files[f"{name}.pt"] = content.getvalue()
    return files | {"d.pt": files["a.pt"][:1000]}


def change(checkout: Path, **values: object) -> None:
    path = checkout / "study.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | values))


def test_finishes_and_then_has_nothing_to_do(checkout: Path) -> None:
    results = checkout / "results" / "tiny"
    assert (results / "report.html").stat().st_size > 10_000
    assert list(results.rglob(".*.tmp")) == []
    again = snakemake(checkout)
    assert again.returncode == 0 and "Nothing to be done" in again.stdout + again.stderr


def test_networks_of_others_are_read_named_and_compared(checkout: Path) -> None:
    results = checkout / "results" / "tiny"
    circuits = pd.read_parquet(results / "population" / "given@mine" / "00000-00003" / "circuits.parquet")
    assert list(circuits["source"]) == [f"networks/{name}" for name in sorted(networks())]
    assert list(circuits["converged"]) == [True, True, False, False]
    unlearned, damaged = circuits["reason"][2:]
    assert re.fullmatch(r"right on \d+\.\d% of pairs", unlearned) and "not a state dict" in damaged
    groups = pd.read_parquet(results / "population" / "given@mine" / "00000-00003" / "groups.parquet")
    assert set(groups["seed"]) >= {0, 1} and groups.loc[groups["seed"] < 2, "disc_cka"].min() > 0.9
    verdicts = pd.read_parquet(results / "verdicts.parquet")
    pairs = verdicts[(verdicts["x"] == "mlp_add") & (verdicts["y"] == "given@mine")].set_index("endpoint")
    assert list(pairs.loc[["disc_cka", "gradient_symmetricity"], "n_y"]) == [2, 2]
    page = (results / "report.html").read_text()
    assert "4 files were read" in page and "networks/d.pt: not a state dict" in page


def test_a_changed_file_is_read_again_and_nothing_is_trained(checkout: Path) -> None:
    (checkout / "networks" / "e.pt").write_bytes(networks()["a.pt"])
    plan = snakemake(checkout, "--dry-run")
    (checkout / "networks" / "e.pt").unlink()
    assert rules_run(plan.stdout + plan.stderr) >= {"read", "groups", "homology", "report"}
    assert "rule train:" not in plan.stdout + plan.stderr


def test_a_margin_redoes_only_tests_planning_and_report(checkout: Path) -> None:
    change(checkout, margins={"circularity": {"margin": 0.2, "reason": "a test"}})
    done = snakemake(checkout)
    assert done.returncode == 0, done.stderr
    assert rules_run(done.stdout + done.stderr) == {"all", "equivalence", "conclude", "power", "report"}


def test_more_seeds_train_only_new_shards(checkout: Path) -> None:
    change(checkout, seeds={"first": 0, "count": 8})
    plan = snakemake(checkout, "--dry-run")
    text = plan.stdout + plan.stderr
    trained = set(re.findall(r"output: (\S+population\S+circuits\.safetensors)", text))
    assert len(trained) == 3 and all("00004-00007" in path for path in trained)
    change(checkout, seeds={"first": 0, "count": 4})


def test_a_lost_file_is_made_again_and_nothing_else(checkout: Path) -> None:
    snakemake(checkout)
    (checkout / "results" / "tiny" / "population" / "mlp_add" / "00000-00003" / "homology.parquet").unlink()
    done = snakemake(checkout)
    assert done.returncode == 0, done.stderr
    # no conclude: snakemake compares checksums, and the tables of the look come out as they were
    wanted = {"all", "homology", "endpoints", "equivalence", "power", "report"}
    assert rules_run(done.stdout + done.stderr) == wanted


def test_snakemake_makes_its_own_report(checkout: Path) -> None:
    done = snakemake(checkout, "--report", "report.zip")
    assert done.returncode == 0, done.stderr
    assert (checkout / "report.zip").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("architectures", ["mlp_ad"], "unknown architecture 'mlp_ad'"),
        ("colour", "red", "unknown key 'colour'"),
        ("networks", {"mine": {"from": "nothing/*.pt"}}, "networks.mine: no file is named by 'nothing/*.pt'"),
        ("p", 2, "key 'p': input should be greater than or equal to 3, found 2"),
    ],
)
def test_a_wrong_study_stops_before_any_job(checkout: Path, key: str, value: object, message: str) -> None:
    before = (checkout / "study.yaml").read_text()
    change(checkout, **{key: value})
    done = snakemake(checkout)
    (checkout / "study.yaml").write_text(before)
    assert done.returncode != 0
    assert message in done.stdout + done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "rerun"),
    [
        (["--cores", "2"], True),
        (["--cores", "8", "--profile", "slurm"], True),
        (["--cores", "2", "--workflow-profile", "none"], False),
    ],
)
def test_the_default_profile_is_read(arguments: list[str], rerun: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    from snakemake.cli import parse_args

    monkeypatch.chdir(ROOT)
    assert parse_args(arguments)[1].rerun_incomplete is rerun


@pytest.mark.parametrize("whole_group", [True, False])
def test_a_killed_run_goes_on_by_the_same_command(tmp_path: Path, checkout: Path, whole_group: bool) -> None:
    """Killed while a job runs: alone, so that its jobs go on, or with them. `--until train` spares the other stages."""
    folder = copy_of_checkout(tmp_path)
    with (folder / "killed.log").open("w") as log:
        environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
        killed = subprocess.Popen(COMMAND, cwd=folder, stdout=log, stderr=log, env=environment, start_new_session=True)
    wait_for(lambda: any((folder / ".snakemake" / "incomplete").glob("*")), killed)
    os.killpg(killed.pid, signal.SIGKILL) if whole_group else killed.kill()
    killed.wait()
    assert list((folder / ".snakemake" / "locks").glob("*.lock"))
    done = snakemake(folder, "--until", "train")
    assert done.returncode == 0, done.stderr
    ended = "" if whole_group else r"\d+ of its jobs ended, "
    assert re.search(f"results/tiny: an earlier run was killed; {ended}2 locks removed", done.stderr)
    again = snakemake(folder, "--until", "train")
    assert not rules_run(again.stdout + again.stderr)
    circuits = sorted((folder / "results").rglob("circuits.safetensors"))
    assert len(circuits) == 3
    for path in circuits:
        assert read_digest(path) == read_digest(checkout / "first" / path.relative_to(folder / "results"))


def test_every_file_that_a_job_makes_is_asked_for(checkout: Path) -> None:
    """So that any that is lost is made again; what snakemake itself keeps, logs and benchmarks, is not asked for."""
    done = snakemake(checkout, "--dry-run", "--forceall")
    blocks = re.findall(r"^(\w+) (\w+):\n((?: {4}.*\n)+)", done.stdout + done.stderr, flags=re.MULTILINE)
    made = {file for _, _, block in blocks for file in re.findall("output: (.*)", block) for file in file.split(", ")}
    (wanted,) = (re.search("input: (.*)", block) for _, rule, block in blocks if rule == "all")
    assert wanted is not None and made >= (asked := set(wanted[1].split(", ")))
    assert all("/looks/" in file for file in made - asked)  # tables of looks are asked for by the looks that follow
    assert {Path(file).suffix for file in made} == {".html", ".json", ".parquet", ".safetensors", ".zip"}


def test_what_was_cut_is_made_again_and_a_copy_is_not(tmp_path: Path, checkout: Path) -> None:
    """A copy with the times of its files and with snakemake's own records."""
    snakemake(checkout)
    folder = shutil.copytree(checkout, tmp_path / "copy")
    done = snakemake(folder)
    assert "Nothing to be done" in done.stdout + done.stderr
    report = folder / "results" / "tiny" / "report.html"
    content, times = report.read_bytes(), report.stat()
    report.write_bytes(content[: len(content) // 2])
    os.utime(report, ns=(times.st_atime_ns, times.st_mtime_ns))
    plan = snakemake(folder, "--dry-run")
    assert f"{report.relative_to(folder)} is cut short; it is made again" in plan.stdout + plan.stderr
    done = snakemake(folder)
    assert rules_run(done.stdout + done.stderr) == {"all", "report"} and report.stat().st_size > 10_000
    shutil.rmtree(folder / ".snakemake")
    text = (folder / "study.yaml").read_text()
    (folder / "study.yaml").write_text(re.sub(r"\bsteps: 200\b", "steps: 210", text))
    done = snakemake(folder)
    sentence = r"circuits.safetensors: its circuits were trained by other settings: recipe.steps is 200 there and 210"
    assert done.returncode != 0 and re.search(sentence, done.stdout + done.stderr)  # on the terminal


def wait_for(there: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    """Until something is there; an error if the process ends before."""
    until = time.monotonic() + 300
    while not there():
        assert process.poll() is None and time.monotonic() < until
        time.sleep(0.1)


def test_jobs_find_topomod_without_an_active_environment(checkout: Path) -> None:
    (checkout / "results" / "tiny" / "looks.parquet").unlink()
    done = snakemake(checkout, "--", "results/tiny/looks.parquet", path=os.defpath)
    assert done.returncode == 0, done.stderr
    assert rules_run(done.stdout + done.stderr) == {"conclude"}


def test_an_active_environment_comes_first(checkout: Path, tmp_path: Path) -> None:
    """As the one that --sdm conda activates for a rule does."""
    active = tmp_path / "topomod"
    active.write_text("#!/bin/sh\necho another topomod >&2\nexit 3\n")
    active.chmod(0o755)
    table = checkout / "results" / "tiny" / "looks.parquet"
    table.unlink()
    done = snakemake(checkout, "--", "results/tiny/looks.parquet", path=f"{tmp_path}{os.pathsep}{os.defpath}")
    assert done.returncode != 0 and not table.exists()
    assert (checkout / "results" / "tiny" / "logs" / "conclude.log").read_text() == "another topomod\n"
    assert snakemake(checkout, "--", "results/tiny/looks.parquet").returncode == 0


def test_a_study_with_looks_stops_once_its_questions_are_settled(checkout: Path) -> None:
    """No circuit of the second look is trained; four circuits cannot settle the other question."""
    log, seeds = "results/tiny/looks.parquet", {"first": 0, "count": 8}
    margins = {"n_groups": {"margin": 100.0, "reason": "more groups than there can be"}}
    before = (checkout / "study.yaml").read_text()
    asked = [{"words": "?", "primary": ["n_groups"]}]
    change(checkout, seeds=seeds, looks=[4, 8], margins=margins, questions=asked, networks={})
    done = snakemake(checkout, "--", log)
    assert done.returncode == 0, done.stderr
    # endpoints too, as the study of the fixture also read networks
    assert rules_run(done.stdout + done.stderr) == {"endpoints", "equivalence", "conclude"}
    found = pd.read_parquet(checkout / log)
    assert found[["n", "answer", "declared", "last"]].to_numpy().tolist() == [[4, "the same", True, True]]
    change(checkout, questions=[{"words": "?", "primary": ["share_torus_logits"]}])
    assert snakemake(checkout, "--", "results/tiny/looks/4/answers.parquet").returncode == 0
    plan = snakemake(checkout, "--dry-run", "--", log)
    assert set(re.findall(r"output: (\S+circuits\.safetensors)", plan.stdout + plan.stderr)) == {
        f"results/tiny/population/{name}/00004-00007/circuits.safetensors"
        for name in ("mlp_add", "mlp_concat", "attention_0.0")
    }
    (checkout / "study.yaml").write_text(before)


def test_lint_is_clean() -> None:
    command = [sys.executable, "-m", "snakemake", "--lint"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Congratulations" in done.stdout + done.stderr
