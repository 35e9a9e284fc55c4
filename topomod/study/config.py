"""One study's YAML, checked before any job starts. This module imports nothing heavy: the Snakefile reads it.

The settings are layered by what a stage depends on: :class:`Population` says which circuits there are,
:class:`Comparison` how they are compared, and :class:`Study` what else is measured and followed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from topomod.networks.labels import VARIANT_NAME, Label, written_names
from topomod.networks.size import NetworkSize
from topomod.study.comparisons import comparisons, main_comparison
from topomod.study.endpoint_catalogue import all_endpoints
from topomod.study.fit import misfits
from topomod.study.given import Given, with_labels
from topomod.study.questions import Question, few_circuits, pair_problems, question_problems
from topomod.study.settings import MAX_NAME, Margin, Maturity, Seeds, canonical_json, look_problems, margin_problems
from topomod.study.shards import SeedBlock, Shard, aligned_blocks
from topomod.study.systems import ABLATION, ABLATION_TABLES, SYSTEMS, Stage, System
from topomod.study.trainable import untrainable
from topomod.study.variant import Variant
from topomod.study.yaml_files import merged
from topomod.tasks.catalogue import parse_task
from topomod.tasks.checked import MAX_SEED, Number, Whole
from topomod.tasks.task import Task

Named = Annotated[str, Field(pattern=rf"^{VARIANT_NAME}$", max_length=MAX_NAME)]


class Population(Variant):
    """Which circuits a study trains or reads; config/README.md explains each key."""

    architectures: list[str] = Field(min_length=1)
    seeds: Seeds
    shard_size: Whole = Field(10, ge=1)
    looks: list[Annotated[Whole, Field(ge=3)]] = []
    variants: dict[Named, Variant] = {}
    networks: dict[Named, Given] = {}

    @model_validator(mode="before")
    @classmethod
    def _inherited(cls, config: Any) -> Any:
        """A named variant states only what differs from the study; networks that are read are architectures too."""
        config = with_labels(config)
        if not isinstance(config, dict) or not isinstance(config.get("variants"), dict):
            return config
        base = {key: config[key] for key in Variant.model_fields if key in config}
        named = config["variants"].items()
        return config | {"variants": {key: merged(base, own) if isinstance(own, dict) else own for key, own in named}}

    @field_validator("architectures")
    @classmethod
    def _known(cls, labels: list[str]) -> list[str]:
        canonical = [str(Label.parse(label)) for label in labels]
        if len(set(canonical)) < len(canonical):
            raise ValueError(f"architectures must be distinct, found {labels}")
        return canonical

    def problems(self) -> Iterator[str]:
        """Also names that the study has not, architectures that cannot be trained as it says, and what cannot fit."""
        found = [*super().problems(), *self._strangers([*self.seeds.counts, *self.seeds.blocks])]
        for label in self.labels:
            key, known = ("networks", set(self.networks)) if label.given else ("variants", set(self.variants))
            if label.variant and label.variant not in known:
                found.append(f"'{label}' names none of '{key}', which has {sorted(known)}")
        found += [problem for name, own in self.networks.items() for problem in own.problems(name, self.p)]
        systems = {label.record.system: str(label) for label in self.labels}
        if len(systems) > 1:
            found.append(f"architectures of one study are trained and measured alike, found {sorted(systems.values())}")
        found += look_problems(self.looks, self.seeds, self.networks)
        if (last := self.seeds.first + self.n_seeds() - 1) > MAX_SEED:
            found.append(f"seeds must be at most 2**63 - 1, found {self.seeds.first} to {last}")
        yield from found or [problem for label in self.trained for problem in untrainable(self, label)] or misfits(self)

    def _strangers(self, labels: Iterable[str]) -> Iterator[str]:
        for label in labels:
            if label not in self.architectures:
                yield f"{label!r} is not one of the study's architectures {self.architectures}"

    @property
    def labels(self) -> list[Label]:
        """Its architectures, parsed."""
        return [Label.parse(label) for label in self.architectures]

    @property
    def trained(self) -> list[Label]:
        """Those of its architectures that it trains itself."""
        return [label for label in self.labels if not label.given]

    @property
    def system(self) -> System:
        """What its architectures have in common."""
        return SYSTEMS[self.labels[0].record.system]

    def variant_of(self, label: Label) -> Variant:
        """What an architecture is trained on, and how."""
        return self.variants[label.variant] if label.variant else self

    def task_of(self, label: Label) -> Task:
        """What an architecture is trained on, or networks were."""
        own = self.networks[label.variant] if label.given else self.variant_of(label)
        return parse_task(own.task, own.p)

    def order_of(self, label: Label) -> int:
        """Number of values that each input has on the axes of its task's symmetry; p where there is none."""
        symmetry = self.task_of(label).symmetry
        return symmetry.n if symmetry else self.p

    def recipe_of(self, label: Label) -> dict[str, Any]:
        """Fields of the recipe that an architecture is trained by; the variant's name is part of a circuit's label."""
        fields = asdict(getattr(self.variant_of(label), self.system.recipe_key))
        del fields["name"]
        return fields | ({"name": label.variant} if label.variant else {})

    def size_of(self, label: Label) -> NetworkSize | None:
        """Widths of an architecture; None where its recipe gives them."""
        return self.variant_of(label).network if self.system.sized else None

    def blocks_of(self, label: Label) -> list[SeedBlock]:
        """Blocks of an architecture's seeds; the seed of a network that is read is the place of its file."""
        if label.given:
            return aligned_blocks(0, len(self.networks[label.variant].files), self.shard_size)
        return self.seeds.blocks_of(str(label), self.shard_size, self.looks)

    def count_of(self, label: Label) -> int:
        """Number of seeds of an architecture, or of files of networks that are read."""
        return len(self.networks[label.variant].files) if label.given else self.seeds.count_of(str(label))

    def n_seeds(self) -> int:
        """Largest number of seeds of any architecture."""
        return max(self.seeds.count, *self.seeds.counts.values(), 1)

    def followed_steps(self) -> int:
        """Training steps beside those of the recipe, of all circuits."""
        return 0

    def shards(self) -> list[Shard]:
        """Shards of the population, one for each block of seeds."""
        return [Shard(label, block) for label in self.labels for block in self.blocks_of(label)]

    def files_of(self, shard: Shard) -> list[str]:
        """Files of a shard of networks that are read."""
        return self.networks[shard.label.variant].files[shard.seeds.first : shard.seeds.last + 1]

    def reading_settings(self, label: Label) -> str:
        """What reading of networks depends on beside their files, as canonical JSON."""
        own = self.networks[label.variant]
        return canonical_json({"p": own.p, "task": own.task, "min_purity": self.recipe.min_purity})

    def maturity_shards(self) -> list[Shard]:
        """Shards of circuits that are followed longer: those that a study has beside its population."""
        return []

    def snapshots(self) -> list[int]:
        """Steps at which followed circuits are looked at."""
        return []

    def training_settings(self, label: Label) -> str:
        """What training of an architecture depends on, as canonical JSON."""
        variant = self.variant_of(label)
        own = {"p": variant.p, "task": variant.task, "network": asdict(variant.network)}
        return canonical_json(own | {"recipe": self.recipe_of(label)})

    def population_settings(self) -> str:
        """Which circuits there are, as canonical JSON."""
        return canonical_json(self.model_dump(include=set(Population.model_fields)))


