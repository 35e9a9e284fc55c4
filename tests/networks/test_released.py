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
        assert_logits(circuit.logits()[a, b], wanted)
    assert circuit.preactivations(n_layers - 1).shape == (P, P, M)
    assert circuit.readout(n_layers - 1).shape == (P, M)
    assert np.isfinite(topomod.gradient_symmetricity(circuit))


def assert_logits(found: np.ndarray, wanted: np.ndarray) -> None:
    """Equal up to the rounding of float32 sums, which is in proportion to their largest terms."""
    np.testing.assert_allclose(found, wanted, rtol=2e-4, atol=1e-6 * max(1e3, float(np.abs(wanted).max())))


@pytest.mark.parametrize("n_layers", [1, 2])
@pytest.mark.parametrize("sign", [False, True])
@pytest.mark.parametrize("columns", ["classes", "both vocabularies", "all tokens"])
@pytest.mark.parametrize("config", [{"C": P}, {"diff_vocab": 1}, {"C": P, "diff_vocab": True}])
def test_classes_are_those_of_the_config(
    tmp_path: Path, n_layers: int, sign: bool, columns: str, config: dict[str, object]
) -> None:
    """b has tokens of its own; the unembedding may have a column for each token, the classes are 0..p-1."""
    width = {"classes": P, "both vocabularies": 2 * P, "all tokens": 2 * P + sign}[columns]
    state = zhong_state(n_layers, True, sign) | {
        "unembed.W_U": torch.randn(D, width, generator=torch.Generator().manual_seed(width))
    }
    torch.save(state, tmp_path / "m.pt")
    circuit = topomod.load_released(tmp_path / "m.pt", config | {"attn_coeff": 0.3})
    assert circuit.task == topomod.ModularAddition(P) and circuit.logits().shape == (P, P, P)
    outside = 0
    for a, b in np.ndindex(P, P):
        every = run_zhong(state, [a, b + P] + [2 * P] * sign, 0.3, gelu=False)
        assert_logits(circuit.logits()[a, b], every[:P].numpy())
        outside += int(every.argmax() >= P)
    assert not circuit.converged
    assert (f"on {outside / P**2:.1%} the largest logit is of a column that is no class" in circuit.reason) == bool(
        outside
    )


def test_columns_that_win_count_as_wrong(tmp_path: Path) -> None:
    """Right on all pairs among the classes, but a token of b has the largest logit."""
    a, b = np.divmod(np.arange(P * P), P)
    W_out = torch.nn.functional.one_hot(torch.tensor((a + b) % P), P).T.float()
    embed, out = torch.zeros(4 * P, 2 * P), torch.zeros(4 * P, P * P)
    embed[range(2 * P), range(2 * P)] = 1
    out[2 * P : 3 * P] = W_out
    W_in = torch.zeros(P * P, 4 * P)
    W_in[range(P * P), a] = W_in[range(P * P), b + P] = 1
    unembed = torch.zeros(4 * P, 2 * P)
    unembed[range(2 * P, 3 * P), range(P)] = 1
    state = {"embed.W_E": embed, "pos_embed.W_pos": torch.zeros(2, 4 * P), "unembed.W_U": unembed}
    state |= {f"blocks.0.attn.W_{x}": torch.zeros(1, 4 * P, 4 * P) for x in "KQ"}
    # attention adds the other token's embedding, and takes away what uniform attention adds of the own one
    state |= {"blocks.0.attn.W_V": torch.eye(4 * P)[None], "blocks.0.attn.W_O": torch.eye(4 * P)}
    W_in[:, P : 2 * P] /= 2
    state |= {"blocks.0.mlp.W_in": W_in, "blocks.0.mlp.b_in": -1.5 * torch.ones(P * P)}
    state |= {"blocks.0.mlp.W_out": out, "blocks.0.mlp.b_out": torch.zeros(4 * P)}
    torch.save(state, tmp_path / "m.pt")
    config = {"attn_coeff": 0, "C": P, "diff_vocab": 1}
    good = topomod.load_released(tmp_path / "m.pt", config)
    assert good.converged and good.reason == "" and good.accuracy() == 1
    unembed[2 * P : 3 * P, P + 1] = 2  # a column of b's tokens, above all others on every pair
    torch.save(state, tmp_path / "m.pt")
    bad = topomod.load_released(tmp_path / "m.pt", config)
    assert bad.accuracy() == 1 and not bad.converged
    assert bad.reason == "right on 0.0% of pairs; on 100.0% the largest logit is of a column that is no class"


