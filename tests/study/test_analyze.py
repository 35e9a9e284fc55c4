"""Single networks: released values, every site and layer, the command and its page."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import topomod
from topomod.cli import app
from topomod.mechanisms.clock_pizza import _fve, logit_fve
from topomod.networks.circuit import Circuit
from topomod.networks.circuit_file import save_circuits
from topomod.neurons.layers import circuit_layers
from topomod.neurons.readout import readout_orders
from topomod.neurons.sites import layer_cloud
from topomod.report.analyze_lines import summary
from topomod.report.analyze_page import write_page
from topomod.study.analyze import Inspection, inspect_networks, second_harmonic
from topomod.study.groups import analyse_groups
from topomod.study.homology import analyse_homology
from topomod.study.network_files import _unique_names, read_files, read_networks

# gradient symmetricity, distance irrelevance (correct, runner-up), circularity, parameter norm; frequency: neurons
RELEASED = {
    "model_p99zdpze5l": ((0.993665, 0.171736, 0.2218, 0.997818, 22.854), {3: 149, 15: 190, 17: 173}),
    "model_l8k1hzciux": ((0.333638, 0.848260, 0.8849, 0.998907, 24.81), {13: 180, 16: 184, 21: 122}),
    "model_p71frej8t7": ((1.0, 0.230205, 0.3287, 0.995042, 32.44), {14: 69, 17: 74, 24: 57, 29: 48}),
    "model_7r4zst7evs": (
        (-0.0027, 0.9631, 0.9740, 0.9910, 54.08),
        {5: 33, 7: 31, 8: 26, 9: 38, 13: 21, 17: 30, 19: 43, 20: 28},
    ),
}
DIGITS = {"model_7r4zst7evs": (4, 4, 4, 4, 2), "model_p71frej8t7": (6, 6, 4, 6, 2)}


@pytest.fixture(scope="module")
def found() -> Inspection:
    folder = Path(__file__).resolve().parents[3] / "shared" / "checkpoints" / "zhong2023"
    if not folder.is_dir():
        pytest.skip(f"released networks are not at {folder}")
    return inspect_networks(list(read_networks([folder / f"{name}.pt" for name in RELEASED])))


@pytest.mark.parametrize("name", RELEASED)
def test_published_metrics_to_the_digits_printed(found: Inspection, name: str) -> None:
    wanted, groups = RELEASED[name]
    row = found.networks.set_index("network").loc[name]
    columns = ["gradient_symmetricity", "distance_irrelevance", "distance_irrelevance_runner_up"]
    digits = DIGITS.get(name, (6, 6, 4, 6, 2))
    for column, value, places in zip([*columns, "circularity", "parameter_norm"], wanted, digits, strict=True):
        assert row[column] == pytest.approx(value, abs=0.6 * 10.0**-places), column
    assert row["learnt"]
    first = found.groups[(found.groups["network"] == name) & (found.groups["layer"] == 0)]
    first = first[first["order"] == 1]
    assert dict(zip(first["frequency"], first["n_with_dead"], strict=True)) == groups


def test_released_shapes(found: Inspection) -> None:
    labels = found.labels[found.labels["layer"] == 0].set_index(["network", "order", "frequency", "site"])["label"]
    for name, (_, groups) in RELEASED.items():
        for frequency in groups:
            shape = "torus" if name == "model_7r4zst7evs" else "disc"
            assert labels[name, 1, frequency, "preactivations"] == shape
            if name != "model_p71frej8t7":
                assert labels[name, 1, frequency, "readout"] == "circle"
    first = found.layers.set_index(["network", "layer"])
    assert first.loc[("model_l8k1hzciux", 0), "n_second_order"] == 26
    groups_b = found.groups[(found.groups["network"] == "model_l8k1hzciux") & (found.groups["order"] == 1)]
    assert 26 not in set(groups_b["frequency"])
    both = [("model_p99zdpze5l", 0.986, 0.0008), ("model_l8k1hzciux", 0.993, 0.0006)]
    for name, second, alone in both:
        assert first.loc[(name, 0), "readout_sum_r2"] == pytest.approx(second, abs=5e-4)
        assert first.loc[(name, 0), "readout_first_order_r2"] == pytest.approx(alone, abs=5e-5)


def test_logit_fve_of_model_a(found: Inspection) -> None:
    own = found.circles[found.circles["network"] == "model_p99zdpze5l"].set_index("frequency")
    assert own["clock"].round(4).to_dict() == {17: 0.7541, 3: 0.7562, 15: 0.7538}
    assert own["pizza"].round(4).to_dict() == {17: 0.9918, 3: 0.9918, 15: 0.9928}


def test_pure_pizza_logits_are_80_percent_clock() -> None:
    p, w = 59, 2 * np.pi * 7 / 59
    a, b, c = np.ogrid[:p, :p, :p]
    found = _fve(np.abs(np.cos(w * (a - b) / 2)) * np.cos(w * (a + b - c)), 7)
    assert (found.pizza, found.clock) == (pytest.approx(1.0), pytest.approx(0.8008, abs=5e-5))


def test_second_harmonic_by_hand() -> None:
    angle = 2 * np.pi * 3 * np.arange(23) / 23
    values = (np.cos(angle)[:, None] + 0.5 * np.cos(2 * angle)[None, :])[..., None]
    assert second_harmonic(values, 3) == pytest.approx(0.25 / 1.25)
    assert np.isnan(second_harmonic(np.zeros((23, 23, 1)), 3))


def test_sites_fit_together(trained: dict[str, Circuit]) -> None:
    circuit = trained["mlp_add"]
    (layer,) = circuit_layers(circuit)
    group = topomod.group_neurons(circuit)[0]
    np.testing.assert_array_equal(
        layer_cloud(layer, group, "activations"), np.maximum(layer_cloud(layer, group, "preactivations"), 0)
    )
    np.testing.assert_allclose(topomod.manifold(circuit, group, "logits"), layer_cloud(layer, group, "logits"))
    plane = layer_cloud(layer, group, "readout")
    assert plane.shape == (529, 2)
    # the plane holds all that the logits read at this frequency
    wave = np.exp(2j * np.pi * group.frequency * np.arange(23) / 23)
    coordinate = (layer.activations @ layer.readout.T @ wave).reshape(-1)
    left = np.linalg.lstsq(plane, np.stack([coordinate.real, coordinate.imag], 1), rcond=None)[1]
    assert np.all(left < 1e-3 * np.sum(np.abs(coordinate) ** 2))
    with pytest.raises(ValueError, match="known sites: preactivations, activations, logits, readout"):
        layer_cloud(layer, group, "embedding")
    assert np.isnan(readout_orders(layer, [])).all()


def test_the_command_writes_tables_and_a_page(trained: dict[str, Circuit], tmp_path: Path) -> None:
    path = tmp_path / "circuits.safetensors"
    save_circuits(path, [trained["mlp_concat"]])
    result = CliRunner().invoke(app, ["analyze", str(path), "--output", str(tmp_path / "out"), "--min-neurons", "10"])
    assert result.exit_code == 0, result.output
    assert "mlp_concat seed 0" in result.output and "torus" in result.output
    labels = pd.read_parquet(tmp_path / "out" / "labels.parquet")
    assert set(labels["site"]) == {"preactivations", "activations", "logits", "readout"}
    page = (tmp_path / "out" / "index.html").read_text()
    assert "What these networks learned" in page and "http" not in page.split("<script>")[0]


def test_along_training(tmp_path: Path) -> None:
    task, recipe = topomod.ModularAddition(p=13), topomod.Recipe(steps=60, max_steps=60)
    circuits = topomod.train("mlp_add", task, [0], recipe=recipe, snapshots=[20, 40, 60], device="cpu")
    save_circuits(tmp_path / "c.safetensors", circuits)
    arguments = ["analyze", str(tmp_path / "c.safetensors"), "--history", "--output", str(tmp_path / "out")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert result.output.count("mlp_add seed 0 step") >= 3 and "NOT LEARNT" in result.output
    assert "Along training" in (tmp_path / "out" / "index.html").read_text()


def pizza(p: int, frequency: int, d_model: int = 6) -> Circuit:
    """Network of one group: neurons of one frequency at evenly spaced phases."""
    angle = 2 * np.pi * frequency * np.arange(p) / p
    phase = 2 * np.pi * np.arange(12) / 12
    plane = np.eye(2, d_model)
    weights = {
        "W_E": np.stack([np.cos(angle), np.sin(angle)], axis=1) @ plane,
        "W_in": np.stack([np.cos(phase), np.sin(phase)], axis=1) @ plane,
        "b_in": np.zeros(12),
        "W_out": (np.stack([np.cos(2 * phase), np.sin(2 * phase)], axis=1) @ plane).T,
        "W_U": plane.T @ np.stack([np.cos(angle), np.sin(angle)]),
    }
    weights = {name: np.ascontiguousarray(value, np.float32) for name, value in weights.items()}
    return Circuit("mlp_add", topomod.ModularAddition(p), weights)


def save_linear(path: Path, circuit: Circuit) -> Path:
    """The same function in Zhong et al.'s layout of linear models."""
    w = {name: torch.from_numpy(value) for name, value in circuit.weights.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {"embed.weight": w["W_E"], "l1.weight": w["W_in"], "l1.bias": w["b_in"]}
    torch.save(state | {"unembed.weight": (w["W_out"].T @ w["W_U"]).T}, path)
    return path


def zeros(circuit: Circuit) -> Circuit:
    return replace(circuit, weights={name: np.zeros_like(value) for name, value in circuit.weights.items()})


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["analyze", *map(str, arguments)])
    return result.exit_code, result.output


