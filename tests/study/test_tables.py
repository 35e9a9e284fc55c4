"""From groups to circuits to verdicts: weights, missing values, controls."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthetic_study import DEFAULT
from topomod.study.check import check_study
from topomod.study.endpoint_catalogue import ENDPOINTS
from topomod.study.endpoints import circuit_endpoints, summarise
from topomod.study.equivalence import comparisons, verdict_table
from topomod.study.tables import read_tables, write_table
from topomod.study.use_columns import USE


def population(n: int, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Made-up tables: attention_0.0 and mlp_add alike, mlp_concat elsewhere, two groups per circuit."""
    rng = np.random.default_rng(seed)
    circuits, groups, homology = [], [], []
    for label in ("attention_0.0", "mlp_add", "mlp_concat"):
        shift = 0.5 if label == "mlp_concat" else 0.0
        for s in range(n):
            key = {"architecture": label, "seed": s, "step": 600}
            base = {e.column: shift + 0.01 * abs(rng.standard_normal()) for e in ENDPOINTS.values()}
            circuits.append(key | {"converged": True} | base)
            for f, n_neurons in ((3, 100), (5, 300)):
                row = key | {"frequency": f, "n_neurons": n_neurons}
                groups.append(row | base | {"winding_is_sum": 1.0})
                for site in ("preactivations", "logits"):
                    label_here = "torus" if shift and site == "preactivations" else "disc"
                    homology.append(row | base | {"site": site, "label": label_here})
    return pd.DataFrame(circuits), pd.DataFrame(groups), pd.DataFrame(homology)


def populations(circuits: pd.DataFrame, seed: int = 0) -> dict[str, pd.DataFrame]:
    """Neurons on the diagonal, for mlp_concat anywhere; one bar per circuit, long for mlp_concat."""
    rng = np.random.default_rng(seed)
    rows = circuits.loc[circuits.index.repeat(300), ["architecture", "seed", "step"]].reset_index(drop=True)
    a, apart = rng.integers(59, size=len(rows)), rows["architecture"] == "mlp_concat"
    phases = rows.assign(a=a, b=np.where(apart, rng.integers(59, size=len(rows)), a))
    phases = phases.assign(centroid_a=phases["a"], centroid_b=phases["b"])
    key = circuits[["architecture", "seed", "step"]]
    bars = [
        key.assign(site=site, dimension=1, birth=0.1).assign(
            death=np.where(key["architecture"] == "mlp_concat", 0.9, 0.2) + 0.01 * rng.standard_normal(len(key))
        )
        for site in ("preactivations", "logits")
    ]
    return {"phases": phases, "diagrams": pd.concat(bars, ignore_index=True)}


def settings() -> dict[str, Any]:
    config = copy.deepcopy(DEFAULT)
    config["architectures"] = ["mlp_add", "mlp_concat", "attention_0.0"]
    return check_study(config).model_dump()


def test_groups_are_averaged_by_their_neurons() -> None:
    circuits, groups, homology = population(3)
    groups.loc[groups["frequency"] == 3, "disc_cka"] = 0.0
    groups.loc[groups["frequency"] == 5, "disc_cka"] = 1.0
    homology.loc[homology["frequency"] == 3, "label"] = "circle"
    values = circuit_endpoints(circuits, groups, homology).set_index("endpoint")["value"]
    assert np.allclose(values["disc_cka"], 0.75)
    assert np.allclose(values["share_circle_logits"], 0.25)
    assert len(values) == len(ENDPOINTS) * len(circuits)


def test_a_circuit_without_groups_has_no_value() -> None:
    circuits, groups, homology = population(3)
    alone = (groups["architecture"] == "mlp_add") & (groups["seed"] == 1)
    endpoints = circuit_endpoints(circuits, groups[~alone], homology)
    row = endpoints[(endpoints["architecture"] == "mlp_add") & (endpoints["seed"] == 1)].set_index("endpoint")
    assert np.isnan(row.loc["disc_cka", "value"]) and np.isfinite(row.loc["circularity", "value"])
    summary = summarise(endpoints).set_index(["architecture", "endpoint"])
    assert summary.loc[("mlp_add", "disc_cka"), "n"] == 2
    assert summary.loc[("mlp_add", "circularity"), "n"] == 3


