"""Tables as files, and the diagrams that they hold."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from topomod.files import atomic_path

KEY = ["architecture", "seed", "step"]


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a Parquet file, which appears under its name only when it is complete."""
    with atomic_path(path) as temporary:
        table.to_parquet(temporary, index=False)


def read_tables(paths: Iterable[Path]) -> pd.DataFrame:
    """Read and stack Parquet tables.

    Raises
    ------
    ValueError
        If a file is no complete Parquet table.
    """
    from pyarrow import ArrowInvalid

    tables = []
    for path in paths:
        try:
            tables.append(pd.read_parquet(path))
        except (ArrowInvalid, OSError) as error:
            raise ValueError(f"{path} is corrupt or missing ({error}); delete it and run again") from error
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else tables[0]


def circuit_diagrams(diagrams: pd.DataFrame, site: str, dimension: int = 1) -> dict[tuple[str, int, int], np.ndarray]:
    """Diagram (n_pairs, 2) of each circuit's strongest group at a site; bars that never die are left out."""
    rows = diagrams[(diagrams["site"] == site) & (diagrams["dimension"] == dimension)]
    finite = rows[np.isfinite(rows["death"].astype(float))]
    return {
        (str(name), int(str(seed)), int(str(step))): part[["birth", "death"]].to_numpy(float)
        for (name, seed, step), part in finite.groupby(KEY, sort=False)
    }
