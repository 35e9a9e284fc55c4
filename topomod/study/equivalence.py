"""Every pair of architectures on every endpoint: tests, families, verdicts, and what more circuits would show."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from topomod.statistics.diagram_equivalence import diagram_equivalence_test
from topomod.statistics.equivalence import EquivalenceResult, adjust_family, equivalence_test
from topomod.statistics.kernels import TORUS_BANDWIDTHS, torus_embedding
from topomod.statistics.mmd import mmd_equivalence_test
from topomod.study.config import Comparison
from topomod.study.endpoint_catalogue import ENDPOINTS, POPULATIONS, Population, all_endpoints
from topomod.study.population import read_diagrams, strongest_groups
from topomod.study.shards import StudyFolder
from topomod.study.stored import check_stored
from topomod.study.tables import KEY, circuit_diagrams, read_tables
from topomod.tasks.catalogue import parse_task
from topomod.tasks.task import Task

DIAGRAM_BANDWIDTHS = (0.125, 0.25, 0.5, 1.0)  # rms units; a margin that is fixed beforehand needs fixed bandwidths
_MISSING = dict.fromkeys((*EquivalenceResult.__dataclass_fields__,), np.nan)


def compare_study(folder: StudyFolder, study: Comparison) -> pd.DataFrame:
    """:func:`verdict_table` of a study whose table of endpoints is there.

    Raises
    ------
    ValueError
        If circuits were trained by other settings, or a table is missing or corrupt.
    """
    check_stored(folder, study)
    groups, phases = (read_tables(folder.shard_tables(name, study.shards())) for name in ("groups", "phases"))
    bars = read_diagrams(folder.shard_tables("diagrams", study.shards()), strongest_groups(groups))
    populations = {"phases": phases, "diagrams": bars}
    return verdict_table(read_tables([folder.table("endpoints")]), study.model_dump(), populations=populations)


def verdict_table(
    endpoints: pd.DataFrame,
    settings: dict[str, Any],
    seed: int = 0,
    populations: Mapping[str, pd.DataFrame] | None = None,
) -> pd.DataFrame:
    """Every pair of architectures on every endpoint, and both controls.

    Tests are adjusted by Holm within one pair and one family. Only converged circuits count.

    Parameters
    ----------
    endpoints : DataFrame
        From :func:`topomod.study.endpoints.circuit_endpoints`.
    settings : dict
        ``p``, ``architectures``, ``alpha``, ``margins``, ``families`` and controls of the study.
    seed : int
        For the resampling.
    populations : mapping of str to DataFrame, optional
        Rows of each kind of :data:`topomod.study.endpoint_catalogue.POPULATIONS`: neurons (columns a, b) and bars
        (site, birth, death), with the circuit's key. Without them those endpoints are not tested, and their
        rows say so.

    Returns
    -------
    DataFrame
        One row per comparison and endpoint.
    """
    titles = all_endpoints()
    converged = endpoints[endpoints["converged"]]
    kept = converged[converged["value"].notna()]
    circuits = converged[KEY].drop_duplicates()
    rows, tasks = [], written_tasks(settings)
    for role, x_name, y_name in comparisons(settings):
        x_rows, y_rows = sample_of(kept, x_name), sample_of(kept, y_name)
        pair = [sample_of(circuits, name) for name in (x_name, y_name)]
        symmetry = tasks[x_name.partition("#")[0]].symmetry
        order = symmetry.n if symmetry else settings["p"]
        for family, names in settings["families"].items():
            for name in names:
                declared = settings["margins"][name]
                common = {"role": role, "x": x_name, "y": y_name, "family": family, "endpoint": name}
                common |= {"title": titles[name].title, "margin_reason": declared["reason"]}
                if name in ENDPOINTS:
                    x, y = (own.loc[own["endpoint"] == name, "value"].to_numpy() for own in (x_rows, y_rows))
                    row = _scalar_row(x, y, declared["margin"], settings["alpha"], seed, ENDPOINTS[name].bounds)
                else:
                    table = (populations or {}).get(POPULATIONS[name].kind)
                    row = _population_row(name, table, pair, declared["margin"], settings | {"p": order}, seed)
                rows.append(common | row)
    if not rows:
        return pd.DataFrame(columns=["role", "x", "y", "family", "endpoint", "verdict"])
    return adjust_family(pd.DataFrame(rows), ["x", "y", "family"], settings["alpha"])


def comparisons(settings: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Role and names of all comparisons; ``name#even`` and ``name#odd`` are halves of one architecture.

    Architectures that learnt different tasks are compared only as a positive control.
    """
    positive, tasks = set(settings["positive_control"] or ()), written_tasks(settings)
    pairs = [
        ("positive control" if positive == {x, y} else "pair", x, y)
        for x, y in combinations(settings["architectures"], 2)
        if positive == {x, y} or tasks[x] == tasks[y]
    ]
    half = settings["negative_control"]
    return [*pairs, ("negative control", f"{half}#even", f"{half}#odd")] if half else pairs


