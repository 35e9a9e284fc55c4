"""What is trained and measured alike: the catalogue of systems.

Settings, training, stages, workflow, estimate and report loop over these records; heavy parts are named as strings.
"""

from __future__ import annotations

from dataclasses import dataclass

from topomod.networks.architectures import Part

MEASURED_TABLES = ("measures", "neurons", "irreps", "manifolds", "curves", "scores")


@dataclass(frozen=True)
class Stage:
    """One stage that works on one shard at a time.

    Parameters
    ----------
    name : str
        Of the command and of the rule.
    run : part
        ``(circuits, min_neurons)``: the work of the stage, for an estimate of its cost.
    """

    name: str
    run: Part


@dataclass(frozen=True)
class System:
    """Architectures of one kind.

    Parameters
    ----------
    name : str
        In the catalogue of architectures.
    recipe_key : str
        Key of the YAML that holds the recipe.
    page : part
        ``(folder, study, output)`` writes the page of a finished study.
    shard_stages : tuple of Stage
        Stages that work on every shard of circuits.
    last_stages : tuple of str
        Stages that see all shards, in order.
    shard_tables, tables : tuple of str
        Tables of a shard and of the whole study that the page reads.
    measures : dict of part
        Table of the stage ``measure`` to ``(circuits, min_neurons) -> DataFrame``, or None where it has no rows.
    sized : bool
        Whether the key ``network`` gives the widths; else the recipe does.
    compared : bool
        Whether its architectures are compared with each other, else they are described.
    followed : bool
        Whether circuits can be followed past the schedule (``maturity``), and ablated.
    one_modulus : bool
        Whether all architectures of a study share p.
    full_batch : bool
        Whether its recipe must have ``batches`` 1 and ``min_purity`` 0.
    beside_page : tuple of str
        Files that ``page`` writes beside the page.
    """

    name: str
    recipe_key: str
    page: Part
    shard_stages: tuple[Stage, ...]
    last_stages: tuple[str, ...]
    shard_tables: tuple[str, ...]
    tables: tuple[str, ...]
    measures: dict[str, Part]
    sized: bool = True
    compared: bool = False
    followed: bool = False
    one_modulus: bool = False
    full_batch: bool = False
    beside_page: tuple[str, ...] = ()


# asked for by the key `ablation`
ABLATION = Stage("frequencies", "topomod.study.frequencies:frequency_tables")
ABLATION_TABLES = ("frequencies", "ablation")


def _described(
    name: str, recipe_key: str, measures: dict[str, Part], *, sized: bool = True, full_batch: bool = False
) -> System:
    """A system whose circuits are measured and described, not compared."""
    return System(
        name,
        recipe_key=recipe_key,
        page="topomod.report.description:write_description",
        shard_stages=(Stage("measure", "topomod.study.measure:measure_circuits"),),
        last_stages=("describe", "report"),
        shard_tables=MEASURED_TABLES,
        tables=("summary_of_measures",),
        measures=measures,
        sized=sized,
        full_batch=full_batch,
    )


SYSTEMS: dict[str, System] = {
    system.name: system
    for system in (
        System(
            "pairs",
            recipe_key="recipe",
            page="topomod.report.report:write_report",
            beside_page=("details.html", "circuits.html", "summary.json", "figures.zip"),
            shard_stages=(
                Stage("groups", "topomod.study.groups:analyse_groups"),
                Stage("homology", "topomod.study.homology:analyse_homology"),
            ),
            last_stages=("endpoints", "equivalence", "conclude", "power", "report"),
            shard_tables=("circuits", "groups", "homology", "phases", "diagrams"),
            tables=("endpoints", "summary", "verdicts", "answers", "looks", "power"),
            measures={},
            compared=True,
            followed=True,
            one_modulus=True,
        ),
        _described(
            "margins",
            recipe_key="margin_recipe",
            measures={
                "measures": "topomod.study.power_mlp_tables:circuit_table",
                "neurons": "topomod.study.power_mlp_tables:neuron_table",
                "irreps": "topomod.study.power_mlp_tables:irrep_table",
                "manifolds": "topomod.study.irrep_manifolds:margin_manifold_rows",
            },
            sized=False,
        ),
        _described(
            "sequences",
            recipe_key="recipe",
            measures={
                "measures": "topomod.study.sequence_tables:circuit_table",
                "curves": "topomod.study.sequence_tables:curve_table",
                "scores": "topomod.study.sequence_tables:score_table",
            },
            full_batch=True,
        ),
    )
}
