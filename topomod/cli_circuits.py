"""The command line's part that makes circuits and studies: what is trained, read or merged, and by which margins."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Output = Annotated[Path, typer.Option(help="File to write.")]
Settings = Annotated[str, typer.Option(help="JSON with the part of the study that this stage uses.")]
Declared = Annotated[str, typer.Option(help="Margins and questions as JSON.", envvar="TOPOMOD_DECLARED")]


def train(
    architecture: Annotated[str, typer.Option(help="Name such as mlp_add, attention_<rate>, power_mlp@<variant>.")],
    seeds: Annotated[str, typer.Option(help="Block of seeds, FIRST-LAST.")],
    output: Output,
    settings: Settings = '{"p": 59, "recipe": {}}',
    snapshots: Annotated[str, typer.Option(help="Comma-separated steps at which the circuits are kept.")] = "",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    declared: Declared = "",
) -> None:
    """Train a shard: circuits of one architecture, one per seed."""
    from topomod.networks.labels import Label
    from topomod.study.shards import SeedBlock, Shard
    from topomod.study.train import train_shard

    shard = Shard(Label.parse(architecture), SeedBlock.parse(seeds))
    train_shard(shard, settings, output, [int(step) for step in snapshots.split(",") if step], device, declared)


def read(
    files: Annotated[list[Path], typer.Argument(help="One network each, in the order of the seeds.")],
    architecture: Annotated[str, typer.Option(help="given@<name>, as the study names these networks.")],
    seeds: Annotated[str, typer.Option(help="Places of the files among all files of the study, FIRST-LAST.")],
    settings: Settings,
    output: Output,
    declared: Declared = "",
) -> None:
    """Read a shard of networks that were trained elsewhere: circuits, one per file."""
    from topomod.study.read import read_shard
    from topomod.study.shards import Shard

    read_shard(Shard.parse(f"{architecture}/{seeds}"), files, settings, output, declared)


def merge(
    one: Annotated[Path, typer.Argument(help="YAML of a finished study.")],
    other: Annotated[Path, typer.Argument(help="YAML of another one, with the same recipe and margins.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="YAML to write; its name is that of the study.")],
) -> None:
    """Make one study of the circuits of two: write its YAML and copy their results."""
    from topomod.study.merge import merge_studies

    study = merge_studies(one, other, output)
    print(f"{output}: {sum(map(len, study.shards()))} circuits. Run: snakemake --cores 2 --configfile {output}")


def margins(
    results: Annotated[Path, typer.Argument(help="Results of a finished study, the pilot: results/<study>.")],
    fraction: Annotated[float, typer.Option(help="Of the distance of the pilot's positive control.")],
) -> None:
    """Print margins by rule, as YAML: a fraction of what the pilot's positive control differs by."""
    from topomod.study.pilot import margins_yaml
    from topomod.study.shards import StudyFolder

    print(margins_yaml(StudyFolder(results), fraction), end="")
