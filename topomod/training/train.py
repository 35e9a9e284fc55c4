"""Train circuits: one loop for every architecture.

A kind of training is a *learner* (:class:`topomod.training.learner.Learner`); the loop below knows nothing else of it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from topomod.networks.architectures import ARCHITECTURES, resolve, trainable
from topomod.networks.circuit import Circuit
from topomod.networks.size import NetworkSize
from topomod.tasks.task import Task
from topomod.training.draws import check_seeds, pinned_arithmetic
from topomod.training.learner import Learner, Numbers, Setup
from topomod.training.recipes import MarginRecipe, Recipe
from topomod.training.watcher import Watcher

DIVERGED = "diverged"


def learner_class(architecture: str) -> type[Learner]:
    """How an architecture is trained.

    Raises
    ------
    ValueError
        For an architecture that is not trained here.
    """
    if architecture not in trainable():
        raise ValueError(f"unknown architecture {architecture!r}; known: {', '.join(trainable())}")
    kind: type[Learner] = resolve(ARCHITECTURES[architecture].learner)
    return kind


def train(
    architecture: str,
    task: object,
    seeds: Sequence[int],
    *,
    attention_rate: float | None = None,
    recipe: Recipe | MarginRecipe | None = None,
    size: NetworkSize | None = None,
    device: str = "auto",
    snapshots: Sequence[int] = (),
    watcher: Watcher | None = None,
) -> list[Circuit]:
    """Train one circuit per seed.

    A circuit is decided by (architecture, attention_rate, task, recipe, size, seed) alone, on a CPU to the last bit.
    What it must reach to count as converged is its learner's criterion:

    * :class:`topomod.training.pairs.PairLearner` (``mlp_add``, ``mlp_concat``, ``rnn``, ``attention``),
    * :class:`topomod.training.sequences.SequenceLearner` (``sequence_transformer``),
    * :class:`topomod.training.power_mlp.MaxMarginLearner` (``power_mlp``, ``relu_mlp``).

    A circuit that does not reach it is returned as it is at the last step, with ``converged`` False and the reason.
    One whose loss or weights are no longer finite is given up with the reason ``diverged``.

    Parameters
    ----------
    architecture : str
        One of the names above.
    task : ModularAddition, ModularOperation, CayleyTable, GroupComposition or SparseParity
        What to learn. Power networks learn every task, ``sequence_transformer`` sums and differences mod p, the others
        every task of two tokens; ``mlp_add`` only where (a, b) and (b, a) have one class.
    seeds : sequence of int
        Non-negative.
    attention_rate : float, optional
        For ``attention`` only, in [0, 1]: 0 is uniform, 1 is learnable.
    recipe : Recipe, or MarginRecipe for power networks, optional
        Defaults to the learner's ``default_recipe``.
    size : NetworkSize, optional
        Defaults to the learner's ``default_size``. Power networks have none: their recipe has a ``width``.
    device : {"auto", "cpu", "cuda"}
        ``auto`` takes CUDA when there is one and the learner can use it.
    snapshots : sequence of int, optional
        With it each seed yields one circuit per given step instead: the same circuit, looked at along its training.
        Past ``recipe.steps`` it goes on at ``recipe.tail_lr``, where a circuit that is to converge is warmed up again.
        Not for power networks.
    watcher : Watcher, optional
        Is told of every step, and of every circuit as soon as it is finished.

    Returns
    -------
    list of Circuit
        In the order of ``seeds``; the snapshots of one seed in the order of their steps.

    Raises
    ------
    ValueError
        For an unknown architecture, a task, rate, recipe, size, device or snapshots that do not fit it, no seeds or a
        bad seed.

    References
    ----------
    Convention of the attention rate: Zhong et al., arXiv 2306.17844.
    """
    kind = learner_class(architecture)
    check_seeds(seeds)
    if not isinstance(task, Task):
        raise ValueError(f"{architecture} learns a task such as ModularAddition, found {task!r}")
    if refusal := ARCHITECTURES[architecture].refusal(task):
        raise ValueError(f"{architecture} {refusal}")
    _check_choices(kind, architecture, attention_rate, recipe, size, snapshots)
    place = _place(kind, architecture, device)
    recipe, size = recipe or kind.default_recipe, size or kind.default_size
    setup = Setup(architecture, task, recipe, attention_rate, size, place)
    watcher = watcher or Watcher()
    watcher.start(len(seeds), max(snapshots, default=recipe.last_step))
    # one at a time on a CPU: a block of pairs then fits the cache, and a circuit is the same to the last bit in any
    # block of seeds
    together = len(seeds) if place.type == "cuda" else 1
    circuits = []
    with pinned_arithmetic():
        for start in range(0, len(seeds), together):
            learner = kind(setup, [int(seed) for seed in seeds[start : start + together]])
            circuits += run(learner, snapshots, watcher)
    return circuits


def run(learner: Learner, snapshots: Sequence[int] = (), watcher: Watcher | None = None) -> list[Circuit]:
    """Train the circuits of one learner together, to the last snapshot or until all are finished.

    A circuit is finished when it meets the criterion at a step where it may be kept, when it has diverged, or at the
    recipe's last step. The others then go on as if it were still there.

    Returns
    -------
    list of Circuit
        In the order of the learner's seeds, then of steps.
    """
    recipe, watcher = learner.setup.recipe, watcher or Watcher()
    last = max(snapshots, default=recipe.last_step)
    circuits: list[list[Circuit]] = [[] for _ in learner.seeds]
    history: list[Numbers] = []
    for step in range(last + 1):
        numbers = learner.forward(step)
        wanted = step in snapshots if snapshots else learner.due(step)
        if wanted or step % learner.look_every == 0:
            seen = learner.look()
        finite = np.isfinite(numbers["loss"])
        history.append(numbers | seen | {"accurate": seen["accurate"] & finite})

        reasons = dict(enumerate(learner.reasons())) if wanted or step == last else {}
        reasons |= {int(i): DIVERGED for i in np.flatnonzero(~finite)}
        for i, reason in reasons.items():
            finished = not snapshots and (reason in ("", DIVERGED) or step == last)
            if step in snapshots or (finished and not circuits[i]):
                circuits[i].append(_circuit(learner, i, reason, history))
                watcher.circuit(circuits[i][-1])

        if step == last or (not snapshots and all(circuits)):
            break
        learner.update(recipe.learning_rate(step, retrying=not snapshots))
        watcher.step(len(circuits))
    return [circuit for own in circuits for circuit in own]


def _circuit(learner: Learner, index: int, reason: str, history: list[Numbers]) -> Circuit:
    """One circuit as it is now; ``history`` has a row for each step and the current weights."""
    setup, weights = learner.setup, learner.weights(index)
    if not all(np.isfinite(value).all() for value in weights.values()):
        reason = DIVERGED
    return Circuit(
        architecture=setup.architecture,
        task=setup.task,
        weights=weights,
        seed=learner.seeds[index],
        attention_rate=None if setup.attention_rate is None else float(setup.attention_rate),
        recipe=setup.recipe,
        step=len(history) - 1,
        converged=not reason,
        reason=reason,
        history={name: np.array([row[name][index] for row in history]) for name in history[0]},
    )


def _check_choices(
    kind: type[Learner],
    architecture: str,
    attention_rate: float | None,
    recipe: Recipe | MarginRecipe | None,
    size: NetworkSize | None,
    snapshots: Sequence[int],
) -> None:
    """Raise a ValueError for what does not fit the architecture."""
    if ARCHITECTURES[architecture].takes_rate:
        if attention_rate is None or not 0 <= attention_rate <= 1:
            raise ValueError(f"{architecture} needs attention_rate in [0, 1], found {attention_rate!r}")
    elif attention_rate is not None:
        raise ValueError(f"{architecture} has no attention, found attention_rate {attention_rate!r}")
    wanted = type(kind.default_recipe)
    if recipe is not None and not isinstance(recipe, wanted):
        raise ValueError(f"{architecture} trains by a {wanted.__name__}, found {recipe!r}")
    if size is not None and kind.default_size is None:
        raise ValueError(f"{architecture} takes its width from the recipe, found {size!r}")
    if snapshots and not kind.has_snapshots:
        raise ValueError(f"{architecture} has no snapshots, found {list(snapshots)}")
    if min(snapshots, default=0) < 0:
        raise ValueError(f"snapshots must be non-negative steps, found {list(snapshots)}")


def _place(kind: type[Learner], architecture: str, device: str) -> torch.device:
    """Where to train; a ValueError if it is not one of the learner's devices."""
    if device == "auto":
        device = "cuda" if "cuda" in kind.devices and torch.cuda.is_available() else "cpu"
    if device not in kind.devices:
        raise ValueError(f"{architecture} trains on auto or {' or '.join(kind.devices)}, found device {device!r}")
    return torch.device(device)
