"""What a study will take: counting is checked in closed form, the calibration against a stage run for real."""

from dataclasses import replace
from pathlib import Path

import pytest

from synthetic_study import make_study
from topomod.study.check import load_study
from topomod.study.estimate import Calibration, calibrate, predict, wall_seconds

STAGES = {"groups": 0.5, "homology": 1.0, "measure": 0.5}
COST = Calibration(train=4.0, per_step=0.01, stages=STAGES, memory=400.0, disk=0.5)


def test_every_stage_is_counted() -> None:
    study = make_study(["mlp_add", "mlp_concat"], 20, shard_size=10, maturity={"count": 2, "steps": [100, 300]})
    costs = {"mlp_add": COST, "mlp_concat": replace(COST, train=8.0)}
    stages = {stage.name: stage for stage in predict(study, costs, startup=5.0)}
    assert stages["train"].jobs == 4
    assert stages["train"].seconds == pytest.approx(4 * 5 + 20 * 4 + 20 * 8)
    assert stages["homology"].seconds == pytest.approx(4 * 5 + 40 * 1)
    assert stages["train"].disk == pytest.approx(40 * 0.5)
    assert stages["train"].memory == pytest.approx(400 + 10 * 0.5)
    # two circuits of two architectures to step 300, each looked at twice
    assert stages["maturity"].seconds == pytest.approx(6 * 5 + 4 * 300 * 0.01 + 4 * 2 * 1.5)
    assert all(stages[name].jobs == 1 for name in ("endpoints", "equivalence", "power", "report"))


def test_described_studies_have_their_own_stages() -> None:
    root = Path(__file__).parents[2] / "config"
    study = load_study(root / "parity.yaml", root / "config.yaml")
    stages = predict(study, dict.fromkeys(study.architectures, COST), startup=5.0)
    assert [stage.name for stage in stages] == ["train", "measure", "describe", "report"]
    assert stages[1].jobs == 10 and stages[1].seconds == pytest.approx(10 * 5 + 200 * 0.5)


def test_training_time_is_linear_in_circuits_and_cores_share_it() -> None:
    costs = {"mlp_add": COST}
    few, many = (predict(make_study(["mlp_add"], n, shard_size=10), costs, 5.0) for n in (100, 1000))
    assert many[0].seconds == pytest.approx(10 * few[0].seconds)
    one, four = wall_seconds(many, 1), wall_seconds(many, 4)
    alone = sum(stage.seconds for stage in many if stage.jobs == 1)
    assert one - alone == pytest.approx(4 * (four - alone))
    assert wall_seconds(few, 10_000) > sum(stage.seconds / stage.jobs for stage in few[:3])


def test_calibration_trains_and_analyses_every_architecture() -> None:
    study = load_study(Path(__file__).parents[1] / "tiny.yaml", Path(__file__).parents[2] / "config" / "config.yaml")
    costs = calibrate(study, cores=2)
    assert list(costs) == study.architectures
    for cost in costs.values():
        assert cost.train > cost.per_step * study.recipe.steps * 0.99 > 0
        assert (
            set(cost.stages) == {"groups", "homology"}
            and min(cost.stages.values()) > 0
            and cost.memory > 100
            and 0.1 < cost.disk < 50
        )
