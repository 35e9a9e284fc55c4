"""Train circuits of one architecture, many seeds stacked on a leading axis.

On a CPU the stack is one circuit deep and the step compiled: measured fastest, since a block then fits the cache,
and it makes a circuit the same to the last bit in any shard. On CUDA all seeds go at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from topomod.networks.architectures import ARCHITECTURES, TRAINABLE
from topomod.networks.circuit import Circuit, architecture_label
from topomod.networks.pair_form import PairForm
from topomod.networks.size import NetworkSize
from topomod.networks.power_mlp import POWER_NETWORKS
from topomod.tasks.addition import ModularAddition
from topomod.tasks.spectra import purity
from topomod.training.batches import Dealer
from topomod.training.draws import check_seeds, draw, pinned_arithmetic
from topomod.training.max_margin import train_to_margin
from topomod.training.optimiser import AdamW
from topomod.training.pair_step import PairStep
from topomod.training.pair_step_cpu import CompiledStep
from topomod.training.recipes import MarginRecipe, Recipe
from topomod.training.sequences import train_sequences

CHECK_EVERY = 25


class Stack:
    """Weights, gradients and optimiser of circuits that train together.

    Every circuit has its own row in one flat buffer, so AdamW runs once for all weights of all circuits.
    """

    def __init__(
        self,
        architecture: str,
        task: ModularAddition,
        seeds: Sequence[int],
        attention_rate: float,
        recipe: Recipe,
        device: torch.device,
        size: NetworkSize | None = None,
    ) -> None:
        self.task, self.recipe, self.rate, self.seeds = task, recipe, attention_rate, list(seeds)
        self.architecture = ARCHITECTURES[architecture]
        label = architecture_label(architecture, attention_rate if self.architecture.has_attention else None)
        drawn = [draw(label, architecture, task, seed, recipe.train_fraction, size) for seed in self.seeds]
        self._drawn = [(mask, rng) for _, mask, rng in drawn]
        self.targets = torch.from_numpy(task.targets()).to(device)
        names = list(drawn[0][0])
        flat = [np.concatenate([weights[name].ravel() for name in names]) for weights, _, _ in drawn]
        self._flat = torch.from_numpy(np.stack(flat)).to(device)
        self._flat_gradient = torch.zeros_like(self._flat)
        self.weights: dict[str, Tensor] = {}
        self._gradients: dict[str, Tensor] = {}
        start = 0
        for name in names:
            shape = drawn[0][0][name].shape
            part = slice(start, start := start + int(np.prod(shape)))
            self.weights[name] = self._flat[:, part].unflatten(1, shape).detach().requires_grad_()
            self._gradients[name] = self._flat_gradient[:, part].unflatten(1, shape)
        self._optimiser = AdamW(self._flat, recipe.beta1, recipe.beta2, recipe.weight_decay)
        self._step: PairStep | CompiledStep | None = None
        self.n_steps = 0

    def form(self) -> PairForm:
        """Pair form of the current weights, attached to autograd."""
        x = self.weights["W_E"]
        assert self.architecture.pair_form is not None
        return self.architecture.pair_form(self.weights, x, x, self.rate)

    def forward(self) -> tuple[PairForm, Tensor, dict[str, Tensor]]:
        """Pair form, loss (S,) over the training pairs and gradients at the current weights."""
        form = self.form()
        if self._step is None:
            one_on_cpu = self.targets.device.type == "cpu" and len(self.seeds) == 1
            self._step = (CompiledStep if one_on_cpu else PairStep)(self.targets, form)
            self._dealers = [Dealer(mask, form.symmetric, self.recipe.batches, rng) for mask, rng in self._drawn]
        with torch.no_grad():
            loss, gradients = self._step(form, [dealer.next() for dealer in self._dealers])
        return form, loss, gradients

    def all_right(self, form: PairForm) -> np.ndarray:
        """Which circuits are right on every pair, (S,) bool; ``form`` from :meth:`forward`."""
        assert self._step is not None
        with torch.no_grad():
            return self._step.all_right(form).cpu().numpy()

    def update(self, form: PairForm, gradients: dict[str, Tensor], learning_rate: float) -> None:
        """Take one AdamW step with the gradients of :meth:`forward`."""
        tensors, leaves = form.tensors(), list(self.weights.values())
        attached = [name for name, tensor in tensors.items() if tensor.requires_grad]
        found = torch.autograd.grad(
            [tensors[name] for name in attached], leaves, [gradients[name] for name in attached], allow_unused=True
        )
        for name, gradient in zip(self.weights, found, strict=True):
            if gradient is not None:  # a rate of 0 leaves queries and keys unused
                self._gradients[name].copy_(gradient)
        self._optimiser.update(self._flat_gradient, learning_rate)
        self.n_steps += 1

    def purity(self) -> np.ndarray:
        """Share of variance at the neurons' own frequencies, (S,)."""
        with torch.no_grad():
            return np.array([purity(pre) for pre in self.form().preactivations().cpu().numpy()])

    def snapshot(self, index: int) -> dict[str, np.ndarray]:
        """Copy of one circuit's weights."""
        return {name: value[index].detach().cpu().numpy().copy() for name, value in self.weights.items()}


