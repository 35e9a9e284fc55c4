"""What a released network was trained on: what its config says, and whether its own answers agree."""

from __future__ import annotations

import ast
import re

from topomod.networks.read_off import MOST, Answers, Reading, decide_task, read_off, task_title
from topomod.networks.released_files import Fields, whole_number
from topomod.tasks.addition import ModularAddition
from topomod.tasks.finite_group import GroupComposition
from topomod.tasks.isomorphism import find_isomorphism
from topomod.tasks.operation import ModularOperation
from topomod.tasks.task import Task
from topomod.tasks.unknown import UnknownTask

CYCLIC = "CyclicGroup"
FINITE = {CYCLIC: "C", "DihedralGroup": "D", "SymmetricGroup": "S", "AlternatingGroup": "A"}  # as SymPy names them
FUNCTIONS = {  # as Nanda et al. and others name them
    "add": "a + b",
    "subtract": "a - b",
    "minus": "a - b",
    "multiply": "a * b",
    "x2xyy2": "a**2 + a * b + b**2",
}


def n_classes_of(fields: Fields) -> int | None:
    """Number of classes that a config names (``C``, ``p`` or the parameter of a cyclic group); None without any.

    Raises
    ------
    ValueError
        If two keys contradict each other, or one is not a whole number.
    """
    keys = ["C", "p"] + ["group_parameter"] * (fields.get("group") in (CYCLIC, None))
    found = {key: value for key in keys if (value := whole_number(fields, key)) is not None}
    if len(set(found.values())) > 1:
        raise ValueError(f"config keys contradict each other about the number of classes: {found}")
    return next(iter(found.values()), None)


def named_group(fields: Fields) -> GroupComposition | None:
    """Finite group that a config names, None without any.

    Raises
    ------
    ValueError
        If its name or size is not known.
    """
    group = fields.get("group")
    if group is None:
        return None
    if not isinstance(group, str) or group not in FINITE:
        raise ValueError(f"config group {group!r:.60} is not read; known: {', '.join(FINITE)}")
    if (size := whole_number(fields, "group_parameter")) is None:
        raise ValueError(f"config group {group!r} needs its size as 'group_parameter', found none")
    return GroupComposition(f"{FINITE[group]}{size}")


def named_operation(fields: Fields, n: int) -> Task | None:
    """Operation mod n that a config names as ``fn_name``, ``func`` or ``funcs``, None without any; no text is run.

    Raises
    ------
    ValueError
        If the operation is not known, or two keys name different ones.
    """
    found: dict[str, Task] = {}
    if (name := fields.get("fn_name")) is not None:
        if not isinstance(name, str) or name not in FUNCTIONS:
            raise ValueError(f"config fn_name {name!r:.60} is not understood; known: {', '.join(FUNCTIONS)}")
        found["fn_name"] = operation(FUNCTIONS[name], n)
    for key in ("func", "funcs"):
        if (text := fields.get(key)) is not None:
            found[key] = _written(key, text, n)
    if len({str(task) for task in found.values()}) > 1:
        raise ValueError(f"config keys name different operations: {', '.join(map(str, found.values()))}")
    return next(iter(found.values()), None)


def operation(text: str, p: int) -> Task:
    """Task of an expression in a and b modulo p."""
    return ModularAddition(p) if text == "a + b" else ModularOperation(text, p)


def _written(key: str, text: object, n: int) -> Task:
    """Operation that Zhong et al. write into a config as ``lambda x: (x[0]+x[1])%59``."""
    body = re.fullmatch(r"\s*lambda x:\s*(.{1,200})", str(text))
    if body is not None:
        try:
            tree = ast.parse(body[1].replace("x[0]", "a").replace("x[1]", "b"), mode="eval").body
            if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Mod) and ast.unparse(tree.right) == str(n):
                return operation(ModularOperation(ast.unparse(tree.left), n).operation, n)
        except (ValueError, SyntaxError, RecursionError, MemoryError):  # no expression in x[0] and x[1]
            pass
    known = f"such as lambda x: (x[0]+x[1])%{n}, an expression in x[0] and x[1]"
    raise ValueError(f"config {key} {str(text)!r:.60} is not understood; known: {known}")


def decide_released(fields: Fields, answers: Answers, n: int, task: Task | None, adds: bool = False) -> Reading:
    """Read answers by the task that is given, that the config names, or that they show.

    Parameters
    ----------
    fields : mapping
        Config of the network.
    answers : Answers
        Its own, with a column for every logit.
    n : int
        Number of tokens of a, and of classes.
    task : Task or None
        Overrides the config.
    adds : bool
        Whether a network without a named task whose answers show none is taken to add mod n.

    Raises
    ------
    ValueError
        If the config names another number of classes or a task that is not known, or the answers are the table of
        another task than the one named, or the order of a finite group's elements is not known.
    """
    if task is not None:
        return decide_task(answers, task)
    group, named = named_group(fields), named_operation(fields, n)
    _check_number(fields, group, n)
    shown = _shown(answers, n)
    if group is not None and not group.cyclic:
        return _of_group(shown, group)
    wanted = named or (ModularAddition(n) if group is not None and n >= 3 else None)
    if wanted is None:
        assumed = adds and n >= 3 and isinstance(shown.task, UnknownTask)
        return decide_task(answers, ModularAddition(n)) if assumed else shown
    found = decide_task(answers, wanted)
    if found.right < 1 and not isinstance(shown.task, UnknownTask) and shown.right > max(found.right, MOST):
        if group is not None and _is_group(shown.task, group):
            return shown
        raise ValueError(
            f"its answers are the table of another operation ({task_title(shown.task)}, on {shown.right:.1%} of pairs) "
            f"and agree with {wanted}, which the config names, on {found.right:.1%} of pairs; give the task"
        )
    return found


def _shown(answers: Answers, n: int) -> Reading:
    """What the answers show; columns after the n-th are no classes."""
    found = read_off(answers)
    return Reading(UnknownTask(n, n, n), answers) if isinstance(found.task, UnknownTask) else found


def _check_number(fields: Fields, group: GroupComposition | None, n: int) -> None:
    if group is not None and group.order != n:
        raise ValueError(f"config names {group}, which has {group.order} elements, and the network has {n}")
    named = n_classes_of(fields)
    if named not in (None, n):
        raise ValueError(f"the config names {named} classes ('C', 'p' or 'group_parameter'), and the network has {n}")


def _of_group(shown: Reading, group: GroupComposition) -> Reading:
    """What the answers show, if that is the finite group of the config."""
    if _is_group(shown.task, group):
        return shown
    raise ValueError(
        f"the order of its elements is not known: the config names {group}, and its answers are "
        f"{task_title(shown.task)}; networks of finite groups are read if at least {MOST:.0%} of their answers are the "
        "group's table, in any order of its elements"
    )


def _is_group(task: Task, group: GroupComposition) -> bool:
    """Whether a task is a finite group, up to isomorphism."""
    own = task.finite_group
    return (
        own is not None and own.order == group.order and (find_isomorphism(own.targets(), group.targets()) is not None)
    )
