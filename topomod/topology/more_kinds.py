"""Shapes that are easily mistaken for a disc, a circle or a torus, and discs, circles and tori that bend.

Each one stands for a kind: a closed surface that is no torus, a surface in space, a contractible set that bends, a
circle with a thick axis, a union with the Betti numbers of a torus, a curve, or an uneven density.
"""

from __future__ import annotations

import numpy as np

from topomod.topology.kinds import TAU, Shape, unit

MAX_KAPPA = 3.0  # of a von Mises density
BEND = 0.3
N_CLUSTERS = 8


def _columns(*columns: np.ndarray) -> np.ndarray:
    return np.stack(columns, axis=1)


def _directions(rng: np.random.Generator, n: int, dim: int) -> np.ndarray:
    x = rng.standard_normal((n, dim))
    return np.asarray(x / np.linalg.norm(x, axis=1)[:, None])


def revolve(u: np.ndarray, v: np.ndarray, ratio: float) -> np.ndarray:
    """Torus of revolution in space, radii 1 and ``ratio``."""
    return np.column_stack([(1 + ratio * np.cos(v))[:, None] * unit(u), ratio * np.sin(v)])


def _revolution_torus(rng: np.random.Generator, n: int, ratio: float) -> np.ndarray:
    u, v = TAU * rng.uniform(size=(2, n))
    return revolve(u, v, ratio)


def _bent_torus(rng: np.random.Generator, n: int, ratio: float) -> np.ndarray:
    points = _revolution_torus(rng, n, ratio)
    points[:, 2] += BEND * points[:, 0] ** 2
    return points


def _torus_in_five(rng: np.random.Generator, n: int, ratio: float) -> np.ndarray:
    points = _revolution_torus(rng, n, ratio)
    return np.column_stack([points, points[:, 0] * points[:, 1], points[:, 0] ** 2 - points[:, 1] ** 2])


def _uneven_torus(rng: np.random.Generator, n: int, ratio: float) -> np.ndarray:
    u, v = rng.vonmises(0, rng.uniform(0.5, MAX_KAPPA), n), rng.vonmises(0, rng.uniform(0, MAX_KAPPA), n)
    return np.hstack([unit(u), ratio * unit(v)])


def _projective_plane(rng: np.random.Generator, n: int, _ratio: float) -> np.ndarray:
    a, b, c = _directions(rng, n, 3).T
    return _columns(a * b, b * c, a * c, (a**2 - b**2) / 2, (a**2 + b**2 - 2 * c**2) / np.sqrt(12))


def _projective_plane_in_four(rng: np.random.Generator, n: int, _ratio: float) -> np.ndarray:
    a, b, c = _directions(rng, n, 3).T
    return _columns(a * b, b * c, a * c, a**2 - b**2)


def _projective_space(rng: np.random.Generator, n: int, _ratio: float) -> np.ndarray:
    w, x, y, z = _directions(rng, n, 4).T
    rows = [w * w + x * x - y * y - z * z, 2 * (x * y - w * z), 2 * (x * z + w * y)]
    rows += [2 * (x * y + w * z), w * w - x * x + y * y - z * z, 2 * (y * z - w * x)]
    rows += [2 * (x * z - w * y), 2 * (y * z + w * x), w * w - x * x - y * y + z * z]
    return np.stack(rows, axis=1)


def _circle_times_sphere(rng: np.random.Generator, n: int, _ratio: float) -> np.ndarray:
    return np.hstack([unit(TAU * rng.uniform(size=n)), _directions(rng, n, 3)])


def _double_torus(rng: np.random.Generator, n: int, _ratio: float) -> np.ndarray:
    tube = 0.25
    points = np.zeros((0, 3))
    while len(points) < n:
        x, y = rng.uniform(-1.3, 1.3, 4 * n), rng.uniform(-0.8, 0.8, 4 * n)
        height = tube**2 - (x**2 * (1.2 - x**2) - y**2) ** 2 / 0.5
        z = np.sqrt(np.maximum(height, 0)) * rng.choice([-1.0, 1.0], 4 * n)
        points = np.vstack([points, _columns(x, y, z)[height >= 0]])
    return points[:n]


def _cap(rng: np.random.Generator, n: int, _ratio: float) -> np.ndarray:
    z, angle = rng.uniform(rng.uniform(-0.7, 0.2), 1, n), TAU * rng.uniform(size=n)
    return np.column_stack([np.sqrt(1 - z**2)[:, None] * unit(angle), z])


def _flat_disc(rng: np.random.Generator, n: int) -> np.ndarray:
    return np.asarray(np.sqrt(rng.uniform(size=n))[:, None] * unit(TAU * rng.uniform(size=n)))


def _saddle(rng: np.random.Generator, n: int, _ratio: float) -> np.ndarray:
    x, y = _flat_disc(rng, n).T
    return _columns(x, y, rng.uniform(0.5, 1.5) * (x**2 - y**2))


def _roll(rng: np.random.Generator, n: int, _ratio: float) -> np.ndarray:
    angle = TAU * rng.uniform(0.5, rng.uniform(1.2, 2.0), n)
    return np.column_stack([(angle / TAU)[:, None] * unit(angle), rng.uniform(-1, 1, n)])


