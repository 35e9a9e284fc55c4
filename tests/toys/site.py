"""One more place to take a group's cloud: its neurons after a smooth nonlinearity."""

import numpy as np

from topomod.neurons.layers import Layer
from topomod.neurons.sites import Group, Site


def squashed(layer: Layer, group: Group) -> np.ndarray:
    """Hyperbolic tangents of the group's pre-activations, (p, p, n_neurons)."""
    return np.tanh(layer.preactivations[:, :, group.neurons])


RECORD = Site("squashed", squashed, studied=True)
