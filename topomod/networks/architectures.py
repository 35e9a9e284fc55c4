"""The catalogue of architectures. A new architecture is one entry here and a file of its own.

Importing this module is fast: heavy parts are named as ``"module:function"`` and loaded on first use, so that a
workflow can read the names without torch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from topomod.networks.activations import Activations, Patch
    from topomod.networks.size import NetworkSize
    from topomod.tasks.task import Task

Part = str | Callable[..., Any]


@lru_cache
def resolve(part: Part) -> Any:
    """Load what a ``"module:function"`` names; anything else is returned as it is."""
    if not isinstance(part, str):
        return part
    module, _, name = part.partition(":")
    return getattr(import_module(module), name)


@dataclass(frozen=True)
class Architecture:
    """One kind of network.

    A network of two inputs has a ``pair_form``, which separates the work for each token from the work for each pair,
    or a plain ``on_pairs``. A network of any number of inputs has ``on_inputs``.

    Parameters
    ----------
    name : str
        Name that circuits store. In a study's YAML ``_<rate>`` follows it where it takes an attention rate.
    system : str
        Name in :data:`topomod.study.systems.SYSTEMS`: what a study does with it; empty where a study names it not.
    takes_rate : bool
        Whether it takes an ``attention_rate``.
    accepts : part
        ``(task) -> str``: why it cannot learn a task; see :mod:`topomod.networks.acceptance`.
    shapes : part
        ``(task, size) -> {weight name: (shape, standard deviation of its initial normal draw)}``.
    pair_form : part
        ``(weights, x_left, x_right, attention_rate) -> PairForm`` of token embeddings (S, n, d_model).
    on_pairs : part
        ``(weights, x_left, x_right, attention_rate, patch=None) -> Activations``; the patch is a
        :class:`topomod.networks.activations.Patch`, needed where there are several layers.
    on_inputs : part
        ``(weights, task) -> Activations`` on every input of a task.
    logits : part
        ``(task, weights as arrays) -> logits`` of all inputs, some at a time. It is needed where not
        all activations fit into memory.
    map_tokens : part
        ``(weights as arrays, function) -> weights``. It applies the function, which takes arrays whose last axis runs
        over tokens, to the weights that read the tokens. By default those are the embeddings.
    recipe, learner : part
        Class of its recipe, and of :class:`topomod.training.train.Learner` that takes its training steps.
    homogeneous : bool
        Whether its logits grow with a fixed power of all weights, so that it has a normalized margin.
    max_margin_known : bool
        Whether theory knows the largest normalized margin.
    recorded : bool
        Whether its "weights" are what it computed on all inputs, so that it cannot be run on anything else.
    """

    name: str
    system: str = ""
    takes_rate: bool = False
    accepts: Part = "topomod.networks.acceptance:two_tokens"
    shapes: Part = ""
    pair_form: Part = ""
    on_pairs: Part = ""
    on_inputs: Part = ""
    logits: Part = ""
    map_tokens: Part = "topomod.networks.tokens:map_embeddings"
    recipe: Part = "topomod.training.recipes:Recipe"
    learner: Part = ""
    homogeneous: bool = False
    max_margin_known: bool = False
    recorded: bool = False

    @property
    def reads_pairs(self) -> bool:
        """Whether it can be run on pairs of token embeddings."""
        return bool(self.pair_form or self.on_pairs)

    def refusal(self, task: Task, shown: str = "") -> str:
        """Why it cannot learn a task, as the end of a sentence that shows the task; empty where it can."""
        return str(resolve(self.accepts)(task)).format(task=shown or repr(task))

    def activations(
        self, weights: dict[str, Tensor], x_left: Tensor, x_right: Tensor, rate: float, patch: Patch | None = None
    ) -> Activations:
        """Run a stack on every pair of the given token embeddings, (S, n_left, d_model) and (S, n_right, d_model).

        With a patch, one layer holds other values than it computes.

        Raises
        ------
        ValueError
            If it does not read pairs of embeddings.
        """
        if self.on_pairs:
            also = {} if patch is None else {"patch": patch}
            found: Activations = resolve(self.on_pairs)(weights, x_left, x_right, rate, **also)
        elif self.pair_form:
            found = resolve(self.pair_form)(weights, x_left, x_right, rate).activations()
        else:
            raise ValueError(f"{self.name} reads k tokens at once and has no pairs of embeddings to run on")
        return found

    def run(self, weights: dict[str, Tensor], task: Task, rate: float, patch: Patch | None = None) -> Activations:
        """Run a stack on every input of a task; a patch needs an ``on_pairs``."""
        if self.on_inputs:
            found: Activations = resolve(self.on_inputs)(weights, task)
            return found
        x = weights["W_E"]
        return self.activations(weights, x, weights.get("W_E_right", x), rate, patch)

    def initial_weights(
        self, task: Task, generator: np.random.Generator, size: NetworkSize | None = None
    ) -> dict[str, np.ndarray]:
        """Draw one circuit's initial weights, float32; NumPy draws them so that every device starts alike."""
        from topomod.networks.size import NetworkSize

        return {
            name: (std * generator.standard_normal(shape)).astype("float32")
            for name, (shape, std) in resolve(self.shapes)(task, size or NetworkSize()).items()
        }


