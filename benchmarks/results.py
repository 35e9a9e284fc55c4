"""What finished studies found: docs/results.md and docs/verdicts.svg, from their tables.

    python benchmarks/results.py config/config.yaml config/attention_rate.yaml

Each YAML names a study whose results lie in results/<study>. The figure is of the first one.
"""

import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from textwrap import wrap

import numpy as np
import pandas as pd

from topomod.report.answers import comparison_rows, control_outcomes, main_row, question_answers
from topomod.report.words import described, number
from topomod.statistics.questions import ANSWERS
from topomod.study.check import load_study_file
from topomod.study.config import Study
from topomod.study.contrasts import rate_table, recipe_table
from topomod.study.population import StudyTables, converged_rows, label_shares, load_tables
from topomod.study.provenance import cpu_model, git_commit
from topomod.study.published import PAPER, PAPER_P, compare_published
from topomod.study.shards import StudyFolder

DOCS = Path(__file__).resolve().parents[1] / "docs"
COLOURS = dict(zip(ANSWERS, ("#009E73", "#D55E00", "#B8860B", "#767676"), strict=True))


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """A Markdown table."""
    columns = list(head)
    yield f"| {' | '.join(columns)} |"
    yield f"|{'---|' * len(columns)}"
    for row in rows:
        yield f"| {' | '.join(str(cell) for cell in row)} |"
    yield ""


def interval(mean: float, low: float, high: float) -> str:
    return f"{number(mean)} [{number(low)}, {number(high)}]"


def populations(study: Study, tables: StudyTables) -> Iterator[str]:
    yield f"The modulus is p = {study.p}. A circuit that did not converge is left out of everything below."
    yield ""
    circuits = converged_rows(tables.circuits.drop(columns="converged"), tables.circuits)
    groups = circuits.groupby("architecture")["n_groups"].mean()
    trained = tables.circuits.groupby("architecture").size()
    kept = circuits.groupby("architecture").size()
    rows = [
        (f"`{name}`", trained[name], kept.get(name, 0), number(groups.get(name, np.nan), 1))
        for name in study.architectures
    ]
    yield from table(("architecture", "trained", "converged", "neuron groups a circuit, mean"), rows)


def main_pair(study: Study, tables: StudyTables) -> Iterator[str]:
    comparisons = comparison_rows(tables.verdicts)
    main = main_row(comparisons, study.main_pair)
    if main is None:
        return
    x, y = main["x"], main["y"]
    yield f"### {described(x)} and {described(y)}"
    yield ""
    yield from questions(tables)
    yield "A line is an endpoint: both means, their difference with its interval, margin, and answer. Only primary"
    yield "endpoints (*) answer a question. They are adjusted by Holm within it, and all others together."
    yield ""
    lines = [
        (
            f"{r.title}{' *' if r.question else ''}",
            number(r.mean_x),
            number(r.mean_y),
            interval(r.difference, r.ci_low, r.ci_high),
            f"{r.margin:g}",
            f"{r.answer}{' (a difference smaller than the margin was found)' if r.small_difference else ''}",
        )
        for r in main["rows"].itertuples()
    ]
    yield from table(("endpoint", f"`{x}`", f"`{y}`", "difference", "margin", "answer"), lines)
    if controls := control_outcomes(comparisons, study.alpha):
        yield "### Controls"
        yield ""
        yield from (f"* {outcome['title']}: {outcome['text']}" for outcome in controls)
        yield ""


def questions(tables: StudyTables) -> Iterator[str]:
    found = question_answers(tables.answers)
    parts = ("sentence", "exceptions", "to_settle", "sensitivity_sentence")
    for answer in found:
        said = {part: answer[part] for part in parts if answer[part]}
        if "exceptions" in said:
            said["exceptions"] = f"Except: {said['exceptions']}."
        yield f"* **{answer['question']} {answer['answer'].capitalize()}.** {' '.join(said.values())}"
    if found:
        yield ""
        n, effective = found[0]["n_secondary"], found[0]["effective_secondary"]
        yield f"{n} other endpoints vary from circuit to circuit. They amount to {effective:.0f} (Li and Ji)."
        yield ""


def labels(study: Study, tables: StudyTables) -> Iterator[str]:
    shares = label_shares(tables.homology, tables.circuits, study.alpha)
    found = converged_rows(tables.homology, tables.circuits)
    uncertain = float((found["label"] == "uncertain").mean())
    yield "### Labels"
    yield ""
    yield f"{len(found)} clouds of converged circuits are labelled, none by hand. {uncertain:.1%} are uncertain."
    yield "A cell is the mean over circuits of the share of a circuit's groups, with its 95 % interval."
    yield ""
    names = [name for name in shares["label"].unique() if shares.loc[shares["label"] == name, "mean"].max() > 0]
    cells = shares.set_index(["site", "architecture", "label"])
    keys = shares[["site", "architecture"]].drop_duplicates().itertuples(index=False)
    rows = [
        (
            site,
            f"`{name}`",
            *(interval(*cells.loc[(site, name, label), ["mean", "ci_low", "ci_high"]]) for label in names),
        )
        for site, name in keys
    ]
    yield from table(("site", "architecture", *names), rows)


