"""Networks that others trained and released, read as circuits. Nothing in a file is ever executed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from topomod.networks.circuit import Circuit
from topomod.networks.released_files import Fields, State, read_config, read_state, step_of
from topomod.networks.released_layouts import read_layout
from topomod.networks.released_tasks import check_answers, task_of


def load_released(model_path: Path | str, config: Path | str | Mapping[str, Any] | None = None) -> Circuit:
    """Read a released state dict; the layout is found from its keys.

    These layouts are read:

    * Zhong et al.'s transformers: any number of layers, ReLU or GELU, one vocabulary or two, with or without "=".
    * Zhong et al.'s linear models A, B, C, D and X.
    * Chughtai et al.'s one-layer MLPs.
    * Transformers without layer norm as TransformerLens writes them (Nanda et al., Chughtai et al.): three positions
      a, b and "=", with ReLU, or with GELU where attention is bidirectional or there is one layer.

    Everything else is refused, as is a config that changes the function in another way.

    Which task a network learnt is decided as follows. A config without the key ``group`` means a cyclic
    group. A network of a cyclic group adds mod p. An MLP of a symmetric or alternating group is read only if at
    least 90 % of its own answers agree with the group's table in lexicographic order: with a lower share nobody knows
    in which order its elements are. Transformers of these finite groups, and all networks of others, are refused. A
    network whose answers are the table of another operation is refused too.

    Logit columns that are no classes (of b's own tokens, of "=") are left out of ``W_U``. Where one of them has the
    largest logit, the answer counts as wrong, and ``reason`` says so.

    Parameters
    ----------
    model_path : path
        State dict as ``torch.save`` writes it. It is loaded with ``weights_only=True``.
    config : path or mapping, optional
        Their JSON. By default it is ``config_<run id>.json`` beside ``model_<run id>.pt``, or ``cfg.json``. Without
        any, a network is taken to add mod p.

    Returns
    -------
    Circuit
        ``converged`` is True if all its answers are right.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        For a network that topomod cannot read. The sentence names the file, the key, what was found and what is
        allowed.

    References
    ----------
    arXiv 2306.17844; arXiv 2302.03025; arXiv 2301.05217.
    """
    path = Path(model_path)
    state = read_state(path)
    fields = read_config(path, config)
    try:
        return _circuit(state, fields)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _circuit(state: State, fields: Fields) -> Circuit:
    found = read_layout(state, fields)
    n = len(found.weights["W_E"])
    task = task_of(fields, n, found.groups)
    circuit = Circuit(
        architecture=found.architecture,
        task=task,
        weights={name: np.ascontiguousarray(value) for name, value in found.weights.items()},
        attention_rate=found.attention_rate,
        step=step_of(fields),
    )
    logits = circuit.logits()
    if not np.isfinite(logits).all():
        raise ValueError("its logits are not finite; all weights are, but they are too large")
    answers = np.argmax(logits, axis=-1)
    right, outside = float(np.mean(answers == task.targets())), float(np.mean(answers >= n))
    if found.doubt and right < 0.5:
        raise ValueError(found.doubt)
    check_answers(task, answers)
    reason = "" if right == 1 else f"right on {right:.1%} of pairs"
    if outside:
        reason += f"; on {outside:.1%} the largest logit is of a column that is no class"
    classes = {
        name: np.ascontiguousarray(circuit.weights[name][..., :n]) for name in ("W_U", "b_U") if name in circuit.weights
    }
    return replace(circuit, weights=circuit.weights | classes, converged=not reason, reason=reason)
