"""How often verdicts on labelled clouds are right, and what their confidence is worth.

python benchmarks/verdicts.py                    # judging draws: the tables of docs/verdicts.md
python benchmarks/verdicts.py --build            # building draws: the steps of topomod/topology/confidence.py
python benchmarks/verdicts.py --build --save build.parquet && python benchmarks/verdicts.py --left-out build.parquet
"""

from __future__ import annotations

import argparse
import json
import os
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import beta

from topomod import topology
from topomod.files import atomic_path
from topomod.topology.classify import classify_manifold
from topomod.topology.confidence import confidence
from topomod.topology.detectable import TABLE
from topomod.topology.kinds import FREE_SHAPES, GROUP_SHAPES
from topomod.topology.more_kinds import MORE_FREE_SHAPES, MORE_GROUP_SHAPES
from topomod.topology.shapes import ALL_GROUP_SHAPES, NOISES, draw_cloud

JUDGING, BUILDING = 5_000_000, 1_000_000
KNOWN = [*FREE_SHAPES, *GROUP_SHAPES]
HARD = [*MORE_FREE_SHAPES, *MORE_GROUP_SHAPES]
MODULI = (31, 59, 59, 59, 97)
SIGMAS = (0.0, 0.02, 0.05, 0.1)
MORE_SIGMA = 0.2  # known shapes only: out of scope
RATIOS = (0.1, 1.0)
HARD_RATIOS = (0.2, 0.8)
POINTS = (1000, 5000)
HARD_POINTS = ((10, 300), (300, 1000), (1000, 5000), (1000, 5000), (5000, 50_000))
FEW_POINTS = (50, 1000)
FEATURES = (3, 10, 50, 100)
OUTLIERS = (0.0, 0.0, 0.0, 0.001, 0.01, 0.05)
EDGES = (0.0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 1.01)
SURE = 0.9
DETECTABLE = Path(topology.__file__).parent / TABLE


def draw(family: str, seed: int, position: int):
    """One labelled cloud and its share of outliers; the seed decides size, noise and embedding."""
    rng = np.random.default_rng(seed)
    noise = NOISES[int(rng.integers(len(NOISES)))]
    if family == "hard":
        shape = HARD[position % len(HARD)]
        low, high = HARD_POINTS[int(rng.integers(len(HARD_POINTS)))]
        ratio, sigma = float(rng.uniform(*HARD_RATIOS)), float(rng.choice(SIGMAS))
        outliers = 0.0 if shape in ALL_GROUP_SHAPES else float(rng.choice(OUTLIERS))
        size, features = _size(rng, shape, low, high), int(rng.choice(FEATURES))
        return draw_cloud(
            shape, rng, size=size, ratio=ratio, sigma=sigma, noise=noise, outliers=outliers, n_features=features
        ), outliers
    shapes = [*FREE_SHAPES] if family == "few points" else KNOWN
    shape = shapes[position % len(shapes)]
    size = _size(rng, shape, *(FEW_POINTS if family == "few points" else POINTS))
    ratio, sigma = float(np.exp(rng.uniform(*np.log(RATIOS)))), float(rng.choice((*SIGMAS, MORE_SIGMA)))
    return draw_cloud(shape, rng, size=size, ratio=ratio, sigma=sigma, noise=noise), 0.0


def _size(rng: np.random.Generator, shape: str, low: int, high: int) -> int:
    if shape in ALL_GROUP_SHAPES:
        return int(rng.choice(MODULI))
    return int(np.exp(rng.uniform(np.log(low), np.log(high))))


def judge(family: str, first: int, n: int) -> pd.DataFrame:
    """One row per cloud: what it is and what was said."""
    rows = []
    for position in range(n):
        seed = first + position
        cloud, outliers = draw(family, seed, position)
        started = time.process_time()
        try:
            verdict = classify_manifold(cloud.X, p=cloud.p, seed=seed)
        except ValueError:  # fewer than ten distinct points
            continue
        row = {"family": family, "shape": cloud.shape, "truth": cloud.label, "n": len(cloud.X), "p": cloud.p}
        row |= {"ratio": cloud.ratio, "noise": cloud.noise, "hole": cloud.hole, "in_scope": cloud.in_scope}
        row |= {
            "features": cloud.X.shape[1],
            "outliers": outliers,
            "right": verdict.label in cloud.right,
            "label": verdict.label,
        }
        row |= {"forced": verdict.forced_label, "confidence": verdict.confidence, "rank": verdict.rank}
        row |= {"bound": verdict.hole_upper_bound, "sigma": verdict.sigma, "score": verdict.score}
        row |= {"doubtful": verdict.doubtful, "missing": verdict.missing, "reason": verdict.reason, "seed": seed}
        rows.append(row | {"seconds": time.process_time() - started})
    table = pd.DataFrame(rows)
    table["said"] = table["label"] != "uncertain"
    covered = (table["label"] == "disc") & (table["truth"] == "circle") & (table["bound"] >= table["hole"])
    table["covered"] = covered & (family != "hard")
    table["wrong"] = table["said"] & ~table["right"]
    return table


