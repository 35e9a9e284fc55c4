"""Networks of plain PyTorch as circuits: what is computed is the module's own, and what is no function is refused."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import topomod
from topomod.networks.circuit_file import load_circuit, save_circuits
from topomod.neurons.layers import circuit_layers
from topomod.study.rows import group_columns

P, D, M = 7, 12, 24


class Perceptron(nn.Module):
    """Embedding, concatenation, one hidden layer."""

    def __init__(self, f: Callable[[Tensor], Tensor] = torch.relu, columns: int = P) -> None:
        super().__init__()
        self.embed, self.l1, self.l2 = nn.Embedding(P, D), nn.Linear(2 * D, M), nn.Linear(M, columns)
        self.f = f

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.l2(self.f(self.l1(self.embed(x).flatten(1))))
        return out


class HookPoint(nn.Module):
    """TransformerLens's: a submodule that returns its input."""

    def forward(self, x: Tensor) -> Tensor:
        return x


class Table(nn.Module):
    """A module by its answers: hidden neuron (a, b) fires for this pair alone."""

    def __init__(self, table: np.ndarray, columns: int | None = None) -> None:
        super().__init__()
        n = len(table)
        self.n, self.hook_pre = n, HookPoint()
        columns = n if columns is None else columns
        self.out = nn.Parameter(nn.functional.one_hot(torch.tensor(table.reshape(-1)), columns).float())

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        pair = torch.cat([torch.eye(self.n)[a], torch.eye(self.n)[b]], dim=1)
        every = torch.cat([torch.eye(self.n).repeat_interleave(self.n, 0), torch.eye(self.n).repeat(self.n, 1)], 1)
        return torch.relu(self.hook_pre(pair @ every.T - 1)) @ self.out


class Hooked(nn.Module):
    """Causal transformer with TransformerLens's hook names, read at the last of all its positions."""

    def __init__(self, n_tokens: int, n_ctx: int, layers: int = 1, columns: int = P) -> None:
        super().__init__()
        self.embed, self.pos = nn.Embedding(n_tokens, D), nn.Parameter(torch.randn(n_ctx, D))
        self.blocks = nn.ModuleList(
            nn.ModuleDict({"mlp": nn.ModuleDict({"hook_pre": HookPoint()})}) for _ in range(layers)
        )
        self.inner = nn.ParameterList(torch.randn(D, M) for _ in range(layers))
        self.outer = nn.ParameterList(torch.randn(M, D) / M for _ in range(layers))
        self.unembed = nn.Linear(D, columns)

    def forward(self, tokens: Tensor, return_type: str = "logits") -> Tensor:
        x = self.embed(tokens) + self.pos[: tokens.shape[1]]
        for block, W_in, W_out in zip(self.blocks, self.inner, self.outer, strict=True):
            scores = (x @ x.mT).masked_fill(torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1), -torch.inf)
            x = x + torch.softmax(scores / D, -1) @ x
            x = x + torch.relu(block["mlp"]["hook_pre"](x @ W_in)) @ W_out
        out: Tensor = self.unembed(x)
        return out


