"""Error rates and power of the equivalence tests, by simulation, and on random halves of real architectures.

python benchmarks/errors.py means            # tables of docs/tests.md
python benchmarks/errors.py methods          # tests of means that were compared
python benchmarks/errors.py shares           # the bounded test
python benchmarks/errors.py looks            # studies that grow until they conclude
python benchmarks/errors.py planning         # numbers of networks that pilots ask for
python benchmarks/errors.py populations      # MMD between neurons' phases, and between persistence diagrams
python benchmarks/errors.py halves results/modular_addition
python benchmarks/errors.py bounds results/modular_addition

``--cells`` keeps the cells whose name has a text in it, ``--replications`` sets the number of runs of each cell.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from mean_methods import METHODS, TRIM
from scipy import special

from topomod.statistics.diagram_equivalence import diagram_distances, diagram_equivalence_test, diagram_kernel
from topomod.statistics.kernels import TORUS_BANDWIDTHS, gaussian_mixture, torus_embedding
from topomod.statistics.looks import plan_looks
from topomod.statistics.mean_difference import is_constant
from topomod.statistics.mean_inference import infer_means
from topomod.statistics.mmd import mmd_equivalence_test
from topomod.statistics.power import power, power_curve, required_networks
from topomod.study.check import load_study_file
from topomod.study.endpoint_catalogue import ENDPOINTS

ALPHA, TARGET = 0.05, 0.8
LEVELS = (0.05, 0.0021)  # of one test, and of the strictest test of a Holm family of 24
GROUPS = 5
SIZES = (8, 20, 50, 80)
BATCH = 1000
RESAMPLES = 1999
PILOT = 50
POPULATION_SIZES = (10, 30, 100)
UNIT = (0.0, 1.0)


def standard(kind: str, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Draws of mean 0 and variance 1; the number is the skewness. Outliers: 4 % lie 50 standard deviations higher."""
    if kind == "normal":
        return rng.standard_normal(shape)
    if kind == "t3":
        return rng.standard_t(3, shape) / np.sqrt(3)
    if kind == "skewed 1.4":
        return (rng.gamma(2.0, size=shape) - 2) / np.sqrt(2)
    if kind == "skewed 6.2":  # lognormal with s = 1
        return (rng.lognormal(size=shape) - np.exp(0.5)) / np.sqrt((np.e - 1) * np.e)
    if kind == "skewed -6.2":
        return -standard("skewed 6.2", rng, shape)
    if kind == "beta":
        return (rng.beta(0.5, 0.5, shape) - 0.5) / np.sqrt(0.125)
    if kind == "ties":
        return np.round(rng.standard_normal(shape)) / np.sqrt(1 + 1 / 12)
    if kind == "90 % ones":  # uniform otherwise
        return (np.where(rng.random(shape) < 0.9, 1.0, rng.random(shape)) - 0.95) / 0.17559
    return rng.standard_normal(shape) + 50 * ((rng.random(shape) < 0.04) - 0.04)  # outliers


