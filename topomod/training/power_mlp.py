"""Train power networks towards the largest normalized margin: all inputs, and a homogeneous regulariser that fades."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from topomod.networks.power_mlp import CHUNK_VALUES, TaskInputs, homogeneity, nonlinearity
from topomod.training.draws import generators
from topomod.training.learner import Learner, Numbers, Setup
from topomod.training.optimiser import AdamW
from topomod.training.recipes import MarginRecipe

CHECK_EVERY = 100


class MaxMarginLearner(Learner):
    """One network that learns all inputs of a task, on one CPU thread.

    It meets the criterion when it is right on all inputs after the recipe's steps. The history holds ``loss``, the
    cross entropy before each step (of that step's batch; the last one over all inputs), and ``accurate``, measured
    every 100 steps and at the end. Row i of ``theta`` (width, d_in + n_classes) holds all weights of neuron i.

    Parameters
    ----------
    setup : Setup
        It has any task and a MarginRecipe.
    seeds : sequence of int
        A single seed.

    References
    ----------
    Morwani et al., arXiv 2311.07568; Li et al., arXiv 2402.09469. Both keep the regularisation fixed.
    """

    default_recipe = MarginRecipe()  # suits two inputs mod about 31
    default_size = None
    devices = ("cpu",)
    has_snapshots = False
    look_every = CHECK_EVERY

    def __init__(self, setup: Setup, seeds: Sequence[int]) -> None:
        super().__init__(setup, seeds)
        (seed,) = self.seeds
        self.architecture, self.task = setup.architecture, setup.task
        self.recipe: MarginRecipe = setup.recipe
        self.inputs = TaskInputs(self.task)
        self.targets = torch.from_numpy(self.task.targets().ravel())
        for_weights, self._for_batches = generators(self.architecture, seed, 2)
        n_weights, width = self.inputs.d_in + self.task.n_classes, self.recipe.width
        start = self.recipe.init_scale / math.sqrt(n_weights) * for_weights.standard_normal((width, n_weights))
        self.theta = torch.from_numpy(start.astype(np.float32)).requires_grad_()
        self._optimiser = AdamW(self.theta, self.recipe.beta1, self.recipe.beta2)
        self._objective = torch.zeros(())
        self._accuracy = 0.0

    def logits(self, rows: Tensor | None = None) -> Tensor:
        """Logits of all inputs in flat order, or of the given ones, (n, n_classes)."""
        W_in, W_U = self.theta.split([self.inputs.d_in, self.task.n_classes], dim=1)
        if rows is None:
            pre = self.inputs.preactivations(W_in).flatten(0, -2)
        else:
            pre = self.inputs.preactivations_at(W_in, rows)
        return torch.matmul(nonlinearity(self.architecture, self.task, pre), W_U)

    def loss(self) -> Tensor:
        """Cross entropy over all inputs, or over the next batch."""
        if self.recipe.batch_size == 0:
            return torch.nn.functional.cross_entropy(self.logits(), self.targets)
        rows = torch.from_numpy(self._for_batches.integers(self.task.n_inputs, size=self.recipe.batch_size))
        return torch.nn.functional.cross_entropy(self.logits(rows), self.targets[rows])

    def penalty(self, step: int) -> Tensor:
        """Sum of neuron norms to the power of the homogeneity, times the regularisation of a step."""
        degree = homogeneity(self.architecture, self.task)
        # squares come first, because the norm itself has no gradient at a dead neuron
        norms = torch.sum(torch.sum(self.theta**2, dim=1) ** (degree / 2))
        return self.recipe.regularization(step) * norms

    def evaluate(self) -> tuple[float, float]:
        """Cross entropy and accuracy over all inputs, some at a time."""
        n_rows = max(1, CHUNK_VALUES // self.recipe.width)
        loss, right = 0.0, 0
        with torch.no_grad():
            for rows in torch.arange(self.task.n_inputs).split(n_rows):
                logits, targets = self.logits(rows), self.targets[rows]
                loss += float(torch.nn.functional.cross_entropy(logits, targets, reduction="sum"))
                right += int(torch.sum(logits.argmax(dim=1) == targets))
        return loss / self.task.n_inputs, right / self.task.n_inputs

    def forward(self, step: int) -> Numbers:
        """Loss (1,) over all inputs or the next batch; at the last step, where no update follows, over all inputs."""
        if step == self.recipe.last_step:
            loss = torch.tensor(self.evaluate()[0], dtype=torch.float32)
        else:
            loss = self.loss()
            self._objective = loss + self.penalty(step)
        return {"loss": loss.detach().numpy()[None]}

    def look(self) -> Numbers:
        """``accurate`` (1,): whether the network is right on all inputs."""
        self._accuracy = self.evaluate()[1]
        return {"accurate": np.array([self._accuracy == 1])}

    def due(self, step: int) -> bool:
        """At the last step: every circuit takes them all."""
        return step == self.recipe.last_step

    def reasons(self) -> list[str]:
        """The share of inputs that get another class."""
        return ["" if self._accuracy == 1 else f"wrong on {1 - self._accuracy:.3%} of inputs"]

    def update(self, learning_rate: float) -> None:
        """Take one Adam step on the loss and the penalty."""
        (gradient,) = torch.autograd.grad(self._objective, self.theta)
        self._optimiser.update(gradient, learning_rate)

    def weights(self, index: int) -> dict[str, np.ndarray]:
        """Copy of the weights under the field's names."""
        theta = self.theta.detach().numpy()
        return {"W_in": theta[:, : self.inputs.d_in].copy(), "W_U": theta[:, self.inputs.d_in :].copy()}
