"""Which layout a released state dict has, and the layouts of perceptrons."""

from __future__ import annotations

from topomod.networks.released_files import Fields, State
from topomod.networks.released_shapes import Reading, match_shapes
from topomod.networks.released_transformers import transformer_lens, zhong_transformer


def read_layout(state: State, fields: Fields) -> list[Reading]:
    """Read a state dict by the layout that its keys show, in every way that shapes and config allow.

    Raises
    ------
    ValueError
        If the layout is not known, a key is missing, unknown, of another shape or not finite, or if the config names
        something that changes the function and is not understood.
    """
    if set(state) == {"W_x", "W_y", "W", "W_U"}:
        return [_chughtai(state)]
    if "blocks.0.attn.b_Q" in state and "unembed.W_U" in state:
        return transformer_lens(state, fields)
    if "blocks.0.attn.W_K" in state and "unembed.W_U" in state:
        return zhong_transformer(state, fields)
    if {"l1.weight", "unembed.weight"} <= set(state) and ({"embed.weight", "embed1.weight"} & set(state)):
        return [_zhong_linear(state, fields)]
    raise ValueError(f"format not understood; found keys {', '.join(sorted(state))}")


def _chughtai(state: State) -> Reading:
    match_shapes(state, {"W_x": "n e", "W_y": "n e", "W": "2*e h", "W_U": "h n"})
    weights = {"W_E": state["W_x"], "W_E_right": state["W_y"], "W_in": state["W"].T, "W_U": state["W_U"]}
    return Reading("mlp_concat", weights)


LINEAR_TYPES = {  # Zhong et al.'s letters: two embeddings, concatenated, two hidden layers
    "A": (False, False, False),
    "B": (False, False, True),
    "C": (False, False, True),
    "D": (False, True, False),
    "X": (True, False, False),
}


# their type C applies the first layer to each embedding on its own, so that its bias counts twice
LINEAR_ARCHITECTURES = {
    "A": "mlp_add",
    "B": "mlp_add_two_layers",
    "C": "mlp_add_two_layers_two_biases",
    "D": "mlp_concat",
    "X": "mlp_add",
}


def _zhong_linear(state: State, fields: Fields) -> Reading:
    two, deep = "embed1.weight" in state, "l2.weight" in state
    width = state["embed1.weight" if two else "embed.weight"].shape[1:]
    concatenated = len(width) == 1 and state["l1.weight"].shape[1:] == (2 * width[0],)
    needed = {"embed1.weight": "p e", "embed2.weight": "p e"} if two else {"embed.weight": "p e"}
    needed |= {"l1.weight": "h 2*e" if concatenated else "h e", "l1.bias": "h"}
    needed |= {"l2.weight": "g h", "l2.bias": "g", "unembed.weight": "p g"} if deep else {"unembed.weight": "p h"}
    match_shapes(state, needed)
    letter = _linear_type(fields, (two, concatenated, deep))
    names = {"W_E": "embed.weight", "W_E_right": "embed2.weight", "W_in": "l1.weight", "b_in": "l1.bias"}
    names |= {"W_in_1": "l2.weight", "b_in_1": "l2.bias"} | ({"W_E": "embed1.weight"} if two else {})
    weights = {name: state[key] for name, key in names.items() if key in state} | {"W_U": state["unembed.weight"].T}
    return Reading(LINEAR_ARCHITECTURES[letter], weights, adds=True)


def _linear_type(fields: Fields, found: tuple[bool, bool, bool]) -> str:
    """The one of Zhong et al.'s types that keys, shapes and config agree on."""
    fitting = [letter for letter, parts in LINEAR_TYPES.items() if parts == found]
    named = fields.get("model_type")
    if not fitting:
        raise ValueError(
            "two embeddings or concatenated ones are understood with one hidden layer, not both and not two"
        )
    if named is None and len(fitting) > 1:
        raise ValueError(f"keys and shapes fit the types {' and '.join(fitting)}; the config must say 'model_type'")
    if named is not None and named not in fitting:
        raise ValueError(f"config model_type {named!r} contradicts the weights; known for these: {', '.join(fitting)}")
    return named or fitting[0]
