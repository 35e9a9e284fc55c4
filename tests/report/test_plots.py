import numpy as np
import pandas as pd
import pytest

from topomod.report import (
    colours,
    plots_endpoints,
    plots_labels,
    plots_maps,
    plots_phases,
    plots_shapes,
    plots_training,
    plots_verdicts,
)
from topomod.report.examples import Example
from topomod.study.population import LABELS
from topomod.topology.diagrams import diagram_matching
from topomod.topology.persistence_images import persistence_images
from topomod.training.recipes import Recipe

NAMES = ["mlp_add", "attention_0.0"]


def make_rows() -> pd.DataFrame:
    untested = ("c", np.nan, np.nan, np.nan, "not decided")
    rows = [("a", 0.05, 0.0, 0.1, "not decided"), ("b", 9.0, 8.0, np.inf, "different"), untested]
    table = pd.DataFrame(rows, columns=["title", "difference", "ci_low", "ci_high", "answer"])
    return table.assign(family="mechanism", margin=0.1)


def test_forest_clips_and_names_its_answers() -> None:
    figure = plots_verdicts.forest(make_rows())
    shown = {trace.name: trace for trace in figure.data if trace.showlegend}
    assert set(shown) == {"≠ different", "? not decided"}
    assert (
        shown["≠ different"].x[0] == plots_verdicts.CLIP and shown["≠ different"].marker.symbol[0] == "triangle-right"
    )
    assert shown["? not decided"].x[0] == pytest.approx(0.5)
    assert "9.000 [8.000, ∞]" in shown["≠ different"].hovertext[0]


def test_architectures_differ_in_colour_and_marker() -> None:
    styles = colours.styles(["mlp_add", "mlp_concat", "attention_0.0", "attention_1.0"])
    assert len({colour for colour, _ in styles.values()}) == len({marker for _, marker in styles.values()}) == 4


def test_label_bars_fill_the_whole() -> None:
    rows = [("mlp_add", "logits", label, 3, 1, 0.2, 0.1, 0.3) for label in LABELS]
    columns = ["architecture", "site", "label", "n_circuits", "n_groups", "mean", "ci_low", "ci_high"]
    figure = plots_labels.label_bars(pd.DataFrame(rows, columns=columns), "logits")
    assert sum(trace.x[0] for trace in figure.data) == pytest.approx(1)
    assert "mlp_add: disc 20%" in figure.data[0].hovertext[0]


def test_strip_shows_converged_circuits_and_survives_missing_ones() -> None:
    matrix = pd.DataFrame({"architecture": ["mlp_add"] * 3, "seed": [0, 1, 2], "circularity": [1.0, np.nan, 3.0]})
    figure = plots_endpoints.endpoint_strip(matrix.assign(converged=[True, True, False]), "circularity", "t", NAMES)
    assert len(figure.data[0].y) == 2 and figure.data[1].y[0] == 1
    assert "mean of 0 is –" in figure.data[3].hovertext


def test_arrays_are_float32() -> None:
    figure = plots_verdicts.forest(make_rows())
    assert all(trace.x.dtype == np.float32 for trace in figure.data)


def make_example(p: int = 5) -> Example:
    cloud = np.random.default_rng(0).normal(size=(p * p, 3)).astype(np.float32)
    return Example(
        "mlp_add", 0, 300, 1, 10, True, {"logits": cloud}, {"logits": np.array([0.5, 0.3, 0.1])}, pd.DataFrame()
    )


def test_point_cloud_is_coloured_by_the_sum_on_a_cyclic_scale() -> None:
    figure = plots_shapes.point_cloud(make_example(), "logits", 5)
    marker = figure.data[0].marker
    assert list(marker.color[:7]) == [0, 1, 2, 3, 4, 1, 2] and (marker.cmin, marker.cmax) == (0, 5)
    assert marker.colorscale[0][1] == marker.colorscale[-1][1]
    assert figure.layout.meta == {"p": 5, "f": 1} and figure.layout.scene.xaxis.title.text == "PC1 (50%)"


def test_persistence_diagram_draws_bars_that_never_die_at_the_edge() -> None:
    bars = pd.DataFrame({"site": "logits", "dimension": [0, 1], "birth": [0.0, 0.1], "death": [np.inf, 0.5]})
    figure = plots_shapes.persistence_diagram(bars, "logits")
    assert [trace.name for trace in figure.data[1:]] == ["H0", "H1"]
    assert figure.data[1].y[0] == pytest.approx(0.56)
    assert len(plots_shapes.persistence_diagram(pd.DataFrame(), "logits").data) == 1


def make_phases(p: int = 5) -> pd.DataFrame:
    steps = np.arange(p)
    table = pd.DataFrame({"architecture": "mlp_add", "seed": 0, "step": 1, "a": steps, "b": steps})
    return pd.concat([table, table.assign(architecture="attention_0.0", b=(steps + 2) % p)])


@pytest.mark.parametrize("p", [5, 6])
def test_torus_histogram_sums_to_one(p: int) -> None:
    figure = plots_phases.torus_histogram(make_phases(p), dict.fromkeys(NAMES, p))
    assert [float(np.sum(trace.y)) for trace in figure.data] == pytest.approx([1, 1, 1])
    assert figure.data[1].y[0] == 1 and figure.data[2].y[2] == 1


