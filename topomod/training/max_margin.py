"""Train power networks towards the largest normalized margin: all inputs, and a homogeneous regulariser that fades."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from topomod.networks.circuit import Circuit
from topomod.networks.power_mlp import CHUNK_VALUES, POWER_NETWORKS, TaskInputs, homogeneity, nonlinearity
from topomod.tasks.addition import ModularAddition
from topomod.tasks.finite_group import GroupComposition
from topomod.tasks.parity import SparseParity
from topomod.tasks.task import MAX_EVALUATED, Task
from topomod.training.draws import generators, pinned_arithmetic
from topomod.training.optimiser import AdamW
from topomod.training.recipes import MarginRecipe

CHECK_EVERY = 100


class Run:
    """One network in training: row i of ``theta`` (width, d_in + n_classes) holds all weights of neuron i."""

    def __init__(self, architecture: str, task: Task, recipe: MarginRecipe, seed: int) -> None:
        self.architecture, self.task, self.recipe = architecture, task, recipe
        self.inputs = TaskInputs(task)
        self.targets = torch.from_numpy(task.targets().ravel())
        for_weights, self._for_batches = generators(architecture, seed, 2)
        n_weights = self.inputs.d_in + task.n_classes
        start = recipe.init_scale / math.sqrt(n_weights) * for_weights.standard_normal((recipe.width, n_weights))
        self.theta = torch.from_numpy(start.astype(np.float32)).requires_grad_()
        self._optimiser = AdamW(self.theta, recipe.beta1, recipe.beta2)
        self.n_steps = 0

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

    def penalty(self) -> Tensor:
        """Sum of neuron norms to the power of the homogeneity, times the regularisation of this step."""
        degree = homogeneity(self.architecture, self.task)
        # squares first: the norm itself has no gradient at a dead neuron
        norms = torch.sum(torch.sum(self.theta**2, dim=1) ** (degree / 2))
        return self.recipe.regularization(self.n_steps) * norms

    def update(self, loss: Tensor) -> None:
        """Take one Adam step on the loss and the penalty."""
        (gradient,) = torch.autograd.grad(loss + self.penalty(), self.theta)
        self._optimiser.update(gradient, self.recipe.learning_rate(self.n_steps))
        self.n_steps += 1

    def weights(self) -> dict[str, np.ndarray]:
        """Copy of the weights under the field's names."""
        theta = self.theta.detach().numpy()
        return {"W_in": theta[:, : self.inputs.d_in].copy(), "W_U": theta[:, self.inputs.d_in :].copy()}

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


def train_to_margin(architecture: str, task: object, seeds: Sequence[int], recipe: object = None) -> Iterator[Circuit]:
    """Train one ``power_mlp`` or ``relu_mlp`` per seed on all inputs of a task, on one CPU thread.

    A circuit is decided by (architecture, task, recipe, seed) alone. It has converged when it is right on all
    inputs after the recipe's steps.

    Parameters
    ----------
    architecture : {"power_mlp", "relu_mlp"}
        Which network.
    task : ModularAddition, SparseParity or GroupComposition
        What to learn.
    seeds : sequence of int
        Non-negative.
    recipe : MarginRecipe, optional
        Its defaults suit two inputs mod about 31.

    Yields
    ------
    Circuit
        In the order of ``seeds``, as each is done. Its history has ``loss``, the cross entropy before each step (of
        that step's batch; the last one over all inputs), and ``accurate``, looked up every 100 steps.

    Raises
    ------
    ValueError
        For another architecture, task or kind of recipe.

    References
    ----------
    Morwani et al., arXiv 2311.07568; Li et al., arXiv 2402.09469. Both keep the regularisation fixed.
    """
    if architecture not in POWER_NETWORKS:
        raise ValueError(f"unknown power network {architecture!r}; known: {', '.join(POWER_NETWORKS)}")
    if not isinstance(task, ModularAddition | SparseParity | GroupComposition):
        raise ValueError(f"{architecture} trains on ModularAddition, SparseParity or GroupComposition, found {task!r}")
    if task.n_inputs > MAX_EVALUATED:
        raise ValueError(f"{task} has {task.n_inputs} inputs, all of which are looked at; at most {MAX_EVALUATED} are")
    recipe = MarginRecipe() if recipe is None else recipe
    if not isinstance(recipe, MarginRecipe):
        raise ValueError(f"{architecture} trains by a MarginRecipe, found {recipe!r}")
    for seed in seeds:
        with pinned_arithmetic():
            circuit = _train_one(Run(architecture, task, recipe, int(seed)), int(seed))
        yield circuit


def _train_one(run: Run, seed: int) -> Circuit:
    losses, accurate = [], []
    accuracy = 0.0
    for step in range(run.recipe.steps):
        if step % CHECK_EVERY == 0:
            accuracy = run.evaluate()[1]
        loss = run.loss()
        losses.append(loss.item())
        accurate.append(accuracy == 1)
        run.update(loss)
    last, accuracy = run.evaluate()
    return Circuit(
        architecture=run.architecture,
        task=run.task,
        weights=run.weights(),
        seed=seed,
        recipe=run.recipe,
        step=run.n_steps,
        converged=accuracy == 1,
        reason="" if accuracy == 1 else f"wrong on {1 - accuracy:.3%} of inputs",
        history={"loss": np.array([*losses, last], np.float32), "accurate": np.array([*accurate, accuracy == 1])},
    )
