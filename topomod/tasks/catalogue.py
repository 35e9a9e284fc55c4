"""The kinds of tasks. A new kind is one entry here and a file of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from topomod.tasks import addition, cayley, finite_group, operation, parity, unknown
from topomod.tasks.task import Task, TaskKind

TASK_KINDS: dict[str, TaskKind] = {
    kind.name: kind
    for kind in (addition.KIND, parity.KIND, finite_group.KIND, operation.KIND, cayley.KIND, unknown.KIND)
}


def task_from_description(description: dict[str, Any]) -> Task:
    """Rebuild a task from what its ``describe`` returned.

    Raises
    ------
    ValueError
        If the task's name is not known, or one of its values is missing, of a wrong type or out of range.
    """
    name = description.get("name")
    if not isinstance(name, str) or name not in TASK_KINDS:
        raise ValueError(f"unknown task {name!r}; known tasks: {', '.join(TASK_KINDS)}")
    try:
        return TASK_KINDS[name].rebuild(description)
    except KeyError as error:
        raise ValueError(f"the description of a task {name!r} needs {error}, found {description}") from None
    except TypeError:
        raise ValueError(f"the description of a task {name!r} has a value of a wrong type: {description}") from None


def parse_task(written: object, p: int) -> Task:
    """Task that a study writes down.

    Parameters
    ----------
    written : str or mapping
        ``addition``, ``addition_<k>`` or an operation such as ``a - b`` (all mod p), ``parity_<n>_<k>``, a finite
        group, or ``{"table": rows}``.
    p : int
        Modulus.

    Raises
    ------
    ValueError
        For anything else, and for numbers that are out of range.

    Examples
    --------
    >>> parse_task("addition_3", p=11)
    ModularAddition(p=11, k=3)
    >>> parse_task("S5", p=11)
    GroupComposition(name='S5')
    >>> parse_task("a-b", p=11)
    ModularOperation(operation='a - b', p=11)
    """
    if isinstance(written, Mapping) and set(written) == {"table"}:
        return cayley.CayleyTable(written["table"])
    known = ", ".join(kind.written for kind in TASK_KINDS.values() if kind.parse)
    if not isinstance(written, str):
        raise ValueError(f"a task is a name ({known}) or {{table: rows}}, found {written!r:.100}")
    for kind in TASK_KINDS.values():
        if kind.parse and (match := re.fullmatch(kind.pattern, written)):
            return kind.parse(match, p)
    raise ValueError(f"unknown task {written!r:.100}; known: {known}")
