"""Looks of a study: how many seeds each one has, what stands at it, and the log of all that were made.

Every study has at least one look, at all its seeds. One that declares several trains to the next look until every
question is settled. This module imports nothing heavy: the Snakefile reads it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from topomod.study.config import Comparison

if TYPE_CHECKING:
    import pandas as pd

SETTLED = ("the same", "different")  # more circuits may say how large a difference is, so an open size is not settled
AnyComparison = TypeVar("AnyComparison", bound=Comparison)


def look_sizes(study: Comparison) -> list[int]:
    """Seeds of each architecture at each look, rising.

    Seeds beyond the last declared look make one more, which nobody declared.
    """
    beyond = study.seeds.count > study.looks[-1] if study.looks else True
    return [*study.looks, *([study.seeds.count] if beyond else [])]


def at_look(study: AnyComparison, n: int) -> AnyComparison:
    """The study as it stands at a look: its seeds up to there, and the level of this look.

    A look beyond the declared ones has the level of the last. The level is spent by then.
    """
    if not study.looks:
        return study
    from topomod.statistics.looks import plan_looks

    levels = {look.n: look.level for look in plan_looks(study.looks, study.alpha, study.spending)}
    own = {"alpha": levels.get(n, levels[study.looks[-1]]), "looks": [look for look in study.looks if look <= n]}
    return study.model_copy(update=own | {"seeds": study.seeds.model_copy(update={"count": n})})


def settled_questions(answers: Path) -> set[str]:
    """Questions of a table of answers to which more circuits would add nothing."""
    from topomod.study.tables import read_tables

    table = read_tables([answers])
    return set(table.loc[table["answer"].isin(SETTLED), "question"])


def stopped_at(log: pd.DataFrame, study: Comparison) -> int:
    """Seeds of each architecture at the look at which a study stopped; all of them where its log is lost."""
    return int(log.loc[log["last"].astype(bool), "n"].iloc[0]) if len(log) else study.seeds.count


def undeclared(log: pd.DataFrame, history: Sequence[Mapping[str, Any]]) -> str:
    """Why the error rates of a study do not hold; "" where all its looks were declared when training began.

    Parameters
    ----------
    log : DataFrame
        From :func:`conclude`.
    history : sequence of mapping
        From :func:`topomod.study.declared.declared_history`.
    """
    reasons = []
    found = sorted(set(log.loc[~log["declared"].astype(bool), "n"].astype(int)))
    if found:
        reasons.append(f"the study was looked at with {_listed(found)} circuits of each architecture")
    if any(record["other_looks"] for record in history):
        reasons.append("its number of seeds or its looks were changed after training had begun")
    if not reasons:
        return ""
    return (
        f"The error rates of these answers no longer hold: {' and '.join(reasons)}, which no declared look covers. "
        "Looking again until something is shown errs more often than the level says."
    )


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))
