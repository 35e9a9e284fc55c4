"""Parts of a study's YAML: seeds, what is followed, margins, each with what is allowed; recipes without names."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from topomod.networks.labels import Label
from topomod.tasks.checked import Number, Whole
from topomod.training.recipes import MarginRecipe, Recipe

MAX_NAME = 100  # letters of a study's or a variant's name: it becomes part of file names


class Strict(BaseModel):
    """A part in which an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


AnyRecipe = TypeVar("AnyRecipe", Recipe, MarginRecipe)


def _unnamed(recipe: AnyRecipe) -> AnyRecipe:
    if recipe.name:
        raise ValueError(f"a variant's name is its key in 'variants', found the name {recipe.name!r} in its recipe")
    return recipe


StudyRecipe = Annotated[Recipe, AfterValidator(_unnamed)]
StudyMarginRecipe = Annotated[MarginRecipe, AfterValidator(_unnamed)]


class Seeds(Strict):
    """Which seeds: ``first``, ``first + 1``, ...; a larger ``count`` later trains only what is new.

    ``counts`` gives single architectures another number.
    """

    first: Whole = Field(0, ge=0)
    count: Whole = Field(ge=1)
    counts: dict[str, Annotated[Whole, Field(ge=1)]] = {}

    @field_validator("counts")
    @classmethod
    def _canonical(cls, counts: dict[str, int]) -> dict[str, int]:
        canonical = {str(Label.parse(label)): count for label, count in counts.items()}
        if len(canonical) < len(counts):
            raise ValueError(f"architectures must be distinct, found {list(counts)}")
        return canonical


def look_problems(looks: Sequence[int], seeds: Seeds) -> Iterator[str]:
    """Sentences on declared looks that cannot be made."""
    if any(b <= a for a, b in pairwise(looks)):
        yield f"looks must rise, found {list(looks)}"
    if looks and looks[-1] > seeds.count:
        yield f"looks go up to {looks[-1]} circuits of each architecture, and 'seeds.count' is {seeds.count}"
    if looks and seeds.counts:
        yield f"looks are at one number of circuits of every architecture, found 'seeds.counts' of {list(seeds.counts)}"


class Maturity(Strict):
    """Circuits that are also followed past the schedule: the first ``count`` seeds, looked at at ``steps``."""

    count: Whole = Field(ge=0)
    steps: list[Whole] = Field(min_length=1)

    @field_validator("steps")
    @classmethod
    def _increasing(cls, steps: list[int]) -> list[int]:
        if steps[0] < 0 or any(b <= a for a, b in zip(steps, steps[1:], strict=False)):
            raise ValueError(f"steps must be non-negative and increasing, found {steps}")
        return steps


class Margin(Strict):
    """How much two architectures may differ in an endpoint and still count as the same, and why."""

    margin: Number = Field(gt=0)
    reason: str = Field(min_length=1, max_length=2000)


def canonical_json(value: Any) -> str:
    """JSON that is the same for the same content."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
