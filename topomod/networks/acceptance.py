"""Which tasks an architecture can learn.

Each function takes a task and returns why it cannot be learnt, as the end of a sentence in which ``{task}`` stands for
the task, or an empty string.
"""

from __future__ import annotations

from topomod.tasks.task import MAX_EVALUATED, MAX_INPUTS, Task


def any_task(task: Task) -> str:
    """Accept any task with few enough inputs to look at all of them."""
    if task.n_inputs > MAX_EVALUATED:
        return f"is looked at on all inputs, at most {MAX_EVALUATED}, found {task.n_inputs}"
    return ""


def two_tokens(task: Task) -> str:
    """Accept two tokens of one vocabulary."""
    if not task.one_hot or len(task.input_shape) != 2:
        return "reads two tokens, found {task}"
    n, m = task.input_shape
    if n != m:
        return f"reads both tokens by one embedding, and {{task}} has {n} of the first and {m} of the second"
    return any_task(task)


def two_alike(task: Task) -> str:
    """Accept two tokens whose order does not matter."""
    if refusal := two_tokens(task):
        return refusal
    table = task.targets()
    if not (table == table.T).all():
        return "gives (a, b) and (b, a) one class, which {task} does not"
    return ""


def few_numbers(task: Task) -> str:
    """Accept sums and differences of any number of tokens mod p, as long as all inputs fit into memory at once."""
    if task.modulus is None:
        return "learns sums and differences mod p, found {task}"
    if task.n_inputs > MAX_INPUTS:
        return f"holds all inputs at once, at most {MAX_INPUTS}, found {task.n_inputs}"
    return ""