TASK = topomod.ModularAddition(P)
PAIRS = torch.from_numpy(TASK.inputs())


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize(
    "f",
    [torch.relu, nn.functional.gelu, nn.functional.silu, torch.tanh, torch.sigmoid, torch.square],
    ids=lambda f: f.__name__,
)
def test_the_nonlinearity_and_the_map_behind_it_are_found(f: Callable[[Tensor], Tensor]) -> None:
    module = Perceptron(f, columns=P + 2)
    circuit = topomod.from_module(module, TASK, preactivations="l1", label="own", seed=3)
    with torch.no_grad():
        pre, logits = module.l1(module.embed(PAIRS).flatten(1)), module(PAIRS)
    assert (circuit.label, circuit.seed) == ("own", 3)
    np.testing.assert_array_equal(circuit.preactivations().reshape(-1, M), pre.numpy())
    np.testing.assert_array_equal(circuit.logits().reshape(-1, P), logits[:, :P].numpy())
    found = circuit.activations().activations[0]
    assert found is not None
    np.testing.assert_allclose(found[0].reshape(-1, M).numpy(), f(pre).numpy(), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(circuit.readout(), module.l2.weight[:P].detach().numpy(), rtol=1e-4, atol=1e-6)


def test_an_unknown_nonlinearity_has_no_readout() -> None:
    circuit = topomod.from_module(Perceptron(nn.functional.elu), TASK)
    assert set(circuit.weights) == {"logits", "preactivations"}
    with pytest.raises(ValueError, match="reaches the logits only through another"):
        circuit.readout()
    group = topomod.IrrepGroup("any", np.arange(4))
    assert topomod.manifold(circuit, group).shape == (P * P, 4)
    with pytest.raises(ValueError, match="no activations: what the layer holds after its nonlinearity is not known"):
        topomod.manifold(circuit, group, "activations")


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_other_precisions(dtype: torch.dtype) -> None:
    circuit = topomod.from_module(Perceptron().to(dtype), TASK)
    assert circuit.logits().dtype == (np.float64 if dtype == torch.float64 else np.float32)
    assert circuit.readout().shape == (P, M)


@pytest.mark.parametrize(("n_tokens", "n_ctx", "layers"), [(P + 1, 3, 1), (2 * P, 2, 1), (2 * P + 1, 3, 2), (P, 2, 2)])
def test_hook_names_last_tokens_and_vocabularies(n_tokens: int, n_ctx: int, layers: int) -> None:
    module = Hooked(n_tokens, n_ctx, layers)
    names = [f"blocks.{layer}.mlp.hook_pre" for layer in range(layers)]
    circuit = topomod.from_module(module, TASK, names[0] if layers == 1 else names)
    tokens = PAIRS + torch.tensor([0, P * (n_tokens >= 2 * P)])
    if n_tokens % P:
        tokens = torch.cat([tokens, torch.full((len(tokens), 1), n_tokens - 1)], dim=1)
    with torch.no_grad():
        wanted = module(tokens)[:, -1].numpy()
    np.testing.assert_allclose(circuit.logits().reshape(-1, P), wanted, rtol=1e-5, atol=1e-6)
    assert circuit.preactivations(layers - 1).shape == (P, P, M)
    last = (module.unembed.weight @ module.outer[-1].T).detach().numpy()
    used = (circuit.preactivations(layers - 1) > 0).any(
        (0, 1)
    )  # the logits say nothing of neurons that are never active
    np.testing.assert_allclose(circuit.readout(layers - 1), np.where(used, last, 0), rtol=1e-3, atol=1e-5)
    if layers > 1:
        with pytest.raises(ValueError, match="another nonlinearity"):
            circuit.readout(0)


@pytest.mark.parametrize(
    ("operation", "shown"),
    [("a - b", "a - b"), ("a * b", "a * b"), ("a**3 + a*b", "a**3 + a * b"), ("2 * a + 3 * b", "2 * a + 3 * b")],
)
def test_the_task_is_read_off(operation: str, shown: str) -> None:
    a, b = np.ogrid[:P, :P]
    module = Table(np.broadcast_to(eval(operation, {"a": a, "b": b}) % P, (P, P)))
    for task in (None, topomod.ModularOperation(operation, P)):
        circuit = topomod.from_module(module, task, "hook_pre")
        assert str(circuit.task) == f"{shown} mod {P}" and circuit.converged and circuit.accuracy() == 1
    if circuit.task.symmetry is None:
        with pytest.raises(ValueError, match="has no frequencies"):
            topomod.group_neurons(circuit)
    assert circuit.logits().shape == (*circuit.task.input_shape, circuit.task.n_classes)


def test_a_group_is_read_off_and_a_wrong_task_is_not_silent() -> None:
    table = topomod.GroupComposition("Dic3").targets()
    order = np.random.default_rng(0).permutation(12)
    module = Table(np.argsort(order)[table[np.ix_(order, order)]])
    group = topomod.from_module(module, None, "hook_pre").task.finite_group
    assert group is not None and group.isomorphic_to == "Dic3"
    wrong = topomod.from_module(module, topomod.ModularAddition(12), "hook_pre")
    assert not wrong.converged and wrong.reason.startswith("right on") and wrong.accuracy() < 0.5
    random = Table(np.random.default_rng(0).integers(0, P, (P, P)))
    unknown = topomod.from_module(random, None, "hook_pre")
    assert "table not recognised" in unknown.reason and unknown.accuracy() == 0
    for refused in (topomod.group_neurons, topomod.distance_irrelevance, topomod.circularity):
        with pytest.raises(ValueError, match="not recognised"):
            refused(unknown)


def test_the_module_is_left_as_it_was() -> None:
    module = nn.Sequential(
        nn.Embedding(P, D), nn.Flatten(), nn.Linear(2 * D, M), nn.Dropout(0.5), nn.ReLU(), nn.Linear(M, P)
    )
    module[3].eval()
    modes = [own.training for own in module.modules()]
    topomod.from_module(module, TASK, "2")
    assert modes == [own.training for own in module.modules()]
    assert all(own.grad is None for own in module.parameters())
    assert not any(own._forward_hooks for own in module.modules())


class Faulty(Perceptron):
    """A perceptron with a fault."""

    def __init__(self, fault: str) -> None:
        super().__init__()
        self.fault, self.calls = fault, 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        hidden = self.l1(self.embed(x).flatten(1))
        changed = {
            "noise": lambda: hidden + torch.rand(1),
            "memory": lambda: hidden + self.calls,
            "batch": lambda: hidden - hidden.mean(0),
            "NaN": lambda: hidden * float("nan"),
            "twice": lambda: self.l1(self.embed(x).flatten(1)),
        }
        out: Tensor = self.l2(torch.relu(changed.get(self.fault, lambda: hidden)()))
        return out.sum() if self.fault == "shape" else out


@pytest.mark.parametrize(
    ("fault", "match"),
    [
        ("noise", "what the module returns is not a function of the input alone: two runs .* differ by"),
        ("memory", "is not a function of the input alone"),
        ("batch", "is not a function of the input alone"),
        ("NaN", "there are NaN or infinite values in what the module returns"),
        ("twice", "submodule 'l1' was called 2 times in one run"),
        ("shape", "runs on no form of input .*tokens: ValueError: what the module returns has shape"),
    ],
)
def test_what_is_no_function_of_a_and_b(fault: str, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        topomod.from_module(Faulty(fault), TASK)


def test_wrong_arguments() -> None:
    module = Perceptron()
    for arguments, match in (
        ({"preactivations": "l7"}, "must name submodules, found 'l7'; the module has: embed, l1, l2"),
        ({"preactivations": ["l1", "l1"]}, "must name different submodules"),
        ({"preactivations": []}, "must name different submodules, found \\[\\]"),
        ({"label": " "}, "label must be a text that is not empty"),
        ({"inputs": [[0, 0]]}, "inputs must have one row for each of 49 inputs"),
        ({"inputs": PAIRS + P}, "does not run on the given inputs .IndexError"),
    ):
        with pytest.raises(ValueError, match=match):
            topomod.from_module(module, **{"task": TASK, **arguments})
    behind = nn.Sequential(nn.Embedding(P, D), nn.Flatten(), nn.Linear(2 * D, M), nn.ReLU(), nn.Linear(M, P))
    with pytest.raises(ValueError, match="it lies behind the nonlinearity; name the submodule before"):
        topomod.from_module(behind, TASK, "3")
    with pytest.raises(ValueError, match=r"runs on several forms of input \(tokens, .*give inputs="):
        topomod.from_module(Hooked(P + 9, 3), TASK, "blocks.0.mlp.hook_pre")
    given = topomod.from_module(Hooked(P + 9, 3), TASK, "blocks.0.mlp.hook_pre", inputs=PAIRS)
    assert given.logits().shape == (P, P, P)


def test_every_metric_works_or_refuses(trained: dict[str, topomod.Circuit]) -> None:
    """A trained circuit and the arrays it computes: tables of clouds are equal, metrics of weights refuse."""
    own = trained["attention"]
    given = topomod.from_activations(own.preactivations(), own.logits(), own.task, own.readout())
    pairs = zip(topomod.group_neurons(own), topomod.group_neurons(given), strict=True)
    for one, other in pairs:
        assert (one.frequency, one.order, one.first_order_r2) == (other.frequency, other.order, other.first_order_r2)
        for site in ("preactivations", "activations", "logits", "readout"):
            np.testing.assert_allclose(
                topomod.manifold(own, one, site), topomod.manifold(given, other, site), atol=1e-5
            )
    for logit in ("correct", "runner_up"):
        assert topomod.distance_irrelevance(own, logit) == topomod.distance_irrelevance(given, logit)
    for site in ("logits", "hidden"):
        assert topomod.ablate_frequencies(own, [3], site) == topomod.ablate_frequencies(given, [3], site)
    for refused in (
        topomod.gradient_symmetricity,
        topomod.circularity,
        topomod.logit_fve,
        lambda circuit: topomod.ablate_frequencies(circuit, [3], "embedding"),
        topomod.normalized_margin,
    ):
        with pytest.raises(ValueError, match=r"activations|needs a power_mlp"):
            refused(given)


ANGLE = 2 * np.pi * np.arange(P) / P
NEURONS = np.cos(ANGLE[:, None, None] + ANGLE) + np.cos(ANGLE[None, :, None] + ANGLE)
LOGITS = np.cos(np.add.outer(ANGLE, ANGLE)[..., None] - ANGLE)


@pytest.mark.parametrize("ending", ["npz", "safetensors"])
def test_files_of_activations(tmp_path: Path, ending: str) -> None:
    from safetensors.torch import save_file

    path = tmp_path / f"mine.{ending}"
    if ending == "npz":
        np.savez(path, preactivations=NEURONS, logits=LOGITS)
    else:
        arrays = {"preactivations": torch.tensor(NEURONS).bfloat16(), "logits": torch.tensor(LOGITS)}
        save_file(arrays, path)
    circuit = topomod.load_activations(path)
    assert circuit.label == "mine" and circuit.task == TASK and circuit.converged
    assert [group.frequency for group in topomod.group_neurons(circuit)] == [1]
    save_circuits(tmp_path / "c.safetensors", [circuit])
    again = load_circuit(tmp_path / "c.safetensors")
    assert again.label == "mine" and again.task == TASK
    np.testing.assert_array_equal(again.logits(), circuit.logits())


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (
            {"preactivations": NEURONS[:, :3]},
            r"preactivations have shape \(7, 3, 7\); addition mod 7 needs \(7, 7, n_neurons\)",
        ),
        ({"preactivations": NEURONS[0]}, "preactivations have shape"),
        ({"preactivations": NEURONS[..., :0]}, "preactivations have shape"),
        ({"logits": LOGITS[..., :6]}, "7, 7. inputs and 6 columns; addition mod 7 needs"),
        ({"logits": LOGITS[:3]}, "inputs and 7 columns; addition mod 7 needs"),
        ({"logits": LOGITS[0, 0]}, "logits must be .n_a, n_b, n_classes., found shape"),
        ({"logits": LOGITS * np.nan}, "logits holds NaN or infinite values"),
        ({"logits": LOGITS * 1j}, "logits must hold real numbers, found complex128"),
        ({"logits": np.ma.masked_greater(LOGITS, 0.5)}, "logits has masked entries"),
        ({"logits": [["a"]]}, "logits must hold real numbers"),
        ({"logits": [[1.0], [1.0, 2.0]]}, "logits must be an array, found rows of different lengths"),
        ({"logits": torch.tensor(LOGITS).to_sparse()}, "logits must be a dense tensor"),
        ({"readout": NEURONS[0, :, :3]}, r"readout has shape \(7, 3\); allowed is \(7, 7\)"),
        ({"readout": [None, None]}, "readout must have one map or None for each of 1 layers"),
        ({"nonlinearity": "swish"}, "nonlinearity must be one of relu, gelu"),
        ({"preactivations": []}, "preactivations must hold at least one layer"),
    ],
)
def test_arrays_that_do_not_fit(change: dict[str, object], match: str) -> None:
    good = {"preactivations": NEURONS, "logits": LOGITS, "task": TASK}
    assert topomod.from_activations(**good).converged
    with pytest.raises(ValueError, match=match):
        topomod.from_activations(**(good | change))


