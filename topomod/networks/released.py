"""Networks that others trained and released, read as circuits. Nothing in a file is ever executed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from topomod.networks.circuit import Circuit
from topomod.tasks.addition import ModularAddition
from topomod.tasks.finite_group import GroupComposition

State = dict[str, np.ndarray]
Fields = Mapping[str, Any]


def load_released(model_path: Path | str, config: Path | str | Mapping[str, Any] | None = None) -> Circuit:
    """Read a released state dict; the format is found from its keys.

    Understood: Zhong et al.'s transformers (any number of layers, ReLU or GELU, one vocabulary or two, with or
    without "=") and their linear models A, B, C, D and X; Chughtai et al.'s one-layer MLPs; transformers with ReLU
    and without layer norm as TransformerLens writes them (Nanda et al., Chughtai et al.).

    Parameters
    ----------
    model_path : path
        State dict as ``torch.save`` writes it, loaded with ``weights_only=True``.
    config : path or mapping, optional
        Their JSON; by default ``config_<run id>.json`` beside ``model_<run id>.pt``, or ``cfg.json``. Without any,
        an MLP's group is taken to be cyclic.

    Returns
    -------
    Circuit
        With ``converged`` True if it is right on all pairs.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        For a format that is not understood, naming the keys found.

    References
    ----------
    arXiv 2306.17844; arXiv 2302.03025; arXiv 2301.05217.
    """
    path = Path(model_path)
    state = _state(path)
    fields = _config(path, config)
    for is_format, read in FORMATS:
        if is_format(state):
            try:
                circuit = read(state, fields)
            except (ValueError, KeyError, IndexError) as error:
                raise ValueError(f"{path}: {error}") from error
            accuracy = circuit.accuracy()
            reason = "" if accuracy == 1 else f"right on {accuracy:.1%} of pairs"
            return replace(circuit, converged=not reason, reason=reason)
    raise ValueError(f"{path}: format not understood; found keys {', '.join(sorted(state))}")


def _state(path: Path) -> State:
    if not path.is_file():
        raise FileNotFoundError(f"no model file at {path}")
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many types for broken or unsafe files
        raise ValueError(f"{path}: not a state dict that can be read safely ({type(error).__name__})") from error
    if not isinstance(loaded, Mapping) or not all(isinstance(v, torch.Tensor) for v in loaded.values()):
        raise ValueError(f"{path}: must hold a state dict of tensors, found {type(loaded).__name__}")
    return {str(key): value.float().numpy() for key, value in loaded.items()}


def _config(path: Path, config: Path | str | Mapping[str, Any] | None) -> dict[str, Any]:
    if isinstance(config, Mapping):
        return dict(config)
    beside = path.with_name(path.name.replace("model_", "config_", 1)).with_suffix(".json")
    found = [place for place in (beside, path.with_name("cfg.json")) if place.is_file()]
    if config is None and not found:
        return {}
    chosen = Path(config) if config is not None else found[0]
    try:
        fields = json.loads(chosen.read_text())
    except (OSError, json.JSONDecodeError) as error:
        raise ValueError(f"{chosen}: cannot be read as JSON ({error})") from error
    return dict(fields)


def _is_chughtai(state: State) -> bool:
    return set(state) == {"W_x", "W_y", "W", "W_U"}


def _chughtai(state: State, fields: Fields) -> Circuit:
    weights = {"W_E": state["W_x"], "W_E_right": state["W_y"], "W_in": state["W"].T, "W_U": state["W_U"]}
    return _circuit("mlp_concat", weights, fields, task=_group_task(fields, len(state["W_x"])))


def _group_task(fields: Fields, order: int) -> ModularAddition | GroupComposition:
    """Their group; a network without a config is taken to add mod its order, which its accuracy confirms or not."""
    group, size = fields.get("group", "CyclicGroup"), fields.get("group_parameter", order)
    if group == "CyclicGroup":
        return ModularAddition(order)
    if group not in ("SymmetricGroup", "AlternatingGroup"):
        raise ValueError(f"group {group!r} is not read; known: CyclicGroup, SymmetricGroup, AlternatingGroup")
    return GroupComposition(f"{group[0]}{size}")


def _is_transformer_lens(state: State) -> bool:
    return "blocks.0.attn.b_Q" in state and "unembed.W_U" in state


def _transformer_lens(state: State, fields: Fields) -> Circuit:
    _refuse(state, fields, (".ln", "ln_final"), ("relu",))
    p = len(state["embed.W_E"]) - 1
    weights = {
        "W_E": state["embed.W_E"][:p],
        "W_eq": state["embed.W_E"][p],
        "W_pos": state["pos_embed.W_pos"],
        "W_U": state["unembed.W_U"][:, :p],
    }
    if "unembed.b_U" in state:
        weights["b_U"] = state["unembed.b_U"][:p]
    for layer in range(_n_layers(state)):
        own = _layer(state, layer)
        weights |= {f"W_{x}{_suffix(layer)}": own[f"attn.W_{x}"].transpose(0, 2, 1) for x in "QKV"}
        weights |= {f"b_{x}{_suffix(layer)}": own[f"attn.b_{x}"] for x in "QKV" if f"attn.b_{x}" in own}
        weights |= {
            f"W_O{_suffix(layer)}": own["attn.W_O"].transpose(0, 2, 1),
            f"b_O{_suffix(layer)}": own["attn.b_O"],
            f"W_in{_suffix(layer)}": own["mlp.W_in"].T,
            f"b_in{_suffix(layer)}": own["mlp.b_in"],
            f"W_out{_suffix(layer)}": own["mlp.W_out"].T,
            f"b_out{_suffix(layer)}": own["mlp.b_out"],
        }
    return _circuit("transformer_causal", weights, fields, attention_rate=1.0)


def _is_transformer(state: State) -> bool:
    return "blocks.0.attn.W_K" in state and "unembed.W_U" in state


def _transformer(state: State, fields: Fields) -> Circuit:
    _refuse(state, fields, (".ln", "ln_final", ".b_Q"), ("relu", "gelu"))
    if "attn_coeff" not in fields:
        raise ValueError("a transformer's attention rate is in its config: give a config with 'attn_coeff'")
    tokens, p = state["embed.W_E"].T, state["unembed.W_U"].shape[1]
    has_sign = len(state["pos_embed.W_pos"]) == 3
    if len(tokens) - has_sign not in (p, 2 * p):
        raise ValueError(f"{len(tokens)} tokens do not fit {p} classes: p or 2 p, and one for '=', are understood")
    weights = {"W_E": tokens[:p], "W_pos": state["pos_embed.W_pos"], "W_U": state["unembed.W_U"]}
    if len(tokens) >= 2 * p:
        weights["W_E_right"] = tokens[p : 2 * p]
    if has_sign:
        weights["W_eq"] = tokens[-1]
    n_layers = _n_layers(state)
    for layer in range(n_layers):
        own = _layer(state, layer)
        heads, d_head, _ = own["attn.W_K"].shape
        weights |= {f"W_{x}{_suffix(layer)}": own[f"attn.W_{x}"] for x in "QKV"}
        weights |= {f"{x}{_suffix(layer)}": own[f"mlp.{x}"] for x in ("W_in", "b_in", "W_out", "b_out")}
        weights[f"W_O{_suffix(layer)}"] = own["attn.W_O"].reshape(-1, heads, d_head).transpose(1, 0, 2)
    gelu = str(fields.get("act_fn", "ReLU")).lower() == "gelu"
    plain = n_layers == 1 and not has_sign and not gelu
    name = "attention" if plain else "transformer_gelu" if gelu else "transformer"
    return _circuit(name, weights, fields, attention_rate=float(fields["attn_coeff"]))


def _refuse(state: State, fields: Fields, parts: tuple[str, ...], nonlinearities: tuple[str, ...]) -> None:
    found = sorted(key for key in state if any(part in key for part in parts))
    if found:
        raise ValueError(f"not understood: {', '.join(found)}")
    nonlinearity = str(fields.get("act_fn", "relu")).lower()
    if nonlinearity not in nonlinearities:
        raise ValueError(f"act_fn {fields['act_fn']!r} is not understood; known: {', '.join(nonlinearities)}")


def _n_layers(state: State) -> int:
    return len({key.split(".")[1] for key in state if key.startswith("blocks.")})


def _layer(state: State, layer: int) -> State:
    prefix = f"blocks.{layer}."
    return {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}


def _suffix(layer: int) -> str:
    return f"_{layer}" if layer else ""


def _is_linear(state: State) -> bool:
    embeds = {"embed.weight"} if "embed.weight" in state else {"embed1.weight", "embed2.weight"}
    needed = embeds | {"l1.weight", "l1.bias", "unembed.weight"}
    return needed <= set(state) <= needed | {"l2.weight", "l2.bias"}


def _linear(state: State, fields: Fields) -> Circuit:
    embed = state.get("embed.weight", state.get("embed1.weight"))
    assert embed is not None
    concatenated = state["l1.weight"].shape[1] == 2 * embed.shape[1]
    deep = "l2.weight" in state
    if deep and (concatenated or "embed2.weight" in state):
        raise ValueError("two hidden layers are understood behind one embedding whose rows are added")
    weights = {
        "W_E": embed,
        "W_in": state["l1.weight"],
        "b_in": state["l1.bias"],
        "W_U": state["unembed.weight"].T,
    }
    if "embed2.weight" in state:
        weights["W_E_right"] = state["embed2.weight"]
    if not deep:
        return _circuit("mlp_concat" if concatenated else "mlp_add", weights, fields)
    weights |= {"W_in_1": state["l2.weight"], "b_in_1": state["l2.bias"]}
    # their type C sends each embedding through the first layer on its own, bias and all
    name = "mlp_add_two_layers_two_biases" if fields.get("model_type") == "C" else "mlp_add_two_layers"
    return _circuit(name, weights, fields)


def _circuit(
    architecture: str,
    weights: State,
    fields: Fields,
    attention_rate: float | None = None,
    task: ModularAddition | GroupComposition | None = None,
) -> Circuit:
    return Circuit(
        architecture=architecture,
        task=task or ModularAddition(len(weights["W_E"])),
        weights={name: np.ascontiguousarray(value) for name, value in weights.items()},
        attention_rate=attention_rate,
        step=int(fields.get("epoch", fields.get("num_epochs", 0))),
    )


# tried in this order, each by the keys of the state dict
FORMATS = (
    (_is_chughtai, _chughtai),
    (_is_transformer_lens, _transformer_lens),
    (_is_transformer, _transformer),
    (_is_linear, _linear),
)
