"""Numbers are numbers, seeds and names have their limits, and a study that cannot fit is refused with the estimate."""

import copy
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from synthetic_study import DEFAULT
from topomod.networks.labels import Label
from topomod.study.check import check_study, load_study, parse_settings
from topomod.study.config import Study
from topomod.study.fit import shard_memory, study_memory
from topomod.study.shards import SeedBlock, Shard
from topomod.study.train import train_shard
from topomod.study.yaml_files import StudyError
from topomod.training.recipes import MarginRecipe, Recipe

ROOT = Path(__file__).resolve().parents[2]
COUNTS = {"counts": {"mlp_add": 3}}
ALONE = {"architectures": ["power_mlp"], "positive_control": None, "negative_control": None, "main_pair": None}
ALONE |= {"maturity": {"count": 0, "steps": [1]}}


def whole_study() -> dict[str, Any]:
    """The default study with every key that it may have written down."""
    config: dict[str, Any] = check_study(DEFAULT | {"seeds": DEFAULT["seeds"] | COUNTS}).model_dump()
    config["variants"] = {"long": {"p": 31, "recipe": {"steps": 600}, "network": {"d_mlp": 64}}}
    return config


def numbers(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[tuple[Any, ...], float]]:
    """Every number in nested settings, and its place."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return [(way, value)]
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, part in inner for found in numbers(part, (*way, key))]


def placed(way: tuple[Any, ...], value: Any) -> dict[str, Any]:
    config = copy.deepcopy(whole_study())
    place: Any = config
    for key in way[:-1]:
        place = place[key]
    place[way[-1]] = value
    return config


def test_the_whole_study_is_one() -> None:
    assert isinstance(check_study(whole_study()), Study)
    places = {way for way, _ in numbers(whole_study())}
    assert len(places) > 40 and {("p",), ("seeds", "counts", "mlp_add"), ("variants", "long", "p")} <= places


@pytest.mark.parametrize(("way", "value"), numbers(whole_study()), ids=lambda value: str(value))
def test_a_number_is_never_read_from_something_else(way: tuple[Any, ...], value: float) -> None:
    others: list[Any] = [True, str(value), [value], {"x": value}, None, float("nan")]
    others += [float(value)] if isinstance(value, int) else []
    for other in others:
        with pytest.raises(StudyError, match=f"key '{'.'.join(map(str, way))}'"):
            check_study(placed(way, other))


@pytest.mark.parametrize("key", ["lr", "weight_decay", "tail_lr"])
def test_a_decimal_may_be_given_as_a_whole_number(key: str) -> None:
    config = placed(("recipe", key), 1)
    config["recipe"] = {**config["recipe"], "weight_decay": 0.5, key: 1}
    found = getattr(check_study(config).recipe, key)
    assert found == 1.0 and isinstance(found, float)


def test_numbers_of_numpy_are_numbers() -> None:
    recipe = Recipe(steps=np.int64(7), max_steps=np.int32(9), lr=np.float32(0.25), weight_decay=np.int64(2))  # type: ignore[arg-type]
    assert recipe == Recipe(steps=7, max_steps=9, lr=0.25, weight_decay=2.0) and type(recipe.steps) is int
    for wrong in (np.bool_(True), np.float64(2.0), np.str_("7"), np.array([2])):
        with pytest.raises(ValueError, match="Recipe: steps should be a valid integer"):
            Recipe(steps=wrong)  # type: ignore[arg-type]
    for text in ("7", "1e-3", True):
        with pytest.raises(ValueError, match="MarginRecipe: lr should be a valid number"):
            MarginRecipe(lr=text)  # type: ignore[arg-type]


def test_a_number_that_yaml_reads_as_text_is_told_how_to_write_it() -> None:
    config = placed(("recipe", "lr"), yaml.safe_load("1e-3"))
    with pytest.raises(StudyError, match=r"key 'recipe.lr': .* found '1e-3', which YAML reads as text: write 1.0e-3"):
        check_study(config)


def test_a_switch_is_true_or_false() -> None:
    for value in ("yes", 1, "true", None):
        with pytest.raises(StudyError, match="key 'ablation'"):
            check_study(placed(("ablation",), value))


@pytest.mark.parametrize(
    "seeds",
    [
        {"first": 2**63, "count": 1},
        {"first": 2**63 - 1, "count": 2},
        {"first": 2**63 - 3, "count": 1, "counts": {"mlp_add": 4}},
        {"first": 2**63 - 2, "count": 1},  # and the circuits that are followed
        {"first": 10**400, "count": 1},
    ],
)
def test_seeds_are_signed_64_bit_integers(seeds: dict[str, Any]) -> None:
    with pytest.raises(StudyError, match=r"seeds must be at most 2\*\*63 - 1, found "):
        check_study(placed(("seeds",), seeds) | {"maturity": {"count": 3, "steps": [100]}})


def test_the_last_seeds_are_seeds() -> None:
    config = placed(("seeds",), {"first": 2**63 - 4, "count": 4})
    shard = check_study(config).shards()[-1]
    assert shard.seeds.last == 2**63 - 1 and SeedBlock.parse(str(shard.seeds)) == shard.seeds
    for text in (f"0-{2**63}", "9" * 30 + "-" + "9" * 30):
        with pytest.raises(ValueError, match=r"FIRST-LAST with 0 <= FIRST <= LAST < 2\*\*63"):
            SeedBlock.parse(text)


def test_names_have_at_most_100_letters() -> None:
    check_study(placed(("study",), "s" * 100))
    check_study(placed(("variants",), {"v" * 100: {"p": 31}}))
    for way, value in ((("study",), "s" * 101), (("variants",), {"v" * 101: {"p": 31}})):
        with pytest.raises(StudyError, match="should have at most 100 characters") as caught:
            check_study(placed(way, value))
        assert len(str(caught.value)) < 500
    with pytest.raises(StudyError, match="key 'margins.pad.reason': .* at most 2000 characters"):
        check_study(placed(("margins", "pad", "reason"), "r" * 2001))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"network": {"d_mlp": 10**9}},
            "one circuit of mlp_add needs 1.5e[+]04 GB: 1.39e[+]04 GB for the pre-activations of 1000000000 neurons on "
            "3481 inputs of addition mod 59, 1.03e[+]03 GB for its weights, 0.000822 GB for its logits; allowed",
        ),
        (
            {"p": 997},
            "one circuit of mlp_concat needs 6 GB: 2.04 GB for the pre-activations of 512 neurons on 994009",
        ),
        (
            {"network": {"d_model": 10**6}},
            "one circuit of attention_1.0 needs 1.6e[+]04 GB: .* 1.6e[+]04 GB for its weights",
        ),
        (
            {"recipe": {"steps": 10**12, "max_steps": 10**12}},
            r"takes 2.16e\+14 training steps \(216 circuits, each to its last step\), at .* each 6.8[45]e\+03 years",
        ),
        ({"seeds": {"first": 0, "count": 10**12}}, r"the study has 4e\+12 circuits; at most 1e\+07 are handled"),
        ({"maturity": {"count": 2, "steps": [1, 10**12]}}, r"takes 8e\+12 training steps"),
        (ALONE | {"margin_recipe": {"width": 10**9}}, "one circuit of power_mlp needs .* 1000000000 neurons on 3481"),
        (ALONE | {"margin_recipe": {"width": 10**9, "batch_size": 10}}, "1000000000 neurons on 10 inputs"),
        (ALONE | {"margin_recipe": {"steps": 10**12}}, r"takes 5.4e\+13 training steps"),
    ],
)
def test_a_study_that_cannot_fit_is_refused_with_the_estimate(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(StudyError, match=message):
        check_study(copy.deepcopy(DEFAULT) | changes)


@pytest.mark.parametrize("path", sorted((ROOT / "config").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_study_of_this_checkout_fits(path: Path) -> None:
    default = ROOT / "config" / "config.yaml"
    assert load_study(path, None if path == default else default).labels


def test_all_problems_are_listed_together() -> None:
    config = copy.deepcopy(DEFAULT) | {"colour": "red", "alpha": 0.9, "p": True, "study": "../up"}
    config["recipe"] = {"lr": "7", "steps": 2.0}
    with pytest.raises(StudyError) as caught:
        check_study(config, "x.yaml")
    lines = str(caught.value).splitlines()
    assert all(line.startswith("x.yaml: ") for line in lines)
    for key in ("'colour'", "'alpha'", "'p'", "'study'", "'recipe.lr'", "'recipe.steps'"):
        assert sum(f"key {key}" in line for line in lines) == 1
    config = copy.deepcopy(DEFAULT) | {"task": "addition_3", "negative_control": "rnn", "main_pair": ["rnn", "rnn"]}
    with pytest.raises(StudyError) as caught:
        check_study(config, "x.yaml")
    found = str(caught.value)
    for part in (
        "mlp_add reads two tokens",
        "attention_1.0 reads two tokens",
        "'rnn' is not one of",
        "main_pair needs two",
    ):
        assert f"x.yaml: {part}" in found or part in found
    assert all(line.startswith("x.yaml: ") for line in found.splitlines())


def test_the_command_prints_the_same_sentences(tmp_path: Path) -> None:
    changes = {"p": 997, "recipe": {"steps": 10**12, "max_steps": 10**12}}
    path = tmp_path / "study.yaml"
    path.write_text(yaml.safe_dump(copy.deepcopy(DEFAULT) | changes))
    with pytest.raises(StudyError) as caught:
        load_study(path)
    command = [sys.executable, "-m", "topomod.cli", "check", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (2, f"topomod: {caught.value}\n")
    assert len(str(caught.value).splitlines()) == 5  # four architectures and the steps


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "3", "null", "[" * 100_000, "9" * 10_000, '{"p": 5}']
    + [f'{{"p": {p}, "recipe": {{}}}}' for p in ("null", "true", '"7"', "2.5", "[5]", "2", "1e3", "{}")]
    + [f'{{"p": 5, "recipe": {recipe}}}' for recipe in ("null", "[1]", '{"lr": "7"}', '{"steps": true}', '{"x": 1}')]
    + [f'{{"p": 5, "recipe": {{}}, "task": {task}}}' for task in ("null", "5", '"sorting"', "[]", '"addition_0"')]
    + [f'{{"p": 5, "recipe": {{}}, "network": {size}}}' for size in ("null", "5", '{"d_mlp": 2.0}', '{"x": 1}')],
)
def test_settings_on_the_command_line_are_refused_in_a_sentence(text: str, tmp_path: Path) -> None:
    shard = Shard(Label("mlp_add"), SeedBlock(0, 0))
    with pytest.raises(StudyError, match="^--settings") as caught:
        train_shard(shard, text, tmp_path / "x", [], "cpu")
    assert "\n" not in str(caught.value)
    with pytest.raises(StudyError):
        parse_settings(Study, text)
    assert list(tmp_path.iterdir()) == []


def test_jobs_ask_for_what_their_circuits_need() -> None:
    """Peaks of one circuit's groups, measured at p = 257 and 401, were 1.97 and 6.5 GB."""
    for p, peak in ((257, 1970), (401, 6500)):
        assert peak < shard_memory(check_study(placed(("p",), p))) < 3 * peak
    assert shard_memory(check_study(DEFAULT)) < 1500
    few, many = (study_memory(check_study(placed(("seeds", "count"), count))) for count in (50, 30_000))
    assert few < 2000 and many > 100_000


def test_logits_count_as_memory() -> None:
    with pytest.raises(StudyError, match=r"needs 4\.\d+ GB: .* of 64 neurons .* 4.28 GB for its logits"):
        check_study(copy.deepcopy(DEFAULT) | {"p": 1023, "network": {"d_mlp": 64}})
