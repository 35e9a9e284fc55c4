"""Shared fixtures: small circuits trained once per session, and released networks where they are at hand."""

from pathlib import Path

import pytest
from hypothesis import settings

import topomod
from topomod.networks.circuit import Circuit
from topomod.training.recipes import Recipe

settings.register_profile("repeatable", derandomize=True, deadline=None)  # a red test is red for everybody
settings.load_profile("repeatable")

RELEASED = Path(__file__).resolve().parents[2] / "shared" / "checkpoints" / "zhong2023"
SHORT = Recipe(steps=250, max_steps=400, train_fraction=0.9)


@pytest.fixture(scope="session")
def trained() -> dict[str, Circuit]:
    """One circuit of each architecture at p = 23."""
    task = topomod.ModularAddition(p=23)
    rates = {"mlp_add": None, "mlp_concat": None, "attention": 1.0}
    return {
        name: topomod.train(name, task, [0], attention_rate=rate, recipe=SHORT, device="cpu")[0]
        for name, rate in rates.items()
    }


@pytest.fixture
def released() -> Path:
    """Folder of the networks that Zhong et al. released."""
    if not RELEASED.is_dir():
        pytest.skip(f"released networks are not at {RELEASED}")
    return RELEASED
