import json
from pathlib import Path

import numpy as np
import pytest
import torch

import topomod


def test_linear_models(released: Path) -> None:
    concat = topomod.load_released(released / "model_7r4zst7evs.pt")
    assert concat.label == "mlp_concat" and concat.accuracy() == 1.0
    assert topomod.circularity(concat) == pytest.approx(0.9910, abs=5e-5)
    deep = topomod.load_released(released / "model_p71frej8t7.pt")
    assert deep.accuracy() == 1.0
    assert deep.preactivations(1).shape == (59, 59, 256)
    assert topomod.distance_irrelevance(deep) == pytest.approx(0.230205, abs=1e-6)
    with pytest.raises(ValueError, match="through another nonlinearity"):
        deep.readout(0)


def test_refusals(tmp_path: Path) -> None:
    path = tmp_path / "model_x.pt"
    with pytest.raises(FileNotFoundError, match="no model file"):
        topomod.load_released(path)
    torch.save({"conv.weight": torch.zeros(3)}, path)
    with pytest.raises(ValueError, match=r"format not understood; found keys conv\.weight"):
        topomod.load_released(path)
    path.write_bytes(b"\x80\x04broken")
    with pytest.raises(ValueError, match="not a state dict that can be read safely"):
        topomod.load_released(path)
    path.with_name("config_x.json").write_text("{")
    torch.save({"embed.weight": torch.zeros(3)}, path)
    with pytest.raises(ValueError, match="cannot be read as JSON"):
        topomod.load_released(path)


class _Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (Path("pwned"),))


def test_pickled_code_is_never_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"embed.weight": _Evil()}, tmp_path / "m.pt")
    with pytest.raises(ValueError, match="read safely"):
        topomod.load_released(tmp_path / "m.pt")
    assert not (tmp_path / "pwned").exists()


def test_a_transformer_needs_its_attention_rate(tmp_path: Path) -> None:
    p, d, m = 5, 8, 6
    shapes = {
        "embed.W_E": (d, p),
        "pos_embed.W_pos": (2, d),
        "unembed.W_U": (d, p),
        **{f"blocks.0.attn.W_{x}": (2, 4, d) for x in "KQV"},
        "blocks.0.attn.W_O": (d, 8),
        "blocks.0.mlp.W_in": (m, d),
        "blocks.0.mlp.b_in": (m,),
        "blocks.0.mlp.W_out": (d, m),
        "blocks.0.mlp.b_out": (d,),
    }
    generator = torch.Generator().manual_seed(0)
    torch.save({name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}, tmp_path / "m.pt")
    with pytest.raises(ValueError, match="attention rate is in its config"):
        topomod.load_released(tmp_path / "m.pt")
    circuit = topomod.load_released(tmp_path / "m.pt", config={"attn_coeff": 1})
    assert circuit.attention_rate == 1.0 and not circuit.converged and "% of pairs" in circuit.reason
    (tmp_path / "c.json").write_text(json.dumps({"attn_coeff": 0.5}))
    assert np.isfinite(topomod.load_released(tmp_path / "m.pt", config=tmp_path / "c.json").logits()).all()


P, D, HEADS, D_HEAD, M = 5, 8, 2, 4, 6


def zhong_state(n_layers: int, diff_vocab: bool, sign: bool) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(n_layers)
    tokens, n_ctx = P * (1 + diff_vocab) + sign, 2 + sign
    shapes = {"embed.W_E": (D, tokens), "pos_embed.W_pos": (n_ctx, D), "unembed.W_U": (D, P)}
    for layer in range(n_layers):
        block = f"blocks.{layer}."
        shapes |= {f"{block}attn.W_{x}": (HEADS, D_HEAD, D) for x in "KQV"}
        shapes |= {f"{block}attn.W_O": (D, HEADS * D_HEAD), f"{block}mlp.W_in": (M, D), f"{block}mlp.b_in": (M,)}
        shapes |= {f"{block}mlp.W_out": (D, M), f"{block}mlp.b_out": (D,), f"{block}attn.mask": (n_ctx, n_ctx)}
    return {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}


