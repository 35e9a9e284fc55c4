"""How often a cloud of given size, noise and dimension would have been labelled rightly, before anyone measures it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np

from topomod.notebook import Shown

TABLE = "detectable.json"  # written by `python benchmarks/verdicts.py --read ... --export`
MIN_POINTS, MAX_POINTS = 10, 50_000
MAX_NOISE = 0.2
MAX_FEATURES = 100
N_NEAREST = 12
# one unit of distance: a factor of two in points, a noise of 0.03 rms, a factor of two in features
NOISE_UNIT = 0.03


@dataclass(frozen=True)
class Detectability(Shown):
    """What happened to labelled clouds that were like the one asked for.

    Parameters
    ----------
    right, uncertain : float
        Shares of the clouds that got a right label, and of those that got none, 0..1.
    low, high : float
        95 % interval of ``right`` (Clopper and Pearson).
    n_clouds : int
        Number of clouds.
    points, noise, features : (float, float)
        Least and largest value among these clouds.
    """

    right: float
    uncertain: float
    low: float
    high: float
    n_clouds: int
    points: tuple[float, float]
    noise: tuple[float, float]
    features: tuple[float, float]


def detectable(n: int, dimension: int, noise: float, shape: str) -> Detectability:
    """Say how often clouds of a known shape, of about this size, dimension and noise, were labelled rightly.

    They are the 12 most similar clouds of that shape among the judged draws of ``docs/verdicts.md``. Nothing is
    extrapolated: the ranges of these clouds are part of the answer.

    Parameters
    ----------
    n : int
        Number of points, 10 to 50000; p * p for a cloud in group order.
    dimension : int
        Number of features, 2 to 100.
    noise : float
        Standard deviation of the noise per feature over the cloud's root mean square radius, 0 to 0.2.
    shape : str
        A name of ``shapes``; the error for an unknown one lists them.

    Returns
    -------
    Detectability

    Raises
    ------
    ValueError
        For an unknown shape, or a number outside the ranges that were measured.

    References
    ----------
    Clopper and Pearson (1934), Biometrika 26, 404-413.

    Examples
    --------
    >>> detectable(3000, 10, 0.02, "circle").right > 0.5
    True
    """
    table = _draws()
    if shape not in table:
        raise ValueError(f"shape must be one of {', '.join(sorted(table))}, found {shape!r}")
    limits = {
        "n": (n, MIN_POINTS, MAX_POINTS),
        "dimension": (dimension, 2, MAX_FEATURES),
        "noise": (noise, 0, MAX_NOISE),
    }
    for name, (value, low, high) in limits.items():
        if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not low <= value <= high:
            raise ValueError(f"{name} must be a number from {low} to {high}, found {value!r}")
    draws = table[shape]
    offsets = [np.log2(draws["n"] / n), (draws["noise"] - noise) / NOISE_UNIT, np.log2(draws["features"] / dimension)]
    near = np.argsort(np.sum(np.square(offsets), axis=0), kind="stable")[:N_NEAREST]
    return _detectability({name: values[near] for name, values in draws.items()})


def _detectability(draws: dict[str, np.ndarray]) -> Detectability:
    from scipy.stats import beta

    hits, n = int(draws["right"].sum()), len(draws["right"])
    ranges = [(float(draws[name].min()), float(draws[name].max())) for name in ("n", "noise", "features")]
    return Detectability(
        right=hits / n,
        uncertain=float(1 - draws["said"].mean()),
        low=float(beta.ppf(0.025, hits, n - hits + 1)) if hits else 0.0,
        high=float(beta.ppf(0.975, hits + 1, n - hits)) if hits < n else 1.0,
        n_clouds=n,
        points=ranges[0],
        noise=ranges[1],
        features=ranges[2],
    )


@lru_cache(maxsize=1)
def _draws() -> dict[str, dict[str, np.ndarray]]:
    """Judged draws of each shape: points, noise, features, whether a label was given, and whether it was right."""
    table: dict[str, dict[str, list[Any]]] = json.loads((files("topomod.topology") / TABLE).read_text("utf-8"))
    return {shape: {name: np.array(values) for name, values in own.items()} for shape, own in table.items()}
