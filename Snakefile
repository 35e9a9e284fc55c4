# train or read -> groups, homology -> endpoints -> equivalence -> conclude -> power -> report; a job is one shard: an architecture
# and a block of seeds. endpoints and equivalence are made at each look of the study, until every question is settled.
# Networks that are described, not compared, go train -> measure -> describe -> report.
# This file only connects stages. `topomod <stage> --help` says what a stage does, config/README.md what each key of the YAML means.
import os
import sys
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

from topomod.study.check import check_study
from topomod.study.declared import declaration
from topomod.study.fit import shard_memory, study_memory
from topomod.study.looks import at_look, look_sizes, settled_questions
from topomod.study.outdated import remove_outdated
from topomod.study.runs import begin_run
from topomod.study.shards import Shard, StudyFolder
from topomod.study.yaml_files import StudyError, read_yaml

min_version("9.1")

# Without an active environment, jobs find topomod beside the Python that runs this. An active one and a rule's own
# (--sdm conda) come before it. A job on another machine reads this file again, with its own Python.
os.environ.update(PATH=os.pathsep.join([os.environ.get("PATH", os.defpath), str(Path(sys.executable).parent)]))


configfile: Path(workflow.basedir) / "config" / "config.yaml"


try:
    for path in workflow.configfiles:
        read_yaml(path)  # snakemake itself keeps the last of two equal keys without a word
    study = check_study(config)
except StudyError as error:
    raise WorkflowError(str(error)) from None

RESULTS = StudyFolder(Path("results") / study.study)
LOOKS = look_sizes(study)
LOOK_TABLES = ["answers", "endpoints", "summary", "verdicts"]
MATURITY = [RESULTS.maturity(shard) for shard in study.maturity_shards()]

# Kept with the circuits for the report. It is no parameter of training: a changed margin must not train them again.
os.environ.update(TOPOMOD_DECLARED=declaration(study))


def stop(wildcards):
    """Seeds of each architecture at which the study stops: at the look that settles its last question, or the last look."""
    settled = set()
    for n in LOOKS[:-1]:
        settled |= settled_questions(checkpoints.equivalence.get(results=RESULTS.root, n=n).output.answers)
        if len(settled) == len(study.questions):
            return n
    return LOOKS[-1]


def population(n):
    """Folders of the shards that a look at n seeds sees."""
    return [RESULTS.population(shard) for shard in at_look(study, int(n)).shards()]


def seen_tables(names):
    """Tables of all shards that a look sees."""
    return lambda wildcards: expand("{folder}/{table}.parquet", folder=population(wildcards.n), table=names)


def settings_of(part):
    """Settings of a stage at a look."""
    return lambda wildcards: getattr(at_look(study, int(wildcards.n)), part)()


def final_tables(wildcards):
    """Tables that the report reads."""
    return [RESULTS.table(name) for name in study.system.tables] + [
        *expand("{folder}/{table}.parquet", folder=population(stop(wildcards)), table=study.shard_tables()),
        *expand("{folder}/{table}.parquet", folder=MATURITY, table=study.system.shard_tables),
    ]


def final_circuits(wildcards):
    """Files of all circuits that the study has when it stops."""
    return expand("{folder}/circuits.safetensors", folder=population(stop(wildcards)) + MATURITY)


def last_look(wildcards):
    """Tables of the look at which the study stops."""
    return expand("{folder}/{table}.parquet", folder=RESULTS.look(stop(wildcards)).root, table=LOOK_TABLES)


def training_settings(wildcards):
    """What training of a shard depends on."""
    return study.training_settings(Shard.parse(f"{wildcards.architecture}/{wildcards.seeds}").label)


def reading_settings(wildcards):
    """What reading of a shard of networks depends on beside their files."""
    return study.reading_settings(Shard.parse(f"{wildcards.architecture}/{wildcards.seeds}").label)


def files_of(wildcards):
    """Networks of a shard that is read."""
    return study.files_of(Shard.parse(f"{wildcards.architecture}/{wildcards.seeds}"))


def scaled(amount):
    """Ask for the amount at the first attempt, and for as much again at each further one."""

    def ask(wildcards, attempt):
        return amount * attempt

    return ask


wildcard_constraints:
    results=str(RESULTS.root),
    shard=r"[^/]+/\d+-\d+",
    seeds=r"\d+-\d+",
    kind="population|maturity",
    n=r"\d+",


localrules:
    all,


onsuccess:
    if RESULTS.report.exists():
        print(f"Report: {RESULTS.report}")


@cache
def clear_away():
    """Once a run: what killed runs left is ended and unlocked, and what the study would not make now is removed."""
    if workflow.executor_plugin:
        cleared = [] if workflow.dryrun else begin_run(RESULTS.root)
        for sentence in cleared + remove_outdated(RESULTS, study, workflow.dryrun):
            logger.info(sentence)


def what_is_wanted(wildcards):
    """Pages of the finished study. It is asked for before all other files, and again after each checkpoint."""
    clear_away()
    return [RESULTS.report, *(RESULTS.root / name for name in study.system.beside_page)]


