"""Dataclasses whose values pydantic checks. Outside a study's YAML each error is one sentence."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, ConfigDict, Field, ValidationError

CHECKED = ConfigDict(extra="forbid", allow_inf_nan=False)
MAX_SEED = 2**63 - 1  # seeds stand in tables as signed 64-bit integers

Kind = TypeVar("Kind", bound=type)


def _plain(value: Any) -> Any:
    """A number of NumPy as Python's own."""
    return value.item() if getattr(value, "shape", None) == () else value


# Numbers are never read from text, truth values or, where they count something, from decimals.
Whole = Annotated[int, BeforeValidator(_plain), Field(strict=True)]
Number = Annotated[float, BeforeValidator(_plain), Field(strict=True)]


def one_sentence(kind: Kind) -> Kind:
    """Let a pydantic dataclass say in one sentence what is wrong with its arguments.

    Pydantic's own message has three lines for each wrong value and a link. Only a call of the class is changed: a
    pydantic model that holds the dataclass still sees every problem with its key.

    Examples
    --------
    >>> from pydantic import Field
    >>> from pydantic.dataclasses import dataclass
    >>> @one_sentence
    ... @dataclass(config=CHECKED)
    ... class Size:
    ...     width: int = Field(1, ge=1)
    >>> Size(width=0)
    Traceback (most recent call last):
    ValueError: Size: width should be greater than or equal to 1, found 0
    """
    described: Any = kind
    check: Callable[..., None] = described.__init__

    @wraps(check)
    def init(self: Any, *args: Any, **fields: Any) -> None:
        try:
            check(self, *args, **fields)
        except ValidationError as error:
            raise ValueError("; ".join(_sentence(kind, problem) for problem in error.errors())) from None

    described.__init__ = init
    return kind


def _sentence(kind: Any, problem: Any) -> str:
    key, message = ".".join(map(str, problem["loc"])), problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "unexpected_keyword_argument":
        return f"{kind.__name__} has no {key!r}; it has {', '.join(kind.__pydantic_fields__)}"
    if problem["type"] == "value_error":
        return f"{kind.__name__}: {message}"
    return f"{kind.__name__}: {message.replace('Input', key, 1)}, found {problem['input']!r}"