def with_confidence(table: pd.DataFrame) -> pd.DataFrame:
    """Rows saved before, with the confidence that their scores have now: it is measured on other draws."""
    pairs = zip(table["score"], table["doubtful"], table["said"], strict=True)
    return table.assign(confidence=[confidence(score, doubtful) if said else 0.0 for score, doubtful, said in pairs])


def export(table: pd.DataFrame) -> None:
    """Write what :func:`topomod.topology.detectable.detectable` reads."""
    columns = {"n": int, "noise": float, "features": int, "said": int, "right": int}
    found = {
        str(shape): {name: own[name].astype(kind).tolist() for name, kind in columns.items()}
        for shape, own in table.groupby("shape")
    }
    with atomic_path(DETECTABLE) as path:
        path.write_text(json.dumps(found, separators=(",", ":")) + "\n", encoding="utf-8")


def lower_bound(hits: int, n: int, level: float = 0.999) -> float:
    """One-sided Clopper-Pearson bound of a share."""
    return float(beta.ppf(1 - level, hits, n - hits + 1)) if hits else 0.0


def steps(table: pd.DataFrame) -> dict[bool, list[tuple[float, float]]]:
    """For labels without and with a doubtful sign, the least share right from each score on.

    Neighbouring bins whose shares fall instead of rising are pooled; then 99.9 % bounds.
    """
    found: dict[bool, list[tuple[float, float]]] = {False: [(0.0, 0.0)], True: [(0.0, 0.0)]}
    for doubtful, own in table[table["said"]].groupby("doubtful"):
        good = own["right"] | own["covered"]
        blocks: list[tuple[float, int, int]] = []
        for low, high in zip(EDGES[:-1], EDGES[1:], strict=True):
            inside = (own["score"] >= low) & (own["score"] < high)
            blocks.append((low, int(good[inside].sum()), int(inside.sum())))
            while len(blocks) > 1 and (not blocks[-1][2] or not blocks[-2][2] or rate(blocks[-2]) >= rate(blocks[-1])):
                (start, hits, n), (_, more, m) = blocks[-2:]
                blocks[-2:] = [(start, hits + more, n + m)]
        bounds = [min(lower_bound(hits, n), SURE if doubtful else 1.0) for _, hits, n in blocks]
        found[bool(doubtful)] = [(low, round(bound, 3)) for (low, _, _), bound in zip(blocks, bounds, strict=True)]
    return found


def rate(block: tuple[float, int, int]) -> float:
    """Share right in a block of scores."""
    return block[1] / block[2]


def left_out(build: pd.DataFrame, judged: pd.DataFrame) -> None:
    """Print, for each kind, what its judged draws get from a confidence table made without that kind."""
    print("| kind left out | judged | confident | wrong above 0.9 |\n|---|---|---|---|")
    total = [0, 0, 0]
    for shape, own in judged.groupby("shape"):
        table = steps(build[build["shape"] != shape])
        least = own.apply(lambda row, t=table: max(c for s, c in t[row["doubtful"]] if row["score"] >= s), axis=1)
        sure = own["said"] & (least > SURE)
        row = [len(own), int(sure.sum()), int((sure & own["wrong"] & ~own["covered"]).sum())]
        total = [a + b for a, b in zip(total, row, strict=True)]
        if row[2]:
            print(f"| {shape} | {row[0]} | {row[1]} | {row[2]} |")
    print(f"| all | {total[0]} | {total[1]} | {total[2]} |")