def run_zhong(state: dict[str, torch.Tensor], tokens: list[int], rate: float, gelu: bool) -> torch.Tensor:
    """Logits of one input, written out from the format's description."""
    x = state["embed.W_E"].T[tokens] + state["pos_embed.W_pos"]
    layer = 0
    while f"blocks.{layer}.attn.W_K" in state:
        own = {name: state[f"blocks.{layer}.{name}"] for name in ("attn.W_O", "mlp.W_in", "mlp.b_in", "mlp.W_out")}
        K, Q, V = (state[f"blocks.{layer}.attn.W_{name}"] for name in "KQV")
        heads = []
        for h in range(HEADS):
            scores = (x @ Q[h].T) @ (x @ K[h].T).T / D_HEAD**0.5
            heads.append((rate * torch.softmax(scores, -1) + 1 - rate) @ (x @ V[h].T))
        x = x + torch.cat(heads, dim=1) @ own["attn.W_O"].T
        hidden = x @ own["mlp.W_in"].T + own["mlp.b_in"]
        hidden = torch.nn.functional.gelu(hidden) if gelu else torch.relu(hidden)
        x = x + hidden @ own["mlp.W_out"].T + state[f"blocks.{layer}.mlp.b_out"]
        layer += 1
    return x[-1] @ state["unembed.W_U"]


@pytest.mark.parametrize("n_layers", [1, 2, 4])
@pytest.mark.parametrize("gelu", [False, True])
@pytest.mark.parametrize(("diff_vocab", "sign"), [(False, False), (True, False), (False, True), (True, True)])
def test_transformers_of_every_kind(tmp_path: Path, n_layers: int, gelu: bool, diff_vocab: bool, sign: bool) -> None:
    state = zhong_state(n_layers, diff_vocab, sign)
    torch.save(state, tmp_path / "m.pt")
    config = {"attn_coeff": 0.7, "act_fn": "GeLU" if gelu else "ReLU", "diff_vocab": diff_vocab, "eqn_sign": sign}
    circuit = topomod.load_released(tmp_path / "m.pt", config)
    for a, b in ((0, 0), (1, 3), (4, 2)):
        tokens = [a, b + P * diff_vocab] + [P * (1 + diff_vocab)] * sign
        wanted = run_zhong(state, tokens, 0.7, gelu).numpy()
        np.testing.assert_allclose(circuit.logits()[a, b], wanted, rtol=2e-4, atol=2e-3)
    assert circuit.preactivations(n_layers - 1).shape == (P, P, M)
    assert circuit.readout(n_layers - 1).shape == (P, M)
    assert np.isfinite(topomod.gradient_symmetricity(circuit))


