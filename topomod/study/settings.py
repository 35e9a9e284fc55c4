"""Parts of a study's YAML: seeds, what is followed, margins, each with what is allowed; recipes without names."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

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

    def blocks_of(self, label: str, size: int, looks: Sequence[int] = ()) -> list[SeedBlock]:
        """Blocks of seeds of an architecture, as they are given or of at most ``size`` seeds and cut at looks."""
        if label in self.blocks:
            return [SeedBlock.parse(text) for text in self.blocks[label]]
        return aligned_blocks(self.first, self.counts.get(label, self.count), size, looks)

    def count_of(self, label: str) -> int:
        """Number of seeds of an architecture, without its blocks: their list would not fit for a count that cannot."""
        if label in self.blocks:
            return sum(block.last - block.first + 1 for block in map(SeedBlock.parse, self.blocks[label]))
        return self.counts.get(label, self.count)


def look_problems(looks: Sequence[int], seeds: Seeds, networks: Collection[str]) -> Iterator[str]:
    """Sentences on declared looks that cannot be made."""
    if any(b <= a for a, b in pairwise(looks)):
        yield f"looks must rise, found {list(looks)}"
    if looks and looks[-1] > seeds.count:
        yield f"looks go up to {looks[-1]} circuits of each architecture, and 'seeds.count' is {seeds.count}"
    for key, named in (("seeds.counts", seeds.counts), ("seeds.blocks", seeds.blocks), ("networks", networks)):
        if looks and named:
            yield f"looks are at one number of circuits of every architecture, found '{key}' of {list(named)}"


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
    """How much two architectures may differ in an endpoint and still count as the same, and why.

    The margin is a number, or by rule a ``fraction`` of the distance of the positive control. That distance was
    measured on circuits of seeds that the study does not use, from the first to the last of ``pilot_seeds``.
    """

    margin: Number = Field(gt=0)
    reason: str = Field(min_length=1, max_length=2000)
    fraction: Number | None = Field(None, gt=0, le=1)
    control_distance: Number | None = Field(None, gt=0)
    pilot_seeds: tuple[Whole, Whole] | None = None

    @model_validator(mode="before")
    @classmethod
    def _by_rule(cls, own: Any) -> Any:
        """A fraction goes before the margin of a YAML that this one overrides."""
        if not isinstance(own, dict):
            return own
        parts: list[Any] = [own.get("fraction"), own.get("control_distance")]
        numbers = all(isinstance(part, int | float) and not isinstance(part, bool) for part in parts)
        return own | {"margin": parts[0] * parts[1]} if numbers else own

    @model_validator(mode="after")
    def _measured(self) -> Margin:
        if self.fraction is not None and self.control_distance is None:
            raise ValueError(f"a margin that is the fraction {self.fraction} needs the 'control_distance'")
        if self.control_distance is not None and self.pilot_seeds is None:
            raise ValueError("a 'control_distance' needs the 'pilot_seeds' that it was measured on, first and last")
        if self.pilot_seeds is not None and not 0 <= self.pilot_seeds[0] <= self.pilot_seeds[1]:
            raise ValueError(f"pilot_seeds are the first and the last seed, found {list(self.pilot_seeds)}")
        if self.control_distance is not None and self.margin > self.control_distance:
            raise ValueError(f"the margin {self.margin:g} is wider than the control_distance {self.control_distance:g}")
        return self


def margin_problems(margins: Mapping[str, Margin], seeds: SeedBlock) -> Iterator[str]:
    """Sentences on margins whose pilot is part of the study that they are for."""
    for name, margin in margins.items():
        if margin.pilot_seeds and margin.pilot_seeds[0] <= seeds.last and seeds.first <= margin.pilot_seeds[1]:
            first, last = margin.pilot_seeds
            own = f"{seeds.first} to {seeds.last}"
            yield f"margins.{name}: the pilot's seeds {first} to {last} are also seeds of this study, {own}"


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
