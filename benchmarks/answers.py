"""How often the answers to questions are right, and whether they stay as circuits are added, by simulation.

python benchmarks/answers.py answers         # tables of docs/tests.md
python benchmarks/answers.py looks           # studies with declared looks, which stop when their question is settled
python benchmarks/answers.py beyond          # size of the minimum-effect test at the margin
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np
from errors import ALPHA, POPULATION_SIZES, RESAMPLES, UNIT, population_tests, shares, standard

from topomod.statistics.looks import SPENDING, plan_looks
from topomod.statistics.mean_inference import infer_means
from topomod.statistics.minimum_effect import p_beyond_margin
from topomod.statistics.questions import ANSWERS, PValues, answer_question
from topomod.study.looks import SETTLED

BATCH = 250
BOUNDED_MARGINS = {10: 0.5, 30: 0.3, 100: 0.2}
TRUTHS = (0.0, 0.5, 0.7, 1.0, 1.5)  # true difference in margins
GROWTH = (20, 40, 60, 80, 100, 200, 400)
SHOWN = (20, 100, 400)
MARGIN = 0.5  # standard deviations of a network's value
KINDS = ("normal", "skewed 1.4")
CORRELATION = 0.5  # between the primary endpoints of a question
LOOKS = (20, 40, 60, 80, 100)


def p_values(x: np.ndarray, y: np.ndarray, margin: float, seed: int, bounds=None) -> Iterator[PValues]:
    """The three p-values of each pair of samples, (runs, n)."""
    inside, outside = (infer_means(x, y, at, ALPHA, seed, bounds, n_resamples=RESAMPLES) for at in (margin, -margin))
    three = zip(inside.p_equivalence, p_beyond_margin(inside, outside), inside.p_difference, strict=True)
    return (PValues(*map(float, p)) for p in three)


def grown(kind: str, truth: float, n_primary: int, runs: int, levels: dict[int, float]) -> np.ndarray:
    """Answers, as places in ANSWERS, of each study at each number of circuits (runs, sizes), which are only added."""
    found = []
    for batch in range(runs // BATCH):
        rng = np.random.default_rng([batch, n_primary, int(10 * truth), len(kind)])
        shape = (BATCH, max(levels))
        shared = [standard(kind, rng, shape) for _ in range(2)]
        primaries = []
        for place in range(n_primary):
            own = [standard(kind, rng, shape) for _ in range(2)]
            both = [np.sqrt(CORRELATION) * s + np.sqrt(1 - CORRELATION) * o for s, o in zip(shared, own, strict=True)]
            x, y = both if n_primary > 1 else own
            primaries.append((x + truth * MARGIN * (place == 0), y))  # the other primaries do not differ
        answers = []
        for n, level in levels.items():
            tests = zip(*(p_values(x[:, :n], y[:, :n], MARGIN, batch) for x, y in primaries), strict=True)
            answers.append([ANSWERS.index(answer_question(study, level).answer) for study in tests])
        found.append(np.array(answers).T)
    return np.concatenate(found)


def answers(runs: int) -> None:
    """Print the shares of the answers at each size, and of studies whose answer turns while they grow."""
    print(f"| values | primaries | true difference | circuits | {' | '.join(ANSWERS)} |")
    print("|---|---|---|---|---|---|---|---|")
    turns = []
    for kind in KINDS:
        for n_primary in (1, 3):
            for truth in TRUTHS:
                found = grown(kind, truth, n_primary, runs, dict.fromkeys(GROWTH, ALPHA))
                for place, n in enumerate(GROWTH):
                    shares = " | ".join(f"{(found[:, place] == answer).mean():.3f}" for answer in range(len(ANSWERS)))
                    if n in SHOWN:
                        print(f"| {kind} | {n_primary} | {truth} margins | {n} | {shares} |", flush=True)
                row = f"| {kind} | {n_primary} | {truth} margins"
                turns.append(f"{row} | {turned(found, 1, 0):.3f} | {turned(found, 0, 1):.3f} |")
    print("\n| values | primaries | true difference | from different to the same | from the same to different |")
    print("|---|---|---|---|---|")
    print("\n".join(turns))


def looks(runs: int) -> None:
    """Print the answers of studies that stop at the look that settles their question, and their circuits."""
    rules = {rule: {look.n: look.level for look in plan_looks(LOOKS, ALPHA, rule)} for rule in SPENDING}
    rules["no declared looks"] = dict.fromkeys(LOOKS, ALPHA)
    print(f"| values | primaries | levels | true difference | {' | '.join(ANSWERS)} | circuits |")
    print("|---|---|---|---|---|---|---|---|---|")
    for kind in KINDS:
        for n_primary in (1, 3):
            for rule, levels in rules.items():
                for truth in (0.0, 1.0):
                    found = grown(kind, truth, n_primary, runs, levels)
                    settled = np.isin(found, [ANSWERS.index(answer) for answer in SETTLED])
                    last = np.where(settled.any(axis=1), settled.argmax(axis=1), len(LOOKS) - 1)
                    said = found[np.arange(len(found)), last]
                    shares = " | ".join(f"{(said == answer).mean():.3f}" for answer in range(len(ANSWERS)))
                    row = f"| {kind} | {n_primary} | {rule} | {truth} margins | {shares}"
                    print(f"{row} | {np.array(LOOKS)[last].mean():.0f} |", flush=True)


def turned(found: np.ndarray, first: int, last: int) -> float:
    """Share of studies that give one answer at some size and another one at a larger size."""
    earlier = np.logical_or.accumulate(found == first, axis=1)[:, :-1]
    return float((earlier & (found[:, 1:] == last)).any(axis=1).mean())


def drawn(kind: str, mean: float, rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Networks of a mean, of variance 1 or shares of correlated groups."""
    return shares(mean, 0.5, rng, shape) if kind == "bounded" else mean + standard(kind, rng, shape)


