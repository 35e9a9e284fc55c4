"""The shape of what small networks learn, and whether two architectures learnt the same one.

Names are loaded on first use, so that ``import topomod`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "ModularAddition": "tasks.addition",
    "ModularOperation": "tasks.operation",
    "SparseParity": "tasks.parity",
    "GroupComposition": "tasks.finite_group",
    "CayleyTable": "tasks.cayley",
    "NetworkSize": "networks.size",
    "Recipe": "training.recipes",
    "MarginRecipe": "training.recipes",
    "Circuit": "networks.circuit",
    "load_circuit": "networks.circuit_file",
    "load_circuits": "networks.circuit_file",
    "save_circuits": "networks.circuit_file",
    "train": "training.train",
    "load_released": "networks.released",
    "from_module": "networks.from_module",
    "module_attention": "networks.module_attention",
    "from_activations": "networks.from_arrays",
    "load_activations": "networks.from_arrays",
    "gradient_symmetricity": "mechanisms.clock_pizza",
    "distance_irrelevance": "mechanisms.clock_pizza",
    "circularity": "mechanisms.clock_pizza",
    "logit_fve": "mechanisms.clock_pizza",
    "ablate_frequencies": "mechanisms.ablation",
    "move_group": "mechanisms.interventions",
    "oppose_group": "mechanisms.interventions",
    "restrict_to_manifold": "mechanisms.interventions",
    "remove_manifold": "mechanisms.interventions",
    "patch_group": "mechanisms.interventions",
    "move_control": "mechanisms.controls",
    "manifold_use": "mechanisms.use",
    "clock_position": "mechanisms.clock_position",
    "ablate_groups": "mechanisms.group_ablation",
    "excluded_losses": "mechanisms.group_ablation",
    "NeuronGroup": "neurons.groups",
    "IrrepGroup": "neurons.groups",
    "group_neurons": "neurons.groups",
    "irrep_groups": "neurons.irrep_groups",
    "manifold": "neurons.sites",
    "reference_manifold": "neurons.references",
    "linear_cka": "neurons.similarity",
    "rsm_similarity": "neurons.similarity",
    "classify_manifold": "topology.classify",
    "circular_coordinates": "topology.circular",
    "matched_null": "topology.matched_null",
    "find_loops": "topology.matched_null",
    "Irrep": "tasks.irreps",
    "real_irreps": "tasks.irreps",
    "irrep_power": "tasks.irreps",
    "irrep_strengths": "tasks.irrep_strengths",
    "max_margin": "mechanisms.normalized_margin",
    "max_margin_network": "mechanisms.normalized_margin",
    "normalized_margin": "mechanisms.normalized_margin",
    "margin_circuit_rows": "study.power_mlp_tables",
    "margin_neuron_rows": "study.power_mlp_tables",
    "margin_irrep_rows": "study.power_mlp_tables",
    "detectable": "topology.detectable",
    "winding_numbers": "topology.winding",
    "equivalence_test": "statistics.equivalence",
    "mmd_equivalence_test": "statistics.mmd",
    "diagram_equivalence_test": "statistics.diagram_equivalence",
    "paired_equivalence_test": "statistics.designs",
    "groups_equivalence_test": "statistics.designs",
    "sameness_end": "statistics.designs",
    "answer_question": "statistics.questions",
    "answer_shares": "statistics.answer_power",
    "plan_looks": "statistics.looks",
    "power": "statistics.power",
    "power_curve": "statistics.power",
    "required_networks": "statistics.power",
    "ManifoldVerdict": "topology.verdict",
    "WindingNumbers": "topology.winding",
    "LoopCoordinates": "topology.circular",
    "MatchedNull": "topology.matched_null",
    "LoopsFound": "topology.matched_null",
    "Detectability": "topology.detectable",
    "EquivalenceResult": "statistics.equivalence",
    "MMDResult": "statistics.mmd",
    "DiagramResult": "statistics.diagram_equivalence",
    "Answer": "statistics.questions",
    "PrimaryAnswer": "statistics.questions",
    "Power": "statistics.power",
    "CloudsToDiagrams": "topology.transformers",
    "DiagramsToFeatures": "topology.transformers",
    "CloudsToVerdicts": "topology.transformers",
}
_SUBMODULES = ("plots",)
__all__ = sorted([*_HOME, *_SUBMODULES, "__version__"])


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        return import_module(f"topomod.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'topomod' has no attribute {name!r}")
    return getattr(import_module(f"topomod.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
