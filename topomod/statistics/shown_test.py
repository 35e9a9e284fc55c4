"""How the result of a test shows itself in a notebook."""

from __future__ import annotations

from topomod.notebook import Shown


class ShownTest(Shown):
    """The result of a test as a notebook shows it: its answer comes first, then difference, interval and margin."""

    @property
    def headline(self) -> str:
        """The answer that this test alone gives, with its numbers."""
        from topomod.statistics.questions import answer_of  # which imports the tests

        numbers = {name: getattr(self, name) for name in ("difference", "ci_low", "ci_high", "margin")}
        answer = answer_of(*(getattr(self, name) for name in ("p_equivalence", "p_beyond", "p_difference", "alpha")))
        return "{answer}; difference {difference:.4g} [{ci_low:.4g}, {ci_high:.4g}], margin {margin:.4g}".format(
            answer=answer, **numbers
        )
