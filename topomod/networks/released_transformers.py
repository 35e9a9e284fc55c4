"""The layouts of released transformers: TransformerLens's and Zhong et al.'s."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from topomod.networks.released_files import Fields, State, one_of, whole_number
from topomod.networks.released_shapes import Reading, match_shapes
from topomod.networks.released_tasks import CYCLIC, n_classes_of

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
    "use_attn_scale": True,
    "use_local_attn": False,
}


def transformer_lens(state: State, fields: Fields) -> Reading:
    """Read a transformer of TransformerLens: tokens a, b and "=", no layer norm, causal attention unless it says so.

    Raises
    ------
    ValueError
        If keys, shapes or config do not fit, or the config changes the function in a way that is not read.
    """
    needed = {"embed.W_E": "v d", "pos_embed.W_pos": "n d", "unembed.W_U": "d u"}
    optional, unused = {"unembed.b_U": "u"}, ["x_embed", "y_embed"]
    layers = _n_layers(state, fields)
    for block in (f"blocks.{layer}." for layer in range(layers)):
        needed |= {f"{block}attn.W_{x}": "h d k" for x in "QKV"}
        needed |= {f"{block}attn.W_O": "h k d", f"{block}attn.b_O": "d", f"{block}mlp.W_in": "d m"}
        needed |= {f"{block}mlp.b_in": "m", f"{block}mlp.W_out": "m d", f"{block}mlp.b_out": "d"}
        optional |= {f"{block}attn.b_{x}": "h k" for x in "QKV"}
        unused += [f"{block}attn.mask", f"{block}attn.IGNORE"]
    sizes = match_shapes(state, needed, optional, tuple(unused))
    for copy in ("x_embed", "y_embed"):
        if copy in state and not np.array_equal(state[copy], state["embed.W_E"]):
            raise ValueError(f"{copy} differs from embed.W_E; only a network with one embedding is read")
    p, doubt = _lens_classes(sizes, fields)
    weights = {name: state[f"{place}.{name}"] for place, name in (("pos_embed", "W_pos"), ("unembed", "W_U"))}
    weights |= {"W_E": state["embed.W_E"][:p], "W_eq": state["embed.W_E"][p]}
    if "unembed.b_U" in state:
        weights["b_U"] = state["unembed.b_U"]
    for layer in range(layers):
        own, suffix = _layer(state, layer), f"_{layer}" if layer else ""
        weights |= {f"W_{x}{suffix}": own[f"attn.W_{x}"].transpose(0, 2, 1) for x in "QKVO"}
        weights |= {f"b_{x}{suffix}": own[f"attn.b_{x}"] for x in "QKVO" if f"attn.b_{x}" in own}
        weights |= {f"{name}{suffix}": own[f"mlp.{name}"].T for name in ("W_in", "b_in", "W_out", "b_out")}
    return Reading(_lens_architecture(fields, layers, sizes["k"]), weights, attention_rate=1.0, doubt=doubt)


def _lens_classes(sizes: Mapping[str, int], fields: Fields) -> tuple[int, str]:
    """Number of classes, and why it is in doubt; tokens are 0..p-1 and "=", logit columns the classes or all tokens."""
    for key, size in (("d_vocab", sizes["v"]), ("d_vocab_out", sizes["u"]), ("n_ctx", sizes["n"])):
        if fields.get(key, size) not in (size, -1):  # TransformerLens writes -1 for as many columns as tokens
            raise ValueError(f"config {key} {fields[key]!r} contradicts the weights, which have {size}")
    if sizes["n"] != 3:
        raise ValueError(f"pos_embed.W_pos has {sizes['n']} positions; read are networks of 3: a, b and '='")
    p, named = sizes["v"] - 1, n_classes_of(fields)
    of_tokens = f"{sizes['v']} tokens and {sizes['u']} logit columns"
    if sizes["u"] not in (p, p + 1):
        raise ValueError(f"{of_tokens} are not read; known: p + 1 tokens (0 to p - 1 and '='), p or p + 1 columns")
    if named not in (p, None) and fields.get("group", CYCLIC) == CYCLIC:
        raise ValueError(f"{of_tokens} do not fit {named} classes; known: p + 1 tokens (0 to p - 1 and '=')")
    if named is None and fields and sizes["u"] == p + 1:
        return p, f"{of_tokens} fit p = {p} with '=' and p = {p + 1} without; the config must say 'p'"
    return p, ""


def _lens_architecture(fields: Fields, layers: int, d_head: int) -> str:
    """Architecture that a TransformerLens config describes; scores are divided by the root of ``d_head``."""
    for key, value in LENS_SWITCHES.items():
        one_of(fields, key, (value,), value)
    scale = fields.get("attn_scale", -1)  # TransformerLens writes -1 for the root of d_head
    if scale != -1 and not (isinstance(scale, int | float) and math.isclose(scale, math.sqrt(d_head), rel_tol=1e-6)):
        raise ValueError(f"config attn_scale {scale!r} is not understood; known: {math.sqrt(d_head):.6g}")
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
        raise ValueError(f"config act_fn {fields['act_fn']!r} is not understood; known: relu, gelu")
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


def zhong_transformer(state: State, fields: Fields) -> Reading:
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
    p, two_vocabularies, has_sign = _zhong_classes(sizes, fields)
    tokens = state["embed.W_E"].T
    weights = {"W_E": tokens[:p], "W_pos": state["pos_embed.W_pos"], "W_U": state["unembed.W_U"]}
    if two_vocabularies:
        weights["W_E_right"] = tokens[p : 2 * p]
    if has_sign:
        weights["W_eq"] = tokens[-1]
    for layer in range(layers):
        own, suffix = _layer(state, layer), f"_{layer}" if layer else ""
        heads, d_head, _ = own["attn.W_K"].shape
        weights |= {f"W_{x}{suffix}": own[f"attn.W_{x}"] for x in "QKV"}
        weights |= {f"{x}{suffix}": own[f"mlp.{x}"] for x in ("W_in", "b_in", "W_out", "b_out")}
        weights[f"W_O{suffix}"] = own["attn.W_O"].reshape(-1, heads, d_head).transpose(1, 0, 2)
    plain = layers == 1 and not has_sign and not gelu
    return Reading("attention" if plain else "transformer_gelu" if gelu else "transformer", weights, rate)


def _attention_rate(fields: Fields) -> float:
    if "attn_coeff" not in fields:
        raise ValueError("a transformer's attention rate is in its config: give a config with 'attn_coeff'")
    rate = fields["attn_coeff"]
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate <= 1:
        raise ValueError(f"config attn_coeff must be a number from 0 to 1, found {rate!r}")
    return float(rate)


def _zhong_classes(sizes: Mapping[str, int], fields: Fields) -> tuple[int, bool, bool]:
    """Number of classes, whether b has tokens of its own, and whether there is "=": what shapes and config allow.

    Tokens are 0..p-1. With two vocabularies there are p more for b, and with three positions there is also "=". Logit
    columns are the classes or all tokens, with or without "=".
    """
    has_sign = sizes["n"] == 3
    if sizes["n"] not in (2, 3) or one_of(fields, "eqn_sign", (False, True), has_sign) != has_sign:
        found = f"pos_embed.W_pos has {sizes['n']} positions"
        raise ValueError(f"{found}; known: 2 (a and b), and 3 with 'eqn_sign' (a, b and '=')")
    named, own = n_classes_of(fields), sizes["v"] - has_sign
    two = one_of(fields, "diff_vocab", (False, True), None) if "diff_vocab" in fields else None
    fitting = [
        (p, both)
        for p, both in ((own, False), (own // 2, True))
        if p * (1 + both) == own and sizes["u"] in (p, own, sizes["v"]) and named in (p, None) and two in (both, None)
    ]
    if len(fitting) == 1:
        return (*fitting[0], has_sign)
    shapes = f"{sizes['v']} tokens and {sizes['u']} logit columns"
    if fitting:
        raise ValueError(f"{shapes} fit p = {fitting[0][0]} and p = {fitting[1][0]}; the config must say 'C'")
    raise ValueError(
        f"{shapes} do not fit {named or 'p'} classes with diff_vocab {two}; known: p tokens, 2 p with diff_vocab, one "
        "more for '=', and as many columns as classes or tokens"
    )
