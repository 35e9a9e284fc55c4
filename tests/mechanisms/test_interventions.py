"""Interventions on the manifold: exact where theory says so, by plain hooks of PyTorch elsewhere, idle on a decoy."""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import topomod
from topomod.mechanisms.controls import CONTROLS
from topomod.networks.circuit import Circuit
from topomod.neurons.sites import Group

SITES = ("preactivations", "activations", "logits")
TASKS = {
    "sum": topomod.ModularAddition(11),
    "even": topomod.ModularOperation("a + b", 8),
    "difference": topomod.ModularOperation("a - b", 7),
    "weighted": topomod.ModularOperation("2*a - 3*b + 1", 7),
    "quotient": topomod.ModularOperation("a / b", 11),
    "C11": topomod.GroupComposition("C11"),
    "S3": topomod.GroupComposition("S3"),
    "Q8": topomod.GroupComposition("Q8"),
}


@lru_cache
def best(name: str) -> tuple[Circuit, list[Group]]:
    """The network of largest margin, and all its groups."""
    circuit = topomod.max_margin_network(TASKS[name])
    find: Callable[..., list[Group]] = topomod.group_neurons if circuit.task.symmetry else topomod.irrep_groups
    return circuit, find(circuit, min_neurons=1)


def answers(circuit: Circuit, shift: int) -> np.ndarray:
    """Where each pair's answer goes by so many steps, or by an element of the finite group."""
    targets, symmetry = circuit.task.targets(), circuit.task.symmetry
    if symmetry is None:
        return np.asarray(targets[targets, shift])
    classes = np.array(symmetry.classes)
    return np.asarray(classes[(np.argsort(classes)[targets] + shift) % symmetry.n])


def logits_of_answers(circuit: Circuit, shift: int) -> np.ndarray:
    """Logits that theory expects: those of any pair whose answer is so much further."""
    first = np.unique(circuit.task.targets(), return_index=True)[1]
    by_class = circuit.logits().reshape(-1, circuit.task.n_classes)[first]
    return np.asarray(by_class[answers(circuit, shift)])


@pytest.mark.parametrize("name", [name for name in TASKS if name != "even"])
@pytest.mark.parametrize("site", SITES)
def test_steering_is_exact_where_theory_says_so(name: str, site: str) -> None:
    """The logits of a network of largest margin depend on the answer alone."""
    circuit, groups = best(name)
    for shift in range(1, circuit.task.n_classes if circuit.task.symmetry is None else circuit.p, 2):
        moved = topomod.move_group(circuit, groups, shift, site)
        assert np.abs(moved - logits_of_answers(circuit, shift)).max() < 1e-10


@pytest.mark.parametrize("site", SITES)
def test_one_group_turns_its_own_wave_only(site: str) -> None:
    """The logits of one frequency are cos(2 pi f (a + b - c) / p); only that one turns, by 2 pi f d / p."""
    circuit, groups = best("sum")
    p, shift, chosen = 11, 4, groups[2]
    moved = topomod.move_group(circuit, chosen, shift, site)
    for f in range(1, 6):
        wave = np.exp(2j * np.pi * f * np.arange(p) / p)
        turn = np.exp(2j * np.pi * f * shift / p) if f == chosen.frequency else 1
        np.testing.assert_allclose(moved @ wave, turn * (circuit.logits() @ wave), atol=1e-10)


@pytest.mark.parametrize("name", TASKS)
def test_a_move_by_nothing_changes_no_bit(name: str) -> None:
    tables = {"S3": 0, "Q8": 0}
    if name == "even":
        weights = topomod.max_margin_network(topomod.GroupComposition("C8")).weights
        circuit = Circuit("power_mlp", TASKS[name], weights)
        groups: list[Group] = list(topomod.group_neurons(circuit, min_neurons=1))
    else:
        circuit, groups = best(name)
    expected = circuit.logits().tobytes()
    for shift in {0, tables.get(name, circuit.p if circuit.task.symmetry else 0)}:
        for site in SITES:
            assert topomod.move_group(circuit, groups, shift, site).tobytes() == expected
    pairs = circuit.task.inputs()[:9]
    patched = topomod.patch_group(circuit, groups, pairs, pairs)
    assert patched.tobytes() == circuit.logits()[tuple(pairs.T)].tobytes()


