"""The fast step against the plain formulation, in float64."""

import numpy as np
import pytest
import torch

from plain import plain_logits, plain_loss
from topomod.networks.architectures import ARCHITECTURES, resolve
from topomod.networks.pair_form import PairForm
from topomod.tasks.addition import ModularAddition
from topomod.training.batches import Batch, Batches
from topomod.training.pair_step import PairStep
from topomod.training.pair_step_cpu import CompiledStep

CASES = [("mlp_add", 0.0), ("mlp_concat", 0.0), ("attention", 0.0), ("attention", 0.3), ("attention", 1.0)]


def stack(architecture: str, p: int, n: int, seed: int) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    rng = np.random.default_rng(seed)
    drawn = [ARCHITECTURES[architecture].initial_weights(ModularAddition(p), rng) for _ in range(n)]
    weights = {k: torch.tensor(np.stack([d[k] for d in drawn]), dtype=torch.float64) for k in drawn[0]}
    for name in ("b_in", "b_out"):  # biases start at zero: give them something to be wrong about
        if name in weights:
            weights[name] += torch.tensor(rng.standard_normal(weights[name].shape))
    return weights, torch.tensor(rng.random((n, p, p)) < 0.7)


def full_batches(mask: torch.Tensor, form: PairForm) -> list[Batch]:
    return [Batches(one, form.symmetric, 1, np.random.default_rng(0)).next() for one in mask.numpy()]


@pytest.mark.parametrize(("architecture", "rate"), CASES)
@pytest.mark.parametrize("p", [7, 8, 31])
@pytest.mark.parametrize("kind", [PairStep, CompiledStep])
def test_loss_and_gradients_are_those_of_the_plain_network(
    architecture: str, rate: float, p: int, kind: type[PairStep] | type[CompiledStep]
) -> None:
    n = 2 if kind is PairStep else 1
    weights, mask = stack(architecture, p, n, seed=p)
    targets = torch.tensor(ModularAddition(p).targets())
    leaves = {k: v.clone().requires_grad_() for k, v in weights.items()}
    form = resolve(ARCHITECTURES[architecture].pair_form)(leaves, leaves["W_E"], leaves["W_E"], rate)
    step = kind(targets, form)
    with torch.no_grad():
        step(form, full_batches(~mask, form))  # another batch first: nothing of it may stay in the buffers
        loss, gradients = step(form, full_batches(mask, form))
    tensors = form.tensors()
    attached = [
        name for name, tensor in tensors.items() if tensor.requires_grad
    ]  # at rate 1 nothing comes past the gate
    torch.autograd.backward([tensors[name] for name in attached], [gradients[name] for name in attached])
    for i in range(n):
        plain = {k: v[i].clone().requires_grad_() for k, v in weights.items()}
        expected = plain_loss(architecture, plain, targets, mask[i], rate)
        expected.backward()
        assert loss[i].item() == pytest.approx(expected.item(), rel=1e-12)
        for name, leaf in plain.items():
            found = leaves[name].grad
            wanted = torch.zeros_like(leaf) if leaf.grad is None else leaf.grad
            assert torch.allclose(found[i] if found is not None else 0 * wanted, wanted, rtol=1e-9, atol=1e-12), name


@pytest.mark.parametrize(("architecture", "rate"), CASES)
def test_pair_form_gives_the_plain_logits(architecture: str, rate: float) -> None:
    p = 11
    weights, _ = stack(architecture, p, n=1, seed=3)
    x = weights["W_E"]
    found = ARCHITECTURES[architecture].activations(weights, x, x, rate).logits[0]
    a, b = torch.meshgrid(torch.arange(p), torch.arange(p), indexing="ij")
    single = {k: v[0] for k, v in weights.items()}
    wanted = plain_logits(architecture, single, a.reshape(-1), b.reshape(-1), rate).reshape(p, p, p)
    assert torch.allclose(found, wanted, rtol=1e-10)


def test_all_right_needs_every_pair() -> None:
    p = 5
    targets = torch.tensor(ModularAddition(p).targets())
    one = torch.eye(p, dtype=torch.float64)
    left = one.repeat_interleave(p, dim=1)[None]  # neuron (i, j) fires on the pair (i, j) alone
    right = one.repeat(1, p)[None] - 1
    readout = 10 * torch.nn.functional.one_hot(targets.reshape(-1), p).double().mT[None]
    spoiled = readout.clone()
    spoiled[0, :, 2 * p + 3] = spoiled[0, :, 2 * p + 3].roll(1)
    good, bad = PairForm(left, right, readout), PairForm(left, right, spoiled)
    for n_pairs in (1, 2 * p, 4096):
        assert good.all_right(targets, n_pairs).item()
        assert not bad.all_right(targets, n_pairs).item()
    for kind in (PairStep, CompiledStep):
        assert kind(targets, good).all_right(good).item()
        assert not kind(targets, good).all_right(bad).item()


@pytest.mark.parametrize(("architecture", "rate"), CASES)
def test_rows_of_a_pair_form_are_rows_of_its_logits(architecture: str, rate: float) -> None:
    weights, _ = stack(architecture, 7, n=2, seed=0)
    form = resolve(ARCHITECTURES[architecture].pair_form)(weights, weights["W_E"], weights["W_E"], rate)
    part = form.rows(slice(2, 5))
    assert torch.allclose(part.logits(part.preactivations()), form.logits(form.preactivations())[:, 2:5])
