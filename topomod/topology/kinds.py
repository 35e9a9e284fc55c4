"""Shapes whose topology is known, and how points are drawn from them.

:mod:`topomod.topology.more_kinds` has those that are easily mistaken for one another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

TrueLabel = Literal["disc", "circle", "torus", "other"]

TAU = 2 * np.pi


def unit(angle: np.ndarray) -> np.ndarray:
    """Points of the unit circle, (..., 2)."""
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


Draw = Callable[[np.ndarray, np.ndarray, float], np.ndarray]
FreeDraw = Callable[[np.random.Generator, int, float], np.ndarray]


@dataclass(frozen=True)
class Shape:
    """A shape and how to draw it.

    Parameters
    ----------
    label : {"disc", "circle", "torus", "other"}
        Homotopy type.
    draw : callable
        ``(a, b, ratio)`` angles of all pairs, or ``(rng, n_points, ratio)``, to points (n, k).
    graded : bool
        Whether ``ratio`` matters.
    also : tuple of str
        Labels that are right, too: a helix is contractible like a disc, and it is a curve and no disc.
    """

    label: TrueLabel
    draw: Callable[..., np.ndarray]
    graded: bool = False
    also: tuple[TrueLabel, ...] = ()


def _annulus(a: np.ndarray, b: np.ndarray, ratio: float) -> np.ndarray:
    return np.asarray(unit(a) + (1 - ratio) / (1 + ratio) * unit(b))


def _pinched(a: np.ndarray, b: np.ndarray, ratio: float) -> np.ndarray:
    return np.asarray((ratio + (1 - ratio) * np.abs(np.cos((a - b) / 2)))[:, None] * unit(a + b))


GROUP_SHAPES = {
    "vector sum": Shape("disc", lambda a, b, _: unit(a) + unit(b)),
    "pizza |cos|": Shape("disc", lambda a, b, _: _pinched(a, b, 0.0)),
    "circle a + b": Shape("circle", lambda a, b, _: unit(a + b)),
    "circle a": Shape("circle", lambda a, b, _: unit(a)),
    "unequal vector sum": Shape("circle", _annulus, graded=True),
    "pinched circle": Shape("circle", _pinched, graded=True),
    "torus a, b": Shape("torus", lambda a, b, ratio: np.hstack([unit(a), ratio * unit(b)]), graded=True),
    "segment cos a + cos b": Shape("other", lambda a, b, _: np.stack([np.cos(a) + np.cos(b), 0 * a], 1)),
}


def _disc(rng: np.random.Generator, n: int, _ratio: float) -> np.ndarray:
    return np.asarray(np.sqrt(rng.uniform(size=n))[:, None] * unit(TAU * rng.uniform(size=n)))


def _free_annulus(rng: np.random.Generator, n: int, ratio: float) -> np.ndarray:
    return np.asarray(np.sqrt(rng.uniform(ratio**2, 1, n))[:, None] * unit(TAU * rng.uniform(size=n)))


def _uneven_circle(rng: np.random.Generator, n: int, _ratio: float) -> np.ndarray:
    angle = TAU * rng.uniform(size=n)
    return unit(angle + 0.6 * np.sin(angle))


def _free_torus(rng: np.random.Generator, n: int, ratio: float) -> np.ndarray:
    u, v = TAU * rng.uniform(size=(2, n))
    return np.hstack([unit(u), ratio * unit(v)])


def _clusters(rng: np.random.Generator, n: int, _ratio: float) -> np.ndarray:
    return np.asarray(2 * np.eye(3)[rng.integers(0, 3, n)] + 0.1 * rng.standard_normal((n, 3)))


def _sphere(rng: np.random.Generator, n: int, _ratio: float) -> np.ndarray:
    x = rng.standard_normal((n, 3))
    return np.asarray(x / np.linalg.norm(x, axis=1)[:, None])


def _two_loops(distance: float) -> FreeDraw:
    def draw(rng: np.random.Generator, n: int, _ratio: float) -> np.ndarray:
        side = np.where(rng.uniform(size=n) < 0.5, distance, -distance)
        return np.asarray(unit(TAU * rng.uniform(size=n)) + np.stack([side, 0 * side], 1))

    return draw


def _three_torus(rng: np.random.Generator, n: int, _ratio: float) -> np.ndarray:
    return np.hstack([unit(angle) for angle in TAU * rng.uniform(size=(3, n))])


def _klein_bottle(rng: np.random.Generator, n: int, _ratio: float) -> np.ndarray:
    u, v = TAU * rng.uniform(size=(2, n))
    tube = 2 + np.cos(v)
    return np.hstack([tube[:, None] * unit(u), 1.5 * np.sin(v)[:, None] * unit(u / 2)])


def _moebius_band(rng: np.random.Generator, n: int, _ratio: float) -> np.ndarray:
    u, width = TAU * rng.uniform(size=n), rng.uniform(-0.5, 0.5, n)
    radius = 1 + width * np.cos(u / 2)
    return np.hstack([radius[:, None] * unit(u), (width * np.sin(u / 2))[:, None]])


FREE_SHAPES = {
    "disc": Shape("disc", _disc),
    "circle": Shape("circle", lambda rng, n, _: unit(TAU * rng.uniform(size=n))),
    "uneven circle": Shape("circle", _uneven_circle),
    "annulus": Shape("circle", _free_annulus, graded=True),
    "Moebius band": Shape("circle", _moebius_band),
    "torus": Shape("torus", _free_torus, graded=True),
    "segment": Shape("other", lambda rng, n, _: np.outer(rng.uniform(-1, 1, n), [1.0, 0.0])),
    "blob": Shape("other", lambda rng, n, _: rng.standard_normal((n, 3))),
    "clusters": Shape("other", _clusters),
    "sphere": Shape("other", _sphere),
    "figure eight": Shape("other", _two_loops(1.0)),
    "two circles": Shape("other", _two_loops(1.7)),
    "3-torus": Shape("other", _three_torus),
    "Klein bottle": Shape("other", _klein_bottle),
}
