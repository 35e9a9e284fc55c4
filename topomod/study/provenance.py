"""Where a report comes from: versions, commit, machine, time; never a path, a user or the name of a host."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd

PACKAGES = (
    "topomod torch numpy scipy pandas pyarrow scikit-learn gudhi ripser persim giotto-tda umap-learn "
    "statsmodels plotly safetensors pydantic snakemake"
).split()


def provenance(benchmarks: Path) -> dict[str, Any]:
    """Record of what made a report now, with the time that the study's stages took.

    Returns
    -------
    dict
        ``time``, ``commit``, ``machine``, ``versions`` and ``stages`` (list of dict, empty without benchmarks).
    """
    return {
        "time": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": git_commit(Path(__file__).parent),
        "machine": {"cpu": cpu_model(), "cores": os.cpu_count(), "system": platform.system()},
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}},
        "stages": stage_costs(benchmarks),
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def git_commit(folder: Path) -> str:
    """Commit of a checkout, marked where files differ from it; "unknown" outside a checkout."""
    try:
        commit = _git(folder, "rev-parse", "--short=12", "HEAD")
        changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return f"{commit} with local changes" if changed else commit


def _git(folder: Path, *arguments: str) -> str:
    run = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True, timeout=20)
    return run.stdout.strip()


def cpu_model() -> str:
    """Name of the processor, as Linux gives it, else what Python knows."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def stage_costs(folder: Path) -> list[dict[str, Any]]:
    """Jobs, summed seconds and largest memory (MiB) per stage, from snakemake's benchmark files."""
    rows = []
    for path in sorted(folder.rglob("*.tsv")):
        parts = path.relative_to(folder).parts
        if parts[0].startswith("report"):
            continue  # this is of an earlier report
        table = pd.read_csv(path, sep="\t", na_values=["-", "NA"])
        stage = " / ".join(part.removesuffix(".tsv") for part in parts[:2])
        rows.append({"stage": stage, "seconds": table["s"].sum(), "memory": table["max_rss"].max()})
    if not rows:
        return []
    grouped = pd.DataFrame(rows).groupby("stage", sort=False)
    costs = grouped.agg(jobs=("seconds", "size"), seconds=("seconds", "sum"), memory=("memory", "max"))
    return [{str(name): value for name, value in row.items()} for row in costs.reset_index().to_dict("records")]