def even_state(tokens: int, columns: int) -> dict[str, torch.Tensor]:
    state = zhong_state(1, False, False)
    return state | {"embed.W_E": torch.randn(D, tokens), "unembed.W_U": torch.randn(D, columns)}


@pytest.mark.parametrize(
    ("tokens", "columns", "config", "match"),
    [
        (10, 10, {}, "10 tokens and 10 logit columns fit p = 10 .* and p = 5 .*; the config must say 'C'"),
        (10, 10, {"C": 7}, "do not fit 7 classes"),
        (10, 10, {"C": 10, "diff_vocab": 1}, "do not fit 10 classes with diff_vocab 1"),
        (10, 10, {"C": 5, "diff_vocab": 0}, "do not fit 5 classes: it is not known what the other tokens are"),
        (5, 5, {"diff_vocab": True}, "do not fit p classes with diff_vocab True"),
        (5, 4, {}, "5 tokens and 4 logit columns do not fit"),
        (5, 6, {}, "5 tokens and 6 logit columns do not fit"),
        (5, 5, {"diff_vocab": "yes"}, "diff_vocab 'yes' is not understood; known: False, True"),
        (5, 5, {"eqn_sign": 1}, "pos_embed.W_pos has 2 positions; 'eqn_sign' needs 3 or more"),
        (5, 5, {"n_layers": 2}, "n_layers 2 contradicts the weights, which have 1 layers"),
        (5, 5, {"C": 5, "funcs": "lambda x: (x[0]*x[2])%5"}, "funcs .* is not understood"),
        (5, 5, {"C": 5, "funcs": "lambda x: x[0]+x[1]%5"}, "funcs .* is not understood"),
        (5, 5, {"C": 5, "funcs": "lambda x: (x[0]+x[1])%7"}, "funcs .* is not understood"),
        (5, 5, {"C": 5, "funcs": "lambda x: (x[0]+x[1]+exit())%5"}, "funcs .* is not understood"),
        (5, 5, {"group": "DihedralGroup"}, "group 'DihedralGroup' needs its size as 'group_parameter'"),
        (5, 5, {"group": "MonsterGroup"}, "group 'MonsterGroup' is not read"),
    ],
)
def test_classes_that_are_not_decided(
    tmp_path: Path, tokens: int, columns: int, config: dict[str, object], match: str
) -> None:
    torch.save(even_state(tokens, columns), tmp_path / "m.pt")
    with pytest.raises(ValueError, match=r"m\.pt: .*" + match):
        topomod.load_released(tmp_path / "m.pt", {"attn_coeff": 1.0} | config)


def test_a_config_decides_one_vocabulary(tmp_path: Path) -> None:
    torch.save(even_state(10, 10), tmp_path / "m.pt")
    funcs = {"attn_coeff": 1.0, "C": 10, "funcs": "lambda x: (x[0] + x[1])%10", "func": None}
    assert topomod.load_released(tmp_path / "m.pt", funcs).task == topomod.ModularAddition(10)


@pytest.mark.parametrize("rate", [float("nan"), -0.1, 1.1, float("inf"), None, "1", True, [1]])
def test_attention_rates_are_shares(tmp_path: Path, rate: object) -> None:
    torch.save(zhong_state(1, False, False), tmp_path / "m.pt")
    with pytest.raises(ValueError, match="attn_coeff must be a number from 0 to 1, found"):
        topomod.load_released(tmp_path / "m.pt", {"attn_coeff": rate})


