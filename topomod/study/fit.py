"""Whether a study can fit: what one circuit holds in memory, and how many steps all circuits take.

Imports nothing heavy as long as no layer is wider than usual: the Snakefile reads it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from topomod.networks.architectures import resolve
from topomod.networks.labels import Label
from topomod.networks.size import NetworkSize
from topomod.training.recipes import n_trained

if TYPE_CHECKING:
    from topomod.study.config import Population
    from topomod.tasks.task import Task

MAX_MEMORY = 2**30  # bytes of one circuit: its stages hold about ten times as much for a while
MAX_STEPS = 10**11  # at a millisecond each these are three years on one core
MAX_CIRCUITS = 10**7
# Up to this width weights are small beside MAX_MEMORY. Their shapes, which need torch, are not asked for.
USUAL_WIDTH = 4096


def misfits(population: Population) -> Iterator[str]:
    """Sentences on what cannot fit, each with the estimate that shows it; none if everything can.

    Parameters
    ----------
    population : Population
        Its architectures have to be known ones that can learn their tasks.
    """
    circuits, steps = 0, population.followed_steps()
    for label in population.trained:
        if fault := _too_large(population, label) or _too_many_batches(population, label):
            yield fault
        count = population.count_of(label)
        circuits += count
        recipe = population.recipe_of(label)
        steps += count * recipe.get("max_steps", recipe["steps"])
    if circuits > MAX_CIRCUITS:
        yield f"the study has {circuits:.3g} circuits; at most {MAX_CIRCUITS:.3g} are handled"
    if steps > MAX_STEPS:
        years = steps / 1000 / 86400 / 365
        yield (
            f"the study takes {steps:.3g} training steps ({circuits} circuits, each to its last step), "
            f"at a millisecond each {years:.3g} years on one core; allowed are {MAX_STEPS:.3g} steps"
        )


def _too_large(population: Population, label: Label) -> str:
    """Why a circuit does not fit into memory; empty if it does."""
    task, recipe, size = population.task_of(label), population.recipe_of(label), population.size_of(label)
    width = size.d_mlp if size else recipe["width"]
    rows = recipe.get("batch_size") or task.n_inputs
    weights = _n_weights(label, task, size or NetworkSize(d_mlp=width)) * 4
    activations = rows * width * 4
    if weights + activations <= MAX_MEMORY:
        return ""
    return (
        f"one circuit of {label} needs {_gb(weights + activations)}: {_gb(activations)} for the pre-activations of "
        f"{width} neurons on {rows} inputs of {task}, {_gb(weights)} for its weights; allowed are {_gb(MAX_MEMORY)}"
    )


def _too_many_batches(population: Population, label: Label) -> str:
    """Why a recipe has more batches than every split has pairs; empty if it has not.

    A network that cannot tell (a, b) from (b, a) trains on half as many pairs, if the split has both of each.
    """
    task, recipe = population.task_of(label), population.recipe_of(label)
    if "batches" not in recipe:
        return ""
    trained = n_trained(recipe["train_fraction"], task.n_inputs)
    most, found = (trained + 1) // 2, recipe["batches"]
    if found <= most:
        return ""
    return f"{label} trains on {trained} inputs of {task}: batches must be at most {most}, found {found}"


def _n_weights(label: Label, task: Task, size: NetworkSize) -> int:
    """Number of weights where a width is beyond the usual, else 0."""
    if max(size.d_model, size.d_mlp) <= USUAL_WIDTH:
        return 0
    shapes = resolve(label.record.shapes)(task, size)
    return sum(math.prod(shape) for shape, _ in shapes.values())


def _gb(n_bytes: int) -> str:
    return f"{n_bytes / 1e9:.3g} GB"
