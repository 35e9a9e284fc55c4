"""Margins by rule: a fraction of what a pilot's positive control differs by."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import yaml

from topomod.statistics.arguments import check_share
from topomod.statistics.questions import SHOWN_TO_DIFFER
from topomod.study.shards import StudyFolder
from topomod.study.tables import read_tables

DIGITS = 3  # of a distance


def margins_yaml(pilot: StudyFolder, fraction: float) -> str:
    """Margins of a study to come, as YAML: a fraction of the distance of a finished study's positive control.

    Only endpoints on which the control was shown to differ have such a margin. The others are named in a comment.

    Parameters
    ----------
    pilot : StudyFolder
        Results of a finished study. The study that is planned must use none of its seeds.
    fraction : float
        Of the distance, between 0 and 1.

    Returns
    -------
    str
        The key ``margins``, to be put into the YAML of the study.

    Raises
    ------
    ValueError
        For a fraction outside (0, 1), and if the pilot has no positive control or a table is missing.
    """
    fraction = check_share(fraction, "fraction")
    verdicts = read_tables([pilot.table("verdicts")])
    control = verdicts[verdicts["role"] == "positive control"]
    if control.empty:
        raise ValueError(f"{pilot.root}: the study has no positive control whose distance could be measured")
    x, y = control.iloc[0][["x", "y"]]
    seeds = _seeds(pilot, [x, y])
    shown = control["answer"].isin(SHOWN_TO_DIFFER)
    margins = {row["endpoint"]: _margin(row, fraction, seeds) for row in control[shown].to_dict("records")}
    words = yaml.safe_dump({"margins": margins}, sort_keys=False, default_flow_style=None, width=1000)
    open_ones = ", ".join(control.loc[~shown, "endpoint"])
    return words + (f"# {x} and {y} were not shown to differ on: {open_ones}\n" if open_ones else "")


def _seeds(pilot: StudyFolder, names: list[str]) -> list[int]:
    """First and last seed of some architectures' circuits."""
    endpoints = read_tables([pilot.table("endpoints")])
    seeds = endpoints.loc[endpoints["architecture"].isin(names), "seed"]
    return [int(seeds.min()), int(seeds.max())]


def _margin(row: Mapping[Hashable, Any], fraction: float, seeds: list[int]) -> dict[str, Any]:
    distance = float(f"{abs(row['difference']):.{DIGITS}g}")
    pair = f"{row['x']} and {row['y']}"
    reason = f"{fraction:g} of the distance between {pair}, measured on seeds {seeds[0]} to {seeds[1]}"
    return {"fraction": fraction, "control_distance": distance, "pilot_seeds": seeds, "reason": reason}
