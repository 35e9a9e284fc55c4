"""Whether a study can fit: what circuits hold in memory, what jobs ask for, and how many steps all circuits take.

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

MAX_MEMORY = 2**30  # bytes of one circuit: its stages hold many times as much for a while
MAX_STEPS = 10**11  # at a millisecond each these are three years on one core
MAX_CIRCUITS = 10**7
# Megabytes of a job: what libraries take, how often a stage holds the logits, and the rest, of one circuit, and what
# tables of one circuit take where all are read. Peaks of `groups` at p = 257 and 401 were 2.0 and 6.5 GB.
LIBRARIES, LOGIT_COPIES, OTHER_COPIES, TABLES_OF_CIRCUIT = 700, 25, 10, 1.2
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
    task, rows, width = population.task_of(label), *_rows_and_width(population, label)
    activations, weights, logits = needed = circuit_bytes(population, label)
    if sum(needed) <= MAX_MEMORY:
        return ""
    return (
        f"one circuit of {label} needs {_gb(sum(needed))}: {_gb(activations)} for the pre-activations of "
        f"{width} neurons on {rows} inputs of {task}, {_gb(weights)} for its weights, {_gb(logits)} for its logits; "
        f"allowed are {_gb(MAX_MEMORY)}"
    )


def circuit_bytes(population: Population, label: Label) -> tuple[int, int, int]:
    """Bytes of the pre-activations, weights and logits of one circuit."""
    task, rows, width = population.task_of(label), *_rows_and_width(population, label)
    size = None if label.given else population.size_of(label)
    weights = _n_weights(label, task, size or NetworkSize(d_mlp=width))
    return rows * width * 4, weights * 4, rows * task.n_classes * 4


def _rows_and_width(population: Population, label: Label) -> tuple[int, int]:
    """How many inputs are run at once, and through how many neurons."""
    if label.given:  # their files say how wide they are; the usual width stands for it
        return population.task_of(label).n_inputs, NetworkSize().d_mlp
    recipe, size = population.recipe_of(label), population.size_of(label)
    rows = recipe.get("batch_size") or population.task_of(label).n_inputs
    return rows, size.d_mlp if size else recipe["width"]


def shard_memory(population: Population) -> int:
    """Megabytes that a job asks for which trains or measures circuits: as its largest circuit needs."""
    found = []
    for label in population.labels:
        activations, weights, logits = circuit_bytes(population, label)
        found.append(LOGIT_COPIES * logits + OTHER_COPIES * (activations + weights))
    return math.ceil(LIBRARIES + max(found) / 1e6)


def study_memory(population: Population) -> int:
    """Megabytes that a job asks for which reads the tables of all circuits."""
    return math.ceil(LIBRARIES + TABLES_OF_CIRCUIT * sum(map(len, population.shards())))


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
