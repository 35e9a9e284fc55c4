"""Clouds without structure that have the same spectrum as a given one: random rotations of it."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


def oriented_frame(columns: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n k"]:
    """Orthonormal columns that span the same as the given ones, k <= n.

    Their signs are those for which the frame of Gaussian columns has a uniformly random position.
    """
    q, r = np.linalg.qr(columns)
    return np.asarray(q * np.where(np.diag(r) < 0, -1.0, 1.0))


class Surrogates:
    """Random rotations of a cloud's rows, as vectors of n_points numbers, that keep its mean and covariance.

    A Gaussian cloud, whatever its covariance, is as likely as any rotation of it. With ``p`` the rotations also keep
    the power of each frequency f, the sum over its multiples -1, 0, 1 on both axes. They mix a, b, a + b and a - b.
    Random phases would be no null: one frequency draws an ellipse whatever its phase.

    Parameters
    ----------
    X : ndarray
        (n_points, n_features), with ``p`` in the order of ``a * p + b``.
    p : int, optional
        Modulus.
    """

    def __init__(self, X: Float[np.ndarray, "n m"], p: int | None = None) -> None:
        rows = X.astype(np.float64)
        self.mean = rows.mean(axis=0)
        self.blocks = np.zeros((len(rows), 0, 0)) if p is None else frequency_blocks(p)
        columns = self.blocks.reshape(len(rows), -1)
        self.coefficients = columns.T @ (rows - self.mean)
        rest = rows - self.mean - columns @ self.coefficients
        left, length, right = np.linalg.svd(rest, full_matrices=False)
        # as many directions as a rotation has room for: n less those of the mean and of the blocks
        rank = min(len(length), len(rows) - 1 - columns.shape[1])
        self.rest = length[:rank, None] * right[:rank]

    def draw(self, rng: np.random.Generator) -> Float[np.ndarray, "n m"]:
        """One random rotation of the cloud."""
        n, n_blocks, width = self.blocks.shape
        columns = self.blocks.reshape(n, -1)
        turned = self.coefficients.reshape(n_blocks, width, len(self.mean)).copy()
        for block in turned:
            block[:] = oriented_frame(rng.standard_normal((width, width))) @ block
        free = rng.standard_normal((n, len(self.rest)))
        free -= free.mean(axis=0)
        free -= columns @ (columns.T @ free)
        frame = oriented_frame(free)
        return np.asarray(self.mean + columns @ turned.reshape(columns.shape[1], len(self.mean)) + frame @ self.rest)


def frequency_blocks(p: int) -> Float[np.ndarray, "n f 8"]:
    """Orthonormal functions on Z_p x Z_p for each frequency f below p / 2: waves of f a, f b, f (a + b), f (a - b)."""
    a, b = (grid.ravel() for grid in np.meshgrid(np.arange(p), np.arange(p), indexing="ij"))
    f = np.arange(1, (p + 1) // 2)
    angle = 2 * np.pi / p * np.stack([a, b, a + b, a - b], axis=1)[:, None, :] * f[:, None]
    return np.asarray(np.concatenate([np.cos(angle), np.sin(angle)], axis=2) * (np.sqrt(2) / p))
