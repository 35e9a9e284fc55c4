"""What the recipe does to the geometry: a search over recipes on pilot seeds, which no study uses.

    python benchmarks/recipes.py --rows recipes.parquet --seeds 4 attention_0.0 attention_1.0
    python benchmarks/recipes.py --rows recipes.parquet --read

The first command trains and analyses what the file has no rows of yet, so it can be stopped and started again. The
second prints a table. The default recipe, the mature one and the structural criterion were chosen from such tables:
docs/recipe.md.

A trial is a list of phases. Each is a recipe without a criterion: its rate goes from ``lr`` to ``tail_lr`` over
``steps``, with its batches and its decay. Trials that begin alike share that part. Beside the weights of a step,
averages of the weights of the steps before it are analysed at the end of each phase: they cost no training.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
import torch

import topomod
from topomod.files import atomic_path
from topomod.networks.circuit import Circuit
from topomod.networks.labels import Label
from topomod.networks.size import NetworkSize
from topomod.statistics.intervals import mean_interval
from topomod.study.groups import analyse_groups
from topomod.study.published import CLOSE, PAPER_P, PUBLISHED
from topomod.training.batches import Batches
from topomod.training.draws import draw, pinned_arithmetic
from topomod.training.learner import Setup
from topomod.training.pairs import PairLearner
from topomod.training.recipes import Recipe

FIRST_PILOT_SEED = 20000
AVERAGES = (0.99, 0.997)  # what an average of the weights keeps of itself at each step
FAST = Recipe()


def phase(lr: float, tail_lr: float, steps: int, batches: int, weight_decay: float = 2.4, **other: object) -> Recipe:
    """One phase of a trial; later phases have no warm-up."""
    fields = {"lr": lr, "tail_lr": tail_lr, "steps": steps, "max_steps": steps, "batches": batches}
    return replace(FAST, **fields, weight_decay=weight_decay, **other)  # type: ignore[arg-type]


def then(lr: float, tail_lr: float, steps: int, batches: int, weight_decay: float = 2.4) -> Recipe:
    """A phase that follows another."""
    return phase(lr, tail_lr, steps, batches, weight_decay, warmup=0)


BOLD, HARD = phase(1e-2, 3e-3, 250, 2), phase(1e-2, 1e-2, 200, 2, 4.0)
STEADY = then(3e-3, 3e-3, 500, 2, 3.0)
TRIALS: dict[str, tuple[Recipe, ...]] = {
    "fast": (FAST,),
    "fast, then 1e-3 half 500": (FAST, then(1e-3, 1e-3, 250, 2), then(1e-3, 1e-3, 250, 2)),
    "5e-3 decay 4 half 250, to 3e-4 decay 2 half 250": (phase(5e-3, 5e-3, 250, 2, 4.0), then(5e-3, 3e-4, 250, 2, 2.0)),
    "3e-3 decay 5 half 300, to 3e-4 decay 2 half 200": (phase(3e-3, 3e-3, 300, 2, 5.0), then(3e-3, 3e-4, 200, 2, 2.0)),
    "2e-3 decay 4 half 500": (phase(2e-3, 2e-3, 500, 2, 4.0),),
    "3e-3 decay 3 half 500": (phase(3e-3, 3e-3, 500, 2, 3.0),),
    "3e-3 decay 3 half 1000": (phase(3e-3, 3e-3, 500, 2, 3.0), STEADY),
    "warm-up 200 to 1e-2, to 1e-3 half 500": (replace(FAST, warmup=200),),
    "warm-up 200 to 1e-2, to 1e-3 half 750": (replace(FAST, warmup=200, steps=750),),
    "warm-up 200 to 1e-2, decay 4, to 1e-3 half 600": (phase(1e-2, 1e-3, 600, 2, 4.0, warmup=200),),
    "warm-up 200 to 5e-3, decay 3, to 1e-3 half 500": (phase(5e-3, 1e-3, 500, 2, 3.0, warmup=200),),
    "bold 250, 3e-3 decay 3 half 750": (BOLD, STEADY, then(3e-3, 3e-3, 250, 2, 3.0)),
    "bold 250, 3e-3 decay 3 half 500, to 3e-4 half 250": (BOLD, STEADY, then(3e-3, 3e-4, 250, 2, 3.0)),
    "bold 250, 3e-3 to 3e-4 full 300": (BOLD, then(3e-3, 3e-4, 300, 1)),
    "bold 250, 3e-3 to 3e-4 full 500": (BOLD, then(3e-3, 3e-4, 500, 1)),
    "bold 250, 3e-3 to 3e-4 half 600": (BOLD, then(3e-3, 3e-4, 600, 2)),
    "bold 250, 2e-3 half 600": (BOLD, then(2e-3, 2e-3, 300, 2), then(2e-3, 2e-3, 300, 2)),
    "bold 250, 3e-3 to 3e-4 full 400, decay 1": (BOLD, then(3e-3, 3e-4, 400, 1, 1.0)),
    "bold 250, 3e-3 to 3e-4 full 400, decay 4": (BOLD, then(3e-3, 3e-4, 400, 1, 4.0)),
    "hard 200, 3e-3 half 400, to 3e-4 half 200": (HARD, then(3e-3, 3e-3, 400, 2), then(3e-3, 3e-4, 200, 2)),
}


class Trial:
    """One circuit along its phases, with averages of its weights.

    Parameters
    ----------
    label : str
        Architecture.
    seed : int
        Decides initial weights, split and batches.
    """

    def __init__(self, label: str, seed: int) -> None:
        parsed = Label.parse(label)
        setup = Setup(parsed.architecture, topomod.ModularAddition(PAPER_P), FAST, parsed.attention_rate, NetworkSize())
        self.setup, self.learner, self.seed = setup, PairLearner(setup, [seed]), seed
        self.mask = draw(label, setup.architecture, setup.task, seed, FAST.train_fraction)[1]
        self.averages = {share: self.learner._flat.clone() for share in AVERAGES}
        self.step, self.pairs, self.seconds, self.decay = 0, 0, 0.0, 0.0

    def run(self, recipe: Recipe) -> None:
        """Take the steps of one phase."""
        learner = self.learner
        rng = np.random.default_rng([self.seed, self.step])
        learner._batches = [Batches(self.mask, learner._form.symmetric, recipe.batches, rng)]
        learner._optimiser._weight_decay = recipe.weight_decay
        started = time.process_time()
        for step in range(recipe.steps):
            learner.forward(step)
            learner.update(recipe.learning_rate(step))
            for share, average in self.averages.items():
                average.lerp_(learner._flat, 1 - share)
        self.seconds += time.process_time() - started
        self.step += recipe.steps
        self.pairs += recipe.steps * int(self.mask.sum()) // recipe.batches
        self.decay += recipe.cumulative_decay(recipe.steps)

    def state(self) -> tuple[object, ...]:
        """What another trial needs to go on from here."""
        optimiser = self.learner._optimiser
        tensors = (self.learner._flat, *optimiser._averages, optimiser._step, *self.averages.values())
        return [t.clone() for t in tensors], (self.step, self.pairs, self.seconds, self.decay)

    def go_back(self, state: tuple[object, ...]) -> None:
        """Continue from such a state."""
        optimiser = self.learner._optimiser
        tensors = (self.learner._flat, *optimiser._averages, optimiser._step, *self.averages.values())
        for tensor, value in zip(tensors, state[0], strict=True):  # type: ignore[call-overload]
            tensor.copy_(value)
        self.step, self.pairs, self.seconds, self.decay = state[1]  # type: ignore[misc]

    def look(self) -> Iterator[dict[str, object]]:
        """A row for the weights of this step and for each average."""
        now = self.learner._flat.clone()
        for share, flat in ((0.0, now), *self.averages.items()):
            self.learner._flat.copy_(flat)
            yield {"average": share, "step": self.step} | self._measured()
        self.learner._flat.copy_(now)

    def _measured(self) -> dict[str, object]:
        self.learner._form = self.learner.form()
        (reason,), setup = self.learner.reasons(), self.setup
        own = {"recipe": FAST, "step": self.step, "converged": not reason}
        weights = self.learner.weights(0)
        circuit = Circuit(setup.architecture, setup.task, weights, self.seed, setup.attention_rate, **own)
        rows, groups, _ = analyse_groups([circuit], min_neurons=10)
        cost = {"pairs": self.pairs, "seconds": self.seconds, "decay": self.decay, "reason": reason}
        means = {column: np.nan for column in COLUMNS}
        if len(groups):
            means = {column: np.average(groups[column], weights=groups["n_neurons"]) for column in COLUMNS}
        return cost | {"purity": rows["purity"][0], "n_groups": rows["n_groups"][0]} | means


CELLS = {next(iter(row.columns)): row.values for row in PUBLISHED}
COLUMNS = (*CELLS, "coordinate_circle_cka", "disc_cka", "first_order_r2")


def search(path: Path, label: str, seed: int, names: Sequence[str]) -> None:
    """Train the trials of one circuit that the file has no rows of, each from the longest part that is known."""
    missing = [name for name in names if not _known(path, label, seed, name)]
    if not missing:
        return
    trial = Trial(label, seed)
    states = {(): trial.state()}
    seen: dict[tuple[Recipe, ...], list[dict[str, object]]] = {}
    for name in missing:
        rows = []
        phases = TRIALS[name]
        for end in range(1, len(phases) + 1):
            part = phases[:end]
            if part not in states:
                trial.go_back(states[part[:-1]])
                trial.run(part[-1])
                states[part] = trial.state()
                seen[part] = list(trial.look())
            rows += seen[part]
        _append(path, pd.DataFrame(rows).assign(architecture=label, trial=name, seed=seed))
        print(label, seed, name, flush=True)


def _known(path: Path, label: str, seed: int, name: str) -> bool:
    if not path.exists():
        return False
    rows = pd.read_parquet(path, columns=["architecture", "trial", "seed"])
    return bool(((rows["architecture"] == label) & (rows["trial"] == name) & (rows["seed"] == seed)).any())


def _append(path: Path, rows: pd.DataFrame) -> None:
    if path.exists():
        rows = pd.concat([pd.read_parquet(path), rows], ignore_index=True)
    with atomic_path(path) as temporary:
        rows.to_parquet(temporary)


SHOWN = ("disc_cka_fixed", "torus_cka", "logit_circle_cka", "coordinate_circle_cka", "logit_disc_cka")


def table(rows: pd.DataFrame) -> Iterator[str]:
    """Markdown: a line for each architecture and trial at its end; means over circuits that meet the criterion.

    "pairs" are the pairs computed, as a multiple of the fast recipe's; "worst" is the published cell that is farthest.
    """
    cost = _ends(rows[rows["trial"] == "fast"]).groupby("architecture")["pairs"].first()
    yield f"| architecture | trial | pairs | right | {' | '.join(SHOWN)} | groups | cells | worst |"
    yield "|" + "---|" * (len(SHOWN) + 7)
    for (label, trial), own in _in_order(_ends(rows)):
        kept = own[own["reason"] == ""]
        cells = " | ".join(_mean(kept[column]) for column in SHOWN)
        misses = {column: kept[column].mean() - values[label] for column, values in CELLS.items()}
        worst = max(misses, key=lambda column: abs(misses[column]))
        close = sum(abs(miss) <= CLOSE for miss in misses.values())
        far = f"{close}/{len(misses)} | {worst} {misses[worst]:+.3f}" if len(kept) else "- | -"
        yield (
            f"| {label} | {trial} | {own['pairs'].iloc[0] / cost.get(label, np.nan):.2f} |"
            f" {len(kept)}/{len(own)} | {cells} | {_mean(kept['n_groups'])} | {far} |"
        )


def drift(rows: pd.DataFrame) -> Iterator[str]:
    """Markdown: how far the same circuits move from an early step to the trial's last, right or not."""
    columns = [*SHOWN, "first_order_r2", "n_groups"]
    yield f"| architecture | trial | from | to | circuits | {' | '.join(columns)} |"
    yield "|" + "---|" * (len(columns) + 5)
    plain = rows[rows["average"] == 0]
    for (label, trial), own in _in_order(plain):
        steps = sorted(own["step"].unique())
        by_step = own.set_index(["step", "seed"])[columns]
        for step in steps[:-1]:
            change = (by_step.loc[steps[-1]] - by_step.loc[step]).dropna()
            cells = " | ".join(_mean(change[column], "+.3f") for column in columns)
            yield f"| {label} | {trial} | {step} | {steps[-1]} | {len(change)} | {cells} |"


