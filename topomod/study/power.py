"""The stage power: how many circuits the margins ask for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from topomod.networks.labels import Label
from topomod.statistics.answer_power import answer_shares
from topomod.statistics.power import power_curve, required_networks
from topomod.statistics.questions import ANSWERS
from topomod.statistics.samples import MIN_NETWORKS
from topomod.study.comparisons import primary_question, sample_of
from topomod.study.config import Comparison
from topomod.study.endpoint_catalogue import ENDPOINTS

TRUTHS = (0.0, 0.5, 1.0, 1.5, 2.0)  # true differences in margins
SIZES = (10, 20, 40, 80, 160, 320)


def chosen_pair(study: Comparison, x: str, y: str) -> tuple[str, str] | None:
    """The two named architectures where both are named, else the pair that the study is about.

    Raises
    ------
    ValueError
        If one of the names is no architecture, or only one is given.
    """
    if bool(x) != bool(y):
        raise ValueError(f"--x and --y name an architecture each, found {x!r} and {y!r}")
    return (str(Label.parse(x)), str(Label.parse(y))) if x else study.compared_pair


def plan(
    endpoints: pd.DataFrame, settings: dict[str, Any], pair: tuple[str, str] | None, seed: int = 0
) -> pd.DataFrame:
    """What given numbers of circuits would show of each scalar endpoint, judged by a pilot of both architectures.

    The level of a primary endpoint is ``alpha`` divided by the number of primary endpoints of its question; Holm never
    asks for more. A secondary endpoint is planned at ``alpha``, as if it were the only primary endpoint of a question.
    Each number is that of the architecture that needs more circuits.

    Parameters
    ----------
    endpoints : DataFrame
        Those of the pilot, from :func:`topomod.study.endpoints.circuit_endpoints`.
    settings : dict
        ``alpha``, ``margins``, ``families`` and ``questions`` of the planned study.
    pair : tuple of str or None
        Two architectures, as from :func:`chosen_pair`.
    seed : int
        Seed of the simulations.

    Returns
    -------
    DataFrame
        Columns family, endpoint, title, margin, level, n_pilot, sd, n_equivalent, n_decided (NaN: more than
        the end of ``planning.CURVE``), and ``equivalent_<n>``, ``decided_<n>`` along ``planning.CURVE``; no rows
        where nothing is compared.
    """
    if pair is None:
        return pd.DataFrame(columns=["endpoint", "n_pilot"])
    asked = primary_question(settings, *pair)
    together = Counter(asked.values())
    rows = []
    for family, members in settings["families"].items():
        for name in (name for name in members if name in ENDPOINTS):
            level = settings["alpha"] / max(1, together[asked.get(name, "")])
            row = {"family": family, "endpoint": name, "title": ENDPOINTS[name].title, "level": level}
            rows.append(row | endpoint_plan(endpoints, name, pair, settings["margins"][name]["margin"], level, seed))
    return pd.DataFrame(rows)


def planned_answers(
    endpoints: pd.DataFrame,
    settings: dict[str, Any],
    pair: tuple[str, str] | None,
    sizes: Sequence[int] = SIZES,
    seed: int = 0,
) -> pd.DataFrame:
    """Share of studies with each answer on each scalar primary endpoint of a pair, at stated true differences.

    Parameters
    ----------
    endpoints, settings, pair, seed
        As in :func:`plan`.
    sizes : sequence of int
        Circuits of each architecture.

    Returns
    -------
    DataFrame
        Columns endpoint, title, margin, truth (true difference in margins), n, and one of each answer; NaN where the
        bounds of an endpoint exclude the difference. No rows from a pilot of fewer than 3 circuits or a table
        that was lost.
    """
    asked = primary_question(settings, *pair) if pair and len(endpoints) else {}
    together, rows = Counter(asked.values()), []
    for name in (name for name in asked if name in ENDPOINTS and pair):
        x, y = endpoint_pilots(endpoints, name, pair or ("", ""))
        margin, level = settings["margins"][name]["margin"], settings["alpha"] / together[asked[name]]
        common = {"endpoint": name, "title": ENDPOINTS[name].title, "margin": margin}
        for truth, n in product(TRUTHS, sizes if min(len(x), len(y)) >= MIN_NETWORKS else ()):
            shares = answer_shares(x, y, margin, n, truth * margin, level, seed, bounds=ENDPOINTS[name].bounds)
            rows.append(common | {"truth": truth, "n": n} | shares)
    return pd.DataFrame(rows, columns=["endpoint", "title", "margin", "truth", "n", *ANSWERS])


def endpoint_plan(
    endpoints: pd.DataFrame, name: str, pair: tuple[str, str], margin: float, level: float, seed: int = 0
) -> dict[str, float]:
    """One row of :func:`plan`: margin, n_pilot, and from three circuits on what given numbers of them would show."""
    pilots = endpoint_pilots(endpoints, name, pair)
    row = {"margin": margin, "n_pilot": min(map(len, pilots))}
    return row | (_planned(pilots, margin, level, ENDPOINTS[name].bounds, seed) if row["n_pilot"] >= 3 else {})


def endpoint_pilots(endpoints: pd.DataFrame, name: str, pair: tuple[str, str]) -> list[np.ndarray]:
    """Values of an endpoint in the converged circuits of both architectures."""
    kept = endpoints[endpoints["converged"] & endpoints["value"].notna() & (endpoints["endpoint"] == name)]
    return [sample_of(kept, label)["value"].to_numpy(float) for label in pair]


def _planned(
    pilots: Sequence[np.ndarray], margin: float, level: float, bounds: tuple[float, float] | None, seed: int
) -> dict[str, float]:
    curves = [power_curve(pilot, margin, level, seed, bounds=bounds) for pilot in pilots]
    row = {"sd": max(float(pilot.std(ddof=1)) for pilot in pilots)}
    for column, decided in (("n_equivalent", False), ("n_decided", True)):
        needed = [required_networks(curve, decided=decided) for curve in curves]
        row[column] = np.nan if None in needed else float(max(n for n in needed if n is not None))
    for points in zip(*curves, strict=True):
        row[f"equivalent_{points[0].n}"] = min(point.equivalent for point in points)
        row[f"decided_{points[0].n}"] = min(point.decided for point in points)
    return row