def test_files_that_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no file of activations"):
        topomod.load_activations(tmp_path / "none.npz")
    path = tmp_path / "x.npz"
    for content, match in (
        (b"PK\x03\x04broken", "damaged or no .npz file|cannot be read safely"),
        ({"logits": LOGITS}, "must hold the arrays logits and preactivations"),
        (
            {"logits": LOGITS, "preactivations": NEURONS, "more": NEURONS},
            "array 'more' is not understood; known: logits",
        ),
        ({"logits": LOGITS, "preactivations": NEURONS, "readout_3": LOGITS}, "readout_3 belongs to no layer"),
        ({"logits": LOGITS, "preactivations": np.array([print], dtype=object)}, "cannot be read safely"),
    ):
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            np.savez(path, **content)
        with pytest.raises(ValueError, match=match) as refusal:
            topomod.load_activations(path)
        assert str(refusal.value).startswith(str(path))
    path.with_suffix(".safetensors").write_bytes(b"12")
    with pytest.raises(ValueError, match="corrupt or truncated"):
        topomod.load_activations(path.with_suffix(".safetensors"))
    path.with_suffix(".csv").write_text(json.dumps(1))
    with pytest.raises(ValueError, match="read from .npz and .safetensors files"):
        topomod.load_activations(path.with_suffix(".csv"))


