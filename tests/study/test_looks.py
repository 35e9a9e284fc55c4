"""Looks of a study: what each one sees and at which level, when it stops, and what its log says."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from synthetic_study import make_circuit, make_study
from topomod.networks.circuit_file import save_circuits
from topomod.report.section_looks import _look
from topomod.statistics.looks import plan_looks
from topomod.study.check import parse_settings
from topomod.study.config import Comparison
from topomod.study.declared import declaration, declared_history
from topomod.study.look_tables import conclude
from topomod.study.looks import at_look, look_sizes, settled_questions, stopped_at, undeclared
from topomod.study.shards import CIRCUITS, StudyFolder
from topomod.study.table_columns import TABLES
from topomod.study.tables import write_table
from topomod.study.yaml_files import StudyError

PAIR = ["attention_0.0", "attention_1.0"]
ASKED = [{"words": words, "primary": [name]} for words, name in (("A?", "disc_cka"), ("B?", "n_groups"))]


def study_with(count: int = 40, **changes: Any) -> Any:
    return make_study(PAIR, count, **({"questions": ASKED, "looks": [10, 25, 40]} | changes))


@pytest.mark.parametrize("spending", ["pocock", "obrien-fleming"])
def test_a_look_is_a_study_of_its_own_that_the_stages_read(spending: str) -> None:
    study = study_with(spending=spending)
    for look in plan_looks([10, 25, 40], study.alpha, spending):
        here = parse_settings(Comparison, at_look(study, look.n).equivalence_settings())
        assert here.alpha == look.level < study.alpha
        assert here.seeds.count == look.n == sum(len(s) for s in here.shards() if str(s.label) == PAIR[0])


def test_later_looks_train_only_what_is_new() -> None:
    """Also where a look is no multiple of the size of a shard."""
    study = study_with()
    shards = [set(map(str, at_look(study, n).shards())) for n in look_sizes(study)]
    assert shards[0] < shards[1] < shards[2] == set(map(str, study.shards()))
    seeds = [seed for shard in study.shards() if str(shard.label) == PAIR[0] for seed in shard.seeds]
    assert seeds == list(range(40)) and max(map(len, study.shards())) <= study.shard_size


def test_without_declared_looks_there_is_one() -> None:
    study = study_with(looks=[])
    assert look_sizes(study) == [40] and at_look(study, 40) == study


def test_seeds_beyond_the_last_look_make_one_more_at_its_level() -> None:
    study = study_with(count=60)
    assert look_sizes(study) == [10, 25, 40, 60]
    assert at_look(study, 60).alpha == at_look(study, 40).alpha and at_look(study, 60).seeds.count == 60


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"looks": [10, 10]}, r"looks must rise, found \[10, 10\]"),
        ({"looks": [20, 10]}, r"looks must rise, found \[20, 10\]"),
        ({"looks": [10, 50]}, "looks go up to 50 circuits of each architecture, and 'seeds.count' is 40"),
        ({"looks": [2, 40]}, "key 'looks.0': input should be greater than or equal to 3, found 2"),
        ({"spending": "haybittle"}, "key 'spending': input should be 'pocock' or 'obrien-fleming', found 'haybittle'"),
        ({"questions": []}, "a study with 'looks' stops when its questions are answered, and this one asks none"),
        (
            {"seeds": {"first": 0, "count": 40, "counts": {"attention_1.0": 30}}},
            r"looks are at one number of circuits of every architecture, found 'seeds.counts' of \['attention_1.0'\]",
        ),
        (
            {"seeds": {"first": 0, "count": 40, "blocks": {"attention_1.0": ["00000-00039"]}}},
            r"looks are at one number of circuits of every architecture, found 'seeds.blocks' of \['attention_1.0'\]",
        ),
    ],
)
def test_looks_that_cannot_be_made_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(StudyError, match=message):
        study_with(**changes)


def write_answers(folder: StudyFolder, n: int, level: float, **answers: str) -> Path:
    """A stored table of answers of which only what the looks need is real."""
    columns = TABLES["answers"]
    rows = [
        dict.fromkeys([*columns.names, *columns.needed.split()], "")
        | {"question": f"{key}?", "endpoint": key, "answer": answer, "alpha": level, "n_x": n}
        for key, answer in answers.items()
    ]
    path = folder.look(n).table("answers")
    write_table(pd.DataFrame(rows), path)
    return path


def test_a_settled_question_keeps_its_answer_and_an_open_size_is_not_settled(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    path = write_answers(folder, 10, 0.02, A="the same", B="differs, size open")
    write_answers(folder, 25, 0.021, A="not decided", B="not decided")
    write_answers(folder, 40, 0.022, A="different", B="different")
    assert settled_questions(path) == {"A?"}
    answers, log = conclude(folder, study_with(), 40)
    assert answers[["question", "answer", "alpha", "n_x"]].to_numpy().tolist() == [
        ["A?", "the same", 0.02, 10],
        ["B?", "different", 0.022, 40],
    ]
    assert log["n"].tolist() == [10, 10, 25, 25, 40, 40] and log["declared"].all()
    assert stopped_at(log, study_with()) == 40 == stopped_at(log.iloc[:0], study_with())
    assert undeclared(log, []) == ""
    assert _look(10, log.to_dict("records")[:2])["answers"] == {"A?": "the same", "B?": "differs, size open"}


def test_looks_that_were_not_declared_are_in_the_log_and_named(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    write_answers(folder, 20, 0.05, A="not decided", B="not decided")
    write_answers(folder, 40, 0.05, A="the same", B="not decided")
    answers, log = conclude(folder, study_with(looks=[]), 40)
    assert answers["answer"].tolist() == ["the same", "not decided"]
    assert log.groupby("n")["declared"].all().to_dict() == {20: False, 40: True}
    assert undeclared(log, []).startswith(
        "The error rates of these answers no longer hold: the study was looked at with 20 circuits of each architecture"
    )


def test_looks_that_changed_after_training_are_named(tmp_path: Path) -> None:
    folder, then = StudyFolder(tmp_path), study_with(count=10, looks=[])
    for shard in then.shards():
        circuits = [make_circuit(str(shard.label), seed, then.p) for seed in shard.seeds]
        save_circuits(folder.population(shard) / CIRCUITS, circuits, declaration(then))
    log = pd.DataFrame({"n": [40], "declared": [True]})
    for now, changed in (
        (then, False),
        (study_with(count=20, looks=[]), True),
        (study_with(count=20, looks=[10, 20]), True),
    ):
        (record,) = declared_history(folder, now)
        assert record["other_looks"] == changed == bool(undeclared(log, [record]))
    assert record["changes"] == ["looks was 10 and is 10, 20.", "spending was none and is pocock."]
