"""The published table this study reproduces, beside the study's own means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from topomod.statistics.intervals import mean_interval
from topomod.study.population import StudyTables, converged_rows, group_means
from topomod.study.tables import KEY

PAPER = "arXiv 2512.25060"
PAPER_P = 59
CLOSE = 0.02
FEW_GROUPS = 3  # as many as the networks released with the metrics have; more training leaves fewer groups


@dataclass(frozen=True)
class PublishedRow:
    """One row of the published table.

    Parameters
    ----------
    reference, site, metric : str
        As the paper names them.
    columns : dict of str
        Our columns of the groups table that the row may mean, with what each is.
    values : dict of float
        Published means per architecture; "about 0" is 0.
    """

    reference: str
    site: str
    metric: str
    columns: dict[str, str]
    values: dict[str, float]


def _values(concat: float, add: float, uniform: float, learnable: float) -> dict[str, float]:
    return {"mlp_concat": concat, "mlp_add": add, "attention_0.0": uniform, "attention_1.0": learnable}


def _logit_columns(shape: str) -> dict[str, str]:
    return {f"logit_{shape}_cka": "group logits", f"coordinate_{shape}_cka": "logit coordinate"}


PUBLISHED = (
    PublishedRow("disc", "pre-activations", "CKA", {"disc_cka_fixed": "phase 0"}, _values(0.707, 0.998, 0.988, 0.974)),
    PublishedRow("disc", "pre-activations", "RSM", {"disc_rsm_fixed": "phase 0"}, _values(0.578, 0.998, 0.986, 0.972)),
    PublishedRow("torus", "pre-activations", "CKA", {"torus_cka": ""}, _values(0.994, 0.706, 0.699, 0.689)),
    PublishedRow("circle", "pre-activations", "CKA", {"circle_cka": ""}, _values(0.0, 0.0, 0.0, 0.012)),
    PublishedRow("circle", "logits", "CKA", _logit_columns("circle"), _values(0.986, 0.926, 0.940, 0.941)),
    PublishedRow("disc", "logits", "CKA", _logit_columns("disc"), _values(0.0, 0.037, 0.002, 0.002)),
)


def compare_published(tables: StudyTables, architectures: list[str], alpha: float = 0.05) -> pd.DataFrame:
    """One row per published row, reading of it and architecture.

    Returns
    -------
    DataFrame
        Columns row, reference, site, metric, reading, column, architecture, published, n, mean, ci_low, ci_high,
        close (within ``CLOSE``), few_mean, few_n (circuits of at most ``FEW_GROUPS`` groups), late_mean, late_n,
        late_step (of the followed circuits at their last step).
    """
    columns = [column for row in PUBLISHED for column in row.columns]
    means = group_means(tables.groups, tables.circuits, columns)
    means = converged_rows(means, tables.circuits).merge(tables.circuits[[*KEY, "n_groups"]], on=KEY)
    late = _late_means(tables, columns)
    rows: list[dict[str, Any]] = []
    for index, row in enumerate(PUBLISHED):
        for column, reading in row.columns.items():
            for architecture in (name for name in architectures if name in row.values):
                circuits = means[means["architecture"] == architecture]
                own = circuits[column].to_numpy(float)
                few = circuits.loc[circuits["n_groups"] <= FEW_GROUPS, column].dropna().to_numpy(float)
                n, mean, low, high = mean_interval(own, alpha)
                published = row.values[architecture]
                names = {"row": index, "reference": row.reference, "site": row.site, "metric": row.metric}
                values = {"published": published, "n": n, "mean": mean, "ci_low": low, "ci_high": high}
                found = {"reading": reading, "column": column, "architecture": architecture}
                close: dict[str, Any] = {"close": bool(abs(mean - published) <= CLOSE), "few_n": len(few)}
                close["few_mean"] = float(few.mean()) if len(few) else float("nan")
                rows.append(names | found | values | close | _late_columns(late, architecture, column))
    return pd.DataFrame(rows)


def _late_means(tables: StudyTables, columns: list[str]) -> pd.DataFrame:
    if tables.maturity_circuits.empty:
        return pd.DataFrame(columns=["architecture", "step", *columns])
    circuits = tables.maturity_circuits
    last = circuits[circuits["step"] == circuits["step"].max()]
    groups = tables.maturity_groups
    return group_means(groups[groups["step"] == circuits["step"].max()], last, columns)


def _late_columns(late: pd.DataFrame, architecture: str, column: str) -> dict[str, Any]:
    own = late[late["architecture"] == architecture]
    n, mean, _, _ = mean_interval(own[column].to_numpy(float))
    return {"late_mean": mean, "late_n": n, "late_step": int(own["step"].max()) if len(own) else 0}
