"""The command merge: circuits of two finished studies become one study."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from topomod.files import atomic_path
from topomod.study.check import check_study, load_study_file
from topomod.study.config import Study
from topomod.study.shards import CIRCUITS, StudyFolder
from topomod.study.stored import check_stored
from topomod.study.yaml_files import StudyError, yaml_text

AGREE = ("p", "task", "network", "recipe", "margin_recipe", "min_neurons", "ablation", "alpha", "margins", "families")


def merge_studies(one: Path, other: Path, output: Path, results: Path = Path("results")) -> Study:
    """Write the YAML of a study that has the circuits of two finished ones, and copy these circuits with their tables.

    Questions and controls are those of the first study. Circuits that were followed past the schedule are left out.

    Parameters
    ----------
    one, other : Path
        YAML of the two studies, each on top of the ``config.yaml`` beside it.
    output : Path
        YAML to write; its name without the ending is the name of the merged study.
    results : Path
        Folder that holds the results of all studies.

    Returns
    -------
    Study
        The merged study.

    Raises
    ------
    StudyError
        If the studies differ in what decides circuits, tables and tests, share a seed of an architecture, have not
        finished, or the merged study is there already.
    ValueError
        If circuits on disk are not those of their study.
    """
    studies = (load_study_file(one), load_study_file(other))
    both = f"{one} and {other} do not merge"
    if differences := list(_differences(_settings(studies[0]), _settings(studies[1]), str(one), str(other))):
        raise StudyError(f"{both}: {'; '.join(differences)}")
    merged = check_study(_merged(*studies, output.stem, both), str(output))
    target = StudyFolder(results / merged.study)
    for place in (output, target.root):
        if place.exists():
            raise StudyError(f"{place} is there already; give the merged study another name")
    copies = [copy for study in studies for copy in _copies(study, StudyFolder(results / study.study), target)]
    for source, place in copies:
        with atomic_path(place) as temporary:
            shutil.copy2(source, temporary)  # with its time, so that no stage runs again
    with atomic_path(output) as temporary:
        temporary.write_text(yaml_text(_written(merged)), encoding="utf-8")
    return merged


def _settings(study: Study) -> dict[str, Any]:
    """What two studies must have in common; variants of other names may differ."""
    found = study.model_dump(include=set(AGREE))
    return found | {"margins": {name: margin.margin for name, margin in study.margins.items()}}


def _differences(x: Any, y: Any, one: str, other: str, key: str = "") -> Iterator[str]:
    """Sentences on every value that differs, by its whole key."""
    if isinstance(x, dict) and isinstance(y, dict):
        for name in [*x, *(name for name in y if name not in x)]:
            yield from _differences(x.get(name), y.get(name), one, other, f"{key}.{name}" if key else name)
    elif x != y:
        yield f"{key} is {json.dumps(x)} in {one} and {json.dumps(y)} in {other}"


def _merged(x: Study, y: Study, name: str, both: str) -> dict[str, Any]:
    """Settings of the merged study."""
    if twice := sorted(set(x.networks) & set(y.networks)):
        raise StudyError(f"{both}: both have networks of the name {twice[0]!r}")
    for variant in set(x.variants) & set(y.variants):
        if x.variants[variant] != y.variants[variant]:
            raise StudyError(f"{both}: the variant {variant!r} is not the same in both")
    labels = list(dict.fromkeys([*x.trained, *y.trained]))
    blocks = {label: [block for s in (x, y) if label in s.trained for block in s.blocks_of(label)] for label in labels}
    for label, found in blocks.items():
        times = Counter(seed for block in found for seed in block)
        if shared := sorted(seed for seed, n in times.items() if n > 1):
            raise StudyError(f"{both}: both have {label} of seed {', '.join(map(str, shared[:5]))}")
    own, added = x.model_dump(), y.model_dump()
    listed = {str(label): [str(block) for block in found] for label, found in blocks.items()}
    return own | {
        "study": name,
        "architectures": list(dict.fromkeys([*x.architectures, *y.architectures])),
        "seeds": {"first": x.seeds.first, "count": x.seeds.count, "blocks": listed},
        "variants": own["variants"] | added["variants"],
        "networks": own["networks"] | added["networks"],
        "maturity": {"count": 0, "steps": [1]},
    }


def _copies(study: Study, folder: StudyFolder, target: StudyFolder) -> Iterator[tuple[Path, Path]]:
    """Files of a study's shards, and where they go; tables that are not there are made from the circuits."""
    check_stored(folder, study)
    for shard in study.shards():
        for name in (CIRCUITS, *(f"{table}.parquet" for table in study.shard_tables())):
            path = folder.population(shard) / name
            if path.is_file():
                yield path, target.population(shard) / name
            elif name == CIRCUITS:
                raise StudyError(f"{path} is not there; finish the study before it is merged")


def _written(study: Study) -> dict[str, Any]:
    """Settings as plain values; files of networks are found anew."""
    settings: dict[str, Any] = json.loads(study.report_settings())
    for own in settings["networks"].values():
        del own["files"]
    return settings
