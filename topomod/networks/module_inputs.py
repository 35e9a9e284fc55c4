"""In which form a module of somebody else takes the inputs of a task."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from topomod.networks.module_runs import Arguments, Run, Sites, run_all
from topomod.networks.read_off import Answers, decide_task, leaves_zero_out
from topomod.tasks.task import MAX_INPUTS, Task, token_grid
from topomod.tasks.unknown import UnknownTask

FITS = 0.5  # of several forms that run, the one in which the network is right on so many inputs is meant


@dataclass(frozen=True)
class Reading:
    """A module run on all inputs in one form.

    Parameters
    ----------
    form : str
        What the form is called.
    arguments : tuple of Tensor
        What the module is called with.
    shape : tuple of int
        Axes of all inputs.
    run : Run
        What it computes.
    """

    form: str
    arguments: Arguments
    shape: tuple[int, ...]
    run: Run

    def right(self, task: Task | None) -> float:
        """Share of inputs on which it is right, by the given task or by the one that its answers show."""
        answers = Answers.of(self.run.logits.float().cpu().numpy())
        table = Answers(answers.table.reshape(self.shape), answers.n_columns)
        found = decide_task(table, task)
        return 0.0 if isinstance(found.task, UnknownTask) else found.right

    @property
    def n_tokens(self) -> int:
        """One more than the largest token."""
        return 1 + max(int(value.max()) for value in self.arguments)


def choose_reading(module: nn.Module, sites: Sites, task: Task | None, inputs: Any) -> Reading:
    """Run a module in the form that it takes.

    Raises
    ------
    ValueError
        If no form runs, or several do and neither the network's answers nor its embedding show which is meant.
    """
    if inputs is not None:
        return _as_given(module, sites, task, inputs)
    found, errors = [], []
    for form, arguments, shape in _forms(module, task):
        try:
            # three rows: a module that takes them apart as two arguments must not run
            run_all(module, {}, tuple(value[[0, len(value) // 2, -1]] for value in arguments))
        except Exception as error:  # whatever a module of somebody else raises
            errors.append(f"{form}: {type(error).__name__}: {str(error).partition(chr(10))[0]}")
        else:
            found.append(Reading(form, arguments, shape, run_all(module, sites, arguments)))
    if not found and not errors:
        raise ValueError("the module's forward takes neither one argument nor one for each token; give inputs=")
    if not found:
        raise ValueError(f"the module runs on no form of input that is known; give inputs= ({'; '.join(errors)})")
    return _meant(module, task, found)


def _meant(module: nn.Module, task: Task | None, found: Sequence[Reading]) -> Reading:
    """The form that is meant among those that run: by the network's answers, by its embedding, or by both."""
    right = [own for own in found if own.right(task) >= FITS] if len(found) > 1 else found
    for kept in (found, right, _of_vocabulary(module, found), _of_vocabulary(module, right)):
        if len(kept) == 1:
            return kept[0]
    raise ValueError(
        f"the module runs on several forms of input ({', '.join(own.form for own in found)}) and is right on most "
        "inputs in none or several of them; give inputs="
    )


def _as_given(module: nn.Module, sites: Sites, task: Task | None, inputs: Any) -> Reading:
    """Run a module on the rows that the caller gives."""
    rows = torch.as_tensor(np.asarray(inputs) if not isinstance(inputs, Tensor) else inputs.detach())
    n = len(rows) if rows.ndim else 0
    shape = (round(n**0.5),) * 2 if task is None else task.input_shape
    if n == 0 or n != np.prod(shape):
        raise ValueError(f"inputs must have one row for each of {np.prod(shape)} inputs {shape}, found {n}")
    arguments = (rows.to(_device(module)),)
    try:
        return Reading("inputs as given", arguments, shape, run_all(module, sites, arguments))
    except (RuntimeError, IndexError, TypeError, AttributeError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"the module does not run on the given inputs ({type(error).__name__}: {reason})") from error


def _forms(module: nn.Module, task: Task | None) -> Iterator[tuple[str, Arguments, tuple[int, ...]]]:
    """Name, arguments and axes of every form in which a module may take the inputs."""
    if task is None:
        yield from _forms_without_task(module)
        return
    if task.n_inputs > MAX_INPUTS:
        raise ValueError(f"a module is run on at most {MAX_INPUTS} inputs, {task} has {task.n_inputs}")
    rows = torch.from_numpy(np.ascontiguousarray(task.inputs()))
    if not task.one_hot:
        yield "vectors", (rows.to(_device(module), _number_type(module)),), task.input_shape
        return
    for form, arguments in input_formats(module, rows, task.input_shape).items():
        yield form, arguments, task.input_shape
    if leaves_zero_out(task):  # and the module may have it
        larger = tuple(n + 1 for n in task.input_shape)
        for form, arguments in input_formats(module, torch.from_numpy(token_grid(larger)), larger).items():
            yield f"{form}, 0 among them", arguments, larger