class ZhongTransformer(nn.Module):
    """Zhong et al.'s one-layer transformer, written out from the format's description."""

    def __init__(self, state: dict[str, Tensor], rate: float) -> None:
        super().__init__()
        self.rate, self.hook_pre, self.hook_pattern = rate, HookPoint(), HookPoint()
        self.w = nn.ParameterDict(
            {name.replace(".", "_"): value for name, value in state.items() if "mask" not in name}
        )

    def forward(self, tokens: Tensor) -> Tensor:
        w = self.w
        x = w["embed_W_E"].T[tokens] + w["pos_embed_W_pos"]
        q, k, v = (torch.einsum("btd,hkd->bhtk", x, w[f"blocks_0_attn_W_{name}"]) for name in "QKV")
        pattern = self.hook_pattern(self.rate * torch.softmax(q @ k.mT / q.shape[-1] ** 0.5, -1) + 1 - self.rate)
        x = x + (pattern @ v).transpose(1, 2).flatten(2) @ w["blocks_0_attn_W_O"].T
        pre = self.hook_pre(x @ w["blocks_0_mlp_W_in"].T + w["blocks_0_mlp_b_in"])
        x = x + torch.relu(pre) @ w["blocks_0_mlp_W_out"].T + w["blocks_0_mlp_b_out"]
        return x @ w["unembed_W_U"]


