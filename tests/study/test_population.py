import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from topomod.report.diagram_summaries import bottleneck_matrix, diagram_features, mean_images
from topomod.report.endpoint_map import MIN_CIRCUITS, endpoint_map
from topomod.report.examples import choose_circuit, longest_bars, principal_components
from topomod.statistics.intervals import mean_interval, share_interval
from topomod.study.diagram_features import NotAvailableError, padded
from topomod.study.endpoint_catalogue import ENDPOINTS
from topomod.study.population import (
    endpoint_matrix,
    group_means,
    label_shares,
    phase_density,
    read_diagrams,
    strongest_groups,
)
from topomod.study.tables import circuit_diagrams
from topomod.topology.persistence_images import persistence_images

KEY = {"architecture": "mlp_add", "step": 300}


def make_groups() -> pd.DataFrame:
    rows = [(0, 1, 10, 0.5), (0, 2, 30, 0.9), (1, 3, 20, 0.1)]
    table = pd.DataFrame(rows, columns=["seed", "frequency", "n_neurons", "disc_cka"])
    return table.assign(**KEY, power=1.0)


def make_circuits(count: int = 3) -> pd.DataFrame:
    return pd.DataFrame({"seed": range(count), "converged": [True] * count}).assign(**KEY)


def make_diagrams(count: int, loops: bool = True) -> pd.DataFrame:
    """One short bar each; circuits of mlp_concat have a long one too."""
    rows = []
    for seed in range(count):
        for architecture in ("mlp_add", "mlp_concat"):
            bars = [(0.05, 0.1 + 0.001 * seed)] + [(0.1, 0.8)] * (architecture == "mlp_concat" and loops)
            rows += [(architecture, seed, 300, 1, "preactivations", 1, b, d) for b, d in bars]
    columns = ["architecture", "seed", "step", "frequency", "site", "dimension", "birth", "death"]
    return pd.DataFrame(rows, columns=columns)


def test_group_means_weight_by_neurons_and_keep_circuits_without_groups() -> None:
    means = group_means(make_groups(), make_circuits(), ["disc_cka"])["disc_cka"]
    assert means[0] == pytest.approx(0.8) and means[1] == pytest.approx(0.1) and np.isnan(means[2])
    empty = group_means(pd.DataFrame(columns=["architecture"]), make_circuits(), ["disc_cka"])
    assert empty["disc_cka"].isna().all()


def test_strongest_group_has_most_neurons() -> None:
    assert list(strongest_groups(make_groups())["frequency"]) == [2, 3]
    assert strongest_groups(pd.DataFrame(columns=["architecture"])).empty


def test_mean_interval_agrees_with_scipy() -> None:
    from scipy.stats import t

    values = np.array([1.0, 2.0, 4.0, 8.0])
    low, high = t.interval(0.95, 3, values.mean(), values.std(ddof=1) / 2)
    assert mean_interval(values) == pytest.approx((4, 3.75, low, high))
    assert np.isnan(mean_interval(np.array([1.0]))[2]) and np.isnan(mean_interval(np.array([]))[1])


@pytest.mark.parametrize("n", [1, 5, 50])
def test_share_interval_is_never_without_width(n: int) -> None:
    low, high = share_interval(np.zeros(n))
    assert low == 0 and 0 < high < 1
    assert share_interval(np.ones(n)) == pytest.approx((1 - high, 1))


def test_share_interval_stays_inside() -> None:
    low, high = share_interval(np.array([0.0, 0.0, 1.0]))
    assert (low, high) == (0, 1)


def test_label_shares_count_circuits_once() -> None:
    labels = pd.DataFrame({"seed": [0, 0, 0, 1, 2], "label": ["disc", "disc", "torus", "torus", "disc"]})
    circuits = make_circuits().assign(converged=[True, True, False])
    shares = label_shares(labels.assign(**KEY, site="logits"), circuits).set_index("label")
    assert shares.loc["disc", "mean"] == pytest.approx(1 / 3) and shares.loc["disc", "n_groups"] == 2
    assert shares["n_circuits"].eq(2).all() and shares["mean"].sum() == pytest.approx(1)
    assert label_shares(labels.iloc[:0].assign(**KEY, site="logits"), circuits).empty