rule all:
    input:
        what_is_wanted,
        final_tables,  # each file is named, so that one that was lost is made again
        final_circuits,


rule read:
    input:
        files_of,
    output:
        "{results}/population/{architecture}/{seeds}/circuits.safetensors",
    wildcard_constraints:
        architecture="given@[^/]+",
    params:
        settings=reading_settings,
    log:
        "{results}/logs/read/{architecture}_{seeds}.log",
    benchmark:
        "{results}/benchmarks/read/{architecture}_{seeds}.tsv"
    conda:
        "environment.yaml"
    resources:
        mem_mb=scaled(max(2000, shard_memory(study))),
        runtime=scaled(60),
    shell:
        "topomod read {input:q} --architecture {wildcards.architecture} --seeds {wildcards.seeds}"
        " --settings {params.settings:q} --output {output} > {log} 2>&1"


rule train:
    output:
        "{results}/population/{architecture}/{seeds}/circuits.safetensors",
    wildcard_constraints:
        architecture="(?!given@)[^/]+",
    params:
        settings=training_settings,
    log:
        "{results}/logs/train/population/{architecture}_{seeds}.log",
    benchmark:
        "{results}/benchmarks/train/population/{architecture}_{seeds}.tsv"
    conda:
        "environment.yaml"
    priority: 10  # the long jobs first, so that the short ones fill the gaps at the end
    resources:
        mem_mb=scaled(max(1500, shard_memory(study))),
        runtime=scaled(120),
    shell:
        "topomod train --architecture {wildcards.architecture} --seeds {wildcards.seeds}"
        " --settings {params.settings:q} --output {output} > {log} 2>&1"


rule train_longer:
    output:
        "{results}/maturity/{architecture}/{seeds}/circuits.safetensors",
    params:
        settings=training_settings,
        snapshots=",".join(map(str, study.maturity.steps)),
    log:
        "{results}/logs/train/maturity/{architecture}_{seeds}.log",
    benchmark:
        "{results}/benchmarks/train/maturity/{architecture}_{seeds}.tsv"
    conda:
        "environment.yaml"
    priority: 20
    resources:
        mem_mb=scaled(max(1500, shard_memory(study))),
        runtime=scaled(240),
    shell:
        "topomod train --architecture {wildcards.architecture} --seeds {wildcards.seeds}"
        " --settings {params.settings:q} --snapshots {params.snapshots} --output {output} > {log} 2>&1"


rule groups:
    input:
        "{results}/{kind}/{shard}/circuits.safetensors",
    output:
        circuits="{results}/{kind}/{shard}/circuits.parquet",
        groups="{results}/{kind}/{shard}/groups.parquet",
        phases="{results}/{kind}/{shard}/phases.parquet",
    params:
        min_neurons=study.min_neurons,
    log:
        "{results}/logs/groups/{kind}/{shard}.log",
    benchmark:
        "{results}/benchmarks/groups/{kind}/{shard}.tsv"
    conda:
        "environment.yaml"
    resources:
        mem_mb=scaled(max(2000, shard_memory(study))),
        runtime=scaled(60),
    shell:
        "topomod groups {input} --min-neurons {params.min_neurons}"
        " --circuits-table {output.circuits} --groups-table {output.groups} --phases-table {output.phases}"
        " > {log} 2>&1"


rule homology:
    input:
        "{results}/{kind}/{shard}/circuits.safetensors",
    output:
        verdicts="{results}/{kind}/{shard}/homology.parquet",
        diagrams="{results}/{kind}/{shard}/diagrams.parquet",
    params:
        min_neurons=study.min_neurons,
    log:
        "{results}/logs/homology/{kind}/{shard}.log",
    benchmark:
        "{results}/benchmarks/homology/{kind}/{shard}.tsv"
    conda:
        "environment.yaml"
    priority: 5
    resources:
        mem_mb=scaled(max(2000, shard_memory(study))),
        runtime=scaled(120),
    shell:
        "topomod homology {input} --min-neurons {params.min_neurons}"
        " --verdicts-table {output.verdicts} --diagrams-table {output.diagrams} > {log} 2>&1"


rule measure:
    input:
        "{results}/population/{shard}/circuits.safetensors",
    output:
        measures="{results}/population/{shard}/measures.parquet",
        neurons="{results}/population/{shard}/neurons.parquet",
        irreps="{results}/population/{shard}/irreps.parquet",
        manifolds="{results}/population/{shard}/manifolds.parquet",
        curves="{results}/population/{shard}/curves.parquet",
        scores="{results}/population/{shard}/scores.parquet",
    params:
        min_neurons=study.min_neurons,
    log:
        "{results}/logs/measure/{shard}.log",
    benchmark:
        "{results}/benchmarks/measure/{shard}.tsv"
    conda:
        "environment.yaml"
    resources:
        mem_mb=scaled(max(2000, shard_memory(study))),
        runtime=scaled(60),
    shell:
        "topomod measure {input} --min-neurons {params.min_neurons} --measures-table {output.measures}"
        " --neurons-table {output.neurons} --irreps-table {output.irreps} --manifolds-table {output.manifolds}"
        " --curves-table {output.curves} --scores-table {output.scores} > {log} 2>&1"


