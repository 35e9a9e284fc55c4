"""Sentences on a question, made from its primary endpoints: values, unit, interval and margin."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from topomod.statistics.power import CURVE, TARGET
from topomod.statistics.questions import LEAST_SENSITIVITY


def sample_name(name: str) -> str:
    """Name of a sample: an architecture, or half of its circuits."""
    label, _, half = name.partition("#")
    return f"{label}, {half} seeds" if half else label


KINDS_OF_ATTENTION = {"attention_0.0": "uniform attention", "attention_1.0": "learnable attention"}


def short_name(name: str) -> str:
    """Name of a sample in sentences and figures: what a kind of attention is called, else the key.

    Examples
    --------
    >>> short_name("attention_0.0"), short_name("mlp_add")
    ('uniform attention', 'mlp_add')
    """
    return KINDS_OF_ATTENTION.get(name, sample_name(name))


def rounded(value: float, margin: float) -> str:
    """A number with as many decimals as give the margin two digits.

    Examples
    --------
    >>> rounded(-3.2668, 1.5), rounded(0.98512, 0.05), rounded(4.065, 3.0)
    ('−3.3', '0.985', '4.1')
    """
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    decimals = max(0, 1 - math.floor(math.log10(margin)))
    text = f"{value:.{decimals}f}"
    return (text.lstrip("-") if not text.strip("-0.") else text).replace("-", "−")


def estimate(test: Mapping[str, Any]) -> str:
    """An endpoint with its values, difference, interval and margin.

    Parameters
    ----------
    test : mapping
        ``title``, ``unit``, ``x``, ``y``, ``mean_x``, ``mean_y``, ``difference``, ``ci_low``, ``ci_high``, ``alpha``,
        ``margin``; means are NaN for a distance between distributions. The interval is of level 1 - 2 alpha.

    Examples
    --------
    >>> numbers = {"mean_x": 4.06, "mean_y": 3.8, "difference": 0.26, "ci_low": 0.02, "ci_high": 0.52, "margin": 1.0}
    >>> estimate({"title": "hole radius", "unit": "rms", "x": "a", "y": "b", "alpha": 0.05} | numbers)
    'Hole radius: 4.1 rms in a and 3.8 rms in b, difference 0.3 (90 % interval 0.0 to 0.5, margin 1)'
    """
    title = _capital(test["title"])
    if math.isnan(test["difference"]):
        return f"{title}: not tested"
    margin = test["margin"]
    difference, low, high = (rounded(test[key], margin) for key in ("difference", "ci_low", "ci_high"))
    interval = f"({100 - 200 * test['alpha']:.3g} % interval {low} to {high}, margin {margin:g})"
    if math.isnan(test["mean_x"]):
        return f"{title}: distance {difference} {interval}"
    unit = f" {test['unit']}" if test["unit"] else ""
    x, y = (f"{rounded(test[f'mean_{side}'], margin)}{unit} in {short_name(test[side])}" for side in "xy")
    return f"{title}: {x} and {y}, difference {difference} {interval}"


def answer_lead(answer: str, primaries: Sequence[Mapping[str, Any]]) -> str:
    """What was shown of a question, without numbers.

    Parameters
    ----------
    answer : str
        One of :data:`topomod.statistics.questions.ANSWERS`.
    primaries : sequence of mapping
        ``title`` and ``primary_answer`` of each.
    """
    decisive = " and ".join(test["title"] for test in primaries if test["primary_answer"] == answer)
    leads = {
        "the same": f"Any difference in {decisive} is smaller than the margin.",
        "different": f"The difference in {decisive} is larger than the margin.",
        "differs, size open": f"There is a difference in {decisive}. Whether it is larger than the margin is open.",
    }
    return leads.get(answer, "Neither sameness nor a difference is shown.")


def primary_sentence(answer: str, test: Mapping[str, Any]) -> str:
    """A primary endpoint with its numbers, and its own answer where that is not the one of its question."""
    if test["small_difference"]:
        return f"{estimate(test)}. A difference smaller than the margin was found here."
    return f"{estimate(test)}." if test["primary_answer"] == answer else f"{estimate(test)}: {test['primary_answer']}."


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def sensitivity_sentence(primaries: Sequence[Mapping[str, Any]], control: Sequence[str] | None) -> str:
    """Whether the primary endpoints of a sameness could have shown a difference.

    Parameters
    ----------
    primaries : sequence of mapping
        ``title`` and ``sensitivity`` of each.
    control : sequence of str or None
        The two architectures that are known to differ.
    """
    if control is None:
        return "The study has no positive control, so it is not known whether it could have told a difference."
    pair = f"{control[0]} and {control[1]}, which are known to differ,"
    unseen = [test for test in primaries if not test["sensitivity"] >= LEAST_SENSITIVITY]
    if not unseen:
        least = min(test["sensitivity"] for test in primaries)
        return f"This study could have told a difference: {pair} are at least {least:.1f} margins apart here."
    parts = []
    for test in unseen:
        if math.isnan(test["sensitivity"]):
            parts.append(f"{pair} were not compared in {test['title']}")
            continue
        wide = ", so that the margin is wider than their distance" if test["sensitivity"] < 1 else ""
        parts.append(f"{pair} are only {test['sensitivity']:.1f} margins apart in {test['title']}{wide}")
    return f"{'This endpoint' if len(unseen) == 1 else 'These endpoints'} could not have told: {'; '.join(parts)}."


def settling_sentence(answer: str, primaries: Sequence[Mapping[str, Any]]) -> str:
    """How many circuits would settle the open primary endpoints of a question.

    Parameters
    ----------
    answer : str
        That of the question, "differs, size open" or "not decided".
    primaries : sequence of mapping
        ``title``, ``primary_answer`` and ``n_needed`` of each.
    """
    needed = [test["n_needed"] for test in primaries if test["primary_answer"] == answer]
    if any(math.isnan(n) for n in needed):
        return "How many circuits would decide it is not known from these."
    count = f"more than {CURVE[-1]}" if max(needed) > CURVE[-1] else f"about {max(needed):.0f}"
    circuits = f"{count} circuits of each architecture"
    if answer == "not decided":
        return f"It takes {circuits} to decide it in {TARGET:.0%} of studies.".replace("%", " %")
    return (
        f"If the difference is the estimated one, it takes {circuits} to show in {TARGET:.0%} of studies whether it is "
        "larger than the margin."
    ).replace("%", " %")
