"""The first page of a study: answers and static pictures, without a script and without a drawing library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from topomod.neurons.sites import layer_cloud, studied_sites
from topomod.report.draw_groups import plot_group
from topomod.report.draw_shapes import plot_cloud
from topomod.report.draw_study import cloud_pair, label_figure, strip_pair, training_figure
from topomod.report.draw_tests import forest_figure
from topomod.report.examples import Middle
from topomod.report.histories import read_histories
from topomod.report.take_away import PageFigure
from topomod.report.words import described
from topomod.statistics.questions import ANSWERS
from topomod.study.config import Study
from topomod.study.endpoint_catalogue import ENDPOINTS
from topomod.study.population import StudyTables, endpoint_matrix, label_shares
from topomod.study.sentences import short_name
from topomod.study.shards import StudyFolder

SHOWN_NEURONS = 3  # heat maps of each group
PAGE_POINTS = 1200  # points of a cloud on the page; a page with several stays below 1 MB


@dataclass(frozen=True)
class Shown:
    """Everything the pictures of a page are drawn from.

    Parameters
    ----------
    folder, study, tables
        The study.
    middles : mapping of str to Middle
        The circuit nearest the middle, of each architecture that has one.
    questions : sequence of mapping
        The answers, with the rows of their primary endpoints.
    pair : tuple of str
        The architectures that the page shows.
    """

    folder: StudyFolder
    study: Study
    tables: StudyTables
    middles: Mapping[str, Middle]
    questions: Sequence[Mapping[str, Any]]
    pair: tuple[str, ...]


def page_figures(shown: Shown) -> dict[str, Any]:
    """Figures of the first page, by the part of it that they stand in."""
    return {
        "questions": [_question(shown, place, one) for place, one in enumerate(shown.questions, start=1)],
        "differences": _differences(shown),
        "shapes": {name: _shapes(shown, name) for name in shown.pair if name in shown.middles},
        "labels": _labels(shown),
        "training": _training(shown),
    }


def listed(figures: Mapping[str, Any]) -> list[PageFigure]:
    """All figures of the page, in its order."""
    parts = [part.values() if isinstance(part, dict) else [part] for part in figures.values()]
    return [one for part in parts for own in part for one in own]


def _question(shown: Shown, place: int, question: Mapping[str, Any]) -> PageFigure:
    """Two clouds where a primary endpoint is of a site, else every circuit's value of the first primary endpoint."""
    names = (question["x"], question["y"])
    known = [ENDPOINTS[test["endpoint"]] for test in question["primaries"] if test["endpoint"] in ENDPOINTS]
    sites = [endpoint.site for endpoint in known if endpoint.site]
    if sites or not known:
        return PageFigure(
            f"question_{place}", cloud_pair(shown.middles, names, sites[0] if sites else studied_sites()[0])
        )
    endpoint = next(test["endpoint"] for test in question["primaries"] if test["endpoint"] in ENDPOINTS)
    matrix = endpoint_matrix(shown.tables.endpoints)
    kept = matrix[matrix["converged"].astype(bool)]
    kept = kept if endpoint in kept else kept.assign(**{endpoint: float("nan")})
    values = {name: kept.loc[kept["architecture"] == name, endpoint].to_numpy(float) for name in names}
    return PageFigure(f"question_{place}", strip_pair(values, ENDPOINTS[endpoint].title, ENDPOINTS[endpoint].unit))


def _differences(shown: Shown) -> list[PageFigure]:
    """One forest for each pair of architectures that questions are about."""
    rows = [test for question in shown.questions for test in question["primaries"]]
    pairs = list(dict.fromkeys((row["x"], row["y"]) for row in rows))
    found = []
    for place, (x, y) in enumerate(pairs, start=1):
        own = [
            row | {"name": row["title"], "answer": row["primary_answer"]}
            for row in rows
            if (row["x"], row["y"]) == (x, y)
        ]
        title = f"Primary endpoints of {short_name(x)} and {short_name(y)}"
        found.append(PageFigure(f"differences_{place}", forest_figure(own, (short_name(x), short_name(y)), title)))
    return found


def _shapes(shown: Shown, name: str) -> list[PageFigure]:
    """Clouds of the middle circuit's largest group at each site, and its neurons."""
    middle = shown.middles[name]
    p, group = len(middle.layer.preactivations), middle.group
    found = []
    for site in studied_sites(middle.layer):
        title = f"{short_name(name)}, {site}"
        cloud = plot_cloud(layer_cloud(middle.layer, group, site), p, group.frequency, title=title, most=PAGE_POINTS)
        found.append(PageFigure(f"cloud_{name}_{site}", cloud))
    return [*found, PageFigure(f"group_{name}", plot_group(middle.circuit, group, SHOWN_NEURONS))]


def _labels(shown: Shown) -> list[PageFigure]:
    shares = label_shares(shown.tables.homology, shown.tables.circuits, shown.study.alpha)
    return [PageFigure("labels", label_figure(shares))] if len(shares) else []


def _training(shown: Shown) -> list[PageFigure]:
    histories = read_histories(shown.folder, shown.study)
    if histories.empty:
        return []
    names = [name for name in shown.study.architectures if name in set(histories["architecture"])]
    return [PageFigure("training", training_figure(histories, names))]


def headline(questions: Sequence[Mapping[str, Any]], pair: Sequence[str]) -> str:
    """One sentence on all answers, by rule.

    Examples
    --------
    >>> pair = ("mlp_add", "attention_1.0")
    >>> words = ("the same", "not decided", "not decided")
    >>> headline([{"answer": word, "x": pair[0], "y": pair[1]} for word in words], pair)
    'Of 3 questions about mlp_add and learnable attention, 1 has the answer “the same”, and 2 are not decided.'
    """
    asked = {(question["x"], question["y"]) for question in questions}
    about = f" about {' and '.join(map(short_name, pair))}" if asked == {tuple(pair)} else ""
    counts = {answer: sum(question["answer"] == answer for question in questions) for answer in ANSWERS}
    parts = [
        f"{n} {'is' if n == 1 else 'are'} not decided"
        if answer == "not decided"
        else f"{n} {'has' if n == 1 else 'have'} the answer “{answer}”"
        for answer, n in counts.items()
        if n
    ]
    noun = "question" if len(questions) == 1 else "questions"
    listed = parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + f", and {parts[-1]}"
    return f"Of {len(questions)} {noun}{about}, {listed}."


def trust(counts: Sequence[Mapping[str, Any]], controls: Sequence[Mapping[str, Any]], pair: Sequence[str]) -> list[str]:
    """Short statements on what the answers rest on: circuits, those left out, and controls."""
    shown = [row for row in counts if row["architecture"] in pair] or list(counts)
    trained, kept = (sum(row[key] for row in shown) for key in ("trained", "converged"))
    sizes = " and ".join(f"{row['converged']} {described(row['architecture'])}" for row in shown)
    said = [f"converged circuits: {sizes}", f"{trained - kept} of {trained} did not converge and are left out"]
    words = {True: "as expected", False: "NOT as expected", None: "no difference found, not everything decided"}
    kinds = {"positive control": "control that must differ", "negative control": "control that must not differ"}
    return said + [f"{kinds.get(one['role'], one['role'])}: {words[one['passed']]}" for one in controls]
