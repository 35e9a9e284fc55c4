"""What is to be learnt: a finite set of inputs, each with one correct class."""

from __future__ import annotations

import re
from typing import Any

from topomod.tasks.addition import ModularAddition
from topomod.tasks.finite_group import GroupComposition
from topomod.tasks.parity import SparseParity

MAX_EVALUATED = 2**20  # inputs of any task: each is looked at to tell a circuit's accuracy and margin
MAX_INPUTS = 2**16  # of a network that holds all inputs: one layer of 256 neurons in float32 is then 64 MiB


Task = ModularAddition | SparseParity | GroupComposition


def task_from_description(description: dict[str, Any]) -> Task:
    """Rebuild a task from what its ``describe`` returned.

    Raises
    ------
    ValueError
        If the task's name is not known.
    """
    name = description.get("name")
    if name == "modular_addition":
        return ModularAddition(description["p"], description.get("k", 2))
    if name == "sparse_parity":
        return SparseParity(description["n"], description["k"])
    if name == "group_composition":
        return GroupComposition(description["group"])
    known = "modular_addition, sparse_parity, group_composition"
    raise ValueError(f"unknown task {name!r}; known tasks: {known}")


def parse_task(name: str, p: int) -> Task:
    """Task that a study's YAML names: ``addition``, ``addition_<k>`` (both mod p), ``parity_<n>_<k>`` or a group.

    Raises
    ------
    ValueError
        For another name, or one whose numbers are out of range.

    Examples
    --------
    >>> parse_task("addition_3", p=11)
    ModularAddition(p=11, k=3)
    >>> parse_task("S5", p=11)
    GroupComposition(name='S5')
    """
    kind, *numbers = name.split("_")
    if all(re.fullmatch("[0-9]+", number) for number in numbers):
        if kind == "addition" and len(numbers) < 2:
            return ModularAddition(p, *map(int, numbers))
        if kind == "parity" and len(numbers) == 2:
            return SparseParity(*map(int, numbers))
    if name[:1].isupper():
        return GroupComposition(name)
    raise ValueError(f"unknown task {name!r}; known: addition, addition_<k>, parity_<n>_<k>, or a group such as S5")
