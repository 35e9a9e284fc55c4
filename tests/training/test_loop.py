"""One loop trains every kind of circuit: the same history, snapshots, endings, and divergence that is noticed."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import topomod
from topomod.networks.architectures import trainable
from topomod.networks.circuit import Circuit
from topomod.networks.size import NetworkSize
from topomod.training.draws import pinned_arithmetic
from topomod.training.learner import Learner, Setup
from topomod.training.pairs import PairLearner
from topomod.training.recipes import MarginRecipe, Recipe
from topomod.training.sequences import SEQUENCE_RECIPE
from topomod.training.train import learner_class, run
from topomod.training.watcher import Watcher

P = topomod.ModularAddition(7)
SMALL = NetworkSize(d_model=16, d_mlp=32, n_heads=2)
PAIRS, SEQUENCES, MARGIN = (
    Recipe(steps=31, max_steps=40),
    replace(SEQUENCE_RECIPE, steps=31, max_steps=40),
    MarginRecipe(steps=40, width=8),
)
KINDS: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "mlp_add": ("mlp_add", P, {"recipe": PAIRS, "size": SMALL}),
    "mlp_concat": ("mlp_concat", P, {"recipe": PAIRS, "size": SMALL}),
    "rnn": ("rnn", P, {"recipe": PAIRS, "size": SMALL}),
    "attention_0": ("attention", P, {"recipe": PAIRS, "size": SMALL, "attention_rate": 0.0}),
    "attention_1": ("attention", P, {"recipe": PAIRS, "size": SMALL, "attention_rate": 1.0}),
    "sequence": ("sequence_transformer", topomod.ModularAddition(5, k=3), {"recipe": SEQUENCES, "size": SMALL}),
    "power": ("power_mlp", P, {"recipe": MARGIN}),
    "power_batches": ("power_mlp", topomod.SparseParity(4, 2), {"recipe": replace(MARGIN, batch_size=5)}),
    "relu": ("relu_mlp", topomod.GroupComposition("S3"), {"recipe": MARGIN}),
}
every_kind = pytest.mark.parametrize("kind", KINDS)


def trained(kind: str, seeds: Sequence[int] = (0,), **changes: Any) -> list[Circuit]:
    architecture, task, arguments = KINDS[kind]
    recipe = replace(arguments["recipe"], **changes.pop("recipe", {}))
    return topomod.train(architecture, task, seeds, device="cpu", **(arguments | {"recipe": recipe} | changes))


def same(x: Circuit, y: Circuit) -> bool:
    return all(np.array_equal(x.weights[name], y.weights[name]) for name in x.weights | y.weights)


def too_fast(kind: str) -> dict[str, float]:
    """What makes a recipe diverge; with a decay it would be refused."""
    recipe = KINDS[kind][2]["recipe"]
    return {"lr": 1e37} | ({"weight_decay": 0.0} if hasattr(recipe, "weight_decay") else {})


class Record(Watcher):
    def __init__(self) -> None:
        self.told: list[Any] = []

    def start(self, n_circuits: int, n_steps: int) -> None:
        self.told.append(("start", n_circuits, n_steps))

    def step(self, n_circuits: int) -> None:
        self.told.append(n_circuits)

    def circuit(self, circuit: Circuit) -> None:
        self.told.append(circuit)


def test_every_trainable_architecture_has_a_learner() -> None:
    assert sorted(trainable()) == sorted({architecture for architecture, *_ in KINDS.values()})
    for architecture, task, arguments in KINDS.values():
        kind = learner_class(architecture)
        setup = Setup(architecture, task, arguments["recipe"], arguments.get("attention_rate"), arguments.get("size"))
        assert isinstance(kind(setup, [0]), Learner)


@every_kind
def test_a_history_has_a_number_for_every_step(kind: str) -> None:
    for circuit in trained(kind, [0, 1]):
        assert {"loss", "accurate"} <= set(circuit.history)
        for name, values in circuit.history.items():
            assert values.shape == (circuit.step + 1,)
            assert values.dtype == (bool if name == "accurate" else np.float32)
        assert circuit.step == circuit.recipe.last_step == 40 or circuit.converged
        assert circuit.converged == (circuit.reason == "")


@every_kind
def test_snapshots_are_one_circuit_along_its_training(kind: str) -> None:
    if not learner_class(KINDS[kind][0]).has_snapshots:
        with pytest.raises(ValueError, match="has no snapshots, found"):
            trained(kind, snapshots=[3])
        return
    seen = trained(kind, [4, 2], snapshots=[31, 0, 7, 7])
    assert [(c.seed, c.step) for c in seen] == [(4, 0), (4, 7), (4, 31), (2, 0), (2, 7), (2, 31)]
    for i, last in enumerate(trained(kind, [4, 2], recipe={"max_steps": 31})):
        own = seen[3 * i : 3 * i + 3]
        assert same(own[2], last) and not same(own[0], own[1])
        for circuit in own:
            assert np.array_equal(circuit.history["loss"], last.history["loss"][: circuit.step + 1])


def test_snapshots_are_non_negative() -> None:
    with pytest.raises(ValueError, match=r"snapshots must be non-negative steps, found \[3, -1\]"):
        trained("mlp_add", snapshots=[3, -1])


@every_kind
def test_the_watcher_is_told_of_every_step_and_circuit(kind: str) -> None:
    record = Record()
    circuits = trained(kind, [3, 1], watcher=record)
    start, *told = record.told
    assert start == ("start", 2, 40)
    assert [item for item in told if isinstance(item, Circuit)] == circuits
    first = told.index(circuits[0])
    assert told[:first] == [1] * circuits[0].step and told[first + 1 : -1] == [1] * circuits[1].step


@every_kind
def test_a_circuit_that_diverges_is_given_up(kind: str) -> None:
    record = Record()
    circuits = trained(kind, [0, 1], recipe=too_fast(kind), watcher=record)
    assert [circuit.seed for circuit in circuits] == [0, 1] == [c.seed for c in record.told if isinstance(c, Circuit)]
    for circuit in circuits:
        assert not circuit.converged and circuit.reason == "diverged" and circuit.step < 40
        assert not circuit.history["accurate"][-1] and not np.isfinite(circuit.history["loss"][-1])
        assert len(circuit.history["loss"]) == circuit.step + 1
        assert np.isfinite(circuit.history["loss"][:-1]).all()


@pytest.mark.parametrize("kind", [kind for kind, row in KINDS.items() if learner_class(row[0]).has_snapshots])
def test_snapshots_of_a_circuit_that_diverges_are_all_there(kind: str) -> None:
    seen = trained(kind, recipe=too_fast(kind), snapshots=[0, 20, 60])
    assert [c.step for c in seen] == [0, 20, 60] and not any(c.converged for c in seen)
    assert [c.reason == "diverged" for c in seen] == [False, True, True]


@pytest.mark.parametrize(("weight", "poison"), [("W_E", np.nan), ("W_in", np.inf)])
def test_the_others_of_a_stack_do_not_notice_one_that_diverges(weight: str, poison: float) -> None:
    """Of the others, seed 2 converges at step 100 and seed 1 does not converge."""
    recipe = Recipe(lr=2e-2, weight_decay=1.0, steps=100, max_steps=110, train_fraction=0.95, min_purity=0.3)
    setup = Setup("mlp_add", topomod.ModularAddition(13), recipe, size=NetworkSize())
    with pinned_arithmetic():
        plain = run(PairLearner(setup, [0, 1, 2]))
        learner = PairLearner(setup, [0, 1, 2])
        learner._weights[weight].data[0] = poison
        found = run(learner)
    assert [(c.seed, c.step, c.converged) for c in plain] == [(0, 100, True), (1, 110, False), (2, 100, True)]
    assert (found[0].seed, found[0].step, found[0].converged, found[0].reason) == (0, 0, False, "diverged")
    for other, expected in zip(found[1:], plain[1:], strict=True):
        assert same(other, expected) and other.history.keys() == expected.history.keys()
        assert all(np.array_equal(other.history[name], values) for name, values in expected.history.items())
        for field in ("seed", "step", "converged", "reason"):
            assert getattr(other, field) == getattr(expected, field)


def test_weights_that_are_not_finite_count_as_diverged_where_the_loss_does_not_show_it() -> None:
    """At attention rate 0 nothing depends on the queries."""
    architecture, task, arguments = KINDS["attention_0"]
    setup = Setup(architecture, task, replace(PAIRS, weight_decay=0.0), 0.0, SMALL)
    learner = PairLearner(setup, [0])
    learner._weights["W_Q"].data[0, 0, 0] = np.nan
    with pinned_arithmetic():
        (circuit,) = run(learner)
    assert np.isfinite(circuit.history["loss"]).all()
    assert not circuit.converged and circuit.reason == "diverged"


class Scripted(Learner):
    """A learner that meets the criterion, or diverges, from given steps on; checked every 4 steps from step 10 on."""

    default_recipe, default_size, devices, has_snapshots, look_every = Recipe(), None, ("cpu",), True, 5

    def __init__(self, right_from: list[int], diverges_at: list[int]) -> None:
        super().__init__(Setup("mlp_add", P, Recipe(steps=10, max_steps=33)), range(len(right_from)))
        self.right_from, self.diverges_at, self.step, self.rates = np.array(right_from), np.array(diverges_at), 0, []

    @staticmethod
    def accepts(task: object) -> str:
        return ""

    def forward(self, step: int) -> dict[str, np.ndarray]:
        assert len(self.rates) == step, "one update between two steps"
        self.step = step
        return {"loss": np.where(step < self.diverges_at, 1, np.nan).astype(np.float32)}

    def look(self) -> dict[str, np.ndarray]:
        return {"accurate": self.step >= self.right_from}

    def due(self, step: int) -> bool:
        return step >= 10 and (step - 10) % 4 == 0

    def reasons(self) -> list[str]:
        return ["" if right else "not yet" for right in self.look()["accurate"]]

    def update(self, learning_rate: float) -> None:
        self.rates.append(learning_rate)

    def weights(self, index: int) -> dict[str, np.ndarray]:
        return {"step": np.array(self.step)}


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 60)), min_size=1, max_size=4))
def test_when_the_loop_finishes_a_circuit(scripts: list[tuple[int, int]]) -> None:
    right_from, diverges_at = map(list, zip(*scripts, strict=True))
    learner = Scripted(right_from, diverges_at)
    circuits = run(learner)
    for i, (right, diverges) in enumerate(scripts):
        kept = next((step for step in range(10, 34, 4) if step >= right), 33)
        wanted = "diverged" if diverges <= kept else "" if right <= 33 else "not yet"
        found = circuits[i]
        assert (found.seed, found.step, found.reason) == (i, min(kept, diverges), wanted)
        assert found.weights["step"] == found.step and len(found.history["loss"]) == found.step + 1
        looks = [s for s in range(34) if s % 5 == 0 or (s >= 10 and (s - 10) % 4 == 0)]
        accurate = [max(s for s in looks if s <= step) >= right and step < diverges for step in range(found.step + 1)]
        assert np.array_equal(found.history["accurate"], accurate)
    assert len(learner.rates) == max(circuit.step for circuit in circuits)
    rate = learner.setup.recipe.learning_rate
    assert learner.rates == [rate(step, retrying=True) for step in range(len(learner.rates))]
