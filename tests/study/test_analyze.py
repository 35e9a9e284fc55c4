"""Single networks: released values, every site and layer, the command and its page."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import topomod
from topomod.cli import app
from topomod.mechanisms.clock_pizza import _fve, logit_fve
from topomod.networks.circuit import Circuit
from topomod.networks.circuit_file import save_circuits
from topomod.neurons.layers import circuit_layers
from topomod.neurons.readout import readout_orders
from topomod.neurons.sites import layer_cloud
from topomod.study.analyze import Inspection, inspect_networks, read_networks, second_harmonic

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
    columns = ["gradient_symmetricity", "distance_irrelevance_correct", "distance_irrelevance_runner_up"]
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


def test_other_groups_are_refused_by_the_command(tmp_path: Path) -> None:
    import torch

    shapes = {"W_x": (6, 3), "W_y": (6, 3), "W": (6, 4), "W_U": (4, 6)}
    torch.save({name: torch.zeros(shape) for name, shape in shapes.items()}, tmp_path / "model.pt")
    (tmp_path / "cfg.json").write_text('{"group": "SymmetricGroup", "group_parameter": 3}')
    with pytest.raises(ValueError, match=r"model\.pt: learnt .*S3.*only addition mod p"):
        list(read_networks([tmp_path / "model.pt"]))


def test_separate_embeddings_have_no_circles_of_one(trained: dict[str, Circuit]) -> None:
    from dataclasses import replace

    circuit = trained["mlp_concat"]
    assert logit_fve(replace(circuit, weights=circuit.weights | {"W_E_right": circuit.weights["W_E"]})) == []