class ZhongLinear(nn.Module):
    """Zhong et al.'s types B and D."""

    def __init__(self, state: dict[str, Tensor]) -> None:
        super().__init__()
        for name in dict.fromkeys(key.split(".")[0] for key in state):
            weight = state[f"{name}.weight"]
            own = (
                nn.Embedding(*weight.shape) if name == "embed" else nn.Linear(*weight.T.shape, f"{name}.bias" in state)
            )
            self.add_module(name, own)
        self.load_state_dict(state)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        deep = hasattr(self, "l2")
        x = self.embed(a) + self.embed(b) if deep else torch.cat([self.embed(a), self.embed(b)], -1)
        hidden = torch.relu(self.l1(x))
        out: Tensor = self.unembed(torch.relu(self.l2(hidden)) if deep else hidden)
        return out


@pytest.mark.parametrize("run", ["l8k1hzciux", "p71frej8t7", "7r4zst7evs"])
def test_released_networks_through_a_plain_module(released: Path, run: str) -> None:
    """Two ways in, one function: arrays to the rounding of float32, tables of groups to 1e-6."""
    read = topomod.load_released(released / f"model_{run}.pt")
    state = torch.load(released / f"model_{run}.pt", weights_only=True, map_location="cpu")
    transformer = "embed.W_E" in state
    module = ZhongTransformer(state, read.attention_rate or 0.0) if transformer else ZhongLinear(state)
    layers = len(read.activations().preactivations)
    names = ["hook_pre"] if transformer else ["l1", "l2"][:layers]
    own = topomod.from_module(module, None, names)
    assert own.task == read.task == topomod.ModularAddition(59) and own.converged
    wanted, found = read.activations(), own.activations()
    for one, other in (
        (wanted.logits, found.logits),
        *zip(wanted.preactivations, found.preactivations, strict=True),
        *zip(wanted.activations, found.activations, strict=True),
        *zip(wanted.readouts, found.readouts, strict=True),
    ):
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            seen = one if one.ndim > 3 else one * (found.preactivations[-1] > 0).any((1, 2))
            assert float((seen - other).abs().max()) < 1e-6 * max(1.0, float(one.abs().max())) * (
                5 if one.ndim > 3 else 20
            )
    for layer, (first, second) in enumerate(zip(circuit_layers(read), circuit_layers(own), strict=True)):
        groups = zip(topomod.group_neurons(read, layer), topomod.group_neurons(own, layer), strict=True)
        for group, same in list(groups)[:2]:
            np.testing.assert_array_equal(group.neurons, same.neurons)
            one, other = group_columns(first, group), group_columns(second, same)
            np.testing.assert_allclose(list(other.values()), list(one.values()), rtol=1e-6, atol=1e-6)