def test_endpoint_matrix_keeps_missing_values_and_order() -> None:
    rows = [
        ("mlp_add", 0, "circularity", 1.0),
        ("mlp_add", 0, "disc_cka", np.nan),
        ("attention_0.0", 0, "disc_cka", 2.0),
    ]
    table = pd.DataFrame(rows, columns=["architecture", "seed", "endpoint", "value"]).assign(step=1, converged=True)
    matrix = endpoint_matrix(table)
    assert list(matrix["architecture"]) == ["mlp_add", "attention_0.0"]
    assert list(matrix.columns[-2:]) == ["disc_cka", "circularity"] and np.isnan(matrix["disc_cka"][0])


def test_phase_density_weights_circuits_equally() -> None:
    phases = pd.DataFrame({"seed": [0, 1, 1, 1], "a": [0, 1, 1, 1], "b": [0, 2, 2, 2]}).assign(**KEY)
    density = phase_density(phases, 3)
    assert density[0, 0] == density[1, 2] == pytest.approx(4.5) and density.sum() == pytest.approx(9)
    assert phase_density(phases.iloc[:0], 3).sum() == 0


def test_read_diagrams_keeps_strongest_groups(tmp_path) -> None:
    bars = make_diagrams(2)
    bars.to_parquet(tmp_path / "bars.parquet")
    empty = pd.DataFrame(columns=["architecture", "seed", "step", "frequency", "site"])
    empty.to_parquet(tmp_path / "empty.parquet")
    strongest = pd.DataFrame([{"architecture": "mlp_add", "seed": 1, "step": 300, "frequency": 1}])
    found = read_diagrams([tmp_path / "empty.parquet", tmp_path / "bars.parquet"], strongest)
    assert list(found["seed"]) == [1]
    assert read_diagrams([tmp_path / "empty.parquet"], strongest).empty


def test_principal_components_of_a_circle() -> None:
    angle = 2 * np.pi * np.arange(50) / 50
    cloud = np.stack([np.cos(angle), np.sin(angle)], axis=1) @ np.linalg.qr(np.eye(5))[0][:2] + 3
    scores, shares = principal_components(cloud)
    assert shares == pytest.approx([0.5, 0.5, 0]) and np.mean(np.sum(scores**2, axis=1)) == pytest.approx(1)
    assert principal_components(np.ones((4, 2)))[0].shape == (4, 3)


def test_example_prefers_converged_circuits_with_a_group() -> None:
    circuits = make_circuits().assign(converged=[False, True, True])
    matrix = circuits[["architecture", "seed", "step", "converged"]].assign(pad=0.0)
    row = choose_circuit(circuits, make_groups(), matrix)
    assert row is not None and row["seed"] == 1
    assert choose_circuit(circuits, make_groups().iloc[:0], matrix) is None
    assert choose_circuit(circuits.iloc[2:], make_groups(), matrix) is None


@given(st.permutations([-3.0, -1.0, 0.1, 1.0, 4.0]), st.floats(-5, 5), st.floats(0.01, 100))
def test_example_is_nearest_the_middle_in_any_order_and_unit(values: list[float], shift: float, unit: float) -> None:
    circuits = pd.DataFrame({"architecture": "mlp_add", "seed": range(5), "step": 1, "converged": True})
    matrix = circuits.assign(hole=shift + unit * np.array(values), same=1.0)
    row = choose_circuit(circuits, circuits, matrix)
    assert row is not None and values[row["seed"]] == 0.1 and row["n_circuits"] == 5


