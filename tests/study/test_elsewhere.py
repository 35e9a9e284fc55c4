"""Networks that plain PyTorch trained, from the module or its state dict to the lines and the page of analyze."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn
from typer.testing import CliRunner

import topomod
from elsewhere import Lens, Perceptron, taught
from topomod.cli import app
from topomod.tasks.task import Task

P = 23


def table(operation: Callable[[Tensor, Tensor], Tensor], p: int = P) -> Tensor:
    return operation(torch.arange(p)[:, None], torch.arange(p)[None]) % p


TABLES: dict[str, Tensor] = {
    "minus": table(torch.sub),
    "times": table(torch.mul),
    "cubic": table(lambda a, b: a**3 + a * b),
    "tied": table(torch.add, 17),
    "D7": torch.tensor(topomod.GroupComposition("D7").targets()),
    "lens": table(torch.add, 17),
    "lens2": table(torch.add, 13),
}
TASKS: dict[str, Task] = {"times": topomod.ModularOperation("a * b", P)}  # else it is read off
HOOKS = ["blocks.0.mlp.hook_pre", "blocks.1.mlp.hook_pre"]


def network(name: str) -> nn.Module:
    """A module as its owner has it, trained on all pairs."""
    layers = {"lens": 1, "lens2": 2}.get(name)
    n = len(TABLES[name])
    if layers:
        return taught(lambda: Lens(n, layers, d_model=32, d_mlp=64), TABLES[name], steps=250, decay=2.0, lr=5e-3)
    return taught(lambda: Perceptron(n, tied=name == "tied"), TABLES[name], steps=300, decay=2.0)


class Analysed:
    """What ``topomod analyze`` says of all networks."""

    def __init__(self, folder: Path) -> None:
        self.modules = {name: network(name) for name in TABLES}
        self.circuits = {}
        for name, module in self.modules.items():
            site = HOOKS if name == "lens2" else HOOKS[0] if name == "lens" else "l1"
            self.circuits[name] = topomod.from_module(module, TASKS.get(name), site, label=name)
            np.savez(folder / f"{name}.npz", **self.circuits[name].weights)
        paths = [folder / f"{name}.npz" for name in TABLES if name != "lens"]
        torch.save(self.modules["lens"].state_dict(), folder / "lens.pt")
        arguments = map(str, ["analyze", *paths, folder / "lens.pt", "--min-neurons", 12, "--output", folder / "out"])
        result = CliRunner().invoke(app, list(arguments))
        assert result.exit_code == 0, result.output
        self.lines = {line.partition(":")[0]: line for line in result.output.splitlines() if re.match(r"\w+:", line)}
        self.page = (folder / "out" / "index.html").read_text(encoding="utf-8")
        self.folder = folder

    def table(self, name: str, network: str) -> pd.DataFrame:
        found = pd.read_parquet(self.folder / "out" / f"{name}.parquet")
        return found[found["network"] == network]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Analysed:
    return Analysed(tmp_path_factory.mktemp("elsewhere"))


@pytest.mark.parametrize("name", TABLES)
def test_what_they_learnt_is_read_off(found: Analysed, name: str) -> None:
    titles = {"minus": "a - b mod 23", "times": "a * b mod 23", "cubic": "a**3 + a * b mod 23", "D7": "D7"}
    circuit = found.circuits[name]
    assert str(circuit.task) == titles.get(name, f"addition mod {len(TABLES[name])}") and circuit.converged
    assert found.lines[name].endswith(f"right on all {circuit.task.n_inputs} pairs")
    assert name in found.page


@pytest.mark.parametrize(("name", "winding"), [("minus", (1, -1)), ("times", (1, 1)), ("tied", (1, 1))])
def test_logits_turn_as_the_operation_does(found: Analysed, name: str, winding: tuple[int, int]) -> None:
    """Subtraction turns backwards along b; multiplication makes circles of the discrete logarithms."""
    groups, labels = found.table("groups", name), found.table("labels", name)
    clear = groups[groups["winding_agreement"] > 0.9]  # half a turn has none
    assert len(clear) >= 3
    assert {(a, b) for a, b in clear[["winding_a", "winding_b"]].to_numpy(int)} == {winding}
    assert (groups.loc[clear.index, "winding_is_sum"] == 1).all()
    circles = labels[(labels["site"] == "logits") & (labels["label"] == "circle")]
    assert len(circles) >= 3 and set(circles["winding"]) == {str(winding)}
    words = {"minus": "circles .*of a - b", "times": "circles .*of log a", "tied": "circles .*of a [+] b"}
    assert re.search(words[name] + ".* at the logits", found.lines[name])


def test_a_group_is_told_apart_by_irrep(found: Analysed) -> None:
    assert re.match(r"D7: the group D7; neurons of \d irreps \(.*E1: \d+ neurons", found.lines["D7"])
    assert found.table("groups", "D7").empty and len(found.table("irreps", "D7")) >= 2


def test_what_shows_nothing_is_said_to_show_nothing(found: Analysed) -> None:
    assert found.lines["cubic"].startswith("cubic: a**3 + a * b mod 23 has no frequencies (a**3 + a * b is neither")
    assert found.table("groups", "cubic").empty and found.table("labels", "cubic").empty
    with pytest.raises(ValueError, match="has no frequencies of two inputs"):
        topomod.group_neurons(found.circuits["cubic"])


def test_a_state_dict_of_transformer_lens_is_the_module(found: Analysed) -> None:
    own, read = found.circuits["lens"], topomod.load_released(found.folder / "lens.pt")
    scale = abs(own.logits()).max()
    assert read.task == own.task and abs(own.logits() - read.logits()).max() < 1e-5 * scale
    np.testing.assert_allclose(own.preactivations(), read.preactivations(), atol=1e-5 * scale)
    groups = [topomod.group_neurons(circuit) for circuit in (own, read)]
    assert [(g.frequency, g.order, list(g.neurons)) for g in groups[0]] == [
        (g.frequency, g.order, list(g.neurons)) for g in groups[1]
    ]


def test_layers_are_analysed_one_by_one(found: Analysed) -> None:
    """Only the last one reaches the logits by a linear map."""
    layers, labels = found.table("layers", "lens2"), found.table("labels", "lens2")
    assert list(layers["layer"]) == [0, 1]
    assert set(labels.loc[labels["layer"] == 0, "site"]) == {"preactivations"}
    assert {"preactivations", "logits"} <= set(labels.loc[labels["layer"] == 1, "site"])
