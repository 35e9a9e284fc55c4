"""Figures of comparisons: differences beside their margins, and how many networks a study needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from topomod.report.colours import GREY, KINDS, MARKERS
from topomod.report.svg_axes import Axes, mark, text
from topomod.report.svg_figure import Figure
from topomod.report.words import number
from topomod.statistics.power import TARGET, Power
from topomod.statistics.questions import ANSWERS, answer_question

CLIP = 6.0  # margins; a figure on the scale of its largest difference would hide the band
WIDTH = 360  # pixels of the axis of differences
BAND = 0.22  # opacity of the band that counts as the same
# The shape says the answer, in the colour of the text: colours are kept for architectures.
ANSWER_MARKS = dict(zip(ANSWERS, (("circle", False), ("x", False), ("diamond", True), ("circle", True)), strict=True))
NEEDED = ("difference", "ci_low", "ci_high", "margin", "p_equivalence", "p_beyond", "p_difference", "alpha")


def plot_equivalence(
    results: Any, names: tuple[str, str] = ("x", "y"), title: str = "Differences and margins"
) -> Figure:
    """Differences with their intervals, in units of the margin; inside the band is the same.

    Parameters
    ----------
    results : result or mapping of str to result
        Of :func:`topomod.equivalence_test`, :func:`topomod.mmd_equivalence_test` or
        :func:`topomod.diagram_equivalence_test`; a mapping gives each its name.
    names : (str, str)
        What the two samples are called. A difference is the first less the second.
    title : str
        What the figure is called.

    Returns
    -------
    Figure
        Its table has the columns name, difference, ci_low, ci_high, margin, answer, n_x and n_y. Differences beyond 6
        margins are drawn as an arrow at the edge. The answer of each is its own, without an adjustment for several.

    Raises
    ------
    TypeError
        For anything else.
    ValueError
        Without a result.

    Examples
    --------
    >>> import topomod
    >>> found = topomod.equivalence_test([0.1, 0.2, 0.3, 0.2], [0.2, 0.1, 0.2, 0.3], margin=0.5)
    >>> plot_equivalence({"accuracy": found}).to_frame()["answer"].tolist()
    ['the same']
    """
    named = dict(results) if isinstance(results, Mapping) else {"": results}
    if not named:
        raise ValueError("results must have at least one result, found none")
    for name, one in named.items():
        missing = [field for field in NEEDED if not hasattr(one, field)]
        if missing:
            raise TypeError(
                f"result {name!r} must be that of an equivalence test, found {type(one).__name__} without {missing[0]}"
            )
    rows = [_row(name, one) for name, one in named.items()]
    return forest_figure(rows, names, title)


def _row(name: str, result: Any) -> dict[str, Any]:
    answer = answer_question([result], result.alpha).answer
    row = {field: getattr(result, field) for field in ("difference", "ci_low", "ci_high", "margin")}
    return {"name": str(name)} | row | {"answer": answer, "n_x": result.n_x, "n_y": result.n_y}


def forest_figure(rows: Sequence[Mapping[str, Any]], names: tuple[str, str], title: str) -> Figure:
    """Rows of name, difference, ci_low, ci_high, margin and answer; the axis is on top, values are at the right."""
    label = min(320.0, 20 + 6.4 * max(len(str(row["name"])) for row in rows))
    bottom = 48 + 26 * len(rows)
    axes = Axes(label, 48, WIDTH, bottom - 48, (-CLIP - 0.4, CLIP + 0.4), (0, len(rows)))
    body = axes.box((-1, 1), (0, len(rows)), GREY, BAND)
    for value in range(-6, 7, 2):
        at = float(axes.across(value))
        body += f'<path d="M{at:.1f} 44v4" stroke="currentColor"/>' + text(
            at, 40, f"{value:g}".replace("-", "−"), "middle"
        )
    body += (
        f'<path d="M{label:.1f} 48h{WIDTH}M{float(axes.across(0)):.1f} 48V{bottom}" fill="none" stroke="currentColor"/>'
    )
    body += text(label, 24, f"← more in {names[1]}") + text(label + WIDTH, 24, f"more in {names[0]} →", "end")
    body += text(label + WIDTH / 2, 10, "difference in margins; the band is “the same”", "middle", font_size="11")
    body += text(label + WIDTH + 12, 40, "difference [interval], margin", font_size="11")
    for place, row in enumerate(rows):
        body += _forest_row(axes, len(rows) - place - 0.5, row)
    kept = ("name", "difference", "ci_low", "ci_high", "margin", "answer", "n_x", "n_y", "unit")
    table = {name: [row[name] for row in rows] for name in kept if name in rows[0]}
    described = "; ".join(f"{row['name'] or 'the difference'}: {row['answer']}" for row in rows)
    return Figure(body, label + WIDTH + 390, bottom + 6, title, f"{described}.", table)


def _forest_row(axes: Axes, y: float, row: Mapping[str, Any]) -> str:
    """Name, interval, mark, values and answer of one difference."""
    at = float(axes.down(y))
    out = text(axes.left - 8, at + 4, str(row["name"]), "end")
    words = f"{number(row['difference'])} [{number(row['ci_low'])}, {number(row['ci_high'])}], {number(row['margin'])}"
    if np.isfinite(row["difference"]):
        scaled = np.array([row["difference"], row["ci_low"], row["ci_high"]], float) / row["margin"]
        middle, low, high = np.clip(scaled, -CLIP, CLIP)
        shape, hollow = ANSWER_MARKS[row["answer"]]
        if abs(scaled[0]) > CLIP:
            shape, hollow = ("triangle-right" if scaled[0] > 0 else "triangle-left"), False
        out += axes.line([low, high], [y, y], "currentColor", width=2)
        out += mark(float(axes.across(middle)), at, shape, "currentColor", 5, hollow)
    else:
        words = "not tested"
    right = axes.left + axes.width + 12
    return out + text(right, at + 4, words) + text(right + 250, at + 4, row["answer"], font_weight="bold")


def plot_power(curve: Sequence[Power], n: int | None = None, title: str = "How many networks") -> Figure:
    """How often studies conclude, against the number of networks in each sample.

    Parameters
    ----------
    curve : sequence of Power
        From :func:`topomod.power_curve`, with n increasing.
    n : int, optional
        A number of networks to mark, such as that of the study at hand.
    title : str
        What the figure is called.

    Returns
    -------
    Figure
        Its table has the columns n, equivalent and decided. The dotted line is 80 % of studies.

    Raises
    ------
    ValueError
        For fewer than two points.

    Examples
    --------
    >>> import topomod
    >>> plot_power([topomod.Power(10, 0.2, 0.0), topomod.Power(40, 0.9, 0.1)]).to_frame()["n"].tolist()
    [10, 40]
    """
    points = list(curve)
    if len(points) < 2:
        raise ValueError(f"curve must have at least two points, found {len(points)}")
    sizes = [point.n for point in points]
    shares = {"equivalent": [point.equivalent for point in points], "decided": [point.decided for point in points]}
    return power_figure(sizes, shares, n, title)


def power_figure(sizes: Sequence[int], shares: Mapping[str, Sequence[float]], n: int | None, title: str) -> Figure:
    """Shares of studies that conclude, against the networks in each sample; as `plot_power` describes."""
    ends = (min([*sizes, n or sizes[0]]), max([*sizes, n or sizes[0]]))
    axes = Axes(60, 48, 360, 170, ends, (0, 1), log_x=True)
    ticks = [tick for tick in (3, 5, 10, 20, 50, 100, 200, 500, 1000) if ends[0] <= tick <= ends[1]]
    body = axes.frame("networks in each sample", "share of studies", ticks, percent=True)
    body += axes.line(ends, [TARGET, TARGET], GREY, "2 3")
    if n is not None:
        body += axes.line([n, n], [0, 1], "currentColor", width=1) + text(
            float(axes.across(n)), 44, f"here: {n:g}", "middle"
        )
    words = {
        "equivalent": "shows sameness, where there is no difference",
        "decided": "decides, whatever the difference",
    }
    for place, (kind, values) in enumerate(shares.items()):
        colour, shape = KINDS[place], MARKERS[place]
        body += axes.line(sizes, values, colour, "" if place == 0 else "6 3", 2) + axes.marks(
            sizes, values, shape, colour
        )
        body += mark(66, 8 + 16 * place, shape, colour) + text(76, 12 + 16 * place, words[kind])
    described = (
        f"At {sizes[-1]} networks {shares['equivalent'][-1]:.0%} of studies show sameness where there is no difference."
    )
    return Figure(body, 436, 256, title, described, {"n": list(sizes), **{k: list(v) for k, v in shares.items()}})
