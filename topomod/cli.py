"""The command line. Only this module and ``cli_circuits`` parse arguments or print."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from topomod.cli_circuits import Output, Settings, margins, merge, read, train

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
Table = Annotated[Path, typer.Option(help="Parquet file to write.")]
Results = Annotated[Path, typer.Argument(help="Results of the study, results/<study>.")]
MinNeurons = Annotated[int, typer.Option(min=1, help="Fewest neurons of a group that counts.")]
Level = Annotated[float, typer.Option(help="Level of the intervals.")]


def main() -> None:
    """Run a command; wrong input ends with one sentence and exit status 2."""
    try:
        app()
    except (ValueError, OSError, IndexError) as error:
        print(f"topomod: {error}", file=sys.stderr)
        raise SystemExit(2) from None


@app.command()
def check(config: Path) -> None:
    """Check a study's YAML, on top of the config.yaml beside it, and say what it will train."""
    from topomod.study.check import load_study_file

    study = load_study_file(config)
    print(f"{config}: {sum(map(len, study.shards()))} circuits")
    for label in study.labels:
        print(f"  {label}: {study.task_of(label)}")


@app.command()
def estimate(
    config: Path,
    cores: Annotated[int, typer.Option(min=1, help="Cores of the machine the study will run on.")] = 2,
) -> None:
    """Say what a study will take, from one circuit of every architecture trained and analysed here and now."""
    from topomod.report.estimate_lines import estimate_lines
    from topomod.study.check import load_study_file

    print(*estimate_lines(load_study_file(config), cores), sep="\n")


for command in (train, read, merge, margins):
    app.command()(command)


@app.command()
def groups(
    circuits: Path, circuits_table: Table, groups_table: Table, phases_table: Table, min_neurons: MinNeurons = 10
) -> None:
    """Group the neurons of a shard by dominant frequency and measure each group."""
    from topomod.networks.circuit_file import load_circuits
    from topomod.study.groups import analyse_groups
    from topomod.study.origin import shard_origin
    from topomod.study.progress import log
    from topomod.study.tables import write_table

    tables, origin = (
        analyse_groups(load_circuits(circuits), min_neurons),
        shard_origin(circuits, min_neurons=min_neurons),
    )
    for table, path in zip(tables, (circuits_table, groups_table, phases_table), strict=True):
        write_table(table, path, origin)
    log(f"{circuits}: {len(tables[0])} circuits, {len(tables[1])} groups")


@app.command()
def homology(circuits: Path, verdicts_table: Table, diagrams_table: Table, min_neurons: MinNeurons = 10) -> None:
    """Label the manifold of every group of a shard at both sites by persistent homology."""
    from topomod.networks.circuit_file import load_circuits
    from topomod.study.homology import analyse_homology
    from topomod.study.origin import shard_origin
    from topomod.study.progress import counter, log
    from topomod.study.tables import write_table

    with counter("clouds labelled") as labelled:
        verdicts, diagrams = analyse_homology(load_circuits(circuits), min_neurons, labelled=labelled)
    origin = shard_origin(circuits, min_neurons=min_neurons)
    write_table(verdicts, verdicts_table, origin)
    write_table(diagrams, diagrams_table, origin)
    log(f"{circuits}: {len(verdicts)} point clouds labelled")


@app.command()
def frequencies(circuits: Path, frequencies_table: Table, ablation_table: Table) -> None:
    """Measure which frequencies a shard's circuits use, and their accuracy after some are projected out."""
    from topomod.networks.circuit_file import load_circuits
    from topomod.study.frequencies import frequency_tables
    from topomod.study.origin import shard_origin
    from topomod.study.progress import log
    from topomod.study.tables import write_table

    (found, ablation), origin = frequency_tables(load_circuits(circuits)), shard_origin(circuits)
    write_table(found, frequencies_table, origin)
    write_table(ablation, ablation_table, origin)
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
    min_neurons: MinNeurons = 10,
) -> None:
    """Measure a shard of networks that are described, not compared: power networks, transformers over k tokens."""
    from topomod.networks.circuit_file import load_circuits
    from topomod.study.measure import measure_circuits
    from topomod.study.origin import shard_origin
    from topomod.study.progress import log
    from topomod.study.tables import write_table

    found = measure_circuits(load_circuits(circuits), min_neurons)
    paths = (measures_table, neurons_table, irreps_table, manifolds_table, curves_table, scores_table)
    origin = shard_origin(circuits, min_neurons=min_neurons)
    for table, path in zip(found.values(), paths, strict=True):
        write_table(table, path, origin)
    log(f"{circuits}: {len(found['measures'])} circuits measured")