class Comparison(Population):
    """How the architectures of a population are compared."""

    alpha: Number = Field(0.05, gt=0, lt=0.5)
    spending: Literal["pocock", "obrien-fleming"] = "pocock"
    positive_control: tuple[str, str] | None = None
    negative_control: str | None = None
    main_pair: tuple[str, str] | None = None
    margins: dict[str, Margin]
    families: dict[Annotated[str, Field(min_length=1)], Annotated[list[str], Field(min_length=1)]]
    questions: list[Question] = []

    @field_validator("positive_control", "main_pair")
    @classmethod
    def _canonical_pair(cls, pair: tuple[str, str] | None) -> tuple[str, str] | None:
        if pair is None:
            return None
        x, y = (str(Label.parse(label)) for label in pair)
        return x, y

    @field_validator("negative_control")
    @classmethod
    def _canonical(cls, label: str | None) -> str | None:
        return None if label is None else str(Label.parse(label))

    @field_validator("margins")
    @classmethod
    def _endpoints(cls, margins: dict[str, Margin]) -> dict[str, Margin]:
        known = all_endpoints()
        unknown, missing = set(margins) - set(known), set(known) - set(margins)
        if unknown:
            raise ValueError(f"unknown endpoint {', '.join(sorted(unknown))}; known: {', '.join(known)}")
        if missing:
            raise ValueError(f"no margin for {', '.join(sorted(missing))}: every endpoint needs one, with a reason")
        return margins

    @field_validator("families")
    @classmethod
    def _partition(cls, families: dict[str, list[str]]) -> dict[str, list[str]]:
        named, known = [name for family in families.values() for name in family], set(all_endpoints())
        twice = {name for name in named if named.count(name) > 1}
        problems = (("unknown", set(named) - known), ("in no family", known - set(named)), ("in two families", twice))
        for problem, names in problems:
            if names:
                raise ValueError(f"every endpoint belongs to one family; {problem}: {', '.join(sorted(names))}")
        return families

    def problems(self) -> Iterator[str]:
        """Also controls that are none, and questions that cannot be asked."""
        controls = [*(self.positive_control or ()), *filter(None, [self.negative_control])]
        found = [*super().problems(), *self._strangers(controls), *pair_problems(self.main_pair, self.positive_control)]
        found += margin_problems(self.margins, SeedBlock(self.seeds.first, self.seeds.first + self.n_seeds() - 1))
        if self.looks and not self.questions:
            found.append("a study with 'looks' stops when its questions are answered, and this one asks none")
        pair = self.compared_pair
        found += question_problems(self.questions, self.architectures, self.positive_control, pair)
        yield from found or few_circuits(self.questions, pair, self.count_of)

    @property
    def compared_pair(self) -> tuple[str, str] | None:
        """The two architectures that the study is about; None where it compares nothing."""
        main = main_comparison(comparisons(self.model_dump()), self.main_pair) if self.system.compared else None
        return None if main is None else main[1:]

    def equivalence_settings(self) -> str:
        """What the tests depend on, as canonical JSON."""
        return canonical_json(self.model_dump(include=set(Comparison.model_fields)))


