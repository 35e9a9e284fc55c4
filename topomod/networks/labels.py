"""The name of a kind of circuit, as a study's YAML, tables and paths write it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from topomod.networks.architectures import ARCHITECTURES, Architecture, trainable

GIVEN = "given"  # architecture of networks that a study only reads, and of those of which only arrays are known
VARIANT_NAME = r"[A-Za-z0-9][A-Za-z0-9_-]*"


@dataclass(frozen=True)
class Label:
    """An architecture, its attention rate if it takes one, and the named variant of the study that it is trained by.

    Parameters
    ----------
    architecture : str
        Name in :data:`topomod.networks.architectures.ARCHITECTURES`.
    attention_rate : float or None
        In [0, 1] where the architecture takes one.
    variant : str
        Name of the variant; empty for the study's own settings. Of networks that were not trained here, ``given``, it
        is the name that the study gives them.

    Examples
    --------
    >>> str(Label("attention", 1.0, "long"))
    'attention_1.0@long'
    >>> str(Label.parse("attention_1"))
    'attention_1.0'
    """

    architecture: str
    attention_rate: float | None = None
    variant: str = ""

    def __str__(self) -> str:
        at = f"@{self.variant}" if self.variant else ""
        if self.attention_rate is None:
            return f"{self.architecture}{at}"
        # digits, never 1e-05, so that the label can be read again and is a plain file name
        return f"{self.architecture}_{Decimal(repr(float(self.attention_rate))):f}{at}"

    @classmethod
    def parse(cls, text: str) -> Label:
        """Read a label; ``attention_1`` and ``attention_1.0`` are the same one.

        Raises
        ------
        ValueError
            For an unknown architecture, an attention rate outside [0, 1], or a malformed variant.
        """
        name, at, variant = text.partition("@")
        if bool(at) == bool(re.fullmatch(VARIANT_NAME, variant)):
            if name in trainable() and not ARCHITECTURES[name].takes_rate or variant and name == GIVEN:
                return cls(name, None, variant)
            architecture, _, rate = name.rpartition("_")
            if _takes_rate(architecture) and re.fullmatch(r"0(\.\d+)?|1(\.0+)?", rate):
                return cls(architecture, float(rate), variant)
        known = ", ".join(written_names())
        raise ValueError(f"unknown architecture {text!r}; known: {known}, and each with @<variant>")

    @property
    def given(self) -> bool:
        """Whether it names networks that were trained elsewhere."""
        return self.architecture == GIVEN

    @property
    def record(self) -> Architecture:
        """Its entry in the catalogue of architectures."""
        return ARCHITECTURES[self.architecture]

    @property
    def plain(self) -> Label:
        """The same without its variant."""
        return Label(self.architecture, self.attention_rate)


def _takes_rate(name: str) -> bool:
    return name in trainable() and ARCHITECTURES[name].takes_rate


def written_names(system: str | None = None) -> tuple[str, ...]:
    """How the trainable architectures of a system, or of all, are written: ``attention_<rate>``."""
    return tuple(
        f"{name}_<rate>" if ARCHITECTURES[name].takes_rate else name
        for name in trainable()
        if system in (None, ARCHITECTURES[name].system)
    )
