"""Labelled point clouds: shapes whose topology is known, drawn with noise, densities and embeddings of many kinds.

:func:`topomod.classify_manifold` is calibrated on them and measured with them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

TrueLabel = Literal["disc", "circle", "torus", "other"]
Noise = Literal["gaussian", "heavy-tailed", "correlated"]
NOISES: tuple[Noise, ...] = ("gaussian", "heavy-tailed", "correlated")

TAU = 2 * np.pi
IN_SCOPE_RATIO = 0.2  # smallest hole, or tube, over the largest radius that a verdict has to get right
IN_SCOPE_NOISE = 0.1
IN_SCOPE_SIGMAS = 4.0


@dataclass(frozen=True)
class LabelledCloud:
    """A cloud and the truth about it.

    Parameters
    ----------
    X : ndarray
        (n_points, n_features).
    p : int or None
        Modulus where rows are in group order.
    shape : str
        Name in ``GROUP_SHAPES`` or ``FREE_SHAPES``.
    label : {"disc", "circle", "torus", "other"}
        Its homotopy type, "other" for what is none of the three: a Moebius band is a circle.
    ratio : float
        Hole (annuli) or smaller radius (tori) over the largest radius; 1 for shapes without such a number.
    hole : float
        Radius of its hole, or of the narrower loop of a torus, over its root mean square radius. Both are taken before
        noise. It is 0 for a cloud without a hole.
    noise : float
        Largest standard deviation in any direction over the root mean square radius.
    """

    X: Float[np.ndarray, "n k"]
    p: int | None
    shape: str
    label: TrueLabel
    ratio: float
    hole: float
    noise: float

    @property
    def in_scope(self) -> bool:
        """Whether a verdict has to be right: hole and noise within the stated limits."""
        hidden = 0 < self.hole < IN_SCOPE_SIGMAS * self.noise
        return self.ratio >= IN_SCOPE_RATIO and self.noise <= IN_SCOPE_NOISE and not hidden


def _unit(angle: np.ndarray) -> np.ndarray:
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
    """

    label: TrueLabel
    draw: Callable[..., np.ndarray]
    graded: bool = False


def _annulus(a: np.ndarray, b: np.ndarray, ratio: float) -> np.ndarray:
    return np.asarray(_unit(a) + (1 - ratio) / (1 + ratio) * _unit(b))


def _pinched(a: np.ndarray, b: np.ndarray, ratio: float) -> np.ndarray:
    return np.asarray((ratio + (1 - ratio) * np.abs(np.cos((a - b) / 2)))[:, None] * _unit(a + b))


GROUP_SHAPES = {
    "vector sum": Shape("disc", lambda a, b, _: _unit(a) + _unit(b)),
    "pizza |cos|": Shape("disc", lambda a, b, _: _pinched(a, b, 0.0)),
    "circle a + b": Shape("circle", lambda a, b, _: _unit(a + b)),
    "circle a": Shape("circle", lambda a, b, _: _unit(a)),
    "unequal vector sum": Shape("circle", _annulus, graded=True),
    "pinched circle": Shape("circle", _pinched, graded=True),
    "torus a, b": Shape("torus", lambda a, b, ratio: np.hstack([_unit(a), ratio * _unit(b)]), graded=True),
    "segment cos a + cos b": Shape("other", lambda a, b, _: np.stack([np.cos(a) + np.cos(b), 0 * a], 1)),
}


def _disc(rng: np.random.Generator, n: int, _ratio: float) -> np.ndarray:
    return np.asarray(np.sqrt(rng.uniform(size=n))[:, None] * _unit(TAU * rng.uniform(size=n)))


def _free_annulus(rng: np.random.Generator, n: int, ratio: float) -> np.ndarray:
    return np.asarray(np.sqrt(rng.uniform(ratio**2, 1, n))[:, None] * _unit(TAU * rng.uniform(size=n)))


def _uneven_circle(rng: np.random.Generator, n: int, _ratio: float) -> np.ndarray:
    angle = TAU * rng.uniform(size=n)
    return _unit(angle + 0.6 * np.sin(angle))


def _free_torus(rng: np.random.Generator, n: int, ratio: float) -> np.ndarray:
    u, v = TAU * rng.uniform(size=(2, n))
    return np.hstack([_unit(u), ratio * _unit(v)])


def _clusters(rng: np.random.Generator, n: int, _ratio: float) -> np.ndarray:
    return np.asarray(2 * np.eye(3)[rng.integers(0, 3, n)] + 0.1 * rng.standard_normal((n, 3)))


def _sphere(rng: np.random.Generator, n: int, _ratio: float) -> np.ndarray:
    x = rng.standard_normal((n, 3))
    return np.asarray(x / np.linalg.norm(x, axis=1)[:, None])