_PAIRS: dict[str, Any] = {"system": "pairs", "learner": "topomod.training.pairs:PairLearner"}
_POWER: dict[str, Any] = {
    "system": "margins",
    "accepts": "topomod.networks.acceptance:any_task",
    "shapes": "topomod.networks.power_mlp:power_shapes",
    "map_tokens": "topomod.networks.power_mlp:map_tokens",
    "recipe": "topomod.training.recipes:MarginRecipe",
    "learner": "topomod.training.power_mlp:MaxMarginLearner",
    "homogeneous": True,
}

ARCHITECTURES: dict[str, Architecture] = {
    architecture.name: architecture
    for architecture in (
        Architecture(
            "mlp_add",
            accepts="topomod.networks.acceptance:two_alike",
            shapes="topomod.networks.mlp:add_shapes",
            pair_form="topomod.networks.mlp:mlp_add",
            **_PAIRS,
        ),
        Architecture(
            "mlp_concat",
            shapes="topomod.networks.mlp:concat_shapes",
            pair_form="topomod.networks.mlp:mlp_concat",
            **_PAIRS,
        ),
        Architecture(
            "rnn",
            shapes="topomod.networks.rnn:rnn_shapes",
            pair_form="topomod.networks.rnn:rnn",
            **_PAIRS,
        ),
        Architecture(
            "attention",
            takes_rate=True,
            shapes="topomod.networks.attention:attention_shapes",
            pair_form="topomod.networks.attention:attention",
            **_PAIRS,
        ),
        Architecture(
            "power_mlp",
            on_inputs="topomod.networks.power_mlp:power_on_inputs",
            logits="topomod.networks.power_mlp:power_logits",
            max_margin_known=True,
            **_POWER,
        ),
        Architecture(
            "relu_mlp",
            on_inputs="topomod.networks.power_mlp:relu_on_inputs",
            logits="topomod.networks.power_mlp:relu_logits",
            **_POWER,
        ),
        Architecture(
            "sequence_transformer",
            system="sequences",
            accepts="topomod.networks.acceptance:few_numbers",
            shapes="topomod.networks.attention:attention_shapes",
            on_inputs="topomod.networks.sequence_transformer:on_all_inputs",
            learner="topomod.training.sequences:SequenceLearner",
        ),
        Architecture(
            "given",
            system="pairs",
            accepts="topomod.networks.acceptance:any_task",
            on_inputs="topomod.networks.given:on_inputs",
            map_tokens="topomod.networks.given:no_tokens",
            recorded=True,
        ),
        Architecture("mlp_add_two_layers", on_pairs="topomod.networks.mlp:two_layer_mlp"),
        Architecture("mlp_add_two_layers_two_biases", on_pairs="topomod.networks.mlp:two_layer_mlp_two_biases"),
        Architecture("transformer", takes_rate=True, on_pairs="topomod.networks.transformer:transformer"),
        Architecture("transformer_gelu", takes_rate=True, on_pairs="topomod.networks.transformer:transformer_gelu"),
        Architecture("transformer_causal", takes_rate=True, on_pairs="topomod.networks.transformer:transformer_causal"),
    )
}


def trainable() -> tuple[str, ...]:
    """Names of the architectures that are trained here."""
    return tuple(name for name, architecture in ARCHITECTURES.items() if architecture.learner)
