"""How numbers, samples and comparisons are written for readers."""

from __future__ import annotations

import numpy as np

from topomod.statistics.power import CURVE
from topomod.statistics.questions import ANSWERS
from topomod.study.sentences import KINDS_OF_ATTENTION, sample_name

SYMBOLS: dict[str, str] = dict(zip(ANSWERS, ("=", "≠", "(≠)", "?"), strict=True))


def number(value: float | None, digits: int = 3) -> str:
    """Round for display; a dash for what is missing.

    Examples
    --------
    >>> number(-0.0001), number(float("nan")), number(0.98765)
    ('0.000', '–', '0.988')
    """
    if value is None or np.isnan(value):
        return "–"
    if np.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = f"{value:.{digits}f}" if abs(value) < 1e5 else f"{value:.1e}"
    text = text.lstrip("-") if not text.strip("-0.") else text
    return text.replace("-", "−")


def p_value(value: float | None) -> str:
    """A p-value for display.

    Examples
    --------
    >>> p_value(0.0002), p_value(0.0431)
    ('< 0.001', '0.043')
    """
    if value is None or np.isnan(value):
        return "–"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def described(name: str) -> str:
    """Name of a sample, with what its kind of attention is called.

    Examples
    --------
    >>> described("attention_0.0"), described("mlp_add")
    ('attention_0.0 (uniform attention)', 'mlp_add')
    """
    return f"{sample_name(name)} ({KINDS_OF_ATTENTION[name]})" if name in KINDS_OF_ATTENTION else sample_name(name)


def style_name(answer: str) -> str:
    """Name of an answer in the style sheet.

    Examples
    --------
    >>> style_name("differs, size open")
    'differs-size-open'
    """
    return answer.replace(",", "").replace(" ", "-")


def comparison_title(role: str, x: str, y: str) -> str:
    """Name of a comparison for readers, with its role if it is a control."""
    title = f"{sample_name(x)} vs {sample_name(y)}"
    return title if role == "pair" else f"{title} ({role})"


def needed_circuits(n: float) -> str:
    """A number of circuits for display; NaN stands for more than were tried."""
    return f">{CURVE[-1]}" if np.isnan(n) else str(int(n))