def test_phase_heatmap_has_a_along_x() -> None:
    phases = pd.DataFrame({"architecture": ["mlp_add"], "seed": 0, "step": 1, "a": 1, "b": 3})
    figure = plots_phases.phase_heatmap(phases, "mlp_add", 5, 25.0)
    assert figure.data[0].customdata[3, 1] == 25


def test_maturity_curves_tell_the_decay_and_mark_the_schedule() -> None:
    rows = [("mlp_add", seed, step, 0.1 * seed) for seed in (0, 1) for step in (100, 600)]
    table = pd.DataFrame(rows, columns=["architecture", "seed", "step", "value"]).assign(endpoint="circularity")
    recipe = Recipe()
    figure = plots_training.maturity_curves(table, "circularity", "t", NAMES, recipe)
    mean = figure.data[2]
    assert mean.y[0] == pytest.approx(0.05) and mean.customdata[1] == pytest.approx(recipe.cumulative_decay(600))
    assert figure.layout.shapes[0].x0 == recipe.steps and len(figure.data) == 4


def test_distance_blocks_separate_architectures() -> None:
    circuits = [("mlp_add", 0), ("mlp_add", 1), ("attention_0.0", 0)]
    figure = plots_maps.distance_blocks(circuits, np.zeros((3, 3)))
    rows, columns = figure.layout.shapes
    assert (rows.y0, rows.y1, rows.x0, rows.x1) == (1.5, 1.5, -0.5, 2.5)
    assert (columns.x0, columns.x1, columns.y0, columns.y1) == (1.5, 1.5, -0.5, 2.5)
    assert list(figure.layout.xaxis.ticktext) == NAMES


def test_loss_curves_break_between_circuits() -> None:
    rows = [(seed, step, 1.0 / step, step > 2) for seed in (0, 1) for step in (1, 2, 3)]
    table = pd.DataFrame(rows, columns=["seed", "step", "loss", "accurate"]).assign(architecture="mlp_add")
    figure = plots_training.loss_curves(table, NAMES)
    assert int(np.isnan(figure.data[0].y).sum()) == 2 and list(figure.data[1].x) == [3, 3]


def test_map_leaves_unconverged_circuits_hollow() -> None:
    places = pd.DataFrame({"architecture": "mlp_add", "seed": [0, 1], "converged": [True, False], "x": 0.0, "y": 1.0})
    assert list(plots_maps.circuit_map(places, NAMES).data[0].marker.symbol) == ["circle", "circle-open"]


def test_matched_diagrams_join_partners_and_lone_bars_to_the_diagonal() -> None:
    diagrams = (np.array([[0.0, 1.0], [0.2, 0.4]]), np.array([[0.1, 1.5]]))
    matching = diagram_matching(*diagrams)
    figure = plots_shapes.matched_diagrams(diagrams, matching, NAMES, NAMES)
    lines = np.column_stack([figure.data[1].x, figure.data[1].y]).reshape(-1, 3, 2)[:, :2]
    assert lines == pytest.approx(np.array([[[0.0, 1.0], [0.1, 1.5]], [[0.2, 0.4], [0.3, 0.3]]]))
    assert np.abs(np.diff(lines, axis=1)).max() == pytest.approx(matching.distance) == 0.5
    assert [trace.name for trace in figure.data[2:]] == NAMES


@pytest.mark.parametrize("empty", [(0, 1), (1, 0), (0, 0)])
def test_matched_diagrams_may_be_empty(empty: tuple[int, int]) -> None:
    diagrams = [np.array([[0.2, 0.6]])[:count] for count in empty]
    figure = plots_shapes.matched_diagrams(diagrams, diagram_matching(*diagrams), NAMES, NAMES)
    ends = np.asarray(figure.data[1].x).reshape(-1, 3)[:, :2]
    assert np.sort(ends, axis=1) == pytest.approx(np.array([[0.2, 0.4]] * sum(empty)).reshape(-1, 2))


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_image_grid_has_a_map_for_each_architecture_on_one_scale(count: int) -> None:
    names = [f"mlp_add@{place}" for place in range(count)]
    images = {name: persistence_images([[[0.1, 0.2 + place / 5]]])[0] for place, name in enumerate(names)}
    figure = plots_maps.image_grid(images, ["not drawn", *names])
    assert [trace.name for trace in figure.data] == names and len(figure.layout.annotations) == count
    peaks = [np.unravel_index(np.argmax(trace.customdata), trace.customdata.shape)[0] for trace in figure.data]
    heights = [trace.y[peak] for trace, peak in zip(figure.data, peaks, strict=True)]
    assert heights == pytest.approx([0.1 + place / 5 for place in range(count)], abs=0.051)
    largest = max(float(image.max()) for image in images.values())
    assert figure.layout.coloraxis.cmax == pytest.approx(np.sqrt(largest))
    for trace in figure.data:
        assert trace.z == pytest.approx(np.sqrt(np.maximum(trace.customdata, 0)), abs=1e-6)