class Study(Comparison):
    """A whole study; config/README.md explains each key."""

    study: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=MAX_NAME)
    maturity: Maturity
    min_neurons: Whole = Field(10, ge=1)
    ablation: Annotated[bool, Field(strict=True)] = False

    def problems(self) -> Iterator[str]:
        """Also circuits that cannot be followed, and tasks without frequencies where frequencies are ablated."""
        yield from (problems := list(super().problems()))
        if not self.system.followed and (self.ablation or self.maturity.count):
            names = [name for system in SYSTEMS.values() if system.followed for name in written_names(system.name)]
            found = f"ablation {self.ablation}, maturity.count {self.maturity.count}"
            yield f"ablation and maturity are for {', '.join(names)}; found {found}"
        if problems or not (self.ablation and self.system.followed):
            return
        if self.networks:
            yield f"ablation is for networks that are trained here, found {', '.join(self.networks)}"
        others = [str(task) for task in map(self.task_of, self.labels) if task.modulus is None]
        if others:
            yield f"ablation is for tasks that add or subtract numbers mod p, found {', '.join(dict.fromkeys(others))}"

    def n_seeds(self) -> int:
        """Of the circuits that are followed too."""
        return max(super().n_seeds(), self.maturity.count)

    def followed_steps(self) -> int:
        """To the last step that is looked at."""
        return len(self.trained) * self.maturity.count * self.maturity.steps[-1]

    def shard_stages(self) -> tuple[Stage, ...]:
        """Stages that work on every shard of the population after training."""
        return self.system.shard_stages + ((ABLATION,) if self.ablation else ())

    def shard_tables(self) -> tuple[str, ...]:
        """Tables of a shard of the population that the report reads."""
        return self.system.shard_tables + (ABLATION_TABLES if self.ablation else ())

    def snapshots(self) -> list[int]:
        """As the YAML says."""
        return self.maturity.steps

    def maturity_shards(self) -> list[Shard]:
        """One per architecture."""
        if self.maturity.count == 0:
            return []
        seeds = SeedBlock(self.seeds.first, self.seeds.first + self.maturity.count - 1)
        return [Shard(label, seeds) for label in self.trained]

    def report_settings(self) -> str:
        """The whole study, as canonical JSON: the report prints it."""
        return canonical_json(self.model_dump())
