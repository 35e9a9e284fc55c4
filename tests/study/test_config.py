"""A wrong study is refused before any job starts, in one sentence that names the key."""

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthetic_study import DEFAULT
from topomod.networks.labels import Label
from topomod.study.check import check_study, load_study
from topomod.study.endpoint_catalogue import all_endpoints
from topomod.study.shards import SeedBlock, Shard
from topomod.study.yaml_files import StudyError

ROOT = Path(__file__).resolve().parents[2]


def changed(**changes: Any) -> dict[str, Any]:
    config = copy.deepcopy(DEFAULT)
    for path, value in changes.items():
        *folders, key = path.split("__")
        place = config
        for folder in folders:
            place = place.setdefault(folder, {})
        place[key] = value
    return config


def test_default_study() -> None:
    study = load_study(ROOT / "config" / "config.yaml")
    assert study.p == 59 and study.seeds.count == 54 and len(study.architectures) == 4
    assert set(study.margins) == set(all_endpoints())
    assert len(study.shards()) == 8 and str(study.shards()[0]) == "mlp_add/54000-54026"


@pytest.mark.parametrize("name", ["quick", "paper"])
def test_other_studies_on_top_of_the_default(name: str) -> None:
    study = load_study(ROOT / "config" / f"{name}.yaml", base=ROOT / "config" / "config.yaml")
    assert set(study.margins) == set(all_endpoints()) and study.recipe.steps == 500
    assert sum(map(len, study.shards())) == {"quick": 24, "paper": 703}[name]


def test_more_seeds_keep_the_old_shards() -> None:
    old = check_study(changed(seeds={"first": 0, "count": 54})).shards()
    new = check_study(changed(seeds={"first": 0, "count": 81})).shards()
    assert set(old) < set(new)


def test_settings_do_not_move_with_what_a_stage_does_not_use() -> None:
    plain, other = check_study(DEFAULT), check_study(changed(alpha=0.01, margins__disc_cka__margin=0.2))
    assert plain.training_settings(Label("mlp_add")) == other.training_settings(Label("mlp_add"))
    assert plain.population_settings() == other.population_settings()
    assert plain.equivalence_settings() != other.equivalence_settings()


def test_a_variant_states_what_differs() -> None:
    study = check_study(
        changed(
            recipe__steps=400,
            variants={"long": {"recipe": {"steps": 900}}},
            architectures=["mlp_add@long"],
            positive_control=None,
            negative_control=None,
            questions=[],
        )
    )
    plain, long = Label("mlp_add"), Label("mlp_add", variant="long")
    assert study.recipe_of(long)["steps"] == 900 and study.recipe_of(plain)["steps"] == 400
    assert study.recipe_of(long)["name"] == "long" and study.recipe_of(long)["lr"] == study.recipe.lr
    assert study.shards()[0].label == long


