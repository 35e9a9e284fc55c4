# train -> groups, homology -> endpoints -> equivalence, power -> report; a job is one shard: an architecture and a block of seeds.
# Networks that are described, not compared, go train -> measure -> describe -> report.
# Only wiring lives here. What each stage does is in `topomod <stage> --help`; every key of the YAML in config/README.md.
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

from topomod.study.config import StudyError, check_study

min_version("9.1")


configfile: "config/config.yaml"


try:
    study = check_study(config)
except StudyError as error:
    raise WorkflowError(str(error)) from None

COMPARED = study.system == "pairs"
DESCRIBED = ["measures", "neurons", "irreps", "manifolds", "curves", "scores"]
STAGES = ["circuits", "groups", "homology"] if COMPARED else DESCRIBED
SUMMARIES = ["endpoints", "summary", "verdicts", "power"] if COMPARED else ["summary_of_measures"]
MORE = ["phases", "diagrams"] if COMPARED else []
ABLATION = ["frequencies", "ablation"] if study.ablation else []
RESULTS = f"results/{study.study}"
POPULATION = [f"{RESULTS}/population/{shard}" for shard in study.shards()]
MATURITY = [f"{RESULTS}/maturity/{shard}" for shard in study.maturity_shards()]


wildcard_constraints:
    results=RESULTS,
    shard=r"[^/]+/\d+-\d+",
    kind="population|maturity",


localrules:
    all,


onsuccess:
    if Path(f"{RESULTS}/report.html").exists():
        print(f"Report: {RESULTS}/report.html")


rule all:
    input:
        f"{RESULTS}/report.html",
        # named, so that a stage's file that was lost is made again
        expand("{folder}/{stage}.parquet", folder=POPULATION + MATURITY, stage=STAGES),
        expand("{folder}/{stage}.parquet", folder=POPULATION, stage=ABLATION),
        expand("{folder}/circuits.safetensors", folder=POPULATION + MATURITY),


rule train:
    output:
        "{results}/population/{architecture}/{seeds}/circuits.safetensors",
    params:
        settings=lambda wildcards: study.training_settings(wildcards.architecture),
    log:
        "{results}/logs/train/population/{architecture}_{seeds}.log",
    benchmark:
        "{results}/benchmarks/train/population/{architecture}_{seeds}.tsv"
    conda:
        "environment.yaml"
    priority: 10  # the long jobs first, so that the short ones fill the gaps at the end
    resources:
        mem_mb=1500,
        runtime=120,
    shell:
        "topomod train --architecture {wildcards.architecture} --seeds {wildcards.seeds}"
        " --settings {params.settings:q} --output {output} > {log} 2>&1"


rule train_longer:
    output:
        "{results}/maturity/{architecture}/{seeds}/circuits.safetensors",
    params:
        settings=lambda wildcards: study.training_settings(wildcards.architecture),
        snapshots=",".join(map(str, study.maturity.steps)),
    log:
        "{results}/logs/train/maturity/{architecture}_{seeds}.log",
    benchmark:
        "{results}/benchmarks/train/maturity/{architecture}_{seeds}.tsv"
    conda:
        "environment.yaml"
    priority: 20
    resources:
        mem_mb=1500,
        runtime=240,
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
        mem_mb=2000,
        runtime=60,
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
        mem_mb=2000,
        runtime=120,
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
        mem_mb=2000,
        runtime=60,
    shell:
        "topomod measure {input} --min-neurons {params.min_neurons} --measures-table {output.measures}"
        " --neurons-table {output.neurons} --irreps-table {output.irreps} --manifolds-table {output.manifolds}"
        " --curves-table {output.curves} --scores-table {output.scores} > {log} 2>&1"


rule describe:
    input:
        expand("{folder}/measures.parquet", folder=POPULATION),
    output:
        "{results}/summary_of_measures.parquet",
    params:
        alpha=study.alpha,
    log:
        "{results}/logs/describe.log",
    benchmark:
        "{results}/benchmarks/describe.tsv"
    conda:
        "environment.yaml"
    resources:
        mem_mb=1000,
        runtime=30,
    shell:
        "topomod describe {input} --alpha {params.alpha} --summary-table {output} > {log} 2>&1"


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
        mem_mb=2000,
        runtime=60,
    shell:
        "topomod frequencies {input} --frequencies-table {output.frequencies} --ablation-table {output.ablation}"
        " > {log} 2>&1"


rule endpoints:
    input:
        circuits=expand("{folder}/circuits.parquet", folder=POPULATION),
        groups=expand("{folder}/groups.parquet", folder=POPULATION),
        homology=expand("{folder}/homology.parquet", folder=POPULATION),
        diagrams=expand("{folder}/diagrams.parquet", folder=POPULATION),
    output:
        endpoints="{results}/endpoints.parquet",
        summary="{results}/summary.parquet",
    params:
        folders=POPULATION,
        alpha=study.alpha,
    log:
        "{results}/logs/endpoints.log",
    benchmark:
        "{results}/benchmarks/endpoints.tsv"
    conda:
        "environment.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    shell:
        "topomod endpoints {params.folders} --alpha {params.alpha} --endpoints-table {output.endpoints}"
        " --summary-table {output.summary} > {log} 2>&1"


rule equivalence:
    input:
        endpoints="{results}/endpoints.parquet",
        groups=expand("{folder}/groups.parquet", folder=POPULATION),
        phases=expand("{folder}/phases.parquet", folder=POPULATION),
        diagrams=expand("{folder}/diagrams.parquet", folder=POPULATION),
    output:
        "{results}/verdicts.parquet",
    params:
        settings=study.equivalence_settings(),
        folders=POPULATION,
    log:
        "{results}/logs/equivalence.log",
    benchmark:
        "{results}/benchmarks/equivalence.tsv"
    conda:
        "environment.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    shell:
        "topomod equivalence {params.folders} --endpoints {input.endpoints} --settings {params.settings:q}"
        " --verdicts-table {output} > {log} 2>&1"


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
        mem_mb=2000,
        runtime=30,
    shell:
        "topomod power {input} --settings {params.settings:q} --table {output} > {log} 2>&1"


rule report:
    input:
        tables=expand("{{results}}/{table}.parquet", table=SUMMARIES),
        population=expand("{folder}/{table}.parquet", folder=POPULATION, table=STAGES + MORE),
        maturity=expand("{folder}/{stage}.parquet", folder=MATURITY, stage=STAGES),
        ablation=expand("{folder}/{stage}.parquet", folder=POPULATION, stage=ABLATION),
    output:
        report(
            "{results}/report.html",
            caption="config/report.rst",
            category="Study",
            labels={"page": "all verdicts and figures"},
        ),
    params:
        settings=study.report_settings(),
    log:
        "{results}/logs/report.log",
    benchmark:
        "{results}/benchmarks/report.tsv"
    conda:
        "environment.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    shell:
        "topomod report {wildcards.results} --settings {params.settings:q} --output {output} > {log} 2>&1"
