"""Names of architectures and blocks of seeds, as a study's YAML and its paths write them."""

from __future__ import annotations

import re

SYSTEMS = {
    "pairs": ("mlp_add", "mlp_concat", "rnn", "attention_<rate>"),
    "margins": ("power_mlp", "relu_mlp"),
    "sequences": ("sequence_transformer",),
}
ARCHITECTURE_NAMES = tuple(name for names in SYSTEMS.values() for name in names)
VARIANT_NAME = r"[A-Za-z0-9][A-Za-z0-9_-]*"
_ATTENTION = re.compile(r"attention_(0(\.\d+)?|1(\.0+)?)")


class StudyError(ValueError):
    """A study's YAML is wrong; the message names the key, what was found and what is allowed."""


def canonical_label(label: str) -> str:
    """``attention_1`` and ``attention_1.0`` are one architecture."""
    name, at, variant = label.partition("@")
    name = f"attention_{float(name.removeprefix('attention_'))}" if name.startswith("attention_") else name
    return name + at + variant


def parse_label(label: str) -> tuple[str, float | None]:
    """Split ``attention_1.0`` into name and rate; a variant's name, ``@long``, is left aside.

    Raises
    ------
    StudyError
        For an unknown architecture.
    """
    name, at, variant = label.partition("@")
    if bool(at) == bool(re.fullmatch(VARIANT_NAME, variant)):
        if _ATTENTION.fullmatch(name):
            return "attention", float(name.removeprefix("attention_"))
        if name in ARCHITECTURE_NAMES and "<" not in name:
            return name, None
    known = ", ".join(ARCHITECTURE_NAMES)
    raise StudyError(f"unknown architecture {label!r}; known: {known}, and each with @<variant>")


def system_of(label: str) -> str:
    """Which of :data:`SYSTEMS` an architecture belongs to: networks that are trained and measured alike.

    Raises
    ------
    StudyError
        For an unknown architecture.
    """
    name, rate = parse_label(label)
    return "pairs" if rate is not None else next(system for system, names in SYSTEMS.items() if name in names)


def parse_seeds(block: str) -> list[int]:
    """Seeds of a block such as ``00000-00009``.

    Raises
    ------
    StudyError
        If the block is not two non-negative integers, the first at most the second.
    """
    match = re.fullmatch(r"(\d+)-(\d+)", block)
    if match is None or int(match[1]) > int(match[2]):
        raise StudyError(f"seeds must be FIRST-LAST with 0 <= FIRST <= LAST, found {block!r}")
    return list(range(int(match[1]), int(match[2]) + 1))