def _two_loops(distance: float) -> FreeDraw:
    def draw(rng: np.random.Generator, n: int, _ratio: float) -> np.ndarray:
        side = np.where(rng.uniform(size=n) < 0.5, distance, -distance)
        return np.asarray(_unit(TAU * rng.uniform(size=n)) + np.stack([side, 0 * side], 1))

    return draw


def _three_torus(rng: np.random.Generator, n: int, _ratio: float) -> np.ndarray:
    return np.hstack([_unit(angle) for angle in TAU * rng.uniform(size=(3, n))])


def _klein_bottle(rng: np.random.Generator, n: int, _ratio: float) -> np.ndarray:
    u, v = TAU * rng.uniform(size=(2, n))
    tube = 2 + np.cos(v)
    return np.hstack([tube[:, None] * _unit(u), 1.5 * np.sin(v)[:, None] * _unit(u / 2)])


def _moebius_band(rng: np.random.Generator, n: int, _ratio: float) -> np.ndarray:
    u, width = TAU * rng.uniform(size=n), rng.uniform(-0.5, 0.5, n)
    radius = 1 + width * np.cos(u / 2)
    return np.hstack([radius[:, None] * _unit(u), (width * np.sin(u / 2))[:, None]])


FREE_SHAPES = {
    "disc": Shape("disc", _disc),
    "circle": Shape("circle", lambda rng, n, _: _unit(TAU * rng.uniform(size=n))),
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


def _hole(label: TrueLabel, points: np.ndarray, ratio: float) -> float:
    """Radius of the hole, of the narrower loop of a torus, over the root mean square radius; 0 for other shapes."""
    if label == "torus":
        return float(ratio / np.sqrt(1 + ratio**2))
    return float(np.linalg.norm(points[:, :2], axis=1).min()) if label == "circle" else 0.0


def add_noise(
    points: Float[np.ndarray, "n k"], sigma: float, n_features: int, kind: Noise, rng: np.random.Generator
) -> Float[np.ndarray, "n m"]:
    """Embed a cloud of unit rms radius by a random isometry into ``n_features`` dimensions and add noise.

    No direction gets noise of more than ``sigma``. Gaussian and heavy-tailed noise is the same in all directions; the
    latter is Student's t with 5 degrees of freedom. Correlated noise is ``sigma`` in a quarter of the directions, drawn
    at random, and a third of that in the others.
    """
    n, k = points.shape
    m = max(n_features, k)
    frame = np.linalg.qr(rng.standard_normal((m, k)))[0]
    if kind == "heavy-tailed":
        noise = rng.standard_t(5, (n, m)) / np.sqrt(5 / 3)
    elif kind == "correlated":
        strong = np.where(np.arange(m) < max(1, m // 4), 1.0, 1 / 3)
        noise = (rng.standard_normal((n, m)) * strong) @ np.linalg.qr(rng.standard_normal((m, m)))[0].T
    else:
        noise = rng.standard_normal((n, m))
    return np.asarray(points @ frame.T + sigma * noise)


def draw_cloud(
    shape: str,
    rng: np.random.Generator,
    *,
    size: int,
    ratio: float = 1.0,
    sigma: float = 0.0,
    noise: Noise = "gaussian",
) -> LabelledCloud:
    """Draw one labelled cloud.

    Parameters
    ----------
    shape : str
        Name in ``GROUP_SHAPES`` (rows in group order) or ``FREE_SHAPES`` (independent points).
    rng : numpy.random.Generator
        Draws frequency, phase, points, embedding, noise and unit.
    size : int
        Modulus p, respectively number of points.
    ratio : float
        In (0, 1], for the graded shapes.
    sigma : float
        Noise in its strongest direction over the cloud's rms radius.
    noise : {"gaussian", "heavy-tailed", "correlated"}
        As in :func:`add_noise`.

    Raises
    ------
    KeyError
        For an unknown shape.
    """
    grouped = shape in GROUP_SHAPES
    kind = GROUP_SHAPES[shape] if grouped else FREE_SHAPES[shape]
    ratio = ratio if kind.graded else 1.0
    if grouped:
        angle = TAU * int(rng.integers(1, size // 2 + 1)) * np.arange(size) / size
        a, b = (grid.ravel() for grid in np.meshgrid(angle, angle + rng.uniform(0, TAU), indexing="ij"))
        points = kind.draw(a, b, ratio)
    else:
        points = kind.draw(rng, size, ratio)
    points = points - points.mean(0)
    points = points / np.sqrt(np.mean(np.sum(points**2, axis=1)))
    unit = 10.0 ** rng.uniform(-3, 3)
    X = unit * add_noise(points, sigma, int(rng.integers(2, 65)), noise, rng)
    hole = _hole(kind.label, points, ratio)
    return LabelledCloud(X, size if grouped else None, shape, kind.label, ratio, hole, sigma)
