"""A module of somebody else, run on all inputs of a task with its submodules watched."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

Arguments = tuple[Tensor, ...]  # of one call of the module, each with the batch as its first axis
Sites = Mapping[str, nn.Module]  # submodules by the names that the caller gave

WRAPPERS = ("module.", "_orig_mod.")  # nn.DataParallel and torch.compile put them before all names
BATCH = 4096  # inputs of one call
ROUNDING = {torch.float16: 1e-2, torch.bfloat16: 5e-2}  # relative; 1e-5 for longer numbers


@dataclass(frozen=True)
class Run:
    """What a module computes at the last token of every input.

    Parameters
    ----------
    outputs : dict of Tensor
        (N, n_neurons) of each watched submodule, by its name.
    logits : Tensor
        (N, n_columns).
    """

    outputs: dict[str, Tensor]
    logits: Tensor

    def parts(self) -> dict[str, Tensor]:
        """Every array under a name for messages."""
        return {LOGITS: self.logits} | {output_of(name): value for name, value in self.outputs.items()}


LOGITS = "what the module returns"


def output_of(name: str) -> str:
    """What messages call the output of a submodule."""
    return f"the output of submodule {name!r}"


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


def find_submodules(module: nn.Module, names: Sequence[str]) -> Sites:
    """Submodules by name.

    Raises
    ------
    ValueError
        If there is no name, a name is there twice, or there is no submodule of a name.
    """
    if not names or len(set(names)) < len(names):
        raise ValueError(f"preactivations must name different submodules, found {list(names)}")
    known = dict(module.named_modules())
    found = {}
    for name in names:
        places = [f"{prefix}{name}" for prefix in ("", *WRAPPERS)] if isinstance(name, str) and name else []
        place = next((own for own in places if own in known), None)
        if place is None:
            listed = ", ".join(own for own in known if own) or "none"
            raise ValueError(f"preactivations must name submodules, found {name!r}; the module has: {listed}")
        if isinstance(known[place], torch.jit.ScriptModule):
            raise ValueError(f"submodule {name!r} is TorchScript, which cannot be watched; give the module itself")
        found[name] = known[place]
    return found


@contextmanager
def watched(sites: Sequence[nn.Module], change: Callable[[int, Tensor], Tensor] | None = None) -> Iterator[list[Any]]:
    """Collect the output of every call of some submodules as (index, output); ``change`` may replace outputs."""
    calls: list[tuple[int, Any]] = []

    def hook(index: int) -> Callable[..., Any]:
        def keep(_module: nn.Module, _inputs: Any, output: Any) -> Any:
            if change is not None:
                output = change(index, output)
            # a copy, as what follows may work in place: nn.ReLU(inplace=True) writes over what it is given
            calls.append((index, output.clone() if isinstance(output, Tensor) else output))
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
        If it is no dense tensor (n, features) or (n, n_tokens, features) of real numbers.
    """
    if not isinstance(value, Tensor):
        raise ValueError(f"{what} must be a tensor, found {type(value).__name__}")
    if value.layout != torch.strided or value.is_nested or value.is_complex():
        found = f"{value.layout} {value.dtype}".replace("torch.", "")
        raise ValueError(f"{what} must be a dense tensor of real numbers, found {found}")
    if value.ndim not in (2, 3) or value.shape[0] != n or 0 in value.shape:
        allowed = f"({n}, features) or ({n}, tokens, features)"
        raise ValueError(f"{what} has shape {tuple(value.shape)} for {n} inputs; allowed are {allowed}")
    return value if value.ndim == 2 else value[:, -1]


def logits_of(output: Any) -> Any:
    """The tensor of logits in what a module returns: itself, its ``logits``, or the first part of a tuple or list."""
    if isinstance(output, Mapping) and "logits" in output:
        return output["logits"]
    if isinstance(output, tuple | list) and output and not hasattr(output, "logits"):
        return output[0]
    return getattr(output, "logits", output)


def call(module: nn.Module, sites: Sites, arguments: Arguments) -> Run:
    """Run a module once, without gradients.

    Raises
    ------
    ValueError
        If a submodule is not called exactly once, or an output has another shape than it must.
    """
    n = len(arguments[0])
    with torch.no_grad(), watched(list(sites.values())) as calls:
        logits = at_last_token(logits_of(module(*arguments)), n, LOGITS)
    found = dict(calls)
    outputs = {}
    for index, name in enumerate(sites):
        if (times := sum(own == index for own, _ in calls)) != 1:
            raise ValueError(
                f"submodule {name!r} was called {times} times in one run; an output is read where there is one call"
            )
        outputs[name] = at_last_token(found[index], n, output_of(name)).detach().clone()
    return Run(outputs, logits.detach().clone())


def run_all(module: nn.Module, sites: Sites, arguments: Arguments) -> Run:
    """Run a module on many inputs, some at a time."""
    n = len(arguments[0])
    runs = [
        call(module, sites, tuple(value[start : start + BATCH] for value in arguments)) for start in range(0, n, BATCH)
    ]
    outputs = {name: torch.cat([run.outputs[name] for run in runs]) for name in sites}
    return Run(outputs, torch.cat([run.logits for run in runs]))


def check_function(module: nn.Module, sites: Sites, arguments: Arguments, run: Run) -> None:
    """Refuse a module whose outputs are not a function of one input.

    Half of the inputs are run again beside other ones: this finds noise, memory and batch statistics.

    Raises
    ------
    ValueError
        Naming what differs, or holds values that are not finite.
    """
    for what, value in run.parts().items():
        if not torch.isfinite(value).all():
            raise ValueError(f"there are NaN or infinite values in {what}; all must be finite")
    n = len(arguments[0])
    chosen = torch.from_numpy(np.random.default_rng(0).permutation(n)[: 1 + n // 2])  # others than beside it before
    again = run_all(module, sites, tuple(value[chosen.to(value.device)] for value in arguments))
    for (what, value), other in zip(run.parts().items(), again.parts().values(), strict=True):
        own, other = value[chosen.to(value.device)].double(), other.double()
        scale = float(own.abs().max()) or 1.0
        off = float((own - other).abs().max()) / scale
        if not off <= ROUNDING.get(value.dtype, 1e-5):
            raise ValueError(
                f"{what} is not a function of the input alone: two runs in evaluation mode differ by {off:.2g} of its "
                "largest value; a network is read if they agree to 1e-5"
            )