def published(study: Study, tables: StudyTables) -> Iterator[str]:
    if study.p != PAPER_P:
        return
    found = compare_published(tables, study.architectures, study.alpha)
    yield f"### The table of {PAPER}"
    yield ""
    yield f"{int(found['close'].sum())} of {len(found)} values are within 0.02 of the published ones."
    yield ""
    rows = [
        (
            r.reference,
            r.site,
            r.metric,
            r.reading,
            f"`{r.architecture}`",
            number(r.published),
            interval(r.mean, r.ci_low, r.ci_high),
            "yes" if r.close else "no",
        )
        for r in found.itertuples()
    ]
    yield from table(
        ("reference", "site", "metric", "reading", "architecture", "published", "here", "within 0.02"), rows
    )


def along_rates(study: Study, tables: StudyTables) -> Iterator[str]:
    rates = rate_table(tables.verdicts, study.architectures)
    if rates.empty:
        return
    yield "### Along the attention rate"
    yield ""
    yield "Each rate is compared with the lowest one."
    yield ""
    columns = [name for name in rates if str(name).startswith("answer_")]
    rows = [(row["title"], *(row[name] for name in columns)) for row in rates.to_dict("records")]
    yield from table(("endpoint", *(str(name).replace("answer_", "rate ") for name in columns)), rows)


def under_recipes(study: Study, tables: StudyTables) -> Iterator[str]:
    recipes = recipe_table(tables.verdicts, study.architectures)
    if recipes.empty:
        return
    yield "### Under two recipes"
    yield ""
    counts = recipes.groupby(["x", "y", "recipe"], sort=False)["reading"].value_counts().unstack(fill_value=0)
    rows = [(f"`{x}`", f"`{y}`", recipe, *values) for (x, y, recipe), *values in counts.itertuples()]
    yield from table(("x", "y", "recipe", *counts.columns), rows)


def section(study: Study, tables: StudyTables) -> Iterator[str]:
    yield f"## `{study.study}`"
    yield ""
    for part in (populations, main_pair, labels, published, along_rates, under_recipes):
        yield from part(study, tables)


def draw(study: Study, tables: StudyTables) -> None:
    """Differences of the main pair in units of their margins, with intervals of the levels they were judged at."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    main = main_row(comparison_rows(tables.verdicts), study.main_pair)
    assert main is not None
    rows: pd.DataFrame = main["rows"].reset_index(drop=True)
    scaled = (
        rows[["difference", "ci_low", "ci_high"]].astype(float).div(rows["margin"].astype(float), axis=0).clip(-6, 6)
    )
    figure, axes = plt.subplots(figsize=(7.6, 0.17 * len(rows) + 1.1), layout="constrained")
    axes.axvspan(-1, 1, color="#009E73", alpha=0.15, linewidth=0)
    for answer, colour in COLOURS.items():
        own = scaled[rows["answer"] == answer]
        axes.hlines(own.index, own["ci_low"], own["ci_high"], color=colour, linewidth=1.4)
        axes.plot(own["difference"], own.index, "o", color=colour, markersize=4, label=answer)
    axes.set_yticks(rows.index, ["\n".join(wrap(title, 44)) for title in rows["title"]], fontsize=6.5)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    widest = max(2.0, float(scaled.abs().max(axis=None)))
    axes.set_xlim(-1.05 * widest, 1.05 * widest)
    axes.set_xlabel(
        f"mean of {described(main['x'])}\nminus mean of {described(main['y'])}, divided by the margin", fontsize=8
    )
    axes.tick_params(axis="x", labelsize=8)
    figure.legend(loc="outside upper center", ncols=4, fontsize=8, frameon=False)
    figure.savefig(DOCS / "verdicts.svg", metadata={"Date": None})
    plt.close(figure)


def main(paths: list[str]) -> None:
    found = []
    for path in paths:
        study = load_study_file(Path(path))
        found.append((study, load_tables(StudyFolder(Path("results") / study.study), study)))
    commit = git_commit(DOCS)
    lines = [
        "# What the studies found",
        "",
        f"`python benchmarks/results.py {' '.join(paths)}` wrote this page on {datetime.now(UTC):%Y-%m-%d} from the",
        f"tables of these studies (commit {commit}, {cpu_model()}). [tests.md](tests.md) says what the tests assume,",
        "and when questions and margins were declared.",
        "[systems.md](systems.md) has the studies whose networks are described.",
        "",
    ]
    for study, tables in found:
        lines += section(study, tables)
    draw(*found[0])
    (DOCS / "results.md").write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