def test_longest_bars_keep_those_that_never_die() -> None:
    bars = pd.DataFrame({"site": "logits", "dimension": 0, "birth": 0.0, "death": [0.1, np.inf, 0.3]})
    assert list(longest_bars(bars, 2)["death"]) == [np.inf, 0.3]
    assert longest_bars(bars.iloc[:0]).empty


def test_padding_lies_on_the_diagonal() -> None:
    stacked = padded([np.array([[0.1, 0.5]]), np.array([[0.2, 0.3], [0.1, 0.2]])])
    assert stacked.shape == (2, 2, 3) and stacked[0, 1].tolist() == [0.1, 0.1, 1]


def test_infinite_bars_are_left_out_of_features() -> None:
    bars = make_diagrams(1)
    bars.loc[0, "death"] = np.inf
    assert list(circuit_diagrams(bars, "preactivations")) == [("mlp_concat", 0, 300)]


def test_bottleneck_matrix_sees_the_loop() -> None:
    circuits, distances = bottleneck_matrix(make_diagrams(3), "preactivations", ["mlp_concat", "mlp_add"], 2)
    assert circuits == [("mlp_concat", 0), ("mlp_concat", 1), ("mlp_add", 0), ("mlp_add", 1)]
    assert np.allclose(distances, distances.T) and distances[0, 2] == pytest.approx(0.35)
    assert bottleneck_matrix(make_diagrams(3), "logits", ["mlp_add"])[1].shape == (0, 0)


def test_features_tell_the_loop_apart() -> None:
    pytest.importorskip("gtda", reason="giotto-tda is not installed")
    features, curves = diagram_features(make_diagrams(5), "preactivations")
    means = features.groupby("architecture")["bottleneck"].mean()
    assert means["mlp_concat"] == pytest.approx(0.35) and means["mlp_add"] < 0.05
    assert set(curves["architecture"]) == {"mlp_add", "mlp_concat"} and curves["betti"].max() >= 1


def test_mean_images_weight_circuits_equally() -> None:
    images = mean_images(make_diagrams(4), "preactivations")
    assert list(images) == ["mlp_add", "mlp_concat"]
    single = persistence_images([[(0.05, 0.1 + 0.001 * seed), (0.1, 0.8)] for seed in range(4)])
    assert images["mlp_concat"] == pytest.approx(single.mean(axis=0))
    assert mean_images(make_diagrams(1), "logits") == {}


def test_features_need_circuits_and_giotto(monkeypatch) -> None:
    with pytest.raises(NotAvailableError, match="At least 10 circuits with an H1 diagram are needed, and there are 2"):
        diagram_features(make_diagrams(1), "preactivations")
    monkeypatch.setitem(sys.modules, "gtda.diagrams", None)
    with pytest.raises(NotAvailableError, match="giotto-tda is not installed"):
        diagram_features(make_diagrams(5), "preactivations")


def make_matrix(count: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(count, 3)), columns=list(ENDPOINTS)[:3])
    table.iloc[0, 0] = np.nan
    return make_circuits(count).join(table)


def test_map_needs_circuits_umap_and_variation(monkeypatch) -> None:
    with pytest.raises(NotAvailableError, match="at least 21 circuits, and there are 3"):
        endpoint_map(make_matrix(3))
    flat = make_matrix(24)
    flat[list(ENDPOINTS)[:3]] = 1.0
    with pytest.raises(NotAvailableError, match="no endpoint varies"):
        endpoint_map(flat)
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(NotAvailableError, match="umap-learn is not installed"):
        endpoint_map(make_matrix(24))


def test_map_places_every_circuit_the_same_way_twice() -> None:
    pytest.importorskip("umap", reason="umap-learn is not installed")
    matrix = make_matrix(MIN_CIRCUITS)
    places = endpoint_map(matrix)
    assert len(places) == len(matrix) and np.isfinite(places[["x", "y"]].to_numpy()).all()
    pd.testing.assert_frame_equal(places, endpoint_map(matrix))
