"""The whole DAG through a real Slurm without accounting: two nodes that share no /tmp, started for these tests only."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "tests" / "tiny.yaml"
CLUSTER = ROOT / "tests" / "study" / "slurm_cluster.sh"
# Two shards for two nodes, and no circuits that are followed: Snakemake starts twice for each job.
SMALL = {"maturity": {"count": 0, "steps": [50]}, "positive_control": None, "negative_control": None}
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
    # pytest's own paths are long for a socket, and lie where each node has another disk
    with tempfile.TemporaryDirectory(prefix="slurm-", dir="/var/tmp") as folder:
        subprocess.run([CLUSTER, "start", folder, "2", sys.prefix, ROOT], check=True, timeout=90)
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        try:
            yield {
                **os.environ,
                "PATH": path,
                "SLURM_CONF": f"{folder}/slurm.conf",
                "OMP_NUM_THREADS": "1",
                "NO_COLOR": "1",
                "TMPDIR": "/tmp",
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


@pytest.fixture
def shared() -> Iterator[Path]:
    """A checkout on the disk that both nodes see."""
    with tempfile.TemporaryDirectory(prefix="study-", dir="/var/tmp") as folder:
        checkout = copy_of_checkout(Path(folder))
        change(checkout, architectures=["mlp_add", "mlp_concat"])
        yield checkout


def change(folder: Path, **changes: object) -> None:
    """Change the study in a checkout."""
    path = folder / "config" / CONFIG.name
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | SMALL | changes))


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
    return dict(line.split()[:2] for line in queue(environment))


def queue(environment: dict[str, str]) -> list[str]:
    """Number, state and node of every such job."""
    command = ["squeue", "--states=all", "--noheader", "--format=%i %T %N"]
    out = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return out.stdout.splitlines()


def test_a_job_over_its_memory_finishes_at_its_second_attempt(shared: Path, cluster: dict[str, str]) -> None:
    """The rule's own scaling by attempt: only the amount is smaller, so that the first attempt is too little."""
    rules = shared / "Snakefile"
    rules.write_text(rules.read_text().replace("scaled(max(1500, shard_memory(study)))", "scaled(450)"))
    change(shared, architectures=["mlp_add"], main_pair=None, questions=[])
    log = snakemake(shared, cluster, "--until", "train")
    first, second = re.findall(r"has been submitted with SLURM jobid (\d+)", log)
    assert {job: state for job, state in states(cluster).items() if job in (first, second)} == {
        first: "FAILED",
        second: "COMPLETED",
    }
    (own_log,) = (shared / ".snakemake" / "slurm_logs").rglob(f"{first}.log")
    assert "exceeded memory limit" in own_log.read_text()
    assert len(list((shared / "results").rglob("circuits.safetensors"))) == 1


def test_profile_runs_the_study_through_slurm(shared: Path, cluster: dict[str, str]) -> None:
    folder = shared
    log = snakemake(folder, cluster)

    submitted = re.findall(r"has been submitted with SLURM jobid (\d+)", log)
    finished, total = map(int, re.findall(r"(\d+) of (\d+) steps", log)[-1])
    local = len(re.findall(r"^localrule ", log, flags=re.MULTILINE))
    assert finished == total
    assert len(submitted) == len(set(submitted)) == total - local > 0
    written = {path.stem for path in (folder / ".snakemake" / "slurm_logs").rglob("*.log")}
    assert written == set(submitted)
    remembered = {line.split()[0]: line.split()[1:] for line in queue(cluster)}
    ran = [remembered[job] for job in submitted if job in remembered]
    assert {state for state, _ in ran} == {"COMPLETED"} and {node for _, node in ran} == {"node1", "node2"}

    assert "Nothing to be done" in snakemake(folder, cluster)
