"""Networks in a study that were trained elsewhere: a pattern names their files. This module imports nothing heavy."""

from __future__ import annotations

from collections.abc import Iterator
from glob import glob
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from topomod.networks.architectures import trainable
from topomod.networks.labels import GIVEN
from topomod.study.settings import Strict
from topomod.study.yaml_files import StudyError, merged
from topomod.tasks.catalogue import parse_task
from topomod.tasks.checked import Whole

MAX_LETTERS = 60_000  # of all file names of a study: they are part of commands, which hold 131,072 letters


class Given(Strict):
    """Networks that others trained: one circuit for each file."""

    pattern: str = Field(alias="from", min_length=1)
    files: list[str] = []  # found by :func:`with_files`
    p: Whole = Field(59, ge=3)
    task: Any = "addition"

    @model_validator(mode="after")
    def _of_two_tokens(self) -> Given:
        task = parse_task(self.task, self.p)
        if not task.one_hot or len(task.input_shape) != 2:
            raise ValueError(f"networks of two tokens are compared, found the task {task}")
        return self

    def problems(self, name: str, p: int) -> Iterator[str]:
        """Sentences on why these networks do not go with a study of modulus p."""
        if name in trainable():
            yield f"networks.{name}: {name} is the name of an architecture; networks need another one"
        if not self.files:
            yield f"networks.{name}: no file is named by {self.pattern!r}"
        if self.p != p:
            yield f"networks.{name} are compared at p = {p}, found p = {self.p}"


def with_labels(config: Any) -> Any:
    """Settings in which every name of ``networks`` is an architecture of the study, by its label.

    ``mine`` stands for ``given@mine`` wherever an architecture is named. Networks that ``architectures`` does not name
    come last. They have the study's own ``p`` and ``task`` where they state none.
    """
    if not isinstance(config, dict) or not isinstance(config.get("networks"), dict) or not config["networks"]:
        return config
    labels = {name: f"{GIVEN}@{name}" for name in config["networks"]}
    base = {key: config[key] for key in ("p", "task") if key in config}
    own = {name: base | entry if isinstance(entry, dict) else entry for name, entry in config["networks"].items()}
    found = config | {"networks": own}
    for key in ("architectures", "positive_control", "main_pair", "negative_control"):
        if key in config:
            found[key] = _labelled(config[key], labels)
    if isinstance(listed := found.get("architectures"), list):
        found["architectures"] = [*listed, *(label for label in labels.values() if label not in listed)]
    if isinstance(config.get("questions"), list):
        found["questions"] = [_asked(question, labels) for question in config["questions"]]
    return found


def _labelled(written: Any, labels: dict[str, str]) -> Any:
    if isinstance(written, list | tuple):
        return [_labelled(name, labels) for name in written]
    return labels.get(written, written) if isinstance(written, str) else written


def _asked(question: Any, labels: dict[str, str]) -> Any:
    if not isinstance(question, dict) or "architectures" not in question:
        return question
    return question | {"architectures": _labelled(question["architectures"], labels)}


def with_files(config: dict[str, Any], source: str) -> dict[str, Any]:
    """Settings in which the files of all networks are listed, sorted, as they are on disk now.

    Raises
    ------
    StudyError
        If a pattern names no file, or ``files`` lists others.
    """
    networks = config.get("networks")
    patterns = {
        name: entry["from"]
        for name, entry in (networks if isinstance(networks, dict) else {}).items()
        if isinstance(entry, dict) and isinstance(entry.get("from"), str)  # the model says what is wrong with others
    }
    listed = {name: {"files": _files(pattern, f"{source}: networks.{name}")} for name, pattern in patterns.items()}
    for name, own in listed.items():
        if config["networks"][name].get("files", own["files"]) != own["files"]:
            raise StudyError(
                f"{source}: networks.{name}.files are not the {len(own['files'])} files named by {patterns[name]!r}"
            )
    letters = sum(len(path) + 4 for own in listed.values() for path in own["files"])
    if letters > MAX_LETTERS:
        raise StudyError(f"{source}: the files of networks have {letters} letters; allowed are {MAX_LETTERS}")
    return merged(config, {"networks": listed}) if listed else config


def _files(pattern: str, place: str) -> list[str]:
    """Files that a pattern names, sorted."""
    files = sorted(path for path in glob(pattern, recursive=True) if Path(path).is_file())
    if not files:
        raise StudyError(f"{place}: no file is named by {pattern!r}, seen from {Path.cwd()}")
    return files