@pytest.mark.parametrize("name", ["final.pt", "model.pt"])
def test_files_of_one_name_keep_their_own_groups(tmp_path: Path, name: str) -> None:
    paths = [save_linear(tmp_path / f"run{k}" / "x" / name, pizza(13, k)) for k in (1, 4)]
    code, output = run(*paths, "--output", tmp_path / "out")
    assert code == 0, output
    end = "/final" if name == "final.pt" else ""
    names = [f"run1/x{end}", f"run4/x{end}"]
    groups = pd.read_parquet(tmp_path / "out" / "groups.parquet")
    assert groups.groupby("network")["frequency"].unique().map(list).to_dict() == {names[0]: [1], names[1]: [4]}
    for table in ("networks", "layers", "labels", "circles"):
        assert set(pd.read_parquet(tmp_path / "out" / f"{table}.parquet")["network"]) == set(names)
    printed = [part.count("    frequency") for part in output.split(f"{names[1]}: ")]
    assert printed == [1, 1] and f"{names[0]}: pizza: 1 frequency (1); " in output
    page = (tmp_path / "out" / "index.html").read_text()
    assert all(f"<h2>{name}</h2>" in page for name in names)


def test_circuits_of_one_name_are_told_apart(tmp_path: Path) -> None:
    for folder, frequency in (("a", 1), ("b", 2)):
        (tmp_path / folder).mkdir()
        save_circuits(tmp_path / folder / "c.safetensors", [replace(pizza(13, frequency), seed=0, step=5)])
    save_circuits(tmp_path / "a" / "d.safetensors", [replace(pizza(13, 3), seed=0, step=5)])
    save_circuits(tmp_path / "e.safetensors", [replace(pizza(13, 4), seed=0, step=s) for s in (6, 6, 7)])
    paths = [tmp_path / name for name in ("a/c.safetensors", "b/c.safetensors", "a/d.safetensors", "e.safetensors")]
    own = "mlp_add seed 0 step"
    names = [f"a/c {own} 5", f"b/c {own} 5", f"d {own} 5", f"{own} 6 circuit 0", f"{own} 6 circuit 1", f"{own} 7"]
    assert [name for name, _ in read_networks(paths)] == names
    found = inspect_networks(list(read_networks(paths)))
    assert found.groups.set_index("network")["frequency"].to_dict() == dict(zip(names, [1, 2, 3, 4, 4, 4], strict=True))


