"""Widths of a network."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
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
    """

    d_model: int = 128
    d_mlp: int = 512
    n_heads: int = 4

    def __post_init__(self) -> None:
        if min(self.d_model, self.d_mlp, self.n_heads) < 1 or self.d_model % self.n_heads:
            raise ValueError(f"d_model must be a positive multiple of n_heads, and d_mlp positive, found {self}")
