"""Labelled point clouds: shapes whose topology is known, drawn with noise, densities and embeddings of many kinds.

:func:`topomod.classify_manifold` is calibrated on them and measured with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from topomod.topology.kinds import FREE_SHAPES, GROUP_SHAPES, TAU, TrueLabel
from topomod.topology.more_kinds import MORE_FREE_SHAPES, MORE_GROUP_SHAPES

Noise = Literal["gaussian", "heavy-tailed", "correlated"]
NOISES: tuple[Noise, ...] = ("gaussian", "heavy-tailed", "correlated")

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
        Name in ``ALL_GROUP_SHAPES`` or ``ALL_FREE_SHAPES``.
    label : {"disc", "circle", "torus", "other"}
        Its homotopy type, "other" for what is none of the three: a Moebius band is a circle.
    ratio : float
        Hole (annuli) or smaller radius (tori) over the largest radius; 1 for shapes without such a number.
    hole : float
        Radius of its hole, or of the narrower loop of a torus, over its root mean square radius. Both are taken before
        noise. It is 0 for a cloud without a hole.
    noise : float
        Largest standard deviation in any direction over the root mean square radius.
    right : tuple of str
        Labels that are right, ``label`` the first.
    """

    X: Float[np.ndarray, "n k"]
    p: int | None
    shape: str
    label: TrueLabel
    ratio: float
    hole: float
    noise: float
    right: tuple[TrueLabel, ...]

    @property
    def in_scope(self) -> bool:
        """Whether a verdict has to be right: hole and noise within the stated limits."""
        hidden = 0 < self.hole < IN_SCOPE_SIGMAS * self.noise
        return self.ratio >= IN_SCOPE_RATIO and self.noise <= IN_SCOPE_NOISE and not hidden


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


ALL_GROUP_SHAPES = GROUP_SHAPES | MORE_GROUP_SHAPES
ALL_FREE_SHAPES = FREE_SHAPES | MORE_FREE_SHAPES


def add_outliers(points: Float[np.ndarray, "n k"], share: float, rng: np.random.Generator) -> Float[np.ndarray, "n k"]:
    """Replace a share of the points by points drawn evenly from a box of one and a half times the cloud's extent."""
    n = round(share * len(points))
    if n:
        reach = 1.5 * np.abs(points).max(axis=0)
        points = points.copy()
        points[rng.choice(len(points), n, replace=False)] = rng.uniform(-reach, reach, (n, points.shape[1]))
    return points


def draw_cloud(
    shape: str,
    rng: np.random.Generator,
    *,
    size: int,
    ratio: float = 1.0,
    sigma: float = 0.0,
    noise: Noise = "gaussian",
    outliers: float = 0.0,
    n_features: int | None = None,
) -> LabelledCloud:
    """Draw one labelled cloud.

    Parameters
    ----------
    shape : str
        Name in ``ALL_GROUP_SHAPES`` (rows in group order) or ``ALL_FREE_SHAPES`` (independent points).
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
    outliers : float
        Share of the points that is replaced, as in :func:`add_outliers`.
    n_features : int, optional
        Default: 2 to 64, drawn.

    Raises
    ------
    KeyError
        For an unknown shape.
    """
    grouped = shape in ALL_GROUP_SHAPES
    kind = ALL_GROUP_SHAPES[shape] if grouped else ALL_FREE_SHAPES[shape]
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
    drawn = int(rng.integers(2, 65))
    spoilt = add_outliers(points, outliers, rng)
    X = unit * add_noise(spoilt, sigma, drawn if n_features is None else n_features, noise, rng)
    hole = _hole(kind.label, points, ratio)
    right = (kind.label, *kind.also)
    return LabelledCloud(X, size if grouped else None, shape, kind.label, ratio, hole, sigma, right)
