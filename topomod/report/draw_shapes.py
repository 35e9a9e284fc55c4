"""Figures of one point cloud: the cloud in two dimensions, its persistence diagrams, and what was said of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from topomod.report.colours import GREY, KINDS, PAPER, css, cyclic
from topomod.report.examples import BARS_SHOWN, principal_components
from topomod.report.svg_axes import Axes, Number, evenly, mark, text
from topomod.report.svg_figure import Figure, side_by_side
from topomod.report.words import number
from topomod.topology.diagrams import check_diagram
from topomod.topology.inputs import cloud_rows
from topomod.topology.verdict import ManifoldVerdict

RESIDUES = {"a": (1, 0), "b": (0, 1), "sum": (1, 1), "difference": (1, -1)}
RESIDUE_WORDS = {"a": "a", "b": "b", "sum": "a + b", "difference": "a − b"}
MAX_DRAWN = 4000  # points of one cloud; more cannot be told apart at this size
BAR_STYLE = ((GREY, "circle", True), (KINDS[1], "square", False), (KINDS[0], "diamond", False))


def plot_cloud(
    X: ArrayLike,
    p: int | None = None,
    frequency: int = 1,
    colour: str = "sum",
    title: str = "Point cloud",
    most: int = MAX_DRAWN,
) -> Figure:
    """First two principal components of a point cloud, coloured by a residue of its pairs.

    Parameters
    ----------
    X : array_like
        (n_points, n_features). With ``p``, rows are in the order of ``a * p + b``, as :func:`topomod.manifold` gives
        them.
    p : int, optional
        Number of values of each input. Without it all points have one colour.
    frequency : int
        f: colours run with ``f (a + b) mod p``, so that neighbouring phases have neighbouring colours.
    colour : {"sum", "difference", "a", "b"}
        What the residue is of. The sum and the difference run twice over a disc that adds waves of a and of b.
    title : str
        What the figure is called.
    most : int
        Points that are drawn, evenly spaced among the rows; the description says how many.

    Returns
    -------
    Figure
        Its table has the columns point, pc1, pc2 and, with ``p``, residue.

    Raises
    ------
    ValueError
        For anything that is no finite point cloud, rows that are not p * p, and an unknown colour.

    Examples
    --------
    >>> import topomod
    >>> plot_cloud(topomod.reference_manifold("disc", p=11, frequency=2), p=11, frequency=2).title
    'Point cloud'
    """
    rows = cloud_rows(X, "X")
    if p is not None and p * p != len(rows):
        raise ValueError(f"with p = {p} X needs p * p = {p * p} rows, found {len(rows)}")
    if colour not in RESIDUES:
        raise ValueError(f"colour must be one of {', '.join(RESIDUES)}, found {colour!r}")
    scores, shares = principal_components(rows, 2)
    drawn = evenly(len(rows), most)
    table: dict[str, Any] = {"point": drawn, "pc1": scores[drawn, 0], "pc2": scores[drawn, 1]}
    body = ground(shares)
    words = f"{len(drawn)} of {len(rows)} points" if len(drawn) < len(rows) else f"{len(rows)} points"
    axes = square_axes(22, 2, 196, scores)
    if p is None:
        body += axes.dots(table["pc1"], table["pc2"], KINDS[0])
        return Figure(body, 236, 222, title, f"{words} on their first two principal components.", table)
    by_a, by_b = RESIDUES[colour]
    a, b = np.divmod(drawn, p)
    table["residue"] = frequency * (by_a * a + by_b * b) % p
    body += residue_dots(axes, scores[drawn], table["residue"], p)
    words_of = RESIDUE_WORDS[colour]
    meaning = f"{words_of} mod {p}" if frequency == 1 else f"{frequency} ({words_of}) mod {p}"
    body += _key(meaning)
    described = f"{words} on their first two principal components. The colour is {meaning}."
    return Figure(body, 300, 222, title, described, table)


def square_axes(left: Number, top: Number, size: Number, scores: Float[np.ndarray, "n 2"]) -> Axes:
    """Axes of one scale for both components of a cloud."""
    reach = float(np.abs(scores).max()) * 1.06 or 1.0
    return Axes(left, top, size, size, (-reach, reach), (-reach, reach))


def residue_dots(
    axes: Axes, scores: Float[np.ndarray, "n 2"], residues: Int[np.ndarray, " n"], p: int, size: Number = 3
) -> str:
    """Dots of a cloud, those of each residue in its colour."""
    out = ""
    for residue in np.unique(residues):
        own = residues == residue
        out += axes.dots(scores[own, 0], scores[own, 1], css(cyclic(np.array([residue / p]))[0]), size)
    return out


def ground(shares: np.ndarray, top: int = 2) -> str:
    """White ground and the names of the two axes, which have one scale."""
    paper = f'<rect x="22" y="{top}" width="196" height="196" fill="{PAPER}" stroke="{GREY}"/>'
    names = [f"PC{place + 1} ({share:.0%} of the variance)" for place, share in enumerate(shares)]
    turned = text(14, top + 98, names[1], "middle", transform=f"rotate(-90 14 {top + 98})", font_size="11")
    return paper + text(120, top + 212, names[0], "middle", font_size="11") + turned


def _key(meaning: str) -> str:
    """A round key: the colours of the residues, 0 at the right and growing against the clock."""
    out = ""
    for place, colour in enumerate(cyclic(np.arange(36) / 36)):
        angle = 2 * np.pi * place / 36
        place_on = f'cx="{258 + 20 * np.cos(angle):.1f}" cy="{60 - 20 * np.sin(angle):.1f}"'
        out += f'<circle {place_on} r="4.5" fill="{css(colour)}"/>'
    head, _, tail = meaning.partition(" mod ")
    out += text(284, 64, "0", font_size="11")
    return (
        out + text(258, 106, head, "middle", font_size="11") + text(258, 120, f"mod {tail}", "middle", font_size="11")
    )


def plot_diagram(diagrams: Any, title: str = "Persistence diagram") -> Figure:
    """Persistence diagrams of one cloud: how long each hole lasts.

    Parameters
    ----------
    diagrams : ManifoldVerdict or sequence of array_like
        (n_pairs, 2) births and deaths for H0, H1, ..., as :func:`topomod.classify_manifold` and ripser give them. A
        bar that never dies is drawn at the upper edge. The 150 longest bars of each dimension are drawn.
    title : str
        What the figure is called.

    Returns
    -------
    Figure
        Its table has the columns dimension, birth and death, and holds every bar.

    Raises
    ------
    ValueError
        For what is no sequence of diagrams, and for more than three of them.

    Examples
    --------
    >>> plot_diagram([[[0.0, 0.3]], [[0.1, 0.9]]]).to_frame()["death"].tolist()
    [0.3, 0.9]
    """
    listed = _dimensions(diagrams)
    deaths = np.concatenate([d[:, 1] for d in listed])
    finite = deaths[np.isfinite(deaths)]
    least = 1.0 if isinstance(diagrams, ManifoldVerdict) else 0.0  # one axis for all clouds of unit radius
    top = 1.12 * max(float(finite.max(initial=0)), least) or 1.0
    axes = Axes(56, 20, 190, 170, (-0.03 * top, 1.03 * top), (-0.03 * top, 1.03 * top))
    body = axes.frame("birth", "death") + axes.line([0, top], [0, top], GREY)
    rows: dict[str, list[float]] = {"dimension": [], "birth": [], "death": []}
    for dimension, (diagram, (colour, shape, hollow)) in enumerate(zip(listed, BAR_STYLE, strict=False)):
        longest = diagram[np.argsort(diagram[:, 0] - diagram[:, 1], kind="stable")[:BARS_SHOWN]]
        body += axes.marks(longest[:, 0], longest[:, 1].clip(max=top), shape, colour, 3.5, hollow)
        body += mark(70 + 50 * dimension, 10, shape, colour, 4, hollow) + text(78 + 50 * dimension, 14, f"H{dimension}")
        rows["dimension"] += [dimension] * len(diagram)
        rows["birth"] += diagram[:, 0].tolist()
        rows["death"] += diagram[:, 1].tolist()
    return Figure(body, 262, 230, title, _longest(listed), rows)


def _dimensions(diagrams: Any) -> list[np.ndarray]:
    given = diagrams.diagrams if isinstance(diagrams, ManifoldVerdict) else diagrams
    if not isinstance(given, Sequence) or isinstance(given, str) or not 1 <= len(given) <= len(BAR_STYLE):
        raise ValueError(
            f"diagrams must be a verdict or a list of 1 to 3 arrays of bars (H0, H1, H2), found {type(given).__name__}"
        )
    return [check_diagram(diagram, f"diagrams[{place}]") for place, diagram in enumerate(given)]


def _longest(listed: Sequence[np.ndarray]) -> str:
    parts = []
    for dimension, diagram in enumerate(listed):
        finite = diagram[np.isfinite(diagram[:, 1])]
        length = number(float((finite[:, 1] - finite[:, 0]).max())) if len(finite) else "none"
        parts.append(f"H{dimension} has {len(diagram)} bars, the longest that dies: {length}")
    return "; ".join(parts) + "."


def plot_verdict(verdict: ManifoldVerdict, X: ArrayLike | None = None, p: int | None = None) -> Figure:
    """What was said of a point cloud, with the evidence: its persistence diagrams and the hole that was looked for.

    Parameters
    ----------
    verdict : ManifoldVerdict
        From :func:`topomod.classify_manifold`.
    X : array_like, optional
        The cloud itself, drawn beside them.
    p : int, optional
        Number of values of each input, as it was given to :func:`topomod.classify_manifold`.

    Returns
    -------
    Figure
        Its table has the bars and, with ``X``, the points that are drawn.

    Raises
    ------
    TypeError
        For anything but a verdict.
    ValueError
        As :func:`plot_cloud`.

    Examples
    --------
    >>> import topomod
    >>> X = topomod.reference_manifold("disc", p=31, frequency=2)
    >>> plot_verdict(topomod.classify_manifold(X, p=31), X, p=31).title
    'disc, confidence 0.98'
    """
    if not isinstance(verdict, ManifoldVerdict):
        raise TypeError(f"verdict must be a ManifoldVerdict, found {type(verdict).__name__}")
    parts = [] if X is None else [plot_cloud(X, p, verdict.frequency or 1)]
    return side_by_side([*parts, plot_diagram(verdict), _hole(verdict)], verdict.headline)


def _hole(verdict: ManifoldVerdict) -> Figure:
    """The largest hole that was found, and the largest that could have been missed, on one axis."""
    bound = verdict.hole_upper_bound
    known = np.isfinite(bound)
    top = max(1.0, 1.1 * bound if known else 1.0)
    axes = Axes(20, 40, 190, 40, (0, top), (0, 1))
    body = text(20, 14, verdict.headline, font_weight="bold")
    body += axes.box((0, min(bound, top)), (0.2, 0.8), GREY, 0.35)
    body += axes.line([min(bound, top)] * 2, [0, 1], "currentColor")
    body += axes.marks([verdict.hole], [0.5], "circle", KINDS[0], 5)
    body += '<path d="M20 84h190" stroke="currentColor"/>'
    for value in (0, 0.5, 1):
        body += text(float(axes.across(value)), 98, f"{value:g}", "middle")
    body += text(115, 114, "radius of a hole (rms of the cloud)", "middle")
    limit = f"at most {number(bound, 2)}" if known else "no bound"
    body += mark(26, 134, "circle", KINDS[0], 5) + text(36, 138, f"found: {number(verdict.hole, 2)}")
    body += f'<rect x="20" y="148" width="12" height="12" fill="{GREY}" fill-opacity=".35"/>'
    body += text(36, 158, f"could have been missed: {limit}")
    for place, line in enumerate(_lines(verdict.reason)):
        body += text(20, 180 + 15 * place, line, font_size="11")
    words = f"Hole found: {number(verdict.hole, 2)} rms. Hole that could have been missed: {limit}. {verdict.reason}"
    table = {"hole": [verdict.hole], "hole_upper_bound": [bound], "confidence": [verdict.confidence]}
    return Figure(body, 280, 230, "Hole", words.strip(), table)


def _lines(words: str, width: int = 42, most: int = 3) -> list[str]:
    from textwrap import wrap

    return wrap(words, width)[:most]
