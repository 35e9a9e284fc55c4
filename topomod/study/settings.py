"""Parts of a study's YAML: seeds, what is followed, margins, each with what is allowed; recipes without names."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from topomod.networks.labels import Label
from topomod.study.shards import SeedBlock, aligned_blocks
from topomod.study.yaml_files import StudyError
from topomod.tasks.checked import Number, Whole
from topomod.training.recipes import MarginRecipe, Recipe

MAX_SHOWN = 200  # letters of what was found
MAX_NAME = 100  # letters of a study's or a variant's name: it becomes part of file names


class Strict(BaseModel):
    """A part in which an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, serialize_by_alias=True)


AnyRecipe = TypeVar("AnyRecipe", Recipe, MarginRecipe)


def _unnamed(recipe: AnyRecipe) -> AnyRecipe:
    if recipe.name:
        raise ValueError(f"a variant's name is its key in 'variants', found the name {recipe.name!r} in its recipe")
    return recipe


StudyRecipe = Annotated[Recipe, AfterValidator(_unnamed)]
StudyMarginRecipe = Annotated[MarginRecipe, AfterValidator(_unnamed)]


class Seeds(Strict):
    """Which seeds: ``first``, ``first + 1``, ...; a larger ``count`` later trains only what is new.

    ``counts`` gives single architectures another number, ``blocks`` other seeds, as a merged study has them.
    """

    first: Whole = Field(0, ge=0)
    count: Whole = Field(ge=1)
    counts: dict[str, Annotated[Whole, Field(ge=1)]] = {}
    blocks: dict[str, Annotated[list[str], Field(min_length=1)]] = {}

    @field_validator("counts", "blocks")
    @classmethod
    def _canonical(cls, named: dict[str, Any]) -> dict[str, Any]:
        canonical = {str(Label.parse(label)): value for label, value in named.items()}
        if len(canonical) < len(named):
            raise ValueError(f"architectures must be distinct, found {list(named)}")
        return canonical

    @field_validator("blocks")
    @classmethod
    def _disjoint(cls, named: dict[str, list[str]]) -> dict[str, list[str]]:
        for label, written in named.items():
            ordered = sorted((SeedBlock.parse(text) for text in written), key=lambda block: block.first)
            for one, other in pairwise(ordered):
                if other.first <= one.last:
                    raise ValueError(f"blocks {one} and {other} of {label} both hold the seed {other.first}")
        return named

    def blocks_of(self, label: str, size: int) -> list[SeedBlock]:
        """Blocks of seeds of an architecture, as they are given or of at most ``size`` seeds."""
        if label in self.blocks:
            return [SeedBlock.parse(text) for text in self.blocks[label]]
        return aligned_blocks(self.first, self.counts.get(label, self.count), size)


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


def json_object(text: str, option: str) -> dict[str, Any]:
    """Keys and values of the JSON text of an option.

    Raises
    ------
    StudyError
        If it is none.
    """
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise StudyError(f"{option} is not JSON ({error})") from None
    if not isinstance(fields, dict):
        raise StudyError(f"{option} needs keys and values, found {text[:MAX_SHOWN]}")
    return fields


def canonical_json(value: Any) -> str:
    """JSON that is the same for the same content."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
