"""A file is complete or not there, whatever happens to the disk, the folder or the process."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from topomod import files
from topomod.files import atomic_path

WRITE = """
import os, resource, sys
from pathlib import Path
import numpy as np
import pandas as pd
import topomod
from topomod import cli
from topomod.files import atomic_path
from topomod.networks.circuit_file import save_circuits
from topomod.study.tables import write_table

circuit = topomod.max_margin_network(topomod.ModularAddition(23))
table = pd.DataFrame({"a": np.random.default_rng(0).normal(size=100_000)})

def text(path):
    with atomic_path(path) as temporary:
        temporary.write_text("x" * 500_000)

writers = [text, lambda path: write_table(table, path), lambda path: save_circuits(path, [circuit] * 4)]
for index, writer in enumerate(writers):
    writer(Path(sys.argv[2]) / f"{index}.out")  # so that all libraries are loaded
exec(sys.argv[3])
for index, writer in enumerate(writers):
    cli.app = lambda: writer(Path(sys.argv[1]) / f"{index}.out")  # the command's own way to say what went wrong
    try:
        cli.main()
    except SystemExit as end:
        print(end.code)
"""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that any user can reach; pytest's own are closed."""
    folder = Path(tempfile.mkdtemp(prefix="topomod-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def assert_one_sentence_each(folder: Path, elsewhere: Path, before: str, reason: str) -> None:
    """A text, a table and circuits are written after some code has run, and each of them fails for the reason."""
    command = [sys.executable, "-c", WRITE, str(folder), str(elsewhere), before]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    wanted = [f"topomod: {folder / f'{index}.out'}: cannot be written ({reason})" for index in range(3)]
    assert done.stderr.splitlines() == wanted
    assert done.stdout.split() == ["2"] * 3


def test_no_room_left(open_folder: Path, tmp_path: Path) -> None:
    """A limit on the size of files stops the writing half way, as a full disk does."""
    for index in range(3):
        (open_folder / f"{index}.out").write_text("old")
    limit = "resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))"
    assert_one_sentence_each(open_folder, tmp_path, limit, "File too large")
    assert {p.name: p.read_text() for p in open_folder.iterdir()} == {f"{index}.out": "old" for index in range(3)}


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("mount") is None, reason="mounts a small disk, as root")
def test_a_full_disk(open_folder: Path, tmp_path: Path) -> None:
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(open_folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip("this machine does not let a disk be mounted")
    try:
        assert_one_sentence_each(open_folder, tmp_path, "", "No space left on device")
        assert list(open_folder.iterdir()) == []
    finally:
        subprocess.run(["umount", str(open_folder)], check=True)


def test_a_folder_that_is_read_only(open_folder: Path, tmp_path: Path) -> None:
    """Root may write anywhere, so a root's process becomes somebody else first."""
    open_folder.chmod(0o555)
    assert_one_sentence_each(open_folder, tmp_path, "os.geteuid() or os.setuid(65534)", "Permission denied")
    assert list(open_folder.iterdir()) == []


@pytest.mark.parametrize(
    ("path", "reason"),
    [("file/x.out", "Not a directory|File exists"), ("folder", "Is a directory"), ("n" * 250, "File name too long")],
)
def test_a_path_that_cannot_be_a_file(path: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    with (
        pytest.raises(OSError, match=rf"{path}: cannot be written \(({reason})\)"),
        atomic_path(tmp_path / path) as temporary,
    ):
        temporary.write_text("x")
    assert {p.name for p in tmp_path.iterdir()} == {"file", "folder"}


def test_a_failed_writer_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), atomic_path(path) as temporary:
        temporary.write_text("half")
        _ = 1 / 0
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("x", "old")]


KILLED = """
import os, signal, sys
from pathlib import Path
from topomod.files import atomic_path
with atomic_path(Path(sys.argv[1])) as temporary:
    temporary.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def left_by_a_kill(path: Path) -> Path:
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], timeout=60)
    assert done.returncode == -signal.SIGKILL
    (left,) = path.parent.glob(".*.tmp")
    return left


def age(path: Path, seconds: float) -> None:
    os.utime(path, (time.time() - seconds,) * 2)


def write(path: Path, text: str = "new") -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(text)


def test_what_a_kill_left_is_removed_by_the_next_writer_of_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "x[1]*.parquet"
    left = left_by_a_kill(path)
    assert left.read_text() == "half" and not path.exists()
    write(path)
    assert left.exists()  # young: a process of another machine may still write it
    age(left, 3700)
    write(tmp_path / "x")
    assert left.exists()  # of another file
    write(path)
    assert not left.exists() and path.read_text() == "new"


def test_what_a_running_process_writes_is_left_alone(tmp_path: Path) -> None:
    running = tmp_path / f".x.{os.getppid()}.tmp"
    other = [tmp_path / name for name in (".x.12.34.tmp", ".x.abc.tmp", ".xx.1.tmp", "x.1.tmp")]
    gone = tmp_path / f".x.{2**40}.tmp"  # no process has such a number
    for path in (running, gone, *other):
        path.write_text("half")
        age(path, 1e6)
    write(tmp_path / "x")
    assert running.exists() and all(path.exists() for path in other) and not gone.exists()


def test_content_is_on_the_disk_before_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The order of system calls: flush the file, rename it, flush the folder."""
    calls: list[str] = []
    flush, replace = os.fsync, os.replace

    def fsync(handle: int) -> None:
        calls.append("flush " + Path(os.readlink(f"/proc/self/fd/{handle}")).name)
        flush(handle)

    def rename(source: Path, target: Path) -> None:
        calls.append("rename")
        replace(source, target)

    monkeypatch.setattr(files.os, "fsync", fsync)
    monkeypatch.setattr(files.os, "replace", rename)
    write(tmp_path / "x")
    assert calls == [f"flush .x.{os.getpid()}.tmp", "rename", f"flush {tmp_path.name}"]