def train(
    architecture: str,
    task: object,
    seeds: Sequence[int],
    *,
    attention_rate: float | None = None,
    recipe: Recipe | MarginRecipe | None = None,
    size: NetworkSize | None = None,
    device: str = "auto",
) -> list[Circuit]:
    """Train one circuit per seed.

    A circuit is decided by (architecture, attention_rate, task, recipe, size, seed) alone. It is kept at the first
    check at or after ``recipe.steps`` where it is right on all pairs and its purity reaches
    ``recipe.min_purity``; checks go on every 25 steps to ``recipe.max_steps``, while the learning rate is warmed up
    again, then it is returned as it is, with ``converged`` False and the reason.

    Parameters
    ----------
    architecture : str
        ``mlp_add``, ``mlp_concat``, ``rnn``, ``attention``; ``sequence_transformer``, trained by
        :func:`topomod.training.sequences.train_sequences`; ``power_mlp`` and ``relu_mlp``, trained by
        :func:`topomod.training.max_margin.train_to_margin`. The last three have criteria and defaults of their own.
    task : ModularAddition
        What to learn: of two inputs, but for ``sequence_transformer``; ``power_mlp`` and ``relu_mlp`` learn every
        task.
    seeds : sequence of int
        Non-negative.
    attention_rate : float, optional
        For ``attention`` only, in [0, 1]: 0 uniform, 1 learnable.
    recipe : Recipe, or MarginRecipe for power networks, optional
        Defaults to the measured fast recipe.
    size : NetworkSize, optional
        Embedding 128, 512 neurons, 4 heads unless said; not for power networks, whose recipe has a ``width``.
    device : {"auto", "cpu", "cuda"}
        ``auto`` takes CUDA when there is one.

    Returns
    -------
    list of Circuit
        In the order of ``seeds``.

    Raises
    ------
    ValueError
        For another task, an unknown architecture, a rate or recipe that does not fit it, no seeds or a bad seed.

    References
    ----------
    Convention of the attention rate: Zhong et al., arXiv 2306.17844.
    """
    return list(
        iterate_training(
            architecture, task, seeds, attention_rate=attention_rate, recipe=recipe, size=size, device=device
        )
    )


