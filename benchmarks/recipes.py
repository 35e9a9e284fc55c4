"""What the recipe does to the geometry: train a few seeds under several recipes and print one line each.

    python benchmarks/recipes.py --seeds 5 mlp_add mlp_concat attention_0.0 attention_1.0

The default recipe and the structural criterion were chosen from this table; its output is in docs/recipe.md.
"""

from __future__ import annotations

import argparse
import platform
import time
from dataclasses import replace
from datetime import date

import numpy as np

import topomod
from topomod.networks.labels import Label
from topomod.study.groups import analyse_groups

DEFAULT = topomod.Recipe()
RECIPES = {
    "default": DEFAULT,
    "full batch": replace(DEFAULT, batches=1),
    "three batches": replace(DEFAULT, batches=3),
    "half as long": replace(DEFAULT, steps=250, max_steps=750),
    "twice as long": replace(DEFAULT, steps=1000, max_steps=1500),
    "lr 1e-3 constant, full batch, 1000 steps": replace(
        DEFAULT, lr=1e-3, weight_decay=2.0, schedule="constant", batches=1, steps=1000, max_steps=1500
    ),
}
COLUMNS = ("disc_cka", "torus_cka", "first_order_r2", "logit_circle_cka", "coordinate_circle_cka")


def line(label: str, name: str, recipe: topomod.Recipe, seeds: range, p: int) -> str:
    """Train, analyse and describe one recipe: means over converged circuits, groups weighted by neurons."""
    parsed = Label.parse(label)
    architecture, rate = parsed.architecture, parsed.attention_rate
    started = time.perf_counter()
    circuits = topomod.train(architecture, topomod.ModularAddition(p), seeds, attention_rate=rate, recipe=recipe)
    seconds = (time.perf_counter() - started) / len(circuits)
    converged = [circuit for circuit in circuits if circuit.converged]
    head = f"| {label} | {name} | {recipe.cumulative_decay(recipe.steps):.1f} | {len(converged)}/{len(circuits)}"
    if not converged:
        return f"{head} | - |" + " - |" * len(COLUMNS) + f" - | {seconds:.1f} |"
    rows, groups, _ = analyse_groups(converged, min_neurons=10)
    means = [np.average(groups[column], weights=groups["n_neurons"]) for column in COLUMNS]
    cells = " | ".join(f"{value:.3f}" for value in means)
    return f"{head} | {rows['purity'].min():.3f} | {cells} | {rows['n_groups'].mean():.1f} | {seconds:.1f} |"


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("architectures", nargs="+")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--p", type=int, default=59)
    arguments = parser.parse_args()
    print(f"{date.today()}, {platform.machine()}, one thread, p = {arguments.p}, {arguments.seeds} seeds\n")
    print(f"| architecture | recipe | decay | converged | purity | {' | '.join(COLUMNS)} | groups | s a circuit |")
    print("|" + "---|" * (len(COLUMNS) + 7))
    for label in arguments.architectures:
        for name, recipe in RECIPES.items():
            print(line(label, name, recipe, range(arguments.seeds), arguments.p), flush=True)


if __name__ == "__main__":
    main()
