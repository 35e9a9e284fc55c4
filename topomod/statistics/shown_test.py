"""How the result of a test shows itself in a notebook."""

from __future__ import annotations

from topomod.notebook import Shown


class ShownTest(Shown):
    """The result of a test as a notebook shows it: its answer comes first, then difference, interval and margin."""

    difference: float
    ci_low: float
    ci_high: float
    margin: float
    p_equivalence: float
    p_beyond: float
    p_difference: float
    alpha: float

    @property
    def headline(self) -> str:
        """The answer that this test alone gives, with its numbers."""
        from topomod.statistics.questions import answer_question  # which imports the tests

        answer = answer_question([self], self.alpha).answer
        interval = f"[{self.ci_low:.4g}, {self.ci_high:.4g}]"
        return f"{answer}; difference {self.difference:.4g} {interval}, margin {self.margin:.4g}"
