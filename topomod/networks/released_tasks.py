"""What a released network was trained on: what its config says, and whether its own answers agree."""

from __future__ import annotations

import re

import numpy as np

from topomod.networks.released_files import Fields, one_of, whole_number
from topomod.tasks.addition import ModularAddition
from topomod.tasks.finite_group import GroupComposition

CYCLIC = "CyclicGroup"
PERMUTATIONS = ("SymmetricGroup", "AlternatingGroup")
# in lexicographic order, which is not theirs, the released S5 and A5 networks agree on less than 0.06
KNOWN_ORDER = 0.9


def n_classes_of(fields: Fields) -> int | None:
    """Number of classes that a config names (``C``, ``p`` or the parameter of a cyclic group); None without any.

    Raises
    ------
    ValueError
        If two keys contradict each other, or one is not a whole number.
    """
    keys = ["C", "p"] + ["group_parameter"] * (fields.get("group", CYCLIC) == CYCLIC)
    found = {key: value for key in keys if (value := whole_number(fields, key)) is not None}
    if len(set(found.values())) > 1:
        raise ValueError(f"config keys contradict each other about the number of classes: {found}")
    return next(iter(found.values()), None)


def task_of(fields: Fields, n: int, groups: tuple[str, ...] = ()) -> ModularAddition | GroupComposition:
    """Task that a config names, for a network of ``n`` classes; addition mod ``n`` without a config.

    Parameters
    ----------
    fields : mapping
        Config of the network.
    n : int
        Number of classes of the network.
    groups : tuple of str
        Finite groups other than cyclic ones that this layout is read for.

    Raises
    ------
    ValueError
        If the config names another operation, a finite group that is not read, or another number of classes.
    """
    group = fields.get("group", CYCLIC)
    if group != CYCLIC and group not in groups:
        known = ", ".join((CYCLIC, *groups))
        raise ValueError(
            f"config group {group!r} is not read; known: {known} (transformers of other finite groups, and MLPs of "
            "other finite groups than these, are not read yet)"
        )
    one_of(fields, "fn_name", ("add",), "add")
    for key in ("func", "funcs"):
        _check_function(fields, key, n)
    if group != CYCLIC:
        task = GroupComposition(f"{group[0]}{whole_number(fields, 'group_parameter')}")
        if task.order != n:
            raise ValueError(f"config names {task}, which has {task.order} elements, and the network has {n}")
        return task
    named = n_classes_of(fields)
    if named is not None and named != n:
        raise ValueError(f"the config names {named} classes ('C', 'p' or 'group_parameter'), and the network has {n}")
    return ModularAddition(n)


def _check_function(fields: Fields, key: str, n: int) -> None:
    """Refuse a function other than addition mod n, as Zhong et al. write it into a config; the text is never run."""
    text = fields.get(key)
    if text is not None and re.sub(r"\s", "", str(text)) != f"lambdax:(x[0]+x[1])%{n}":
        raise ValueError(f"config {key} {text!r} is not understood; known: lambda x: (x[0]+x[1])%{n}")


def check_answers(task: ModularAddition | GroupComposition, answers: np.ndarray) -> None:
    """Refuse a network whose own answers say that it learnt another operation, or numbers its elements otherwise.

    Parameters
    ----------
    task : ModularAddition or GroupComposition
        What it would be read as.
    answers : ndarray
        (n, n) class of the largest logit of each pair.

    Raises
    ------
    ValueError
        If the answers are the table of another operation, in which each class stands once in every row and every
        column (all of it, or 99 % of it where less than half agrees); for a finite group also if fewer than 90 % of
        the answers agree with its table: elements are then in an order that nobody knows.
    """
    right = float(np.mean(answers == task.targets()))
    if isinstance(task, GroupComposition) and right < KNOWN_ORDER:
        raise ValueError(
            f"the order of its elements is not known: its answers agree with the table of {task} in lexicographic "
            f"order on {right:.1%} of pairs, and networks of finite groups are read where {KNOWN_ORDER:.0%} agree"
        )
    distinct = _distinct(answers)
    if right < 1 and (distinct == 1 or (distinct >= 0.99 and right < 0.5)):
        raise ValueError(
            f"its answers are the table of another operation (each class once in every row and column) and agree with "
            f"{task} on {right:.1%} of pairs; networks of another operation, or with elements in another order, are "
            "not read yet"
        )


def _distinct(answers: np.ndarray) -> float:
    """Distinct classes in a row or column over its length, mean over all rows and columns: 1 for a Latin square."""
    n = len(answers)
    return float(np.mean([len(np.unique(line)) / n for line in (*answers, *answers.T)]))
