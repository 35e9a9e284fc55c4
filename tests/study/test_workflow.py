"""Snakemake itself on a tiny study: complete, idempotent, and only what changed runs again."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.workflow


def snakemake(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--configfile", "study.yaml", *arguments]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, timeout=900, env=environment)


def rules_run(output: str) -> set[str]:
    return set(re.findall(r"^\s*(?:local)?rule (\w+):", output, flags=re.MULTILINE))


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the pipeline needs, with the tiny study finished."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("Snakefile", "environment.yaml"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "config", folder / "config")
    shutil.copy(ROOT / "tests" / "tiny.yaml", folder / "study.yaml")
    done = snakemake(folder)
    assert done.returncode == 0, done.stderr
    return folder


def change(checkout: Path, **values: object) -> None:
    path = checkout / "study.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | values))


def test_finishes_and_then_has_nothing_to_do(checkout: Path) -> None:
    results = checkout / "results" / "tiny"
    assert (results / "report.html").stat().st_size > 10_000
    assert list(results.rglob(".*.tmp")) == []
    again = snakemake(checkout)
    assert again.returncode == 0 and "Nothing to be done" in again.stdout + again.stderr


def test_a_margin_redoes_only_tests_planning_and_report(checkout: Path) -> None:
    change(checkout, margins={"circularity": {"margin": 0.2, "reason": "a test"}})
    done = snakemake(checkout)
    assert done.returncode == 0, done.stderr
    assert rules_run(done.stdout + done.stderr) == {"all", "equivalence", "power", "report"}


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
    assert rules_run(done.stdout + done.stderr) == {"all", "homology", "endpoints", "equivalence", "power", "report"}


def test_snakemake_makes_its_own_report(checkout: Path) -> None:
    done = snakemake(checkout, "--report", "report.zip")
    assert done.returncode == 0, done.stderr
    assert (checkout / "report.zip").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("architectures", ["mlp_ad"], "unknown architecture 'mlp_ad'"),
        ("colour", "red", "unknown key 'colour'"),
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


def test_lint_is_clean() -> None:
    command = [sys.executable, "-m", "snakemake", "--lint"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Congratulations" in done.stdout + done.stderr
