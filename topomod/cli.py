"""The command line: the only place that parses arguments or prints."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
Output = Annotated[Path, typer.Option(help="File to write.")]
Table = Annotated[Path, typer.Option(help="Parquet file to write.")]
Settings = Annotated[str, typer.Option(help="JSON with the part of the study that this stage uses.")]


def main() -> None:
    """Run a command; wrong input ends with one sentence and exit status 2."""
    try:
        app()
    except (ValueError, FileNotFoundError, IndexError) as error:
        print(f"topomod: {error}", file=sys.stderr)
        raise SystemExit(2) from None


def log(message: str) -> None:
    """Print one line with the time of day, at once."""
    print(f"{time.strftime('%H:%M:%S')} {message}", flush=True)


@app.command()
def check(config: Path) -> None:
    """Check a study's YAML, on top of the config.yaml beside it, and say what it will train."""
    from topomod.networks.labels import parse_seeds
    from topomod.study.config import load_study_file

    study = load_study_file(config)
    n_circuits = sum(len(parse_seeds(shard.partition("/")[2])) for shard in study.shards())
    print(f"{config}: {n_circuits} circuits")
    for label in study.architectures:
        print(f"  {label}: {study.task_of(label)}")


@app.command()
def estimate(
    config: Path,
    cores: Annotated[int, typer.Option(min=1, help="Cores of the machine the study will run on.")] = 2,
) -> None:
    """Say what a study will take, from one circuit of every architecture trained and analysed here and now."""
    from topomod.study.config import load_study_file
    from topomod.study.estimate import calibrate, predict, startup_seconds, wall_seconds

    study = load_study_file(config)
    stages = predict(study, calibrate(study, cores), startup_seconds())
    print(f"{'stage':12s} {'jobs':>5s} {'CPU min':>8s} {'MB a job':>9s} {'MB on disk':>11s}")
    for stage in stages:
        print(f"{stage.name:12s} {stage.jobs:5d} {stage.seconds / 60:8.1f} {stage.memory:9.0f} {stage.disk:11.0f}")
    wall = wall_seconds(stages, cores)
    print(f"{study.study}: about {wall / 60:.0f} min on {cores} cores, {sum(s.disk for s in stages):.0f} MB")


@app.command()
def train(
    architecture: Annotated[str, typer.Option(help="Such as mlp_add, attention_<rate>, power_mlp@<variant>.")],
    seeds: Annotated[str, typer.Option(help="Block of seeds, FIRST-LAST.")],
    output: Output,
    settings: Settings = '{"p": 59, "recipe": {}}',
    snapshots: Annotated[str, typer.Option(help="Comma-separated steps: follow the circuits.")] = "",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
) -> None:
    """Train a shard: circuits of one architecture, one per seed."""
    from topomod.networks.circuit_file import save_circuits
    from topomod.networks.labels import parse_label, parse_seeds, system_of
    from topomod.networks.pair_form import NetworkSize
    from topomod.tasks.catalogue import parse_task
    from topomod.training.recipes import MarginRecipe, Recipe
    from topomod.training.train import iterate_training

    name, rate = parse_label(architecture)
    chosen = parse_seeds(seeds)
    fields = json.loads(settings)
    if missing := {"p", "recipe"} - set(fields):
        raise ValueError(f"--settings needs {' and '.join(sorted(missing))}, found {settings}")
    to_margin = system_of(architecture) == "margins"
    try:
        recipe = (MarginRecipe if to_margin else Recipe)(**fields["recipe"])
        size = None if to_margin else NetworkSize(**fields.get("network", {}))
    except TypeError as error:  # a key that a recipe has not, or a value that is no number
        raise ValueError(f"--settings: {error}") from None
    circuits = []
    for circuit in iterate_training(
        name,
        parse_task(fields.get("task", "addition"), fields["p"]),
        chosen,
        attention_rate=rate,
        recipe=recipe,
        size=size,
        device=device,
        snapshots=[int(step) for step in snapshots.split(",") if step],
    ):
        circuits.append(circuit)
        state = "converged" if circuit.converged else f"not converged: {circuit.reason}"
        log(f"{architecture} seed {circuit.seed} step {circuit.step}: {state}, loss {circuit.history['loss'][-1]:.2e}")
    save_circuits(output, circuits)


