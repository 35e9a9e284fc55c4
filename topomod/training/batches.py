"""Which pairs a step sees: the training pairs in random batches, shuffled again whenever all have been used."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int


@dataclass(frozen=True)
class Batch:
    """Pairs of one step, ordered by ``a``, and their shares of the loss. The shares sum to one."""

    a: Int[np.ndarray, " n"]
    b: Int[np.ndarray, " n"]
    shares: Float[np.ndarray, " n"]


class Batches:
    """One circuit's training pairs, batch by batch.

    Parameters
    ----------
    mask : ndarray
        (p, p) bool, True where (a, b) is trained on.
    symmetric : bool
        Whether the network cannot tell (a, b) from (b, a): one then stands for both.
    n_batches : int
        Batches that together hold every training pair once; 1 is full batch.
    rng : numpy.random.Generator
        The generator that shuffles the pairs.

    Raises
    ------
    ValueError
        If there are more batches than pairs.
    """

    def __init__(
        self, mask: Bool[np.ndarray, "p p"], symmetric: bool, n_batches: int, rng: np.random.Generator
    ) -> None:
        count = mask.astype(np.float64)
        if symmetric:
            count = np.triu(count) + np.tril(count, -1).T
        self._a, self._b = np.nonzero(count)
        self._count = count[self._a, self._b]
        if not 1 <= n_batches <= len(self._a):
            raise ValueError(
                f"batches must be in 1..{len(self._a)}, the pairs there are to train on, found {n_batches}"
            )
        self._n_batches, self._rng = n_batches, rng
        self._unused: list[Batch] = []

    def next(self) -> Batch:
        """The next step's batch."""
        if not self._unused:
            order = self._rng.permutation(len(self._a))
            self._unused = [self._batch(np.sort(part)) for part in np.array_split(order, self._n_batches)]
        # a full batch is the same at every step, whatever the order it was drawn in
        return self._unused[0] if self._n_batches == 1 else self._unused.pop()

    def _batch(self, chosen: np.ndarray) -> Batch:
        count = self._count[chosen]
        return Batch(self._a[chosen], self._b[chosen], count / count.sum())
