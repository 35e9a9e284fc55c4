"""Attention of any module of PyTorch, over all inputs of a task."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from topomod.networks.module_inputs import choose_reading
from topomod.networks.module_runs import BATCH, evaluated, find_submodules, output_of, watched
from topomod.tasks.task import Task


def module_attention(
    module: nn.Module, pattern: str, task: Task | None = None, inputs: Any = None
) -> Float[np.ndarray, "*inputs n_heads n_keys"]:
    """Attention from the last token, for every input of a module of one's own.

    Parameters
    ----------
    module : torch.nn.Module
        As for :func:`topomod.from_module`.
    pattern : str
        Name of the submodule whose output is the attention pattern (n, n_heads, n_queries, n_keys). In TransformerLens
        it is ``"blocks.0.attn.hook_pattern"``.
    task, inputs
        As for :func:`topomod.from_module`.

    Returns
    -------
    ndarray
        ``(*inputs, n_heads, n_keys)``, indexed ``[a, b, head, position]`` for two tokens.

    Raises
    ------
    ValueError
        If the submodule is not there or is not called once, or its output has another shape or is not finite.
    """
    if not isinstance(module, nn.Module):
        raise ValueError(f"module must be a torch.nn.Module, found {type(module).__name__}")
    (site,) = find_submodules(module, [pattern]).values()
    with evaluated(module), torch.no_grad():
        reading = choose_reading(module, {}, task, inputs)
        n = len(reading.arguments[0])
        parts = []
        for start in range(0, n, BATCH):
            some = tuple(value[start : start + BATCH] for value in reading.arguments)
            with watched([site]) as calls:
                module(*some)
            parts.append(_last_query([value for _, value in calls], len(some[0]), pattern))
    found = torch.cat(parts)
    if not torch.isfinite(found).all():
        raise ValueError(f"there are NaN or infinite values in {output_of(pattern)}; all must be finite")
    return np.asarray(found.unflatten(0, reading.shape).cpu().float().numpy())


def _last_query(outputs: list[Any], n: int, name: str) -> Tensor:
    """What the last token attends to, (n, n_heads, n_keys)."""
    what = output_of(name)
    if len(outputs) != 1:
        raise ValueError(f"submodule {name!r} was called {len(outputs)} times in one run; it must be called once")
    (value,) = outputs
    if not isinstance(value, Tensor) or value.ndim != 4 or len(value) != n:
        found = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
        raise ValueError(f"{what} must be an attention pattern ({n}, n_heads, n_queries, n_keys), found {found}")
    return value[:, :, -1].detach()
