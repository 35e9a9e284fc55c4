"""Results that are not what the study would make now: cut short, from other circuits, or by other settings.

The workflow removes them before it looks for what is missing, so that they are made again. It need not trust the times
of files, which a copy loses. Circuits are removed only where they are cut short; those of other settings are refused by
name when they are read. What the study may not make again as it is now is left alone: other shards, and later looks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from topomod.study.config import Study
from topomod.study.looks import at_look, look_sizes, settled_questions
from topomod.study.origin import Origin, content_hash, shard_origin, stored_origin, study_origin
from topomod.study.shards import CIRCUITS, Shard, StudyFolder
from topomod.study.systems import ABLATION_TABLES

Fault = tuple[Path, str]


def remove_outdated(folder: StudyFolder, study: Study, dry_run: bool) -> list[str]:
    """Remove results that have to be made again, or only name them.

    Returns
    -------
    list of str
        One sentence for each.
    """
    sentences = []
    for path, fault in list(outdated(folder, study)):
        if not dry_run:
            path.unlink(missing_ok=True)
        sentences.append(f"{path} {fault}; it is made again")
    return sentences


def outdated(folder: StudyFolder, study: Study) -> Iterator[Fault]:
    """Files that have to be made again, each with what is wrong, as the end of a sentence."""
    followed = [(folder.maturity(shard), study.system.shard_tables) for shard in study.maturity_shards()]
    faults, whole = _of_shards(followed, study.min_neurons)
    yield from faults
    seen: set[Shard] = set()
    settled: set[str] = set()
    for n in (sizes := look_sizes(study)):
        new = [shard for shard in at_look(study, n).shards() if shard not in seen]
        seen |= set(new)
        places = [(folder.population(shard), study.shard_tables()) for shard in new]
        faults, complete = _of_shards(places, study.min_neurons)
        whole = whole and complete
        faults += _of_look(folder, study, n, whole) if study.system.compared else []
        yield from faults
        answers = folder.look(n).table("answers")
        known = whole and not faults and answers.is_file()  # what the study does at the next look
        settled |= settled_questions(answers) if known and n < sizes[-1] else set()
        if n == sizes[-1] or not known or len(settled) == len(study.questions):
            yield from _of_study(folder, study, n, whole and (known or n == sizes[-1]))
            return


def _of_shards(places: Iterable[tuple[Path, tuple[str, ...]]], min_neurons: int) -> tuple[list[Fault], bool]:
    """Faults of shards, and whether all of their tables are there without one."""
    faults, whole = [], True
    for place, tables in places:
        found = list(_of_shard(place, tables, min_neurons))
        whole = whole and not found and all((place / f"{name}.parquet").is_file() for name in tables)
        faults += found
    return faults, whole


def _of_shard(place: Path, tables: Iterable[str], min_neurons: int) -> Iterator[Fault]:
    circuits = place / CIRCUITS
    if not circuits.is_file():
        return
    try:
        origin = shard_origin(circuits)
    except ValueError:
        yield circuits, "is cut short"
        return
    for name in tables:
        wanted = origin if name in ABLATION_TABLES else origin | {"min_neurons": min_neurons}
        yield from _of_file(place / f"{name}.parquet", wanted)


def _of_look(folder: StudyFolder, study: Study, n: int, whole: bool) -> Iterator[Fault]:
    """Tables of a look; where tables of shards are to come, they are made again anyway."""
    own = at_look(study, n)
    origin = study_origin(folder, own, []) if whole else None
    reduced = content_hash([own.population_settings(), study.alpha])
    tested = content_hash([own.equivalence_settings()])
    for name, used in {"endpoints": reduced, "summary": reduced, "verdicts": tested, "answers": tested}.items():
        yield from _of_file(folder.look(n).table(name), origin and origin | {"settings": used})


def _of_study(folder: StudyFolder, study: Study, n: int, certain: bool) -> Iterator[Fault]:
    """Results of the whole study, which stops at a look if that is certain; else those that are cut short."""
    used = [study.equivalence_settings()] if study.system.compared else [study.population_settings(), study.alpha]
    own = at_look(study, n)
    origin = study_origin(folder, own, used) if certain else None
    for name in study.system.tables:
        yield from _of_file(folder.table(name), origin)
    page = study_origin(folder, own, [study.report_settings()], study.maturity_shards()) if certain else None
    for path in (folder.report, *(folder.root / name for name in study.system.beside_page)):
        yield from _of_file(path, page)


def _of_file(path: Path, wanted: Origin | None) -> Iterator[Fault]:
    """What is wrong with a file that may not be there; one that says nothing of its origin is taken as it is."""
    if not path.is_file():
        return
    try:
        found = stored_origin(path)
    except ValueError:
        yield path, "is cut short"
        return
    if found is None or wanted is None:
        return
    for key, value in wanted.items():
        if found.get(key) != value:
            yield path, FAULTS[key].format(found=found.get(key), value=value)
            return


FAULTS = {
    "circuits": "was made from other circuits",
    "shards": "was made from other tables",
    "settings": "was made by other settings",
    "min_neurons": "was made by min_neurons {found} instead of {value}",
}