def test_circuits_that_did_not_converge_are_left_out() -> None:
    circuits, groups, homology = population(10)
    circuits.loc[circuits["seed"] == 4, "converged"] = False
    circuits.loc[circuits["seed"] == 4, "circularity"] = 1e6
    table = verdict_table(circuit_endpoints(circuits, groups, homology), settings())
    row = table[(table["x"] == "mlp_add") & (table["y"] == "mlp_concat") & (table["endpoint"] == "circularity")]
    assert row["n_x"].item() == 9 and abs(row["mean_x"].item()) < 1


def test_controls_come_out_as_they_must() -> None:
    tables = population(50)
    table = verdict_table(circuit_endpoints(*tables), settings(), populations=populations(tables[0]))
    assert_intervals_agree_with_verdicts(table)
    table = table.set_index(["role", "endpoint"])
    positive, negative = table.loc["positive control"], table.loc["negative control"]
    assert positive.loc["disc_cka", "verdict"] == "different"
    for endpoint in ("share_torus_preactivations", "pad", "h1_diagrams_logits"):
        assert positive.loc[endpoint, "verdict"] == "different"
    pairs = table.loc["pair"]
    alike = pairs[(pairs["x"] == "mlp_add") & (pairs["y"] == "attention_0.0")]
    assert (negative["n_x"] == 25).all()
    for same in (negative, alike):
        assert "different" not in set(same["verdict"])
        scalars = same[
            same.index.isin(ENDPOINTS)
        ]  # an MMD asks for more than 25 circuits, and Holm then holds back others
        found = set(scalars.loc[~scalars.index.isin(USE), "verdict_unadjusted"])  # bounds ask for more than 25 circuits
        assert found <= {"equivalent", "trivially different"}


def assert_intervals_agree_with_verdicts(table: pd.DataFrame) -> None:
    """After Holm too: an interval inside the margin never stands beside "inconclusive" or "different"."""
    inside = (table["ci_low"] > -table["margin"]) & (table["ci_high"] < table["margin"])
    assert (inside == table["verdict"].isin(["equivalent", "trivially different"])).all()
    means = table[table["ci_wide_low"].notna()]
    apart = (means["ci_wide_low"] > 0) | (means["ci_wide_high"] < 0)
    assert (apart == means["verdict"].isin(["different", "trivially different"])).all()
    assert (table["level_equivalence"] < table["alpha"]).any()  # some interval had to be widened


def test_too_few_circuits_are_inconclusive_and_say_so() -> None:
    tables = population(2)
    table = verdict_table(circuit_endpoints(*tables), settings(), populations=populations(tables[0]))
    assert (table["verdict"] == "inconclusive").all()
    assert table["note"].str.contains("at least 3").all()


def test_populations_that_are_not_given_are_not_tested_and_say_so() -> None:
    table = verdict_table(circuit_endpoints(*population(4)), settings()).set_index("endpoint")
    assert (table.loc["pad", "verdict"] == "inconclusive").all()
    assert (table.loc["pad", "note"] == "no phases were given").all()


def test_comparisons_without_controls() -> None:
    plain = {"p": 13, "architectures": ["mlp_add", "mlp_concat"], "positive_control": None, "negative_control": None}
    assert comparisons(plain) == [("pair", "mlp_add", "mlp_concat")]


def test_architectures_are_compared_where_they_learnt_one_task() -> None:
    mixed = {
        "p": 13,
        "task": "a + b",
        "architectures": ["mlp_add", "mlp_concat", "mlp_add@minus", "mlp_concat@minus"],
        "variants": {"minus": {"p": 13, "task": "a-b"}},
        "positive_control": ["mlp_concat", "mlp_add@minus"],
        "negative_control": "mlp_add@minus",
    }
    assert comparisons(mixed) == [
        ("pair", "mlp_add", "mlp_concat"),
        ("positive control", "mlp_concat", "mlp_add@minus"),
        ("pair", "mlp_add@minus", "mlp_concat@minus"),
        ("negative control", "mlp_add@minus#even", "mlp_add@minus#odd"),
    ]


def test_one_architecture_alone_has_nothing_to_compare() -> None:
    alone = settings() | {"architectures": ["mlp_add"], "positive_control": None, "negative_control": None}
    assert len(verdict_table(circuit_endpoints(*population(3)), alone)) == 0


def test_tables_are_whole_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "x.parquet"
    write_table(pd.DataFrame({"a": [1]}), path)
    assert read_tables([path, path])["a"].tolist() == [1, 1]
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(ValueError, match=r"x\.parquet is corrupt or missing"):
        read_tables([path])