PARTS = st.lists(st.sampled_from(["a", "b", "model", "final"]), min_size=1, max_size=4)


@given(st.lists(st.tuples(PARTS, st.sampled_from([".pt", ".pth"])), min_size=1, max_size=6))
def test_names_are_unique_and_as_short_as_can_be(files: list[tuple[list[str], str]]) -> None:
    paths = list(dict.fromkeys(Path("/root", *parts).with_suffix(ending) for parts, ending in files))
    names = _unique_names(paths, [""] * len(paths))
    assert len(set(names)) == len(paths)
    ends = [path.parent if path.stem == "model" else path.with_suffix("") for path in paths]
    for path, end, name in zip(paths, ends, names, strict=True):
        others = [other for other, own in zip(ends, paths, strict=True) if own != path]
        if end.name not in [other.name for other in others]:
            assert name == end.name  # as without other files
        elif end not in others:
            assert f"/{end}".endswith(f"/{name}") and any(
                f"/{other}".endswith(name[name.find("/") :]) for other in others
            )
        else:
            assert f"/{path}".endswith(f"/{name}")


def test_one_file_twice_is_one_network(tmp_path: Path) -> None:
    path = save_linear(tmp_path / "x.pt", pizza(13, 2))
    (tmp_path / "y").mkdir()
    other = save_linear(tmp_path / "z.pt", pizza(13, 3))
    found = read_files([path, other, tmp_path / "y" / ".." / "x.pt"])
    assert [name for name, _ in found.networks] == ["x", "z"] and not found.problems
    with pytest.raises(ValueError, match="networks must have different names, found several of 'x'"):
        inspect_networks(found.networks * 2)


