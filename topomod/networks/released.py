"""Networks that others trained and released, read as circuits. Nothing in a file is ever executed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from topomod.networks.circuit import Circuit
from topomod.networks.read_off import Answers
from topomod.networks.read_off import Reading as TaskReading
from topomod.networks.released_files import Fields, check_size, read_config, read_state, step_of
from topomod.networks.released_layouts import read_layout
from topomod.networks.released_shapes import Reading
from topomod.networks.released_tasks import decide_released
from topomod.tasks.task import Task
from topomod.tasks.unknown import UnknownTask

CONFIRMED = 0.5  # a way of reading that is in doubt is taken if the network is right on so many pairs in it alone


def load_released(
    model_path: Path | str, config: Path | str | Mapping[str, Any] | None = None, task: Task | None = None
) -> Circuit:
    """Read a released state dict; the layout is found from its keys.

    These layouts are read:

    * Zhong et al.'s transformers: any number of layers, ReLU or GELU, one vocabulary or two, with or without "=".
    * Zhong et al.'s linear models A, B, C, D and X.
    * Chughtai et al.'s one-layer MLPs.
    * Transformers without layer norm as TransformerLens writes them (Nanda et al., Chughtai et al.): a, b and, where
      there are three positions or more, "=", with ReLU, or with GELU where attention is bidirectional or there is one
      layer.

    Everything else is refused, as is a config that changes the function in another way.

    The task is the one that is given. Without one, it is the one that the config names, if the network's own answers do
    not show another one. Without that, it is read off the table of its answers; see
    :func:`topomod.networks.read_off.read_off`. The elements of a finite group may be in any order: the table of the
    answers is the group's table in that order. If the table shows no task, networks in Zhong et al.'s layouts are taken
    to add mod p, which is all that these authors trained, and ``reason`` says on how many pairs they do. Other networks
    then have no known task: ``reason`` says so, and no answer counts as right.

    Logit columns that are no classes (of b's own tokens, of "=") are left out of ``W_U``. Where one of them has the
    largest logit, the answer counts as wrong, and ``reason`` says so.

    Parameters
    ----------
    model_path : path
        State dict as ``torch.save`` or safetensors writes it, alone or as ``{"model": ..., "config": ...}``. It is
        loaded with ``weights_only=True``.
    config : path or mapping, optional
        Their JSON. By default it is ``config_<run id>.json`` beside ``model_<run id>.pt``, or ``cfg.json``.
    task : Task, optional
        What the network was trained on.

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
    state, inside = read_state(path)
    fields = read_config(path, config, inside)
    try:
        return _chosen(read_layout(state, fields), fields, task)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _chosen(readings: Sequence[Reading], fields: Fields, task: Task | None) -> Circuit:
    """The circuit of the only way to read the weights, or of the one in which the network is right."""
    if len(readings) == 1 and not readings[0].doubt:
        return _circuit(readings[0], fields, task)[0]
    found, errors = [], []
    for reading in readings:
        try:
            found.append(_circuit(reading, fields, task))
        except ValueError as error:
            errors.append(error)
    sure = [circuit for circuit, right in found if right >= CONFIRMED]
    if len(sure) == 1:
        return sure[0]
    if found and not fields and task is None:  # as its layout is documented
        return found[0][0]
    raise errors[0] if errors and not found else ValueError(readings[0].doubt)


def _circuit(reading: Reading, fields: Fields, task: Task | None) -> tuple[Circuit, float]:
    """A circuit, and the share of its pairs that get their class."""
    weights = {name: np.ascontiguousarray(value) for name, value in reading.weights.items()}
    n = len(weights["W_E"])
    width = weights["W_U"].shape[-1] + sum(len(value) for name, value in weights.items() if name.startswith("W_in"))
    check_size(n, n, width)
    run = Circuit(
        architecture=reading.architecture,
        task=UnknownTask(n, n, weights["W_U"].shape[-1]),
        weights=weights,
        attention_rate=reading.attention_rate,
        step=step_of(fields),
    )
    logits = run.logits()
    if not np.isfinite(logits).all():
        raise ValueError("its logits are not finite; all weights are, but they are too large")
    found = decide_released(fields, Answers.of(logits), n, task, reading.adds)
    own = {name: np.ascontiguousarray(_part(name, value, found)) for name, value in weights.items()}
    circuit = replace(run, task=found.task, weights=own, converged=not found.reason, reason=found.reason)
    return circuit, 0.0 if isinstance(found.task, UnknownTask) else found.right


def _part(name: str, values: np.ndarray, found: TaskReading) -> np.ndarray:
    """The tokens and classes of a weight that the task speaks of."""
    if name in ("W_E", "W_E_right"):
        return values[found.first_token :]
    return values[..., found.classes] if name in ("W_U", "b_U") else values