def test_labels_are_canonical_wherever_they_stand() -> None:
    study = check_study(
        changed(
            architectures=["attention_0", "attention_1", "mlp_add"],
            negative_control="attention_0",
            positive_control=["attention_0.00", "mlp_add"],
            main_pair=["attention_1.00", "attention_0"],
            seeds={"first": 0, "count": 4, "counts": {"attention_1": 30}},
        )
    )
    assert study.architectures == ["attention_0.0", "attention_1.0", "mlp_add"]
    assert (study.negative_control, study.positive_control) == ("attention_0.0", ("attention_0.0", "mlp_add"))
    assert study.main_pair == ("attention_1.0", "attention_0.0")
    assert study.count_of(Label("attention", 1.0)) == 30 and study.count_of(Label("mlp_add")) == 4
    with pytest.raises(StudyError, match="key 'seeds.counts': architectures must be distinct"):
        check_study(changed(seeds={"first": 0, "count": 4, "counts": {"attention_1": 30, "attention_1.0": 20}}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"colour": "red"},
            "unknown key 'colour'; allowed here: p, task, network, recipe, margin_recipe, architectures",
        ),
        (
            {"variants": {"long": {"recipe": {"speed": 2}}}},
            "unknown key 'variants.long.recipe.speed'; allowed here: lr, weight_decay",
        ),
        ({"variants": {"long": {"task": "sorting"}}}, "key 'variants.long': unknown task 'sorting'; known: addition, "),
        (
            {"architectures": ["mlp_add", "mlp_concat", "attention_0.0", "power_mlp"]},
            "architectures of one study are trained and measured alike, found ",
        ),
        ({"task": "addition_3"}, "mlp_add reads two tokens, found the task addition_3 mod 59"),
        ({"task": "S3"}, "mlp_add gives .a, b. and .b, a. one class, which the task S3 does not"),
        (
            {
                "architectures": ["sequence_transformer"],
                "positive_control": None,
                "negative_control": None,
                "maturity": {"count": 0, "steps": [1]},
            },
            "sequence_transformer needs a recipe with batches 1 and min_purity 0, found batches 2, min_purity 0.9",
        ),
        (
            {"architectures": ["power_mlp"], "positive_control": None, "negative_control": None, "ablation": True},
            "ablation and maturity are for mlp_add, mlp_concat, rnn, attention_<rate>; found ablation True",
        ),
        (
            {"architectures": ["mlp_add", "mlp_concat", "attention_0.0", "mlp_add@x"], "variants": {"x": {"p": 31}}},
            "mlp_add@x is compared at p = 59, found p = 31",
        ),
        ({"task": "parity_3_4"}, "parity needs 1 <= k <= n <= 20, found n = 3, k = 4"),
        ({"variants": {"long": {"recipe": {"lr": -1}}}}, "key 'variants.long.recipe.lr'"),
        (
            {"architectures": ["mlp_add@long", "mlp_concat"], "positive_control": None, "negative_control": None},
            "'mlp_add@long' names none of 'variants', which has \\[\\]",
        ),
        ({"architectures": ["mlp_add@", "mlp_concat"]}, "unknown architecture 'mlp_add@'"),
        ({"families": {"all": ["disc_cka"]}}, "every endpoint belongs to one family; in no family: "),
        ({"families__twice": ["pad"]}, "in two families: pad"),
        ({"families__mechanism": ["speed"]}, "unknown: speed"),
        ({"recipe__batches": 1394}, "mlp_add trains on 2785 inputs of .*: batches must be at most 1393, found 1394"),
        ({"recipe__lr": 0.5}, "lr and tail_lr times weight_decay must be below 1, since a step takes .*, found 1.2"),
        ({"recipe__speed": 2}, "unknown key 'recipe.speed'; allowed here: lr, weight_decay"),
        ({"margins__disc_cka__width": 1}, "unknown key 'margins.disc_cka.width'; allowed here: margin, reason"),
        (
            {"architectures": ["mlp_ad"]},
            "unknown architecture 'mlp_ad'; known: mlp_add, mlp_concat, rnn, attention_<rate>",
        ),
        ({"architectures": ["attention_1.5"]}, "unknown architecture 'attention_1.5'"),
        ({"architectures": ["attention_1", "attention_1.0"]}, "must be distinct"),
        ({"architectures": []}, "key 'architectures'"),
        ({"positive_control": ["mlp_add", "mlp_add"]}, "positive_control needs two different architectures"),
        ({"margin_recipe__regularization_last": 1.0}, "regularization_last must be at most regularization_first"),
        (
            {"variants": {"long": {"recipe": {"name": "x"}}}},
            "key 'variants.long.recipe': a variant's name is its key in 'variants', found the name 'x' in its recipe",
        ),
        ({"margin_recipe__speed": 1}, "unknown key 'margin_recipe.speed'; allowed here: width, lr, .*, beta2$"),
        ({"network__d_head": 1}, "unknown key 'network.d_head'; allowed here: d_model, d_mlp, n_heads$"),
        ({"network__d_model": 6}, r"key 'network': d_model must be a multiple of n_heads \(4\), found 6"),
        ({"recipe__lr": float("inf")}, "key 'recipe.lr': input should be a finite number"),
        (
            {"architectures": ["power_mlp"], "task": "addition_9", "positive_control": None, "negative_control": None}
            | {"maturity": {"count": 0, "steps": [1]}},
            "power_mlp is looked at on all inputs, at most 1048576",
        ),
        ({"p": 2}, "key 'p': input should be greater than or equal to 3, found 2"),
        ({"p": 59.5}, "key 'p': input should be a valid integer, found 59.5"),
        ({"p": "59"}, "key 'p'"),
        ({"recipe__train_fraction": 1.0}, "key 'recipe.train_fraction': input should be less than 1, found 1.0"),
        ({"recipe__train_fraction": 0}, "key 'recipe.train_fraction': input should be greater than 0, found 0"),
        ({"recipe__max_steps": 10}, r"max_steps must be at least steps \(500\), found 10"),
        ({"seeds__first": -1}, "key 'seeds.first': input should be greater than or equal to 0, found -1"),
        ({"seeds__count": 0}, "key 'seeds.count': input should be greater than or equal to 1, found 0"),
        ({"maturity__steps": [5, 3]}, "non-negative and increasing"),
        ({"negative_control": "attention_0.5"}, "'attention_0.5' is not one of the study's architectures"),
        ({"margins__disc_cka__margin": 0}, "key 'margins.disc_cka.margin': input should be greater than 0, found 0"),
        ({"margins__beauty": {"margin": 1, "reason": "x"}}, "unknown endpoint beauty; known: disc_cka"),
        ({"alpha": 0.7}, "key 'alpha': input should be less than 0.5, found 0.7"),
        ({"study": "../up"}, "key 'study'"),
    ],
)
def test_wrong_studies(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(StudyError, match=message):
        check_study(changed(**changes))


def test_every_endpoint_needs_a_margin() -> None:
    config = copy.deepcopy(DEFAULT)
    del config["margins"]["circularity"]
    with pytest.raises(StudyError, match="no margin for circularity"):
        check_study(config)
    del config["margins"]
    with pytest.raises(StudyError, match="key 'margins' is missing"):
        check_study(config)


def test_unreadable_files(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    with pytest.raises(StudyError, match="cannot be read"):
        load_study(path)
    path.write_text("p: [1")
    with pytest.raises(StudyError, match="not valid YAML"):
        load_study(path)
    path.write_text("- 1")
    with pytest.raises(StudyError, match="must hold keys and values, found list"):
        load_study(path)


@pytest.mark.parametrize(
    "repeated", ["p: 31", "recipe: {steps: 100, steps: 200}", "margins: {pad: {margin: 1, margin: 2}}"]
)
def test_a_key_that_stands_twice_is_refused(repeated: str, tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(f"p: 59\n{repeated}\n")
    with pytest.raises(
        StudyError, match=rf"{path}: is not valid YAML .*key '\w+' stands twice, in line \d and in line 2"
    ):
        load_study(path, ROOT / "config" / "config.yaml")


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_bytes("study: \u00e9t\u00e9".encode("latin-1"))
    with pytest.raises(StudyError, match=f"{path}: is not UTF-8 text"):
        load_study(path)


@given(st.floats(0, 1), st.sampled_from(["", "long", "n10_k4"]))
def test_a_label_reads_what_it_prints(rate: float, variant: str) -> None:
    for label in (Label("attention", rate, variant), Label("mlp_add", None, variant)):
        text = str(label)
        assert Label.parse(text) == label and "e" not in text.partition("_")[2].partition("@")[0].replace("add", "")


@given(st.integers(0, 99_999), st.integers(0, 500))
def test_a_shard_reads_what_it_prints(first: int, more: int) -> None:
    shard = Shard(Label("attention", 0.5, "long"), SeedBlock(first, first + more))
    assert Shard.parse(str(shard)) == shard and len(shard) == more + 1 == len(list(shard.seeds))


def test_labels_and_seeds() -> None:
    assert Label.parse("attention_0.25") == Label("attention", 0.25)
    assert str(Label.parse("attention_1@x")) == "attention_1.0@x"
    for text in ("lstm", "attention", "attention_1.5", "attention_nan", "mlp_add_0.5", "mlp_add@", "transformer_1.0"):
        with pytest.raises(ValueError, match=f"unknown architecture '{text}'"):
            Label.parse(text)
    assert list(SeedBlock.parse("00008-00010")) == [8, 9, 10]
    for block in ("5", "7-3", "-1-4"):
        with pytest.raises(ValueError, match="seeds must be FIRST-LAST"):
            SeedBlock.parse(block)