def test_one_seed_of_a_file_of_many(tmp_path: Path) -> None:
    path = tmp_path / "circuits.safetensors"
    save_circuits(path, [replace(pizza(13, 3), seed=seed, step=9) for seed in (4, 6, 7)])
    found = read_files([path], 6)
    assert [name for name, _ in found.networks] == ["mlp_add seed 6 step 9"] and not found.problems
    assert read_files([path], 5).problems == [f"{path}: no network of seed 5; the file has seeds 4 to 7"]


def test_a_bad_file_is_named_and_the_good_ones_are_read(tmp_path: Path) -> None:
    good = save_linear(tmp_path / "good.pt", pizza(13, 2))
    (tmp_path / "text.pt").write_text("no model")
    (tmp_path / "cut.safetensors").write_bytes(b"12")
    nan = save_linear(tmp_path / "nan.pt", pizza(13, float("nan")))
    s3 = tmp_path / "s3" / "model.pt"
    s3.parent.mkdir()
    a, b = np.divmod(np.arange(36), 6)
    W = -torch.ones(12, 36)  # a hidden neuron fires for one pair alone
    W[a, range(36)] = W[6 + b, range(36)] = 1
    products = torch.tensor(topomod.GroupComposition("S3").targets().reshape(-1))
    W_U = torch.nn.functional.one_hot(products, 6).float()
    torch.save({"W_x": torch.eye(6), "W_y": torch.eye(6), "W": W, "W_U": W_U}, s3)
    s3.with_name("cfg.json").write_text('{"group": "SymmetricGroup", "group_parameter": 3}')
    diverged = replace(pizza(13, 3), seed=1, step=9)
    diverged.weights["W_in"][0] = np.inf
    save_circuits(tmp_path / "own.safetensors", [replace(pizza(13, 3), seed=0, step=9), diverged])
    three, power = tmp_path / "three.safetensors", tmp_path / "power.safetensors"
    for path, k in ((three, 3), (power, 2)):
        weights = {"W_in": np.ones((2, 13 * k)), "W_U": np.ones((2, 13))}
        save_circuits(path, [Circuit("power_mlp", topomod.ModularAddition(13, k), weights, seed=0)])
    bad = [tmp_path / "text.pt", tmp_path / "missing.pt", tmp_path / "cut.safetensors", nan, s3]
    found = read_files([*bad[:3], good, *bad[3:], tmp_path / "own.safetensors", three, power])
    assert [name for name, _ in found.networks] == ["good", "s3", "mlp_add seed 0 step 9"]
    wanted = [
        "text.pt: not a state dict",
        "no model file at .*missing.pt",
        "cut.safetensors is corrupt",
        "nan.pt: embed.weight holds NaN or infinite values",
        "own.safetensors, mlp_add seed 1 step 9: weights W_in hold NaN or infinite",
        "three.safetensors, .*: learnt addition_3 mod 13; only networks of two tokens",
        "power.safetensors, .*: is a power_mlp; only networks that embed",
    ]
    assert len(found.problems) == len(wanted)
    for pattern, problem in zip(wanted, found.problems, strict=True):
        assert re.search(pattern, problem) and "\n" not in problem
    for path in (*bad[:-1], three, power):
        with pytest.raises(ValueError, match=path.name):
            list(read_networks([good, path]))


