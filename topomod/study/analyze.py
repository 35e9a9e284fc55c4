"""The command analyze: single networks, with all metrics of every layer and every site, as tables."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from topomod.mechanisms.clock_pizza import logit_fve
from topomod.networks.architectures import ARCHITECTURES
from topomod.networks.circuit import Circuit
from topomod.networks.circuit_file import load_circuits
from topomod.networks.released import load_released
from topomod.neurons.groups import NeuronGroup, groups_of_spectra
from topomod.neurons.layers import Layer, circuit_layers
from topomod.neurons.readout import readout_orders
from topomod.neurons.sites import layer_cloud, layer_sites
from topomod.study.rows import (
    group_columns,
    identity,
    mechanism_columns,
    neuron_columns,
    outcome_columns,
    verdict_columns,
)
from topomod.tasks.addition import ModularAddition
from topomod.tasks.fourier import folded_power
from topomod.tasks.spectra import NeuronSpectra, neuron_spectra
from topomod.topology.classify import classify_manifold


@dataclass(frozen=True)
class Inspection:
    """What was found in some networks. In every table the column ``network`` names the network of a row.

    A table without rows still has its columns.

    Parameters
    ----------
    networks : DataFrame
        One row per network: accuracy on all inputs and Zhong et al.'s metrics.
    layers : DataFrame
        One row per layer: live, dead and second-order neurons, and what the read-out directions hold.
    groups : DataFrame
        One row per neuron group: the columns of a study's groups, ``layer``, ``order``, ``n_with_dead`` and
        ``second_harmonic_r2``. Columns that need the layer's read-out are NaN where it has none.
    labels : DataFrame
        One row per group and site: the columns of a study's labels of point clouds.
    circles : DataFrame
        One row per circle of the embedding: its logit FVE.
    """

    networks: pd.DataFrame
    layers: pd.DataFrame
    groups: pd.DataFrame
    labels: pd.DataFrame
    circles: pd.DataFrame


@dataclass(frozen=True)
class NetworkFiles:
    """What some files hold.

    Parameters
    ----------
    networks : list of (str, Circuit)
        Every network that can be analysed, under a name that no other one has.
    problems : list of str
        One sentence for every file or network that cannot: which one it is, and why.
    """

    networks: list[tuple[str, Circuit]]
    problems: list[str]


def read_files(paths: Sequence[Path]) -> NetworkFiles:
    """Read topomod's own circuits (``.safetensors``) and released networks; a bad file does not stop the others.

    A released network has the name of its file without the ending (``model.pt`` that of its folder), a circuit has
    the name ``<architecture> seed <seed> step <step>``. Where two of these are equal, the shortest end of the file's
    path that tells the networks apart is the name, or stands before it.

    Parameters
    ----------
    paths : sequence of Path
        Files. One that is given twice is read once.

    Returns
    -------
    NetworkFiles
        Networks and problems, both in the order of the files.
    """
    places, names, circuits, problems = [], [], [], []
    once: dict[Path, Path] = {}
    for path in paths:
        once.setdefault(path.resolve(), path)
    for path in once.values():
        try:
            found = _read(path)
        except (ValueError, OSError) as error:
            problems.append(str(error))
            continue
        for name, circuit in found:
            if fault := _fault(circuit):
                problems.append(f"{path}{f', {name}' if name else ''}: {fault}")
            else:
                places.append(path)
                names.append(name)
                circuits.append(circuit)
    return NetworkFiles(list(zip(_unique_names(places, names), circuits, strict=True)), problems)


def read_networks(paths: Sequence[Path]) -> Iterator[tuple[str, Circuit]]:
    """Name and circuit of every network of some files, all of which must be good; see :func:`read_files`.

    Raises
    ------
    ValueError
        At the first file or network that cannot be analysed.
    """
    found = read_files(paths)
    if found.problems:
        raise ValueError(found.problems[0])
    yield from found.networks


def _read(path: Path) -> list[tuple[str, Circuit]]:
    """Networks of a file; the name is empty where the file's own name is that of the network."""
    if path.suffix != ".safetensors":
        return [("", load_released(path))]
    circuits = load_circuits(path)
    names = [f"{circuit.label} seed {circuit.seed} step {circuit.step}" for circuit in circuits]
    times = Counter(names)
    return [
        (name if times[name] == 1 else f"{name} circuit {index}", circuit)
        for index, (name, circuit) in enumerate(zip(names, circuits, strict=True))
    ]


def _fault(circuit: Circuit) -> str:
    """Why a network cannot be analysed; empty if it can."""
    if circuit.task.modulus is None or len(circuit.task.input_shape) != 2:
        return f"learnt {circuit.task}; only addition mod p of two inputs is analysed"
    if not ARCHITECTURES[circuit.architecture].reads_pairs:
        return f"is a {circuit.architecture}; only networks that embed a and b and read pairs of them are analysed"
    broken = [name for name, value in circuit.weights.items() if not np.isfinite(value).all()]
    if broken:
        return f"weights {', '.join(broken)} hold NaN or infinite values; all weights must be finite"
    return ""


def _unique_names(paths: Sequence[Path], own: Sequence[str]) -> list[str]:
    """Names of networks, from their files and their own names (empty for one network that is a whole file)."""
    plain = [name or _end(path)[-1] for path, name in zip(paths, own, strict=True)]
    names = []
    for path, name, short in zip(paths, own, plain, strict=True):
        others = [other for other, same in zip(paths, plain, strict=True) if same == short and other != path]
        place = _shortest_end(path, others) if others else ""
        names.append(f"{place} {name}".strip() if place else short)
    return names


