import base64
import html
import io
import json
import re
import shutil
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import pandas as pd
import pytest
from typer.testing import CliRunner

from synthetic_study import REASON, make_study, write_equivalence, write_synthetic
from topomod.cli import app
from topomod.networks.circuit_file import load_circuits, save_circuits
from topomod.neurons.sites import studied_sites
from topomod.report import circuits_page, report
from topomod.report.answers import answer_counts, control_outcomes, main_row, question_answers
from topomod.report.circuits_page import circuit_table
from topomod.report.examples import read_middles
from topomod.report.index_page import write_index
from topomod.report.section_answer import answer
from topomod.report.section_published import published
from topomod.report.section_shapes import shapes
from topomod.report.words import number, p_value
from topomod.study.config import Study
from topomod.study.declared import declaration, declaration_hash
from topomod.study.look_tables import write_conclusion
from topomod.study.population import load_tables
from topomod.study.provenance import git_commit, provenance
from topomod.study.published import PUBLISHED, compare_published
from topomod.study.shards import StudyFolder
from topomod.study.tables import KEY

CONTROLS = {"positive_control": ("mlp_add", "mlp_concat"), "negative_control": "attention_0.0"}
QUESTIONS = [
    {"words": "Do both form <b>one</b> shape?", "primary": ["disc_cka", "hole_preactivations"]},
    {"words": "Do both have as many groups?", "architectures": ["mlp_add", "attention_0.0"], "primary": ["n_groups"]},
    {"words": "Are the phases alike?", "primary": ["pad"]},
]
SECTIONS = "answer shapes differences shares training trust cite"
DETAILS = "verdicts published labels manifolds endpoints phases maturity maps methods provenance"


