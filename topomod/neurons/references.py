"""Ideal discs, circles and tori over the pairs of inputs."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

SHAPES = ("disc", "circle", "torus")


def reference_manifold(
    shape: str, p: int, frequency: int = 1, phase: float = 0.0, windings: tuple[int, ...] = (1, 1)
) -> Float[np.ndarray, "n k"]:
    """Coordinates of an ideal disc, circle or torus, rows in the order of ``a * p + b``.

    With ``t = 2 pi frequency / p``: the disc is ``exp(i t a) + exp(i (t b + phase))``, the circle
    ``exp(i (t (a + b) + phase))``, the torus ``(exp(i t a), exp(i (t b + phase)))``.

    Parameters
    ----------
    shape : {"disc", "circle", "torus"}
        Which one.
    p : int
        Modulus.
    frequency : int
        Cycles per p steps.
    phase : float
        Shift of b against a, radians.
    windings : tuple of int
        Turns (m, n) along a and b: m a and n b stand for a and b everywhere above. (1, -1) gives the manifolds of a
        network that subtracts b.

    Returns
    -------
    ndarray
        (p * p, 2), or (p * p, 4) for the torus.

    Raises
    ------
    ValueError
        If the shape is not known.

    References
    ----------
    arXiv 2512.25060.

    Examples
    --------
    >>> reference_manifold("torus", p=5).shape
    (25, 4)
    """
    angle = 2 * np.pi * frequency * np.arange(p) / p
    a, b = (grid.ravel() for grid in np.meshgrid(windings[0] * angle, windings[1] * angle + phase, indexing="ij"))
    if shape == "disc":
        return np.stack([np.cos(a) + np.cos(b), np.sin(a) + np.sin(b)], axis=1)
    if shape == "circle":
        return np.stack([np.cos(a + b), np.sin(a + b)], axis=1)
    if shape == "torus":
        return np.stack([np.cos(a), np.sin(a), np.cos(b), np.sin(b)], axis=1)
    raise ValueError(f"unknown shape {shape!r}; known shapes: {', '.join(SHAPES)}")
