"""The whole DAG through a real Slurm: one node without accounting, started for this test only."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "tests" / "tiny.yaml"
CLUSTER = ROOT / "tests" / "study" / "slurm_cluster.sh"
CHECKOUT = ("Snakefile", "environment.yaml", "config", "profiles", "slurm")
DAEMONS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "srun")
missing = [name for name in DAEMONS if shutil.which(name) is None]

pytestmark = [
    pytest.mark.slurm,
    pytest.mark.workflow,
    pytest.mark.skipif(bool(missing), reason=f"no {', '.join(missing)} (apt-get install slurm-wlm munge)"),
    pytest.mark.skipif(os.geteuid() != 0, reason="a Slurm node has to be started as root"),
]


@pytest.fixture(scope="module")
def cluster() -> Iterator[dict[str, str]]:
    """Environment of a user of the cluster: this interpreter's programs first on the path."""
    with tempfile.TemporaryDirectory(prefix="slurm-") as folder:  # pytest's own paths are long for a socket
        subprocess.run([CLUSTER, "start", folder], check=True, timeout=60)
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        try:
            yield {
                **os.environ,
                "PATH": path,
                "SLURM_CONF": f"{folder}/slurm.conf",
                "OMP_NUM_THREADS": "1",
                "NO_COLOR": "1",
            }
        finally:
            subprocess.run([CLUSTER, "stop", folder], check=True, timeout=60)


def copy_of_checkout(folder: Path) -> Path:
    """What a run of the pipeline reads from a checkout, so that nothing is written into this one."""
    for name in CHECKOUT:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name)
        else:
            shutil.copy(source, folder / name)
    shutil.copy(CONFIG, folder / "config" / CONFIG.name)
    return folder


def snakemake(folder: Path, environment: dict[str, str], *options: str) -> str:
    command = ["snakemake", "--cores", "8", "--profile", "slurm", "--configfile", f"config/{CONFIG.name}"]
    # The profile's waits are meant for a cluster of strangers; a test need not sit them out.
    command += ["--slurm-init-seconds-before-status-checks", "2", "--seconds-between-status-checks", "1"]
    command += ["--slurm-keep-successful-logs", *options]
    run = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=1800,
    )
    assert run.returncode == 0, run.stdout[-8000:]
    return run.stdout


def states(environment: dict[str, str]) -> dict[str, str]:
    """Every job the cluster still remembers (MinJobAge, 300 s, after its end), and its state."""
    out = subprocess.run(
        ["squeue", "--states=all", "--noheader", "--format=%i %T"],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return dict(line.split() for line in out.stdout.splitlines())


def test_profile_runs_the_study_through_slurm(tmp_path: Path, cluster: dict[str, str]) -> None:
    folder = copy_of_checkout(tmp_path)
    log = snakemake(folder, cluster)

    submitted = re.findall(r"has been submitted with SLURM jobid (\d+)", log)
    finished, total = map(int, re.findall(r"(\d+) of (\d+) steps", log)[-1])
    local = len(re.findall(r"^localrule ", log, flags=re.MULTILINE))
    assert finished == total
    assert len(submitted) == len(set(submitted)) == total - local > 0
    written = {path.stem for path in (folder / ".snakemake" / "slurm_logs").rglob("*.log")}
    assert written == set(submitted)
    remembered = states(cluster)
    assert {remembered[job] for job in submitted if job in remembered} == {"COMPLETED"}

    assert "Nothing to be done" in snakemake(folder, cluster)