@app.command()
def groups(
    circuits: Path,
    circuits_table: Table,
    groups_table: Table,
    phases_table: Table,
    min_neurons: Annotated[int, typer.Option(min=1, help="Smallest group that counts.")] = 10,
) -> None:
    """Group the neurons of a shard by dominant frequency and measure each group."""
    from topomod.networks.circuit_file import load_circuits
    from topomod.study.groups import analyse_groups
    from topomod.study.tables import write_table

    tables = analyse_groups(load_circuits(circuits), min_neurons)
    for table, path in zip(tables, (circuits_table, groups_table, phases_table), strict=True):
        write_table(table, path)
    log(f"{circuits}: {len(tables[0])} circuits, {len(tables[1])} groups")


@app.command()
def homology(
    circuits: Path,
    verdicts_table: Table,
    diagrams_table: Table,
    min_neurons: Annotated[int, typer.Option(min=1, help="Smallest group that counts.")] = 10,
) -> None:
    """Label the manifold of every group of a shard at both sites by persistent homology."""
    from topomod.networks.circuit_file import load_circuits
    from topomod.study.homology import analyse_homology
    from topomod.study.tables import write_table

    verdicts, diagrams = analyse_homology(load_circuits(circuits), min_neurons)
    write_table(verdicts, verdicts_table)
    write_table(diagrams, diagrams_table)
    log(f"{circuits}: {len(verdicts)} point clouds labelled")


@app.command()
def frequencies(circuits: Path, frequencies_table: Table, ablation_table: Table) -> None:
    """Measure which frequencies a shard's circuits carry, and their accuracy after some are projected out."""
    from topomod.networks.circuit_file import load_circuits
    from topomod.study.frequencies import analyse_frequencies
    from topomod.study.tables import write_table

    found, ablation = analyse_frequencies(load_circuits(circuits))
    write_table(found, frequencies_table)
    write_table(ablation, ablation_table)
    log(f"{circuits}: frequencies of {len(found)} circuits")


@app.command()
def measure(
    circuits: Path,
    measures_table: Table,
    neurons_table: Table,
    irreps_table: Table,
    manifolds_table: Table,
    curves_table: Table,
    scores_table: Table,
    min_neurons: Annotated[int, typer.Option(min=1, help="Smallest group whose manifold is labelled.")] = 10,
) -> None:
    """Measure a shard of networks that are described, not compared: power networks, transformers over k tokens."""
    from topomod.networks.circuit_file import load_circuits
    from topomod.study.systems import TABLES, measure_circuits
    from topomod.study.tables import write_table

    found = measure_circuits(load_circuits(circuits), min_neurons)
    paths = (measures_table, neurons_table, irreps_table, manifolds_table, curves_table, scores_table)
    for name, path in zip(TABLES, paths, strict=True):
        write_table(found[name], path)
    log(f"{circuits}: {len(found['measures'])} circuits measured")


@app.command()
def describe(
    measures: Annotated[list[Path], typer.Argument(help="Tables of the measure stage.")],
    summary_table: Table,
    alpha: Annotated[float, typer.Option(help="Level of the intervals.")] = 0.05,
) -> None:
    """Mean and interval of every measure over the converged circuits of each architecture."""
    from topomod.study.describe import measure_table
    from topomod.study.tables import read_tables, write_table

    found = read_tables(measures)
    write_table(measure_table(found, alpha), summary_table)
    log(f"{len(found)} circuits described")


@app.command()
def analyze(
    files: Annotated[list[Path], typer.Argument(help="Released state dicts, or topomod's .safetensors.")],
    output: Annotated[Path, typer.Option(help="Folder for the page and the tables.")] = Path("results/analysis"),
    min_neurons: Annotated[int, typer.Option(min=1, help="Smallest group that is looked at.")] = 3,
    history: Annotated[
        bool, typer.Option("--history", help="The networks are one circuit's at several steps.")
    ] = False,
) -> None:
    """Say of single networks what they learnt: accuracy, groups, labels at every site, metrics; write a page."""
    from topomod.report.analyze_lines import summary
    from topomod.report.analyze_page import write_page
    from topomod.study.analyze import inspect_networks, read_networks
    from topomod.study.tables import write_table

    named = list(read_networks(files))
    found = inspect_networks(named, min_neurons)
    for line in summary(found):
        print(line)
    for name, table in vars(found).items():
        write_table(table, output / f"{name}.parquet")
    write_page(named, found, output / "index.html", history)
    print(f"Page and tables: {output}/")