def test_transformer_lens(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    shapes = {"embed.W_E": (P + 1, D), "pos_embed.W_pos": (3, D), "unembed.W_U": (D, P + 1), "unembed.b_U": (P + 1,)}
    shapes |= {f"blocks.0.attn.W_{x}": (HEADS, D, D_HEAD) for x in "QKV"}
    shapes |= {f"blocks.0.attn.b_{x}": (HEADS, D_HEAD) for x in "QKV"}
    shapes |= {"blocks.0.attn.W_O": (HEADS, D_HEAD, D), "blocks.0.attn.b_O": (D,), "blocks.0.mlp.W_in": (D, M)}
    shapes |= {"blocks.0.mlp.b_in": (M,), "blocks.0.mlp.W_out": (M, D), "blocks.0.mlp.b_out": (D,)}
    state = {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}
    torch.save(
        state | {"blocks.0.attn.mask": torch.ones(3, 3), "blocks.0.attn.IGNORE": torch.tensor(-1e5)}, tmp_path / "m.pt"
    )
    circuit = topomod.load_released(tmp_path / "m.pt")
    own = {name.removeprefix("blocks.0."): value for name, value in state.items()}
    x = state["embed.W_E"][[3, 1, P]] + state["pos_embed.W_pos"]
    added = own["attn.b_O"].clone()
    for h in range(HEADS):
        q, k, v = (x @ own[f"attn.W_{name}"][h] + own[f"attn.b_{name}"][h] for name in "QKV")
        added = added + torch.softmax(q[2] @ k.T / D_HEAD**0.5, -1) @ v @ own["attn.W_O"][h]
    last = x[2] + added
    last = last + torch.relu(last @ own["mlp.W_in"] + own["mlp.b_in"]) @ own["mlp.W_out"] + own["mlp.b_out"]
    wanted = (last @ state["unembed.W_U"] + state["unembed.b_U"])[:P]
    np.testing.assert_allclose(circuit.logits()[3, 1], wanted.numpy(), rtol=1e-4, atol=1e-4)
    torch.save(state | {"blocks.0.ln1.w": torch.ones(D)}, tmp_path / "m.pt")
    with pytest.raises(ValueError, match=r"not understood: blocks\.0\.ln1\.w"):
        topomod.load_released(tmp_path / "m.pt")


def test_group_networks(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    shapes = {"W_x": (6, 3), "W_y": (6, 3), "W": (6, 4), "W_U": (4, 6)}
    state = {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}
    torch.save(state, tmp_path / "model.pt")
    wanted = torch.relu(torch.cat([state["W_x"][2], state["W_y"][5]]) @ state["W"]) @ state["W_U"]
    assert topomod.load_released(tmp_path / "model.pt").task == topomod.ModularAddition(6)
    (tmp_path / "cfg.json").write_text(json.dumps({"group": "SymmetricGroup", "group_parameter": 3}))
    circuit = topomod.load_released(tmp_path / "model.pt")
    assert circuit.task == topomod.GroupComposition("S3")
    np.testing.assert_allclose(circuit.logits()[2, 5], wanted.numpy(), rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="group 'DihedralGroup' is not read; known: CyclicGroup"):
        topomod.load_released(tmp_path / "model.pt", {"group": "DihedralGroup", "group_parameter": 3})


def test_linear_types_c_and_x(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    common = {"l1.weight": (D, D), "l1.bias": (D,), "unembed.weight": (P, D)}

    def draw(shapes: dict[str, tuple[int, ...]]) -> dict[str, torch.Tensor]:
        return {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}

    x = draw(common | {"embed1.weight": (P, D), "embed2.weight": (P, D)})
    torch.save(x, tmp_path / "x.pt")
    hidden = torch.relu((x["embed1.weight"][1] + x["embed2.weight"][4]) @ x["l1.weight"].T + x["l1.bias"])
    logits = topomod.load_released(tmp_path / "x.pt").logits()
    np.testing.assert_allclose(logits[1, 4], (hidden @ x["unembed.weight"].T).numpy(), rtol=1e-4, atol=1e-5)
    c = draw(common | {"embed.weight": (P, D), "l2.weight": (D, D), "l2.bias": (D,)})
    torch.save(c, tmp_path / "c.pt")
    both = sum(c["embed.weight"][token] @ c["l1.weight"].T + c["l1.bias"] for token in (1, 4))
    hidden = torch.relu(torch.relu(both) @ c["l2.weight"].T + c["l2.bias"])
    logits = topomod.load_released(tmp_path / "c.pt", {"model_type": "C"}).logits()
    np.testing.assert_allclose(logits[1, 4], (hidden @ c["unembed.weight"].T).numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("change", "match"),
    [({"act_fn": "Tanh"}, "act_fn 'Tanh' is not understood; known: relu, gelu"), ({"attn_coeff": None}, "attn_coeff")],
)
def test_transformers_that_are_not_understood(tmp_path: Path, change: dict[str, str | None], match: str) -> None:
    torch.save(zhong_state(1, False, False), tmp_path / "m.pt")
    config = {"attn_coeff": 1.0} | change
    with pytest.raises(ValueError, match=match):
        topomod.load_released(tmp_path / "m.pt", {k: v for k, v in config.items() if v is not None})
