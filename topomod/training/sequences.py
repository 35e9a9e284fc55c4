"""Train one-layer transformers on k tokens until they generalise, recording the grokking curve."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from topomod.networks.sequence_transformer import all_inputs, sequence_transformer
from topomod.networks.size import NetworkSize
from topomod.training.draws import draw
from topomod.training.learner import Learner, Numbers, Setup
from topomod.training.optimiser import AdamW, named_parts
from topomod.training.recipes import Recipe

CHECK_EVERY = 10  # steps between looks at the held-out inputs, which cost as much as a step
GENERALISED = 0.99  # share of the held-out inputs that must be right

SEQUENCE_SIZE = NetworkSize(d_model=64, d_mlp=256, n_heads=4)
SEQUENCE_RECIPE = Recipe(
    lr=5e-3,
    weight_decay=2.0,
    steps=800,
    schedule="constant",
    tail_lr=1e-4,
    max_steps=1600,
    batches=1,
    train_fraction=0.7,
    min_purity=0.0,
)


class SequenceLearner(Learner):
    """One network that learns addition of k inputs, on the CPU, by full batches.

    AdamW takes cross entropy at the last token, on a random ``recipe.train_fraction`` of the p^k inputs. The network
    meets the criterion when it is right on all training inputs and on 99 % of the others. It is kept at the first check
    at or after ``recipe.steps`` where it does. Checks go on every 10 steps to ``recipe.max_steps``.

    The history holds ``loss`` (on the training inputs), ``train_accuracy``, ``test_accuracy``, ``unseen_accuracy`` (on
    :func:`unseen_inputs`) and ``accurate`` (meets the criterion) before step 0, 1, ...; the last three are measured
    every 10 steps and repeated in between.

    Parameters
    ----------
    setup : Setup
        It has a ModularAddition with p^k at most ``topomod.tasks.task.MAX_INPUTS``, a size, and a Recipe for full
        batches: ``batches`` 1 and ``min_purity`` 0.
    seeds : sequence of int
        A single seed.

    Raises
    ------
    ValueError
        For a task too large, or a recipe with batches or a least purity.

    References
    ----------
    Li et al., arXiv 2402.09469; grokking: Power et al., arXiv 2201.02177.
    """

    default_recipe = SEQUENCE_RECIPE
    default_size = SEQUENCE_SIZE
    devices = ("cpu",)
    has_snapshots = True
    look_every = CHECK_EVERY

    def __init__(self, setup: Setup, seeds: Sequence[int]) -> None:
        super().__init__(setup, seeds)
        (seed,), label = self.seeds, setup.architecture
        self.recipe: Recipe = setup.recipe
        if self.recipe.batches != 1 or self.recipe.min_purity != 0:
            raise ValueError(
                f"{label} trains on full batches and is kept when it generalises: its recipe needs batches = 1 "
                f"and min_purity = 0, found {self.recipe.batches} and {self.recipe.min_purity}"
            )
        inputs = all_inputs(setup.task)  # comes first: a task too large is refused before any weight is drawn
        drawn, mask, _ = draw(label, label, setup.task, seed, self.recipe.train_fraction, setup.size)
        flat = torch.from_numpy(np.concatenate([value.ravel() for value in drawn.values()]))
        parts = named_parts(flat, {name: value.shape for name, value in drawn.items()})
        self._weights = {name: part.detach().requires_grad_() for name, part in parts.items()}
        self._optimiser = AdamW(flat, self.recipe.beta1, self.recipe.beta2, self.recipe.weight_decay)
        trained, targets = torch.from_numpy(mask.ravel()), torch.from_numpy(setup.task.targets().ravel())
        self._trained, self._held_out = (inputs[trained], targets[trained]), (inputs[~trained], targets[~trained])
        self._unseen = unseen_inputs(inputs, trained)[~trained]
        self._loss = torch.zeros(())
        self._train_accuracy = self._test_accuracy = 0.0

    def forward(self, step: int) -> Numbers:
        """Loss (1,) and accuracy (1,) on the training inputs."""
        inputs, targets = self._trained
        logits = sequence_transformer(self._weights, inputs).logits
        self._loss = cross_entropy(logits, targets)
        self._train_accuracy = _share_right(logits, targets)
        return {"loss": self._loss.detach().numpy()[None], "train_accuracy": _one(self._train_accuracy)}

    def look(self) -> Numbers:
        """Accuracies (1,) on the held-out inputs, NaN where there are none, and whether the criterion is met."""
        inputs, targets = self._held_out
        with torch.no_grad():
            logits = sequence_transformer(self._weights, inputs).logits
        self._test_accuracy = _share_right(logits, targets)
        unseen = _share_right(logits[self._unseen], targets[self._unseen])
        accurate = np.array([self._generalises()])
        return {"test_accuracy": _one(self._test_accuracy), "unseen_accuracy": _one(unseen), "accurate": accurate}

    def _generalises(self) -> bool:
        return self._train_accuracy == 1 and not self._test_accuracy < GENERALISED  # NaN: nothing is held out

    def due(self, step: int) -> bool:
        """Every 10 steps from the end of the schedule on, and at the last step."""
        return step >= self.recipe.steps and (step % CHECK_EVERY == 0 or step == self.recipe.last_step)

    def reasons(self) -> list[str]:
        """The accuracies, where they are too low."""
        train, test = self._train_accuracy, self._test_accuracy
        return ["" if self._generalises() else f"right on {train:.4f} of the training inputs, {test:.4f} of the others"]

    def update(self, learning_rate: float) -> None:
        """Take one AdamW step."""
        gradients = torch.autograd.grad(self._loss, list(self._weights.values()))
        self._optimiser.update(torch.cat([gradient.flatten() for gradient in gradients]), learning_rate)

    def weights(self, index: int) -> dict[str, np.ndarray]:
        """Copy of the weights."""
        return {name: value.detach().numpy().copy() for name, value in self._weights.items()}


def _one(value: float) -> np.ndarray:
    return np.array([value], np.float32)


def _share_right(logits: Tensor, targets: Tensor) -> float:
    return float((logits.argmax(-1) == targets).float().mean()) if len(targets) else float("nan")


def unseen_inputs(inputs: Tensor, trained: Tensor) -> Tensor:
    """Inputs of which no rearrangement of the tokens before the last is trained on, (N,) bool.

    Attention without positions sees those tokens as a multiset, so a network gets other held-out inputs right by
    forgetting the order alone. For k = 2 the unseen inputs are the held-out ones.

    Parameters
    ----------
    inputs : Tensor
        (N, k) tokens.
    trained : Tensor
        (N,) bool.

    Examples
    --------
    >>> inputs = torch.tensor([[0, 1, 2], [1, 0, 2], [1, 2, 0]])
    >>> unseen_inputs(inputs, torch.tensor([True, False, False])).tolist()
    [False, False, True]
    """
    alike = torch.cat([inputs[:, :-1].sort(dim=1).values, inputs[:, -1:]], dim=1)
    _, multiset = torch.unique(alike, dim=0, return_inverse=True)
    seen = torch.zeros(len(inputs), dtype=torch.bool)
    seen[multiset[trained]] = True
    return ~seen[multiset]
