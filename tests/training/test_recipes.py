"""A wrong recipe or size is refused in one sentence, by whoever makes it; a right one is a plain dataclass."""

import dataclasses
import math
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topomod.networks.size import NetworkSize
from topomod.training.recipes import MarginRecipe, Recipe

KINDS = (Recipe, MarginRecipe, NetworkSize)
NAMES = [(kind, field.name) for kind in KINDS for field in dataclasses.fields(kind)]
NUMBERS = [(kind, name) for kind, name in NAMES if name not in ("schedule", "name")]


@pytest.mark.parametrize(("kind", "name"), NUMBERS)
@pytest.mark.parametrize("wrong", [-1, math.nan, math.inf, "many", None, [1]], ids=str)
def test_every_number_has_bounds(kind: type, name: str, wrong: Any) -> None:
    with pytest.raises(ValueError, match=rf"^{kind.__name__}: {name} should be [^\n]*, found [^\n]*$"):
        kind(**{name: wrong})


@pytest.mark.parametrize(
    ("kind", "fields", "message"),
    [
        (Recipe, {"lr": 0}, "Recipe: lr should be greater than 0, found 0"),
        (Recipe, {"steps": 0}, "Recipe: steps should be greater than or equal to 1, found 0"),
        (Recipe, {"train_fraction": 1.0}, "Recipe: train_fraction should be less than 1, found 1.0"),
        (Recipe, {"min_purity": 1.1}, "Recipe: min_purity should be less than or equal to 1, found 1.1"),
        (Recipe, {"beta2": 1}, "Recipe: beta2 should be less than 1, found 1"),
        (Recipe, {"batches": 1.5}, "Recipe: batches should be a valid integer, found 1.5"),
        (Recipe, {"schedule": "linear"}, "Recipe: schedule should be 'cosine' or 'constant', found 'linear'"),
        (Recipe, {"lr": 1000.0}, "Recipe: lr and tail_lr times weight_decay must be below 1, since .*, found 2400"),
        (Recipe, {"tail_lr": 0.5, "weight_decay": 2.0}, "Recipe: lr and tail_lr times weight_decay .*, found 1"),
        (Recipe, {"steps": 2000}, r"Recipe: max_steps must be at least steps \(2000\), found 1000"),
        (MarginRecipe, {"width": 0}, "MarginRecipe: width should be greater than or equal to 1, found 0"),
        (MarginRecipe, {"tail": 2.0}, "MarginRecipe: tail should be less than or equal to 1, found 2.0"),
        (
            MarginRecipe,
            {"regularization_first": 1e-6},
            r"MarginRecipe: regularization_last must be at most regularization_first \(1e-06\), found 1e-05",
        ),
        (NetworkSize, {"d_model": 6}, r"NetworkSize: d_model must be a multiple of n_heads \(4\), found 6"),
        (Recipe, {"lr": 0, "steps": 0}, "Recipe: lr should be .* found 0; Recipe: steps should be .* found 0"),
        (Recipe, {"speed": 1}, "Recipe has no 'speed'; it has lr, weight_decay, steps, .*, name"),
        (MarginRecipe, {"speed": 1}, "MarginRecipe has no 'speed'; it has width, lr, .*, name"),
        (NetworkSize, {"d_head": 1}, "NetworkSize has no 'd_head'; it has d_model, d_mlp, n_heads"),
    ],
)
def test_what_is_wrong_is_one_sentence(kind: type, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        kind(**fields)
    if not set(fields) - {field.name for field in dataclasses.fields(kind)}:
        with pytest.raises(ValueError, match=f"^{message}$"):
            dataclasses.replace(kind(), **fields)


@given(lr=st.floats(1e-9, 0.2), steps=st.integers(1, 900), name=st.text(max_size=5))
def test_recipes_are_plain_dataclasses(lr: float, steps: int, name: str) -> None:
    for recipe in (Recipe(lr=lr, steps=steps, name=name), MarginRecipe(lr=lr, steps=steps, name=name)):
        fields = dataclasses.asdict(recipe)
        assert fields["lr"] == lr and fields["steps"] == steps and fields["name"] == name
        assert type(recipe)(**fields) == recipe and hash(type(recipe)(**fields)) == hash(recipe)
        assert dataclasses.replace(recipe, lr=2 * lr) != recipe
        with pytest.raises(dataclasses.FrozenInstanceError):
            recipe.lr = 1.0


def test_fields_are_those_of_stored_circuits() -> None:
    """A file of circuits holds these keys; another set would leave old files unreadable."""
    pairs = "lr weight_decay steps warmup schedule tail_lr max_steps beta1 beta2 batches train_fraction min_purity name"
    margin = (
        "width lr steps warmup tail regularization_first regularization_last batch_size init_scale beta1 beta2 name"
    )
    assert list(dataclasses.asdict(Recipe())) == pairs.split()
    assert list(dataclasses.asdict(MarginRecipe())) == margin.split()


def test_recipes_are_light_to_import() -> None:
    source = (
        "import sys, topomod.training.recipes, topomod.networks.size\nprint(*{'torch', 'numpy'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", source], check=True, capture_output=True, text=True)
    assert done.stdout.split() == []
