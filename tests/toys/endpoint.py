"""One more number per circuit: how unequal the norms of the tokens' embeddings are."""

import numpy as np

from topomod.networks.circuit import Circuit
from topomod.neurons.layers import Layer
from topomod.study.endpoint_catalogue import Endpoint


def norm_spread(circuit: Circuit, _layer: Layer) -> float:
    """Standard deviation of the embeddings' norms over their mean."""
    norms = np.linalg.norm(circuit.embedding(), axis=1)
    return float(norms.std() / norms.mean())


NAME = "embedding_norm_spread"
RECORD = Endpoint("spread of the embeddings' norms / mean", "circuits", NAME, value=norm_spread)
