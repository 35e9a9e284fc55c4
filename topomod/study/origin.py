"""From what a result was made: kept in each table and page, and compared with what is there now."""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from topomod.networks.circuit_file import read_digest
from topomod.study.config import Population
from topomod.study.settings import canonical_json
from topomod.study.shards import Shard, StudyFolder

Origin = dict[str, Any]
KEY_IN_FILE = b"topomod"
PAGE_END = b"</html>"
PAGE_HEAD = 2000  # bytes of a page within which its origin stands
HASH_LENGTH = 16


def content_hash(content: Sequence[Any]) -> str:
    """First 16 hexadecimal digits of the SHA-256 of what can be written as JSON."""
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()[:HASH_LENGTH]


def shard_origin(circuits: Path, **settings: Any) -> Origin:
    """Origin of a table of one shard: the digest of its circuits, and the settings of the stage by name.

    Raises
    ------
    FileNotFoundError, ValueError
        If there are no such circuits, or they cannot be read.
    """
    return {"circuits": read_digest(circuits)} | settings


def study_origin(
    folder: StudyFolder, population: Population, settings: Sequence[Any], followed: Iterable[Shard] = ()
) -> Origin:
    """Origin of a result of all shards: one hash of the origins of their tables, and one of the settings.

    Parameters
    ----------
    folder : StudyFolder
        Results of the study.
    population : Population
        Names the shards.
    settings : sequence
        What the stage is told.
    followed : iterable of Shard
        Shards of circuits that are followed longer, where the stage reads them.

    Raises
    ------
    ValueError
        If a table of a shard is missing or cut short.
    """
    tables = folder.shard_tables(population.system.shard_tables[0], population.shards())
    tables += [folder.maturity(shard) / tables[0].name for shard in followed]
    return {"shards": content_hash([stored_origin(path) for path in tables]), "settings": content_hash(settings)}


def stored_origin(path: Path) -> Origin | None:
    """What a table or a page says of its origin; None where it says nothing, as older ones and files beside a page do.

    Raises
    ------
    ValueError
        If the file is missing, cut short, or is none of these.
    """
    try:
        text = READERS.get(path.suffix, _of_table)(path)
        found = json.loads(text) if text else None
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is cut short or missing ({' '.join(str(error).split())})") from None
    return found if isinstance(found, dict) else None


def _of_table(path: Path) -> str:
    import pyarrow.parquet

    with path.open("rb") as file:
        metadata = pyarrow.parquet.read_metadata(file).metadata or {}
    return str(metadata.get(KEY_IN_FILE, b"").decode())


def _of_page(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(PAGE_HEAD)
        file.seek(max(0, path.stat().st_size - PAGE_HEAD))
        if not file.read().rstrip().endswith(PAGE_END):
            raise ValueError("its last line is not </html>")
    found = re.search(rb'<meta name="topomod-origin" content="([^"]*)">', head)
    return found[1].decode().replace("&#34;", '"') if found else ""


def _of_json(path: Path) -> str:
    """Nothing, if it is complete: it is written with its page, which says it."""
    json.loads(path.read_bytes())
    return ""


def _of_archive(path: Path) -> str:
    """Nothing, if it is complete, likewise."""
    zipfile.ZipFile(path).close()
    return ""


READERS: dict[str, Callable[[Path], str]] = {".html": _of_page, ".json": _of_json, ".zip": _of_archive}
