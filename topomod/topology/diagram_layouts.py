"""Layouts in which other libraries give persistence diagrams of several dimensions, and the bars of one of them."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np

Bars = dict[int, Any]  # arrays or lists of pairs, by dimension, not yet checked


def bars_of(diagram: object, name: str, dimension: int | None) -> object:
    """The bars of one dimension out of a known layout; anything else comes back as it is.

    Parameters
    ----------
    diagram : object
        The layouts are: of ripser, a list with one (n_pairs, 2) array per dimension, or its dictionary with "dgms"; of
        giotto-tda, an (n, 3) array of (birth, death, dimension), whose padding, bars of length 0, is left out; of
        gudhi, a list of pairs (dimension, (birth, death)).
    name : str
        What the sentence of an error calls it.
    dimension : int or None
        Which dimension. It may be None where the diagram has bars of one only.

    Raises
    ------
    ValueError
        If there are bars of several dimensions and none was chosen, or if a dimension is no whole number.
    """
    found = _ripser(diagram) or _giotto(diagram, name) or _gudhi(diagram)
    if found is None:
        return diagram
    layout, bars = found
    if dimension is not None:
        return bars.get(dimension, [])
    present = [key for key, pairs in bars.items() if len(pairs)]
    if len(present) > 1:
        several = ", ".join(map(str, sorted(present)))
        raise ValueError(f"{name} must be of one dimension, found {several} in {layout}; choose by dimension=1")
    return bars[present[0]] if present else []


def _ripser(diagram: object) -> tuple[str, Bars] | None:
    parts = diagram.get("dgms") if isinstance(diagram, Mapping) else diagram
    if not isinstance(parts, (list, tuple)) or not parts or not all(_is_diagram(part) for part in parts):
        return None
    if all(len(part) == 0 for part in parts):
        return None
    return "the layout of ripser", dict(enumerate(parts))


def _is_row(row: object, width: int) -> bool:
    """Whether this is one row of so many numbers."""
    if not isinstance(row, (list, tuple, np.ndarray)) or len(row) != width:
        return False
    return all(isinstance(value, Real) for value in row)


def _is_diagram(part: object) -> bool:
    """Whether a part of a list is itself a diagram."""
    if isinstance(part, np.ndarray):
        return part.ndim == 2 and part.shape[1] == 2
    return isinstance(part, (list, tuple)) and all(_is_row(pair, 2) for pair in part)


def _giotto(diagram: object, name: str) -> tuple[str, Bars] | None:
    if isinstance(diagram, (list, tuple)) and not all(_is_row(row, 3) for row in diagram):
        return None
    if not isinstance(diagram, (np.ndarray, list, tuple)) or np.any(getattr(diagram, "mask", False)):
        return None
    triples = np.asarray(diagram)
    if triples.ndim != 2 or triples.shape[1] != 3 or len(triples) == 0 or triples.dtype.kind not in "fiu":
        return None
    kinds = triples[:, 2]
    if not (np.isfinite(kinds) & (kinds >= 0) & (kinds == np.rint(kinds))).all():
        raise ValueError(f"{name} must have whole numbers as dimensions, found others in the third column of triples")
    # a bar of length 0 is padding: giotto-tda gives all diagrams of a batch the same number of triples
    real = triples[triples[:, 0] != triples[:, 1]]
    bars = {int(kind): real[real[:, 2] == kind, :2] for kind in np.unique(kinds)}
    return "the triples of giotto-tda", bars


def _gudhi(diagram: object) -> tuple[str, Bars] | None:
    if not isinstance(diagram, (list, tuple)) or not diagram:
        return None
    if not all(isinstance(entry, (list, tuple)) and len(entry) == 2 for entry in diagram):
        return None
    if not all(isinstance(kind, Integral) and _is_row(pair, 2) for kind, pair in diagram):
        return None
    bars: Bars = {}
    for kind, pair in diagram:
        bars.setdefault(int(kind), []).append(pair)
    return "the pairs of gudhi", bars