def _end(path: Path) -> tuple[str, ...]:
    """Parts of a path, without the ending; ``model.pt`` is named by its folder."""
    folder = Path(os.path.abspath(path)).parent.parts
    return folder if path.stem == "model" and len(folder) > 1 else (*folder, path.stem)


def _shortest_end(path: Path, others: Sequence[Path]) -> str:
    """Shortest end of a path that no other one has; with the file's ending where folder and stem are the same."""
    whole = Path(os.path.abspath(path)).parts
    for parts, rest in (
        (_end(path), [_end(other) for other in others]),
        (whole, [Path(os.path.abspath(other)).parts for other in others]),
    ):
        for length in range(1, len(parts) + 1):
            if all(other[-length:] != parts[-length:] for other in rest):
                return Path(*parts[-length:]).as_posix()
    return Path(*whole).as_posix()


def inspect_networks(named: Sequence[tuple[str, Circuit]], min_neurons: int = 3, seed: int = 0) -> Inspection:
    """Measure networks and label every group at every site of every layer.

    Parameters
    ----------
    named : sequence of (str, Circuit)
        Networks under different names, from :func:`read_files`.
    min_neurons : int
        Smaller groups are left out.
    seed : int
        Seed of the subsamples from which labels are computed.

    Raises
    ------
    ValueError
        If two networks have one name.
    """
    twice = [name for name, times in Counter(name for name, _ in named).items() if times > 1]
    if twice:
        raise ValueError(f"networks must have different names, found several of {', '.join(map(repr, twice))}")
    rows = _rows(named, min_neurons, seed)
    tables = {name: pd.DataFrame(found) for name, found in rows.items()}
    if not all(rows.values()):
        # a table without rows has the columns and types that it has for a network with one group
        small = _rows([("", _small_network())], 3, seed)
        tables |= {name: pd.DataFrame(small[name]).iloc[:0] for name, found in rows.items() if not found}
    return Inspection(**tables)


def _rows(named: Sequence[tuple[str, Circuit]], min_neurons: int, seed: int) -> dict[str, list[dict[str, Any]]]:
    rows: dict[str, list[dict[str, Any]]] = {table.name: [] for table in fields(Inspection)}
    for name, circuit in named:
        for index, layer in enumerate(circuit_layers(circuit)):
            spectra = neuron_spectra(layer.preactivations)
            groups = groups_of_spectra(spectra, index, min_neurons)
            if index == 0:
                rows["networks"].append({"network": name} | _network_row(circuit, layer.logits))
                with np.errstate(invalid="ignore"):  # of constant logits nothing is explained: NaN
                    circles = logit_fve(circuit, sorted({group.frequency for group in groups}))
                rows["circles"] += [{"network": name} | vars(circle) for circle in circles]
            key = {"network": name, "layer": index}
            rows["layers"].append(key | _layer_row(layer, spectra, groups))
            for group in groups:
                own = key | {"order": group.order}
                rows["groups"].append(own | _group_row(layer, spectra, group))
                own |= {"frequency": group.frequency}
                for site in layer_sites(layer):
                    cloud = layer_cloud(layer, group, site)
                    verdict = classify_manifold(cloud, p=len(layer.preactivations), seed=seed)
                    rows["labels"].append(own | {"site": site} | verdict_columns(verdict))
    return rows


def _small_network() -> Circuit:
    """Network of one group of three neurons, p = 5."""
    angle = 2 * np.pi * np.arange(5) / 5
    wave = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    weights = {"W_E": wave, "W_in": wave[:3], "b_in": np.zeros(3, np.float32), "W_out": wave[:3].T, "W_U": wave.T}
    return Circuit("mlp_add", ModularAddition(5), {name: np.ascontiguousarray(w) for name, w in weights.items()})


def _network_row(circuit: Circuit, logits: np.ndarray) -> dict[str, Any]:
    outcome = outcome_columns(circuit, logits)
    return {
        **identity(circuit),
        "p": len(logits),
        **outcome,
        "learnt": outcome["accuracy"] == 1,
        **mechanism_columns(circuit, logits),
        "parameter_norm": float(np.sqrt(sum(np.sum(w.astype(np.float64) ** 2) for w in circuit.weights.values()))),
    }


def _layer_row(layer: Layer, spectra: NeuronSpectra, groups: Sequence[NeuronGroup]) -> dict[str, Any]:
    names = ("readout_first_order_r2", "readout_sum_r2", "readout_variance")
    row = neuron_columns(spectra, groups)
    if layer.readout is None:
        return row | dict.fromkeys(names, float("nan"))
    key = [group.frequency for group in groups if group.order == 1]
    return row | dict(zip(names, readout_orders(layer, key), strict=True))


def _group_row(layer: Layer, spectra: NeuronSpectra, group: NeuronGroup) -> dict[str, Any]:
    same = (spectra.frequency == group.frequency) & (spectra.order == group.order)
    return group_columns(layer, group) | {
        "n_with_dead": int(same.sum()),
        "second_harmonic_r2": second_harmonic(layer.preactivations[:, :, group.neurons], group.frequency),
    }


def second_harmonic(preactivations: np.ndarray, frequency: int) -> float:
    """Share of some neurons' variance in cosines of ``a`` or ``b`` at twice a frequency; NaN for constants.

    Parameters
    ----------
    preactivations : ndarray
        (p, p, n_neurons).
    frequency : int
        In 1..p//2.
    """
    p = len(preactivations)
    power = np.sum(folded_power(preactivations, (0, 1)), axis=2)
    power[0, 0] = 0
    twice = min(2 * frequency % p, -2 * frequency % p)
    total = power.sum()
    return float((power[twice, 0] + power[0, twice]) / total) if total > 0 else float("nan")