@app.command()
def describe(results: Results, settings: Settings, summary_table: Table, alpha: Level = 0.05) -> None:
    """Mean and interval of every measure over the converged circuits of each architecture."""
    from topomod.study.check import parse_settings
    from topomod.study.config import Population
    from topomod.study.describe import describe_study
    from topomod.study.origin import study_origin
    from topomod.study.progress import log
    from topomod.study.shards import StudyFolder
    from topomod.study.tables import write_table

    folder, population = StudyFolder(results), parse_settings(Population, settings)
    found, n_circuits = describe_study(folder, population, alpha)
    write_table(found, summary_table, study_origin(folder, population, [settings, alpha]))
    log(f"{n_circuits} circuits described")


@app.command()
def analyze(
    files: Annotated[list[Path], typer.Argument(help="Released state dicts, or topomod's .safetensors.")],
    output: Annotated[Path, typer.Option(help="Folder for the page and the tables.")] = Path("results/analysis"),
    min_neurons: Annotated[int, typer.Option(min=1, help="Fewest neurons of a group that is measured.")] = 3,
    seed: Annotated[int | None, typer.Option(help="Only networks of this seed.")] = None,
    history: Annotated[
        bool, typer.Option("--history", help="The networks are one circuit's at several steps.")
    ] = False,
) -> None:
    """Say of single networks what they learnt: accuracy, groups, labels at every site, metrics; write a page."""
    from topomod.report.analyze_lines import summary
    from topomod.report.analyze_page import write_page
    from topomod.study.analyze import inspect_networks
    from topomod.study.network_files import read_files
    from topomod.study.tables import write_table

    found = read_files(files, seed)
    for problem in found.problems:
        print(f"topomod: {problem}", file=sys.stderr)
    if found.networks:
        inspection = inspect_networks(found.networks, min_neurons)
        print(*summary(inspection), sep="\n")
        for name, table in vars(inspection).items():
            write_table(table, output / f"{name}.parquet")
        write_page(found.networks, inspection, output / "index.html", history)
        print(f"Page and tables: {output}/")
    if found.problems:
        raise SystemExit(2)


@app.command()
def endpoints(
    results: Results, settings: Settings, endpoints_table: Table, summary_table: Table, alpha: Level = 0.05
) -> None:
    """Reduce every circuit to one value per endpoint."""
    from topomod.study.check import parse_settings
    from topomod.study.config import Population
    from topomod.study.endpoints import read_endpoints, summarise
    from topomod.study.origin import study_origin
    from topomod.study.progress import log
    from topomod.study.shards import StudyFolder
    from topomod.study.tables import KEY, write_table

    folder, population = StudyFolder(results), parse_settings(Population, settings)
    found, origin = read_endpoints(folder, population), study_origin(folder, population, [settings, alpha])
    write_table(found, endpoints_table, origin)
    write_table(summarise(found, alpha), summary_table, origin)
    log(f"{len(found[KEY].drop_duplicates())} circuits, {found['endpoint'].nunique()} endpoints")


