"""A cloud in other components than those of its verdict's scale: fewer where noise has some, two where it is long."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from topomod.topology.complexes import MAX_ALPHA
from topomod.topology.denoise import PreparedCloud, prepare_cloud
from topomod.topology.noise_floor import n_above_noise

MIN_WIDTH = 1e-3  # of the first variance; an ellipse of 30 to 1
FINE_TAU = 0.04  # as in a verdict


def wide_view(
    X: Float[np.ndarray, "n m"],
    p: int | None,
    cloud: PreparedCloud,
    rng: np.random.Generator,
    fine_tau: float = FINE_TAU,
) -> PreparedCloud | None:
    """A cloud of one component with its width as a second one; None for any other: a long ellipse has two."""
    if cloud.rank != 1 or cloud.next_ratio < MIN_WIDTH:
        return None
    return prepare_cloud(X, p, tau=cloud.next_ratio, fine_tau=fine_tau, max_rank=2, rng=rng)


def view_above_noise(
    X: Float[np.ndarray, "n m"], cloud: PreparedCloud, rng: np.random.Generator, fine_tau: float = FINE_TAU
) -> PreparedCloud | None:
    """A cloud without group order in the two to four components that are more than noise; None where that is all."""
    signal = n_above_noise(X)
    if not 2 <= signal <= MAX_ALPHA or signal >= cloud.rank:
        return None
    return prepare_cloud(X, None, tau=0.0, fine_tau=fine_tau, max_rank=signal, rng=rng)
