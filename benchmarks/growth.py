"""What training costs as p, the width and the heads grow, and the last two stages as the population grows.

    python benchmarks/growth.py --figure docs/growth.png > growth.md

One thread, the study's recipe, steps timed after a warm-up. The output is kept in docs/speed.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import matplotlib.pyplot as plt
import numpy as np

import topomod
from topomod.networks.labels import Label
from topomod.networks.size import NetworkSize
from topomod.training.draws import pinned_arithmetic
from topomod.training.learner import Setup
from topomod.training.pairs import PairLearner

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from speed import workers

from synthetic_study import ALL, make_study, write_equivalence, write_synthetic

LABELS = ("mlp_add", "mlp_concat", "attention_0.0", "attention_1.0")
VALUES = {"p": (23, 31, 59, 113, 257), "d_mlp": (128, 512, 2048, 4096), "heads": (1, 2, 4, 8)}
CIRCUITS = (16, 160, 1600)
Curve = dict[int, tuple[float, float]]


def step_cost(label: str, p: int = 59, size: NetworkSize | None = None) -> tuple[float, float]:
    """Median milliseconds a step and peak GB of a fresh process that trains one circuit."""
    with workers(1) as pool:
        return pool.submit(time_steps, label, p, size or NetworkSize()).result()


def time_steps(label: str, p: int, size: NetworkSize) -> tuple[float, float]:
    """In a worker: what :func:`step_cost` returns."""
    parsed = Label.parse(label)
    name, rate = parsed.architecture, parsed.attention_rate
    times = []
    with pinned_arithmetic():
        learner = PairLearner(Setup(name, topomod.ModularAddition(p), topomod.Recipe(), rate, size), [0])
        for step in range(12 if p > 200 else 40):
            started = time.perf_counter()
            learner.forward(step)
            learner.update(learning_rate=1e-3)
            times.append(time.perf_counter() - started)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return 1e3 * float(np.median(times[3:])), peak


def last_stages(n_circuits: int) -> dict[str, float]:
    """Seconds of equivalence and of the report for a synthetic population."""
    from topomod.report.report import write_report

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
    panels = {}
    for name, labels, cost in (
        ("p", LABELS, lambda label, p: step_cost(label, p)),
        ("d_mlp", LABELS, lambda label, m: step_cost(label, size=NetworkSize(d_mlp=m))),
        ("heads", LABELS[-1:], lambda label, h: step_cost(label, size=NetworkSize(n_heads=h))),
    ):
        panels[name] = {label: {value: cost(label, value) for value in VALUES[name]} for label in labels}
        table(name, "Milliseconds a step (peak GB of the process)", panels[name])
    print("\n| circuits | equivalence, s | report, s |\n|---|---|---|")
    costs = {}
    for n in CIRCUITS:
        costs[n] = last_stages(n)
        print(f"| {n} | {costs[n]['equivalence']:.1f} | {costs[n]['report']:.1f} |", flush=True)
    panels["circuits"] = {stage: {n: (cost[stage], 0.0) for n, cost in costs.items()} for stage in costs[CIRCUITS[0]]}
    figure(arguments.figure, panels)


if __name__ == "__main__":
    main()
