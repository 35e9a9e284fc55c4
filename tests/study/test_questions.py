"""Questions of a study: what is refused before any job, what is said of them, and what was declared at training."""

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from synthetic_study import DEFAULT, make_circuit, make_study
from topomod.networks.circuit_file import load_circuits, read_record, save_circuits
from topomod.networks.labels import Label
from topomod.study.answers import answer_table
from topomod.study.check import check_study, load_study_file
from topomod.study.comparisons import primary_question
from topomod.study.declared import declaration, declaration_hash, declared_history
from topomod.study.endpoint_catalogue import ENDPOINTS, all_endpoints
from topomod.study.equivalence import verdict_table
from topomod.study.sentences import answer_lead, estimate, rounded, sensitivity_sentence, settling_sentence
from topomod.study.shards import CIRCUITS, SeedBlock, Shard, StudyFolder
from topomod.study.train import train_shard
from topomod.study.yaml_files import StudyError

ROOT = Path(__file__).resolve().parents[2]
STUDIES = sorted(path for path in (ROOT / "config").glob("*.yaml"))
SHAPE = {"words": "Do both form the same shape?", "primary": ["disc_cka", "hole_logits"]}


def with_questions(*questions: Any, **changes: Any) -> dict[str, Any]:
    return copy.deepcopy(DEFAULT) | {"questions": list(questions)} | changes


RULE = {"fraction": 0.25, "control_distance": 0.293, "pilot_seeds": [0, 49]}


def with_rule(**rule: Any) -> dict[str, Any]:
    """The default study with a margin by rule, on top of the one that it has."""
    margins = copy.deepcopy(DEFAULT["margins"])
    margins["disc_cka"] |= rule
    return copy.deepcopy(DEFAULT) | {"margins": margins}


def test_a_margin_by_rule_is_a_fraction_of_the_distance_of_the_control() -> None:
    study = check_study(with_rule(**RULE))
    assert study.margins["disc_cka"].margin == pytest.approx(0.25 * 0.293)
    again = check_study(study.model_dump())
    assert again == study and declaration(again) != declaration(check_study(copy.deepcopy(DEFAULT)))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (with_questions({"words": "Alike?"}), "key 'questions.0.primary' is missing"),
        (
            with_questions(SHAPE, seeds=DEFAULT["seeds"] | {"counts": {"attention_1.0": 2}}),
            "questions need at least 3 circuits of each architecture, found 2 of attention_1.0",
        ),
        (
            with_questions({"words": "Alike?", "primary": []}),
            "key 'questions.0.primary': a question has 1 to 3 primary endpoints, found 0",
        ),
        (
            with_questions(SHAPE, {"words": "Alike?", "primary": ["pad", "n_groups", "circularity", "hole_logits"]}),
            "key 'questions.1.primary': a question has 1 to 3 primary endpoints, found 4",
        ),
        (
            with_questions({"words": "Alike?", "primary": ["beauty"]}),
            "key 'questions.0.primary': unknown endpoint beauty; known: disc_cka",
        ),
        (
            with_questions({"words": "Alike?", "primary": ["pad", "pad"]}),
            "key 'questions.0.primary': primary endpoints must be distinct",
        ),
        (with_questions({"primary": ["pad"]}), "key 'questions.0.words' is missing"),
        (with_questions({"words": "", "primary": ["pad"]}), "key 'questions.0.words'"),
        (
            with_questions(SHAPE | {"margin": 1}),
            "unknown key 'questions.0.margin'; allowed here: words, architectures, primary",
        ),
        (
            with_questions(SHAPE | {"architectures": ["attention_0.0", "rnn"]}),
            "the question 'Do both form the same shape\\?': 'rnn' is not one of the study's architectures",
        ),
        (
            with_questions(SHAPE | {"architectures": ["attention_0.0", "lstm"]}),
            "key 'questions.0.architectures': unknown architecture 'lstm'",
        ),
        (
            with_questions(SHAPE | {"architectures": ["attention_0", "attention_0.0"]}),
            "needs two different architectures",
        ),
        (
            with_questions(SHAPE | {"architectures": ["mlp_add", "mlp_concat"]}),
            "is about mlp_add and mlp_concat, which are the positive_control: a pair has one role",
        ),
        (
            with_questions(main_pair=["mlp_add", "mlp_concat"]),
            r"main_pair and positive_control are both \['mlp_add', 'mlp_concat'\]: a pair has one role",
        ),
        (with_questions(SHAPE, SHAPE), "the question 'Do both form the same shape\\?' stands twice"),
        (
            with_questions(SHAPE, {"words": "And this?", "primary": ["pad", "disc_cka"]}),
            "the question 'And this\\?': disc_cka is primary in another question about this pair already",
        ),
        (
            with_questions(SHAPE, architectures=["mlp_add"], positive_control=None, negative_control=None),
            "needs two architectures to compare; a study without such a pair has 'questions: \\[\\]'",
        ),
        (
            with_questions(
                SHAPE,
                margins=DEFAULT["margins"] | {"disc_cka": {"margin": 0.05, "reason": ""}},
            ),
            "key 'margins.disc_cka.reason'",
        ),
        (
            with_rule(fraction=0.5),
            "key 'margins.disc_cka': a margin that is the fraction 0.5 needs the 'control_distance'",
        ),
        (with_rule(fraction=0.5, control_distance=0.2), "a 'control_distance' needs the 'pilot_seeds' that it was"),
        (
            with_rule(**(RULE | {"fraction": 1.5})),
            "key 'margins.disc_cka.fraction': input should be less than or equal",
        ),
        (with_rule(**(RULE | {"fraction": "half"})), "key 'margins.disc_cka.fraction'"),
        (
            with_rule(control_distance=0.04, pilot_seeds=[0, 49]),
            "key 'margins.disc_cka': the margin 0.05 is wider than the control_distance 0.04",
        ),
        (
            with_rule(**(RULE | {"pilot_seeds": [53960, 54000]})),
            "margins.disc_cka: the pilot's seeds 53960 to 54000 are also seeds of this study, 54000 to 54053",
        ),
        (with_rule(**(RULE | {"pilot_seeds": [9, 2]})), "pilot_seeds are the first and the last seed, found"),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused(config: dict[str, Any], message: str) -> None:
    with pytest.raises(StudyError, match=message):
        check_study(config)


