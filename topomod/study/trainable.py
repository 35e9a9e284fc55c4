"""Whether an architecture of a study can learn its task by its recipe."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from topomod.networks.labels import Label

if TYPE_CHECKING:
    from topomod.study.config import Population


def untrainable(population: Population, label: Label) -> Iterator[str]:
    """Sentences on why an architecture cannot learn its task, or cannot be trained by its recipe."""
    task, variant = population.task_of(label), population.variant_of(label)
    if refusal := label.record.refusal(task, f"the task {task}"):
        yield f"{label} {refusal}"
    if population.system.one_modulus and variant.p != population.p:
        yield f"{label} is compared at p = {population.p}, found p = {variant.p}"
    recipe = variant.recipe
    if population.system.full_batch and (recipe.batches != 1 or recipe.min_purity != 0):
        found = f"batches {recipe.batches}, min_purity {recipe.min_purity}"
        yield f"{label} needs a recipe with batches 1 and min_purity 0, found {found}"
