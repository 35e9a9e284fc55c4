"""Samples of networks: the network of each row, and one mean per network."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from topomod.statistics.arguments import check_finite, describe, number_array
from topomod.topology.inputs import plain_array
from topomod.topology.scale import times_power_of_two, unit_exponent

MIN_NETWORKS = 3


def network_index(
    clusters: object, n_rows: int, name: str, clusters_name: str, least: int = MIN_NETWORKS
) -> Int[np.ndarray, " n"]:
    """Network 0, 1, ... that each row belongs to; without ``clusters`` each row is its own.

    Parameters
    ----------
    clusters : array_like or None
        (n_rows,) labels of networks: numbers, text or times.
    n_rows : int
        Rows of the sample.
    name, clusters_name : str
        Names of the sample and of its labels, for messages.
    least : int
        Networks that are needed.

    Raises
    ------
    ValueError
        Labels of another shape, masked or missing labels, labels without an order, or too few networks.
    """
    index = np.arange(n_rows)
    if clusters is not None:
        labels = _labels(clusters, clusters_name)
        if labels.shape != (n_rows,):
            raise ValueError(f"{clusters_name} has shape {labels.shape} but {name} has {n_rows} rows")
        index = _ordered(labels, clusters_name)
    n_networks = len(np.unique(index))
    if n_networks < least:
        raise ValueError(f"{name} has {n_networks} network(s); at least {least} are needed")
    return index


def _labels(clusters: object, name: str) -> np.ndarray:
    """Labels as an array, none of them missing."""
    from pandas import isna

    # numpy would make text of a list that holds text and None or NaN, and the missing label would be one more network
    labels = plain_array(clusters, name, object if isinstance(clusters, (list, tuple)) else None)
    if np.any(isna(labels)):
        raise ValueError(f"{name} contains NaN, None or another missing label; give every row the label of its network")
    return labels


def check_partners(clusters_x: object, clusters_y: object) -> None:
    """Refuse labels of networks of which one sample lacks some.

    Raises
    ------
    ValueError
        A network without a partner, and as `network_index`.
    """
    if clusters_x is None and clusters_y is None:
        return
    if clusters_x is None or clusters_y is None:
        raise ValueError("pairs need the labels of the networks of both samples, or of none")
    found_x, found_y = (set(_labels(own, f"clusters_{side}")) for own, side in ((clusters_x, "x"), (clusters_y, "y")))
    for side, lone in (("x", found_x - found_y), ("y", found_y - found_x)):
        if lone:
            raise ValueError(
                f"the network {describe(next(iter(lone)))} is only in {side}; a pair needs both of its networks"
            )


def _ordered(labels: np.ndarray, name: str) -> Int[np.ndarray, " n"]:
    """Place of each label among the sorted different ones."""
    try:
        different, index = np.unique(labels, return_inverse=True)
        # sets can be compared but have no order: sorting them leaves equal labels apart
        is_ordered = labels.dtype != object or len(set(labels)) == len(different)
    except TypeError:
        is_ordered = False
    if not is_ordered:
        types = ", ".join(sorted({type(label).__name__ for label in labels}))
        raise ValueError(f"{name} has labels that cannot be sorted, of type {types}; use numbers alone or text alone")
    return np.asarray(index, dtype=np.int64)


def network_means(values: object, clusters: object, name: str, clusters_name: str) -> Float[np.ndarray, " n"]:
    """Mean of each network, sorted by size; raises as `labelled_means`."""
    return np.sort(labelled_means(values, clusters, name, clusters_name))


def labelled_means(values: object, clusters: object, name: str, clusters_name: str) -> Float[np.ndarray, " n"]:
    """Mean of each network, in the order of their labels: a network counts once however many rows it has.

    Raises
    ------
    ValueError
        As `network_index`; values that are no finite real numbers, or not one per row.
    """
    rows = number_array(values, name)
    if rows.ndim != 1:
        raise ValueError(f"{name} has shape {rows.shape}; it must be one-dimensional, one number per row")
    check_finite(rows, name)
    index = network_index(clusters, len(rows), name, clusters_name)
    exponent = unit_exponent(rows)
    sums = np.bincount(index, weights=times_power_of_two(rows, -exponent))
    return times_power_of_two(sums / np.bincount(index), exponent)
