"""Error rates and power of the equivalence tests, by simulation, and on random halves of real architectures.

python benchmarks/errors.py means            # tables of docs/tests.md
python benchmarks/errors.py limits           # where the tests of means err more often than alpha
python benchmarks/errors.py populations      # MMD between neurons' phases, and between persistence diagrams
python benchmarks/errors.py halves results/modular_addition
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from topomod.statistics.diagram_equivalence import diagram_distances, diagram_equivalence_test, diagram_kernel
from topomod.statistics.kernels import TORUS_BANDWIDTHS, gaussian_mixture, torus_embedding
from topomod.statistics.mean_difference import is_constant
from topomod.statistics.mean_inference import infer_means
from topomod.statistics.mmd import mmd_equivalence_test
from topomod.statistics.power import power, power_curve, required_networks
from topomod.study.check import load_study_file
from topomod.study.endpoint_catalogue import ENDPOINTS

ALPHA, TARGET = 0.05, 0.8
GROUPS = 5
CORRELATIONS = (0.0, 0.5, 0.9)
SIZES = (10, 30, 100)
BATCH = 250
RESAMPLES = 999
PILOT = 50
KINDS = (
    ("normal", "normal"),
    ("skewed 1.4", "skewed 1.4"),
    ("skewed 1.4", "normal"),
    ("skewed 6.2", "skewed 6.2"),
    ("skewed 6.2", "normal"),
    ("bounded", "bounded"),
)
BOUNDED_MARGINS = {10: 0.5, 30: 0.3, 100: 0.2}
UNIT = (0.0, 1.0)


def standard(kind: str, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Draws of mean 0 and variance 1; the number is the skewness."""
    if kind == "normal":
        return rng.standard_normal(shape)
    if kind == "skewed 1.4":
        return (rng.gamma(2.0, size=shape) - 2) / np.sqrt(2)
    return (rng.lognormal(size=shape) - np.exp(0.5)) / np.sqrt((np.e - 1) * np.e)


def networks(
    kind: str, correlation: float, mean: float, rng: np.random.Generator, shape: tuple[int, int]
) -> np.ndarray:
    """Means over the 5 groups of each network, (runs, n); bounded ones are shares of groups with a label."""
    if kind == "bounded":
        spread = (1 - correlation) / correlation if correlation else np.inf
        rate = rng.beta(mean * spread, (1 - mean) * spread, shape) if correlation else np.full(shape, mean)
        return rng.binomial(GROUPS, rate) / GROUPS
    own, groups = standard(kind, rng, shape), standard(kind, rng, (*shape, GROUPS)).mean(axis=-1)
    return mean + np.sqrt(correlation) * own + np.sqrt(1 - correlation) * groups


