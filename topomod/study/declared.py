"""What a study had declared when its circuits were trained, and what has changed since.

The record is kept in each file of circuits. It takes no part in training: a changed margin trains nothing again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from topomod.networks.circuit_file import read_record
from topomod.study.config import Comparison
from topomod.study.looks import look_sizes
from topomod.study.settings import canonical_json
from topomod.study.shards import CIRCUITS, StudyFolder

HASH_LENGTH = 12


def declaration(study: Comparison) -> str:
    """Margins, questions, level, looks and controls of a study as canonical JSON, without reasons."""
    pair = study.compared_pair
    questions = [
        {"words": q.words, "architectures": q.architectures or pair, "primary": q.primary} for q in study.questions
    ]
    margins = {name: margin.margin for name, margin in study.margins.items()}
    controls = {"positive_control": study.positive_control, "negative_control": study.negative_control}
    looks = {"looks": look_sizes(study), "spending": study.spending if study.looks else "none"}
    return canonical_json({"alpha": study.alpha, "margins": margins, "questions": questions} | controls | looks)


def declaration_hash(text: str) -> str:
    """First 12 hexadecimal digits of the SHA-256 of a declaration.

    Examples
    --------
    >>> declaration_hash("{}")
    '44136fa355b3'
    """
    return hashlib.sha256(text.encode()).hexdigest()[:HASH_LENGTH]


def declared_history(folder: StudyFolder, study: Comparison) -> list[dict[str, Any]]:
    """What was declared when the study's circuits were trained, one entry for each different record.

    Returns
    -------
    list of dict
        ``hash`` (empty without a record), ``circuits`` (how many were trained under it), ``changes``: sentences on
        what the study declares otherwise today, and ``other_looks``: whether the looks are among them.

    Raises
    ------
    ValueError
        If a circuit file is corrupt or its record is no JSON.
    """
    now = declaration(study)
    trained: dict[str, int] = {}
    for shard in study.shards():
        path = folder.population(shard) / CIRCUITS
        if path.is_file():
            record = read_record(path, "declared")
            trained[record] = trained.get(record, 0) + len(shard)
    return [
        {"hash": declaration_hash(text) if text else "", "circuits": n, "changes": list(_changes(text, now))}
        | {"other_looks": _other_looks(text, now)}
        for text, n in trained.items()
    ]


def _other_looks(then: str, now: str) -> bool:
    """Whether other looks were declared; a record without looks is older than they are."""
    old, new = json.loads(then or "{}"), json.loads(now)
    return "looks" in old and any(old[key] != new[key] for key in ("looks", "spending"))


def _changes(then: str, now: str) -> Iterator[str]:
    """Sentences on what differs between two declarations; none where there is no earlier one."""
    if not then or then == now:
        return
    old, new = json.loads(then), json.loads(now)
    for key in ("alpha", "looks", "spending", "positive_control", "negative_control"):
        if key in old and old[key] != new[key]:
            yield f"{key} was {_shown(old[key])} and is {_shown(new[key])}."
    yield from _changed_entries("margin of", old.get("margins", {}), new["margins"])
    before, after = ({q["words"]: q for q in found.get("questions", [])} for found in (old, new))
    yield from (f"The question {words!r} was taken out." for words in before if words not in after)
    for words, question in after.items():
        if words not in before:
            yield f"The question {words!r} is new."
            continue
        for key, name in (("architectures", "architectures"), ("primary", "primary endpoints")):
            if before[words][key] != question[key]:
                yield f"The {name} of {words!r} were {_shown(before[words][key])} and are {_shown(question[key])}."


def _changed_entries(what: str, old: Mapping[str, float], new: Mapping[str, float]) -> Iterator[str]:
    for name in [*new, *(name for name in old if name not in new)]:
        if name not in old:
            yield f"The {what} {name} is new: {new[name]:g}."
        elif name not in new:
            yield f"The {what} {name} was {old[name]:g} and was taken out."
        elif old[name] != new[name]:
            yield f"The {what} {name} was {old[name]:g} and is {new[name]:g}."


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