def by_groups(rows: pd.DataFrame) -> Iterator[str]:
    """Markdown: the circle at the logits by the number of neuron groups, over the ends of all trials, right or not."""
    yield "| architecture | groups | ends of trials | least | mean | largest |"
    yield "|" + "---|" * 6
    for (label, count), own in _ends(rows).groupby(["architecture", "n_groups"])["logit_circle_cka"]:
        yield f"| {label} | {count} | {len(own)} | {own.min():.3f} | {own.mean():.3f} | {own.max():.3f} |"


def averages(rows: pd.DataFrame) -> Iterator[str]:
    """Markdown: what an average of the weights changes in the same circuit at the same step."""
    yield "| average | circuits and steps | right: weights, average | change of disc_cka | change of logit_circle_cka |"
    yield "|" + "---|" * 5
    keys = ["architecture", "trial", "seed", "step"]
    late = rows[rows["step"] >= FAST.steps]
    plain, averaged = (part.set_index(keys) for part in (late[late["average"] == 0], late[late["average"] > 0]))
    for share, own in averaged.groupby("average"):
        same = plain.loc[own.index]
        right = f"{(same['reason'] == '').sum()}, {(own['reason'] == '').sum()}"
        changes = [own[column] - same[column] for column in ("disc_cka_fixed", "logit_circle_cka")]
        cells = " | ".join(f"{c.mean():+.4f} ({c.min():+.3f} to {c.max():+.3f})" for c in changes)
        yield f"| {share} | {len(own)} | {right} | {cells} |"


