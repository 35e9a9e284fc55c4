"""What a study will take, as lines for a terminal."""

from __future__ import annotations

from topomod.study.config import Study
from topomod.study.estimate import calibrate, predict, startup_seconds, wall_seconds


def estimate_lines(study: Study, cores: int) -> list[str]:
    """One line for each stage and one for the whole, from circuits that are trained and analysed here and now.

    Parameters
    ----------
    study : Study
        What is planned.
    cores : int
        Of the machine that it will run on.
    """
    stages = predict(study, calibrate(study, cores), startup_seconds())
    lines = [f"{'stage':12s} {'jobs':>5s} {'CPU min':>8s} {'MB a job':>9s} {'MB on disk':>11s}"]
    for stage in stages:
        minutes = stage.seconds / 60
        lines.append(f"{stage.name:12s} {stage.jobs:5d} {minutes:8.1f} {stage.memory:9.0f} {stage.disk:11.0f}")
    wall, disk = wall_seconds(stages, cores), sum(stage.disk for stage in stages)
    return [*lines, f"{study.study}: about {wall / 60:.0f} min on {cores} cores, {disk:.0f} MB"]
