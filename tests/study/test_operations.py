"""A study of several tasks, from training to its page; and tables of tasks with and without a symmetry."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import topomod
from stages import run_stages
from synthetic_study import DEFAULT
from topomod.networks.labels import Label
from topomod.report.section_operations import same_disc
from topomod.study.check import check_study, load_study
from topomod.study.config import Study
from topomod.study.shards import CIRCUITS, StudyFolder
from topomod.study.yaml_files import StudyError
from topomod.tasks.catalogue import parse_task
from topomod.training.recipes import MarginRecipe, Recipe

ROOT = Path(__file__).resolve().parents[2]
P = 13
SHORT = Recipe(steps=150, max_steps=150, train_fraction=0.95, min_purity=0.5)
SMALL = topomod.NetworkSize(d_model=32, d_mlp=96, n_heads=2)
OPERATIONS = ("a - b", "2 * a + 3 * b", "a * b", "a**3 + a*b")


def small_study(**changes: Any) -> Study:
    return check_study(
        DEFAULT
        | {"study": "several", "p": P, "task": "a - b", "architectures": ["mlp_concat", "rnn"]}
        | {"seeds": {"first": 0, "count": 2}, "shard_size": 2, "maturity": {"count": 0, "steps": [1]}}
        | {"recipe": {"steps": 150, "max_steps": 150, "train_fraction": 0.95, "min_purity": 0.5}}
        | {"network": {"d_model": 32, "d_mlp": 96, "n_heads": 2}, "min_neurons": 6}
        | {"positive_control": None, "negative_control": None, "main_pair": None}
        | {"questions": []}  # 2 circuits answer none
        | changes
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Study, StudyFolder]:
    """A finished study of three operations."""
    variants = {"product": {"task": "a*b"}, "cubic": {"task": "a**3 + a*b"}, "D5": {"task": "D5"}}
    names = ["mlp_concat", "rnn", "mlp_concat@product", "rnn@cubic", "mlp_concat@D5"]
    study = small_study(architectures=names, variants=variants)
    folder = StudyFolder(tmp_path_factory.mktemp("study") / "several")
    run_stages(study, folder)
    return study, folder


def table(study: Study, folder: StudyFolder, name: str) -> pd.DataFrame:
    return pd.concat([pd.read_parquet(folder.population(shard) / f"{name}.parquet") for shard in study.shards()])


def test_circuits_come_back_with_their_tasks(finished: tuple[Study, StudyFolder]) -> None:
    study, folder = finished
    for shard in study.shards():
        circuit = topomod.load_circuit(folder.population(shard) / CIRCUITS)
        assert circuit.task == study.task_of(shard.label) and circuit.label == str(shard.label)
    tasks = {str(label): str(study.task_of(label)) for label in study.labels}
    assert tasks["mlp_concat@product"] == "a * b mod 13" and tasks["rnn@cubic"] == "a**3 + a * b mod 13"


def test_groups_of_a_difference_and_of_a_product_wind_as_the_task(finished: tuple[Study, StudyFolder]) -> None:
    study, folder = finished
    circuits, groups = table(study, folder, "circuits"), table(study, folder, "groups")
    right = circuits[circuits["accuracy"] > 0.95]
    strong = groups.merge(right[["architecture", "seed"]]).query("n_neurons >= 12 and coordinate_circle_cka > 0.9")
    for name, windings in (("mlp_concat", (1, -1)), ("mlp_concat@product", (1, 1))):
        own = strong[strong["architecture"] == name]
        assert len(own) >= 2 and (own[["winding_a", "winding_b"]].dropna() == windings).all().all()
    labels = table(study, folder, "homology")
    found = labels.query("architecture == 'mlp_concat' and site == 'logits' and label == 'circle'")["winding"]
    assert set(found) <= {"(1, -1)"}


def test_a_task_without_symmetry_has_circuits_and_nothing_of_groups(finished: tuple[Study, StudyFolder]) -> None:
    study, folder = finished
    circuits = table(study, folder, "circuits").query("architecture == 'rnn@cubic'")
    assert len(circuits) == 2 and (circuits["n_groups"] == 0).all() and circuits["purity"].isna().all()
    assert circuits["gradient_symmetricity"].between(-1, 1).all() and circuits["distance_irrelevance"].isna().all()
    for name in ("groups", "homology", "phases"):
        assert "rnn@cubic" not in set(table(study, folder, name)["architecture"])


def test_networks_of_a_group_are_told_apart_by_irrep(finished: tuple[Study, StudyFolder]) -> None:
    study, folder = finished
    circuits = table(study, folder, "circuits").query("architecture == 'mlp_concat@D5'")
    assert (circuits["best_irrep_share"] > circuits["best_irrep_chance"]).all()
    assert circuits["coset_concentration"].between(0, 1).all() and circuits["n_irreps"].between(1, 3).all()
    assert "concentration on cosets" in folder.report.read_text()


def test_architectures_are_compared_within_a_task_and_the_page_says_so(finished: tuple[Study, StudyFolder]) -> None:
    study, folder = finished
    verdicts = pd.read_parquet(folder.table("verdicts"))
    assert set(zip(verdicts["x"], verdicts["y"], strict=True)) == {("mlp_concat", "rnn")}
    page = folder.report.read_text()
    assert "representation of a - b mod 13, a * b mod 13, a**3 + a * b mod 13, D5?" in page
    assert "a**3 + a * b is neither a weighted sum of a and b nor one product of their powers" in page
    assert "Which tasks are learnt" in page and "(1, -1)" in page


@pytest.mark.parametrize(
    ("architecture", "operation"),
    [*(("mlp_concat", operation) for operation in OPERATIONS), ("rnn", "a - b"), ("attention", "a * b")],
)
def test_pair_networks_learn_operations(architecture: str, operation: str, tmp_path: Path) -> None:
    task = topomod.ModularOperation(operation, P)
    rate = 0.5 if architecture == "attention" else None
    recipe = replace(SHORT, steps=60, max_steps=60, weight_decay=0.1)
    (circuit,) = topomod.train(architecture, task, [0], attention_rate=rate, recipe=recipe, size=SMALL, device="cpu")
    assert circuit.history["loss"][-1] < circuit.history["loss"][0] / 2, circuit.history["loss"][-1]
    assert circuit.logits().shape == (*task.input_shape, task.n_classes) and circuit.accuracy() > 0.2
    topomod.save_circuits(tmp_path / "one.safetensors", [circuit])
    again = topomod.load_circuit(tmp_path / "one.safetensors")
    assert again.task == task and np.array_equal(again.logits(), circuit.logits())


@pytest.mark.parametrize("name", ["S3", "Dic3", "C3xC3"])
def test_pair_networks_learn_groups_and_tables(name: str, tmp_path: Path) -> None:
    group = topomod.GroupComposition(name)
    pair = (group, topomod.CayleyTable(group.targets()))
    recipe = Recipe(steps=80, max_steps=80, train_fraction=0.99, weight_decay=0.1)
    first, second = (
        topomod.train("mlp_concat", task, [0], recipe=recipe, size=SMALL, device="cpu")[0] for task in pair
    )
    assert first.accuracy() == second.accuracy() > 0.98 and first.reason in ("", "wrong on some pairs")  # not purity
    assert all(np.array_equal(first.weights[key], second.weights[key]) for key in first.weights)
    topomod.save_circuits(tmp_path / "one.safetensors", [second])
    assert topomod.load_circuit(tmp_path / "one.safetensors").task == pair[1]


def test_a_sum_trains_to_the_bits_of_addition() -> None:
    recipe = replace(SHORT, steps=40, max_steps=40)
    tasks = (topomod.ModularAddition(P), topomod.ModularOperation("a + b", P))
    for architecture, rate in (("mlp_add", None), ("attention", 1.0)):
        one, other = (
            topomod.train(architecture, task, [3], attention_rate=rate, recipe=recipe, size=SMALL, device="cpu")[0]
            for task in tasks
        )
        assert all(np.array_equal(one.weights[key], other.weights[key]) for key in one.weights)


@pytest.mark.parametrize("task", [topomod.ModularOperation("a - b", 7), topomod.CayleyTable([[0, 1, 2], [1, 1, 0]])])
@pytest.mark.parametrize("architecture", ["power_mlp", "relu_mlp"])
def test_power_networks_learn_operations_and_tables(architecture: str, task: Any) -> None:
    (circuit,) = topomod.train(architecture, task, [0], recipe=MarginRecipe(width=40, steps=400))
    assert circuit.accuracy() == 1
    rows = topomod.margin_circuit_rows([circuit])
    known = architecture == "power_mlp" and task.symmetry is not None
    assert rows["margin_ratio"].notna().all() == known
    neurons = topomod.margin_neuron_rows([circuit])
    assert (neurons["feature"] == "").all() == (task.symmetry is None)


class Shifted(topomod.ModularAddition):
    """Addition in all but its targets; it describes itself as addition."""

    def targets(self) -> np.ndarray:
        """One more than the sum, (p, p)."""
        return (super().targets() + 1) % self.p


def test_a_task_that_would_come_back_as_addition_is_not_written(tmp_path: Path) -> None:
    recipe = replace(SHORT, steps=1, max_steps=1)
    circuits = topomod.train("mlp_add", Shifted(P), [0], recipe=recipe, size=SMALL, device="cpu")
    with pytest.raises(ValueError, match="a task of its own needs a kind of its own in TASK_KINDS"):
        topomod.save_circuits(tmp_path / "own.safetensors", circuits)
    assert list(tmp_path.iterdir()) == []


def test_what_an_architecture_cannot_learn_is_refused() -> None:
    with pytest.raises(ValueError, match="mlp_add gives \\(a, b\\) and \\(b, a\\) one class, which .*a - b.* does not"):
        topomod.train("mlp_add", topomod.ModularOperation("a - b", 7), [0])
    with pytest.raises(
        ValueError, match="attention reads both tokens by one embedding, and .* has 1 of the first and 2"
    ):
        topomod.train("attention", topomod.CayleyTable([[0, 1]]), [0], attention_rate=0.0)
    with pytest.raises(ValueError, match="sequence_transformer learns sums and differences mod p, found"):
        topomod.train("sequence_transformer", topomod.ModularOperation("a * b", 7), [0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task": "a -"}, "the operation 'a -' is not an expression; allowed are a, b, whole numbers"),
        ({"task": "a / (a + b)"}, "divides by a sum"),
        ({"task": "a * c"}, "unknown task 'a \\* c'; known: addition, .*an operation such as \"a - b\""),
        ({"p": 12, "task": "a / b"}, "divides, which needs a prime p, found p = 12"),
        ({"task": 7}, "a task is a name .* or {table: rows}, found 7"),
        ({"task": {"tables": [[0]]}}, "or {table: rows}, found {'tables'"),
        ({"task": {"table": [[0, 1], [1]]}}, "a table must have rows of one length"),
        ({"task": {"table": [[0, 0.5]]}}, "a table must hold whole numbers, found float64"),
        (
            {"task": "a * b", "ablation": True},
            "ablation is for tasks that add or subtract numbers mod p, found a \\* b",
        ),
        ({"architectures": ["mlp_add", "rnn"]}, "mlp_add gives .* one class, which the task a - b mod 13 does not"),
        ({"variants": {"x": {"task": "a +* b"}}}, "key 'variants.x': the operation"),
    ],
)
def test_wrong_tasks_are_refused_before_any_job(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(StudyError, match=message):
        small_study(**changes)


def test_tasks_of_a_study() -> None:
    study = small_study(
        task={"table": [[0, 1], [1, 0]]}, variants={"x": {"task": "a-b"}}, architectures=["rnn"], questions=[]
    )
    assert study.task_of(Label("rnn")) == topomod.CayleyTable([[0, 1], [1, 0]])
    assert study.task_of(Label("rnn", variant="x")) == parse_task("a - b", P)
    assert '"table":[[0,1],[1,0]]' in study.training_settings(Label("rnn"))


def test_the_study_of_operations() -> None:
    study = load_study(ROOT / "config" / "operations.yaml", base=ROOT / "config" / "config.yaml")
    tasks = list(dict.fromkeys(str(study.task_of(label)) for label in study.labels))
    operations = ("a + b", "a - b", "a * b", "a**2 + b**2", "a**3 + a * b")
    assert tasks == [f"{operation} mod 59" for operation in operations]
    assert len(study.labels) == 10 and sum(map(len, study.shards())) == 160


def test_the_study_of_groups() -> None:
    study = load_study(ROOT / "config" / "finite_group_networks.yaml", base=ROOT / "config" / "config.yaml")
    assert {str(study.task_of(label)) for label in study.labels} == {"S3", "S4", "D7", "A5"}


@pytest.mark.parametrize(
    ("answers", "shares", "reading"),
    [
        (("the same", "the same"), (0.9, 0.8), "the same disc"),
        (("the same", "the same"), (0.9, 0.2), "the same, but no disc"),
        (("the same", "not decided"), (0.9, 0.9), "not decided"),
        (("the same", "differs, size open"), (0.9, 0.9), "different"),
        (("different", "not decided"), (0.9, 0.9), "different"),
        (("the same",), (0.9, 0.9), "not decided"),
    ],
)
def test_the_same_disc_is_read_by_a_rule(answers: tuple[str, ...], shares: tuple[float, float], reading: str) -> None:
    """Never from what is not decided, nor across tasks, nor where there are no frequencies."""
    variants = {"cubic": {"task": "a**3 + a*b"}, "sum": {"task": "addition"}}
    study = small_study(architectures=["mlp_concat", "rnn", "rnn@sum", "rnn@cubic"], variants=variants)
    columns = dict(zip(("mean_x", "mean_y"), shares, strict=True))
    rows = [
        {"role": "pair", "x": "mlp_concat", "y": "rnn", "endpoint": name, "answer": answer} | columns
        for name, answer in zip(("share_disc_preactivations", "disc_cka"), answers, strict=False)
    ]
    found = same_disc(study, pd.DataFrame(rows))
    assert [(row["task"], row["reading"]) for row in found["disc_rows"]] == [
        ("a - b mod 13", reading),
        ("a**3 + a * b mod 13", "no frequencies"),
    ]
    assert len(found["disc_sentences"]) == 2 and found["disc_sentences"][0].endswith(": a - b mod 13.")
