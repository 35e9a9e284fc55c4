"""Files that are either complete or not there."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

STALE_SECONDS = 3600.0  # a temporary file this old is left over, unless its process still runs


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Give a temporary name in the same folder; rename it to ``path`` on success, remove it on failure.

    The content is on the disk before the rename, and the rename before the end, so that a machine that loses its power
    leaves the old file or the new one. What killed processes left of the same target an hour ago or earlier is removed.

    Raises
    ------
    OSError
        If the file cannot be written: a sentence that names it, and the reason.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_stale(path)
        yield temporary
        _flush(temporary)
        os.replace(temporary, path)
        with suppress(OSError):  # some network file systems cannot flush a folder; the file itself is complete
            _flush(path.parent)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else " ".join(str(error).split())
        raise OSError(f"{path}: cannot be written ({reason})") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    """Have the system write a file or a folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove_stale(path: Path) -> None:
    """Remove temporary files of the same target that are old and whose process is gone."""
    name = re.compile(rf"\.{re.escape(path.name)}\.(\d+)\.tmp")
    for other in path.parent.iterdir():
        if (match := name.fullmatch(other.name)) and not _running(int(match[1])):
            with suppress(OSError):  # another process may have removed it
                if time.time() - other.stat().st_mtime > STALE_SECONDS:
                    other.unlink()


def _running(pid: int) -> bool:
    """Whether a process of this machine has the number."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