@dataclass(frozen=True)
class Cell:
    """Two kinds of networks, the variance of y where that of x is 1, and the correlation of groups within a network.

    Networks are single values, or means over 5 groups where a correlation is given.
    """

    x: str
    y: str
    variance: float = 1.0
    correlation: float | None = None

    @property
    def name(self) -> str:
        groups = "" if self.correlation is None else f", groups correlated {self.correlation}"
        return f"{self.x} v {self.y}, variances 1 : {self.variance:g}{groups}"

    def draw(self, rng: np.random.Generator, shape_x: tuple[int, int], shape_y: tuple[int, int]):
        """Networks of both samples, of mean 0."""
        return self._arm(self.x, rng, shape_x), np.sqrt(self.variance) * self._arm(self.y, rng, shape_y)

    def _arm(self, kind: str, rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
        if self.correlation is None:
            return standard(kind, rng, shape)
        own, groups = standard(kind, rng, shape), standard(kind, rng, (*shape, GROUPS)).mean(axis=-1)
        return np.sqrt(self.correlation) * own + np.sqrt(1 - self.correlation) * groups

    def error(self, n: int, m: int) -> float:
        """Standard error of the difference; that of outliers counts the normal part alone, as most samples show it."""
        own = 1.0 if self.correlation is None else self.correlation + (1 - self.correlation) / GROUPS
        return float(np.sqrt(own * (1 / n + self.variance / m)))

    def sizes(self) -> Iterator[tuple[int, int]]:
        """Pairs of numbers of networks; where both samples are alike, the larger one is y."""
        for n in SIZES:
            for m in SIZES:
                if n <= m or self.x != self.y or self.variance != 1:
                    yield n, m


PAIRS = (
    ("normal", "normal"),
    ("t3", "t3"),
    ("beta", "beta"),
    ("ties", "ties"),
    ("skewed 1.4", "skewed 1.4"),
    ("skewed 6.2", "skewed 6.2"),
    ("skewed 1.4", "normal"),
    ("skewed 6.2", "normal"),
    ("skewed 6.2", "t3"),
    ("skewed 6.2", "skewed -6.2"),
    ("90 % ones", "90 % ones"),
    ("outliers", "normal"),
)
WIDE = ("normal", "t3", "skewed 1.4", "skewed 6.2", "90 % ones")
CELLS = (
    *(Cell(x, y) for x, y in PAIRS),
    *(Cell(kind, kind, 10.0) for kind in WIDE),
    *(
        Cell(x, y, 1.0, c)
        for c in (0.0, 0.5, 0.9)
        for x, y in PAIRS
        if "skewed" in x + y and "-" not in y and y != "t3"
    ),
    *(Cell("normal", "normal", 1.0, c) for c in (0.0, 0.5, 0.9)),
)


def chosen(cells: str) -> list[Cell]:
    return [cell for cell in CELLS if cells in cell.name]


def margin_of(cell: Cell, n: int, m: int, level: float) -> float:
    """The margin at which a z test of normal networks has a power of 80 % where there is no difference."""
    return float((special.ndtri(1 - level) + special.ndtri(0.9)) * cell.error(n, m))


def means(runs: int, cells: str) -> None:
    """Print how often the test of means errs, and concludes, in every cell.

    Errors are equivalence at both margins, and a difference where there is none; the largest of the three counts. "With
    no caveat" are errors of which the result does not say that its level may not hold.
    """
    rows = []
    for place, cell in enumerate(CELLS):
        if cell not in chosen(cells):
            continue
        for n, m in cell.sizes():
            rng = np.random.default_rng([13, place, n, m])
            x, y = cell.draw(rng, (runs, n), (runs, m))
            varied = ~(is_constant(x) & is_constant(y))
            for level in LEVELS:
                margin = margin_of(cell, n, m, level)
                rows.append({"cell": cell.name, "n": f"{n} v {m}", "level": level})
                rows[-1] |= mean_rates(x[varied], y[varied], margin, level, runs)
        own = [row for row in rows if row["cell"] == cell.name]
        for level in LEVELS:
            print(summary([row for row in own if row["level"] == level], runs), flush=True)
    table = pd.DataFrame(rows)
    excess = (table["silent"] - table["level"]) / np.sqrt(table["level"] * (1 - table["level"]) / runs)
    print(f"\n{len(table)} cells of 3 errors; above the level by more than 2 standard errors: {(excess > 2).sum()}")
    print(table[excess > 2].assign(excess=excess).round(4).to_string())
    print(table.round(4).to_csv(index=False))


def mean_rates(x: np.ndarray, y: np.ndarray, margin: float, level: float, runs: int) -> dict[str, float]:
    """Largest of the three error rates, the same of results with no caveat, power, and its share with a caveat."""
    shifted = {shift: infer_means(x + shift, y, margin, level, 0) for shift in (-margin, 0.0, margin)}
    wrong = [shifted[shift].p_equivalence <= level for shift in (-margin, margin)] + [
        shifted[0.0].p_difference <= level
    ]
    covered = [shifted[shift].caveat == "" for shift in (-margin, margin, 0.0)]
    same = shifted[0.0].p_equivalence <= level
    return {
        "error": max(float(found.sum()) for found in wrong) / runs,
        "silent": max(float((found & silent).sum()) for found, silent in zip(wrong, covered, strict=True)) / runs,
        "power": float(same.sum()) / runs,
        "power with a caveat": float((same & ~covered[2]).sum()) / runs,
    }


def summary(rows: list[dict], runs: int) -> str:
    """One line on the sizes of one cell at one level: the largest errors, and at which numbers of networks."""
    worst, silent = (max(rows, key=lambda row, name=name: row[name]) for name in ("error", "silent"))
    level = rows[0]["level"]
    error = np.sqrt(level * (1 - level) / runs)
    powers = [row["power"] for row in rows]
    caveats = sum(row["power with a caveat"] for row in rows) / max(sum(powers), 1e-9)
    return (
        f"| {rows[0]['cell']} | {level} | {worst['error']:.4f} ({worst['n']}) | {silent['silent']:.4f} ({silent['n']})"
        f" | {error:.4f} | {min(powers):.2f} to {max(powers):.2f} | {caveats:.0%} |"
    )


COMPARED = tuple(
    cell
    for cell in CELLS
    if cell.name
    in {
        "normal v normal, variances 1 : 1",
        "t3 v t3, variances 1 : 1",
        "skewed 6.2 v skewed 6.2, variances 1 : 1",
        "skewed 6.2 v normal, variances 1 : 1",
        "skewed 6.2 v skewed 6.2, variances 1 : 10",
        "90 % ones v 90 % ones, variances 1 : 1",
        "outliers v normal, variances 1 : 1",
    }
)
COMPARED_SIZES = ((20, 20), (50, 50), (8, 80))


def methods(runs: int, cells: str) -> None:
    """Print the largest error and the power of every method that was compared."""
    print(f"| cell | networks | level | {' | '.join(METHODS)} |")
    print("|---" * (len(METHODS) + 3) + "|")
    for place, cell in enumerate(CELLS):
        if cell not in COMPARED or cell not in chosen(cells):
            continue
        trimmed = trimmed_difference(cell)
        for n, m in COMPARED_SIZES:
            for level in LEVELS:
                rng = np.random.default_rng([17, place, n, m])
                margin, found = margin_of(cell, n, m, level), {name: np.zeros(4) for name in METHODS}
                for _ in range(runs // BATCH):
                    x, y = cell.draw(rng, (BATCH, n), (BATCH, m))
                    varied = ~(is_constant(x) & is_constant(y))
                    for name, test in METHODS.items():
                        shift = trimmed if "Yuen" in name else 0.0
                        found[name] += method_counts(test, x[varied] - shift, y[varied], margin, level)
                parts = [f"{max(f[:3]) / runs:.4f}; {f[3] / runs:.2f}" for f in found.values()]
                print(f"| {cell.name} | {n} v {m} | {level} | {' | '.join(parts)} |", flush=True)


def trimmed_difference(cell: Cell) -> float:
    """Difference of the trimmed means of the two populations, which Yuen's test is about."""
    ends = []
    for values in cell.draw(np.random.default_rng(0), (1, 1_000_000), (1, 1_000_000)):
        cut = int(TRIM * values.shape[1])
        ends.append(np.sort(values[0])[cut:-cut].mean())
    return float(ends[0] - ends[1])


def method_counts(test: Callable, x: np.ndarray, y: np.ndarray, margin: float, level: float) -> np.ndarray:
    """Numbers of false equivalences at both margins, false differences, and equivalences where nothing differs."""
    low, middle, high = (test(x + shift, y, margin, level).sum(axis=1) for shift in (-margin, 0.0, margin))
    return np.array([low[0], high[0], middle[1], middle[0]], dtype=float)


LOOKS = (20, 40, 60, 80, 100)


def looks(runs: int, cells: str) -> None:
    """Print how often studies that grow until they conclude err, and their networks; the margin is 0.7 deviations."""
    rules = {
        "no declared looks": [(n, ALPHA) for n in LOOKS],
        "pocock": [(look.n, look.level) for look in plan_looks(LOOKS, ALPHA, "pocock")],
        "obrien-fleming": [(look.n, look.level) for look in plan_looks(LOOKS, ALPHA, "obrien-fleming")],
        "one look": [(LOOKS[-1], ALPHA)],
    }
    print(
        "| cell | levels | equivalence at the margin | with no caveat | difference at none | with no caveat |", end=""
    )
    print(" equivalence at none | networks at none |\n|---|---|---|---|---|---|---|---|")
    for place, cell in enumerate(CELLS):
        if cell not in COMPARED or cell not in chosen(cells):
            continue
        margin = 0.7 * np.sqrt((1 + cell.variance) / 2)
        x, y = cell.draw(np.random.default_rng([19, place]), (runs, LOOKS[-1]), (runs, LOOKS[-1]))
        for name, rule in rules.items():
            wrong = [growing(x + shift, y, margin, rule) for shift in (-margin, margin)]
            same, different, covered, n = growing(x, y, margin, rule)
            rates = [max(found[0].mean() for found in wrong), max((found[0] & found[2]).mean() for found in wrong)]
            rates += [different.mean(), (different & covered).mean(), same.mean()]
            parts = " | ".join(f"{rate:.3f}" for rate in rates)
            print(f"| {cell.name} | {name} | {parts} | {n.mean():.0f} |", flush=True)


def growing(x: np.ndarray, y: np.ndarray, margin: float, rule: list[tuple[int, float]]):
    """Whether each study concludes equivalence, or a difference, with no caveat, and its networks when it stops."""
    same, different, covered = np.zeros((3, len(x)), bool)
    n_used = np.full(len(x), rule[-1][0])
    for n, level in rule:
        open_now = ~(same | different)
        if not open_now.any():
            break
        test = infer_means(x[open_now, :n], y[open_now, :n], margin, level, 0)
        same[open_now], different[open_now] = test.p_equivalence <= level, test.p_difference <= level
        covered[open_now] = test.caveat == ""
        n_used[open_now & (same | different)] = n
    return same, different, covered, n_used


def shares(mean: float, correlation: float, rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Shares of 5 groups with a label; groups of a network are correlated."""
    spread = (1 - correlation) / correlation if correlation else np.inf
    rate = rng.beta(mean * spread, (1 - mean) * spread, shape) if correlation else np.full(shape, mean)
    return rng.binomial(GROUPS, rate) / GROUPS


def mostly_ones(mean: float, _: float, rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Exact ones, and uniform values in a share of networks that gives the mean."""
    return np.where(rng.random(shape) < 2 * (1 - mean), rng.random(shape), 1.0)


BOUNDED = (
    ("shares of 5 groups", shares, 0.8, 0.0),
    ("shares of 5 groups, correlated 0.5", shares, 0.8, 0.5),
    ("shares of 5 groups, correlated 0.9", shares, 0.8, 0.9),
    ("90 % exact ones", mostly_ones, 0.95, 0.0),
)
BOUNDED_MARGINS = {8: 0.45, 20: 0.35, 50: 0.25, 80: 0.2}


def bounded_means(runs: int, cells: str) -> None:
    """Print errors of the bounded test of shares, at the margin and at no difference, and its power."""
    for place, (name, draw, centre, correlation) in enumerate(BOUNDED):
        if cells not in name:
            continue
        for level in LEVELS:
            rows = []
            for n in SIZES:
                for m in SIZES:
                    rng = np.random.default_rng([23, place, n, m])
                    margin = BOUNDED_MARGINS[min(n, m)]
                    rates = [
                        bounded_rates(draw, at, correlation, rng, (n, m), margin, level, runs)
                        for at in ((centre, centre - margin), (centre - margin, centre), (centre, centre))
                    ]
                    error = max(rates[0][0], rates[1][0], rates[2][1])
                    rows.append({"cell": f"{name}, with bounds", "n": f"{n} v {m}", "level": level})
                    rows[-1] |= {"error": error, "silent": error, "power": rates[2][0], "power with a caveat": 0.0}
            print(summary(rows, runs), flush=True)


def bounded_rates(draw, at, correlation, rng, sizes, margin, level, runs) -> tuple[float, float]:
    """Share of runs that conclude equivalence, and a difference, between samples with the two means given."""
    same = different = 0
    for batch in range(runs // BATCH):
        x, y = (draw(mean, correlation, rng, (BATCH, n)) for mean, n in zip(at, sizes, strict=True))
        test = infer_means(x, y, margin, level, batch, UNIT, n_resamples=RESAMPLES)
        same += int((test.p_equivalence <= level).sum())
        different += int((test.p_difference <= level).sum())
    return same / runs, different / runs


def planning(runs: int, cells: str) -> None:
    """Print what is reached with the n that pilots ask for: one large pilot, and the median of 20 usual ones."""
    print("| values | margin | pilot | n for 80 % | power reached |")
    print("|---|---|---|---|---|")
    for kind in ("normal", "t3", "skewed 1.4", "skewed 6.2"):
        if cells not in kind:
            continue
        rng, margin = np.random.default_rng([29, len(kind)]), 0.5
        for size, n_pilots in ((5000, 1), (PILOT, 20)):
            asked, reached = [], []
            for pilot in standard(kind, rng, (n_pilots, size)):
                n = required_networks(power_curve(pilot, margin, ALPHA), TARGET)
                asked.append(n or np.nan)
                if n:
                    test = infer_means(*standard(kind, rng, (2, runs, n)), margin, ALPHA, 0)
                    reached.append((test.p_equivalence <= ALPHA).mean())
            name = f"{size}" if n_pilots == 1 else f"{n_pilots} of {size}, median"
            print(f"| {kind} | {margin} | {name} | {np.nanmedian(asked):.0f} | {np.median(reached):.3f} |", flush=True)


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
        for n in POPULATION_SIZES:
            found = {}
            # the matrix of bottleneck distances grows as n^2; a Hilbert metric shows the same test at n = 100
            if "bottleneck" in name and n == POPULATION_SIZES[-1]:
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


# Natural ranges of endpoints that the bounded test is not used for.
RANGES = {
    **{name: UNIT for name in ENDPOINTS if name.endswith(("_cka", "_r2", "_variance", "coherence"))},
    **{name: (-1.0, 1.0) for name in ENDPOINTS if name.endswith("_rsm") or name == "gradient_symmetricity"},
    "distance_irrelevance": UNIT,
    "circularity": UNIT,
}


def natural_bounds(folder: Path, config: Path, runs: int, n: int = 50) -> None:
    """Print the power of both tests on samples of n circuits of each architecture: the mean over architectures.

    The second sample has no difference, or half a margin towards the middle of the range. The level is that of the
    strictest test of the endpoint's family.
    """
    study = load_study_file(config)
    table = pd.read_parquet(folder / "endpoints.parquet")
    table = table[table["converged"] & table["value"].notna()]
    print("| endpoint | margin / range | level | Welch, no difference | bounded | Welch, half a margin | bounded |")
    print("|---|---|---|---|---|---|---|")
    ranges = {name: RANGES.get(name, endpoint.bounds) for name, endpoint in ENDPOINTS.items()}
    for name, bounds in ((name, bounds) for name, bounds in ranges.items() if bounds):
        margin = study.margins[name].margin
        level = ALPHA / next(len(members) for members in study.families.values() if name in members)
        found = []
        for _, own in table[table["endpoint"] == name].groupby("architecture", sort=False):
            values = own["value"].to_numpy()
            if is_constant(values):
                continue
            x, y = values[np.random.default_rng(0).integers(len(values), size=(2, runs, n))]
            x, y = (part[~(is_constant(x) & is_constant(y))] for part in (x, y))
            inward = np.sign(sum(bounds) / 2 - values.mean()) * margin / 2
            for shift in (0.0, inward):
                moved = np.clip(y + shift, *bounds)
                for method in ("welch", "bounded"):
                    test = infer_means(x, moved, margin, level, 0, bounds, method, RESAMPLES)
                    found.append((test.p_equivalence <= level).mean())
        if found:
            parts = " | ".join(f"{value:.2f}" for value in np.reshape(found, (-1, 4)).mean(axis=0))
            print(f"| {name} | {margin / (bounds[1] - bounds[0]):.3f} | {level:.4f} | {parts} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    simulated = {"means": means, "methods": methods, "looks": looks, "planning": planning, "shares": bounded_means}
    parser.add_argument("what", choices=[*simulated, "populations", "halves", "bounds"])
    parser.add_argument("folder", nargs="?", type=Path, default=Path("results/modular_addition"))
    parser.add_argument("--config", type=Path, default=Path("config/config.yaml"))
    parser.add_argument("--cells", default="", help="text that the name of a cell must have")
    parser.add_argument("--replications", type=int, default=0)
    arguments = parser.parse_args()
    usual = {"means": 10000, "methods": 2000, "looks": 4000, "shares": 2000, "populations": 500}
    runs = arguments.replications or usual.get(arguments.what, 1000)
    if arguments.what in simulated:
        simulated[arguments.what](runs, arguments.cells)
    elif arguments.what == "populations":
        populations(runs)
    elif arguments.what == "halves":
        halves(arguments.folder, arguments.config, runs)
    else:
        natural_bounds(arguments.folder, arguments.config, runs)


if __name__ == "__main__":
    main()