LAYOUTS = {
    "transformer": (lambda: zhong_state(2, True, True), {"attn_coeff": 0.5, "C": P}),
    "TransformerLens": (lambda: lens_state(2), {"p": P}),
    "mlp": (lambda: random_mlp(6), {}),
    "linear": (lambda: linear_state(), {"model_type": "B"}),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_key_and_shape_counts(tmp_path: Path, layout: str) -> None:
    """A state dict with one weight missing, transposed or of another size, or one more, is never read."""
    make, config = LAYOUTS[layout]
    state = make()
    topomod.load_released(save(tmp_path, state), config)
    optional = (".b_Q", ".b_K", ".b_V", "b_U")
    for key, value in state.items():
        if "mask" in key or "IGNORE" in key:
            continue
        changes = {"cut": value[:-1], "one axis more": value[None], "no axis": value.sum()}
        changes["empty"] = value[:0]
        if value.ndim == 2 and value.shape[0] != value.shape[1]:
            changes["transposed"] = value.T
        for change in changes.values():
            with pytest.raises(ValueError, match=r"model_x\.pt: "):
                topomod.load_released(save(tmp_path, state | {key: change}), config)
        if not any(part in key for part in optional):
            with pytest.raises(ValueError, match="keys are missing|not understood"):
                topomod.load_released(save(tmp_path, {k: v for k, v in state.items() if k != key}), config)
    with pytest.raises(ValueError, match=r"not understood.* blocks\.0\.mlp\.bias"):
        topomod.load_released(save(tmp_path, state | {"blocks.0.mlp.bias": torch.zeros(2)}), config)


def lens_state(n_layers: int = 1, tokens: int = P + 1, columns: int = P + 1) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes: dict[str, tuple[int, ...]] = {"embed.W_E": (tokens, D), "pos_embed.W_pos": (3, D)}
    shapes |= {"unembed.W_U": (D, columns), "unembed.b_U": (columns,)}
    for block in (f"blocks.{layer}." for layer in range(n_layers)):
        shapes |= {f"{block}attn.W_{x}": (HEADS, D, D_HEAD) for x in "QKV"}
        shapes |= {f"{block}attn.b_{x}": (HEADS, D_HEAD) for x in "QKV"}
        shapes |= {f"{block}attn.W_O": (HEADS, D_HEAD, D), f"{block}attn.b_O": (D,), f"{block}mlp.W_in": (D, M)}
        shapes |= {f"{block}mlp.b_in": (M,), f"{block}mlp.W_out": (M, D), f"{block}mlp.b_out": (D,)}
    state = {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}
    for block in (f"blocks.{layer}." for layer in range(n_layers)):
        state |= {f"{block}attn.mask": torch.ones(3, 3).tril().bool(), f"{block}attn.IGNORE": torch.tensor(-torch.inf)}
    return state


def run_lens(state: dict[str, torch.Tensor], tokens: list[int], causal: bool, gelu: bool) -> torch.Tensor:
    """Logits of one input, written out from TransformerLens's description."""
    x = state["embed.W_E"][tokens] + state["pos_embed.W_pos"]
    layer = 0
    while f"blocks.{layer}.attn.W_Q" in state:
        own = {name.removeprefix(f"blocks.{layer}."): value for name, value in state.items()}
        added = own["attn.b_O"].repeat(len(tokens), 1)
        for h in range(HEADS):
            q, k, v = (x @ own[f"attn.W_{name}"][h] + own[f"attn.b_{name}"][h] for name in "QKV")
            scores = q @ k.T / D_HEAD**0.5
            if causal:
                scores = scores.masked_fill(~own["attn.mask"], -torch.inf)
            added = added + torch.softmax(scores, -1) @ v @ own["attn.W_O"][h]
        x = x + added
        hidden = x @ own["mlp.W_in"] + own["mlp.b_in"]
        x = x + (torch.nn.functional.gelu if gelu else torch.relu)(hidden) @ own["mlp.W_out"] + own["mlp.b_out"]
        layer += 1
    return x[-1] @ state["unembed.W_U"] + state["unembed.b_U"]


@pytest.mark.parametrize("columns", [P, P + 1])
@pytest.mark.parametrize(
    ("n_layers", "direction", "act_fn"),
    [(1, None, None), (2, "causal", "relu"), (2, "bidirectional", "relu"), (1, "causal", "gelu")]
    + [(1, "bidirectional", "relu"), (2, "bidirectional", "gelu")],
)
def test_transformer_lens(
    tmp_path: Path, columns: int, n_layers: int, direction: str | None, act_fn: str | None
) -> None:
    state = lens_state(n_layers, columns=columns)
    config = {"attention_dir": direction, "act_fn": act_fn, "p": P, "d_vocab": P + 1, "n_ctx": 3, "attn_scale": 2.0}
    config |= {"normalization_type": None, "use_attn_scale": True, "d_vocab_out": -1 if columns > P else P}
    known = {key: value for key, value in config.items() if value is not None or key == "normalization_type"}
    circuit = topomod.load_released(save(tmp_path, state), known if direction else None)
    for a, b in ((3, 1), (0, 0), (2, 4)):
        wanted = run_lens(state, [a, b, P], direction != "bidirectional", act_fn == "gelu")[:P]
        np.testing.assert_allclose(circuit.logits()[a, b], wanted.numpy(), rtol=1e-3, atol=2e-3)
    assert circuit.task.input_shape == (P, P) and not circuit.converged
    assert "table not recognised" in circuit.reason and circuit.accuracy() == 0


def test_attention_scales_are_honoured(tmp_path: Path) -> None:
    state = lens_state()
    for config, factor in (({"use_attn_scale": False}, D_HEAD**0.5), ({"attn_scale": 1.0}, D_HEAD**0.5)):
        scaled = state | {f"blocks.0.attn.{x}_Q": state[f"blocks.0.attn.{x}_Q"] * factor for x in "Wb"}
        circuit = topomod.load_released(save(tmp_path, state), {"p": P} | config)
        np.testing.assert_allclose(
            circuit.logits()[1, 2], run_lens(scaled, [1, 2, P], True, False)[:P].numpy(), rtol=1e-3, atol=2e-3
        )


@pytest.mark.parametrize(
    ("config", "match"),
    [
        ({"normalization_type": "LNPre"}, "normalization_type 'LNPre' is not understood; known: null"),
        ({"normalization_type": "LN"}, "normalization_type 'LN'"),
        ({"use_attn_scale": "no"}, "use_attn_scale 'no' is not understood; known: True, False"),
        ({"attn_scale": 0}, "attn_scale must be above 0, or -1"),
        ({"attn_scale": [2]}, "attn_scale must be above 0, or -1"),
        ({"attn_scale": float("nan")}, "attn_scale must be above 0, or -1"),
        ({"attention_dir": "backward"}, "attention_dir 'backward' is not understood; known: causal, bidirectional"),
        ({"act_fn": "silu"}, "act_fn 'silu' is not understood; known: relu, gelu"),
        ({"act_fn": "gelu_new"}, "act_fn 'gelu_new' is not understood"),
        ({"act_fn": "gelu"}, "act_fn 'gelu' is not understood with causal attention in several layers"),
        ({"act_fn": None}, "act_fn None is not understood"),
        ({"positional_embedding_type": "rotary"}, "positional_embedding_type 'rotary'"),
        ({"attn_only": True}, "attn_only True"),
        ({"parallel_attn_mlp": True}, "parallel_attn_mlp True"),
        ({"d_vocab": P + 3}, "d_vocab 8 contradicts the weights, which have 6"),
        ({"n_ctx": 2}, "n_ctx 2 contradicts the weights, which have 3"),
        ({"n_layers": 1}, "n_layers 1 contradicts the weights, which have 2 layers"),
        ({"p": P + 2}, "6 tokens and 6 logit columns do not fit 7 classes"),
        ({"p": P - 1}, "6 tokens and 6 logit columns do not fit 4 classes"),
        ({"fn_name": "rand"}, "fn_name 'rand' is not understood; known: add, subtract"),
        ({"group": "AlternatingGroup", "group_parameter": 5}, "contradict each other .* 5, and A5 has 60"),
        ({"group": "CyclicGroup", "group_parameter": 7}, "contradict each other about the number of classes"),
    ],
)
def test_transformer_lens_that_computes_something_else(tmp_path: Path, config: dict[str, object], match: str) -> None:
    with pytest.raises(ValueError, match=r"model_x\.pt: .*" + match):
        topomod.load_released(save(tmp_path, lens_state(2)), {"p": P} | config)


@pytest.mark.parametrize(
    ("tokens", "columns", "config", "match"),
    [
        (P, P, {"d_vocab": P, "d_vocab_out": P, "n_ctx": 3}, "fit p = 4 with '=' and .*p = 5 without .* must say"),
        (P + 3, P + 3, {"p": P}, "8 tokens and 8 logit columns do not fit 5 classes"),
        (P + 3, P, {}, "8 tokens and 5 logit columns do not fit p classes"),
        (P + 1, P + 2, {}, "6 tokens and 7 logit columns do not fit p classes"),
    ],
)
def test_vocabularies_that_are_not_p_and_one(
    tmp_path: Path, tokens: int, columns: int, config: dict[str, object], match: str
) -> None:
    with pytest.raises(ValueError, match=match):
        topomod.load_released(save(tmp_path, lens_state(1, tokens, columns)), config)


@pytest.mark.parametrize("rows", [4, 5])
def test_positions_after_the_last_token_are_not_used(tmp_path: Path, rows: int) -> None:
    state = lens_state() | {"pos_embed.W_pos": torch.randn(rows, D)}
    used = state | {"pos_embed.W_pos": state["pos_embed.W_pos"][:3]}
    found = topomod.load_released(save(tmp_path, state), {"p": P}).logits()
    np.testing.assert_array_equal(found, topomod.load_released(save(tmp_path, used), {"p": P}).logits())
    wanted = run_lens(used, [3, 1, P], True, False)[:P]
    np.testing.assert_allclose(found[3, 1], wanted.numpy(), rtol=1e-3, atol=2e-3)
    state = zhong_state(1, False, True) | {"pos_embed.W_pos": torch.randn(rows, D)}
    used = state | {"pos_embed.W_pos": state["pos_embed.W_pos"][:3]}
    circuit = topomod.load_released(save(tmp_path, state), {"attn_coeff": 1, "eqn_sign": 1})
    assert_logits(circuit.logits()[3, 1], run_zhong(used, [3, 1, P], 1.0, False).numpy())


def test_a_context_of_two_has_no_sign(tmp_path: Path) -> None:
    """TransformerLens without "=": read at b, whichever way the context is."""
    state = lens_state(1, P, P)
    for rows in (2, 3):
        own = state | {"pos_embed.W_pos": state["pos_embed.W_pos"][:rows]}
        own["blocks.0.attn.mask"] = own["blocks.0.attn.mask"][:rows, :rows]
        circuit = topomod.load_released(save(tmp_path, own), {"p": P})
        assert "W_eq" not in circuit.weights and circuit.logits().shape == (P, P, P)
        hooked = state | {"pos_embed.W_pos": state["pos_embed.W_pos"][:2]}
        hooked["blocks.0.attn.mask"] = torch.ones(2, 2).tril().bool()
        hooked["blocks.0.attn.b_O"] = state["blocks.0.attn.b_O"]
        np.testing.assert_allclose(circuit.logits()[3, 1], run_lens(hooked, [3, 1], True, False), rtol=1e-3, atol=2e-3)
    with pytest.raises(ValueError, match="pos_embed.W_pos has 1 positions"):
        topomod.load_released(save(tmp_path, state | {"pos_embed.W_pos": torch.zeros(1, D)}), {"p": P})


def test_layer_norm_and_second_embeddings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"not understood: blocks\.0\.ln1\.w"):
        topomod.load_released(save(tmp_path, lens_state() | {"blocks.0.ln1.w": torch.ones(D)}))
    same = lens_state()
    same["x_embed"] = same["embed.W_E"]
    topomod.load_released(save(tmp_path, same))
    with pytest.raises(ValueError, match=r"x_embed differs from embed\.W_E"):
        topomod.load_released(save(tmp_path, same | {"x_embed": torch.zeros(P + 1, D)}))


