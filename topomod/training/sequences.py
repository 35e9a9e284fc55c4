"""Train one-layer transformers on k tokens until they generalise, recording the grokking curve."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from topomod.networks.circuit import Circuit
from topomod.networks.size import NetworkSize
from topomod.networks.sequence_transformer import all_inputs, sequence_transformer
from topomod.tasks.addition import ModularAddition
from topomod.training.draws import check_seeds, draw, pinned_arithmetic
from topomod.training.optimiser import AdamW
from topomod.training.recipes import Recipe

ARCHITECTURE = "sequence_transformer"
CHECK_EVERY = 10  # steps between looks at the held-out inputs, which cost as much as a step
GENERALISED = 0.99  # of the held-out inputs right

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


@dataclass
class _Run:
    """Weights, split and optimiser of one circuit in training."""

    weights: dict[str, Tensor]
    inputs: Tensor
    targets: Tensor
    trained: Tensor
    unseen: Tensor
    optimiser: AdamW
    recipe: Recipe

    def loss(self) -> tuple[Tensor, float]:
        """Loss on the training inputs, attached to autograd, and the share of them that is right."""
        targets = self.targets[self.trained]
        logits = sequence_transformer(self.weights, self.inputs[self.trained]).logits
        return cross_entropy(logits, targets), _share(logits, targets)

    def held_out(self) -> tuple[float, float]:
        """Share that is right of the inputs not trained on, and of the unseen ones; NaN where there are none."""
        held, targets = ~self.trained, self.targets[~self.trained]
        with torch.no_grad():
            logits = sequence_transformer(self.weights, self.inputs[held]).logits
        unseen = self.unseen[held]
        return _share(logits, targets), _share(logits[unseen], targets[unseen])

    def update(self, loss: Tensor, learning_rate: float) -> None:
        """Take one AdamW step."""
        gradients = torch.autograd.grad(loss, list(self.weights.values()))
        self.optimiser.update(torch.cat([gradient.flatten() for gradient in gradients]), learning_rate)


def _share(logits: Tensor, targets: Tensor) -> float:
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


def _start(task: ModularAddition, seed: int, recipe: Recipe, size: NetworkSize) -> _Run:
    drawn, mask, _ = draw(ARCHITECTURE, ARCHITECTURE, task, seed, recipe.train_fraction, size)
    flat = torch.from_numpy(np.concatenate([value.ravel() for value in drawn.values()]))
    parts = flat.split([value.size for value in drawn.values()])
    weights = {
        name: part.view(value.shape).detach().requires_grad_()
        for (name, value), part in zip(drawn.items(), parts, strict=True)
    }
    inputs, trained = all_inputs(task), torch.from_numpy(mask.ravel())
    return _Run(
        weights=weights,
        inputs=inputs,
        targets=torch.from_numpy(task.targets().ravel()),
        trained=trained,
        unseen=unseen_inputs(inputs, trained),
        optimiser=AdamW(flat, recipe.beta1, recipe.beta2, recipe.weight_decay),
        recipe=recipe,
    )


def train_sequences(
    task: ModularAddition,
    seeds: Sequence[int],
    *,
    recipe: Recipe | None = None,
    size: NetworkSize | None = None,
    snapshots: Sequence[int] = (),
) -> Iterator[Circuit]:
    """Train one ``sequence_transformer`` per seed, on the CPU, one after another.

    Full batch, cross entropy at the last token on a random ``recipe.train_fraction`` of the p^k inputs. A circuit is
    decided by (task, recipe, size, seed) alone. It is kept at the first check at or after ``recipe.steps`` where it
    is right on all training inputs and on 99 % of the others; checks go on every ``CHECK_EVERY`` = 10 steps to
    ``recipe.max_steps``, then it is returned as it is, with ``converged`` False and the reason.

    The history holds ``loss`` (on the training inputs), ``train_accuracy``, ``test_accuracy``, ``unseen_accuracy`` (on
    :func:`unseen_inputs`) and ``accurate`` (could be kept) before step 0, 1, ...; the last three are measured
    every 10 steps and held in between.

    Parameters
    ----------
    task : ModularAddition
        Of k inputs, p^k at most ``topomod.networks.sequence_transformer.MAX_INPUTS``.
    seeds : sequence of int
        Non-negative.
    recipe : Recipe, optional
        ``SEQUENCE_RECIPE`` unless said. Full batch: ``batches`` must be 1, and ``min_purity`` 0.
    size : NetworkSize, optional
        ``SEQUENCE_SIZE`` unless said: embedding 64, 256 neurons, 4 heads.
    snapshots : sequence of int
        With it each seed yields one circuit per given step instead, along one training.

    Raises
    ------
    ValueError
        For a task too large, bad seeds, or a recipe with batches or a least purity.

    References
    ----------
    Li et al., arXiv 2402.09469; grokking: Power et al., arXiv 2201.02177.
    """
    check_seeds(seeds)
    recipe, size = recipe or SEQUENCE_RECIPE, size or SEQUENCE_SIZE
    if recipe.batches != 1 or recipe.min_purity != 0:
        raise ValueError(
            f"{ARCHITECTURE} trains on full batches and is kept when it generalises: its recipe needs batches = 1 "
            f"and min_purity = 0, found {recipe.batches} and {recipe.min_purity}"
        )
    all_inputs(task)  # a task too large is refused before any weight is drawn
    for seed in seeds:
        with pinned_arithmetic():
            yield from _train_one(task, int(seed), recipe, size, sorted(set(snapshots)))


def _train_one(
    task: ModularAddition, seed: int, recipe: Recipe, size: NetworkSize, snapshots: Sequence[int]
) -> Iterator[Circuit]:
    run = _start(task, seed, recipe, size)
    history: dict[str, list[float]] = {}
    last = snapshots[-1] if snapshots else recipe.max_steps
    for step in range(last + 1):
        loss, train_accuracy = run.loss()
        if step % CHECK_EVERY == 0 or step in snapshots or step == last:
            test_accuracy, unseen_accuracy = run.held_out()
            right = train_accuracy == 1 and not test_accuracy < GENERALISED
        row = {
            "loss": loss.item(),
            "train_accuracy": train_accuracy,
            "test_accuracy": test_accuracy,
            "unseen_accuracy": unseen_accuracy,
            "accurate": right,
        }
        for name, value in row.items():
            history.setdefault(name, []).append(value)
        done = right and step >= recipe.steps and step % CHECK_EVERY == 0
        if step in snapshots or (not snapshots and (done or step == last)):
            reason = f"right on {train_accuracy:.4f} of the training inputs, {test_accuracy:.4f} of the others"
            yield _circuit(run, task, seed, step, "" if right else reason, history)
            if done and not snapshots:
                return
        run.update(loss, recipe.learning_rate(step, retrying=not snapshots))


def _circuit(
    run: _Run, task: ModularAddition, seed: int, step: int, reason: str, history: dict[str, list[float]]
) -> Circuit:
    return Circuit(
        architecture=ARCHITECTURE,
        task=task,
        weights={name: value.detach().numpy().copy() for name, value in run.weights.items()},
        seed=seed,
        recipe=run.recipe,
        step=step,
        converged=not reason,
        reason=reason,
        history={k: np.array(v, bool if k == "accurate" else np.float32) for k, v in history.items()},
    )