def _graph(rng: np.random.Generator, n: int, _ratio: float) -> np.ndarray:
    x, y = _flat_disc(rng, n).T
    height = np.sin(rng.uniform(1, 4) * x + rng.uniform(0, TAU)) + x * y + rng.uniform(-1, 1) * (x**2 + y**2)
    return _columns(x, y, height)


def _graph_in_five(rng: np.random.Generator, n: int, _ratio: float) -> np.ndarray:
    x, y = _flat_disc(rng, n).T
    return _columns(x, y, x * y, x**2 - y**2, x**3 + y**3)


def _cylinder(rng: np.random.Generator, n: int, _ratio: float) -> np.ndarray:
    axis = rng.standard_normal(n) if rng.uniform() < 0.5 else rng.uniform(-1.7, 1.7, n)
    return np.column_stack([unit(TAU * rng.uniform(size=n)), rng.uniform(0.3, 2) * axis])


def _two_axis_cylinder(rng: np.random.Generator, n: int, _ratio: float) -> np.ndarray:
    return np.hstack([unit(TAU * rng.uniform(size=n)), rng.uniform(0.5, 1) * rng.standard_normal((n, 2))])


def _wide_moebius_band(rng: np.random.Generator, n: int, _ratio: float) -> np.ndarray:
    u, width = TAU * rng.uniform(size=n), rng.uniform(0.7, 1.5) * rng.uniform(-1, 1, n)
    return np.hstack([unit(u), width[:, None] * unit(u / 2)])


def _solid_torus(rng: np.random.Generator, n: int, ratio: float) -> np.ndarray:
    u, v = TAU * rng.uniform(size=(2, n))
    tube = 0.6 * np.sqrt(rng.uniform(size=n)) * max(ratio, 0.5)
    return np.column_stack([(1 + tube * np.cos(v))[:, None] * unit(u), tube * np.sin(v)])


def _clusters_on_a_ring(rng: np.random.Generator, n: int, _ratio: float) -> np.ndarray:
    k = int(rng.integers(5, N_CLUSTERS + 5))
    spread = 0.08 * TAU / k
    return np.asarray(unit(TAU * rng.integers(0, k, n) / k) + spread * rng.standard_normal((n, 2)))


def _sphere_and_loops(rng: np.random.Generator, n: int, _ratio: float) -> np.ndarray:
    """A sphere with a circle through each of two of its points, in two planes."""
    points = _directions(rng, n, 3)
    which, turn = rng.uniform(size=n), unit(TAU * rng.uniform(size=n))
    circles = np.column_stack([turn[:, 0], turn[:, 1], 0 * which])
    points = np.where((which < 0.2)[:, None], circles + [2, 0, 0], points)
    return np.where((which > 0.8)[:, None], circles[:, [0, 2, 1]] - [2, 0, 0], points)


def _sphere_and_loops_in_six(rng: np.random.Generator, n: int, _ratio: float) -> np.ndarray:
    """The same with all three in coordinates of their own."""
    points, which = np.zeros((n, 7)), rng.uniform(size=n)
    turn = unit(TAU * rng.uniform(size=n)) + [1, 0]
    points[:, :3] = (which < 0.6)[:, None] * (_directions(rng, n, 3) + [1, 0, 0])
    points[:, 3:5] = ((which >= 0.6) & (which < 0.8))[:, None] * turn
    points[:, 5:] = (which >= 0.8)[:, None] * turn
    return points


def _sphere_and_loop(rng: np.random.Generator, n: int, _ratio: float) -> np.ndarray:
    points = _directions(rng, n, 3)
    circle = np.column_stack([unit(TAU * rng.uniform(size=n)) + [2, 0], np.zeros(n)])
    return np.where(rng.uniform(size=(n, 1)) < 0.25, circle, points)


def _three_loops(rng: np.random.Generator, n: int, _ratio: float) -> np.ndarray:
    """Three circles through one point, in three planes."""
    axis, turn = rng.integers(0, 3, n), unit(TAU * rng.uniform(size=n)) + [1, 0]
    points = np.zeros((n, 6))
    points[np.arange(n), 2 * axis], points[np.arange(n), 2 * axis + 1] = turn.T
    return points


def _skew_eight(rng: np.random.Generator, n: int, _ratio: float) -> np.ndarray:
    """Two circles through one point, in two planes of four dimensions."""
    first, turn = rng.uniform(size=(n, 1)) < 0.5, unit(TAU * rng.uniform(size=n)) + [1, 0]
    return np.hstack([first * turn, ~first * turn])


def _helix(rng: np.random.Generator, n: int, _ratio: float) -> np.ndarray:
    turns, t = rng.uniform(1.5, 4), rng.uniform(size=n)
    return np.column_stack([unit(TAU * turns * t), rng.uniform(1, 3) * t])


def _arc(rng: np.random.Generator, n: int, _ratio: float) -> np.ndarray:
    return unit(TAU * rng.uniform(0, rng.uniform(0.6, 0.9), n))


