"""Section on the published table beside this study's."""

from __future__ import annotations

from typing import Any

import pandas as pd

from topomod.report.pages import csv_link
from topomod.study.config import Study
from topomod.study.population import StudyTables
from topomod.study.published import CLOSE, FEW_GROUPS, PAPER, PAPER_P, compare_published
from topomod.study.shards import StudyFolder


def published(folder: StudyFolder, study: Study, tables: StudyTables) -> dict[str, Any]:
    """The published table beside this study's, where modulus and task are the paper's."""
    context = {"paper": PAPER, "paper_p": PAPER_P, "close": CLOSE, "published": []}
    tasks = [study.task_of(label) for label in study.labels if not label.variant]
    added = all(task.modulus == PAPER_P and task.finite_group for task in tasks)  # the paper's task: a sum mod p
    table = compare_published(tables, study.architectures, study.alpha) if added else pd.DataFrame()
    if table.empty:
        return context | {"published_csv": "", "published_architectures": []}
    rows = [
        {"head": own.iloc[0].to_dict(), "cells": own.set_index("architecture").to_dict("index")}
        for _, own in table.groupby(["row", "column"], sort=False)
    ]
    names = list(table["architecture"].unique())
    context |= {"few_groups": FEW_GROUPS, "published_architectures": names}
    return context | {"published": rows, "published_csv": csv_link(table)}