def iterate_training(
    architecture: str,
    task: object,
    seeds: Sequence[int],
    *,
    attention_rate: float | None = None,
    recipe: Recipe | MarginRecipe | None = None,
    size: NetworkSize | None = None,
    device: str = "auto",
    snapshots: Sequence[int] = (),
) -> Iterator[Circuit]:
    """Train as :func:`train`, yielding circuits as they finish.

    With ``snapshots`` each seed instead yields one circuit per given step, past the schedule at
    ``recipe.tail_lr`` where a step asks for it: the same circuit, looked at along its training (retryings, which
    :func:`train` warms up again, to the end of the schedule only).
    """
    rate = _checked(architecture, seeds, attention_rate)
    if architecture in POWER_NETWORKS:
        if size is not None or len(snapshots) or device not in ("auto", "cpu"):
            raise ValueError(f"{architecture} takes its width from the recipe, no snapshots, and trains on the CPU")
        yield from train_to_margin(architecture, task, seeds, recipe)
        return
    if recipe is not None and not isinstance(recipe, Recipe):
        raise ValueError(f"{architecture} trains by a Recipe, found {recipe!r}")
    if not isinstance(task, ModularAddition):
        raise ValueError(f"{architecture} trains on ModularAddition, found {task!r}")
    if architecture == "sequence_transformer":
        yield from train_sequences(task, seeds, recipe=recipe, size=size, snapshots=snapshots)
        return
    if task.k != 2:
        raise ValueError(f"{architecture} adds two inputs, found {task!r}; sequence_transformer takes more")
    recipe = recipe or Recipe()
    place = torch.device(("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device)
    depth = 1 if place.type == "cpu" else len(seeds)
    with pinned_arithmetic():
        for start in range(0, len(seeds), depth):
            stack = Stack(architecture, task, seeds[start : start + depth], rate or 0.0, recipe, place, size)
            yield from _run(stack, architecture, attention_rate, sorted(set(snapshots)))


def _checked(architecture: str, seeds: Sequence[int], attention_rate: float | None) -> float | None:
    if architecture not in TRAINABLE:
        raise ValueError(f"unknown architecture {architecture!r}; known: {', '.join(TRAINABLE)}")
    if ARCHITECTURES[architecture].has_attention:
        if attention_rate is None or not 0 <= attention_rate <= 1:
            raise ValueError(f"{architecture} needs attention_rate in [0, 1], found {attention_rate!r}")
    elif attention_rate is not None:
        raise ValueError(f"{architecture} has no attention, found attention_rate {attention_rate!r}")
    check_seeds(seeds)
    return attention_rate


def _run(stack: Stack, architecture: str, attention_rate: float | None, snapshots: Sequence[int]) -> Iterator[Circuit]:
    recipe, n_circuits = stack.recipe, len(stack.seeds)
    kept: dict[int, Circuit] = {}
    losses: list[np.ndarray] = []
    accurate: list[np.ndarray] = []

    def circuit(index: int, reason: str) -> Circuit:
        history = {
            "loss": np.array([row[index] for row in losses], np.float32),
            "accurate": np.array([row[index] for row in accurate]),
        }
        return Circuit(
            architecture=architecture,
            task=stack.task,
            weights=stack.snapshot(index),
            seed=int(stack.seeds[index]),
            attention_rate=None if attention_rate is None else float(attention_rate),
            recipe=recipe,
            step=stack.n_steps,
            converged=not reason,
            reason=reason,
            history=history,
        )

    last = snapshots[-1] if snapshots else recipe.max_steps
    while True:
        form, loss, gradients = stack.forward()
        step = stack.n_steps
        due = not snapshots and step >= recipe.steps and (step - recipe.steps) % CHECK_EVERY == 0
        if due or step in snapshots or step % CHECK_EVERY == 0:
            right = stack.all_right(form)
        losses.append(loss.cpu().numpy())
        accurate.append(right)
        if step in snapshots:
            reasons = _reasons(stack, right)
            yield from (circuit(i, reasons[i]) for i in range(n_circuits))
        elif due:
            for i, reason in enumerate(_reasons(stack, right)):
                if i not in kept and not reason:
                    kept[i] = circuit(i, "")
        if step >= last or len(kept) == n_circuits:
            break
        stack.update(form, gradients, recipe.learning_rate(step, retrying=not snapshots))
    if not snapshots:
        reasons = _reasons(stack, stack.all_right(form))
        yield from (kept.get(i) or circuit(i, reasons[i]) for i in range(n_circuits))


def _reasons(stack: Stack, all_right: np.ndarray) -> list[str]:
    """Why each circuit does not meet the criterion now; empty where it does."""
    purities = stack.purity() if all_right.any() else np.zeros(len(all_right))
    reasons = []
    for right, share in zip(all_right, purities, strict=True):
        if not right:
            reasons.append("wrong on some pairs")
        elif share < stack.recipe.min_purity:
            reasons.append(f"purity {share:.3f} below {stack.recipe.min_purity}")
        else:
            reasons.append("")
    return reasons