def test_one_endpoint_may_be_primary_for_two_pairs() -> None:
    other = {"words": "And these?", "primary": ["disc_cka"], "architectures": ["mlp_add", "attention_0"]}
    study = check_study(with_questions(SHAPE, other))
    settings = study.model_dump()
    assert primary_question(settings, "attention_1.0", "attention_0.0") == dict.fromkeys(
        SHAPE["primary"], SHAPE["words"]
    )
    assert primary_question(settings, "mlp_add", "attention_0.0") == {"disc_cka": "And these?"}
    assert primary_question(settings, "mlp_add", "mlp_concat") == {}


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_every_study_here_asks_questions_or_says_that_it_has_none(path: Path) -> None:
    study = load_study_file(path)
    if study.questions:
        assert study.system.compared and study.compared_pair is not None
    else:
        assert "questions: []" in path.read_text()


def test_the_default_study_asks_five_questions() -> None:
    study = load_study_file(ROOT / "config" / "config.yaml")
    assert len(study.questions) == 5 and all(question.architectures is None for question in study.questions)
    assert study.compared_pair == ("attention_0.0", "attention_1.0")


THREE = {"architectures": ["mlp_concat", "attention_0.0", "attention_1.0"], "negative_control": None} | {
    "positive_control": ["mlp_concat", "attention_0.0"]
}


