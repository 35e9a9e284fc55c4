"""The shape of what small networks learn, and whether two architectures learnt the same one.

Names are loaded on first use, so that ``import topomod`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "ModularAddition": "tasks",
    "SparseParity": "tasks",
    "GroupComposition": "tasks",
    "NetworkSize": "networks",
    "Recipe": "recipe",
    "MarginRecipe": "recipe",
    "Circuit": "circuits",
    "load_circuit": "circuits",
    "load_circuits": "circuits",
    "save_circuits": "circuits",
    "train": "training",
    "load_released": "released",
    "gradient_symmetricity": "mechanisms",
    "distance_irrelevance": "mechanisms",
    "circularity": "mechanisms",
    "logit_fve": "mechanisms",
    "ablate_frequencies": "ablation",
    "NeuronGroup": "groups",
    "IrrepGroup": "groups",
    "group_neurons": "groups",
    "irrep_groups": "margin_manifolds",
    "manifold": "manifolds",
    "reference_manifold": "manifolds",
    "linear_cka": "manifolds",
    "rsm_similarity": "manifolds",
    "classify_manifold": "homology",
    "Irrep": "irreps",
    "real_irreps": "irreps",
    "irrep_power": "irreps",
    "irrep_strengths": "group_margins",
    "max_margin": "margins",
    "max_margin_network": "margins",
    "normalized_margin": "margins",
    "margin_circuit_rows": "margin_analysis",
    "margin_neuron_rows": "margin_analysis",
    "margin_irrep_rows": "margin_analysis",
    "winding_numbers": "winding",
    "equivalence_test": "equivalence",
    "mmd_equivalence_test": "mmd",
    "diagram_equivalence_test": "diagram_populations",
    "power": "planning",
    "power_curve": "planning",
    "required_networks": "planning",
}
__all__ = sorted([*_HOME, "__version__"])


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'topomod' has no attribute {name!r}")
    return getattr(import_module(f"topomod.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
