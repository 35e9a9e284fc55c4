"""Where a neuron group's point cloud is taken: the catalogue of sites."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from topomod.networks.circuit import Circuit
from topomod.neurons.groups import IrrepGroup, NeuronGroup
from topomod.neurons.layers import Layer, circuit_layers
from topomod.neurons.readout import NO_ACTIVATIONS, NO_READOUT, activations_of, readout_directions, readout_of
from topomod.tasks.fourier import quotient

MIN_ORDERED = 5  # values of an input from which on a cloud is labelled in its order
Group = NeuronGroup | IrrepGroup


@dataclass(frozen=True)
class Site:
    """One place in a circuit.

    Parameters
    ----------
    name : str
        As tables and :func:`manifold` write it.
    cloud : callable
        ``(layer, group) -> (p, p, n_features)``; raises a ValueError where the layer or the group has no such cloud.
    reads_activations : bool
        Whether the cloud needs what the layer holds after its nonlinearity.
    reads_logits : bool
        Whether the cloud needs the layer's linear map to the logits.
    studied : bool
        Whether a study labels every group here; other sites are looked at in single networks only.
    """

    name: str
    cloud: Callable[[Layer, Group], np.ndarray]
    reads_activations: bool = False
    reads_logits: bool = False
    studied: bool = False


def _preactivations(layer: Layer, group: Group) -> np.ndarray:
    return layer.preactivations[:, :, group.neurons]


def _activations(layer: Layer, group: Group) -> np.ndarray:
    return activations_of(layer)[:, :, group.neurons]


def _logits(layer: Layer, group: Group) -> np.ndarray:
    return np.asarray(activations_of(layer)[:, :, group.neurons] @ readout_of(layer)[:, group.neurons].T)


def _readout(layer: Layer, group: Group) -> np.ndarray:
    frequency = getattr(group, "frequency", None)
    if frequency is None:
        raise ValueError("no readout: which directions the logits read is known for frequencies, not for irreps")
    return np.asarray(activations_of(layer) @ readout_directions(readout_of(layer), frequency))


SITES = {
    site.name: site
    for site in (
        Site("preactivations", _preactivations, studied=True),
        Site("activations", _activations, reads_activations=True),
        Site("logits", _logits, reads_activations=True, reads_logits=True, studied=True),
        Site("readout", _readout, reads_activations=True, reads_logits=True),
    )
}


def studied_sites(layer: Layer | None = None) -> tuple[str, ...]:
    """Names of the sites at which a study labels every group: all of them, or those that a layer has."""
    return tuple(name for name, site in SITES.items() if site.studied and not (layer and _missing(layer, site)))


def layer_sites(layer: Layer) -> tuple[str, ...]:
    """Names of the sites that a layer has."""
    return tuple(name for name, site in SITES.items() if not _missing(layer, site))


def _missing(layer: Layer, site: Site) -> str:
    """Why a layer does not have a site; empty where it does."""
    if site.reads_activations and layer.activations is None:
        return NO_ACTIVATIONS
    return NO_READOUT if site.reads_logits and layer.readout is None else ""


def layer_cloud(layer: Layer, group: Group, site: str) -> Float[np.ndarray, "n k"]:
    """Point cloud of a group of a layer at a site, as :func:`manifold` describes it."""
    if site not in SITES:
        raise ValueError(f"unknown site {site!r}; known sites: {', '.join(SITES)}")
    if why := _missing(layer, SITES[site]):
        raise ValueError(f"no {site}: {why}")
    values = SITES[site].cloud(layer, group)
    return np.asarray(values.reshape(-1, values.shape[-1]))


def ordered_cloud(layer: Layer, group: NeuronGroup, site: str) -> tuple[Float[np.ndarray, "n k"], int]:
    """Point cloud of a group in the order of pairs, and how many values each input has in it.

    Where the group's frequency shares a factor with p, its cloud repeats itself: what is left is one period of it, if
    that has at least 5 values.
    """
    p, cloud = len(layer.preactivations), layer_cloud(layer, group, site)
    one, _ = quotient(cloud.reshape(p, p, -1), group.frequency)
    return (one.reshape(len(one) ** 2, -1), len(one)) if len(one) >= MIN_ORDERED else (cloud, p)


def manifold(circuit: Circuit, group: Group, site: str = "preactivations") -> Float[np.ndarray, "n k"]:
    """Point cloud of a group: one row per input pair, in the order of ``a * p + b``.

    a and b are the numbers that the task's symmetry gives the tokens: themselves for sums and differences mod p, their
    discrete logarithms for products, where p is the number of logarithms, ``circuit.p``.

    Parameters
    ----------
    circuit : Circuit
        Where the group was found.
    group : NeuronGroup or IrrepGroup
        From :func:`topomod.group_neurons`, or of a power network from :func:`topomod.irrep_groups`.
    site : {"preactivations", "activations", "logits", "readout"}
        The group's neurons before or after the nonlinearity (n_features = its neurons); its contribution to the
        logits (n_features = p); all activations of its layer, projected on the two directions that the logits read
        at its frequency (n_features = 2).

    Returns
    -------
    ndarray
        (p * p, n_features).

    Raises
    ------
    ValueError
        If the site is not known, the layer reaches the logits only through another nonlinearity, or the read-out of
        an irrep is asked for.
    """
    return layer_cloud(circuit_layers(circuit)[group.layer], group, site)
