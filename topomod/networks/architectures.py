"""The table of architectures: adding one is one row here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from topomod.networks import mlp
from topomod.networks import power_mlp as power_networks
from topomod.networks import sequence_transformer as sequences
from topomod.networks import transformer as forward
from topomod.networks.attention import _attention_shapes, attention
from topomod.networks.mlp import _mlp_shapes, mlp_add, mlp_concat
from topomod.networks.pair_form import Activations, PairForm, Shapes, Weights
from topomod.networks.rnn import _rnn_shapes, rnn
from topomod.networks.size import NetworkSize
from topomod.tasks.catalogue import Task


@dataclass(frozen=True)
class Architecture:
    """One row of the table of architectures.

    Parameters
    ----------
    name : str
        As written in a study's YAML.
    shapes : callable, optional
        ``(p, size, k) -> {weight name: (shape, standard deviation of its initial normal draw)}``.
    pair_form : callable, optional
        ``(weights, x_left, x_right, attention_rate) -> PairForm`` for token embeddings (S, n, d_model).
    has_attention : bool
        Whether it takes an ``attention_rate``.
    forward : callable, optional
        ``(weights, x_left, x_right, attention_rate) -> Activations`` for networks that are analysed, not trained here.
    forward_inputs : callable, optional
        ``(weights, task) -> Activations`` on every input of a task, for networks of k inputs.
    """

    name: str
    shapes: Callable[[int, NetworkSize, int], Shapes] | None = None
    pair_form: Callable[[Weights, Tensor, Tensor, float], PairForm] | None = None
    has_attention: bool = False
    forward: Callable[[Weights, Tensor, Tensor, float], Activations] | None = None
    forward_inputs: Callable[[Weights, Task], Activations] | None = None

    def activations(self, weights: Weights, x_left: Tensor, x_right: Tensor, rate: float) -> Activations:
        """Run a stack on every pair of the given token embeddings, (S, n_left, d_model) and (S, n_right, d_model)."""
        if self.forward is not None:
            return self.forward(weights, x_left, x_right, rate)
        if self.pair_form is None:
            raise ValueError(f"{self.name} reads k tokens at once and has no pairs of embeddings to run on")
        form = self.pair_form(weights, x_left, x_right, rate)
        pre = form.preactivations()
        return Activations((pre,), (torch.relu(pre),), (form.readout,), form.logits(pre))


ARCHITECTURES = {
    architecture.name: architecture
    for architecture in (
        Architecture("mlp_add", lambda p, size, _k: _mlp_shapes(p, size, 1), mlp_add),
        Architecture("mlp_concat", lambda p, size, _k: _mlp_shapes(p, size, 2), mlp_concat),
        Architecture("attention", _attention_shapes, attention, has_attention=True),
        Architecture("rnn", lambda p, size, _k: _rnn_shapes(p, size), rnn),
        Architecture("sequence_transformer", _attention_shapes, forward_inputs=sequences.on_all_inputs),
        Architecture("mlp_add_two_layers", forward=mlp.two_layer_mlp),
        Architecture("mlp_add_two_layers_two_biases", forward=partial(mlp.two_layer_mlp, n_biases=2)),
        Architecture("power_mlp", forward_inputs=partial(power_networks.on_all_inputs, "power_mlp")),
        Architecture("relu_mlp", forward_inputs=partial(power_networks.on_all_inputs, "relu_mlp")),
        Architecture("transformer", has_attention=True, forward=forward.transformer),
        Architecture(
            "transformer_gelu",
            has_attention=True,
            forward=partial(forward.transformer, nonlinearity=torch.nn.functional.gelu),
        ),
        Architecture("transformer_causal", has_attention=True, forward=partial(forward.transformer, causal=True)),
    )
}


TRAINABLE = tuple(name for name, row in ARCHITECTURES.items() if row.pair_form or row.forward_inputs)


def initial_weights(
    architecture: str, p: int, generator: np.random.Generator, size: NetworkSize | None = None, k: int = 2
) -> dict[str, np.ndarray]:
    """Draw one circuit's initial weights, float32; NumPy draws them so that every device starts alike."""
    shapes = ARCHITECTURES[architecture].shapes
    assert shapes is not None
    return {
        name: (std * generator.standard_normal(shape)).astype(np.float32)
        for name, (shape, std) in shapes(p, size or NetworkSize(), k).items()
    }
