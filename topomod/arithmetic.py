"""Arithmetic that does not depend on the machine's load or size."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


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
