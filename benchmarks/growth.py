"""What training costs as p, the width and the heads grow, and the last two stages as the population grows.

    python benchmarks/growth.py --figure docs/growth.png > growth.md

One thread, the study's recipe, steps timed after a warm-up. The output is kept in docs/speed.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import matplotlib.pyplot as plt
import numpy as np

import topomod
from topomod.networks import NetworkSize

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from speed import train_here, workers

from synthetic_study import ALL, make_study, write_equivalence, write_synthetic

LABELS = ("mlp_add", "mlp_concat", "attention_0.0", "attention_1.0")
P, D_MLP, HEADS, CIRCUITS = (23, 31, 59, 113, 257), (128, 512, 2048, 4096), (1, 2, 4, 8), (16, 160, 1600, 9600)
Curve = dict[int, tuple[float, float]]


def step_cost(label: str, p: int = 59, size: NetworkSize | None = None) -> tuple[float, float]:
    """Milliseconds a step and peak GB of a process that trains one circuit."""
    steps = int(np.clip(60 * (59 / p) ** 3, 6, 200))
    recipe = topomod.Recipe(steps=steps, max_steps=steps)
    with workers(1) as pool:
        seconds, n_steps, _, peak = pool.submit(train_here, (label, 0, 1, recipe, size or NetworkSize(), p)).result()
    return 1e3 * seconds / n_steps, peak


def last_stages(n_circuits: int) -> dict[str, float]:
    """Seconds of equivalence and of the report for a synthetic population."""
    from topomod.report import write_report

    study = make_study(ALL, n_circuits // len(ALL), shard_size=max(1, n_circuits // 16))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_synthetic(folder, study)
        clock = [time.perf_counter()]
        write_equivalence(folder, study)
        clock.append(time.perf_counter())
        write_report(folder, study, folder / "report.html")
        clock.append(time.perf_counter())
    return {"equivalence": clock[1] - clock[0], "report": clock[2] - clock[1]}


def table(name: str, unit: str, curves: dict[str, Curve]) -> None:
    """Print one Markdown table: a row a label, a column a value."""
    values = list(next(iter(curves.values())))
    print(f"\n| {name} | {' | '.join(map(str, values))} | power law |\n|{'---|' * (len(values) + 2)}")
    for label, curve in curves.items():
        cells = " | ".join(f"{cost:.1f} ({peak:.2f})" for cost, peak in curve.values())
        slope = np.polyfit(np.log(values[-3:]), np.log([cost for cost, _ in list(curve.values())[-3:]]), 1)[0]
        print(f"| {label} | {cells} | {slope:.1f} |", flush=True)
    print(f"\n{unit}; the power law is fitted to the last three values.")


def figure(path: Path, panels: dict[str, dict[str, Curve]]) -> None:
    """One log-log panel for each quantity that grows."""
    plt.style.use("tableau-colorblind10")
    drawn, axes = plt.subplots(1, len(panels), figsize=(4 * len(panels), 3.4), layout="constrained")
    for axis, (name, curves) in zip(axes, panels.items(), strict=True):
        for label, curve in curves.items():
            axis.loglog(list(curve), [cost for cost, _ in curve.values()], "o-", label=label, markersize=4)
        axis.set_xlabel(name)
        axis.set_ylabel("s" if name == "circuits" else "ms a step")
        axis.set_xticks(list(next(iter(curves.values()))), map(str, next(iter(curves.values()))), minor=False)
        axis.minorticks_off()
        axis.legend(frameon=False, fontsize=8)
    drawn.savefig(path, dpi=130)


def main() -> None:
    """Print Markdown and draw the figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--figure", type=Path, required=True)
    arguments = parser.parse_args()
    print(f"{date.today()}, {platform.machine()}, one thread, batches of half the training pairs")
    panels = {
        "p": {label: {p: step_cost(label, p) for p in P} for label in LABELS},
        "d_mlp": {label: {m: step_cost(label, size=NetworkSize(d_mlp=m)) for m in D_MLP} for label in LABELS},
        "heads": {"attention_1.0": {h: step_cost("attention_1.0", size=NetworkSize(n_heads=h)) for h in HEADS}},
    }
    for name, curves in panels.items():
        table(name, "Milliseconds a step (peak GB of the process)", curves)
    costs = {n: last_stages(n) for n in CIRCUITS}
    panels["circuits"] = {stage: {n: (cost[stage], 0.0) for n, cost in costs.items()} for stage in costs[CIRCUITS[0]]}
    print("\n| circuits | equivalence, s | report, s |\n|---|---|---|")
    for n, cost in costs.items():
        print(f"| {n} | {cost['equivalence']:.1f} | {cost['report']:.1f} |")
    figure(arguments.figure, panels)


if __name__ == "__main__":
    main()
