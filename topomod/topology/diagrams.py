"""Persistence diagrams: what an array must be to be one, and how far two of them are apart."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float, Int

from topomod.topology.diagram_layouts import bars_of

Diagram = Float[np.ndarray, "_ 2"]
Metric = Literal["bottleneck", "wasserstein"]
InfiniteBars = Literal["error", "drop", "match"]


def check_diagram(diagram: object, name: str, dimension: int | None = None) -> Diagram:
    """A persistence diagram of one dimension, read from any known layout; what cannot be one is refused.

    Parameters
    ----------
    diagram : array_like
        (n_pairs, 2) births and deaths, in any unit, or anything empty, or a layout of ripser, giotto-tda or gudhi, as
        in :func:`topomod.topology.diagram_layouts.bars_of`. Deaths may be infinite.
    name : str
        What the sentence of an error calls it.
    dimension : int, optional
        Which dimension, where a layout has several.

    Returns
    -------
    ndarray
        (n_pairs, 2) in double precision.

    Raises
    ------
    ValueError
        For another layout, bars of several dimensions of which none was chosen, masked entries, entries that are no
        real numbers, NaN, infinite births, and deaths before their births.
    """
    pairs = _as_pairs(bars_of(diagram, name, dimension), name)
    births, deaths = pairs.T
    if np.isnan(pairs).any():
        raise ValueError(f"{name} must hold births and deaths without NaN, found {int(np.isnan(pairs).sum())} NaN")
    if np.isinf(births).any():
        raise ValueError(f"{name} must have finite births, found {int(np.isinf(births).sum())} infinite ones")
    if (deaths < births).any():
        first = int(np.argmax(deaths < births))
        found = f"found {int((deaths < births).sum())} earlier ones, first in row {first}: {pairs[first].tolist()}"
        raise ValueError(f"{name} must have deaths no earlier than their births, {found}")
    return pairs


def _as_pairs(diagram: object, name: str) -> Diagram:
    try:
        masked: np.ma.MaskedArray = np.ma.asarray(diagram)  # type: ignore[no-untyped-call]  # numpy.ma has no types
    except (TypeError, ValueError):  # numpy's own words do not say which argument it was
        found = f"{type(diagram).__name__} whose rows differ in length"
        raise ValueError(f"{name} must be an (n_pairs, 2) array of births and deaths, found a {found}") from None
    if np.any(masked.mask):
        raise ValueError(f"{name} must have no masked entries, found {np.sum(masked.mask)}; leave their rows out")
    array = np.asarray(masked.data)
    if array.size == 0:
        return np.zeros((0, 2))
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError(f"{name} must be an (n_pairs, 2) array of births and deaths, found shape {array.shape}")
    if array.dtype.kind not in "fiu":
        raise ValueError(f"{name} must hold real numbers, found dtype {array.dtype}")
    return np.asarray(array, np.float64)


def check_finite_diagram(diagram: object, name: str, dimension: int | None = None) -> Diagram:
    """:func:`check_diagram` where bars that never die have no meaning.

    Raises
    ------
    ValueError
        As :func:`check_diagram`, and for infinite deaths.
    """
    pairs = check_diagram(diagram, name, dimension)
    n_infinite = int(np.isinf(pairs[:, 1]).sum())
    if n_infinite:
        raise ValueError(f"{name} must have finite deaths, found {n_infinite} infinite ones; leave their rows out")
    return pairs


def _split_infinite(diagram: object, name: str, dimension: int | None) -> tuple[Diagram, Float[np.ndarray, " m"]]:
    pairs = check_diagram(diagram, name, dimension)
    infinite = np.isinf(pairs[:, 1])
    return pairs[~infinite], np.sort(pairs[infinite, 0])


def diagram_distance(
    d1: object, d2: object, metric: str = "bottleneck", *, infinite: str = "error", dimension: int | None = None
) -> float:
    """Distance between two persistence diagrams of one dimension.

    Parameters
    ----------
    d1, d2 : array_like
        (n_pairs, 2) births and deaths, as :func:`check_diagram` takes them.
    metric : {"bottleneck", "wasserstein"}
        Bottleneck, or 1-Wasserstein; ground metric L-infinity in both.
    infinite : {"error", "drop", "match"}
        What to do with bars that never die: refuse them; leave them out; or match them by order of birth,
        which gives ``inf`` if the diagrams hold different numbers of them.
    dimension : int, optional
        Which dimension, where the diagrams are in a layout that has several.

    Raises
    ------
    ValueError
        For an unknown metric or convention, for what :func:`check_diagram` refuses, and for infinite bars unless a
        convention was chosen.

    References
    ----------
    Kerber, Morozov, Nigmetov, arXiv 1606.03357 (hera); gudhi.

    Examples
    --------
    >>> round(diagram_distance(np.array([[0.0, 1.0]]), np.array([[0.0, 1.5]])), 12)
    0.5
    """
    if metric not in get_args(Metric):
        raise ValueError(f"unknown metric {metric!r}; known metrics: {', '.join(get_args(Metric))}")
    if infinite not in get_args(InfiniteBars):
        raise ValueError(f"unknown convention {infinite!r}; known: {', '.join(get_args(InfiniteBars))}")
    (finite1, births1), (finite2, births2) = (
        _split_infinite(diagram, name, dimension) for diagram, name in ((d1, "d1"), (d2, "d2"))
    )
    if infinite == "error" and len(births1) + len(births2) > 0:
        raise ValueError(
            f"found {len(births1)} and {len(births2)} infinite bars; pass infinite='drop' or infinite='match'"
        )
    if infinite == "match" and len(births1) != len(births2):
        return float("inf")
    gaps = np.abs(births1 - births2) if infinite == "match" else np.zeros(0)
    if metric == "bottleneck":
        import gudhi

        return max(float(gudhi.bottleneck_distance(finite1, finite2)), float(gaps.max(initial=0)))
    from gudhi.hera import wasserstein_distance

    return float(wasserstein_distance(finite1, finite2, order=1.0, internal_p=np.inf)) + float(gaps.sum())


@dataclass(frozen=True)
class DiagramMatching:
    """A matching of two persistence diagrams whose longest pair is as short as it can be.

    Parameters
    ----------
    pairs : ndarray
        (n_matched, 2) rows of the first and of the second diagram; -1 stands for the diagonal. Each row of either
        diagram occurs once.
    distance : float
        Bottleneck distance: the L-infinity length of the longest pair, 0 without pairs.
    """

    pairs: Int[np.ndarray, "_ 2"]
    distance: float


def diagram_matching(d1: object, d2: object, *, dimension: int | None = None) -> DiagramMatching:
    """Bottleneck matching of two persistence diagrams of one dimension: which feature became which.

    Several matchings can have the same distance; one of them comes back. Time and memory grow with the square of the
    number of pairs and faster: leave short bars out of diagrams with thousands.

    Parameters
    ----------
    d1, d2 : array_like
        (n_pairs, 2) births and finite deaths, or another layout that :func:`check_diagram` takes.
    dimension : int, optional
        Which dimension, where a layout has several. Rows are then those of this dimension.

    Returns
    -------
    DiagramMatching

    Raises
    ------
    ValueError
        For what :func:`check_diagram` refuses, and for infinite deaths.

    References
    ----------
    Efrat, Itai, Katz 2001, doi 10.1007/s00453-001-0016-8; persim.

    Examples
    --------
    >>> diagram_matching([[0.0, 1.0], [0.2, 0.4]], [[0.0, 1.5]]).pairs.tolist()
    [[0, 0], [1, -1]]
    """
    first, second = (check_finite_diagram(diagram, name, dimension) for diagram, name in ((d1, "d1"), (d2, "d2")))
    if len(first) == 0 or len(second) == 0:  # persim puts the point (0, 0) into an empty diagram and may match it
        rows = np.arange(len(first) + len(second))
        diagonal = np.full(len(rows), -1)
        pairs = np.column_stack([rows, diagonal] if len(first) else [diagonal, rows])
        return DiagramMatching(pairs, float(np.ptp(np.concatenate([first, second]), axis=1).max(initial=0) / 2))
    from persim import bottleneck

    with warnings.catch_warnings():
        # persim 0.4 announces at each call that equally good matchings may differ from those of earlier versions
        warnings.filterwarnings("ignore", message="As of 0.4.0", category=UserWarning)
        distance, matched = bottleneck(first, second, matching=True)
    return DiagramMatching(matched[:, :2].astype(np.int64), float(distance))
