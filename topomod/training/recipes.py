"""How a circuit is trained, and when it counts as converged."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Recipe:
    """AdamW on cross entropy.

    Parameters
    ----------
    lr : float
        Peak learning rate.
    weight_decay : float
        Decoupled decay; per step a weight shrinks by ``lr * weight_decay``. The sum over the steps sets how
        mature the structure is, more than the number of steps does.
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
        How many batches the training pairs are dealt into, anew whenever all have been used; 1 is full batch.
    train_fraction : float
        Share of the p^2 pairs trained on, in (0, 1).
    min_purity : float
        Structural criterion: least share of the pre-activations' variance at the neurons' own frequencies.
    name : str
        Of the study's variant, which tells circuits of one architecture apart; part of their label.
    """

    lr: float = 1e-2
    weight_decay: float = 2.4
    steps: int = 500
    warmup: int = 10
    schedule: Literal["cosine", "constant"] = "cosine"
    tail_lr: float = 1e-3
    max_steps: int = 1000
    beta1: float = 0.9
    beta2: float = 0.98
    batches: int = 2
    train_fraction: float = 0.8
    min_purity: float = 0.9
    name: str = ""

    def learning_rate(self, step: int, straggler: bool = False) -> float:
        """Learning rate of step 0, 1, ...; past ``steps`` stragglers are warmed up again, others followed slowly."""
        if step < self.warmup:
            return self.lr * (step + 1) / self.warmup
        if step >= self.steps:
            again = max(1, self.steps // 2)
            return self._cosine(self.lr / 2, (step - self.steps) % again / again) if straggler else self.tail_lr
        if self.schedule == "constant":
            return self.lr
        return self._cosine(self.lr, (step - self.warmup) / max(1, self.steps - self.warmup))

    def _cosine(self, peak: float, progress: float) -> float:
        return self.tail_lr + (peak - self.tail_lr) * 0.5 * (1 + math.cos(math.pi * progress))

    def cumulative_decay(self, step: int) -> float:
        """Sum of ``lr * weight_decay`` over the first ``step`` steps, the scale of structural maturity."""
        return self.weight_decay * sum(self.learning_rate(s) for s in range(step))


@dataclass(frozen=True)
class MarginRecipe:
    """Adam on cross entropy over all inputs plus a homogeneous regulariser that fades.

    The objective is ``cross entropy + regularization * sum_i |theta_i|^nu``, with ``theta_i`` all weights of neuron
    i and ``nu`` the degree in which logits grow with them. As the regularisation goes to 0 its minimisers go to
    networks of largest normalized margin (Wei et al., arXiv 1810.05369; Morwani et al., arXiv 2311.07568).

    Parameters
    ----------
    width : int
        Neurons; at least those of ``max_margin_network`` are known to suffice.
    lr : float
        Peak learning rate.
    steps : int
        Optimiser steps; every circuit takes them all.
    warmup : int
        Steps of linear warm-up.
    tail : float
        Share of ``lr`` where its cosine ends; above 0, so that weights still follow the fading regularisation.
    regularization_first, regularization_last : float
        Regularisation at the first and last step, geometric in between. Where the first is well above the task's
        ``max_margin``, all neurons die before they have learnt anything, to revive only when it has faded.
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
        If a number is out of range.
    """

    width: int = 240
    lr: float = 1e-2
    steps: int = 2000
    warmup: int = 10
    tail: float = 0.1
    regularization_first: float = 1e-3
    regularization_last: float = 1e-5
    batch_size: int = 0
    init_scale: float = 1.0
    beta1: float = 0.9
    beta2: float = 0.98
    name: str = ""

    def __post_init__(self) -> None:
        positive = ("width", "lr", "steps", "regularization_first", "regularization_last", "init_scale")
        for field in positive:
            if getattr(self, field) <= 0:
                raise ValueError(f"{field} must be positive, found {getattr(self, field)}")
        if self.regularization_last > self.regularization_first:
            raise ValueError(f"regularization must not rise, found {self}")
        if self.batch_size < 0 or self.warmup < 0 or not 0 <= self.tail <= 1:
            raise ValueError(f"batch_size and warmup must not be negative and tail lie in [0, 1], found {self}")

    def learning_rate(self, step: int) -> float:
        """Learning rate of step 0, 1, ..., ``steps - 1``."""
        if step < self.warmup:
            return self.lr * (step + 1) / self.warmup
        progress = (step - self.warmup) / max(1, self.steps - self.warmup)
        return self.lr * (self.tail + (1 - self.tail) * 0.5 * (1 + math.cos(math.pi * progress)))

    def regularization(self, step: int) -> float:
        """Weight of the regulariser at step 0, 1, ..., ``steps``."""
        return float(
            self.regularization_first * (self.regularization_last / self.regularization_first) ** (step / self.steps)
        )
