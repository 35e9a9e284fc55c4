"""What a training step costs, in CPU time: its share of the matrix product's peak, and its ratio to another checkout's.

    git worktree add ../before acd7ada
    python benchmarks/step.py --beside ../before

Steps of both checkouts, and a large matrix product, take turns in one process on one thread. So the ratios hold on a
machine that has other work too; the shares are then too small, because caches are shared. Output: docs/speed.md.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

HERE = Path(__file__).resolve().parents[1]
CASES = (("mlp_add", None), ("mlp_concat", None), ("attention", 0.0), ("attention", 1.0))
P, SIZE = 59, 1024


def learners_of(root: Path) -> Callable[[str, float | None, int], Any]:
    """How the checkout at ``root`` makes one circuit's learner, from architecture, attention rate and batches."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "topomod"]:
        del sys.modules[name]
    sys.path.insert(0, str(root))
    topomod, size = import_module("topomod"), import_module("topomod.networks.size").NetworkSize()
    setup, learner = (
        import_module("topomod.training.learner").Setup,
        import_module("topomod.training.pairs").PairLearner,
    )
    sys.path.remove(str(root))

    def make(name: str, rate: float | None, batches: int) -> Any:
        recipe = topomod.Recipe(batches=batches)
        return learner(setup(name, topomod.ModularAddition(P), recipe, rate, size), [0])

    return make


def cpu_time(work: Callable[[], object]) -> float:
    """Seconds of this process's CPU time."""
    started = time.process_time()
    work()
    return time.process_time() - started


def step(learner: Any, number: int) -> None:
    """One training step, from weights to weights."""
    learner.forward(number)
    learner.update(1e-3)


def line(name: str, rate: float | None, batches: int, makers: list[Any], n_steps: int) -> str:
    """One architecture's row."""
    learners, square = [make(name, rate, batches) for make in makers], torch.randn(SIZE, SIZE)
    times: list[list[float]] = [[] for _ in learners]
    products = []
    for number in range(n_steps):
        for own, learner in zip(times, learners, strict=True):
            own.append(cpu_time(lambda: step(learner, number)))  # noqa: B023
        products.append(cpu_time(lambda: square @ square))
    # the first steps touch fresh memory
    medians = [statistics.median(own[n_steps // 10 :]) for own in times]
    batch = learners[0]._batches[0].next()
    work = 3 * 2 * len(batch.a) * 512 * P / (2 * SIZE**3 / statistics.median(products))
    shares = " | ".join(f"{1e3 * median:.1f} | {work / median:.0%}" for median in medians)
    ratio = f"{medians[-1] / medians[0]:.2f}"
    label = name if rate is None else f"{name}_{rate}"
    return f"| {label} | {'full' if batches == 1 else 'half'} | {shares} | {ratio} |"


def main() -> None:
    """Print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--beside", type=Path, default=HERE, help="another checkout of topomod")
    parser.add_argument("--steps", type=int, default=60)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    makers = [learners_of(HERE), learners_of(arguments.beside.resolve())]
    print(f"{date.today()}, torch {torch.__version__}, p = {P}, one thread, CPU time\n")
    print("| architecture | batch | ms a step | of GEMM peak | before: ms a step | of GEMM peak | ratio |")
    print("|" + "---|" * 7)
    for name, rate in CASES:
        for batches in (1, 2):
            print(line(name, rate, batches, makers, arguments.steps), flush=True)


if __name__ == "__main__":
    main()
