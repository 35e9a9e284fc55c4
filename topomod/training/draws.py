"""What chance decides about a circuit, and arithmetic that always gives the same numbers."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch

from topomod.networks.architectures import ARCHITECTURES
from topomod.networks.size import NetworkSize
from topomod.tasks.task import Task
from topomod.training.recipes import n_trained


def generators(label: str, seed: int, n: int) -> list[np.random.Generator]:
    """Independent generators of what chance decides about one circuit, from its label and seed alone."""
    sequence = np.random.SeedSequence([seed, zlib.crc32(label.encode())])
    return [np.random.default_rng(child) for child in sequence.spawn(n)]


def draw(
    label: str,
    architecture: str,
    task: Task,
    seed: int,
    train_fraction: float,
    size: NetworkSize | None = None,
) -> tuple[dict[str, np.ndarray], np.ndarray, np.random.Generator]:
    """Initial weights, train mask of the task's input shape, and generator of batches of one circuit."""
    for_weights, for_split, for_batches = generators(label, seed, 3)
    weights = ARCHITECTURES[architecture].initial_weights(task, for_weights, size)
    mask = np.zeros(task.n_inputs, dtype=bool)
    mask[for_split.permutation(task.n_inputs)[: n_trained(train_fraction, task.n_inputs)]] = True
    return weights, mask.reshape(task.input_shape), for_batches


def check_seeds(seeds: Sequence[int]) -> None:
    """Raise a ValueError unless there are seeds and all are non-negative integers."""
    if len(seeds) == 0:
        raise ValueError("seeds must hold at least one seed, found none")
    for seed in seeds:
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
            raise ValueError(f"seeds must be non-negative integers, found {seed!r}")


@contextmanager
def pinned_arithmetic() -> Iterator[None]:
    """One thread and no denormals: the same sums in the same order whatever the machine's load or size."""
    threads = torch.get_num_threads()
    for dtype in (np.float32, np.float64):
        np.finfo(dtype)  # compiling asks for these limits, which warn when first computed without denormals
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.set_flush_denormal(False)
