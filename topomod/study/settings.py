"""Parts of a study's YAML: recipes, widths, seeds, margins, each with what is allowed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from topomod.networks.labels import Label


class Strict(BaseModel):
    """A part in which an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class RecipeConfig(Strict):
    """Training recipe; :class:`topomod.Recipe` says what each key does."""

    lr: float = Field(1e-2, gt=0)
    weight_decay: float = Field(2.4, ge=0)
    steps: int = Field(500, ge=1)
    warmup: int = Field(10, ge=0)
    schedule: Literal["cosine", "constant"] = "cosine"
    tail_lr: float = Field(1e-3, ge=0)
    max_steps: int = Field(1000, ge=1)
    beta1: float = Field(0.9, ge=0, lt=1)
    beta2: float = Field(0.98, ge=0, lt=1)
    batches: int = Field(2, ge=1)
    train_fraction: float = Field(0.8, gt=0, lt=1)
    min_purity: float = Field(0.9, ge=0, le=1)

    @model_validator(mode="after")
    def _ordered(self) -> RecipeConfig:
        if self.max_steps < self.steps:
            raise ValueError(f"max_steps must be at least steps ({self.steps}), found {self.max_steps}")
        return self


class MarginRecipeConfig(Strict):
    """Training towards the largest margin; :class:`topomod.MarginRecipe` says what each key does."""

    width: int = Field(240, ge=1)
    lr: float = Field(1e-2, gt=0)
    steps: int = Field(2000, ge=1)
    warmup: int = Field(10, ge=0)
    tail: float = Field(0.1, ge=0, le=1)
    regularization_first: float = Field(1e-3, gt=0)
    regularization_last: float = Field(1e-5, gt=0)
    batch_size: int = Field(0, ge=0)
    init_scale: float = Field(1.0, gt=0)
    beta1: float = Field(0.9, ge=0, lt=1)
    beta2: float = Field(0.98, ge=0, lt=1)

    @model_validator(mode="after")
    def _fading(self) -> MarginRecipeConfig:
        if self.regularization_last > self.regularization_first:
            first = self.regularization_first
            raise ValueError(
                f"regularization_last must be at most regularization_first ({first:g}), found "
                f"{self.regularization_last:g}"
            )
        return self


class NetworkConfig(Strict):
    """Widths; :class:`topomod.NetworkSize` says what each key is."""

    d_model: int = Field(128, ge=1)
    d_mlp: int = Field(512, ge=1)
    n_heads: int = Field(4, ge=1)

    @model_validator(mode="after")
    def _divisible(self) -> NetworkConfig:
        if self.d_model % self.n_heads:
            raise ValueError(f"d_model must be a multiple of n_heads ({self.n_heads}), found {self.d_model}")
        return self


class Seeds(Strict):
    """Which seeds: ``first``, ``first + 1``, ...; a larger ``count`` later trains only what is new.

    ``counts`` gives single architectures another number.
    """

    first: int = Field(0, ge=0)
    count: int = Field(ge=1)
    counts: dict[str, Annotated[int, Field(ge=1)]] = {}

    @field_validator("counts")
    @classmethod
    def _canonical(cls, counts: dict[str, int]) -> dict[str, int]:
        canonical = {str(Label.parse(label)): count for label, count in counts.items()}
        if len(canonical) < len(counts):
            raise ValueError(f"architectures must be distinct, found {list(counts)}")
        return canonical


class Maturity(Strict):
    """Circuits that are also followed past the schedule: the first ``count`` seeds, looked at at ``steps``."""

    count: int = Field(ge=0)
    steps: list[int] = Field(min_length=1)

    @field_validator("steps")
    @classmethod
    def _increasing(cls, steps: list[int]) -> list[int]:
        if steps[0] < 0 or any(b <= a for a, b in zip(steps, steps[1:], strict=False)):
            raise ValueError(f"steps must be non-negative and increasing, found {steps}")
        return steps


class Margin(Strict):
    """How much two architectures may differ in an endpoint and still count as the same, and why."""

    margin: float = Field(gt=0)
    reason: str = Field(min_length=1)
