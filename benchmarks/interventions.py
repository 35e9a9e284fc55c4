"""How networks use the shapes of their groups: released ones, the losses that their authors stored, and trained ones.

python benchmarks/interventions.py released FOLDER     # a folder of model_*.pt or *.pt files
python benchmarks/interventions.py losses FOLDER       # of *.pt files with *.json and *.summary.json beside them
python benchmarks/interventions.py trained --count 4   # circuits of the default recipe, and what each of them costs
"""

from __future__ import annotations

import argparse
import json
import resource
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch

import topomod
from topomod.networks.circuit import Circuit
from topomod.study.check import load_study_file
from topomod.study.groups import first_layer, used_groups
from topomod.study.use_columns import use_columns

SHOWN = {
    "sufficiency_accuracy": "alone",
    "necessity_accuracy": "without",
    "steering_share": "follow",
    "steering_control": "control",
    "steering_phase_error": "phase error",
    "sufficiency_r2": "R2 alone",
    "separability": "separable",
    "off_manifold": "off",
    "clock_position": "position",
    "clock_position_low": "low",
    "clock_position_high": "high",
}
ARCHITECTURES = (("mlp_concat", None), ("mlp_add", None), ("attention", 0.0), ("attention", 1.0))
FIRST_SEED = 5000  # none of the studies' seeds
# what the authors call irreps that topomod names by dimension
NAMES = {
    "A5": {"3": "a5_3d_a", "3'": "a5_3d_b", "4": "standard", "5": "a5_5d_a"},
    "S5": {"1'": "sign", "4": "standard_sign", "4'": "standard", "5": "s5_5d_a", "5'": "s5_5d_b", "6": "s5_6d"},
    "D59": {"E3": "freq_3", "E15": "freq_15", "A2": "sign"},
    "C113": {"16": "freq_16", "30": "freq_30", "56": "freq_56"},
}


def cpu() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_utime


def measured(circuit: Circuit) -> dict[str, float]:
    start = cpu()
    columns = use_columns(circuit, used_groups(circuit, first_layer(circuit), 10))
    return {shown: columns[name] for name, shown in SHOWN.items()} | {"CPU s": cpu() - start}


def released(folder: Path) -> pd.DataFrame:
    rows = []
    for path in sorted(folder.glob("*.pt")):
        circuit = topomod.load_released(path)
        metrics = {"irrelevance": np.nan, "symmetricity": topomod.gradient_symmetricity(circuit)}
        if circuit.task.symmetry:
            metrics["irrelevance"] = topomod.distance_irrelevance(circuit)
        rows.append({"network": path.stem} | measured(circuit) | metrics)
    return pd.DataFrame(rows)


def training_pairs(n: int, share: float, seed: int) -> np.ndarray:
    """The pairs that the authors trained on: the first ones of a random order by PyTorch."""
    order = torch.randperm(n * n, generator=torch.Generator().manual_seed(seed)).numpy()
    chosen = np.zeros(n * n, dtype=bool)
    chosen[order[: int(share * n * n)]] = True
    return chosen.reshape(n, n)


def losses(folder: Path) -> Iterator[dict[str, object]]:
    for path in sorted(folder.glob("*.pt")):
        config, theirs = (json.loads(path.with_suffix(end).read_text()) for end in (".json", ".summary.json"))
        circuit = topomod.load_released(path)
        pairs = training_pairs(circuit.task.n_classes, config["frac_train"], config["seed"])
        found = topomod.excluded_losses(circuit, pairs).set_index(["name", "site"])
        for name, rep in NAMES[path.stem.partition("_")[0]].items():
            for site, place in (("activations", "hidden"), ("logits", "logit")):
                own, row = found.loc[(name, site)], {"network": path.stem, "irrep": name, "site": site}
                for kind in ("excluded", "restricted"):
                    stored = theirs[f"{place}_{kind}_loss_{rep}_rep"]
                    row |= {kind: own[f"{kind}_loss"], f"{kind}, authors": stored}
                yield row


def trained(count: int) -> pd.DataFrame:
    study = load_study_file(Path(__file__).resolve().parents[1] / "config" / "config.yaml")
    rows, seeds = [], range(FIRST_SEED, FIRST_SEED + count)
    for name, rate in ARCHITECTURES:
        start = cpu()
        task = topomod.ModularAddition(study.p)
        circuits = topomod.train(name, task, seeds, attention_rate=rate, recipe=study.recipe, device="cpu")
        training = (cpu() - start) / count
        for circuit in circuits:
            metrics = {"irrelevance": topomod.distance_irrelevance(circuit)}
            metrics |= {"symmetricity": topomod.gradient_symmetricity(circuit), "training CPU s": training}
            rows.append({"network": circuit.label, "seed": circuit.seed} | measured(circuit) | metrics)
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["released", "losses", "trained"])
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--count", type=int, default=4)
    given = parser.parse_args()
    if given.what != "trained" and given.folder is None:
        parser.error("give the folder of the networks")
    tables = {"released": lambda: released(given.folder), "losses": lambda: pd.DataFrame(losses(given.folder))}
    table = tables[given.what]() if given.what in tables else trained(given.count)
    print(
        table.to_string(
            index=False, float_format=lambda value: f"{value:.6g}" if "losses" == given.what else f"{value:.3f}"
        )
    )
    if given.what == "trained":
        numbers = table.drop(columns="seed").groupby("network", sort=False).mean()
        print(numbers.to_string(float_format=lambda value: f"{value:.3f}"))
        ranks = table[["position", "irrelevance", "symmetricity"]].rank().corr()["position"]
        print("rank correlation of the position with", ranks.drop("position").round(3).to_dict())


if __name__ == "__main__":
    main()
