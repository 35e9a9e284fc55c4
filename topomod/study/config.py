"""One study's YAML, checked before any job starts. Imports nothing heavy: the Snakefile reads it too."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

from pydantic import Field, ValidationError, field_validator, model_validator

from topomod.networks.labels import SYSTEMS, VARIANT_NAME, StudyError, canonical_label, parse_label, system_of
from topomod.networks.size import NetworkSize
from topomod.study.endpoint_catalogue import ALL_ENDPOINTS
from topomod.study.settings import Margin, Maturity, Seeds, Strict, StudyMarginRecipe, StudyRecipe
from topomod.tasks.addition import ModularAddition
from topomod.tasks.catalogue import MAX_EVALUATED, MAX_INPUTS, Task, parse_task
from topomod.training.recipes import MarginRecipe, Recipe

__all__ = ["Study", "StudyError", "canonical_json", "check_study", "load_study", "load_study_file"]


class Variant(Strict):
    """What is trained, and how: the study's own, or what a named variant makes of it."""

    p: int = Field(59, ge=3, strict=True)
    task: str = "addition"
    network: NetworkSize = NetworkSize()
    recipe: StudyRecipe = Recipe()
    margin_recipe: StudyMarginRecipe = MarginRecipe()

    @model_validator(mode="after")
    def _known_task(self) -> Variant:
        parse_task(self.task, self.p)
        return self


