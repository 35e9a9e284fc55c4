"""Train networks of two tokens, on pairs (a, b), many circuits stacked on a leading axis.

On a CPU a stack holds one circuit and the step is compiled. This was measured to be fastest, since a block then fits
the cache, and it makes a circuit the same to the last bit in any block of seeds. On CUDA one stack holds all seeds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from topomod.networks.architectures import ARCHITECTURES, resolve
from topomod.networks.labels import Label
from topomod.networks.pair_form import PairForm
from topomod.networks.size import NetworkSize
from topomod.tasks.spectra import impurity
from topomod.training.batches import Batches
from topomod.training.draws import draw
from topomod.training.learner import Learner, Numbers, Setup
from topomod.training.optimiser import AdamW, named_parts
from topomod.training.pair_step import PairStep
from topomod.training.pair_step_cpu import CompiledStep
from topomod.training.recipes import Recipe

CHECK_EVERY = 25


class PairLearner(Learner):
    """Circuits that learn a function of two tokens together, by AdamW on cross entropy over pairs.

    A circuit meets the criterion when it is right on all pairs and its purity reaches ``recipe.min_purity``. Where the
    task has no symmetry, there are no frequencies that neurons could hold, and being right is enough. It is kept at the
    first check at or after ``recipe.steps`` where it does. Checks go on every 25 steps to ``recipe.max_steps``, while
    the learning rate is warmed up again. The history holds ``loss``, of the batch, and ``accurate``, measured every 25
    steps and whenever a circuit may be kept.

    Parameters
    ----------
    setup : Setup
        It has a task of two tokens, a Recipe and a size.
    seeds : sequence of int
        One for each circuit.
    """

    default_recipe = Recipe()
    default_size = NetworkSize()
    devices = ("cpu", "cuda")
    has_snapshots = True
    look_every = CHECK_EVERY

    def __init__(self, setup: Setup, seeds: Sequence[int]) -> None:
        super().__init__(setup, seeds)
        self.recipe: Recipe = setup.recipe
        self._pair_form = resolve(ARCHITECTURES[setup.architecture].pair_form)
        label, task = str(Label(setup.architecture, setup.attention_rate)), setup.task
        fraction, size = self.recipe.train_fraction, setup.size
        drawn = [draw(label, setup.architecture, task, seed, fraction, size) for seed in self.seeds]
        shapes = {name: value.shape for name, value in drawn[0][0].items()}
        flat = [np.concatenate([weights[name].ravel() for name in shapes]) for weights, _, _ in drawn]
        # a row for each circuit in one buffer, so that AdamW runs once for all weights of all circuits
        self._flat = torch.from_numpy(np.stack(flat)).to(setup.device)
        self._flat_gradient = torch.zeros_like(self._flat)
        parts = named_parts(self._flat, shapes)
        self._weights = {name: part.detach().requires_grad_() for name, part in parts.items()}
        self._gradients = named_parts(self._flat_gradient, shapes)
        self._optimiser = AdamW(self._flat, self.recipe.beta1, self.recipe.beta2, self.recipe.weight_decay)
        self._form = self.form()
        targets = torch.from_numpy(task.targets()).to(setup.device)
        compiled = setup.device.type == "cpu" and len(self.seeds) == 1
        self._step = (CompiledStep if compiled else PairStep)(targets, self._form)
        symmetric, n_batches = self._form.symmetric, self.recipe.batches
        self._batches = [Batches(mask, symmetric, n_batches, generator) for _, mask, generator in drawn]
        self._of_form: dict[str, Tensor] = {}

    def form(self) -> PairForm:
        """Pair form of the current weights, attached to autograd."""
        x = self._weights["W_E"]
        form: PairForm = self._pair_form(self._weights, x, x, self.setup.attention_rate or 0.0)
        return form

    def forward(self, step: int) -> Numbers:
        """Loss (S,) on the next batch of pairs; keeps the pair form and its gradients for the update."""
        self._form = self.form()
        with torch.no_grad():
            loss, self._of_form = self._step(self._form, [batches.next() for batches in self._batches])
        return {"loss": loss.cpu().numpy()}

    def look(self) -> Numbers:
        """``accurate`` (S,): which circuits are right on every pair, trained on or not."""
        with torch.no_grad():
            return {"accurate": self._step.all_right(self._form).cpu().numpy()}

    def due(self, step: int) -> bool:
        """Every 25 steps from the end of the schedule on."""
        return step >= self.recipe.steps and (step - self.recipe.steps) % CHECK_EVERY == 0

    def reasons(self) -> list[str]:
        """``wrong on some pairs``, or the purity that is too low."""
        right = self.look()["accurate"]
        reasons = ["wrong on some pairs"] * len(right)
        if right.any():
            with torch.no_grad():
                preactivations = self._form.preactivations().cpu().numpy()
            for i in np.flatnonzero(right):
                reasons[i] = impurity(self.setup.task.symmetry, preactivations[i], self.recipe.min_purity)
        return reasons

    def update(self, learning_rate: float) -> None:
        """Take the gradients from the pair form on to the weights, then take one AdamW step."""
        tensors, leaves = self._form.tensors(), list(self._weights.values())
        attached = [name for name, tensor in tensors.items() if tensor.requires_grad]
        found = torch.autograd.grad(
            [tensors[name] for name in attached],
            leaves,
            [self._of_form[name] for name in attached],
            allow_unused=True,
        )
        for name, gradient in zip(self._weights, found, strict=True):
            if gradient is not None:  # a rate of 0 leaves queries and keys unused
                self._gradients[name].copy_(gradient)
        self._optimiser.update(self._flat_gradient, learning_rate)

    def weights(self, index: int) -> dict[str, np.ndarray]:
        """Copy of one circuit's weights."""
        return {name: value[index].detach().cpu().numpy().copy() for name, value in self._weights.items()}