def test_even_moduli_move_by_every_number_of_steps() -> None:
    weights = topomod.max_margin_network(topomod.GroupComposition("C8")).weights
    circuit = Circuit("power_mlp", TASKS["even"], weights)
    groups = topomod.group_neurons(circuit, min_neurons=1)
    for shift in range(-3, 9):
        moved = topomod.move_group(circuit, groups, shift)
        assert np.abs(moved - logits_of_answers(circuit, shift)).max() < 1e-10


@pytest.mark.parametrize("name", ["sum", "C11", "S3"])
@pytest.mark.parametrize("control", CONTROLS)
def test_controls_steer_no_better_than_chance(name: str, control: str) -> None:
    circuit, groups = best(name)
    n = circuit.task.n_classes
    shares = []
    for seed in range(4):
        for shift in (1, 2, n - 2):
            moved = topomod.move_control(circuit, groups, shift, control, seed)
            shares.append(np.mean(moved.argmax(-1) == answers(circuit, shift)))
            assert not np.allclose(moved, circuit.logits())
    assert np.mean(shares) <= 1 / n
    assert np.array_equal(topomod.move_control(circuit, groups, 0, control), circuit.logits())


@settings(max_examples=15)
@given(st.sampled_from(["sum", "C11", "S3", "difference"]), st.sampled_from(SITES), st.integers(0, 10**6))
def test_what_is_kept_and_what_is_lost_make_up_the_whole(name: str, site: str, seed: int) -> None:
    """On random weights: at the logits, where all is linear, both parts and the means add up."""
    generator = np.random.default_rng(seed)
    ideal, groups = best(name)
    noisy = {key: value + generator.standard_normal(value.shape) * 0.05 for key, value in ideal.weights.items()}
    circuit = replace(ideal, weights=noisy)
    find = topomod.group_neurons if circuit.task.symmetry else topomod.irrep_groups
    groups = find(circuit, min_neurons=1)
    kept, lost = (f(circuit, groups, site) for f in (topomod.restrict_to_manifold, topomod.remove_manifold))
    assert kept.shape == lost.shape == circuit.logits().shape
    if site != "preactivations":
        neurons = np.concatenate([group.neurons for group in groups])
        own = circuit.activations().activations[0][0].numpy()[:, :, neurons]
        means = own.mean(axis=(0, 1)) @ circuit.readout()[:, neurons].T
        others = circuit.logits() - own @ circuit.readout()[:, neurons].T
        np.testing.assert_allclose(kept + lost, circuit.logits() + means + others, atol=1e-9)


def test_manifold_of_an_ideal_network_is_all_it_has() -> None:
    circuit, groups = best("sum")
    np.testing.assert_allclose(topomod.restrict_to_manifold(circuit, groups), circuit.logits(), atol=1e-12)
    np.testing.assert_allclose(topomod.remove_manifold(circuit, groups), 0, atol=1e-12)
    alone = topomod.restrict_to_manifold(circuit, groups[0], others="mean")
    wave = np.exp(2j * np.pi * 2 * np.arange(11) / 11)
    assert np.abs(alone @ wave).max() < 1e-10 < np.abs(circuit.logits() @ wave).max()


def test_a_patched_group_takes_its_wave_from_the_source() -> None:
    circuit, groups = best("sum")
    source, target = [[1, 2], [5, 5], [0, 1]], [[3, 3], [3, 3], [9, 2]]
    f, every = groups[0].frequency, np.arange(1, 6)
    patched = topomod.patch_group(circuit, groups[0], source, target)
    waves = np.exp(2j * np.pi * np.outer(np.arange(11), every) / 11)
    for row, (a, b), (c, d) in zip(patched @ waves, source, target, strict=True):
        wanted = np.where(every == f, circuit.logits()[a, b] @ waves, circuit.logits()[c, d] @ waves)
        np.testing.assert_allclose(row, wanted, atol=1e-10)


