"""How often verdicts on labelled clouds are right, and what their confidence is worth.

python benchmarks/verdicts.py                 # held-out draws: the tables of docs/verdicts.md
python benchmarks/verdicts.py --calibrate     # calibration draws: the steps of topomod/evidence.py
"""

from __future__ import annotations

import argparse
import os
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from scipy.stats import beta

from topomod.topology.classify import classify_manifold
from topomod.topology.shapes import FREE_SHAPES, GROUP_SHAPES, NOISES, draw_cloud

HELD_OUT, CALIBRATION = 3_000_000, 0
MODULI = (31, 59, 59, 59, 97)
SIGMAS = (0.0, 0.02, 0.05, 0.1, 0.2)
RATIOS = (0.1, 1.0)
POINTS = (1000, 5000)
FEW_POINTS = (50, 1000)
EDGES = (0.0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 1.01)


def draw(seed: int, few: bool):
    """One labelled cloud; the seed decides shape, size, noise and embedding."""
    rng = np.random.default_rng(seed)
    shape = str(rng.choice([*FREE_SHAPES] if few else [*GROUP_SHAPES, *FREE_SHAPES]))
    size = (
        int(rng.choice(MODULI))
        if shape in GROUP_SHAPES
        else int(np.exp(rng.uniform(*np.log(FEW_POINTS if few else POINTS))))
    )
    ratio, sigma = float(np.exp(rng.uniform(*np.log(RATIOS)))), float(rng.choice(SIGMAS))
    return draw_cloud(shape, rng, size=size, ratio=ratio, sigma=sigma, noise=NOISES[int(rng.integers(len(NOISES)))])


def judge(first: int, n: int, few: bool = False) -> pd.DataFrame:
    """One row per cloud: what it is and what was said."""
    rows = []
    for seed in range(first, first + n):
        cloud = draw(seed, few)
        started = time.process_time()
        verdict = classify_manifold(cloud.X, p=cloud.p, seed=seed)
        row = {"shape": cloud.shape, "truth": cloud.label, "n": len(cloud.X), "p": cloud.p, "ratio": cloud.ratio}
        row |= {"noise": cloud.noise, "hole": cloud.hole, "in_scope": cloud.in_scope, "label": verdict.label}
        row |= {"forced": verdict.forced_label, "confidence": verdict.confidence, "rank": verdict.rank}
        row |= {"fine_rank": verdict.fine_rank, "bound": verdict.hole_upper_bound, "sigma": verdict.sigma}
        row |= {"score": verdict.score, "doubtful": verdict.doubtful, "reason": verdict.reason, "seed": seed}
        rows.append(row | {"seconds": time.process_time() - started})
    table = pd.DataFrame(rows)
    table["right"], table["said"] = table["label"] == table["truth"], table["label"] != "uncertain"
    table["covered"] = (table["label"] == "disc") & (table["truth"] == "circle") & (table["bound"] >= table["hole"])
    return table


def lower_bound(hits: int, n: int, level: float = 0.999) -> float:
    """One-sided Clopper-Pearson bound of a share."""
    return float(beta.ppf(1 - level, hits, n - hits + 1)) if hits else 0.0


def calibrate(table: pd.DataFrame) -> None:
    """Print, for verdicts with and without doubtful signs, the least share right at each score.

    Neighbouring bins whose shares fall instead of rising are pooled; then 99.9 % bounds.
    """
    for doubtful, own in table[table["said"]].groupby("doubtful"):
        good = own["right"] | own["covered"]
        blocks: list[tuple[float, int, int]] = []
        for low, high in zip(EDGES[:-1], EDGES[1:], strict=True):
            inside = (own["score"] >= low) & (own["score"] < high)
            print(f"  score {low:.2f}-{high:.2f}: {int(good[inside].sum())} of {int(inside.sum())}")
            blocks.append((low, int(good[inside].sum()), int(inside.sum())))
            while len(blocks) > 1 and (not blocks[-1][2] or not blocks[-2][2] or rate(blocks[-2]) >= rate(blocks[-1])):
                (first, hits, n), (_, more, m) = blocks[-2:]
                blocks[-2:] = [(first, hits + more, n + m)]
        steps = tuple((low, round(min(lower_bound(hits, n), 0.9 if doubtful else 1.0), 3)) for low, hits, n in blocks)
        print(f"{doubtful}: {steps},")


def rate(block: tuple[float, int, int]) -> float:
    """Share right in a block of scores."""
    return block[1] / block[2]


def report(table: pd.DataFrame, few: pd.DataFrame) -> None:
    """Print the tables of docs/verdicts.md."""
    print("| shape | scope | clouds | right | uncertain | wrong | wrong above .9, not covered | median s |")
    print("|---|---|---|---|---|---|---|---|")
    bad = table["said"] & ~table["right"]
    for (scope, shape), own in table.groupby(["in_scope", "shape"], sort=True):
        _line(shape, "in" if scope else "out", own, bad)
    for scope, own in table.groupby("in_scope"):
        _line("all", "in" if scope else "out", own, bad)
    _line("all", "50 to 1000 points", few, few["said"] & ~few["right"])
    print("\n| confidence | verdicts | right | share |\n|---|---|---|---|")
    both = pd.concat([table, few])
    both = both[both["said"]]
    for low, high in ((0, 0.5), (0.5, 0.8), (0.8, 0.9), (0.9, 0.95), (0.95, 0.98), (0.98, 1.01)):
        own = both[(both["confidence"] >= low) & (both["confidence"] < high)]
        good = own["right"] | own["covered"]
        if len(own):
            print(f"| {low:.2f} to {min(high, 1):.2f} | {len(own)} | {int(good.sum())} | {good.mean():.3f} |")
    print("\n| rank | clouds | median s |\n|---|---|---|")
    for rank, own in table.groupby("rank"):
        print(f"| {rank} | {len(own)} | {own['seconds'].median():.2f} |")


def _line(shape: str, scope: str, own: pd.DataFrame, bad: pd.Series) -> None:
    wrong = bad.loc[own.index]
    sure = wrong & (own["confidence"] > 0.9) & ~own["covered"]
    shares = f"{own['right'].mean():.1%} | {(~own['said']).mean():.1%}"
    seconds = own["seconds"].median()
    print(f"| {shape} | {scope} | {len(own)} | {shares} | {wrong.sum()} | {sure.sum()} | {seconds:.2f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calibrate", action="store_true", help="use the calibration draws and print steps")
    parser.add_argument("--clouds", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0, help="offset, to split the draws over processes")
    parser.add_argument("--save", default="", help="Parquet file for the rows, instead of tables")
    parser.add_argument("--read", nargs="*", default=[], help="rows saved before, instead of drawing")
    arguments = parser.parse_args()
    base = CALIBRATION if arguments.calibrate else HELD_OUT
    if arguments.read:
        table = pd.concat([pd.read_parquet(path) for path in arguments.read], ignore_index=True)
    else:
        parts = [judge(base + arguments.first, arguments.clouds).assign(few=False)]
        parts.append(judge(base + 500_000 + arguments.first, arguments.clouds // 4, few=True).assign(few=True))
        table = pd.concat(parts, ignore_index=True)
    if arguments.save:
        table.to_parquet(arguments.save)
    elif arguments.calibrate:
        calibrate(table)
    else:
        report(table[~table["few"]], table[table["few"]])


if __name__ == "__main__":
    main()
