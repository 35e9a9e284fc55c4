"""A network of two inputs without biases and without a second matrix behind its neurons."""

import math

import torch

from topomod.networks.activations import Shapes, Weights
from topomod.networks.architectures import Architecture
from topomod.networks.pair_form import PairForm
from topomod.networks.size import NetworkSize
from topomod.tasks.task import Task


def weight_shapes(task: Task, size: NetworkSize) -> Shapes:
    """Shape of each weight, and standard deviation of its initial normal draw."""
    n_tokens, d, m = task.input_shape[0], size.d_model, size.d_mlp
    return {
        "W_E": ((n_tokens, d), 1 / math.sqrt(d)),
        "W_in": ((m, 2 * d), 1 / math.sqrt(2 * d)),
        "W_U": ((m, task.n_classes), 1 / math.sqrt(m)),
    }


def pair_form(weights: Weights, x_left: torch.Tensor, x_right: torch.Tensor, _rate: float) -> PairForm:
    """Pre-activations are a sum of a function of a and one of b; ``W_U`` reads the neurons."""
    W_left, W_right = weights["W_in"].mT.split(x_left.shape[-1], dim=1)
    return PairForm(x_left @ W_left, x_right @ W_right, weights["W_U"].mT)


RECORD = Architecture(
    "plain_mlp",
    system="pairs",
    shapes=weight_shapes,
    pair_form=pair_form,
    learner="topomod.training.pairs:PairLearner",
)