def values(means: dict[str, float], n: int = 40, spread: float = 0.2) -> pd.DataFrame:
    """Endpoints of three architectures: attention_1.0 and mlp_concat are shifted by half the margins given."""
    rng = np.random.default_rng(0)
    parts = []
    for label in THREE["architectures"]:
        for name in ENDPOINTS:
            margin = DEFAULT["margins"][name]["margin"]
            at = means.get(name, 0.0) * margin if label in ("attention_1.0", "mlp_concat") else 0.0
            own = {"architecture": label, "seed": range(n), "step": 500, "converged": True, "endpoint": name}
            parts.append(pd.DataFrame(own | {"value": 0.4 + at / 2 + spread * margin * rng.uniform(-1, 1, n)}))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def answered() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Verdicts and answers where the truth is known, in margins of the endpoints."""
    questions = [
        {"words": "Same?", "primary": ["n_groups", "phase_coherence"]},
        {"words": "Beyond?", "primary": ["gradient_symmetricity", "distance_irrelevance"]},
        {"words": "Size?", "primary": ["hole_logits"]},
        {"words": "No phases?", "primary": ["pad"]},
    ]
    settings = check_study(with_questions(*questions, **THREE)).model_dump()
    shifts = {"gradient_symmetricity": 4.0, "hole_logits": 2.0, "phase_coherence": 0.5, "disc_rsm": 4.0}
    endpoints = values(shifts)
    verdicts = verdict_table(endpoints, settings)
    return verdicts, answer_table(verdicts, endpoints, settings)


def test_answers_follow_the_truth(answered: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    _, answers = answered
    found = answers.groupby("question", sort=False)["answer"].agg(lambda own: own.unique().tolist())
    assert found.to_dict() == {
        "Same?": ["the same"],
        "Beyond?": ["different"],
        "Size?": ["differs, size open"],
        "No phases?": ["not decided"],
    }
    rows = answers.set_index("endpoint")
    assert rows["primary_answer"].to_dict() == {
        "n_groups": "the same",
        "phase_coherence": "the same",
        "gradient_symmetricity": "different",
        "distance_irrelevance": "the same",
        "hole_logits": "differs, size open",
        "pad": "not decided",
    }
    assert rows["small_difference"].to_dict()["phase_coherence"] and not rows["small_difference"]["n_groups"]
    assert np.isnan(rows.loc["pad", "n_needed"]) and "not known" in rows.loc["pad", "to_settle"]


def test_sameness_stands_beside_its_sensitivity_and_its_exceptions(
    answered: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    verdicts, answers = answered
    row = answers.set_index("endpoint").loc["phase_coherence"]
    control = verdicts.loc[
        (verdicts["role"] == "positive control") & (verdicts["endpoint"] == "phase_coherence"), "difference"
    ]
    assert row["sensitivity"] == pytest.approx(abs(control.item()) / DEFAULT["margins"]["phase_coherence"]["margin"])
    assert row["sensitivity_sentence"].startswith(
        "These endpoints could not have told: mlp_concat and attention_0.0, which"
    )
    assert "so that the margin is wider than their distance" in row["sensitivity_sentence"]
    assert row["exceptions"].startswith("RSM to disc, aligned: ") and ";" not in row["exceptions"]
    others = answers[answers["answer"] != "the same"]
    assert (others["sensitivity_sentence"] == "").all() and (others["exceptions"] == "").all()


def test_a_secondary_endpoint_never_turns_an_answer(answered: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """With every secondary endpoint far beyond its margin, the answers are those of before."""
    _, before = answered
    questions = [{"words": w, "primary": own["endpoint"].tolist()} for w, own in before.groupby("question", sort=False)]
    settings = check_study(with_questions(*questions, **THREE)).model_dump()
    primary = set(before["endpoint"])
    shifts = {name: 4.0 for name in ENDPOINTS if name not in primary and ENDPOINTS[name].bounds is None}
    shifts |= {"gradient_symmetricity": 4.0, "hole_logits": 2.0, "phase_coherence": 0.5}
    endpoints = values(shifts)
    after = answer_table(verdict_table(endpoints, settings), endpoints, settings)
    assert after["answer"].tolist() == before["answer"].tolist()
    assert after["exceptions"].str.count("margin").max() > 5


def test_primaries_and_secondaries_are_adjusted_apart(answered: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    verdicts, answers = answered
    pair = verdicts[(verdicts["x"] == "attention_0.0") & (verdicts["y"] == "attention_1.0")].set_index("endpoint")
    assert set(pair.index[pair["question"] != ""]) == set(answers["endpoint"])
    for row in answers.itertuples():
        assert pair.loc[row.endpoint, "answer"] == row.primary_answer
        assert pair.loc[row.endpoint, "p_equivalence_adjusted"] == pytest.approx(row.p_equivalence, nan_ok=True)
    secondary = pair[pair["question"] == ""]
    assert len(secondary) == len(all_endpoints()) - len(answers)
    smallest = secondary["p_difference"].astype(float).idxmin()
    expected = min(1.0, secondary.loc[smallest, "p_difference"] * len(secondary))
    assert secondary.loc[smallest, "p_difference_adjusted"] == pytest.approx(expected)


def test_without_a_positive_control_nobody_knows_what_could_have_been_told() -> None:
    plain = THREE | {"positive_control": None}
    settings = check_study(with_questions({"words": "?", "primary": ["n_groups"]}, **plain)).model_dump()
    endpoints = values({})
    (row,) = answer_table(verdict_table(endpoints, settings), endpoints, settings).to_dict("records")
    assert row["answer"] == "the same" and np.isnan(row["sensitivity"])
    assert "no positive control" in row["sensitivity_sentence"]


def test_an_open_question_says_how_many_circuits_would_settle_it() -> None:
    settings = check_study(with_questions({"words": "?", "primary": ["hole_logits"]}, **THREE)).model_dump()
    endpoints = values({}, n=4, spread=2.0)
    endpoints = endpoints[endpoints["endpoint"] == "hole_logits"]
    (row,) = answer_table(verdict_table(endpoints, settings), endpoints, settings).to_dict("records")
    assert row["answer"] == "not decided" and row["n_needed"] > 3
    assert row["to_settle"] == (
        f"It takes about {row['n_needed']:.0f} circuits of each architecture to decide it in 80 % of studies."
    )


def test_sentences_have_values_unit_interval_and_margin() -> None:
    test = {"title": "hole radius", "unit": "rms", "x": "a", "y": "b", "mean_x": 0.263, "mean_y": 0.446}
    test |= {"difference": -0.183, "ci_low": -0.238, "ci_high": -0.121, "margin": 0.15, "alpha": 0.05}
    assert estimate(test) == (
        "Hole radius: 0.26 rms in a and 0.45 rms in b, difference −0.18 (90 % interval −0.24 to −0.12, margin 0.15)"
    )
    distance = estimate(test | {"mean_x": np.nan, "mean_y": np.nan, "ci_high": np.inf})
    assert distance == "Hole radius: distance −0.18 (90 % interval −0.24 to ∞, margin 0.15)"
    assert estimate(test | {"difference": np.nan}) == "Hole radius: not tested"
    assert [rounded(v, 0.05) for v in (-0.0001, np.nan, 12.3456)] == ["0.000", "–", "12.346"]
    for answer in ("the same", "different", "differs, size open", "not decided"):
        lead = answer_lead(answer, [test | {"primary_answer": answer}])
        assert ("hole radius" in lead) == (answer != "not decided") and lead.endswith(".")


def test_what_could_have_been_told_and_what_would_settle() -> None:
    near, far = ({"title": title, "sensitivity": s} for title, s in (("u", 1.4), ("v", 5.0)))
    assert "at least 5.0 margins apart" in sensitivity_sentence([far], ["a", "b"])
    assert sensitivity_sentence([near, far], ["a", "b"]) == (
        "This endpoint could not have told: a and b, which are known to differ, are only 1.4 margins apart in u."
    )
    assert "were not compared in w" in sensitivity_sentence([{"title": "w", "sensitivity": np.nan}], ["a", "b"])
    open_one = {"title": "u", "primary_answer": "not decided", "n_needed": np.inf}
    assert settling_sentence("not decided", [open_one]).startswith("It takes more than 320 circuits of each")
    sized = {"title": "u", "primary_answer": "differs, size open", "n_needed": 71.0}
    assert settling_sentence("differs, size open", [sized, open_one]) == (
        "If the difference is the estimated one, it takes about 71 circuits of each architecture to show in 80 % of "
        "studies whether it is larger than the margin."
    )


@pytest.fixture
def stored(tmp_path: Path) -> tuple[StudyFolder, Any]:
    """A study of two architectures whose circuits carry what it had declared."""
    study, folder = make_study(["attention_0.0", "attention_1.0"], 3, questions=[SHAPE]), StudyFolder(tmp_path)
    for shard in study.shards():
        circuits = [make_circuit(str(shard.label), seed, study.p) for seed in shard.seeds]
        save_circuits(folder.population(shard) / CIRCUITS, circuits, declaration(study))
    return folder, study


def test_what_was_declared_comes_back_and_changes_no_weight(stored: tuple[StudyFolder, Any], tmp_path: Path) -> None:
    folder, study = stored
    path = folder.population(study.shards()[0]) / CIRCUITS
    assert read_record(path, "declared") == declaration(study)
    plain = tmp_path / "plain.safetensors"
    save_circuits(plain, load_circuits(path))
    assert read_record(plain, "declared") == ""
    one, other = load_file(path), load_file(plain)
    assert all(np.array_equal(one[key], other[key]) for key in one.keys() | other.keys())
    with safe_open(path, "numpy") as first, safe_open(plain, "numpy") as second:
        assert {key: first.metadata()[key] for key in second.metadata()} == second.metadata()


def test_margins_and_questions_that_changed_after_training_are_listed(stored: tuple[StudyFolder, Any]) -> None:
    folder, study = stored
    now = declaration(study)
    unchanged = {"hash": declaration_hash(now), "circuits": 6, "changes": [], "other_looks": False}
    assert declared_history(folder, study) == [unchanged]
    margins = study.model_dump()["margins"] | {"disc_cka": {"margin": 0.2, "reason": "another"}}
    questions = [SHAPE | {"primary": ["disc_cka"]}, {"words": "New?", "primary": ["pad"]}]
    later = make_study(["attention_0.0", "attention_1.0"], 3, margins=margins, questions=questions, alpha=0.01)
    (record,) = declared_history(folder, later)
    assert record["hash"] == declaration_hash(now) != declaration_hash(declaration(later))
    assert record["changes"] == [
        "alpha was 0.05 and is 0.01.",
        "The margin of disc_cka was 0.1 and is 0.2.",
        "The primary endpoints of 'Do both form the same shape?' were disc_cka, hole_logits and are disc_cka.",
        "The question 'New?' is new.",
    ]
    without = make_study(["attention_0.0", "attention_1.0"], 3)
    assert declared_history(folder, without)[0]["changes"] == [
        "The question 'Do both form the same shape?' was taken out."
    ]


@pytest.mark.parametrize(
    ("declared", "message"),
    [("{", "--declared is not JSON"), ("[1]", r"--declared needs keys and values, found \[1\]")],
)
def test_what_is_declared_on_the_command_line_is_checked(declared: str, message: str, tmp_path: Path) -> None:
    shard, settings = Shard(Label("mlp_add"), SeedBlock(0, 0)), '{"p": 5, "recipe": {}}'
    with pytest.raises(StudyError, match=message):
        train_shard(shard, settings, tmp_path / "x", [], "cpu", declared)
    assert list(tmp_path.iterdir()) == []


def test_a_reason_in_other_words_is_no_change(stored: tuple[StudyFolder, Any]) -> None:
    folder, study = stored
    margins = {name: margin | {"reason": "as before"} for name, margin in study.model_dump()["margins"].items()}
    same = make_study(["attention_0.0", "attention_1.0"], 3, margins=margins, questions=[SHAPE])
    assert declared_history(folder, same)[0]["changes"] == []


def test_a_record_that_was_changed_by_hand_is_refused(stored: tuple[StudyFolder, Any]) -> None:
    folder, study = stored
    path = folder.population(study.shards()[0]) / CIRCUITS
    with safe_open(path, "numpy") as file:
        metadata = file.metadata()
    changed = json.dumps(json.loads(metadata["declared"]) | {"alpha": 0.2})
    save_file(load_file(path), path, metadata | {"declared": changed})
    with pytest.raises(ValueError, match="is damaged: its record 'declared' is not what was written"):
        declared_history(folder, study)