class Returning(Perceptron):
    """Returns something made of its logits."""

    def __init__(self, make: Callable[[Tensor], object]) -> None:
        super().__init__()
        self.make = make

    def forward(self, x: Tensor) -> object:  # type: ignore[override]
        return self.make(super().forward(x))


class InPlace(Perceptron):
    def forward(self, x: Tensor) -> Tensor:
        hidden = self.l1(self.embed(x).flatten(1))
        hidden.clamp_(min=0)
        out: Tensor = self.l2(hidden)
        return out


def same_network(made: nn.Module) -> nn.Module:
    """With the weights of ``Perceptron()`` after seed 0."""
    torch.manual_seed(0)
    made.load_state_dict(Perceptron().state_dict())
    return made


@pytest.mark.parametrize(
    "made",
    [
        Perceptron(nn.ReLU(inplace=True)),
        InPlace(),
        Returning(lambda logits: [logits, None]),
        Returning(lambda logits: (logits, {})),
        Returning(lambda logits: {"loss": None, "logits": logits}),
        Perceptron().requires_grad_(False),
        Perceptron().train(),
    ],
)
def test_odd_but_legal_modules_are_read_as_the_plain_one(made: nn.Module) -> None:
    """What works in place must not change what is recorded."""
    same_network(made)
    torch.manual_seed(0)
    plain = topomod.from_module(Perceptron(), TASK)
    for module, name in ((made, "l1"), (nn.DataParallel(made), "l1"), (nn.DataParallel(made), "module.l1")):
        own = topomod.from_module(module, TASK, name)
        assert sorted(own.weights) == sorted(plain.weights)
        for key, value in plain.weights.items():
            np.testing.assert_allclose(own.weights[key], value, atol=1e-6, err_msg=key)