def beyond(runs: int) -> None:
    """Print how often a difference that is exactly the margin is said to be larger."""
    print("| values | circuits | margin | said to be beyond the margin |")
    print("|---|---|---|---|")
    for kind in ("normal", "skewed 1.4", "skewed 6.2", "bounded"):
        rng = np.random.default_rng(len(kind))
        bounds, centre = (UNIT, 0.8) if kind == "bounded" else (None, 0.0)
        for n in POPULATION_SIZES:
            margin = BOUNDED_MARGINS[n] if bounds else 4 * np.sqrt(2 / n)
            said = 0
            for batch in range(runs // BATCH):
                x, y = (drawn(kind, mean, rng, (BATCH, n)) for mean in (centre, centre - margin))
                said += sum(p.p_beyond <= ALPHA for p in p_values(x, y, margin, batch, bounds))
            print(f"| {kind} | {n} | {margin:.2f} | {said / runs:.3f} |", flush=True)
    distributions(max(1, runs // 10))


def distributions(runs: int) -> None:
    """The same for the MMD of phases and of diagrams."""
    for name, share, margin, test in population_tests(np.random.default_rng(0)):
        for n in POPULATION_SIZES if "bottleneck" not in name else ():
            found = []
            for run in range(runs):
                try:
                    found.append(test(n, (share, share + 0.3), margin, run).p_beyond <= ALPHA)
                except ValueError:  # all networks alike, or no bandwidth: nothing is concluded
                    found.append(False)
            print(f"| {name} | {n} | {margin:.2f} | {np.mean(found):.3f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["answers", "looks", "beyond"])
    parser.add_argument("--runs", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.what == "answers":
        answers(arguments.runs or 500)
    elif arguments.what == "looks":
        looks(arguments.runs or 2000)
    else:
        beyond(arguments.runs or 4000)


if __name__ == "__main__":
    main()
