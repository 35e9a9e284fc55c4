"""The layouts of released transformers: TransformerLens's and Zhong et al.'s."""

from __future__ import annotations

import math

import numpy as np

from topomod.networks.released_files import Fields, State, one_of, whole_number
from topomod.networks.released_shapes import Reading, match_shapes
from topomod.networks.released_tokens import read_tokens

LENS_SWITCHES = {  # a config's key, and the value with which the network computes what is read here
    "attn_only": False,
    "attn_scores_soft_cap": -1,
    "gated_mlp": False,
    "normalization_type": None,
    "num_experts": None,
    "output_logits_soft_cap": -1,
    "parallel_attn_mlp": False,
    "positional_embedding_type": "standard",
    "post_embedding_ln": False,
    "scale_attn_by_inverse_layer_idx": False,
    "use_local_attn": False,
}


def transformer_lens(state: State, fields: Fields) -> list[Reading]:
    """Read a transformer of TransformerLens: tokens a, b and "=", no layer norm, causal attention unless it says so.

    Raises
    ------
    ValueError
        If keys, shapes or config do not fit, or the config changes the function in a way that is not read.
    """
    layers = _n_layers(state, fields)
    sizes = _lens_sizes(state, layers)
    for key, size in (("d_vocab", sizes["v"]), ("d_vocab_out", sizes["u"]), ("n_ctx", sizes["n"])):
        if fields.get(key, size) not in (size, -1, None):  # TransformerLens writes -1 for as many columns as tokens
            raise ValueError(f"config {key} {fields[key]!r:.60} contradicts the weights, which have {size}")
    common = {name: state[f"unembed.{name}"] for name in ("W_U", "b_U") if f"unembed.{name}" in state}
    for layer in range(layers):
        own, suffix = _layer(state, layer), f"_{layer}" if layer else ""
        common |= {f"W_{x}{suffix}": own[f"attn.W_{x}"].transpose(0, 2, 1) for x in "QKVO"}
        common |= {f"b_{x}{suffix}": own[f"attn.b_{x}"] for x in "QKVO" if f"attn.b_{x}" in own}
        common |= {f"{name}{suffix}": own[f"mlp.{name}"].T for name in ("W_in", "b_in", "W_out", "b_out")}
        common |= {
            name: _query_factor(fields, sizes["k"]) * common[name] for name in common if name[1:] == f"_Q{suffix}"
        }
    architecture = _lens_architecture(fields, layers)
    return [
        Reading(architecture, common | own, attention_rate=1.0, doubt=doubt)
        for own, doubt in read_tokens(state["embed.W_E"], state["pos_embed.W_pos"], sizes["u"], fields)
    ]


def _lens_sizes(state: State, layers: int) -> dict[str, int]:
    """Sizes by name, after a look at every key."""
    needed = {"embed.W_E": "v d", "pos_embed.W_pos": "n d", "unembed.W_U": "d u"}
    optional, unused = {"unembed.b_U": "u"}, ["x_embed", "y_embed"]
    for block in (f"blocks.{layer}." for layer in range(layers)):
        needed |= {f"{block}attn.W_{x}": "h d k" for x in "QKV"}
        needed |= {f"{block}attn.W_O": "h k d", f"{block}attn.b_O": "d", f"{block}mlp.W_in": "d m"}
        needed |= {f"{block}mlp.b_in": "m", f"{block}mlp.W_out": "m d", f"{block}mlp.b_out": "d"}
        needed |= {f"{block}attn.b_{x}": "h k" for x in "QKV"}
        unused += [f"{block}attn.mask", f"{block}attn.IGNORE"]
    sizes = match_shapes(state, needed, optional, tuple(unused))
    for copy in ("x_embed", "y_embed"):
        if copy in state and not np.array_equal(state[copy], state["embed.W_E"]):
            raise ValueError(f"{copy} differs from embed.W_E; only a network with one embedding is read")
    return sizes


def _query_factor(fields: Fields, d_head: int) -> float:
    """What queries are multiplied by, so that scores divided by the root of ``d_head`` are those of the config."""
    root, scale = math.sqrt(d_head), fields.get("attn_scale", -1)
    if isinstance(scale, bool) or not isinstance(scale, int | float) or not (scale == -1 or 0 < scale < math.inf):
        raise ValueError(f"config attn_scale must be above 0, or -1 for the root of d_head, found {scale!r:.60}")
    if not one_of(fields, "use_attn_scale", (True, False), True):
        return root
    return 1.0 if scale == -1 or math.isclose(scale, root, rel_tol=1e-6) else root / scale