def rates(draw: Callable, n: int, margin: float, at: tuple[float, float], bounds, runs: int):
    """Share of runs that conclude equivalence, and a difference, between samples with the two means given."""
    equivalent = different = 0
    for batch in range(runs // BATCH):
        x, y = draw(at, n)
        varied = np.ones(len(x), bool) if bounds else ~(is_constant(x) & is_constant(y))
        test = infer_means(x[varied], y[varied], margin, ALPHA, batch, bounds, n_resamples=RESAMPLES)
        equivalent += int((test.p_equivalence <= ALPHA).sum())
        different += int((test.p_difference <= ALPHA).sum())
    return equivalent / runs, different / runs


def means(runs: int) -> None:
    """Print sizes at the margin, both ways, size of the difference test, and power at the planned n.

    Margins are wide enough at each n for equivalence to be within reach: a test that never concludes has no size.
    """
    print("| x | y | correlation | n | margin | equivalence at +margin | at -margin | difference at 0 |")
    print("|---|---|---|---|---|---|---|---|")
    planned = []
    for kinds in KINDS:
        for correlation in CORRELATIONS:
            bounds, centre = (UNIT, 0.8) if kinds[0] == "bounded" else (None, 0.0)
            rng = np.random.default_rng([len("".join(kinds)), int(10 * correlation)])
            sd = np.sqrt(correlation + (1 - correlation) / GROUPS)

            def draw(at: tuple[float, float], n: int, kinds=kinds, correlation=correlation, rng=rng):
                return [networks(kind, correlation, m, rng, (BATCH, n)) for kind, m in zip(kinds, at, strict=True)]

            for n in SIZES:
                margin = BOUNDED_MARGINS[n] if bounds else 4 * sd * np.sqrt(2 / n)
                up = rates(draw, n, margin, (centre, centre - margin), bounds, runs)[0]
                down = rates(draw, n, margin, (centre - margin, centre), bounds, runs)[0]
                size = rates(draw, n, margin, (centre, centre), bounds, runs)[1]
                row = f"| {kinds[0]} | {kinds[1]} | {correlation} | {n} | {margin:.2f}"
                print(f"{row} | {up:.3f} | {down:.3f} | {size:.3f} |", flush=True)
            if kinds[0] != kinds[1]:
                continue
            margin = 0.2 if bounds else 0.5
            planned += plans(kinds[0], correlation, centre, margin, bounds, draw, runs, rng)
    print("\n| values | correlation | margin | pilot | n for 80 % | power reached |")
    print("|---|---|---|---|---|---|")
    print("\n".join(planned))


def plans(kind, correlation, centre, margin, bounds, draw, runs, rng) -> list[str]:
    """Lines on what is reached with the n that pilots ask for: one large pilot, and the median of 20 usual ones."""
    lines = []
    for size, n_pilots in ((5000, 1), (PILOT, 20)):
        asked, reached = [], []
        for pilot in networks(kind, correlation, centre, rng, (n_pilots, size)):
            needed = required_networks(power_curve(pilot, margin, ALPHA, bounds=bounds), TARGET)
            asked.append(needed or np.nan)
            share = rates(draw, needed, margin, (centre, centre), bounds, runs // 4)[0] if needed else np.nan
            reached.append(share)
        name = f"{size}" if n_pilots == 1 else f"{n_pilots} of {size}, median"
        row = f"| {kind} | {correlation} | {margin} | {name}"
        lines.append(f"{row} | {np.nanmedian(asked):.0f} | {np.nanmedian(reached):.3f} |")
    return lines


Arm = Callable[[np.random.Generator, tuple[int, int]], np.ndarray]


def arm(kind: str, sd: float = 1.0) -> Arm:
    """Draws of networks with mean 0: "lognormal" (of parameter s = 1) and "normal" have the standard deviation given.

    "90 % ones" are shares that are 1 in nine networks of ten and uniform on (0, 1) in the others; "outliers" are normal
    networks of which 4 % lie 50 standard deviations higher.
    """

    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
        if kind == "90 % ones":
            return np.where(rng.random(shape) < 0.9, 1.0, rng.random(shape)) - 0.95
        if kind == "outliers":
            return rng.standard_normal(shape) + 50 * ((rng.random(shape) < 0.04) - 0.04)
        return sd * standard(kind, rng, shape)

    return draw


LOGNORMAL, NORMAL, WIDE = arm("lognormal"), arm("normal"), arm("lognormal", np.sqrt(10))
ONES = arm("90 % ones")
# Name of the case, the two arms, numbers of networks, and the standard deviations of the arms that the margin of four
# standard errors is made of. With outliers the margin is the 2 standard deviations by which they move the mean.
LIMITS = (
    ("both lognormal, all alike (for comparison)", LOGNORMAL, LOGNORMAL, (50, 50), (1.0, 1.0)),
    ("both lognormal, sizes differ", LOGNORMAL, LOGNORMAL, (8, 80), (1.0, 1.0)),
    ("lognormal against normal, sizes differ", LOGNORMAL, NORMAL, (8, 80), (1.0, 1.0)),
    (
        "90 % exact ones, tested without bounds, sizes differ",
        arm("90 % ones"),
        arm("90 % ones"),
        (8, 80),
        (0.1756, 0.1756),
    ),
    ("both lognormal, variances 1 : 10", LOGNORMAL, WIDE, (20, 20), (1.0, np.sqrt(10))),
    ("both lognormal, variances 1 : 10", LOGNORMAL, WIDE, (50, 50), (1.0, np.sqrt(10))),
    ("both normal, 4 % outliers in x alone", arm("outliers"), NORMAL, (20, 20), None),
    ("both normal, 4 % outliers in x alone", arm("outliers"), NORMAL, (50, 50), None),
)


def limits(runs: int) -> None:
    """Print how often the tests of means err, with Monte Carlo standard errors, where their assumptions do not hold."""

    def cell(rate: float) -> str:
        return f"{rate:.3f} ± {np.sqrt(rate * (1 - rate) / runs):.3f}"

    print("| x and y | networks | margin | equivalence at +margin | at -margin | difference at 0 |")
    print("|---|---|---|---|---|---|")
    for place, (name, arm_x, arm_y, (n, m), sds) in enumerate(LIMITS):
        rng = np.random.default_rng([11, place])
        margin = 4 * np.sqrt(sds[0] ** 2 / n + sds[1] ** 2 / m) if sds else 2.0

        def draw(at: tuple[float, float], n: int, arm_x=arm_x, arm_y=arm_y, m=m, rng=rng):
            return at[0] + arm_x(rng, (BATCH, n)), at[1] + arm_y(rng, (BATCH, m))

        up = rates(draw, n, margin, (margin, 0.0), None, runs)[0]
        down = rates(draw, n, margin, (-margin, 0.0), None, runs)[0]
        size = rates(draw, n, margin, (0.0, 0.0), None, runs)[1]
        print(f"| {name} | {n} v {m} | {margin:.2f} | {cell(up)} | {cell(down)} | {cell(size)} |", flush=True)


def phases(share: float, n: int, rng: np.random.Generator, neurons: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """Networks whose neurons lie near the diagonal of the torus or, a share of them that varies, anywhere."""
    rate = rng.beta(4 * share, 4 * (1 - share), n)
    a = rng.uniform(0, 2 * np.pi, (n, neurons))
    near = a + 0.3 * rng.standard_normal((n, neurons))
    b = np.where(rng.random((n, neurons)) < rate[:, None], rng.uniform(0, 2 * np.pi, (n, neurons)), near)
    return np.stack([a.ravel(), b.ravel()], axis=1), np.repeat(np.arange(n), neurons)


def phase_distance(rng: np.random.Generator, n: int = 6000) -> float:
    """MMD between neurons near the diagonal and neurons anywhere."""
    far, near = (torus_embedding(phases(share, n, rng, 1)[0]) for share in (1 - 1e-9, 1e-9))

    def mean_kernel(X: np.ndarray, Y: np.ndarray) -> float:
        squared = (X**2).sum(1)[:, None] + (Y**2).sum(1) - 2 * X @ Y.T
        return float(gaussian_mixture(np.maximum(squared, 0), TORUS_BANDWIDTHS).mean())

    within = sum((mean_kernel(X, X) - 1 / n) * n / (n - 1) for X in (far, near))
    return float(np.sqrt(within - 2 * mean_kernel(far, near)))


def diagrams(share: float, n: int, rng: np.random.Generator) -> list[np.ndarray]:
    """One diagram a network: noise bars, and one bar that is long in a share of the networks."""
    long = rng.random(n) < share
    found = []
    for is_long in long:
        births = rng.uniform(0.05, 0.2, 8)
        noise = np.stack([births, births + rng.exponential(0.02, 8)], axis=1)
        death = (0.9 if is_long else 0.35) + 0.05 * rng.standard_normal()
        found.append(np.concatenate([noise, [[0.1, death]]]))
    return found


WIDTHS = (0.125, 0.25, 0.5, 1.0)


def diagram_distance_of_kinds(metric: str, rng: np.random.Generator, n: int = 150) -> float:
    """MMD between networks with and without the long bar."""
    kernel = diagram_kernel(diagram_distances(diagrams(0.0, n, rng) + diagrams(1.0, n, rng), metric), WIDTHS)[0]
    within = sum((part.sum() - np.trace(part)) / (n * (n - 1)) for part in (kernel[:n, :n], kernel[n:, n:]))
    return float(np.sqrt(within - 2 * kernel[:n, n:].mean()))


def population_tests(rng: np.random.Generator) -> Iterator[tuple[str, float, float, Callable]]:
    """Name, share of the second kind, shift of that share on the margin, and test of n networks at two shares."""
    unit = phase_distance(rng)

    def by_phases(n: int, at: tuple[float, float], margin: float, seed: int):
        (X, own_x), (Y, own_y) = (phases(share, n, rng) for share in at)
        return mmd_equivalence_test(
            torus_embedding(X), torus_embedding(Y), margin, own_x, own_y, seed=seed, bandwidths=TORUS_BANDWIDTHS
        )

    yield "phases", 0.2, 0.3 * unit, by_phases
    for metric in ("sliced wasserstein", "bottleneck"):
        unit = diagram_distance_of_kinds(metric, rng)

        def by_diagrams(n: int, at: tuple[float, float], margin: float, seed: int, metric=metric):
            first, second = (diagrams(share, n, rng) for share in at)
            return diagram_equivalence_test(first, second, margin, seed=seed, metric=metric, bandwidths=WIDTHS)

        yield f"diagrams, {metric}", 0.2, 0.3 * unit, by_diagrams


def populations(runs: int) -> None:
    """Print what the MMD tests conclude of populations whose MMD is the margin, and of equal ones."""
    print("| populations | n | margin | equivalence at the margin | equivalence at 0 | difference at 0 |")
    print("|---|---|---|---|---|---|")
    for name, share, margin, test in population_tests(np.random.default_rng(0)):
        for n in SIZES:
            found = {}
            # the matrix of bottleneck distances grows as n^2; a Hilbert metric shows the same test at n = 100
            if "bottleneck" in name and n == SIZES[-1]:
                continue
            for shift in (0.3, 0.0):
                found[shift] = []
                for run in range(runs):
                    try:
                        found[shift].append(test(n, (share, share + shift), margin, run))
                    except ValueError:  # all networks alike, or no bandwidth: nothing is concluded
                        found[shift].append(None)
            same = {k: np.mean([r is not None and r.p_equivalence <= ALPHA for r in v]) for k, v in found.items()}
            size = np.mean([r is not None and r.p_difference <= ALPHA for r in found[0.0]])
            print(f"| {name} | {n} | {margin:.3f} | {same[0.3]:.3f} | {same[0.0]:.3f} | {size:.3f} |", flush=True)


def halves(folder: Path, config: Path, runs: int) -> None:
    """Print, for every architecture, how often random halves of its circuits are equivalent, beside the power."""
    study = load_study_file(config)
    table = pd.read_parquet(folder / "endpoints.parquet")
    table = table[table["converged"] & table["value"].notna()]
    print(
        "| architecture | n in each half | endpoints | power, mean | equivalent, mean | largest shortfall (endpoint) |"
    )
    print("|---|---|---|---|---|---|")
    for architecture, own in table.groupby("architecture", sort=False):
        rows = []
        for name, endpoint in ENDPOINTS.items():
            values = own.loc[own["endpoint"] == name, "value"].to_numpy()
            n = len(values) // 2
            margin = study.margins[name].margin
            if n < 3 or (is_constant(values) and endpoint.bounds is None):
                continue
            said = power(values, margin, n, ALPHA, bounds=endpoint.bounds, n_runs=1000).equivalent
            rng = np.random.default_rng(0)
            drawn = np.stack([rng.permutation(values)[: 2 * n] for _ in range(runs)])
            x, y = drawn[:, :n], drawn[:, n:]
            varied = np.ones(runs, bool) if endpoint.bounds else ~(is_constant(x) & is_constant(y))
            test = infer_means(x[varied], y[varied], margin, ALPHA, 0, endpoint.bounds, n_resamples=RESAMPLES)
            rows.append((said - (test.p_equivalence <= ALPHA).sum() / runs, said, name))
        short, _, worst = max(rows)
        said = np.mean([row[1] for row in rows])
        found = np.mean([row[1] - row[0] for row in rows])
        print(f"| {architecture} | {n} | {len(rows)} | {said:.3f} | {found:.3f} | {short:.3f} ({worst}) |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["means", "limits", "populations", "halves"])
    parser.add_argument("folder", nargs="?", type=Path, default=Path("results/modular_addition"))
    parser.add_argument("--config", type=Path, default=Path("config/config.yaml"))
    parser.add_argument("--runs", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.what == "means":
        means(arguments.runs or 4000)
    elif arguments.what == "limits":
        limits(arguments.runs or 10000)
    elif arguments.what == "populations":
        populations(arguments.runs or 500)
    else:
        halves(arguments.folder, arguments.config, arguments.runs or 1000)


if __name__ == "__main__":
    main()