def report(table: pd.DataFrame) -> None:
    """Print the tables of docs/verdicts.md."""
    known, hard = table[table["family"] == "known"], table[table["family"] == "hard"]
    columns = "clouds | right | uncertain | wrong | wrong above 0.9, not covered | median s |"
    rule = "|---|---|---|---|---|---|"
    print(f"| known shape | scope | {columns}\n|---|---{rule}")
    for (scope, shape), own in known.groupby(["in_scope", "shape"], sort=True):
        _line(f"{cell(shape)} | {'in' if scope else 'out'}", own)
    for scope, own in known.groupby("in_scope"):
        _line(f"all | {'in' if scope else 'out'}", own)
    _line("all | 50 to 1000 points", table[table["family"] == "few points"])
    print(f"\n| further kind | {columns}\n|---{rule}")
    for shape, own in hard.groupby("shape"):
        _line(cell(shape), own)
    _line("all", hard)
    sizes = pd.cut(hard["n"], [0, 300, 1000, 5000, 50_001], labels=["10 to 300", "to 1000", "to 5000", "to 50000"])
    print(f"\n| points | noise | {columns}\n|---|---{rule}")
    for (size, noise), own in hard.groupby([sizes, "noise"], observed=True):
        _line(f"{size} | {noise:g}", own)
    print(f"\n| outliers | {columns}\n|---{rule}")
    for outliers, own in hard.groupby("outliers"):
        _line(f"{outliers:.1%}", own)
    print("\n| confidence | labels | right | share |\n|---|---|---|---|")
    for low, high in ((0, 0.5), (0.5, 0.8), (0.8, 0.9), (0.9, 0.95), (0.95, 0.98), (0.98, 1.01)):
        own = table[table["said"] & (table["confidence"] >= low) & (table["confidence"] < high)]
        good = own["right"] | own["covered"]
        if len(own):
            print(f"| {low:.2f} to {min(high, 1):.2f} | {len(own)} | {int(good.sum())} | {good.mean():.3f} |")
    print("\n| rank | clouds | median s, known | median s, further |\n|---|---|---|---|")
    for rank, own in table.groupby("rank"):
        medians = [own.loc[own["family"] == family, "seconds"].median() for family in ("known", "hard")]
        print(f"| {rank} | {len(own)} | {medians[0]:.2f} | {medians[1]:.2f} |")


def details(table: pd.DataFrame) -> None:
    """Print one line per kind, size and noise."""
    sizes = pd.cut(table["n"], [0, 300, 1000, 5000, 50_001], labels=["10 to 300", "to 1000", "to 5000", "to 50000"])
    print("| kind | points | noise | clouds | right | uncertain | wrong | wrong above 0.9 | median s |")
    print("|---|---|---|---|---|---|---|---|---|")
    for (shape, size, noise), own in table.groupby(["shape", sizes, "noise"], observed=True):
        _line(f"{cell(shape)} | {size} | {noise:g}", own)


def cell(shape: str) -> str:
    """Name of a shape in a Markdown table."""
    return shape.replace("|", "\\|")


def _line(name: str, own: pd.DataFrame) -> None:
    sure = own["wrong"] & (own["confidence"] > SURE) & ~own["covered"]
    shares = f"{own['right'].mean():.1%} | {(~own['said']).mean():.1%}"
    seconds = own["seconds"].median()
    print(f"| {name} | {len(own)} | {shares} | {own['wrong'].sum()} | {sure.sum()} | {seconds:.2f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", action="store_true", help="use the building draws and print steps")
    parser.add_argument("--known", type=int, default=2000, help="known shapes; a quarter more have few points")
    parser.add_argument("--hard", type=int, default=2000, help="clouds of the further kinds")
    parser.add_argument("--first", type=int, default=0, help="offset, to split the draws over processes")
    parser.add_argument("--save", default="", help="Parquet file for the rows, instead of tables")
    parser.add_argument("--read", nargs="*", default=[], help="rows saved before, instead of drawing")
    parser.add_argument("--left-out", default="", help="rows of the building draws: each kind judged without itself")
    parser.add_argument("--details", action="store_true", help="one line per kind, size and noise")
    parser.add_argument("--export", action="store_true", help="write the table that topomod.detectable reads")
    arguments = parser.parse_args()
    base = (BUILDING if arguments.build else JUDGING) + arguments.first
    if arguments.read:
        table = with_confidence(pd.concat([pd.read_parquet(path) for path in arguments.read], ignore_index=True))
    else:
        numbers = {"known": arguments.known, "few points": arguments.known // 4, "hard": arguments.hard}
        parts = [judge(family, base + 500_000 * i, n) for i, (family, n) in enumerate(numbers.items()) if n]
        table = pd.concat(parts, ignore_index=True)
    if arguments.save:
        table.to_parquet(arguments.save)
    elif arguments.build:
        print(steps(table))
    elif arguments.left_out:
        left_out(pd.read_parquet(arguments.left_out), table)
    elif arguments.export:
        export(table)
    elif arguments.details:
        details(table)
    else:
        report(table)


if __name__ == "__main__":
    main()
