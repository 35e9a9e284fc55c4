"""Networks that others trained and released, read as circuits. Nothing in a file is ever executed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from topomod.circuits import Circuit
from topomod.tasks import ModularAddition

State = dict[str, np.ndarray]


def load_released(model_path: Path | str, config: Path | str | Mapping[str, Any] | None = None) -> Circuit:
    """Read a released state dict of modular addition; the format is found from its keys.

    Understood: Zhong et al.'s one-layer transformers (one vocabulary, no "=" token) and their linear models of
    type A and B (embeddings added, one or two hidden layers) and D (concatenated).

    Parameters
    ----------
    model_path : path
        State dict as ``torch.save`` writes it, loaded with ``weights_only=True``.
    config : path or mapping, optional
        Their JSON; by default ``config_<run id>.json`` beside ``model_<run id>.pt``.

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
    arXiv 2306.17844.
    """
    path = Path(model_path)
    state = _state(path)
    fields = _config(path, config)
    for is_format, read in FORMATS:
        if is_format(state, fields):
            circuit = read(state, fields)
            accuracy = circuit.accuracy()
            reason = "" if accuracy == 1 else f"right on {accuracy:.1%} of pairs"
            return replace(circuit, converged=not reason, reason=reason)
    known = {k: fields[k] for k in ("model_type", "n_layers", "act_fn", "diff_vocab", "eqn_sign") if k in fields}
    raise ValueError(f"{path}: format not understood; found keys {', '.join(sorted(state))} with config {known}")


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
    chosen = Path(config) if config is not None else beside
    if config is None and not chosen.is_file():
        return {}
    try:
        fields = json.loads(chosen.read_text())
    except (OSError, json.JSONDecodeError) as error:
        raise ValueError(f"{chosen}: cannot be read as JSON ({error})") from error
    return dict(fields)


def _is_transformer(state: State, fields: Mapping[str, Any]) -> bool:
    return (
        "blocks.0.attn.W_K" in state
        and "blocks.1.attn.W_K" not in state
        and state["embed.W_E"].shape[1] == state["unembed.W_U"].shape[1]
        and state["pos_embed.W_pos"].shape[0] == 2
        and str(fields.get("act_fn", "ReLU")).lower() == "relu"
    )


def _transformer(state: State, fields: Mapping[str, Any]) -> Circuit:
    if "attn_coeff" not in fields:
        raise ValueError("a transformer's attention rate is in its config: give a config with 'attn_coeff'")
    block = {name: state[f"blocks.0.{name}"] for name in ("attn.W_K", "attn.W_Q", "attn.W_V", "attn.W_O")}
    heads, d_head, _ = block["attn.W_K"].shape
    weights = {
        "W_E": state["embed.W_E"].T,
        "W_pos": state["pos_embed.W_pos"],
        "W_K": block["attn.W_K"],
        "W_Q": block["attn.W_Q"],
        "W_V": block["attn.W_V"],
        "W_O": block["attn.W_O"].reshape(-1, heads, d_head).transpose(1, 0, 2),
        "W_in": state["blocks.0.mlp.W_in"],
        "b_in": state["blocks.0.mlp.b_in"],
        "W_out": state["blocks.0.mlp.W_out"],
        "b_out": state["blocks.0.mlp.b_out"],
        "W_U": state["unembed.W_U"],
    }
    return _circuit("attention", weights, fields, attention_rate=float(fields["attn_coeff"]))


def _is_linear(state: State, fields: Mapping[str, Any]) -> bool:
    needed = {"embed.weight", "l1.weight", "l1.bias", "unembed.weight"}
    return needed <= set(state) and set(state) <= needed | {"l2.weight", "l2.bias"}


def _linear(state: State, fields: Mapping[str, Any]) -> Circuit:
    d_model = state["embed.weight"].shape[1]
    concatenated = state["l1.weight"].shape[1] == 2 * d_model
    deep = "l2.weight" in state
    if concatenated and deep:
        raise ValueError("a concatenating model with two hidden layers is not understood")
    weights = {
        "W_E": state["embed.weight"],
        "W_in": state["l1.weight"],
        "b_in": state["l1.bias"],
        "W_U": state["unembed.weight"].T,
    }
    if deep:
        weights |= {"W_in_1": state["l2.weight"], "b_in_1": state["l2.bias"]}
    name = "mlp_concat" if concatenated else "mlp_add_two_layers" if deep else "mlp_add"
    return _circuit(name, weights, fields)


def _circuit(
    architecture: str, weights: State, fields: Mapping[str, Any], attention_rate: float | None = None
) -> Circuit:
    return Circuit(
        architecture=architecture,
        task=ModularAddition(len(weights["W_E"])),
        weights={name: np.ascontiguousarray(value) for name, value in weights.items()},
        attention_rate=attention_rate,
        step=int(fields.get("epoch", 0)),
    )


FORMATS = ((_is_transformer, _transformer), (_is_linear, _linear))