def test_a_decoy_is_told_apart() -> None:
    """A group whose disc is perfect, and which the logits do not read: same geometry, no use."""
    used, groups = best("sum")
    chosen = groups[1]
    blind = used.weights["W_U"].copy()
    blind[chosen.neurons] = 0
    decoy = replace(used, weights=used.weights | {"W_U": blind})
    same = topomod.group_neurons(decoy, min_neurons=1)[1]
    assert decoy.accuracy() == 1 and same.frequency == chosen.frequency and same.first_order_r2 > 0.999
    assert np.array_equal(topomod.manifold(decoy, same), topomod.manifold(used, chosen))
    for shift in range(1, 11):
        assert np.array_equal(topomod.move_group(decoy, same, shift), decoy.logits())
        assert np.abs(topomod.move_group(used, chosen, shift) - used.logits()).max() > 0.5
    assert np.array_equal(topomod.remove_manifold(decoy, same), decoy.logits())


class Plain(nn.Module):
    """A network as its paper writes it, with the pre-activations of each layer as submodules."""

    def __init__(self, circuit: Circuit) -> None:
        super().__init__()
        self.w = {name: torch.from_numpy(value) for name, value in circuit.weights.items()}
        self.rate, self.pre0, self.pre1 = circuit.attention_rate or 0.0, nn.Identity(), nn.Identity()
        self.kind = circuit.architecture

    def forward(self, tokens: Tensor) -> Tensor:
        w, x = self.w, self.w["W_E"][tokens]
        if self.kind == "mlp_concat":
            bias = w["b_in"] if "b_in" in w else 0
            hidden = torch.relu(self.pre0(x.flatten(1) @ w["W_in"].T + bias))
            return (hidden @ w["W_out"].T if "W_out" in w else hidden) @ w["W_U"]
        if self.kind == "mlp_add_two_layers":
            hidden = torch.relu(self.pre0(x.sum(1) @ w["W_in"].T + w["b_in"]))
            return torch.relu(self.pre1(hidden @ w["W_in_1"].T + w["b_in_1"])) @ w["W_U"]
        x = x + w["W_pos"]
        q, k, v = (torch.einsum("hed,npd->nhpe", w[name], x) for name in ("W_Q", "W_K", "W_V"))
        scores = torch.einsum("nhie,nhje->nhij", q, k) / q.shape[-1] ** 0.5
        mixed = torch.einsum("nhij,nhje->nhie", self.rate * scores.softmax(-1) + 1 - self.rate, v)
        stream = (x + torch.einsum("hde,nhie->nid", w["W_O"], mixed))[:, -1]
        hidden = torch.relu(self.pre0(stream @ w["W_in"].T + w["b_in"]))
        return (stream + hidden @ w["W_out"].T + w["b_out"]) @ w["W_U"]


def hooked(module: Plain, layer: int, tokens: Tensor, values: Tensor) -> np.ndarray:
    """Logits when a layer's pre-activations are replaced, by a hook."""
    site = module.pre1 if layer else module.pre0
    handle = site.register_forward_hook(lambda *_: values)
    with torch.no_grad():
        logits = module(tokens).numpy()
    handle.remove()
    return np.asarray(logits)


def wave_fit(values: np.ndarray, frequency: int) -> np.ndarray:
    """Part of functions of (a, b) at the frequencies 0 and +-f of both tokens, by the Fourier transform."""
    kept = [0, frequency, -frequency]
    spectrum, left = np.fft.fft2(values, axes=(0, 1)), np.zeros((len(values), len(values), 1))
    left[np.ix_(kept, kept)] = 1
    return np.asarray(np.fft.ifft2(spectrum * left, axes=(0, 1)).real)


RELEASED = [("p99zdpze5l", 0), ("l8k1hzciux", 0), ("7r4zst7evs", 0), ("p71frej8t7", 0), ("p71frej8t7", 1)]