def written_tasks(settings: dict[str, Any]) -> dict[str, Task]:
    """Task of each architecture of a study's settings."""
    variants = {"": settings} | settings.get("variants", {})
    own = {name: variants.get(name.partition("@")[2], settings) for name in settings["architectures"]}
    return {name: parse_task(one.get("task", "addition"), one["p"]) for name, one in own.items()}


def main_comparison(
    names: Sequence[tuple[str, str, str]], main_pair: Sequence[str] | None
) -> tuple[str, str, str] | None:
    """The comparison a study is about: its ``main_pair`` if it has both, else the first that is no control."""
    named = (one for one in names if set(one[1:]) == set(main_pair or ()))
    return next(named, next((one for one in names if one[0] == "pair"), None))


def sample_of(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """Rows of an architecture, or of half of its seeds."""
    label, _, half = name.partition("#")
    own = rows[rows["architecture"] == label]
    return own if not half else own[own["seed"] % 2 == (half == "odd")]


def _scalar_row(
    x: np.ndarray, y: np.ndarray, margin: float, alpha: float, seed: int, bounds: tuple[float, float] | None
) -> dict[str, Any]:
    means = {"mean_x": x.mean() if len(x) else np.nan, "mean_y": y.mean() if len(y) else np.nan}

    def test() -> Any:
        return equivalence_test(x, y, margin, alpha=alpha, seed=seed, bounds=bounds)

    return means | _tested(test, margin, alpha, len(x), len(y))


def _tested(test: Callable[[], Any], margin: float, alpha: float, n_x: int, n_y: int) -> dict[str, Any]:
    try:
        found = vars(test())
    except ValueError as error:
        known = {"margin": margin, "alpha": alpha, "n_x": n_x, "n_y": n_y, "verdict": "inconclusive"}
        return _MISSING | known | {"method": "none", "note": str(error)}
    return _MISSING | {key: value for key, value in found.items() if key in _MISSING} | {"note": ""}


def _population_row(
    name: str,
    table: pd.DataFrame | None,
    pair: Sequence[pd.DataFrame],
    margin: float,
    settings: dict[str, Any],
    seed: int,
) -> dict[str, Any]:
    endpoint, alpha = POPULATIONS[name], settings["alpha"]

    def test() -> Any:
        if table is None or table.empty:
            raise ValueError(f"no {endpoint.kind} were given")
        if endpoint.kind == "diagrams":
            first, second = (list(diagrams_of(table, own, endpoint).values()) for own in pair)
            return diagram_equivalence_test(
                first, second, margin, alpha=alpha, seed=seed, bandwidths=DIAGRAM_BANDWIDTHS
            )
        (X, groups_x), (Y, groups_y) = (phase_sample(table, own, settings["p"], endpoint.columns) for own in pair)
        return mmd_equivalence_test(
            X, Y, margin, groups_x, groups_y, alpha=alpha, seed=seed, bandwidths=TORUS_BANDWIDTHS
        )

    means = {"mean_x": np.nan, "mean_y": np.nan}
    return means | _tested(test, margin, alpha, len(pair[0]), len(pair[1]))


def phase_sample(
    phases: pd.DataFrame, circuits: pd.DataFrame, p: int, columns: tuple[str, str]
) -> tuple[np.ndarray, np.ndarray]:
    """Phases of the neurons of some circuits on the torus embedding (n, 4), and each neuron's circuit.

    Centroids are moved to the nearest pair; argmaxima are pairs already. The move is less than the narrowest bandwidth.
    The kernel is then computed once for each pair instead of for tens of thousands of neurons.
    """
    own = phases.merge(circuits, on=KEY)
    angles = 2 * np.pi * (np.round(own[[*columns]].to_numpy(float)) % p) / p
    return torus_embedding(angles), own.groupby(KEY, sort=False).ngroup().to_numpy()


def diagrams_of(bars: pd.DataFrame, circuits: pd.DataFrame, endpoint: Population) -> dict[Any, np.ndarray]:
    """H1 diagram (n_pairs, 2) at the endpoint's site of each circuit, empty where no bar was stored."""
    found = circuit_diagrams(bars, str(endpoint.site))
    return {key: found.get(key, np.zeros((0, 2))) for key in circuits[KEY].itertuples(index=False, name=None)}