class Study(Variant):
    """A whole study; config/README.md explains each key."""

    study: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    architectures: list[str] = Field(min_length=1)
    seeds: Seeds
    shard_size: int = Field(10, ge=1)
    variants: dict[Annotated[str, Field(pattern=rf"^{VARIANT_NAME}$")], Variant] = {}
    maturity: Maturity
    min_neurons: int = Field(10, ge=1)
    ablation: bool = False
    alpha: float = Field(0.05, gt=0, lt=0.5)
    positive_control: tuple[str, str] | None = None
    negative_control: str | None = None
    margins: dict[str, Margin]
    families: dict[Annotated[str, Field(min_length=1)], Annotated[list[str], Field(min_length=1)]]

    @model_validator(mode="before")
    @classmethod
    def _inherited(cls, config: Any) -> Any:
        """A named variant states only what differs from the study."""
        if not isinstance(config, dict) or not isinstance(config.get("variants"), dict):
            return config
        base = {key: config[key] for key in Variant.model_fields if key in config}
        named = config["variants"].items()
        return config | {"variants": {key: _merged(base, own) if isinstance(own, dict) else own for key, own in named}}

    @field_validator("architectures")
    @classmethod
    def _known(cls, labels: list[str]) -> list[str]:
        for label in labels:
            parse_label(label)
        canonical = [canonical_label(label) for label in labels]
        if len(set(canonical)) < len(canonical):
            raise ValueError(f"architectures must be distinct, found {labels}")
        return canonical

    @field_validator("margins")
    @classmethod
    def _endpoints(cls, margins: dict[str, Margin]) -> dict[str, Margin]:
        unknown, missing = set(margins) - set(ALL_ENDPOINTS), set(ALL_ENDPOINTS) - set(margins)
        if unknown:
            known = ", ".join(ALL_ENDPOINTS)
            raise ValueError(f"unknown endpoint {', '.join(sorted(unknown))}; known: {known}")
        if missing:
            raise ValueError(f"no margin for {', '.join(sorted(missing))}: every endpoint needs one, with a reason")
        return margins

    @field_validator("families")
    @classmethod
    def _partition(cls, families: dict[str, list[str]]) -> dict[str, list[str]]:
        named = [name for family in families.values() for name in family]
        unknown, missing = set(named) - set(ALL_ENDPOINTS), set(ALL_ENDPOINTS) - set(named)
        twice = sorted({name for name in named if named.count(name) > 1})
        for problem, names in (("unknown", unknown), ("in no family", missing), ("in two families", twice)):
            if names:
                raise ValueError(f"every endpoint belongs to one family; {problem}: {', '.join(sorted(names))}")
        return families

    @model_validator(mode="after")
    def _named_architectures(self) -> Study:
        named = [*(self.positive_control or ()), *([self.negative_control] if self.negative_control else [])]
        for label in [*named, *self.seeds.counts]:
            if canonical_label(label) not in self.architectures:
                raise ValueError(f"{label!r} is not one of the study's architectures {self.architectures}")
        if self.positive_control and len({canonical_label(label) for label in self.positive_control}) < 2:
            raise ValueError(f"positive_control needs two different architectures, found {self.positive_control}")
        for label in self.architectures:
            name = label.partition("@")[2]
            if name and name not in self.variants:
                raise ValueError(f"{label!r} names none of 'variants', which has {sorted(self.variants)}")
        return self

    @model_validator(mode="after")
    def _one_system(self) -> Study:
        found = {system_of(label): label for label in self.architectures}
        if len(found) > 1:
            raise ValueError(
                f"architectures of one study are trained and measured alike, found {sorted(found.values())}"
            )
        if self.system != "pairs" and (self.ablation or self.maturity.count):
            found_here = f"ablation {self.ablation}, maturity.count {self.maturity.count}"
            raise ValueError(f"ablation and maturity are for {', '.join(SYSTEMS['pairs'])}; found {found_here}")
        for label in self.architectures:
            task, recipe = self.task_of(label), self.variant_of(label).recipe
            k = task.k if isinstance(task, ModularAddition) else 0
            if self.system != "margins" and not k:
                raise ValueError(f"{label} learns addition, found the task {task}")
            if self.system == "pairs" and k != 2:
                raise ValueError(f"{label} adds two inputs, found the task {task}")
            if self.system == "pairs" and self.variant_of(label).p != self.p:
                raise ValueError(f"{label} is compared at p = {self.p}, found p = {self.variant_of(label).p}")
            if self.system == "sequences" and task.n_inputs > MAX_INPUTS:
                raise ValueError(f"{label} holds all inputs at once, at most {MAX_INPUTS}, found {task.n_inputs}")
            if task.n_inputs > MAX_EVALUATED:
                raise ValueError(f"{label} is looked at on all inputs, at most {MAX_EVALUATED}, found {task.n_inputs}")
            if self.system == "sequences" and (recipe.batches != 1 or recipe.min_purity != 0):
                found_here = f"batches {recipe.batches}, min_purity {recipe.min_purity}"
                raise ValueError(f"{label} needs a recipe with batches 1 and min_purity 0, found {found_here}")
        return self

    @property
    def system(self) -> str:
        """What its architectures have in common, one of :data:`topomod.networks.labels.SYSTEMS`."""
        return system_of(self.architectures[0])

    def variant_of(self, label: str) -> Variant:
        """What an architecture is trained on, and how."""
        name = label.partition("@")[2]
        return self.variants[name] if name else self

    def task_of(self, label: str) -> Task:
        """What an architecture is trained on."""
        variant = self.variant_of(label)
        return parse_task(variant.task, variant.p)

    def recipe_of(self, label: str) -> dict[str, Any]:
        """Fields of the recipe that an architecture is trained by; the variant's name is part of a circuit's label."""
        name, variant = label.partition("@")[2], self.variant_of(label)
        recipe = variant.margin_recipe if self.system == "margins" else variant.recipe
        fields = {key: value for key, value in asdict(recipe).items() if key != "name"}
        return fields | ({"name": name} if name else {})

    def shards(self) -> list[str]:
        """Paths ``<architecture>/<first>-<last>`` of the shards, blocks of seeds aligned to ``shard_size``.

        Aligned blocks keep their names when seeds are added, so that only new ones are trained.
        """
        paths = []
        for label in self.architectures:
            first = self.seeds.first
            last = first + self.seeds.counts.get(label, self.seeds.count) - 1
            starts = range(first - first % self.shard_size, last + 1, self.shard_size)
            paths += [f"{label}/{max(s, first):05d}-{min(s + self.shard_size - 1, last):05d}" for s in starts]
        return paths

    def maturity_shards(self) -> list[str]:
        """Paths of the shards of circuits that are followed longer, one per architecture."""
        if self.maturity.count == 0:
            return []
        first, last = self.seeds.first, self.seeds.first + self.maturity.count - 1
        return [f"{label}/{first:05d}-{last:05d}" for label in self.architectures]

    def training_settings(self, label: str) -> str:
        """What training of an architecture depends on, as canonical JSON."""
        variant = self.variant_of(label)
        own = {"p": variant.p, "task": variant.task, "network": asdict(variant.network)}
        return canonical_json(own | {"recipe": self.recipe_of(label)})

    def equivalence_settings(self) -> str:
        """What the tests depend on, as canonical JSON."""
        keys = {"p", "alpha", "positive_control", "negative_control", "margins", "families", "architectures"}
        return canonical_json(self.model_dump(include=keys))

    def report_settings(self) -> str:
        """The whole study, as canonical JSON: the report prints it."""
        return canonical_json(self.model_dump())


