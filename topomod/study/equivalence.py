"""Every pair of architectures on every endpoint: tests, their adjustment, and a word for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from topomod.statistics.clusters import correlation_clusters, correlations
from topomod.statistics.diagram_equivalence import diagram_equivalence_test
from topomod.statistics.equivalence import EquivalenceResult, equivalence_test, verdict_of
from topomod.statistics.families import adjust_family, holm
from topomod.statistics.kernels import TORUS_BANDWIDTHS, torus_embedding
from topomod.statistics.mmd import mmd_equivalence_test
from topomod.statistics.questions import answer_of
from topomod.study.comparisons import comparisons, primary_question, sample_of, written_tasks
from topomod.study.config import Comparison
from topomod.study.endpoint_catalogue import ENDPOINTS, POPULATIONS, Population, all_endpoints
from topomod.study.population import read_diagrams, strongest_groups
from topomod.study.shards import StudyFolder
from topomod.study.stored import check_stored
from topomod.study.tables import KEY, circuit_diagrams, read_tables

DIAGRAM_BANDWIDTHS = (0.125, 0.25, 0.5, 1.0)  # rms units; a margin that is fixed beforehand needs fixed bandwidths
_MISSING = dict.fromkeys((*EquivalenceResult.__dataclass_fields__,), np.nan)


def compare_study(folder: StudyFolder, study: Comparison, endpoints: Path) -> pd.DataFrame:
    """:func:`verdict_table` of a study whose table of endpoints is there.

    Parameters
    ----------
    folder : StudyFolder
        Of the circuits.
    study : Comparison
        As it stands at the look that is made.
    endpoints : Path
        Its table of endpoints.

    Raises
    ------
    ValueError
        If circuits were trained by other settings, or a table is missing or corrupt.
    """
    check_stored(folder, study)
    groups, phases = (read_tables(folder.shard_tables(name, study.shards())) for name in ("groups", "phases"))
    bars = read_diagrams(folder.shard_tables("diagrams", study.shards()), strongest_groups(groups))
    populations = {"phases": phases, "diagrams": bars}
    return verdict_table(read_tables([endpoints]), study.model_dump(), populations=populations)


def verdict_table(
    endpoints: pd.DataFrame,
    settings: dict[str, Any],
    seed: int = 0,
    populations: Mapping[str, pd.DataFrame] | None = None,
) -> pd.DataFrame:
    """Every pair of architectures on every endpoint, and both controls.

    The primary endpoints of a question are adjusted by Holm within it, and their equivalences are not: together they
    show sameness only if each does. All other endpoints of a comparison are secondary, and are adjusted together. Only
    converged circuits count. Intervals have the level at which they say what the adjusted test says
    (`level_equivalence`, `level_difference`).

    Parameters
    ----------
    endpoints : DataFrame
        From :func:`topomod.study.endpoints.circuit_endpoints`.
    settings : dict
        ``p``, ``architectures``, ``alpha``, ``margins``, ``families``, ``questions`` and controls of the study.
    seed : int
        For the resampling.
    populations : mapping of str to DataFrame, optional
        Rows of each kind of :data:`topomod.study.endpoint_catalogue.POPULATIONS`: neurons (columns a, b) and bars
        (site, birth, death), with the circuit's key. Without them those endpoints are not tested, and their
        rows say so.

    Returns
    -------
    DataFrame
        One row per comparison and endpoint. ``answer`` is one of :data:`topomod.statistics.questions.ANSWERS`;
        ``small_difference`` marks sameness where a difference was found; ``cluster`` numbers endpoints that go together
        over the circuits of the two samples (NaN for distributions, and for what does not vary).
    """
    titles = all_endpoints()
    converged = endpoints[endpoints["converged"]]
    kept = converged[converged["value"].notna()]
    circuits = converged[KEY].drop_duplicates()
    rows, tasks = [], written_tasks(settings)
    runs: list[Callable[..., dict[str, Any]]] = []
    for role, x_name, y_name in comparisons(settings):
        x_rows, y_rows = sample_of(kept, x_name), sample_of(kept, y_name)
        pair = [sample_of(circuits, name) for name in (x_name, y_name)]
        symmetry = tasks[x_name.partition("#")[0]].symmetry
        order = symmetry.n if symmetry else settings["p"]
        asked = primary_question(settings, x_name, y_name)
        cluster = endpoint_clusters(pd.concat([x_rows, y_rows]))
        for family, names in settings["families"].items():
            for name in names:
                declared = settings["margins"][name]
                common = {"role": role, "x": x_name, "y": y_name, "family": family, "endpoint": name}
                common |= {"title": titles[name].title, "margin_reason": declared["reason"]}
                common |= {"question": asked.get(name, ""), "cluster": cluster.get(name, np.nan)}
                if name in ENDPOINTS:
                    x, y = (own.loc[own["endpoint"] == name, "value"].to_numpy() for own in (x_rows, y_rows))
                    run: Callable[..., dict[str, Any]] = partial(
                        _scalar_row, x, y, declared["margin"], seed, ENDPOINTS[name].bounds
                    )
                else:
                    table = (populations or {}).get(POPULATIONS[name].kind)
                    run = population_run(name, table, pair, declared["margin"], order, seed)
                runs.append(run)
                rows.append(common | run(settings["alpha"]))
    if not rows:
        return pd.DataFrame(columns=["role", "x", "y", "family", "endpoint", "verdict"])
    return at_judged_levels(_answered(pd.DataFrame(rows), settings["alpha"]), runs)


def at_judged_levels(table: pd.DataFrame, runs: Sequence[Callable[[float], dict[str, Any]]]) -> pd.DataFrame:
    """The table with the intervals and caveats of the levels that its families were judged at.

    Parameters
    ----------
    table : DataFrame
        From :func:`topomod.statistics.families.adjust_family`, with intervals of level ``alpha``.
    runs : sequence of callable
        The test of each row as a function of its level.
    """
    table["level_strictest"] = table[["level_equivalence", "level_difference"]].min(axis=1)
    parts = {
        "level_equivalence": ["ci_low", "ci_high", "minimum_margin"],
        "level_difference": ["ci_wide_low", "ci_wide_high"],
        "level_strictest": ["caveat", "unseen_share"],
    }
    rows = table.to_dict("records")
    for row, run in zip(rows, runs, strict=True):
        # a distribution has one interval and no caveat
        own = parts if pd.notna(row["unseen_share"]) else {"level_equivalence": ["ci_low", "ci_high", "minimum_margin"]}
        found = {level: run(level) for level in {row[name] for name in own} - {row["alpha"]}}
        for name, columns in own.items():
            row |= {column: found[row[name]][column] for column in columns if row[name] in found}
    return pd.DataFrame(rows).drop(columns="level_strictest")


def _answered(tests: pd.DataFrame, alpha: float) -> pd.DataFrame:
    """Adjusted p-values, and what they say in words."""
    family = ["x", "y", "question"]
    table = adjust_family(tests, family, alpha)
    table["p_beyond_adjusted"] = table.groupby(family)["p_beyond"].transform(holm)
    primary = table["question"] != ""
    table.loc[primary, "p_equivalence_adjusted"] = table.loc[primary, "p_equivalence"]
    table.loc[primary, "level_equivalence"] = alpha
    same, beyond, different = (table[f"p_{kind}_adjusted"] for kind in ("equivalence", "beyond", "difference"))
    table["verdict"] = [verdict_of(*pair, alpha) for pair in zip(same, different, strict=True)]
    table["answer"] = [answer_of(*three, alpha) for three in zip(same, beyond, different, strict=True)]
    table["small_difference"] = (same <= alpha) & (different <= alpha)
    return table


def endpoint_clusters(values: pd.DataFrame) -> dict[str, int]:
    """Cluster of each scalar endpoint that varies over some circuits.

    Parameters
    ----------
    values : DataFrame
        Rows of the table of endpoints, of one comparison.
    """
    found = endpoint_correlations(values)
    return dict(zip(found.columns, correlation_clusters(found.to_numpy()).tolist(), strict=True))


def endpoint_correlations(values: pd.DataFrame) -> pd.DataFrame:
    """Correlations of endpoints over circuits, see :func:`topomod.statistics.clusters.correlations`."""
    wide = values.pivot(index=KEY, columns="endpoint", values="value").reset_index()
    names = [name for name in ENDPOINTS if name in wide]
    return correlations(wide[names].astype(float), wide["architecture"])


def _scalar_row(
    x: np.ndarray, y: np.ndarray, margin: float, seed: int, bounds: tuple[float, float] | None, alpha: float
) -> dict[str, Any]:
    means = {"mean_x": x.mean() if len(x) else np.nan, "mean_y": y.mean() if len(y) else np.nan}

    def test() -> Any:
        return equivalence_test(x, y, margin, alpha=alpha, seed=seed, bounds=bounds)

    return means | _tested(test, margin, alpha, len(x), len(y))


def _tested(test: Callable[[], Any], margin: float, alpha: float, n_x: int, n_y: int) -> dict[str, Any]:
    try:
        found = vars(test())
    except ValueError as error:
        known = {"margin": margin, "alpha": alpha, "n_x": n_x, "n_y": n_y, "verdict": "inconclusive", "caveat": ""}
        return _MISSING | known | {"method": "none", "note": str(error)}
    known = {key: value for key, value in found.items() if key in _MISSING}
    return _MISSING | {"caveat": ""} | known | {"note": ""}


def population_run(
    name: str, table: pd.DataFrame | None, pair: Sequence[pd.DataFrame], margin: float, p: int, seed: int
) -> Callable[..., dict[str, Any]]:
    """The row of a distribution as a function of level and margin; its test, which takes long, is made once.

    Parameters
    ----------
    name : str
        One of :data:`topomod.study.endpoint_catalogue.POPULATIONS`.
    table : DataFrame or None
        Rows of its kind.
    pair : sequence of DataFrame
        Keys of the circuits of both samples.
    margin, seed
        As in :func:`topomod.mmd_equivalence_test`.
    p : int
        Values that each input has.
    """
    endpoint, means = POPULATIONS[name], {"mean_x": np.nan, "mean_y": np.nan}

    @cache
    def test() -> Any:
        if table is None or table.empty:
            raise ValueError(f"no {endpoint.kind} were given")
        if endpoint.kind == "diagrams":
            first, second = (list(diagrams_of(table, own, endpoint).values()) for own in pair)
            return diagram_equivalence_test(first, second, margin, seed=seed, bandwidths=DIAGRAM_BANDWIDTHS)
        (X, groups_x), (Y, groups_y) = (phase_sample(table, own, p, endpoint.columns) for own in pair)
        return mmd_equivalence_test(X, Y, margin, groups_x, groups_y, seed=seed, bandwidths=TORUS_BANDWIDTHS)

    def run(alpha: float, at: float = margin) -> dict[str, Any]:
        return means | _tested(lambda: test().at(at, alpha), at, alpha, len(pair[0]), len(pair[1]))

    return run


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
