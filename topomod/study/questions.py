"""What a study asks: each question in words, with its two architectures and its primary endpoints."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Annotated

from pydantic import Field, field_validator

from topomod.networks.labels import Label
from topomod.statistics.samples import MIN_NETWORKS
from topomod.study.endpoint_catalogue import all_endpoints
from topomod.study.settings import Strict

MAX_PRIMARY = 3  # more would be no question, but a family of tests
MAX_WORDS = 300


class Question(Strict):
    """One question: ``architectures`` are the study's main pair where none are named."""

    words: Annotated[str, Field(min_length=1, max_length=MAX_WORDS)]
    architectures: tuple[str, str] | None = None
    primary: list[str]

    @field_validator("architectures")
    @classmethod
    def _canonical(cls, pair: tuple[str, str] | None) -> tuple[str, str] | None:
        if pair is None:
            return None
        x, y = (str(Label.parse(label)) for label in pair)
        return x, y

    @field_validator("primary")
    @classmethod
    def _endpoints(cls, names: list[str]) -> list[str]:
        known = all_endpoints()
        if unknown := [name for name in names if name not in known]:
            raise ValueError(f"unknown endpoint {', '.join(unknown)}; known: {', '.join(known)}")
        if not 1 <= len(names) <= MAX_PRIMARY:
            raise ValueError(f"a question has 1 to {MAX_PRIMARY} primary endpoints, found {len(names)}")
        if len(set(names)) < len(names):
            raise ValueError(f"primary endpoints must be distinct, found {names}")
        return names


def pair_problems(main_pair: Sequence[str] | None, positive_control: Sequence[str] | None) -> Iterator[str]:
    """Sentences on a main pair and a control that are no pairs, or one pair."""
    for key, pair in (("positive_control", positive_control), ("main_pair", main_pair)):
        if pair and pair[0] == pair[1]:
            yield f"{key} needs two different architectures, found {pair}"
    if main_pair and set(main_pair) == set(positive_control or ()):
        yield f"main_pair and positive_control are both {sorted(main_pair)}: a pair has one role"


def question_problems(
    questions: Sequence[Question],
    architectures: Sequence[str],
    positive_control: Sequence[str] | None,
    pair: tuple[str, str] | None,
) -> Iterator[str]:
    """Sentences on questions that a study cannot ask.

    Parameters
    ----------
    questions : sequence of Question
        As declared.
    architectures, positive_control
        Those of the study.
    pair : tuple of str or None
        The one that the study is about.
    """
    seen: set[str] = set()
    answered: set[tuple[frozenset[str], str]] = set()
    for question in questions:
        named = f"the question {question.words!r}"
        if question.words in seen:
            yield f"{named} stands twice in 'questions'"
        seen.add(question.words)
        asked = question.architectures or pair
        if asked is None:
            yield f"{named} needs two architectures to compare; a study without such a pair has 'questions: []'"
        elif strangers := [label for label in asked if label not in architectures]:
            yield f"{named}: {strangers[0]!r} is not one of the study's architectures {list(architectures)}"
        elif asked[0] == asked[1]:
            yield f"{named} needs two different architectures, found {asked}"
        elif set(asked) == set(positive_control or ()):
            yield f"{named} is about {asked[0]} and {asked[1]}, which are the positive_control: a pair has one role"
        found = {(frozenset(asked or ()), name) for name in question.primary}
        if twice := sorted(name for _, name in found & answered):
            yield f"{named}: {', '.join(twice)} is primary in another question about this pair already"
        answered |= found


def few_circuits(
    questions: Sequence[Question], pair: tuple[str, str] | None, count_of: Callable[[Label], int]
) -> Iterator[str]:
    """A sentence on architectures that are asked about and have too few circuits for any test.

    Parameters
    ----------
    questions, pair
        As in :func:`question_problems`, which found none.
    count_of : callable
        Circuits of an architecture.
    """
    asked = [label for question in questions for label in question.architectures or pair or ()]
    counts = {label: count_of(Label.parse(label)) for label in asked}
    if few := [f"{n} of {label}" for label, n in counts.items() if n < MIN_NETWORKS]:
        yield f"questions need at least {MIN_NETWORKS} circuits of each architecture, found {', '.join(few)}"
