"""Which rows of a released transformer's embedding are numbers, and which is "=": what shapes and config allow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from topomod.networks.released_files import Fields, State, one_of
from topomod.networks.released_tasks import n_classes_of, named_group


@dataclass(frozen=True)
class Vocabulary:
    """How tokens are numbered: those of a from 0 on, then those of b where it has its own, then "=" if there is one.

    Parameters
    ----------
    p : int
        Number of values of a, and of b.
    two : bool
        Whether b has tokens of its own.
    sign : bool
        Whether "=" is the last token of an input.
    """

    p: int
    two: bool
    sign: bool

    @property
    def n_tokens(self) -> int:
        """Number of tokens in all."""
        return self.p * (1 + self.two) + self.sign

    def __str__(self) -> str:
        both = " for a and as many for b" if self.two else ""
        return f"p = {self.p}{both} {'with' if self.sign else 'without'} '='"

    def weights(self, tokens: np.ndarray, positions: np.ndarray) -> State:
        """Embeddings by the field's names, from the rows of all tokens and positions."""
        p = self.p
        found = {"W_E": tokens[:p], "W_pos": positions[: 2 + self.sign]}
        if self.two:
            found["W_E_right"] = tokens[p : 2 * p]
        return found | ({"W_eq": tokens[self.n_tokens - 1]} if self.sign else {})


def read_tokens(tokens: np.ndarray, positions: np.ndarray, n_columns: int, fields: Fields) -> list[tuple[State, str]]:
    """Embeddings in every way that fits, and for each why it is in doubt.

    Parameters
    ----------
    tokens : ndarray
        (n_tokens, d_model).
    positions : ndarray
        (n_positions, d_model). Those after the last token of an input are not used.
    n_columns : int
        Number of logits. Columns after the classes are those of other tokens.
    fields : mapping
        Config: the number of classes, ``diff_vocab``, ``eqn_sign``.

    Raises
    ------
    ValueError
        If nothing fits.
    """
    n, named = len(tokens), _n_named(fields)
    allowed = list(_allowed(len(positions), fields))
    found = [own for own in _exact(allowed, n) if n_columns in (own.p, n - own.sign, n) and named in (own.p, None)]
    shapes = f"{n} tokens and {n_columns} logit columns"
    doubt = f"{shapes} fit {' and '.join(map(str, found))}; the config must say 'C' or 'p'" if len(found) > 1 else ""
    if not found and named is not None and n_columns >= named:
        found = [own for both, sign in allowed if (own := Vocabulary(named, both, sign)).n_tokens <= n]
        doubt = f"{shapes} do not fit {named} classes: it is not known what the other tokens are"
    if not found:
        kinds = f"{named or 'p'} classes with diff_vocab {fields.get('diff_vocab')} and {len(positions)} positions"
        raise ValueError(
            f"{shapes} do not fit {kinds}; known: p tokens or 2 p with diff_vocab, one more and a third position for "
            "'=', and as many columns as classes or tokens"
        )
    return [(own.weights(tokens, positions), doubt) for own in found]


def _n_named(fields: Fields) -> int | None:
    group, named = named_group(fields), n_classes_of(fields)
    if group is not None and named not in (None, group.order):
        raise ValueError(
            f"config keys contradict each other about the number of classes: {named}, and {group} has {group.order}"
        )
    return named if group is None else group.order


def _allowed(n_positions: int, fields: Fields) -> Iterator[tuple[bool, bool]]:
    """Whether b may have its own tokens, and whether there may be "="; a full context is preferred."""
    if n_positions < 2:
        raise ValueError(f"pos_embed.W_pos has {n_positions} positions; known: 2 (a and b) and more")
    two, sign = (one_of(fields, key, (False, True, None), None) for key in ("diff_vocab", "eqn_sign"))
    if sign and n_positions < 3:
        raise ValueError(f"pos_embed.W_pos has {n_positions} positions; 'eqn_sign' needs 3 or more (a, b and '=')")
    signs = [False] if n_positions < 3 else [True, False]
    for own_sign in signs if sign is None else [bool(sign)]:
        for own_two in [False, True] if two is None else [bool(two)]:
            yield own_two, own_sign


def _exact(allowed: list[tuple[bool, bool]], n_tokens: int) -> Iterator[Vocabulary]:
    for two, sign in allowed:
        p, left = divmod(n_tokens - sign, 1 + two)
        if p >= 2 and not left:
            yield Vocabulary(p, two, sign)