CHUGHTAI = {
    "A5_MLP_seed1": "A5",
    "S5_MLP_seed1": "S5",
    "D59_MLP_seed1": "D59",
    "A5_T_seed1": "A5",
    "C113_T_seed1": "C113",
}


@pytest.mark.parametrize("name", CHUGHTAI)
@pytest.mark.parametrize("config", [None, {}])
def test_released_networks_of_finite_groups(released: Path, name: str, config: dict[str, object] | None) -> None:
    """Accuracy as the authors' metrics say; the table of the answers is the group of the config, named from itself."""
    path = released.with_name("chughtai2023") / f"{name}.pt"
    if not path.is_file():
        pytest.skip(f"released networks are not at {path.parent}")
    theirs = json.loads(path.with_suffix(".summary.json").read_text())
    circuit = topomod.load_released(path, config)
    assert theirs["train_acc"] == theirs["test_acc"] == circuit.accuracy() == 1.0
    assert circuit.converged and circuit.task.finite_group is not None
    assert circuit.task.finite_group.isomorphic_to == CHUGHTAI[name]
    assert (circuit.task == topomod.ModularAddition(113)) == (name == "C113_T_seed1")


def linear_state() -> dict[str, torch.Tensor]:
    """Zhong et al.'s types B and C."""
    shapes = {"embed.weight": (P, D), "l1.weight": (M, D), "l1.bias": (M,), "l2.weight": (D, M), "l2.bias": (D,)}
    generator = torch.Generator().manual_seed(0)
    shapes |= {"unembed.weight": (P, D)}
    return {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}


