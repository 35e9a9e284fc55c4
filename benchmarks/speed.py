"""How far training is from the arithmetic: topomod against the plain per-circuit PyTorch loop, two cores each.

    python benchmarks/speed.py > speed.md

The plain loop is tests/plain.py with PyTorch's AdamW, one circuit at a time on two threads. topomod runs one process
a core, as a study does. Everything is measured in this one run; the output is kept in docs/speed.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import date
from multiprocessing import get_context
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "2")

import torch

import topomod
from topomod.networks.labels import Label
from topomod.training.draws import draw

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from plain import plain_loss

CORES = 2
TASK = topomod.ModularAddition(59)
LABELS = ("mlp_add", "mlp_concat", "attention_0.0", "attention_1.0")
FULL_BATCH = topomod.Recipe(steps=60, max_steps=60, batches=1)
ZHONG = topomod.Recipe(lr=1e-3, weight_decay=2.0, schedule="constant", batches=1, steps=1000)


def gemm_peak() -> float:
    """Single-precision GFLOP/s of one thread on a large matrix product, the best of ten."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    x = torch.randn(2048, 2048)
    best = min(_seconds(lambda: x @ x) for _ in range(10))
    torch.set_num_threads(threads)
    return 2 * 2048**3 / best / 1e9


def _seconds(work) -> float:  # type: ignore[no-untyped-def]
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def plain_loop(label: str, max_steps: int) -> tuple[float, str, float]:
    """Median ms a step, steps to a loss of 1e-6 (``>`` before ``max_steps`` if it is not reached), their seconds."""
    parsed = Label.parse(label)
    name, rate = parsed.architecture, parsed.attention_rate
    weights, mask, _ = draw(label, name, TASK, 0, ZHONG.train_fraction)
    leaves = {key: torch.tensor(value, requires_grad=True) for key, value in weights.items()}
    optimizer = torch.optim.AdamW(leaves.values(), lr=ZHONG.lr, betas=(0.9, 0.98), weight_decay=ZHONG.weight_decay)
    targets, chosen = torch.tensor(TASK.targets()), torch.tensor(mask)
    times: list[float] = []
    loss = float("inf")

    def step() -> None:
        nonlocal loss
        optimizer.zero_grad()
        value = plain_loss(name, leaves, targets, chosen, rate or 0.0)
        value.backward()
        optimizer.step()
        loss = value.item()

    while loss > 1e-6 and len(times) < max_steps:
        times.append(_seconds(step))
    steps = f"{'' if loss <= 1e-6 else '> '}{len(times)}"
    return 1e3 * statistics.median(times), steps, sum(times)


def train_here(job: tuple[str, int, int, topomod.Recipe]) -> tuple[float, int, int, float]:
    """In a worker: seconds, steps, converged circuits and peak GB of training some seeds of one architecture."""
    label, first, count, recipe = job
    parsed = Label.parse(label)
    name, rate = parsed.architecture, parsed.attention_rate
    short = replace(recipe, steps=3, max_steps=3)
    topomod.train(name, TASK, [0], attention_rate=rate, recipe=short, device="cpu")
    started = time.perf_counter()
    seeds = range(first, first + count)
    circuits = topomod.train(name, TASK, seeds, attention_rate=rate, recipe=recipe, device="cpu")
    seconds = time.perf_counter() - started
    steps = sum(circuit.step for circuit in circuits)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return seconds, steps, sum(circuit.converged for circuit in circuits), peak


def workers(n: int) -> ProcessPoolExecutor:
    """``n`` processes of one thread each."""
    os.environ["OMP_NUM_THREADS"] = "1"
    return ProcessPoolExecutor(n, mp_context=get_context("spawn"))


def main() -> None:
    """Print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--circuits", type=int, default=5, help="per core and architecture")
    parser.add_argument("--plain-steps", type=int, default=1500, help="where the plain loop gives up")
    arguments = parser.parse_args()
    torch.set_num_threads(CORES)
    peak, plain = gemm_peak(), {label: plain_loop(label, arguments.plain_steps) for label in LABELS}
    processor = next((x.split(":")[1].strip() for x in open("/proc/cpuinfo") if x.startswith("model name")), "")
    print(f"{date.today()}, {platform.machine()} {processor}, {CORES} cores, torch {torch.__version__}, p = {TASK.p}")
    print(f"\nSingle-precision matrix product of one thread: {peak:.0f} GFLOP/s.\n")
    print(
        "| architecture | plain: ms a step | full batch: ms a circuit-step | ratio | of GEMM peak | recipe: ms a"
        " circuit-step | plain: s to loss 1e-6 (steps) | s a converged circuit | ratio | converged | peak GB |"
    )
    print("|" + "---|" * 11)
    with workers(CORES) as pool:
        for label in LABELS:
            print(line(label, peak, plain[label], pool, arguments.circuits), flush=True)


def line(label: str, peak: float, plain: tuple[float, str, float], pool: ProcessPoolExecutor, count: int) -> str:
    """One architecture's row."""

    def shards(recipe: topomod.Recipe) -> list[tuple[float, int, int, float]]:
        jobs = [(label, core * count, count, recipe) for core in range(CORES)]
        return list(pool.map(train_here, jobs))

    full, fast = shards(FULL_BATCH), shards(topomod.Recipe())
    full_ms, fast_ms = (1e3 * max(s for s, *_ in run) / sum(n for _, n, *_ in run) for run in (full, fast))
    # forward and two backward products with the factorised read-out; a symmetric network needs half the pairs
    pairs = TASK.n_inputs * (0.5 if label == "mlp_add" else topomod.Recipe().train_fraction)
    one_core = statistics.median(s / n for s, n, *_ in full)
    share = 3 * 2 * pairs * 512 * TASK.p / one_core / 1e9 / peak
    converged = sum(n for *_, n, _ in fast)
    per_circuit = max(s for s, *_ in fast) / max(1, converged)
    plain_ms, plain_steps, plain_s = plain
    return (
        f"| {label} | {plain_ms:.1f} | {full_ms:.1f} | {plain_ms / full_ms:.1f} | {share:.0%} | {fast_ms:.1f} |"
        f" {plain_s:.0f} ({plain_steps}) | {per_circuit:.1f} | {plain_s / per_circuit:.1f} |"
        f" {converged}/{CORES * count} | {max(gb for *_, gb in fast):.2f} |"
    )


if __name__ == "__main__":
    main()