def test_more_logits_than_tokens_without_a_task() -> None:
    table = (np.arange(P)[:, None] - np.arange(P)) % P
    circuit = topomod.from_module(Embedded(table, P + 4), preactivations="hook_pre")
    assert circuit.task == topomod.ModularOperation("a - b", P) and circuit.converged


class Embedded(Table):
    """Says by an embedding how many tokens it has."""

    def __init__(self, table: np.ndarray, columns: int) -> None:
        super().__init__(table, columns)
        self.names = nn.Embedding(len(table), 1)

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        return super().forward(x[:, 0], x[:, 1])


class Unpacking(Perceptron):
    def forward(self, pair: Tensor) -> Tensor:
        a, b = pair
        return super().forward(torch.stack([a, b], dim=1))


class Keywords(Perceptron):
    def forward(self, *, a: Tensor, b: Tensor) -> Tensor:  # type: ignore[override]
        return super().forward(torch.stack([a, b], dim=1))


@pytest.mark.parametrize(
    ("module", "match"),
    [
        (Unpacking(), r"runs on no form of input that is known; give inputs= \(tokens: ValueError: too many values"),
        (Keywords(), "forward takes neither one argument nor one for each token; give inputs="),
        (
            Returning(lambda logits: logits.to_sparse()),
            "must be a dense tensor of real numbers, found sparse_coo float32",
        ),
        (Returning(lambda logits: logits + 0j), "must be a dense tensor of real numbers, found strided complex64"),
        (Returning(lambda logits: "text"), "what the module returns must be a tensor, found str"),
    ],
)
def test_modules_that_are_refused_in_a_sentence(module: nn.Module, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        topomod.from_module(module, TASK)


def test_modules_without_gradients_or_hooks_are_refused_in_a_sentence() -> None:
    with torch.inference_mode():
        module = Perceptron()
    with pytest.raises(ValueError, match="the module cannot be read .RuntimeError: Inference tensors"):
        topomod.from_module(module, TASK)
    with pytest.warns(DeprecationWarning):
        traced = torch.jit.trace(Perceptron().eval(), PAIRS)
    with pytest.raises(ValueError, match="submodule 'l1' is TorchScript, which cannot be watched"):
        topomod.from_module(traced, TASK)


def test_attention_of_a_module_is_that_of_its_last_token(released: Path) -> None:
    """Written out in float64 for one head; the output of any other submodule is refused."""
    state = torch.load(released / "model_l8k1hzciux.pt", weights_only=True, map_location="cpu")
    for rate in (0.0, 1.0):
        found = topomod.module_attention(ZhongTransformer(state, rate), "hook_pattern", topomod.ModularAddition(59))
        assert found.shape == (59, 59, 4, 2) and np.allclose(found.sum(-1), rate + 2 * (1 - rate), atol=1e-5)
    x = state["embed.W_E"].T.double()[torch.tensor([5, 17])] + state["pos_embed.W_pos"].double()
    query, key = (x @ state[f"blocks.0.attn.W_{name}"][2].T.double() for name in "QK")
    wanted = torch.softmax(query[-1] @ key.T / query.shape[-1] ** 0.5, -1)
    np.testing.assert_allclose(found[5, 17, 2], wanted, atol=1e-5)
    with pytest.raises(ValueError, match="must be an attention pattern .3481, n_heads, n_queries, n_keys., found"):
        topomod.module_attention(ZhongTransformer(state, 1.0), "hook_pre", topomod.ModularAddition(59))
    with pytest.raises(ValueError, match="must name submodules, found 'pattern'"):
        topomod.module_attention(ZhongTransformer(state, 1.0), "pattern")