def canonical_json(value: Any) -> str:
    """JSON that is the same for the same content."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def check_study(config: dict[str, Any], source: str = "config") -> Study:
    """Check a study read from YAML.

    Raises
    ------
    StudyError
        Naming each wrong key, what was found and what is allowed.
    """
    try:
        return Study.model_validate(config)
    except ValidationError as error:
        problems = [_sentence(problem) for problem in error.errors()]
        raise StudyError("\n".join(f"{source}: {problem}" for problem in problems)) from None


def load_study(path: Path | str, base: Path | str | None = None) -> Study:
    """Read and check a study's YAML.

    Parameters
    ----------
    path : path
        The study, or what differs from ``base``.
    base : path, optional
        YAML that it overrides key by key, lists as a whole, as snakemake merges ``--configfile`` into the default.

    Raises
    ------
    StudyError
        If a file is missing, is not YAML, or :func:`check_study` refuses the result.
    """
    config = _read_yaml(path) if base is None else _merged(_read_yaml(base), _read_yaml(path))
    return check_study(config, str(path))


def load_study_file(path: Path) -> Study:
    """Read a study's YAML on top of the ``config.yaml`` beside it, if there is one; errors as :func:`load_study`."""
    default = path.with_name("config.yaml")
    return load_study(path, default if default.is_file() and default != path else None)


def _read_yaml(path: Path | str) -> dict[str, Any]:
    import yaml

    try:
        config = yaml.safe_load(Path(path).read_text())
    except OSError as error:
        raise StudyError(f"{path}: cannot be read ({error.strerror})") from None
    except yaml.YAMLError as error:
        raise StudyError(f"{path}: is not valid YAML ({' '.join(str(error).split())})") from None
    if not isinstance(config, dict):
        raise StudyError(f"{path}: must hold keys and values, found {type(config).__name__}")
    return config


def _merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    both = {
        key: _merged(base[key], value) if isinstance(value, dict) and isinstance(base.get(key), dict) else value
        for key, value in changes.items()
    }
    return base | both


def _sentence(problem: Any) -> str:
    key = ".".join(str(part) for part in problem["loc"]) or "study"
    found = problem["input"]
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        return f"unknown key '{key}'; allowed here: {', '.join(_keys_beside(problem['loc']))}"
    if problem["type"] == "missing":
        return f"key '{key}' is missing"
    if problem["type"] == "value_error":
        return f"key '{key}': {message}" if problem["loc"] else message
    shown = "nan" if isinstance(found, float) and math.isnan(found) else repr(found)
    return f"key '{key}': {message[0].lower()}{message[1:]}, found {shown}"


def _keys_beside(location: tuple[Any, ...]) -> list[str]:
    model: Any = Study
    for part in location[:-1]:
        if get_origin(model) is dict:
            model = get_args(model)[1]
        else:
            model = model.__pydantic_fields__[part].annotation
    return [key for key in model.__pydantic_fields__ if key != "name"]
