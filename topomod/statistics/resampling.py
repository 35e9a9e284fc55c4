"""Draws of networks with replacement, and p-values and quantiles from draws."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float

_BLOCK = 2_000_000  # numbers held at once


def count_p(n_extreme: np.ndarray | int, n_draws: int) -> np.ndarray:
    """Monte Carlo p-value that counts the observed data as one draw, so it is never zero."""
    return np.asarray((1 + np.asarray(n_extreme)) / (1 + n_draws))


def tail_quantile(draws: Float[np.ndarray, "n ..."], level: float, upper: bool) -> np.ndarray:
    """Quantile of the draws that is dual to `count_p`; infinite where there are too few draws for the level.

    A threshold beyond it has ``count_p <= level``; a threshold on it or inside has not.
    """
    k = int(np.floor(level * (len(draws) + 1) + 1e-9))
    if k == 0:
        return np.full(draws.shape[1:], np.inf if upper else -np.inf)
    index = len(draws) - k if upper else k - 1
    return np.asarray(np.partition(draws, index, axis=0)[index])


def blocks(n_values: int, n_resamples: int) -> Iterator[int]:
    """Sizes of blocks of resamples, whose sum is ``n_resamples``, so that a block fits into memory."""
    size = max(1, _BLOCK // n_values)
    for start in range(0, n_resamples, size):
        yield min(size, n_resamples - start)


def resampled_counts(n: int, n_resamples: int, rng: np.random.Generator) -> Float[np.ndarray, "r n"]:
    """How often each of n networks is drawn in each bootstrap sample."""
    drawn = rng.integers(n, size=(n_resamples, n)) + n * np.arange(n_resamples)[:, None]
    return np.bincount(drawn.ravel(), minlength=n * n_resamples).reshape(n_resamples, n).astype(float)
