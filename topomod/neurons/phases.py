"""Where on Z_p x Z_p a neuron is largest: phase alignment distribution and torus distance."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from topomod.tasks.fourier import rebase


def argmax_pairs(preactivations: Float[np.ndarray, "p p n"], frequency: int = 1) -> Int[np.ndarray, "n 2"]:
    """Pair (a, b) at which each neuron of a group is largest, re-based so that its frequency counts as 1.

    The phase alignment distribution is the distribution of this pair for a random neuron of a random network.

    Parameters
    ----------
    preactivations : ndarray
        (p, p, n_neurons) of one group.
    frequency : int
        Frequency of the group. After both inputs are multiplied by it, similar phases are at neighbouring pairs.

    References
    ----------
    arXiv 2512.25060; re-basing: arXiv 2505.18266.
    """
    p = len(preactivations)
    flat = rebase(preactivations, frequency).reshape(p * p, -1).argmax(axis=0)
    return np.stack(np.unravel_index(flat, (p, p)), axis=1)


def centroid_pairs(preactivations: Float[np.ndarray, "p p n"], frequency: int = 1) -> Float[np.ndarray, "n 2"]:
    """Centre of mass (a, b) on the torus of each neuron of a group after the ReLU, re-based to frequency 1.

    The rectified pre-activations are the masses, and a centre is a mean direction along each circle. Where a neuron is
    a clean wave, its centre is at its largest value, as in `argmax_pairs`, but may lie between two pairs.

    Parameters
    ----------
    preactivations, frequency
        As in `argmax_pairs`.

    Returns
    -------
    ndarray
        (n_neurons, 2) in steps, in [0, p).
    """
    p = len(preactivations)
    mass = np.maximum(rebase(preactivations, frequency), 0)
    turn = np.exp(2j * np.pi * np.arange(p) / p)
    directions = np.stack([turn @ mass.sum(axis=1), turn @ mass.sum(axis=0)], axis=1)
    return np.asarray(np.angle(directions) * p / (2 * np.pi) % p)


def torus_distance(pairs: Int[np.ndarray, "n 2"], p: int) -> Int[np.ndarray, " n"]:
    """Steps of one in a or b from (a, b) to the diagonal a = b of the discrete torus.

    Uniform pairs have mean ``(p**2 - 1) / (4 p)`` for odd p.

    Examples
    --------
    >>> torus_distance(np.array([[0, 58], [7, 7], [0, 20]]), p=59)
    array([ 1,  0, 20])
    """
    gap = (pairs[:, 0] - pairs[:, 1]) % p
    return np.asarray(np.minimum(gap, p - gap))
