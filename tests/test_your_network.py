"""The code blocks of docs/your_network.md, on networks that plain PyTorch trains here."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from typer.testing import CliRunner

import topomod
from topomod.cli import app

PAGE = Path(__file__).parents[1] / "docs" / "your_network.md"
P = 11


class Adder(nn.Module):
    """Embeddings that are added, and one hidden layer."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.l1 = nn.Embedding(P, 32), nn.Linear(32, 96)
        self.unembed = nn.Linear(96, P, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.unembed(torch.relu(self.l1(self.embed(x).sum(1))))
        return out


@pytest.fixture(scope="module")
def module() -> nn.Module:
    torch.manual_seed(0)
    network = Adder()
    x = torch.cartesian_prod(torch.arange(P), torch.arange(P))
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-2, weight_decay=1.0)
    for _ in range(400):
        loss = nn.functional.cross_entropy(network(x), x.sum(1) % P)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return network


def blocks(heading: str) -> list[str]:
    """Code of a section of the page."""
    section = PAGE.read_text(encoding="utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"```python\n(.*?)```", section, flags=re.S)


def test_your_own_network(module: nn.Module, capsys: pytest.CaptureFixture[str]) -> None:
    five, read_off = blocks("Your own network in five lines")
    assert len(list(filter(None, five.splitlines()))) == 5
    names = {"module": module, "p": P}
    exec(five, names)
    printed = capsys.readouterr().out.splitlines()
    assert printed and all(re.fullmatch(r"[1-5] \d+ (disc|circle|torus|other|uncertain)", line) for line in printed)
    exec(read_off, names)
    assert capsys.readouterr().out == f"addition mod {P} 1.0\n"


def test_your_own_activations(module: nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    x = torch.cartesian_prod(torch.arange(P), torch.arange(P))
    arrays = {"preactivations": module.l1(module.embed(x).sum(1)).reshape(P, P, -1).detach().numpy()}
    names = {"p": P, "topomod": topomod, **arrays, "logits": module(x).reshape(P, P, P).detach().numpy()}
    exec(blocks("Your own activations")[0], names)
    circuit, again = names["circuit"], names["again"]
    assert again.task == circuit.task == topomod.ModularAddition(P) and again.converged and circuit.label == "mine"
    result = CliRunner().invoke(app, ["analyze", "mine.npz", "--output", "out"])
    assert result.exit_code == 0, result.output
    first = result.output.splitlines()[0]
    assert re.match(r"mine: (pizza|clock|neither): \d+ frequenc(y|ies) \(.*\); .* before the ReLU", first)
    assert first.endswith(f"right on all {P * P} pairs") and (tmp_path / "out" / "index.html").is_file()


def test_a_released_zoo(
    module: nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same network, in a layout that is known and through the module: one function."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "zoo").mkdir()
    state = {f"module.{name}": value.half() for name, value in module.state_dict().items()}
    torch.save({"model": state, "config": {"model_type": "A", "C": P, "epoch": None}}, "zoo/model.pt")
    names = {"topomod": topomod}
    exec(blocks("A released zoo")[0], names)
    assert capsys.readouterr().out.startswith(f"mlp_add addition mod {P}")
    rounded = Adder().half()
    rounded.load_state_dict({name: value.half() for name, value in module.state_dict().items()})
    own = topomod.from_module(rounded.float(), topomod.ModularAddition(P))
    read = names["circuit"]
    assert abs(own.logits() - read.logits()).max() < 1e-5 * abs(own.logits()).max()
    Path("zoo/bad.pt").write_bytes(b"no network")
    result = CliRunner().invoke(app, ["analyze", "zoo/bad.pt", "zoo/model.pt", "--output", "out"])
    assert result.exit_code == 2 and "zoo/bad.pt: not a state dict that can be read safely" in result.output
    assert "zoo: " in result.output and f"right on all {P * P} pairs" in result.output


def test_other_operations_in_words(tmp_path: Path) -> None:
    """Subtraction turns (1, -1); a table without frequencies, and one that nobody knows, say so and end."""
    angle = 2 * np.pi * np.arange(P) / P
    phase = 2 * np.pi * np.arange(16) / 16
    neurons = np.cos(angle[:, None, None] + phase) + np.cos(-angle[None, :, None] + phase)
    readout = np.cos(2 * phase - angle[:, None])
    a, b = np.ogrid[:P, :P]
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "minus.npz", preactivations=neurons, readout=readout, logits=np.eye(P)[(a - b) % P])
    noise = rng.standard_normal((P, P, 5))
    np.savez(tmp_path / "cubes.npz", preactivations=noise, logits=np.eye(P)[(a**3 + a * b) % P])
    np.savez(tmp_path / "random.npz", preactivations=noise, logits=np.eye(P)[rng.integers(0, P, (P, P))])
    paths = [str(tmp_path / f"{name}.npz") for name in ("minus", "cubes", "random")]
    result = CliRunner().invoke(app, ["analyze", *paths, "--output", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    assert re.search(r"minus: 1 frequency \(1\); .* before the ReLU, circles of a - b at the logits", result.output)
    assert f"a - b mod {P}" in result.output and f"right on all {P * P} pairs" in result.output
    assert f"cubes: a**3 + a * b mod {P} has no frequencies" in result.output
    assert "random: table not recognised on 121 pairs" in result.output
    page = (tmp_path / "out" / "index.html").read_text()
    assert "table not recognised" in page and "no group of neurons that is large enough" in page


def test_a_population_of_your_networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = PAGE.read_text(encoding="utf-8").split("## A population of your networks\n")[1]
    yaml = re.findall(r"```yaml\n(.*?)```", written, flags=re.S)[0]
    monkeypatch.chdir(tmp_path)
    shutil.copytree(PAGE.parents[1] / "config", "config")
    Path("config/mine.yaml").write_text(yaml)
    Path("networks").mkdir()
    for name in "abc":  # no question is answered by fewer
        Path(f"networks/{name}.pt").touch()
    result = CliRunner().invoke(app, ["check", "config/mine.yaml"])
    assert result.output.splitlines()[1:] == ["  attention_1.0: addition mod 59", "  given@mine: a + b mod 59"], result
