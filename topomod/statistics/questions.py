"""The answer to a question from the tests of its primary endpoints, in four words that every part of topomod uses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np

from topomod.notebook import Shown
from topomod.statistics.arguments import check_number
from topomod.statistics.families import holm

AnswerWord = Literal["the same", "different", "differs, size open", "not decided"]
ANSWERS: tuple[AnswerWord, ...] = ("the same", "different", "differs, size open", "not decided")
SHOWN_TO_DIFFER: tuple[AnswerWord, ...] = ("different", "differs, size open")
MAX_PRIMARY = 3


@runtime_checkable
class PrimaryTest(Protocol):
    """P-values of one endpoint: an `EquivalenceResult`, an `MMDResult`, or a row of the table of verdicts."""

    @property
    def p_equivalence(self) -> float:
        """Against "the difference is the margin or more"."""

    @property
    def p_beyond(self) -> float:
        """Against "the difference is the margin or less"."""

    @property
    def p_difference(self) -> float:
        """Against "there is no difference"."""


@dataclass(frozen=True)
class PValues:
    """The three p-values of one endpoint without anything else, as a simulation has them; see `PrimaryTest`."""

    p_equivalence: float
    p_beyond: float
    p_difference: float


@dataclass(frozen=True)
class PrimaryAnswer(Shown):
    """What one primary endpoint contributes to the answer.

    Parameters
    ----------
    answer : str
        One of `ANSWERS`, for this endpoint within its question.
    small_difference : bool
        Whether a difference was found that is shown to be smaller than the margin; the answer is then "the same".
    p_equivalence : float
        As tested: sameness needs it of every primary, which makes an adjustment unnecessary.
    p_beyond_adjusted, p_difference_adjusted : float
        Adjusted by Holm over the primaries of the question.
    """

    answer: AnswerWord
    small_difference: bool
    p_equivalence: float
    p_beyond_adjusted: float
    p_difference_adjusted: float


@dataclass(frozen=True)
class Answer(Shown):
    """The answer to one question.

    Parameters
    ----------
    answer : str
        One of `ANSWERS`.
    primaries : tuple of PrimaryAnswer
        One for each primary endpoint, in their order.
    alpha : float
        Level of the answer.
    """

    answer: AnswerWord
    primaries: tuple[PrimaryAnswer, ...]
    alpha: float

    @property
    def headline(self) -> str:
        """The answer, and those of its primary endpoints."""
        return f"{self.answer} (primary endpoints: {', '.join(primary.answer for primary in self.primaries)})"


def answer_of(p_equivalence: float, p_beyond: float, p_difference: float, alpha: float = 0.05) -> AnswerWord:
    """Put the three p-values of one endpoint into a word; missing ones support nothing.

    Parameters
    ----------
    p_equivalence, p_beyond, p_difference : float
        P-values, adjusted or not; NaN where a test could not be run.
    alpha : float
        Level of each test.

    Examples
    --------
    >>> answer_of(p_equivalence=0.4, p_beyond=0.9, p_difference=0.001)
    'differs, size open'
    """
    if p_equivalence <= alpha:
        return "the same"
    if p_beyond <= alpha:
        return "different"
    return "differs, size open" if p_difference <= alpha else "not decided"


def answer_question(tests: Sequence[PrimaryTest], alpha: float = 0.05) -> Answer:
    """Answer a question from the tests of its primary endpoints.

    * "the same": every primary is shown to be inside its margin (intersection-union test). The error of this answer is
      at most ``alpha`` where one primary truly lies on or beyond its margin, without an adjustment.
    * "different": at least one primary is shown to be beyond its margin, after Holm over the primaries.
    * "differs, size open": at least one primary differs from 0, after Holm, and is shown neither beyond its margin nor
      inside it.
    * "not decided": anything else.

    Parameters
    ----------
    tests : sequence
        One to three results of `equivalence_test`, `mmd_equivalence_test` or `diagram_equivalence_test`.
    alpha : float
        Level of the answer, in (0, 0.5).

    Raises
    ------
    ValueError
        No test, more than three, or alpha outside (0, 0.5).

    References
    ----------
    Berger (1982), Technometrics 24, 295-300 (intersection-union). Holm (1979), Scandinavian Journal of Statistics 6,
    65-70. The minimum-effect test is that of Hodges and Lehmann (1954), Journal of the Royal Statistical Society B 16,
    261-268.

    Examples
    --------
    >>> from topomod.statistics.equivalence import equivalence_test
    >>> near = equivalence_test([0.1, 0.2, 0.3, 0.2], [0.2, 0.1, 0.2, 0.3], margin=0.5)
    >>> far = equivalence_test([0.1, 0.2, 0.3, 0.2], [1.2, 1.1, 1.2, 1.3], margin=0.5)
    >>> answer_question([near]).answer, answer_question([near, far]).answer
    ('the same', 'different')
    """
    if not 1 <= len(tests) <= MAX_PRIMARY:
        raise ValueError(f"a question has 1 to {MAX_PRIMARY} primary endpoints, found {len(tests)} tests")
    alpha = check_number(alpha, "alpha", "be a number strictly between 0 and 0.5", lambda number: 0 < number < 0.5)
    beyond, different = (holm([getattr(t, name) for t in tests]) for name in ("p_beyond", "p_difference"))
    primaries = tuple(
        PrimaryAnswer(
            answer=answer_of(test.p_equivalence, b, d, alpha),
            small_difference=bool(test.p_equivalence <= alpha and d <= alpha),
            p_equivalence=float(test.p_equivalence),
            p_beyond_adjusted=float(b),
            p_difference_adjusted=float(d),
        )
        for test, b, d in zip(tests, beyond, different, strict=True)
    )
    return Answer(_together([primary.answer for primary in primaries]), primaries, alpha)


def _together(answers: Sequence[AnswerWord]) -> AnswerWord:
    if all(answer == "the same" for answer in answers):
        return "the same"
    return next((word for word in SHOWN_TO_DIFFER if word in answers), "not decided")


def assay_sensitivity(control_difference: float, margin: float) -> float:
    """Distance of a positive control in units of the margin.

    An endpoint in which two architectures that are known to differ are less than two margins apart
    (`LEAST_SENSITIVITY`) could hardly have shown a difference, and sameness on it says little.

    References
    ----------
    ICH E10 (2000), Choice of control group, section 1.5 (assay sensitivity).

    Examples
    --------
    >>> assay_sensitivity(-0.3, margin=0.05)
    6.0
    """
    return float(np.round(abs(control_difference) / margin, 12))


LEAST_SENSITIVITY = 2.0