def _forms_without_task(module: nn.Module) -> Iterator[tuple[str, Arguments, tuple[int, ...]]]:
    """Forms for as many tokens as there are logits, for one fewer where "=" has a logit, and for all that are embedded.

    A network may have more logits than tokens, or tokens that no input uses.
    """
    columns = _n_columns(module)
    sizes = [columns, columns - 1, *(n for rows in sorted(_vocabularies(module)) for n in (rows, rows - 1))]
    for n in (n for n in dict.fromkeys(sizes) if 2 <= n <= columns and n * n <= MAX_INPUTS):
        for form, arguments in input_formats(module, torch.from_numpy(token_grid((n, n))), (n, n)).items():
            if n == columns:
                yield form, arguments, (n, n)
            elif SIGN in form:
                yield f"{form}, with {columns} logits", arguments, (n, n)
            elif n in _vocabularies(module):
                yield f"{form}, {n} of {columns} logits", arguments, (n, n)


def _n_columns(module: nn.Module) -> int:
    """Number of logits for the tokens (0, 0); 0 if the module runs in no form."""
    for arguments in input_formats(module, torch.zeros(1, 2, dtype=torch.int64), (1, 1)).values():
        try:
            return run_all(module, {}, arguments).logits.shape[1]
        except Exception:  # whatever a module of somebody else raises
            continue
    return 0


def _of_vocabulary(module: nn.Module, found: Sequence[Reading]) -> list[Reading]:
    """Forms whose number of tokens is that of an embedding of the module."""
    return [own for own in found if own.n_tokens in _vocabularies(module)]


def _vocabularies(module: nn.Module) -> set[int]:
    """Number of tokens of each embedding of a module."""
    rows = {own.num_embeddings for own in module.modules() if isinstance(own, nn.Embedding)}
    tables = (getattr(own, "W_E", None) for own in module.modules())
    return rows | {len(table) for table in tables if isinstance(table, Tensor)}


SIGN = "'='"


def input_formats(module: nn.Module, tokens: Tensor, sizes: tuple[int, ...]) -> dict[str, Arguments]:
    """Ways in which a module may take rows of tokens.

    Parameters
    ----------
    module : Module
        Its ``forward`` says whether it takes one argument or one for each token.
    tokens : Tensor
        (N, k) int64.
    sizes : tuple of int
        Number of tokens of each argument.
    """
    shift = torch.tensor([sum(sizes[:j]) for j in range(len(sizes))])
    blocks = [nn.functional.one_hot(column, size) for column, size in zip(tokens.T, sizes, strict=True)]

    def ended(rows: Tensor, sign: int) -> Tensor:
        return torch.cat([rows, torch.full((len(rows), 1), sign)], dim=1)

    one = {
        "tokens": tokens,
        f"tokens and {SIGN}": ended(tokens, max(sizes)),
        "tokens of their own for each argument": tokens + shift,
        f"tokens of their own for each argument, and {SIGN}": ended(tokens + shift, sum(sizes)),
        "one-hot blocks": torch.cat(blocks, dim=1).to(_number_type(module)),
    }
    least, most = _arity(module)
    found: dict[str, Arguments] = {name: (value,) for name, value in one.items()} if least <= 1 <= most else {}
    k = tokens.shape[1]
    if max(2, least) <= k <= most and (least >= 2 or most > 1000):  # needed ones, or *args
        found["one argument for each token"] = tuple(tokens.T.contiguous())
    return {name: tuple(value.to(_device(module)) for value in values) for name, values in found.items()}


def _device(module: nn.Module) -> torch.device:
    return next((value.device for value in module.parameters()), torch.device("cpu"))


def _number_type(module: nn.Module) -> torch.dtype:
    types = (value.dtype for value in module.parameters() if value.is_floating_point())
    return next(types, torch.float32)


def _arity(module: nn.Module) -> tuple[int, int]:
    """Fewest and most arguments of a module's ``forward``."""
    parameters = inspect.signature(module.forward).parameters.values()
    plain = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    least = sum(p.default is p.empty for p in plain)
    return least, 10**6 if any(p.kind == p.VAR_POSITIONAL for p in parameters) else len(plain)