def _spiral(rng: np.random.Generator, n: int, _ratio: float) -> np.ndarray:
    angle = TAU * rng.uniform(0.3, rng.uniform(1.5, 2.5), n)
    return np.asarray(angle[:, None] * unit(angle))


def _long_ellipse(rng: np.random.Generator, n: int, _ratio: float) -> np.ndarray:
    return unit(TAU * rng.uniform(size=n)) * [rng.uniform(3, 12), 1]


def _trefoil(rng: np.random.Generator, n: int, _ratio: float) -> np.ndarray:
    t = TAU * rng.uniform(size=n)
    return _columns(np.sin(t) + 2 * np.sin(2 * t), np.cos(t) - 2 * np.cos(2 * t), -np.sin(3 * t))


def _wavy_circle(rng: np.random.Generator, n: int, _ratio: float) -> np.ndarray:
    t = TAU * rng.uniform(size=n)
    return np.hstack([unit(t), 0.8 * unit(2 * t), 0.6 * unit(3 * t)])


def _very_uneven_circle(rng: np.random.Generator, n: int, _ratio: float) -> np.ndarray:
    return unit(rng.vonmises(0, rng.uniform(1, MAX_KAPPA), n))


def _uneven_annulus(rng: np.random.Generator, n: int, ratio: float) -> np.ndarray:
    return np.asarray(
        np.sqrt(rng.uniform(ratio**2, 1, n))[:, None] * unit(rng.vonmises(0, rng.uniform(1, MAX_KAPPA), n))
    )


def _three_sphere(rng: np.random.Generator, n: int, _ratio: float) -> np.ndarray:
    return _directions(rng, n, 4)


def _cube_surface(rng: np.random.Generator, n: int, _ratio: float) -> np.ndarray:
    points = rng.uniform(-1, 1, (n, 3))
    points[np.arange(n), rng.integers(0, 3, n)] = rng.choice([-1.0, 1.0], n)
    return points


def _bent_sphere(rng: np.random.Generator, n: int, _ratio: float) -> np.ndarray:
    points = _directions(rng, n, 3)
    return np.column_stack([points, points[:, 0] * points[:, 1], points[:, 1] * points[:, 2]])


MORE_FREE_SHAPES = {
    "torus of revolution": Shape("torus", _revolution_torus, graded=True),
    "bent torus": Shape("torus", _bent_torus, graded=True),
    "torus in five dimensions": Shape("torus", _torus_in_five, graded=True),
    "uneven torus": Shape("torus", _uneven_torus, graded=True),
    "projective plane": Shape("other", _projective_plane),
    "projective plane in four dimensions": Shape("other", _projective_plane_in_four),
    "projective space": Shape("other", _projective_space),
    "circle times sphere": Shape("other", _circle_times_sphere),
    "double torus": Shape("other", _double_torus),
    "cap": Shape("disc", _cap),
    "saddle": Shape("disc", _saddle),
    "roll": Shape("disc", _roll),
    "graph of a function": Shape("disc", _graph),
    "graph in five dimensions": Shape("disc", _graph_in_five),
    "cylinder": Shape("circle", _cylinder),
    "cylinder with two axes": Shape("circle", _two_axis_cylinder),
    "wide Moebius band": Shape("circle", _wide_moebius_band),
    "solid torus": Shape("circle", _solid_torus, graded=True),
    "clusters on a ring": Shape("other", _clusters_on_a_ring),
    "sphere and two loops": Shape("other", _sphere_and_loops),
    "sphere and two loops in seven dimensions": Shape("other", _sphere_and_loops_in_six),
    "sphere and loop": Shape("other", _sphere_and_loop),
    "three loops": Shape("other", _three_loops),
    "skew figure eight": Shape("other", _skew_eight),
    "helix": Shape("disc", _helix, also=("other",)),
    "arc": Shape("disc", _arc, also=("other",)),
    "spiral": Shape("disc", _spiral, also=("other",)),
    "long ellipse": Shape("circle", _long_ellipse),
    "trefoil": Shape("circle", _trefoil),
    "wavy circle": Shape("circle", _wavy_circle),
    "very uneven circle": Shape("circle", _very_uneven_circle),
    "uneven annulus": Shape("circle", _uneven_annulus, graded=True),
    "three-sphere": Shape("other", _three_sphere),
    "cube surface": Shape("other", _cube_surface),
    "sphere in five dimensions": Shape("other", _bent_sphere),
}


def _bowl(a: np.ndarray, b: np.ndarray, _ratio: float) -> np.ndarray:
    flat = unit(a) + unit(b)
    return np.column_stack([flat, 0.6 * np.sum(flat**2, axis=1)])


MORE_GROUP_SHAPES = {
    "torus of revolution a, b": Shape("torus", revolve, graded=True),
    "bowl": Shape("disc", _bowl),
    "cylinder a, cos b": Shape("circle", lambda a, b, _: np.column_stack([unit(a), np.cos(b)])),
    "long ellipse a + b": Shape("circle", lambda a, b, _: unit(a + b) * [8.0, 1.0]),
    "sphere a, b": Shape("other", lambda a, b, _: np.column_stack([np.sin(b)[:, None] * unit(a), np.cos(b)])),
}
