"""A table of one's own, with a number for each network or several, and two groups of networks or more."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from topomod.statistics.samples import MIN_NETWORKS

MAX_GROUPS = 20  # more are no groups but a number, or the networks themselves


def read_samples(path: Path, columns: dict[str, str]) -> dict[str, pd.DataFrame]:
    """Rows of each group of a table, in the order in which the groups appear.

    Parameters
    ----------
    path : path
        CSV or Parquet file.
    columns : dict
        Names of the columns for ``value``, ``group`` and ``network``.

    Raises
    ------
    ValueError
        A file that cannot be read, a column that is not named or not there, a row without the name of its group or
        network, fewer than two groups or more than 20, or a group of fewer than 3 networks.
    """
    for option, name in columns.items():
        if not name:
            raise ValueError(f"{path}: name the column of the {option} with --{option}")
    table = _read(path)
    _check_columns(path, table, columns)
    samples = {str(name): rows for name, rows in table.groupby(columns["group"], sort=False)}
    if not 2 <= len(samples) <= MAX_GROUPS:
        names = ", ".join(list(samples)[:5]) + (", ..." if len(samples) > 5 else "")
        found = f"{len(samples)} groups ({names})"
        raise ValueError(f"{path}: the column {columns['group']!r} names {found}; 2 to {MAX_GROUPS} are compared")
    for name, rows in samples.items():
        if (n := rows[columns["network"]].nunique()) < MIN_NETWORKS:
            raise ValueError(f"{path}: the group {name!r} has {n} networks; at least {MIN_NETWORKS} are needed")
    return samples


def _check_columns(path: Path, table: pd.DataFrame, columns: dict[str, str]) -> None:
    """Columns must be there, and name the group and the network of every row."""
    if absent := [name for name in columns.values() if name not in table]:
        raise ValueError(f"{path} has no column {absent[0]!r}; it has {', '.join(map(str, table.columns))}")
    for option in ("group", "network"):
        empty = table[columns[option]].isna().to_numpy()
        if empty.any():
            raise ValueError(f"{path}: the column {columns[option]!r} is empty in row {int(empty.argmax()) + 1}")


def _read(path: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    except Exception as error:  # what a damaged file sets off has no common type
        raise ValueError(f"{path} cannot be read as a table ({' '.join(str(error).split())})") from error