def _lens_architecture(fields: Fields, layers: int) -> str:
    """Architecture that a TransformerLens config describes."""
    for key, value in LENS_SWITCHES.items():
        one_of(fields, key, (value,), value)
    direction = one_of(fields, "attention_dir", ("causal", "bidirectional"), "causal")
    nonlinearity = _nonlinearity(fields)
    if nonlinearity == "relu":
        return "transformer" if direction == "bidirectional" else "transformer_causal"
    if direction == "causal" and layers > 1:  # one layer is read at its last position, which attends to all
        raise ValueError("config act_fn 'gelu' is not understood with causal attention in several layers; known: relu")
    return "transformer_gelu"


def _nonlinearity(fields: Fields) -> str:
    name = str(fields.get("act_fn", "relu")).lower()
    if name not in ("relu", "gelu"):
        raise ValueError(f"config act_fn {fields['act_fn']!r:.60} is not understood; known: relu, gelu")
    return name


def _n_layers(state: State, fields: Fields) -> int:
    layers = len({key.split(".")[1] for key in state if key.startswith("blocks.")})
    named = whole_number(fields, "n_layers")
    if named not in (layers, None):
        raise ValueError(f"config n_layers {named} contradicts the weights, which have {layers} layers")
    return layers


def _layer(state: State, layer: int) -> State:
    prefix = f"blocks.{layer}."
    return {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}


def zhong_transformer(state: State, fields: Fields) -> list[Reading]:
    """Read a transformer of Zhong et al.: attention weights ``rate * softmax + (1 - rate)``, no mask.

    Their ``attention_dir`` names a mask that is stored and never applied, so it is not looked at.

    Raises
    ------
    ValueError
        If keys, shapes or config do not fit, or do not decide the number of classes.
    """
    needed, unused = {"embed.W_E": "d v", "pos_embed.W_pos": "n d", "unembed.W_U": "d u"}, []
    layers = _n_layers(state, fields)
    for block in (f"blocks.{layer}." for layer in range(layers)):
        needed |= {f"{block}attn.W_{x}": "h k d" for x in "KQV"} | {f"{block}attn.W_O": "d h*k"}
        needed |= {f"{block}mlp.W_in": "m d", f"{block}mlp.b_in": "m"}
        needed |= {f"{block}mlp.W_out": "d m", f"{block}mlp.b_out": "d"}
        unused.append(f"{block}attn.mask")  # stored by them, never applied
    sizes = match_shapes(state, needed, unused=tuple(unused))
    rate, gelu = _attention_rate(fields), _nonlinearity(fields) == "gelu"
    common = {"W_U": state["unembed.W_U"]}
    for layer in range(layers):
        own, suffix = _layer(state, layer), f"_{layer}" if layer else ""
        heads, d_head, _ = own["attn.W_K"].shape
        common |= {f"W_{x}{suffix}": own[f"attn.W_{x}"] for x in "QKV"}
        common |= {f"{x}{suffix}": own[f"mlp.{x}"] for x in ("W_in", "b_in", "W_out", "b_out")}
        common[f"W_O{suffix}"] = own["attn.W_O"].reshape(-1, heads, d_head).transpose(1, 0, 2)
    found = []
    for own, doubt in read_tokens(state["embed.W_E"].T, state["pos_embed.W_pos"], sizes["u"], fields):
        plain = layers == 1 and "W_eq" not in own and not gelu
        architecture = "attention" if plain else "transformer_gelu" if gelu else "transformer"
        found.append(Reading(architecture, common | own, rate, doubt=doubt, adds=True))
    return found


def _attention_rate(fields: Fields) -> float:
    if "attn_coeff" not in fields:
        raise ValueError("a transformer's attention rate is in its config: give a config with 'attn_coeff'")
    rate = fields["attn_coeff"]
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate <= 1:
        raise ValueError(f"config attn_coeff must be a number from 0 to 1, found {rate!r}")
    return float(rate)
