"""Which nonlinearity follows a submodule, and how the logits read what it makes: found from gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from topomod.networks.given import NONLINEARITIES
from topomod.networks.module_runs import LOGITS, Arguments, at_last_token, logits_of, watched

UNEXPLAINED = 1e-6  # of a gradient's squared length, the share that float32 may leave


@dataclass(frozen=True)
class Readout:
    """How the logits read a submodule's output x: ``logits = matrix f(x) + (what does not depend on x)``.

    Parameters
    ----------
    activations : Tensor
        (N, n_neurons), f(x).
    matrix : Tensor
        (n_columns, n_neurons); 0 for neurons that are active on no input, of which the logits say nothing.
    """

    activations: Tensor
    matrix: Tensor


def find_readout(module: nn.Module, site: nn.Module, arguments: Arguments, preactivations: Tensor) -> Readout | None:
    """Nonlinearity and linear map behind a submodule; None where the logits are no such function of its output.

    The gradient of a logit c with respect to x is ``matrix[c] f'(x)``. This is fitted to all inputs for every f that
    is known, and accepted if it leaves nothing over.

    Raises
    ------
    ValueError
        If the logits are linear in x and no x is negative: x is then behind the nonlinearity already.
    """
    gradients = _gradients(module, site, arguments)
    if gradients is None:
        return None
    logits, gradient = gradients
    n_columns = logits.shape[1]
    generator = torch.Generator().manual_seed(0)
    mixed = gradient(torch.randn(n_columns, generator=generator, dtype=torch.float64))
    fits = {name: _unexplained(mixed, slope) for name, slope in _slopes(preactivations).items()}
    best = min(fits, key=lambda name: fits[name])
    if not fits[best] < UNEXPLAINED:
        return None
    if best == LINEAR and bool((preactivations >= 0).all()):
        raise ValueError(
            "no value of the named submodule's output is negative, and the logits are linear in it: it lies behind the "
            "nonlinearity; name the submodule before the nonlinearity"
        )
    slope = _slopes(preactivations)[best]
    rows = [_fit(gradient(row), slope) for row in torch.eye(n_columns, dtype=torch.float64)]
    activations = preactivations if best == LINEAR else NONLINEARITIES[best](preactivations)
    return Readout(activations, torch.stack(rows))


LINEAR = "identity"


def _slopes(x: Tensor) -> dict[str, Tensor]:
    """Derivative of every known nonlinearity at x, in double precision."""
    found = {LINEAR: torch.ones_like(x, dtype=torch.float64)}
    for name, function in NONLINEARITIES.items():
        own = x.double().requires_grad_()
        (found[name],) = torch.autograd.grad(function(own).sum(), own)
    return found


def _fit(gradient: Tensor, slope: Tensor) -> Tensor:
    """Least squares factor of each neuron, (n_neurons,)."""
    total = (slope**2).sum(0)
    return (gradient * slope).sum(0) / torch.where(total > 0, total, 1)


def _unexplained(gradient: Tensor, slope: Tensor) -> float:
    total = float((gradient**2).sum())
    return float(((gradient - _fit(gradient, slope) * slope) ** 2).sum()) / total if total > 0 else 1.0


def _gradients(
    module: nn.Module, site: nn.Module, arguments: Arguments
) -> tuple[Tensor, Callable[[Tensor], Tensor]] | None:
    """Logits, and a function from weights of the columns to the gradient at the last token; None without gradients."""
    leaves: list[Tensor] = []

    def cut(_index: int, output: Tensor) -> Tensor:
        leaves.append(output.detach().requires_grad_())
        return leaves[-1].clone()  # no leaf, which nothing may write over

    n = len(arguments[0])
    with torch.enable_grad(), watched([site], cut):
        logits = at_last_token(logits_of(module(*arguments)), n, LOGITS)
    if not logits.requires_grad:  # the module turns gradients off, or does not use the submodule's output
        return None
    (leaf,) = leaves

    def gradient(weights: Tensor) -> Tensor:
        value = (logits.double() @ weights.to(logits.device)).sum()
        (found,) = torch.autograd.grad(value, leaf, retain_graph=True, allow_unused=True)
        zero = torch.zeros_like(leaf) if found is None else found
        return at_last_token(zero, n, "a gradient").detach().double()

    return logits, gradient


def find_nonlinearity(module: nn.Module, arguments: Arguments, preactivations: Sequence[Tensor]) -> list[Tensor | None]:
    """Activations of layers, where another submodule takes or returns a known function of the pre-activations."""
    seen: list[Tensor] = []

    def keep(_module: nn.Module, inputs: tuple[object, ...], output: object) -> None:
        seen.extend(value for value in (*inputs, output) if isinstance(value, Tensor) and value.is_floating_point())

    handles = [own.register_forward_hook(keep) for own in module.modules()]
    try:
        with torch.no_grad():
            module(*arguments)
    finally:
        for handle in handles:
            handle.remove()
    last = [value if value.ndim == 2 else value[:, -1] for value in seen if value.ndim in (2, 3)]
    return [_matching(own, last) for own in preactivations]


def _matching(preactivations: Tensor, seen: Sequence[Tensor]) -> Tensor | None:
    for function in NONLINEARITIES.values():
        wanted = function(preactivations)
        if any(value.shape == wanted.shape and torch.allclose(value, wanted, 1e-5, 1e-6) for value in seen):
            return wanted
    return None
