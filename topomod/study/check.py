"""The command check: a study's settings are checked before any job starts, and each fault is one sentence."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

from pydantic import ValidationError

from topomod.study.config import Population, Study
from topomod.study.given import with_files
from topomod.study.settings import MAX_SHOWN, Strict
from topomod.study.yaml_files import StudyError, merged, read_yaml

Settings = TypeVar("Settings", bound=Population)


def check_settings(model: type[Settings], config: Any, source: str) -> Settings:
    """Check settings read from YAML or JSON against one layer of a study.

    Raises
    ------
    StudyError
        If a key or a value is wrong. The message names each one, what was found and what is allowed.
    """
    try:
        return model.model_validate(config)
    except ValidationError as error:
        problems = [line for problem in error.errors() for line in _sentences(problem, model)]
        raise StudyError("\n".join(f"{source}: {problem}" for problem in problems)) from None


def check_study(config: dict[str, Any], source: str = "config") -> Study:
    """Check a study read from YAML, and find the files of its networks; raises what :func:`check_settings` raises."""
    return check_settings(Study, with_files(config, source), source)


def parse_settings(model: type[Settings], text: str) -> Settings:
    """Settings of a stage from the JSON on its command line.

    Raises
    ------
    StudyError
        If the text is not JSON, or :func:`check_settings` refuses the settings.
    """
    try:
        config = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise StudyError(f"--settings is not JSON ({error})") from None
    return check_settings(model, config, "--settings")


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
    return check_study(read_yaml(path) if base is None else merged(read_yaml(base), read_yaml(path)), str(path))


def load_study_file(path: Path) -> Study:
    """Read a study's YAML on top of the ``config.yaml`` beside it, if there is one; raises as :func:`load_study`."""
    default = path.with_name("config.yaml")
    return load_study(path, default if default.is_file() and default != path else None)


def _sentences(problem: Any, model: type[Strict]) -> list[str]:
    """One for each thing that is wrong: parts that do not go together are listed under one key."""
    if problem["type"] != "value_error":
        return [_sentence(problem, model)]
    lines = problem["msg"].removeprefix("Value error, ").splitlines()
    return [_sentence(problem | {"msg": line}, model) for line in lines]


def _sentence(problem: Any, model: type[Strict]) -> str:
    key = ".".join(str(part) for part in problem["loc"]) or "study"
    found = problem["input"]
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        return f"unknown key '{key}'; allowed here: {', '.join(_keys_beside(problem['loc'], model))}"
    if problem["type"] == "missing":
        return f"key '{key}' is missing"
    if problem["type"] == "value_error":
        return f"key '{key}': {message}" if problem["loc"] else message
    shown = "nan" if isinstance(found, float) and math.isnan(found) else repr(found)
    hint = ", which YAML reads as text: write 1.0e-3" if re.fullmatch(r"'[-+]?\d+e[-+]?\d+'", shown) else ""
    return f"key '{key}': {message[0].lower()}{message[1:]}, found {shown[:MAX_SHOWN]}{hint}"


def _keys_beside(location: tuple[Any, ...], model: Any) -> list[str]:
    for part in location[:-1]:
        if get_origin(model) in (dict, list):
            model = get_args(model)[-1]
        else:
            model = model.__pydantic_fields__[part].annotation
    fields = model.__pydantic_fields__.items()
    return [getattr(field, "alias", None) or key for key, field in fields if key != "name"]