@app.command()
def endpoints(
    shards: Annotated[list[Path], typer.Argument(help="Folders with the Parquet tables of the shards.")],
    endpoints_table: Table,
    summary_table: Table,
    alpha: Annotated[float, typer.Option(help="Level of the intervals.")] = 0.05,
) -> None:
    """Reduce every circuit to one value per endpoint."""
    from topomod.study.diagram_features import add_features
    from topomod.study.endpoints import circuit_endpoints, summarise
    from topomod.study.tables import read_tables, write_table

    names = ("circuits", "groups", "homology")
    circuits, groups, homology = (read_tables(shard / f"{name}.parquet" for shard in shards) for name in names)
    homology = add_features(homology, (shard / "diagrams.parquet" for shard in shards))
    found = circuit_endpoints(circuits, groups, homology)
    write_table(found, endpoints_table)
    write_table(summarise(found, alpha), summary_table)
    log(f"{len(circuits)} circuits, {found['endpoint'].nunique()} endpoints")


@app.command()
def equivalence(
    shards: Annotated[list[Path], typer.Argument(help="Folders with the Parquet tables of the shards.")],
    endpoints: Annotated[Path, typer.Option(help="Table of the endpoints stage.")],
    settings: Settings,
    verdicts_table: Table,
) -> None:
    """Compare architectures: one verdict per pair and endpoint."""
    from topomod.study.equivalence import verdict_table
    from topomod.study.population import read_diagrams, strongest_groups
    from topomod.study.tables import read_tables, write_table

    groups, phases = (read_tables(shard / f"{name}.parquet" for shard in shards) for name in ("groups", "phases"))
    bars = read_diagrams((shard / "diagrams.parquet" for shard in shards), strongest_groups(groups))
    populations = {"phases": phases, "diagrams": bars}
    verdicts = verdict_table(read_tables([endpoints]), json.loads(settings), populations=populations)
    write_table(verdicts, verdicts_table)
    log(f"{len(verdicts)} tests")


@app.command()
def power(
    endpoints: Annotated[Path, typer.Argument(help="Pilot: endpoints.parquet of a finished study.")],
    config: Annotated[Path | None, typer.Option(help="YAML of the study that is planned.")] = None,
    settings: Settings = "",
    x: Annotated[str, typer.Option(help="One architecture; default: the pair the study is about.")] = "",
    y: Annotated[str, typer.Option(help="The other.")] = "",
    table: Annotated[Path | None, typer.Option(help="Parquet file to write.")] = None,
) -> None:
    """Say how many circuits a study needs to conclude at its margins, from the circuits of a finished one."""
    from topomod.report.power_lines import power_lines
    from topomod.study.config import load_study_file
    from topomod.study.power import plan, planned_pair
    from topomod.study.tables import read_tables, write_table

    if (config is None) == (not settings):
        raise ValueError("say with --config which study is planned")
    study = None if config is None else load_study_file(config)
    fields = json.loads(settings) if study is None else study.model_dump()
    pair = (x, y) if x and y else planned_pair(fields)
    found = plan(read_tables([endpoints]), fields, pair)
    if table is not None:
        write_table(found, table)
    if study is not None:
        for line in power_lines(found, study, pair):
            print(line)


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="Results of the study, results/<study>.")],
    settings: Annotated[str, typer.Option(help="JSON of the whole study.")],
    output: Output,
) -> None:
    """Write one self-contained HTML page of a finished study: verdicts, figures, methods, provenance."""
    from topomod.report.description import write_description
    from topomod.report.report import write_report
    from topomod.study.config import check_study

    started = time.monotonic()
    study = check_study(json.loads(settings), "settings")
    (write_report if study.system == "pairs" else write_description)(folder, study, output)
    log(f"{output}: {output.stat().st_size / 1e6:.1f} MB in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