def _ends(rows: pd.DataFrame) -> pd.DataFrame:
    """The weights at the end of each trial."""
    plain = rows[rows["average"] == 0]
    return plain[plain["step"] == plain.groupby(["architecture", "trial"])["step"].transform("max")]


def _in_order(rows: pd.DataFrame) -> list[tuple[tuple[Any, ...], pd.DataFrame]]:
    """Groups of rows, by architecture, then in the order of the trials."""
    order = {name: i for i, name in enumerate(TRIALS)}
    return sorted(rows.groupby(["architecture", "trial"]), key=lambda item: (item[0][0], order[item[0][1]]))


def _mean(values: pd.Series, form: str = ".3f") -> str:
    n, mean, low, high = mean_interval(values.to_numpy(float))
    return "-" if n == 0 else f"{mean:{form}}" + (f" ± {(high - low) / 2:.3f}" if n > 1 else "")


def main() -> None:
    """Search, or print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("architectures", nargs="*")
    parser.add_argument("--rows", type=Path, required=True, help="Parquet file that rows are added to")
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--trials", nargs="*", default=list(TRIALS))
    parser.add_argument("--read", action="store_true", help="print what the file holds, as tables")
    arguments = parser.parse_args()
    if arguments.read:
        found = pd.read_parquet(arguments.rows)
        print("\n\n".join("\n".join(part(found)) for part in (table, by_groups, drift, averages)))
        return
    torch.set_num_threads(1)
    with pinned_arithmetic():
        for seed in range(FIRST_PILOT_SEED, FIRST_PILOT_SEED + arguments.seeds):
            for label in arguments.architectures:
                search(arguments.rows, label, seed, arguments.trials)


if __name__ == "__main__":
    main()