class Page(HTMLParser):
    """Ids, addresses that a browser would load, and the JSON of figures."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.loaded: list[str] = []
        self.anchors: list[str] = []
        self.figures: list[str] = []
        self.scripts = 0
        self.inside_json = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.ids += [found["id"]] if "id" in found else []
        self.scripts += tag == "script"
        self.inside_json = found.get("type") == "application/json"
        self.loaded += [found["src"]] if "src" in found else []
        if "href" in found:
            (self.anchors if tag == "a" else self.loaded).append(found["href"])

    def handle_data(self, data: str) -> None:
        if self.inside_json and data.strip():
            self.figures.append(data)

    def handle_endtag(self, tag: str) -> None:
        self.inside_json = False


def without_plotly(text: str) -> str:
    from plotly.offline import get_plotlyjs

    return text.replace(get_plotlyjs(), "")


@pytest.fixture(scope="module")
def study() -> Study:
    return make_study(["mlp_add", "mlp_concat", "attention_0.0", "attention_1.0"], 3, questions=QUESTIONS, **CONTROLS)


@pytest.fixture(scope="module")
def folder(study: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results") / "synthetic"
    write_synthetic(folder, study)
    looks = folder / "looks"
    shutil.copytree(looks / "3", looks / "2")  # as if the study had been looked at with two circuits
    write_conclusion(looks / "3", study.equivalence_settings())
    return folder


def test_looks_that_nobody_declared_are_named_first_and_listed(text: str) -> None:
    named = (
        "The error rates of these answers no longer hold: the study was looked at with 2 circuits of each architecture"
    )
    assert text.index(named) < text.index("Do both form &lt;b&gt;one&lt;/b&gt; shape?")
    log = text[text.index("<caption>Looks of this study</caption>") :]
    assert re.findall(r"<tr><td>(\d[^<]*)</td>", log[: log.index("</table>")]) == ["2", "3, the last"]


def test_answers_are_drawn_against_their_margins(text: str) -> None:
    section = text[text.index('<section id="sensitivity">') :]
    section = section[: section.index("</section>")]
    assert section.count('<svg class="steps"') == len(QUESTIONS)
    assert "as measured" in section and "mlp_add least, attention_0.0 most" in section


def pages(folder: StudyFolder, study: Study) -> str:
    """Both pages of a study, one after the other."""
    files = report.render(folder, study)
    return str(files["report.html"]) + str(files["details.html"])


@pytest.fixture(scope="module")
def files(folder: Path, study: Study) -> dict[str, str | bytes]:
    return report.render(StudyFolder(folder), study)


@pytest.fixture(scope="module")
def text(files: dict[str, str | bytes]) -> str:
    return str(files["report.html"]) + str(files["details.html"])


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


def test_command_writes_the_pages_and_the_index_over_studies(folder: Path, study: Study) -> None:
    output = folder / "report.html"
    before = {path.name for path in folder.iterdir()}
    arguments = ["report", str(folder), "--settings", study.report_settings(), "--output", str(output)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    written = {path.name for path in folder.iterdir()} - before
    assert written == {"report.html", *study.system.beside_page}
    for name in ("report.html", "details.html"):
        assert (folder / name).read_text(encoding="utf-8").rstrip().endswith("</html>")
    assert "synthetic/report.html" in Page((folder.parent / "index.html").read_text(encoding="utf-8")).anchors


def test_every_circuit_has_a_row_with_its_groups(files: dict[str, str | bytes], folder: Path, study: Study) -> None:
    tables = load_tables(StudyFolder(folder), study)
    page = Page(str(files["circuits.html"]))
    names = [f"{row.architecture}-{row.seed}" for row in tables.circuits.itertuples()]
    assert sorted(set(page.ids) & set(names)) == sorted(names) and page.loaded == ["data:,"]
    assert str(files["circuits.html"]).count("<td>") >= 2 * len(tables.groups)
    assert REASON not in str(files["circuits.html"]) and html.escape(REASON, quote=False)[:9] in files["circuits.html"]
    table = circuit_table(study, tables)
    assert list(table["architecture"].unique()) == [str(name) for name in study.architectures]
    words = tables.homology[tables.homology["site"] == "logits"].groupby(KEY)["label"].agg(list)
    for row in table.to_dict("records"):
        own = words.get(tuple(row[name] for name in KEY), [])
        assert sum(int(part.split()[0]) for part in row["logits"].split(", ") if part) == len(own)


def test_a_page_shows_so_many_circuits_and_says_of_how_many(monkeypatch, folder: Path, study: Study) -> None:
    monkeypatch.setattr(circuits_page, "MOST_CIRCUITS", 5)
    found = circuits_page.circuits(StudyFolder(folder), study, load_tables(StudyFolder(folder), study))
    assert len(found["rows"]) == 5 < found["n_circuits"]
    assert base64.b64decode(found["csv"].partition(",")[2]).count(b"\n") == found["n_circuits"] + 1


def test_a_failed_report_leaves_no_file(folder: Path, study: Study, tmp_path: Path, monkeypatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("stop")

    monkeypatch.setattr(report, "shapes", fail)
    with pytest.raises(RuntimeError, match="stop"):
        report.write_report(StudyFolder(folder), study, tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []


def test_sections_in_order(page: Page) -> None:
    every = [*SECTIONS.split(), *DETAILS.split()]
    assert [name for name in page.ids if name in every] == every


def test_every_link_inside_leads_somewhere(page: Page) -> None:
    inside = {anchor[1:] for anchor in page.anchors if anchor.startswith("#")}
    assert inside <= set(page.ids)


def test_plotly_is_embedded_once_and_nothing_is_loaded(text: str, page: Page) -> None:
    from plotly.offline import get_plotlyjs

    assert text.count(get_plotlyjs()) == 1
    assert all(address.startswith("data:") for address in page.loaded)
    own = without_plotly(text).replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not re.search(r"url\(|@import|https?://", own)
    assert len(text) < 9e6


def test_figures_are_json_with_float32(page: Page) -> None:
    figures = [json.loads(figure) for figure in page.figures]
    assert len(figures) > 70
    kinds = {value["dtype"] for figure in figures for trace in figure["data"] for value in _arrays(trace)}
    assert "f4" in kinds and "f8" not in kinds


def _arrays(value: object) -> list[dict]:
    if isinstance(value, dict) and "bdata" in value:
        return [value]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [array for item in items for array in _arrays(item)]


def test_the_first_page_is_small_and_whole_without_a_script(files: dict[str, str | bytes]) -> None:
    first = str(files["report.html"])
    assert len(first.encode()) < 1e6 and "<script" not in first and "<canvas" not in first
    shown = first.count('<svg xmlns="http://www.w3.org/2000/svg" class="figure"')
    archive = zipfile.ZipFile(io.BytesIO(bytes(files["figures.zip"])))  # type: ignore[arg-type]
    names = archive.namelist()
    assert shown == len(names) / 2 == len([name for name in names if name.endswith(".svg")])
    for name in names:
        content = archive.read(name).decode()
        if name.endswith(".svg"):
            ElementTree.fromstring(content)
        else:
            assert len(pd.read_csv(io.StringIO(content))) > 0, name
    for link in re.findall(r'href="(data:text/csv,[^"]+)"', first):
        assert unquote(link.partition(",")[2]) in {archive.read(name).decode() for name in names}


def test_the_summary_holds_the_answers_with_their_numbers(files: dict[str, str | bytes], folder: Path) -> None:
    found = json.loads(files["summary.json"])
    answers = pd.read_parquet(folder / "answers.parquet")
    told = [
        (q["question"], q["answer"], test["difference"], test["n_x"])
        for q in found["questions"]
        for test in q["primary"]
    ]
    rows = answers[["question", "answer", "difference", "n_x"]].itertuples(index=False, name=None)
    # JSON knows no NaN: a difference that could not be had is null
    assert told == [(q, answer, pytest.approx(d) if d == d else None, n) for q, answer, d, n in rows]
    assert found["declared"] in str(files["report.html"]) and found["circuits"]["mlp_add"]["trained"] == 3


def test_tables_of_the_first_page_have_captions_and_scopes(files: dict[str, str | bytes]) -> None:
    first = str(files["report.html"])
    assert first.count("<table") == first.count("<caption>") > 0
    assert all("scope=" in cell for cell in re.findall(r"<th\b[^>]*>", first))
    assert all('role="img"' in svg and "aria-label" in svg for svg in re.findall(r"<svg[^>]*>", first))


def test_foreign_text_is_escaped(text: str) -> None:
    page = without_plotly(text)
    assert REASON not in page and "<script>alert" not in page
    assert html.escape(REASON, quote=False).replace('"', "&#34;").replace("'", "&#39;") in page
    assert "a tenth <i>of</i>" not in page and "a tenth &lt;i&gt;of&lt;/i&gt;" in page


def test_every_question_is_answered_on_the_first_screen(text: str, folder: Path) -> None:
    first = text[text.index('<section id="answer">') : text.index("<h3>Circuits</h3>")]
    answers = pd.read_parquet(folder / "answers.parquet")
    assert first.count('<tbody class="question" id="question-') == len(QUESTIONS) == answers["question"].nunique()
    for row in answers.to_dict("records"):
        assert html.escape(row["question"]) in first and row["answer"] in first
        assert html.escape(row["lead"]) in first and html.escape(row["estimate"]) in first
    assert first.count('<svg class="interval') == len(answers) == 4
    assert '<span class="soft">mlp_add and attention_0.0</span>' in first
    assert "mlp_add vs mlp_concat (positive control)" in first and "(negative control)" in first
    assert re.search(r"converged circuits: \d+ .*attention_0.0 \(uniform attention\)", first)
    overview = first[first.index('<table class="overview">') : first.index('<ul class="trust"')]
    for place, (words, own) in enumerate(answers.groupby("question", sort=False), start=1):
        row = overview[overview.index(f'<a href="#question-{place}">') :]
        assert row[: row.index("</tr>")].count(html.escape(str(words))) == 1 and own["answer"].iloc[0] in row
    for word in ("equivalent", "inconclusive", "partly shown", "undecided", "trivially"):
        assert word not in without_plotly(text), word


def test_circuits_without_a_record_of_what_was_declared_are_counted(text: str) -> None:
    assert "12 circuits carry no record of what was declared when their training began." in text


def test_what_changed_after_training_is_listed(folder: Path, study: Study, tmp_path: Path) -> None:
    earlier = declaration(study.model_copy(update={"alpha": 0.1}))
    copy = StudyFolder(tmp_path / "copy")
    shutil.copytree(folder, copy.root)
    for path in copy.root.glob("population/*/*/circuits.safetensors"):
        save_circuits(path, load_circuits(path), earlier)
    text = pages(copy, study)
    assert f"<code>{declaration_hash(declaration(study))}</code>" in text
    assert f"12 circuits were trained under the hash <code>{declaration_hash(earlier)}</code>" in text
    assert "<li>alpha was 0.1 and is 0.05.</li>" in text


def test_examples_of_the_main_pair_are_matched_at_every_site(folder: Path, study: Study, text: str) -> None:
    tables = load_tables(StudyFolder(folder), study)
    middles = read_middles(StudyFolder(folder), study, tables)
    found = shapes(StudyFolder(folder), study, tables, middles)["matchings"]
    assert list(found) == list(studied_sites())
    for item in found.values():
        assert (item["x"], item["y"]) == ("attention_0.0", "attention_1.0")
        assert f"Here it is {number(item['distance'])} rms." in text
    alone = study.model_copy(update={"architectures": ["mlp_add"]})
    assert shapes(StudyFolder(folder), alone, tables, {"mlp_add": middles["mlp_add"]})["matchings"] == {}


def test_unconverged_circuits_are_listed(text: str) -> None:
    assert text.count("1 circuit did not converge. No test uses it.") == 4


def test_published_table_needs_its_modulus(text: str, folder: Path, study: Study) -> None:
    assert "This study has p = 13" in text
    tables = load_tables(StudyFolder(folder), study)
    table = compare_published(tables, study.architectures)
    assert len(table) == 4 * sum(len(row.columns) for row in PUBLISHED)
    disc = table[(table["column"] == "disc_cka_fixed") & (table["architecture"] == "mlp_add")].iloc[0]
    assert disc["close"] == (abs(disc["mean"] - 0.998) <= 0.02) and disc["mean"] > 0.9
    assert (disc["n"], disc["late_step"]) == (2, 600)


def test_published_table_is_shown_at_its_modulus(folder: Path, study: Study) -> None:
    tables = load_tables(StudyFolder(folder), study)
    context = published(StudyFolder(folder), study.model_copy(update={"p": 59}), tables)
    assert len(context["published"]) == 8
    assert set(context["published"][0]["cells"]) == set(study.architectures)


def test_no_path_or_host_is_told(text: str, folder: Path) -> None:
    import platform

    page = without_plotly(text)
    assert str(folder) not in page and str(Path(report.__file__).parent) not in page
    assert not re.search(rf"\b{re.escape(platform.node())}\b.example", page)
    record = provenance(StudyFolder(folder).benchmarks)
    assert record["versions"]["numpy"] and record["machine"]["cores"] >= 1 and record["stages"] == []


def test_commit_outside_a_checkout_is_unknown(tmp_path: Path) -> None:
    assert git_commit(tmp_path) == "unknown"


def test_stage_costs_are_summed(tmp_path: Path) -> None:
    for seed in (0, 1):
        path = tmp_path / "train" / "population" / f"{seed}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"s\th:m:s\tmax_rss\n{seed + 1}.5\t0:00:01\t-\n")
    (stage,) = provenance(tmp_path)["stages"]
    assert (stage["stage"], stage["jobs"], stage["seconds"]) == ("train / population", 2, 4.0)


def test_one_architecture_without_controls_or_maturity(tmp_path: Path) -> None:
    study = make_study(["mlp_add"], 2, maturity={"count": 0, "steps": [100]})
    write_synthetic(tmp_path, study, distinct=1)
    text = pages(StudyFolder(tmp_path), study)
    assert "This study declares no question, and so it answers none. It describes its architectures." in text
    assert "This study declares no control. Nothing here shows what its tests can find." in text
    assert "No circuit was trained longer than the schedule, because" in text
    assert "UMAP needs at least 21 circuits, and there are 2." in text


def test_circuits_without_a_group(tmp_path: Path) -> None:
    study = make_study(["mlp_add", "mlp_concat"], 2, min_neurons=100)
    write_synthetic(tmp_path, study, distinct=1)
    text = pages(StudyFolder(tmp_path), study)
    assert "has a group of at least 100 neurons. There is nothing to label." in text
    assert "There are no phases to show." in text
    assert "1 converged circuit lacks at least one of these endpoints" in text


def test_missing_circuit_files_are_said(folder: Path, study: Study, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("*.safetensors"))
    text = pages(StudyFolder(copy), study)
    assert "There are no training curves." in text
    assert "its circuit file is not there" in text


def test_a_missing_table_is_named_and_the_rest_is_shown(tmp_path: Path) -> None:
    study = make_study(["mlp_add", "mlp_concat"], 3, maturity={"count": 0, "steps": [100]}, questions=[QUESTIONS[2]])
    write_synthetic(tmp_path, study, distinct=1)
    for name in ("power", "summary", "endpoints"):
        (tmp_path / f"{name}.parquet").unlink()
    files = report.render(StudyFolder(tmp_path), study)
    assert "These tables of the study are missing: endpoints.parquet, summary.parquet, power.parquet." in str(
        files["report.html"]
    )
    assert "There is nothing to plan from." in str(files["details.html"])
    for name in ("answers", "verdicts"):
        (tmp_path / f"{name}.parquet").unlink()
        tables = load_tables(StudyFolder(tmp_path), study) if name == "answers" else None
        assert tables is None or answer(StudyFolder(tmp_path), study, tables)["question_answers"] == []


def test_the_index_lists_every_study(folder: Path, files: dict[str, str | bytes], tmp_path: Path) -> None:
    for name in ("one <b>", "two", "broken", "described", "unfinished"):
        (tmp_path / name).mkdir()
        if name != "unfinished":
            (tmp_path / name / "report.html").write_text("page")
        if name in ("one <b>", "two"):
            (tmp_path / name / "summary.json").write_text(str(files["summary.json"]), encoding="utf-8")
    (tmp_path / "broken" / "summary.json").write_text("[1")
    write_index(tmp_path)
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    links = [unquote(html.unescape(anchor)) for anchor in Page(text).anchors]
    assert links == [f"{name}/report.html" for name in ("broken", "described", "one <b>", "two")]
    assert "one <b>" not in text and "Do both form &lt;b&gt;one&lt;/b&gt; shape?" in text
    assert "Its summary.json cannot be read." in text and "It describes its networks and compares none." in text
    assert text.count("<tr>") == 1 + 2 + 2 * len(QUESTIONS)


def test_unfinished_study_is_refused(folder: Path, study: Study, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="run the equivalence stage first"):
        load_tables(StudyFolder(tmp_path), study)
    for name in study.system.tables:
        (tmp_path / f"{name}.parquet").write_bytes((folder / f"{name}.parquet").read_bytes())
    with pytest.raises(ValueError, match=r"circuits\.parquet is corrupt or missing"):
        load_tables(StudyFolder(tmp_path), study)


def test_verdicts_written_again_are_the_same(folder: Path, study: Study, tmp_path: Path) -> None:
    shutil.copytree(folder / "population", tmp_path / "population")
    write_equivalence(tmp_path, study)
    again, first = (pd.read_parquet(place / "verdicts.parquet") for place in (tmp_path, folder))
    pd.testing.assert_frame_equal(again, first)


def rows(*answers: str, small: int = 0) -> pd.DataFrame:
    return pd.DataFrame({"answer": list(answers), "small_difference": [i < small for i in range(len(answers))]})


def comparison(role: str, *answers: str, small: int = 0) -> dict:
    return {"role": role, "x": "u", "y": "v", "title": "t", "rows": rows(*answers, small=small)}


def test_controls_pass_or_fail() -> None:
    outcomes = control_outcomes(
        [
            comparison("pair", "different"),
            comparison("positive control", "differs, size open", "not decided"),
            comparison("positive control", "not decided"),
            comparison("negative control", "the same", small=1),
            comparison("negative control", "the same", "not decided"),
            comparison("negative control", "the same", "differs, size open"),
        ],
        alpha=0.05,
    )
    assert [outcome["passed"] for outcome in outcomes] == [True, False, True, None, False]
    assert "1 of 2 endpoints. It is shown to be larger than the margin in 0." in outcomes[0]["text"]
    assert "a difference is found in 1" in outcomes[2]["text"]
    assert "do not decide 1 of the 2" in outcomes[3]["text"]


def test_no_questions_have_no_answers(folder: Path) -> None:
    assert question_answers(pd.DataFrame(columns=["question"])) == []
    found = question_answers(pd.read_parquet(folder / "answers.parquet"))
    assert [len(answer["primaries"]) for answer in found] == [2, 1, 1]


def test_the_main_comparison_is_the_pair_that_the_study_names() -> None:
    pairs = [
        {"role": "pair", "x": x, "y": y} for x, y in (("mlp_add", "mlp_concat"), ("attention_1.0", "attention_0.0"))
    ]
    assert main_row(pairs, ("attention_0.0", "attention_1.0")) is pairs[1]
    assert main_row(pairs) is pairs[0]
    assert main_row(pairs, ("rnn", "attention_1.0")) is pairs[0]
    assert main_row([{"role": "negative control", "x": "u#even", "y": "u#odd"}]) is None


def test_display_of_numbers() -> None:
    assert [number(v) for v in (-0.0, 0.12349, -1.5, float("inf"), None, 3e10)] == [
        "0.000",
        "0.123",
        "−1.500",
        "∞",
        "–",
        "3.0e+10",
    ]
    assert [p_value(v) for v in (1.0, 0.00001, 0.5, float("nan"))] == ["1.000", "< 0.001", "0.500", "–"]
    assert answer_counts(rows("different", "the same"))["different"] == 1
