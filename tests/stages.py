"""All stages of a study in one process, as the workflow runs them."""

from pathlib import Path

from topomod import cli
from topomod.study.config import Study
from topomod.study.declared import declaration
from topomod.study.shards import CIRCUITS, StudyFolder


def run_stages(study: Study, folder: StudyFolder) -> None:
    """What the workflow runs, command by command."""
    for shard, place in [(s, folder.population(s)) for s in study.shards()] + [
        (s, folder.maturity(s)) for s in study.maturity_shards()
    ]:
        steps = ",".join(map(str, study.maturity.steps)) if "maturity" in place.parts else ""
        names, declared = (str(shard.label), str(shard.seeds)), declaration(study)
        if shard.label.given:
            files = [Path(path) for path in study.files_of(shard)]
            cli.read(files, *names, study.reading_settings(shard.label), place / CIRCUITS, declared)
        else:
            settings = study.training_settings(shard.label)
            cli.train(*names, place / CIRCUITS, settings, steps, "cpu", declared)
        tables = {name: place / f"{name}.parquet" for name in study.shard_tables()}
        cli.groups(place / CIRCUITS, tables["circuits"], tables["groups"], tables["phases"], study.min_neurons)
        cli.homology(place / CIRCUITS, tables["homology"], tables["diagrams"], study.min_neurons)
    write_last_tables(study, folder)
    cli.report(folder.root, study.report_settings(), folder.report)


def write_last_tables(study: Study, folder: StudyFolder) -> None:
    """The commands between the shards and the page."""
    look = folder.look(study.seeds.count)
    endpoints, summary, verdicts, answers = (look.table(n) for n in ("endpoints", "summary", "verdicts", "answers"))
    cli.endpoints(folder.root, study.population_settings(), endpoints, summary, study.alpha)
    cli.equivalence(folder.root, study.equivalence_settings(), endpoints, verdicts, answers)
    cli.conclude(look.root, study.equivalence_settings())
    cli.power(folder.table("endpoints"), None, study.equivalence_settings(), "", "", folder.table("power"))
