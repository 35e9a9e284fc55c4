"""A module of somebody else, run on all inputs of a task with its submodules watched."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

Arguments = tuple[Tensor, ...]  # of one call of the module, each with the batch as its first axis

BATCH = 4096  # inputs of one call
ROUNDING = {torch.float16: 1e-2, torch.bfloat16: 5e-2}  # relative; 1e-5 for longer numbers


@dataclass(frozen=True)
class Run:
    """What a module computes at the last token of every input.

    Parameters
    ----------
    preactivations : tuple of Tensor
        (N, n_neurons) of each watched submodule.
    logits : Tensor
        (N, n_columns).
    """

    preactivations: tuple[Tensor, ...]
    logits: Tensor

    def parts(self) -> dict[str, Tensor]:
        """Every array under a name for messages."""
        return {"its logits": self.logits} | {
            f"the output of submodule {index}": value for index, value in enumerate(self.preactivations)
        }


@contextmanager
def evaluated(module: nn.Module) -> Iterator[None]:
    """Put a module into evaluation mode, and every submodule back into its own mode in the end."""
    modes = {own: own.training for own in module.modules()}
    module.eval()
    try:
        yield
    finally:
        for own, mode in modes.items():
            own.training = mode


def find_submodules(module: nn.Module, names: Sequence[str]) -> list[nn.Module]:
    """Submodules by name.

    Raises
    ------
    ValueError
        If there is no submodule of a name.
    """
    known = dict(module.named_modules())
    for name in names:
        if not isinstance(name, str) or not name or name not in known:
            listed = ", ".join(own for own in known if own) or "none"
            raise ValueError(f"preactivations must name submodules, found {name!r}; the module has: {listed}")
    return [known[name] for name in names]


@contextmanager
def watched(sites: Sequence[nn.Module], change: Callable[[int, Tensor], Tensor] | None = None) -> Iterator[list[Any]]:
    """Collect the output of every call of some submodules as (index, output); ``change`` may replace outputs."""
    calls: list[tuple[int, Any]] = []

    def hook(index: int) -> Callable[..., Any]:
        def keep(_module: nn.Module, _inputs: Any, output: Any) -> Any:
            if change is not None:
                output = change(index, output)
            calls.append((index, output))
            return output if change is not None else None

        return keep

    handles = [site.register_forward_hook(hook(index)) for index, site in enumerate(sites)]
    try:
        yield calls
    finally:
        for handle in handles:
            handle.remove()


def at_last_token(value: Any, n: int, what: str) -> Tensor:
    """Output of one call at its last token, (n, features).

    Raises
    ------
    ValueError
        If it is no tensor (n, features) or (n, n_tokens, features).
    """
    if not isinstance(value, Tensor):
        raise ValueError(f"{what} must be a tensor, found {type(value).__name__}")
    if value.ndim not in (2, 3) or value.shape[0] != n or 0 in value.shape:
        allowed = f"({n}, features) or ({n}, tokens, features)"
        raise ValueError(f"{what} has shape {tuple(value.shape)} for {n} inputs; allowed are {allowed}")
    return value if value.ndim == 2 else value[:, -1]


def logits_of(output: Any) -> Any:
    """The tensor of logits in what a module returns: itself, its ``logits``, or the first part of a tuple."""
    if isinstance(output, tuple) and output and not hasattr(output, "logits"):
        return output[0]
    return getattr(output, "logits", output)


def call(module: nn.Module, sites: Sequence[nn.Module], arguments: Arguments) -> Run:
    """Run a module once, without gradients.

    Raises
    ------
    ValueError
        If a submodule is not called exactly once, or an output has another shape than it must.
    """
    n = len(arguments[0])
    with torch.no_grad(), watched(sites) as calls:
        logits = at_last_token(logits_of(module(*arguments)), n, "what the module returns")
    for index in range(len(sites)):
        if (times := sum(own == index for own, _ in calls)) != 1:
            raise ValueError(
                f"submodule {index} of those named was called {times} times in one run; its output is read where it "
                "is called once"
            )
    found = dict(calls)
    values = (at_last_token(found[index], n, f"the output of submodule {index}") for index in range(len(sites)))
    return Run(tuple(value.detach().clone() for value in values), logits.detach().clone())


def run_all(module: nn.Module, sites: Sequence[nn.Module], arguments: Arguments) -> Run:
    """Run a module on many inputs, some at a time."""
    n = len(arguments[0])
    runs = [
        call(module, sites, tuple(value[start : start + BATCH] for value in arguments)) for start in range(0, n, BATCH)
    ]
    layers = zip(*(run.preactivations for run in runs), strict=True)
    return Run(tuple(torch.cat(own) for own in layers), torch.cat([run.logits for run in runs]))


def check_function(module: nn.Module, sites: Sequence[nn.Module], arguments: Arguments, run: Run) -> None:
    """Refuse a module whose outputs are not a function of one input.

    Each input is run again beside other inputs: this finds noise, memory, and a dependence on the rest of the batch.

    Raises
    ------
    ValueError
        Naming what differs, or holds values that are not finite.
    """
    for what, value in run.parts().items():
        if not torch.isfinite(value).all():
            raise ValueError(f"{what} holds NaN or infinite values; all must be finite")
    order = torch.from_numpy(np.random.default_rng(0).permutation(len(arguments[0])))
    again = run_all(module, sites, tuple(value[order.to(value.device)] for value in arguments))
    for (what, value), other in zip(run.parts().items(), again.parts().values(), strict=True):
        own, other = value[order.to(value.device)].double(), other.double()
        scale = float(own.abs().max()) or 1.0
        off = float((own - other).abs().max()) / scale
        if not off <= ROUNDING.get(value.dtype, 1e-5):
            raise ValueError(
                f"{what} is not a function of the input alone: two runs in evaluation mode differ by {off:.2g} of its "
                "largest value; a network is read if they agree to 1e-5"
            )