rule frequencies:
    input:
        "{results}/population/{shard}/circuits.safetensors",
    output:
        frequencies="{results}/population/{shard}/frequencies.parquet",
        ablation="{results}/population/{shard}/ablation.parquet",
    log:
        "{results}/logs/frequencies/{shard}.log",
    benchmark:
        "{results}/benchmarks/frequencies/{shard}.tsv"
    conda:
        "environment.yaml"
    resources:
        mem_mb=scaled(max(2000, shard_memory(study))),
        runtime=scaled(60),
    shell:
        "topomod frequencies {input} --frequencies-table {output.frequencies} --ablation-table {output.ablation}"
        " > {log} 2>&1"


rule describe:
    input:
        expand("{folder}/measures.parquet", folder=population(LOOKS[-1])),
    output:
        "{results}/summary_of_measures.parquet",
    params:
        settings=study.population_settings(),
        alpha=study.alpha,
    log:
        "{results}/logs/describe.log",
    benchmark:
        "{results}/benchmarks/describe.tsv"
    conda:
        "environment.yaml"
    resources:
        mem_mb=scaled(max(1000, study_memory(study))),
        runtime=scaled(30),
    shell:
        "topomod describe {wildcards.results} --settings {params.settings:q} --alpha {params.alpha}"
        " --summary-table {output} > {log} 2>&1"


rule endpoints:
    input:
        seen_tables(["circuits", "groups", "homology", "diagrams"]),
    output:
        endpoints="{results}/looks/{n}/endpoints.parquet",
        summary="{results}/looks/{n}/summary.parquet",
    params:
        settings=settings_of("population_settings"),
        alpha=study.alpha,
    log:
        "{results}/logs/endpoints/{n}.log",
    benchmark:
        "{results}/benchmarks/endpoints/{n}.tsv"
    conda:
        "environment.yaml"
    resources:
        mem_mb=scaled(max(2000, study_memory(study))),
        runtime=scaled(30),
    shell:
        "topomod endpoints {wildcards.results} --settings {params.settings:q} --alpha {params.alpha}"
        " --endpoints-table {output.endpoints} --summary-table {output.summary} > {log} 2>&1"


# A checkpoint, because the answers at a look say whether the next one is made.
checkpoint equivalence:
    input:
        seen_tables(["groups", "phases", "diagrams"]),
        endpoints="{results}/looks/{n}/endpoints.parquet",
    output:
        verdicts="{results}/looks/{n}/verdicts.parquet",
        answers="{results}/looks/{n}/answers.parquet",
    params:
        settings=settings_of("equivalence_settings"),
    log:
        "{results}/logs/equivalence/{n}.log",
    benchmark:
        "{results}/benchmarks/equivalence/{n}.tsv"
    conda:
        "environment.yaml"
    resources:
        mem_mb=scaled(max(2000, study_memory(study))),
        runtime=scaled(30),
    shell:
        "topomod equivalence {wildcards.results} --settings {params.settings:q} --endpoints-table {input.endpoints}"
        " --verdicts-table {output.verdicts} --answers-table {output.answers} > {log} 2>&1"


rule conclude:
    input:
        tables=last_look,
    output:
        "{results}/endpoints.parquet",
        "{results}/summary.parquet",
        "{results}/verdicts.parquet",
        "{results}/answers.parquet",
        "{results}/looks.parquet",
    params:
        settings=study.equivalence_settings(),
    log:
        "{results}/logs/conclude.log",
    benchmark:
        "{results}/benchmarks/conclude.tsv"
    conda:
        "environment.yaml"
    resources:
        mem_mb=scaled(max(1000, study_memory(study))),
        runtime=scaled(10),
    shell:
        "topomod conclude $(dirname {input.tables[0]}) --settings {params.settings:q} > {log} 2>&1"


rule power:
    input:
        "{results}/endpoints.parquet",
    output:
        "{results}/power.parquet",
    params:
        settings=study.equivalence_settings(),
    log:
        "{results}/logs/power.log",
    benchmark:
        "{results}/benchmarks/power.tsv"
    conda:
        "environment.yaml"
    resources:
        mem_mb=scaled(max(2000, study_memory(study))),
        runtime=scaled(30),
    shell:
        "topomod power {input} --settings {params.settings:q} --table {output} > {log} 2>&1"


rule report:
    input:
        final_tables,
    output:
        page=report(
            "{results}/report.html",
            caption="config/report.rst",
            category="Study",
            labels={"page": "answers and pictures"},
        ),
        beside=[f"{{results}}/{name}" for name in study.system.beside_page],
    params:
        settings=study.report_settings(),
    log:
        "{results}/logs/report.log",
    benchmark:
        "{results}/benchmarks/report.tsv"
    conda:
        "environment.yaml"
    resources:
        mem_mb=scaled(max(4000, study_memory(study))),
        runtime=scaled(30),
    shell:
        "topomod report {wildcards.results} --settings {params.settings:q} --output {output.page} > {log} 2>&1"
