"""What is trained, and how: the part of a study's settings that its variants change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import Field, model_validator

from topomod.networks.size import NetworkSize
from topomod.study.settings import Strict, StudyMarginRecipe, StudyRecipe
from topomod.tasks.catalogue import parse_task
from topomod.tasks.checked import Whole
from topomod.training.recipes import MarginRecipe, Recipe


class Variant(Strict):
    """What is trained, and how: the study's own, or what a named variant makes of it."""

    p: Whole = Field(59, ge=3, le=2**20)
    task: Any = "addition"
    network: NetworkSize = NetworkSize()
    recipe: StudyRecipe = Recipe()
    margin_recipe: StudyMarginRecipe = MarginRecipe()

    @model_validator(mode="after")
    def _without_problems(self) -> Variant:
        if problems := list(self.problems()):
            raise ValueError("\n".join(problems))
        return self

    def problems(self) -> Iterator[str]:
        """Sentences on what does not go together, all of them."""
        try:
            parse_task(self.task, self.p)
        except ValueError as error:
            yield str(error)