def random_mlp(n: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes = {"W_x": (n, 3), "W_y": (n, 3), "W": (6, 4), "W_U": (4, n)}
    return {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}


def table_mlp(table: np.ndarray) -> dict[str, torch.Tensor]:
    """Chughtai et al.'s layout, answering every pair by a table: a hidden neuron fires for one pair alone."""
    n = len(table)
    a, b = np.divmod(np.arange(n * n), n)
    W = -torch.ones(2 * n, n * n)
    W[a, range(n * n)] = 1
    W[n + b, range(n * n)] = 1
    W_U = torch.nn.functional.one_hot(torch.tensor(table.reshape(-1)), n).float()
    return {"W_x": torch.eye(n), "W_y": torch.eye(n), "W": W, "W_U": W_U}


def save(folder: Path, state: dict[str, torch.Tensor], config: object = None) -> Path:
    """A model and, where one is given, its config beside it."""
    torch.save(state, folder / "model_x.pt")
    if config is not None:
        (folder / "config_x.json").write_text(json.dumps(config))
    return folder / "model_x.pt"


def test_an_mlp_without_config_that_learnt_nothing(tmp_path: Path) -> None:
    state = random_mlp(6)
    circuit = topomod.load_released(save(tmp_path, state))
    wanted = torch.relu(torch.cat([state["W_x"][2], state["W_y"][5]]) @ state["W"]) @ state["W_U"]
    assert "table not recognised" in circuit.reason and not circuit.converged
    np.testing.assert_allclose(circuit.logits()[2, 5], wanted.numpy(), rtol=1e-5, atol=1e-6)


FINITE = {"S3": ("SymmetricGroup", 3), "S4": ("SymmetricGroup", 4), "A4": ("AlternatingGroup", 4)}


@pytest.mark.parametrize("name", FINITE)
def test_a_finite_group_is_read_in_any_order(tmp_path: Path, name: str) -> None:
    group, size = FINITE[name]
    config = {"group": group, "group_parameter": size}
    table = topomod.GroupComposition(name).targets()
    circuit = topomod.load_released(save(tmp_path, table_mlp(table), config))
    assert circuit.task == topomod.GroupComposition(name) and circuit.converged
    # the same group, its elements in another order
    order = np.random.default_rng(0).permutation(len(table))
    renamed = np.argsort(order)[table[np.ix_(order, order)]]
    circuit = topomod.load_released(save(tmp_path, table_mlp(renamed), config))
    assert circuit.converged and circuit.task.finite_group is not None
    assert circuit.task.finite_group.isomorphic_to == name
    np.testing.assert_array_equal(circuit.task.targets(), renamed)
    with pytest.raises(ValueError, match="the order of its elements is not known"):
        topomod.load_released(save(tmp_path, random_mlp(len(table)), config))
    with pytest.raises(ValueError, match="the order of its elements is not known.*are addition mod"):
        cyclic = np.add.outer(np.arange(len(table)), np.arange(len(table))) % len(table)
        topomod.load_released(save(tmp_path, table_mlp(cyclic), config))
    with pytest.raises(ValueError, match=rf"config names {group[0]}5, which has \d+ elements, and the network has"):
        topomod.load_released(save(tmp_path, table_mlp(table), config | {"group_parameter": 5}))


@pytest.mark.parametrize("config", [None, {"group": "CyclicGroup", "group_parameter": 12}])
@pytest.mark.parametrize("kind", ["a - b mod 12", "A4", "C12"])
def test_another_operation_is_not_taken_for_addition(tmp_path: Path, kind: str, config: object) -> None:
    a, b = np.ogrid[:12, :12]
    if kind == "a - b mod 12":
        table = (a - b) % 12
    elif kind == "A4":
        table = topomod.GroupComposition("A4").targets()
    else:
        order = np.random.default_rng(1).permutation(12)
        table = np.argsort(order)[(order[a] + order[b]) % 12]
    path = save(tmp_path, table_mlp(table), config)
    if config and kind != "C12":
        with pytest.raises(ValueError, match=f"the table of another operation .*{kind}.* addition mod 12"):
            topomod.load_released(path)
    else:
        circuit = topomod.load_released(path)
        group = circuit.task.finite_group
        assert circuit.converged and kind in (str(circuit.task), group.isomorphic_to if group else "")
    path = save(tmp_path, table_mlp((a + b) % 12), config)
    assert topomod.load_released(path).task == topomod.ModularAddition(12)


@pytest.mark.parametrize(
    ("config", "match"),
    [
        ({"group": "DihedralGroup", "group_parameter": 3}, "config names D3, and its answers are addition mod 6"),
        ({"group": ["CyclicGroup"]}, "group .* is not read; known: CyclicGroup"),
        ({"group_parameter": 7}, "names 7 classes .* and the network has 6"),
        ({"p": 6, "C": 7}, "contradict each other about the number of classes"),
        ({"fn_name": "subtract"}, "the table of another operation .* a - b mod 6, which the config names, on 33.3%"),
        ({"funcs": "lambda x: (x[0]-x[1])%6"}, "the table of another operation .* a - b mod 6"),
        ({"func": "lambda x: x[0]"}, "func 'lambda x: x"),
        ({"epoch": "many"}, "'epoch' must be a whole number"),
        ({"epoch": 10**30}, "'epoch' must be a whole number"),
        ({"epoch": -1}, "'epoch' must be a whole number"),
        ({"epoch": 1.5}, "'epoch' must be a whole number"),
        ({"num_epochs": float("nan")}, "'num_epochs' must be a whole number"),
        ({"C": True}, "'C' must be a whole number"),
        ([], "must hold a JSON object with the network's settings, found \\[\\]"),
        ("text", "must hold a JSON object"),
        (3, "must hold a JSON object"),
    ],
)
def test_configs_that_are_refused(tmp_path: Path, config: object, match: str) -> None:
    with pytest.raises(ValueError, match=match) as refusal:
        topomod.load_released(save(tmp_path, table_mlp(topomod.ModularAddition(6).targets()), config))
    assert str(tmp_path) in str(refusal.value)


def test_a_config_of_null_or_broken_text(tmp_path: Path) -> None:
    path = save(tmp_path, random_mlp(6))
    for text in (b"null", b"\xff\xfe{", b"[" * 100_000):
        (tmp_path / "config_x.json").write_bytes(text)
        with pytest.raises(ValueError, match=r"config_x\.json: (must hold|cannot be read as) "):
            topomod.load_released(path)


@pytest.mark.parametrize("kind", ["nan", "inf", "-inf", "too large", "complex", "sparse", "no data", "text", "overlap"])
@pytest.mark.parametrize("key", ["embed.W_E", "blocks.0.mlp.b_in"])
def test_weights_that_are_no_real_numbers(tmp_path: Path, kind: str, key: str) -> None:
    state: dict[str, object] = dict(zhong_state(1, False, False))
    value = torch.as_tensor(state[key]).clone()
    bad = {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf"), "too large": 1e300}
    if kind in bad:
        value = value.double()
        value.view(-1)[1] = bad[kind]
    changed: object = {
        "complex": value + 1j,
        "sparse": value.to_sparse(),
        "no data": value.to("meta"),
        "text": "weights",
        "overlap": torch.zeros(1).expand(value.shape),
    }.get(kind, value)
    torch.save(state | {key: changed}, tmp_path / "m.pt")
    with pytest.raises(ValueError, match=rf"m\.pt: {key} (holds NaN or infinite|must be a dense tensor of real)"):
        topomod.load_released(tmp_path / "m.pt", {"attn_coeff": 1.0})


def test_parameters_that_ask_for_gradients_are_weights(tmp_path: Path) -> None:
    state = random_mlp(6)
    plain = topomod.load_released(save(tmp_path, state))
    torch.save({name: torch.nn.Parameter(value) for name, value in state.items()}, tmp_path / "p.pt")
    np.testing.assert_array_equal(topomod.load_released(tmp_path / "p.pt").logits(), plain.logits())


def test_logits_that_overflow_are_refused(tmp_path: Path) -> None:
    state = {name: 1e30 * value.abs() for name, value in random_mlp(6).items()}
    with pytest.raises(ValueError, match="its logits are not finite"):
        topomod.load_released(save(tmp_path, state))


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
    ("change", "config", "match"),
    [
        ({}, {}, "fit the types B and C; the config must say 'model_type'"),
        ({}, {"model_type": "A"}, "model_type 'A' contradicts the weights; known for these: B, C"),
        ({}, {"model_type": "B", "C": 7}, "names 7 classes .* and the network has 5"),
        ({"l1.weight": torch.zeros(M, 2 * D)}, {"model_type": "B"}, "understood with one hidden layer"),
        ({"unembed.weight": torch.zeros(P + 1, D)}, {"model_type": "B"}, r"unembed\.weight has shape"),
        ({"unembed.bias": torch.zeros(P)}, {"model_type": "B"}, "not understood: unembed.bias"),
    ],
)
def test_linear_models_that_are_not_understood(
    tmp_path: Path, change: dict[str, torch.Tensor], config: dict[str, object], match: str
) -> None:
    state = linear_state()
    topomod.load_released(save(tmp_path, state), {"model_type": "B"})
    with pytest.raises(ValueError, match=match):
        topomod.load_released(save(tmp_path, state | change), config)


@pytest.mark.parametrize(
    ("change", "match"),
    [({"act_fn": "Tanh"}, "act_fn 'Tanh' is not understood; known: relu, gelu"), ({"attn_coeff": None}, "attn_coeff")],
)
def test_transformers_that_are_not_understood(tmp_path: Path, change: dict[str, str | None], match: str) -> None:
    torch.save(zhong_state(1, False, False), tmp_path / "m.pt")
    config = {"attn_coeff": 1.0} | change
    with pytest.raises(ValueError, match=match):
        topomod.load_released(tmp_path / "m.pt", {k: v for k, v in config.items() if v is not None})