def test_tables_have_their_columns_without_a_group(tmp_path: Path, trained: dict[str, Circuit]) -> None:
    full = inspect_networks([("one", trained["mlp_add"])], min_neurons=10)
    assert all(len(table) for name, table in vars(full).items() if name != "irreps")
    for found in (
        inspect_networks([]),
        inspect_networks([("none", trained["mlp_add"])], min_neurons=1000),
        inspect_networks([("zero", zeros(pizza(13, 2)))]),
    ):
        assert len(found.groups) == len(found.labels) == len(found.circles) == 0
        for name, table in vars(found).items():
            assert list(table) == list(getattr(full, name)), name
    path = save_linear(tmp_path / "zero.pt", zeros(pizza(13, 2)))
    other = save_linear(tmp_path / "small.pt", pizza(13, 2))
    code, output = run(path, other, "--min-neurons", 200, "--output", tmp_path / "out", "--history")
    assert code == 0, output
    assert output.count("this layer has no group of neurons that is large enough") == 2
    for name in vars(full):
        assert list(pd.read_parquet(tmp_path / "out" / f"{name}.parquet")) == list(getattr(full, name))
    assert "no group of neurons that is large enough" in (tmp_path / "out" / "index.html").read_text()


def test_the_page_draws_the_groups_of_the_tables(tmp_path: Path) -> None:
    named = [("small", pizza(13, 2))]
    write_page(named, inspect_networks(named, min_neurons=12), tmp_path / "with.html")
    write_page(named, inspect_networks(named, min_neurons=13), tmp_path / "without.html")
    pages = [(tmp_path / f"{name}.html").read_text() for name in ("with", "without")]
    assert ["frequency 2, 12 neurons" in page for page in pages] == [True, False]


def test_columns_of_studies_and_of_files_are_one(trained: dict[str, Circuit]) -> None:
    """One network through a study's stages and through a file: where names are equal, so are values."""
    circuit = trained["attention"]
    found = inspect_networks([("x", circuit)], min_neurons=10)
    circuits, groups, _ = analyse_groups([circuit], min_neurons=10)
    verdicts, _ = analyse_homology([circuit], min_neurons=10)
    first = found.groups[found.groups["order"] == 1].reset_index(drop=True)
    pd.testing.assert_frame_equal(groups.drop(columns=["architecture", "seed", "step"]), first[list(groups)[3:]])
    both = found.networks.merge(found.layers, on="network")
    pd.testing.assert_frame_equal(circuits, both[list(circuits)])
    sites = found.labels[(found.labels["order"] == 1) & found.labels["site"].isin(verdicts["site"].unique())]
    shared = [name for name in verdicts if name not in ("architecture", "seed", "step", "n_neurons")]
    pd.testing.assert_frame_equal(verdicts[shared], sites[shared].reset_index(drop=True))
    extra = {"network", "layer", "order", "n_with_dead", "second_harmonic_r2"}
    assert set(found.groups) - set(groups) == extra


def test_a_layer_without_readout_has_no_logit_columns(found: Inspection) -> None:
    first = found.groups[(found.groups["network"] == "model_p71frej8t7") & (found.groups["layer"] == 0)]
    assert first[["logit_circle_cka", "logit_disc_cka", "logit_power_share"]].isna().all(axis=None)
    assert first[["coordinate_circle_cka", "winding_a", "disc_cka"]].notna().all(axis=None)


def test_logits_that_read_nothing() -> None:
    """Neurons have groups, the logits do not read them: shares of nothing are NaN, and nothing warns."""
    circuit = pizza(13, 2)
    circuit.weights["W_U"][:] = 0
    (row,) = inspect_networks([("x", circuit)]).groups.to_dict("records")
    assert np.isnan(row["logit_power_share"]) and np.isnan(row["coordinate_circle_cka"])
    assert row["first_order_r2"] == pytest.approx(1)


def test_reasons_are_printed(tmp_path: Path) -> None:
    circuit = replace(pizza(13, 2), reason="no structure", seed=0)
    lines = "\n".join(summary(inspect_networks([("x", circuit)])))
    assert "it does not count as converged: no structure" in lines


def test_separate_embeddings_have_no_circles_of_one(trained: dict[str, Circuit]) -> None:
    circuit = trained["mlp_concat"]
    assert logit_fve(replace(circuit, weights=circuit.weights | {"W_E_right": circuit.weights["W_E"]})) == []
