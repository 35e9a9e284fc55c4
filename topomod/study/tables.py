"""Tables as files, and the diagrams that they hold."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from topomod.files import atomic_path
from topomod.study.origin import KEY_IN_FILE, Origin
from topomod.study.settings import canonical_json
from topomod.study.table_columns import KEY, TABLES, table_fault

__all__ = ["KEY", "circuit_diagrams", "empty_table", "read_tables", "write_table"]


def write_table(table: pd.DataFrame, path: Path, origin: Origin | None = None) -> None:
    """Write a Parquet file with checksums of its pages; it appears under its name only when it is complete.

    Parameters
    ----------
    table : DataFrame
        Its index is not written.
    path : Path
        File to write.
    origin : dict, optional
        From what it was made, see :mod:`topomod.study.origin`.
    """
    import pyarrow.parquet

    content = pyarrow.Table.from_pandas(table, preserve_index=False)
    if origin is not None:
        content = content.replace_schema_metadata(content.schema.metadata | {KEY_IN_FILE: canonical_json(origin)})
    with atomic_path(path) as temporary:
        pyarrow.parquet.write_table(content, temporary, write_page_checksum=True)


def read_tables(paths: Iterable[Path]) -> pd.DataFrame:
    """Read and stack Parquet tables.

    Raises
    ------
    ValueError
        If a file is no complete Parquet table, lacks a column, or holds a row twice; a row that two of the files hold
        counts as such.
    """
    paths = [Path(path) for path in paths]
    tables = [_read(path) for path in paths]
    filled = [table for table in tables if len(table)]
    if not filled:
        return tables[0]
    stacked = pd.concat(filled, ignore_index=True)
    if len(filled) > 1 and (fault := table_fault(paths[0].stem, stacked)):
        raise ValueError(f"{paths[0].parent} and the folders beside it: {paths[0].name} {fault}")
    return stacked


def _read(path: Path) -> pd.DataFrame:
    if path.is_dir():  # which pandas would read as a table in parts
        raise ValueError(f"{path} is a folder, not a table; delete it and run again")
    try:
        table = pd.read_parquet(path, engine="pyarrow", page_checksum_verification=True)
    except Exception as error:  # what a damaged file sets off has no common type
        reason = error.strerror if isinstance(error, OSError) and error.strerror else " ".join(str(error).split())
        raise ValueError(f"{path} is corrupt or missing ({reason}); delete it and run again") from error
    if fault := table_fault(path.stem, table):
        raise ValueError(f"{path} {fault}; delete it and run again")
    return table


def empty_table(name: str) -> pd.DataFrame:
    """A table without rows, with the columns that it must have."""
    columns = TABLES[name]
    return pd.DataFrame(columns=[*columns.names, *columns.needed.split()])


def circuit_diagrams(diagrams: pd.DataFrame, site: str, dimension: int = 1) -> dict[tuple[str, int, int], np.ndarray]:
    """Diagram (n_pairs, 2) of each circuit's strongest group at a site; bars that never die are left out."""
    rows = diagrams[(diagrams["site"] == site) & (diagrams["dimension"] == dimension)]
    finite = rows[np.isfinite(rows["death"].astype(float))]
    return {
        (str(name), int(str(seed)), int(str(step))): part[["birth", "death"]].to_numpy(float)
        for (name, seed, step), part in finite.groupby(KEY, sort=False)
    }
