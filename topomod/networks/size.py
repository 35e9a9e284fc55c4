"""How wide a network is. This module imports nothing heavy, because the Snakefile reads it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from topomod.tasks.checked import CHECKED, Whole, one_sentence

PositiveInt = Annotated[Whole, Field(ge=1)]


@one_sentence
@dataclass(frozen=True, config=CHECKED)
class NetworkSize:
    """Widths of a network.

    Parameters
    ----------
    d_model : int
        Length of an embedding; a multiple of ``n_heads``.
    d_mlp : int
        Neurons of a hidden layer.
    n_heads : int
        Heads of the attention; MLPs have none.

    Raises
    ------
    ValueError
        If a width is less than 1 or ``d_model`` cannot be divided among the heads.
    """

    d_model: PositiveInt = 128
    d_mlp: PositiveInt = 512
    n_heads: PositiveInt = 4

    def __post_init__(self) -> None:
        if self.d_model % self.n_heads:
            raise ValueError(f"d_model must be a multiple of n_heads ({self.n_heads}), found {self.d_model}")