@pytest.mark.parametrize(("name", "layer"), RELEASED)
def test_released_networks_agree_with_plain_hooks(released: Path, name: str, layer: int) -> None:
    """Move, restriction, removal and patch, each written out with a Fourier transform and a hook."""
    circuit = topomod.load_released(released / f"model_{name}.pt")
    module, p, tokens = Plain(circuit), circuit.p, torch.from_numpy(circuit.task.inputs())
    group = topomod.group_neurons(circuit, layer)[0]
    pre = circuit.preactivations(layer).astype(np.float64)
    fit, centre = wave_fit(pre[:, :, group.neurons], group.frequency), pre[:, :, group.neurons].mean(axis=(0, 1))
    half = (np.arange(p) + 5 * (p + 1) // 2) % p
    wanted = {
        "move": pre[:, :, group.neurons] - fit + fit[np.ix_(half, half)],
        "restrict": fit,
        "remove": pre[:, :, group.neurons] - fit + centre,
        "patch": np.broadcast_to(pre[3, 7, group.neurons], fit.shape),
    }
    every = circuit.task.inputs()
    found = {
        "move": topomod.move_group(circuit, group, 5),
        "restrict": topomod.restrict_to_manifold(circuit, [group]),
        "remove": topomod.remove_manifold(circuit, [group]),
        "patch": topomod.patch_group(circuit, group, [[3, 7]] * len(every), every).reshape(p, p, p),
    }
    scale = np.abs(circuit.logits()).max()
    for what, values in wanted.items():
        changed = pre.copy()
        changed[:, :, group.neurons] = values
        by_hook = hooked(module, layer, tokens, torch.from_numpy(changed.reshape(p * p, -1).astype(np.float32)))
        assert np.abs(found[what] - by_hook.reshape(p, p, p)).max() < 1e-5 * scale, what
    assert topomod.move_group(circuit, group, 0).tobytes() == circuit.logits().tobytes()


def small_module(p: int, deep: bool) -> nn.Module:
    """A module of somebody else, whose first layer may lie before another nonlinearity."""
    torch.manual_seed(0)

    class Mine(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed, self.l1 = nn.Embedding(p, 8), nn.Linear(16, 24)
            self.mid, self.out = (nn.Linear(24, 24) if deep else nn.Identity()), nn.Linear(24, p)

        def forward(self, x: Tensor) -> Tensor:
            hidden = torch.relu(self.l1(self.embed(x).flatten(1)))
            return self.out(torch.tanh(self.mid(hidden)) if deep else hidden)

    return Mine()


@pytest.mark.parametrize("deep", [False, True])
def test_a_module_is_run_on_from_the_changed_layer(deep: bool) -> None:
    module = small_module(7, deep)
    circuit = topomod.from_module(module, topomod.ModularAddition(7))
    group = topomod.group_neurons(circuit, min_neurons=1)[0]
    assert topomod.move_group(circuit, group, 0).tobytes() == circuit.logits().tobytes()
    pre = circuit.preactivations().astype(np.float64)
    pre[:, :, group.neurons] = wave_fit(pre[:, :, group.neurons], group.frequency)
    handle = module.l1.register_forward_hook(lambda *_: torch.from_numpy(pre.reshape(49, -1).astype(np.float32)))
    with torch.no_grad():
        expected = module(torch.from_numpy(circuit.task.inputs())).numpy().reshape(7, 7, 7)
    handle.remove()
    np.testing.assert_allclose(topomod.restrict_to_manifold(circuit, [group]), expected, atol=1e-6)
    assert not np.allclose(expected, circuit.logits(), atol=1e-4)
    with torch.no_grad():
        module.l1.weight.add_(0.1)
    with pytest.raises(ValueError, match="'l1' is no longer what it was when the network was read"):
        topomod.restrict_to_manifold(circuit, [group])


def test_activations_with_a_linear_readout_are_enough() -> None:
    """And the nonlinearity is found from what it makes."""
    ideal, groups = best("sum")
    arrays = ideal.preactivations(), ideal.logits()
    given_one = topomod.from_activations(*arrays, ideal.task, readout=ideal.readout(), nonlinearity="square")
    own = topomod.group_neurons(given_one, min_neurons=1)
    np.testing.assert_allclose(
        topomod.move_group(given_one, own[0], 3), topomod.move_group(ideal, groups[0], 3), atol=1e-10
    )
    for nonlinearity, readout, sentence in (
        ("relu", None, "no linear read-out of layer 0 of mine"),
        (None, ideal.readout(), "layer 0 of mine cannot be run again"),
    ):
        blind = topomod.from_activations(*arrays, ideal.task, readout=readout, nonlinearity=nonlinearity)
        with pytest.raises(ValueError, match=sentence):
            topomod.move_group(blind, topomod.group_neurons(blind, min_neurons=1)[0], 1)


def test_bad_input_gets_one_sentence() -> None:
    circuit, groups = best("sum")
    group, other = groups[0], best("difference")[1][1]
    irrep = topomod.irrep_groups(topomod.max_margin_network(topomod.GroupComposition("S3")), 1)[1]
    move, patch = topomod.move_group, topomod.patch_group
    louder = topomod.group_neurons(replace(circuit, weights={k: 2 * v for k, v in circuit.weights.items()}), 0, 1)[0]
    nothing = {name: getattr(group, name)[:0] for name in ("neurons", "phases_a", "phases_b")}
    parity = topomod.max_margin_network(topomod.SparseParity(4, 2))
    three = topomod.max_margin_network(topomod.ModularAddition(5, 3))
    cases: list[tuple[Callable[[], object], str]] = [
        (lambda: move(circuit, group, 1.5), "shift must be an integer, found 1.5"),
        (lambda: move(circuit, group, True), "shift must be an integer, found True"),
        (lambda: move(circuit, group, 1, "readout"), "site must be one of preactivations, activations, logits, found"),
        (lambda: move(circuit, [], 1), "groups must hold at least one group, found none"),
        (lambda: move(circuit, replace(group, **nothing), 1), "the group of frequency 1 is empty"),
        (lambda: move(circuit, [group, group], 1), "groups must not share neurons"),
        (lambda: move(circuit, louder, 1), "the group of frequency 1 was found in another circuit: its neurons had"),
        (lambda: move(circuit, replace(group, neurons=group.neurons + 99), 1), "it was found in another circuit"),
        (lambda: move(circuit, replace(group, layer=1), 1), "of layer 1; power_mlp has layers 0 to 0"),
        (lambda: move(circuit, [group, replace(groups[1], layer=1)], 1), "of one layer, found groups of layers 0, 1"),
        (lambda: move(circuit, irrep, 1), "C11 has no irrep '\\(2,1\\)'|C11 has no irrep '\\(1,1,1\\)'"),
        (lambda: move(circuit, other, 1), "was found in another circuit"),
        (lambda: move(parity, group, 1), "has no characters to move along"),
        (lambda: move(three, group, 1), "has no characters to move along"),
        (lambda: move(best("S3")[0], irrep, 6), "shift must be an element of S3, 0 to 5, found 6"),
        (lambda: topomod.oppose_group(best("S3")[0], irrep, 1), "a and b are moved against each other in groups by"),
        (lambda: patch(circuit, group, [[1, 2]], [[1, 2], [3, 4]]), "equally many pairs, found 1 and 2"),
        (lambda: patch(circuit, group, [[1, 11]], [[1, 2]]), "source must hold tokens below"),
        (lambda: patch(circuit, group, [[1.0, 2.0]], [[1, 2]]), "source must be \\(n, 2\\) tokens, found float64"),
        (lambda: topomod.move_control(circuit, group, 1, "none"), "control must be one of direction, neurons, phases"),
        (lambda: topomod.restrict_to_manifold(circuit, group, others="zero"), "others must be kept or mean, found"),
    ]
    for call, sentence in cases:
        with pytest.raises(ValueError, match=sentence) as caught:
            call()
        assert "\n" not in str(caught.value)
