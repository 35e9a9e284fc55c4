"""How a circuit is trained, and when it counts as converged. Imports nothing heavy, as the Snakefile reads it."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from topomod.tasks.checked import CHECKED, Number, Whole, one_sentence

Positive = Annotated[Number, Field(gt=0)]
NotNegative = Annotated[Number, Field(ge=0)]
Share = Annotated[Number, Field(ge=0, le=1)]  # 0 and 1 are allowed
BelowOne = Annotated[Number, Field(ge=0, lt=1)]
PositiveInt = Annotated[Whole, Field(ge=1)]
NotNegativeInt = Annotated[Whole, Field(ge=0)]
Name = Annotated[str, Field(exclude=True)]  # no part of a study's settings: its variants are named by their keys


def n_trained(train_fraction: float, n_inputs: int) -> int:
    """How many of a task's inputs a circuit is trained on."""
    return max(1, round(train_fraction * n_inputs))


@one_sentence
@dataclass(frozen=True, config=CHECKED)
class Recipe:
    """AdamW on cross entropy.

    Parameters
    ----------
    lr : float
        Peak learning rate.
    weight_decay : float
        Decoupled decay; per step a weight shrinks by ``lr * weight_decay``, which must be below 1. The sum over the
        steps sets how mature the structure is, more than the number of steps does.
    steps : int
        Length of the schedule.
    warmup : int
        Steps of linear warm-up.
    schedule : {"cosine", "constant"}
        Shape of the learning rate after the warm-up; cosine decays to ``tail_lr``.
    tail_lr : float
        Where the cosine ends, and the learning rate of circuits that are followed past ``steps``.
    max_steps : int
        Where a circuit that does not meet the criterion is given up. Until then it is warmed up again every
        ``steps // 2`` steps, by cosines from half of ``lr``.
    beta1, beta2 : float
        Adam's averages.
    batches : int
        How many batches the training pairs are split into, at random and again whenever all have been used; 1 is full
        batch.
    train_fraction : float
        Share of the p^2 pairs trained on, in (0, 1).
    min_purity : float
        Structural criterion: least share of the pre-activations' variance at the neurons' own frequencies.
    name : str
        Name of the study's variant. It tells circuits of one architecture apart and is part of their label.

    Raises
    ------
    ValueError
        If a value is out of range, in one sentence.
    """

    lr: Positive = 1e-2
    weight_decay: NotNegative = 2.4
    steps: PositiveInt = 500
    warmup: NotNegativeInt = 10
    schedule: Literal["cosine", "constant"] = "cosine"
    tail_lr: NotNegative = 1e-3
    max_steps: PositiveInt = 1000
    beta1: BelowOne = 0.9
    beta2: BelowOne = 0.98
    batches: PositiveInt = 2
    train_fraction: Annotated[Number, Field(gt=0, lt=1)] = 0.8
    min_purity: Share = 0.9
    name: Name = ""

    def __post_init__(self) -> None:
        if self.max_steps < self.steps:
            raise ValueError(f"max_steps must be at least steps ({self.steps}), found {self.max_steps}")
        if (share := max(self.lr, self.tail_lr) * self.weight_decay) >= 1:
            raise ValueError(
                f"lr and tail_lr times weight_decay must be below 1, since a step takes that share of each weight, "
                f"found {share:g}"
            )

    @property
    def last_step(self) -> int:
        """The step at which every circuit ends."""
        return self.max_steps

    def learning_rate(self, step: int, retrying: bool = False) -> float:
        """Learning rate of step 0, 1, ...

        Past ``steps`` it is ``tail_lr`` for a circuit that is only followed. For one that is ``retrying``, because it
        does not meet the criterion yet, it is warmed up again.
        """
        if step < self.warmup:
            return self.lr * (step + 1) / self.warmup
        if step >= self.steps:
            again = max(1, self.steps // 2)
            return self._cosine(self.lr / 2, (step - self.steps) % again / again) if retrying else self.tail_lr
        if self.schedule == "constant":
            return self.lr
        return self._cosine(self.lr, (step - self.warmup) / max(1, self.steps - self.warmup))

    def _cosine(self, peak: float, progress: float) -> float:
        return self.tail_lr + (peak - self.tail_lr) * 0.5 * (1 + math.cos(math.pi * progress))

    def cumulative_decay(self, step: int) -> float:
        """Sum of ``lr * weight_decay`` over the first ``step`` steps, the scale of structural maturity."""
        return self.weight_decay * sum(self.learning_rate(s) for s in range(step))


@one_sentence
@dataclass(frozen=True, config=CHECKED)
class MarginRecipe:
    """Adam on cross entropy over all inputs plus a homogeneous regulariser that fades.

    The objective is ``cross entropy + regularization * sum_i |theta_i|^nu``, with ``theta_i`` all weights of neuron
    i and ``nu`` the degree in which logits grow with them. As the regularisation goes to 0 its minimisers go to
    networks of largest normalized margin (Wei et al., arXiv 1810.05369; Morwani et al., arXiv 2311.07568).

    Parameters
    ----------
    width : int
        Number of neurons. As many as ``max_margin_network`` has are known to suffice.
    lr : float
        Peak learning rate.
    steps : int
        Optimiser steps; every circuit takes them all.
    warmup : int
        Steps of linear warm-up.
    tail : float
        Share of ``lr`` at which its cosine ends. It is above 0, so that weights still follow the fading regularisation.
    regularization_first, regularization_last : float
        Regularisation at the first and last step, geometric in between. Where the first is well above the task's
        ``max_margin``, all neurons die before they have learnt anything. They revive only when it has faded.
    batch_size : int
        Inputs drawn anew from all, with replacement, for each step; 0 takes all inputs at once.
    init_scale : float
        Root mean square norm of a neuron's weights at the start.
    beta1, beta2 : float
        Adam's averages.
    name : str
        Tells circuits of one architecture apart that were trained by different recipes; part of their label.

    Raises
    ------
    ValueError
        If a value is out of range, in one sentence.
    """

    width: PositiveInt = 240
    lr: Positive = 1e-2
    steps: PositiveInt = 2000
    warmup: NotNegativeInt = 10
    tail: Share = 0.1
    regularization_first: Positive = 1e-3
    regularization_last: Positive = 1e-5
    batch_size: NotNegativeInt = 0
    init_scale: Positive = 1.0
    beta1: BelowOne = 0.9
    beta2: BelowOne = 0.98
    name: Name = ""

    def __post_init__(self) -> None:
        first, last = self.regularization_first, self.regularization_last
        if last > first:
            raise ValueError(f"regularization_last must be at most regularization_first ({first:g}), found {last:g}")

    @property
    def last_step(self) -> int:
        """The step at which every circuit ends."""
        return self.steps

    def learning_rate(self, step: int, retrying: bool = False) -> float:
        """Learning rate of step 0, 1, ..., ``steps - 1``; nothing is trained past ``steps``, so nothing is retried."""
        if step < self.warmup:
            return self.lr * (step + 1) / self.warmup
        progress = (step - self.warmup) / max(1, self.steps - self.warmup)
        return self.lr * (self.tail + (1 - self.tail) * 0.5 * (1 + math.cos(math.pi * progress)))

    def regularization(self, step: int) -> float:
        """Weight of the regulariser at step 0, 1, ..., ``steps``."""
        return float(
            self.regularization_first * (self.regularization_last / self.regularization_first) ** (step / self.steps)
        )
