"""Results that are not what the study would make now: cut short, from other circuits, or by other settings.

The workflow removes them before it looks for what is missing, so that they are made again. It need not trust the times
of files, which a copy loses. Circuits are removed only where they are cut short; those of other settings are refused by
name when they are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from topomod.study.config import Study
from topomod.study.origin import Origin, content_hash, shard_origin, stored_origin, study_origin
from topomod.study.shards import CIRCUITS, StudyFolder
from topomod.study.systems import ABLATION_TABLES


def remove_outdated(folder: StudyFolder, study: Study, dry_run: bool) -> list[str]:
    """Remove results that have to be made again, or only name them.

    Returns
    -------
    list of str
        One sentence for each.
    """
    sentences = []
    for path, fault in outdated(folder, study):
        if not dry_run:
            path.unlink(missing_ok=True)
        sentences.append(f"{path} {fault}; it is made again")
    return sentences


def outdated(folder: StudyFolder, study: Study) -> Iterator[tuple[Path, str]]:
    """Files that have to be made again, each with what is wrong, as the end of a sentence."""
    places = [(folder.population(shard), study.shard_tables()) for shard in study.shards()]
    places += [(folder.maturity(shard), study.system.shard_tables) for shard in study.maturity_shards()]
    whole = True
    for place, tables in places:
        faults = list(_of_shard(place, tables, study.min_neurons))
        whole = whole and not faults and all((place / f"{name}.parquet").is_file() for name in tables)
        yield from faults
    yield from _of_study(folder, study, whole)


def _of_shard(place: Path, tables: Sequence[str], min_neurons: int) -> Iterator[tuple[Path, str]]:
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


def _of_study(folder: StudyFolder, study: Study, whole: bool) -> Iterator[tuple[Path, str]]:
    """Results of all shards; where tables of shards are to come, those are made again anyway."""
    reduced = [study.population_settings(), study.alpha]
    settings = dict.fromkeys(("endpoints", "summary", "summary_of_measures"), reduced)
    origin = study_origin(folder, study, []) if whole else None
    for name in study.system.tables:
        used = settings.get(name, [study.equivalence_settings()])
        yield from _of_file(folder.table(name), origin and origin | {"settings": content_hash(used)})
    page = study_origin(folder, study, [study.report_settings()], study.maturity_shards()) if whole else None
    yield from _of_file(folder.report, page)


def _of_file(path: Path, wanted: Origin | None) -> Iterator[tuple[Path, str]]:
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