@app.command()
def equivalence(
    source: Annotated[Path, typer.Argument(help="Results of a study, results/<study>; or a table of your own (CSV).")],
    settings: Settings = "",
    endpoints_table: Annotated[Path | None, typer.Option(help="Of a study: endpoints.parquet of the look.")] = None,
    verdicts_table: Annotated[Path | None, typer.Option(help="Of a study: Parquet file to write.")] = None,
    answers_table: Annotated[Path | None, typer.Option(help="Of a study: Parquet file to write.")] = None,
    value: Annotated[str, typer.Option(help="Of a table: column of the numbers that are compared.")] = "",
    group: Annotated[str, typer.Option(help="Of a table: column that names the groups.")] = "",
    network: Annotated[str, typer.Option(help="Of a table: column that names the network of each row.")] = "",
    margin: Annotated[float | None, typer.Option(help="Of a table: largest difference that does not matter.")] = None,
    bounds: Annotated[str, typer.Option(help="Of a table: LOW,HIGH between which the numbers must lie.")] = "",
    alpha: Annotated[float, typer.Option(help="Of a table: level of the tests.")] = 0.05,
    paired: Annotated[bool, typer.Option("--paired", help="Of a table: networks of one name are a pair.")] = False,
) -> None:
    """Compare architectures of a study, or groups of networks in a table: the same, different, or open."""
    if source.is_file():
        from topomod.report.table_lines import table_lines

        print(*table_lines(source, value, group, network, margin, bounds, alpha, paired), sep="\n")
        return
    from topomod.study.look_tables import write_look

    if endpoints_table is None or verdicts_table is None or answers_table is None:
        raise ValueError(f"{source} is no file; the results of a study need --settings and the three tables")
    write_look(source, settings, endpoints_table, verdicts_table, answers_table)


@app.command()
def conclude(
    look: Annotated[Path, typer.Argument(help="Folder of the look at which a study stops, results/<study>/looks/<n>.")],
    settings: Settings,
) -> None:
    """Make the tables of a study's last look those of the study, and log all its looks."""
    from topomod.study.look_tables import write_conclusion

    write_conclusion(look, settings)


@app.command()
def power(
    endpoints: Annotated[Path, typer.Argument(help="The file endpoints.parquet of a finished study, the pilot.")],
    config: Annotated[Path | None, typer.Option(help="YAML of the study that is planned.")] = None,
    settings: Settings = "",
    x: Annotated[str, typer.Option(help="One architecture. The default is the pair of the study.")] = "",
    y: Annotated[str, typer.Option(help="The other architecture.")] = "",
    table: Annotated[Path | None, typer.Option(help="Parquet file to write.")] = None,
) -> None:
    """Say how many circuits a study needs to conclude at its margins, from the circuits of a finished one."""
    from topomod.report.power_lines import power_lines
    from topomod.study.check import load_study_file, parse_settings
    from topomod.study.config import Comparison
    from topomod.study.origin import content_hash, stored_origin
    from topomod.study.power import chosen_pair, plan
    from topomod.study.tables import read_tables, write_table

    if (config is None) == (not settings):
        raise ValueError("say with --config which study is planned")
    study = parse_settings(Comparison, settings) if config is None else load_study_file(config)
    pair = chosen_pair(study, x, y)
    pilot = read_tables([endpoints])
    found = plan(pilot, study.model_dump(), pair)
    if table is not None:
        origin = stored_origin(endpoints)  # of the same shards
        write_table(found, table, origin and origin | {"settings": content_hash([settings])})
    if config is not None:
        print(*power_lines(found, pilot, study, pair), sep="\n")


@app.command()
def report(
    folder: Results, settings: Annotated[str, typer.Option(help="JSON of the whole study.")], output: Output
) -> None:
    """Write the pages of a finished study, and index.html over all studies beside it.

    report.html has the answers and pictures, without a script. details.html has every endpoint, figure and method.
    """
    from topomod.networks.architectures import resolve
    from topomod.report.index_page import write_index
    from topomod.study.check import parse_settings
    from topomod.study.config import Study
    from topomod.study.progress import log
    from topomod.study.shards import StudyFolder
    from topomod.study.stored import check_stored

    study, results = parse_settings(Study, settings), StudyFolder(folder)
    check_stored(results, study)
    resolve(study.system.page)(results, study, output)
    if output.resolve() == results.report.resolve():
        write_index(results.root.parent)
    log(f"{output}: {output.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
