"""Figures of `topomod.plots`: well formed whatever the names, true to what was measured, legible for all."""

import re
import zlib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import topomod
from synthetic_study import make_circuit
from topomod.notebook import Shown
from topomod.report.colours import KINDS, MARKERS, PAPER, cyclic, diverging
from topomod.report.svg_axes import SHAPES, Axes, nice_ticks, png
from topomod.report.svg_figure import Figure
from topomod.statistics.questions import ANSWERS

MARKUP = "<b>\"one\"</b> & </title><script>alert('x')</script>"
PAGES = {"light": "#ffffff", "dark": "#15181b"}
# Machado, Oliveira, Fernandes 2009, severity 1, in linear sRGB
VISIONS = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def rgb(colour: str) -> np.ndarray:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], float)


def linear(colours: np.ndarray) -> np.ndarray:
    share = np.asarray(colours, float) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def contrast(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Of WCAG 2."""
    one, two = (linear(colours) @ [0.2126, 0.7152, 0.0722] + 0.05 for colours in (first, second))
    return np.maximum(one, two) / np.minimum(one, two)


def oklab(linear_rgb: np.ndarray) -> np.ndarray:
    """Ottosson 2020."""
    to_cones = [[0.41222147, 0.53633254, 0.05144599], [0.21190350, 0.68069954, 0.10739696]]
    to_cones += [[0.08830246, 0.28171884, 0.62997870]]
    to_lab = [[0.21045426, 0.79361778, -0.00407205], [1.97799850, -2.42859220, 0.45059371]]
    to_lab += [[0.02590404, 0.78277177, -0.80867577]]
    return np.cbrt(np.clip(linear_rgb, 0, 1) @ np.transpose(to_cones)) @ np.transpose(to_lab)


@pytest.mark.parametrize("page", PAGES)
def test_marks_stand_out_from_the_page(page: str) -> None:
    assert min(contrast(rgb(colour), rgb(PAGES[page])) for colour in KINDS) >= 3


def test_residues_stand_out_from_their_ground() -> None:
    assert contrast(cyclic(np.linspace(0, 1, 100)), rgb(PAPER)).min() >= 3


@pytest.mark.parametrize("vision", [None, *VISIONS])
def test_readers_of_every_colour_vision_tell_residues_and_the_main_pair_apart(vision: str | None) -> None:
    seen = np.array(VISIONS[vision]) if vision else np.eye(3)
    turns = np.arange(24) / 24
    lab = oklab(linear(cyclic(turns)) @ seen.T)
    opposite = np.linalg.norm(lab - np.roll(lab, 12, axis=0), axis=1)
    assert opposite.min() > 0.09  # 0.02 can just be seen
    quarter = np.linalg.norm(lab - np.roll(lab, 6, axis=0), axis=1)
    assert quarter.min() > 0.05
    pair = oklab(linear(np.stack([rgb(colour) for colour in KINDS[:2]])) @ seen.T)
    assert np.linalg.norm(pair[0] - pair[1]) > 0.12


def test_residues_have_no_seam() -> None:
    steps = np.diff(cyclic(np.linspace(0, 1, 200)).astype(int), axis=0)
    assert np.abs(steps).max() <= 8
    assert (cyclic(np.array([0.0])) == cyclic(np.array([1.0]))).all()


def test_every_kind_has_its_own_mark() -> None:
    assert len(set(MARKERS)) == len(KINDS) == len(set(KINDS)) and set(MARKERS) <= set(SHAPES)


def test_amounts_are_white_at_zero_and_get_darker_both_ways() -> None:
    lightness = oklab(linear(diverging(np.linspace(-1, 1, 21)[None])[0]))[:, 0]
    assert lightness[10] == pytest.approx(1, abs=0.01)
    assert (np.diff(lightness[10:]) < 0).all() and (np.diff(lightness[:11]) > 0).all()


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_ticks_are_round_and_inside(low: float, span: float) -> None:
    ticks = nice_ticks(low, low + span)
    assert 2 <= len(ticks) <= 7
    assert min(ticks) >= low - 1e-6 * span and max(ticks) <= low + span + 1e-6 * span


@given(st.floats(-5, 5), st.floats(-5, 5))
def test_axes_place_values_in_order(x: float, y: float) -> None:
    axes = Axes(10, 20, 100, 50, (-5, 5), (-5, 5))
    assert axes.across(x) == pytest.approx(10 + 100 * (x + 5) / 10)
    assert axes.down(y) == pytest.approx(20 + 50 * (5 - y) / 10)


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 99))
def test_png_holds_the_pixels(height: int, width: int, seed: int) -> None:
    colours = np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)
    data = png(colours)
    start = data.index(b"IDAT")
    size = int.from_bytes(data[start - 4 : start], "big")
    rows = np.frombuffer(zlib.decompress(data[start + 4 : start + 4 + size]), np.uint8).reshape(height, -1)
    assert (rows[:, 0] == 0).all() and (rows[:, 1:].reshape(height, width, 3) == colours).all()


def results() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    shifts = {"the same": 0.0, "different": 3.0, "differs, size open": 1.0, "not decided": 0.35}
    sizes = {"not decided": 4}
    found = {
        name: topomod.equivalence_test(*rng.normal(0, 1, (2, sizes.get(name, 30))) + [[shift], [0]], margin=1.0)
        for name, shift in shifts.items()
    }
    return found | {
        MARKUP: topomod.mmd_equivalence_test(rng.normal(size=(20, 2)), rng.normal(size=(20, 2)), margin=0.5)
    }


@pytest.fixture(scope="module")
def figures() -> dict[str, Figure]:
    circuit = make_circuit("mlp_add", 1, 13)
    group = topomod.group_neurons(circuit)[0]
    X = topomod.manifold(circuit, group)
    verdict = topomod.classify_manifold(X, p=13)
    plots = topomod.plots
    return {
        "cloud": plots.plot_cloud(X, 13, group.frequency, title=MARKUP),
        "plain cloud": plots.plot_cloud(X),
        "verdict": plots.plot_verdict(verdict, X, 13),
        "diagram": plots.plot_diagram(verdict),
        "group": plots.plot_group(circuit, group),
        "move": plots.plot_move(circuit, topomod.group_neurons(circuit), 2),
        "equivalence": plots.plot_equivalence(results(), (MARKUP, "y")),
        "power": plots.plot_power([topomod.Power(n, n / 50, n / 100) for n in (5, 10, 40)], n=20),
    }


def test_every_figure_is_well_formed_and_labelled(figures: dict[str, Figure], tmp_path: Path) -> None:
    for name, figure in figures.items():
        text = figure._repr_html_()
        root = ElementTree.fromstring(text)
        assert root.attrib["role"] == "img" and len(root.attrib["aria-label"]) > 20, name
        assert "<script" not in text and not re.search(r"(href|src)=.(?!data:image/png)", text), name
        figure.save(tmp_path / "figure.svg")
        assert (tmp_path / "figure.svg").read_text(encoding="utf-8") == text
        figure.save(tmp_path / "figure.csv")
        assert len(pd.read_csv(tmp_path / "figure.csv")) == len(figure.to_frame()) > 0
        assert len(text) < 120_000, name


def test_a_figure_is_saved_as_svg_or_csv_only(figures: dict[str, Figure], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"figure\.png: a figure is saved as \.svg or \.csv, found \.png"):
        figures["cloud"].save(tmp_path / "figure.png")


def test_a_cloud_keeps_its_distances(figures: dict[str, Figure]) -> None:
    X = topomod.reference_manifold("disc", p=13, frequency=2)
    table = topomod.plots.plot_cloud(X, 13, 2).to_frame()
    drawn = table[["pc1", "pc2"]].to_numpy()
    assert np.sqrt((drawn**2).sum(axis=1).mean()) == pytest.approx(1)
    assert (table["residue"] == [2 * (a + b) % 13 for a in range(13) for b in range(13)]).all()


def test_a_long_cloud_is_thinned_and_says_so() -> None:
    figure = topomod.plots.plot_cloud(np.random.default_rng(0).normal(size=(9000, 3)))
    assert figure.description.startswith("4000 of 9000 points") and len(figure.to_frame()) == 4000


def test_the_mark_stands_in_the_band_where_the_difference_is_below_the_margin() -> None:
    found = results()
    figure = topomod.plots.plot_equivalence(found)
    root = ElementTree.fromstring(figure.to_svg())
    band = next(e for e in root if e.tag.endswith("rect"))
    left, right = (float(band.attrib["x"]) + share * float(band.attrib["width"]) for share in (0, 1))
    marks = [e for e in root if e.tag.endswith("path") and e.attrib.get("d") in SHAPES.values()]
    assert len(marks) == len(found)
    for mark, result in zip(marks, found.values(), strict=True):
        at = float(re.findall(r"translate\(([\d.]+)", mark.attrib["transform"])[0])
        assert (left <= at <= right) == (abs(result.difference) <= result.margin)
    answers = figure.to_frame().set_index("name")["answer"]
    assert {name: answers[name] for name in ANSWERS} == {name: name for name in ANSWERS}


def test_power_of_a_group_adds_up(figures: dict[str, Figure]) -> None:
    table = figures["group"].to_frame()
    shares = table[["first_order_share", "second_order_share"]].to_numpy()
    assert np.nansum(shares) <= 1 + 1e-9
    assert table.loc[table["first_order_share"].idxmax(), "frequency"] == 1


CIRCLE = np.column_stack([np.cos(np.arange(49)), np.sin(np.arange(49))])


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda p: p.plot_cloud(CIRCLE, p=6), r"with p = 6 X needs p \* p = 36 rows, found 49"),
        (lambda p: p.plot_cloud(CIRCLE, p=7, colour="c"), "colour must be one of a, b, sum, difference, found 'c'"),
        (lambda p: p.plot_cloud(CIRCLE * np.nan), "X must be finite"),
        (lambda p: p.plot_diagram("H1"), r"a list of 1 to 3 arrays of bars \(H0, H1, H2\), found str"),
        (lambda p: p.plot_diagram([[[1.0, 0.5]]]), "deaths no earlier than their births"),
        (lambda p: p.plot_equivalence({}), "at least one result"),
        (lambda p: p.plot_equivalence(3.0), "must be that of an equivalence test, found float without difference"),
        (lambda p: p.plot_power([]), "at least two points, found 0"),
    ],
)
def test_bad_input_gets_one_sentence(call: Any, sentence: str) -> None:
    with pytest.raises((ValueError, TypeError), match=sentence):
        call(topomod.plots)


@pytest.mark.parametrize(
    "cloud", [np.zeros((9, 2)), np.ones((9, 1)), CIRCLE[:, :1]], ids=["one point", "constant", "one feature"]
)
def test_clouds_without_shape_are_drawn(cloud: np.ndarray) -> None:
    ElementTree.fromstring(topomod.plots.plot_cloud(cloud).to_svg())


def test_the_documented_code_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    page = (Path(__file__).parents[2] / "docs" / "figures.md").read_text(encoding="utf-8")
    names: dict[str, Any] = {"circuit": make_circuit("mlp_add", 1, 13)}
    for block in re.findall(r"```python\n(.*?)```", page, flags=re.S):
        exec(block, names)
    assert {path.name for path in tmp_path.iterdir()} == {
        "verdict.svg",
        "cloud.csv",
        "group.svg",
        "move.svg",
        "tests.svg",
    }
    assert names["features"].shape == (4, 625) and len(names["labels"]) == 4
    for name in topomod.plots.__all__:
        assert name == "Figure" or f"| `{name}` |" in page


def test_results_show_themselves_escaped() -> None:
    shown: list[Shown] = [
        topomod.ManifoldVerdict("uncertain", reason=MARKUP),
        topomod.IrrepGroup(irrep=MARKUP, neurons=np.arange(3)),
        topomod.group_neurons(make_circuit("mlp_add", 1, 13))[0],
        *results().values(),
        topomod.answer_question([results()["different"]]),
        topomod.Power(10, 0.1, 0.2),
        topomod.detectable(100, 3, 0.01, "circle"),
    ]
    for result in shown:
        text = result._repr_html_()
        ElementTree.fromstring(text)
        assert "<script" not in text and f"<strong>{type(result).__name__}" in text
    assert "uncertain: &lt;b&gt;" in shown[0]._repr_html_()
    assert "different; difference" in results()["different"]._repr_html_()
