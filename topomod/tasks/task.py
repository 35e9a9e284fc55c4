"""What every task tells: its inputs, its targets, its symmetry, and its largest normalized margin where known.

Code asks a task; it does not ask of which class a task is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

if TYPE_CHECKING:
    from topomod.tasks.symmetry import Symmetry

MAX_EVALUATED = 2**20  # most inputs of a task; accuracy and normalized margin are measured on all of them
MAX_INPUTS = 2**16  # most inputs where all are held at once; one layer of 256 neurons in float32 then takes 64 MiB


@runtime_checkable
class FiniteGroup(Protocol):
    """A finite group whose elements are numbered.

    Attributes
    ----------
    name : str
        Name in tables and messages.
    order : int
        Number of elements.
    identity : int
        Which element is the identity.
    isomorphic_to : str
        Name of the known group that it is up to the order of its elements.
    cyclic : bool
        Whether it is cyclic with its elements in the order of their powers.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def isomorphic_to(self) -> str: ...  # noqa: D102
    @property
    def order(self) -> int: ...  # noqa: D102
    @property
    def identity(self) -> int: ...  # noqa: D102
    @property
    def cyclic(self) -> bool: ...  # noqa: D102

    def __hash__(self) -> int: ...

    def targets(self) -> np.ndarray:
        """Index of the product of every pair of elements, (order, order)."""


@runtime_checkable
class Task(Protocol):
    """A finite set of inputs, each with one correct class.

    Attributes
    ----------
    input_shape : tuple of int
        Axes of the array of all inputs, such as ``(p, p)``: one axis for each token, or one for all vectors.
    n_inputs, n_classes : int
        Numbers of inputs and of classes.
    one_hot : bool
        Whether an input is a row of tokens, each a one-hot block; else it is a vector of numbers.
    n_factors : int
        Number of inputs that have to be multiplied to tell the class, and the power of a power network's neurons.
    modulus : int or None
        p where tokens and classes are numbers mod p that are added or subtracted, so that their waves
        ``exp(2 pi i f a / p)`` are its characters in every place.
    symmetry : Symmetry or None
        In which order tokens and classes are numbers mod n whose sum or difference is the task: what frequency,
        phase and winding mean. None where no cyclic group acts on each argument.
    no_symmetry : str
        Why there is no symmetry, as the end of a sentence; empty where there is one.
    finite_group : FiniteGroup or None
        The finite group whose two elements are composed; cyclic where two numbers are added.
    support : tuple of int or None
        Entries of the input vector that decide the class, where inputs are vectors.
    no_margin_theory : str
        Why the largest normalized margin is not known; empty where it is.
    """

    @property
    def input_shape(self) -> tuple[int, ...]: ...  # noqa: D102
    @property
    def n_inputs(self) -> int: ...  # noqa: D102
    @property
    def n_classes(self) -> int: ...  # noqa: D102
    @property
    def one_hot(self) -> bool: ...  # noqa: D102
    @property
    def n_factors(self) -> int: ...  # noqa: D102
    @property
    def modulus(self) -> int | None: ...  # noqa: D102
    @property
    def symmetry(self) -> Symmetry | None: ...  # noqa: D102
    @property
    def no_symmetry(self) -> str: ...  # noqa: D102
    @property
    def finite_group(self) -> FiniteGroup | None: ...  # noqa: D102
    @property
    def support(self) -> tuple[int, ...] | None: ...  # noqa: D102
    @property
    def no_margin_theory(self) -> str: ...  # noqa: D102

    def inputs(self) -> np.ndarray:
        """All inputs in flat order: tokens (n_inputs, n_tokens), or vectors (n_inputs, d)."""

    def targets(self) -> np.ndarray:
        """Correct class of every input, of shape ``input_shape``."""

    def describe(self) -> dict[str, Any]:
        """Name and numbers that :func:`topomod.tasks.catalogue.task_from_description` rebuilds the task from."""

    def max_margin(self) -> float:
        """Largest normalized margin of a ``power_mlp``; only where ``no_margin_theory`` is empty."""

    def margin_at(self, regularization: float) -> float:
        """Normalized margin at the optimum of a ``power_mlp`` of any width under a regularisation."""

    def max_margin_neurons(self) -> tuple[np.ndarray, np.ndarray]:
        """``W_in`` (n_neurons, d_in) and ``W_U`` (n_neurons, n_classes) of a network that attains ``max_margin``."""


@dataclass(frozen=True)
class TaskKind:
    """How tasks of one kind are written and read.

    Parameters
    ----------
    name : str
        Value of ``describe()["name"]`` in stored circuits.
    rebuild : callable
        ``(description) -> Task``.
    pattern : str
        Regular expression of the whole name in a study's YAML.
    written : str
        The same as people read it, such as ``addition_<k>``.
    parse : callable or None
        ``(match of the pattern, p) -> Task``; raises a ValueError where its numbers are out of range. None where tasks
        of this kind have no name, only a description.
    """

    name: str
    rebuild: Callable[[dict[str, Any]], Task]
    pattern: str = ""
    written: str = ""
    parse: Callable[[re.Match[str], int], Task] | None = None


def checked_integer(value: object, name: str, least: int, most: int | None = None) -> int:
    """Return a whole number as an int, or refuse it by name."""
    fits = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not fits or value < least or (most is not None and value > most):  # type: ignore[operator]
        allowed = f">= {least}" if most is None else f"from {least} to {most}"
        raise ValueError(f"{name} must be an integer {allowed}, found {value!r}")
    return int(value)  # type: ignore[call-overload, no-any-return]


def same_function(x: Task, y: Task) -> bool:
    """Whether two tasks give every input one class, however they are written: ``addition`` and ``a + b`` mod p."""
    if x == y:
        return True
    shapes = [(task.one_hot, task.input_shape, task.n_classes) for task in (x, y)]
    if shapes[0] != shapes[1] or x.n_inputs > MAX_EVALUATED:
        return False
    return np.array_equal(x.targets(), y.targets())


def token_grid(shape: tuple[int, ...]) -> np.ndarray:
    """Every row of tokens for the given numbers of values, (n_inputs, n_tokens), the last token fastest.

    Examples
    --------
    >>> token_grid((2, 2)).tolist()
    [[0, 0], [0, 1], [1, 0], [1, 1]]
    """
    return np.indices(shape).reshape(len(shape), -1).T.copy()
