"""How often a loop is seen in noise of many dimensions, and how often one is seen where there is none.

    python benchmarks/noise.py --part loops --clouds 3 > loops.md
    python benchmarks/noise.py --part structureless --clouds 200 --points 300 > structureless.md
    python benchmarks/noise.py --part null --clouds 100 --points 80 > null.md

Four looks at each cloud: the verdict; the verdict in the components above the noise floor; death over birth of the most
persistent loop of effective resistance; the matched null at p <= 0.003. The threshold of resistance is the largest
value on structureless clouds of other seeds. One thread; the output is kept in docs/verdicts.md.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

import topomod
from topomod.topology.classify import check_cloud, label_cloud
from topomod.topology.kinds import TAU, unit
from topomod.topology.loop_views import leading_view
from topomod.topology.resistance import resistance_loops
from topomod.topology.shapes import NOISES, add_noise

LEVEL, N_DRAWS = 0.003, 333
LOOKS = ("verdict", "above the noise", "resistance", "matched null")
Draw = Callable[[np.random.Generator, int], np.ndarray]


def annulus(rng: np.random.Generator, n: int) -> np.ndarray:
    return np.sqrt(rng.uniform(0.25, 1, n))[:, None] * unit(TAU * rng.uniform(size=n))


def disc(rng: np.random.Generator, n: int) -> np.ndarray:
    return np.sqrt(rng.uniform(size=n))[:, None] * unit(TAU * rng.uniform(size=n))


SHAPES: dict[str, Draw] = {
    "circle": lambda rng, n: unit(TAU * rng.uniform(size=n)),
    "annulus": annulus,
    "torus": lambda rng, n: np.hstack([unit(t) for t in TAU * rng.uniform(size=(2, n))]),
}
STRUCTURELESS: dict[str, Draw] = {
    "noise alone": lambda rng, n: np.zeros((n, 2)),
    "disc": disc,
    "blob in a plane": lambda rng, n: rng.normal(size=(n, 2)),
    "blob in space": lambda rng, n: rng.normal(size=(n, 3)),
    "segment": lambda rng, n: np.column_stack([rng.uniform(-1, 1, n), np.zeros(n)]),
}


def noisy(draw: Draw, n: int, n_features: int, sigma: float, noise: str, rng: np.random.Generator) -> np.ndarray:
    """A shape of rms radius 1 in many features, with noise of ``sigma`` in each of them."""
    points = draw(rng, n)
    points = points - points.mean(axis=0)
    points = points / max(np.sqrt(np.mean(np.sum(points**2, axis=1))), 1e-9)
    return add_noise(points, sigma, n_features, noise, rng)


def resistance_score(X: np.ndarray) -> float:
    """Death over birth of the most persistent loop, 1 without one."""
    bars = resistance_loops(X)
    return float(bars[0, 1] / bars[0, 0]) if len(bars) else 1.0


def label_above_noise(X: np.ndarray, seed: int) -> str:
    rng = np.random.default_rng(seed)
    return label_cloud(leading_view(check_cloud(X, None), None, rng), None, 0.5, None, rng).label


def look(X: np.ndarray, seed: int) -> tuple[dict[str, str], float]:
    """What each look but resistance says, and the score of resistance."""
    said = {"verdict": topomod.classify_manifold(X, seed=seed).label}
    said["above the noise"] = label_above_noise(X, seed)
    score = resistance_score(X)
    p_value = topomod.matched_null(X, n_draws=N_DRAWS, seed=seed).p_value
    said["matched null"] = "loop" if p_value <= LEVEL else ""
    return said, score


def sees(said: dict[str, str], name: str) -> bool:
    return said[name] in ("circle", "torus", "loop")


def threshold(n: int) -> float:
    """Largest score of resistance on 40 structureless clouds of other seeds."""
    scores = []
    for seed in range(40):
        rng = np.random.default_rng(10**6 + seed)
        draw = list(STRUCTURELESS.values())[seed % len(STRUCTURELESS)]
        sigma = (0.15, 0.25, 0.35, 0.5)[seed // len(STRUCTURELESS) % 4]
        scores.append(resistance_score(noisy(draw, n, (50, 100)[seed % 2], sigma, "gaussian", rng)))
    return max(scores)


def loops(n_clouds: int, n: int) -> None:
    limit = threshold(n)
    print(f"{n} points; threshold of resistance {limit:.2f}\n")
    head = " | ".join(f"{name}: sees" for name in LOOKS)
    print(f"| shape | features | sigma | clouds | {head} | label above the noise |\n|{'---|' * 9}", flush=True)
    for shape, draw in SHAPES.items():
        for n_features in (50, 100):
            for sigma in (0.25, 0.35, 0.5):
                counts, labels = dict.fromkeys(LOOKS, 0), []
                for seed in range(n_clouds):
                    X = noisy(draw, n, n_features, sigma, "gaussian", np.random.default_rng(seed))
                    said, score = look(X, seed)
                    counts["resistance"] += score > limit
                    for name in said:
                        counts[name] += sees(said, name)
                    labels.append(said["above the noise"])
                cells = " | ".join(f"{counts[name]}" for name in LOOKS)
                common = ", ".join(f"{label} {labels.count(label)}" for label in sorted(set(labels)))
                print(f"| {shape} | {n_features} | {sigma} | {n_clouds} | {cells} | {common} |", flush=True)


def structureless(n_clouds: int, n: int) -> None:
    """How often the verdict above the noise names a loop where there is none."""
    print(f"| structureless, {n} points | clouds | a circle or torus above the noise |\n|---|---|---|")
    total = 0
    for place, (kind, draw) in enumerate(STRUCTURELESS.items()):
        seen = 0
        for seed in range(n_clouds):
            rng = np.random.default_rng([place, seed])
            sigma, noise = float(rng.choice([0.15, 0.25, 0.35, 0.5])), str(rng.choice(NOISES))
            X = noisy(draw, n, int(rng.choice([50, 100])), sigma, noise, rng)
            seen += label_above_noise(X, seed) in ("circle", "torus")
        total += seen
        print(f"| {kind} | {n_clouds} | {seen} |", flush=True)
    print(f"| all | {n_clouds * len(STRUCTURELESS)} | {total} |")


def null(n_clouds: int, n: int) -> None:
    """Share of p-values of at most 0.05 on small structureless clouds of two and three features."""
    kinds: dict[str, Draw] = {
        "Gaussian": lambda rng, n: rng.normal(size=(n, 2)),
        "uniform on a disc": disc,
        "uniform on a square": lambda rng, n: rng.uniform(size=(n, 2)),
        "uniform in a cube": lambda rng, n: rng.uniform(size=(n, 3)),
        "Student's t, 3 degrees": lambda rng, n: rng.standard_t(3, (n, 2)),
        "three clusters": lambda rng, n: rng.normal(size=(n, 2)) + 3 * np.eye(3)[rng.integers(0, 3, n)][:, :2],
    }
    print(f"| structureless, {n} points | clouds | p <= 0.05 | p <= 0.2 |\n|---|---|---|---|")
    for kind, draw in kinds.items():
        rng = np.random.default_rng(0)
        values = np.array([topomod.matched_null(draw(rng, n), n_draws=19, seed=i).p_value for i in range(n_clouds)])
        print(f"| {kind} | {n_clouds} | {np.mean(values <= 0.05):.3f} | {np.mean(values <= 0.2):.3f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=["loops", "structureless", "null"], required=True)
    parser.add_argument("--clouds", type=int, default=10, help="clouds of each kind")
    parser.add_argument("--points", type=int, default=1000)
    arguments = parser.parse_args()
    {"loops": loops, "structureless": structureless, "null": null}[arguments.part](arguments.clouds, arguments.points)


if __name__ == "__main__":
    main()
