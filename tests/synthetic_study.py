"""A finished study's folder without training: circuits written down by hand, analysed, and copied with noise."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

import topomod
from topomod.networks.circuit import Circuit
from topomod.networks.circuit_file import save_circuits
from topomod.networks.labels import Label
from topomod.study.check import check_study
from topomod.study.config import Study
from topomod.study.endpoint_catalogue import all_endpoints
from topomod.study.endpoints import read_endpoints, summarise
from topomod.study.groups import analyse_groups
from topomod.study.homology import analyse_homology
from topomod.study.look_tables import write_conclusion, write_look
from topomod.study.power import plan
from topomod.study.shards import CIRCUITS, StudyFolder
from topomod.study.tables import write_table

REASON = "purity <b>0.5</b> & \"low\" </script><script>alert('reason')</script>"
ALL = ["mlp_add", "mlp_concat", "attention_0.0", "attention_1.0"]

DEFAULT = yaml.safe_load((Path(__file__).parents[1] / "config" / "config.yaml").read_text())
FAMILIES = DEFAULT["families"]


def make_study(architectures: list[str], count: int, p: int = 13, **changes: Any) -> Study:
    margins = {name: {"margin": 0.1, "reason": f"a tenth <i>of</i> {name} & more"} for name in all_endpoints()}
    config: dict[str, Any] = {
        "study": "synthetic",
        "p": p,
        "architectures": architectures,
        "seeds": {"first": 0, "count": count},
        "shard_size": 10,
        "recipe": {"steps": 300},
        "maturity": {"count": 1, "steps": [100, 300, 600]},
        "main_pair": ["attention_0.0", "attention_1.0"],
        "margins": margins,
        "families": FAMILIES,
    }
    return check_study(config | changes)


def make_circuit(label: str, seed: int, p: int, step: int = 300, frequencies: tuple[int, ...] = (1, 2)) -> Circuit:
    """Neurons of cosines: equal phases for a and b, independent ones for mlp_concat; frequencies in turn."""
    rng = np.random.default_rng([seed, step, len(label)])
    parsed = Label.parse(label)
    name, rate = parsed.architecture, parsed.attention_rate
    a = np.arange(p)
    waves = np.concatenate([[np.cos(2 * np.pi * f * a / p), np.sin(2 * np.pi * f * a / p)] for f in frequencies])
    m, d = 24 * len(frequencies), len(waves)
    phase_a = rng.uniform(0, 2 * np.pi, m)
    phase_b = rng.uniform(0, 2 * np.pi, m) if name == "mlp_concat" else phase_a

    def rows(phase: np.ndarray) -> np.ndarray:
        placed = np.zeros((m, d))
        column = 2 * (np.arange(m) % len(frequencies))
        placed[np.arange(m), column], placed[np.arange(m), column + 1] = np.cos(phase), -np.sin(phase)
        return placed + 0.02 * rng.normal(size=placed.shape)

    W_in = np.concatenate([rows(phase_a), rows(phase_b)], axis=1) if name == "mlp_concat" else rows(phase_a)
    weights = {"W_E": waves.T, "W_in": W_in, "b_in": np.zeros(m), "W_out": rows(phase_a + phase_b).T, "W_U": waves}
    if name == "attention":
        eye, zero = np.eye(d)[None], np.zeros((1, d, d))
        weights |= {"W_pos": np.zeros((2, d)), "b_out": np.zeros(d)}
        weights |= {"W_Q": zero, "W_K": zero, "W_V": eye, "W_O": eye}
    history = {"loss": 3 * np.exp(-np.arange(step + 1) / 40), "accurate": np.arange(step + 1) > step // 2}
    bad = seed == 0 and step == 300
    return Circuit(
        architecture=name,
        task=topomod.ModularAddition(p),
        weights={key: np.ascontiguousarray(value, np.float32) for key, value in weights.items()},
        seed=seed,
        attention_rate=rate,
        recipe=topomod.Recipe(steps=300),
        step=step,
        converged=not bad,
        reason=REASON if bad else "",
        history=history,
    )


def spread(table: pd.DataFrame, circuits: int, wanted: list[int]) -> pd.DataFrame:
    """Copy the rows of the analysed seeds to further seeds, with a little noise on measured columns."""
    if table.empty:
        return table
    rng = np.random.default_rng(0)
    parts = []
    for seed in wanted:
        rows = table[table["seed"] == seed % circuits].assign(seed=seed)
        if seed >= circuits:
            healthy = {"converged": True, "reason": ""} if "accuracy" in table else {}
            rows = rows.assign(**healthy)
            for column in rows.select_dtypes("float").columns.difference(["birth", "death"]):
                noisy = rows[column] + 0.01 * rng.normal(size=len(rows))
                rows[column] = noisy.clip(0, 1) if rows[column].between(0, 1).all() else noisy
        parts.append(rows)
    return pd.concat(parts, ignore_index=True)


def write_synthetic(root: Path, study: Study, distinct: int = 2, frequencies: tuple[int, ...] = (1, 2)) -> None:
    """Write everything that the report reads."""
    folder = StudyFolder(root)
    for shard in study.shards():
        label, wanted = str(shard.label), list(shard.seeds)
        seeds = range(min(distinct, shard.seeds.last + 1))
        circuits = [make_circuit(label, seed, study.p, frequencies=frequencies) for seed in seeds]
        _write_tables(folder.population(shard), circuits, study, wanted)
        stored = [make_circuit(label, seed, study.p, frequencies=frequencies) for seed in wanted]
        save_circuits(folder.population(shard) / CIRCUITS, stored)
    for shard in study.maturity_shards():
        seed = shard.seeds.first
        circuits = [make_circuit(str(shard.label), seed, study.p, step) for step in study.maturity.steps]
        _write_tables(folder.maturity(shard), circuits, study, None)
    write_equivalence(root, study)


def _write_tables(folder: Path, circuits: list[Circuit], study: Study, wanted: list[int] | None) -> None:
    names = ("circuits", "groups", "phases", "homology", "diagrams")
    tables = (*analyse_groups(circuits, study.min_neurons), *analyse_homology(circuits, study.min_neurons))
    for name, table in zip(names, tables, strict=True):
        write_table(table if wanted is None else spread(table, len(circuits), wanted), folder / f"{name}.parquet")


def write_equivalence(root: Path, study: Study) -> None:
    """The tables of the equivalence stage."""
    folder, settings = StudyFolder(root), study.model_dump()
    look = folder.look(study.seeds.count)
    endpoints = read_endpoints(folder, study)
    write_table(endpoints, look.table("endpoints"))
    write_table(summarise(endpoints, study.alpha), look.table("summary"))
    names = ("endpoints", "verdicts", "answers")
    write_look(root, study.equivalence_settings(), *(look.table(name) for name in names))
    write_conclusion(look.root, study.equivalence_settings())
    write_table(plan(endpoints, settings, study.compared_pair), folder.table("power"))
