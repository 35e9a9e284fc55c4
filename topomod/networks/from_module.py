"""A circuit from any module of PyTorch: it is run on all inputs, and some of its submodules are watched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from topomod.networks.circuit import Circuit
from topomod.networks.from_arrays import given_circuit, real_array
from topomod.networks.given import array_name
from topomod.networks.linear_readout import find_nonlinearity, find_readout
from topomod.networks.module_inputs import Reading, choose_reading
from topomod.networks.module_rest import ModuleRest
from topomod.networks.module_runs import Sites, check_function, evaluated, find_submodules
from topomod.tasks.task import Task


def from_module(
    module: nn.Module,
    task: Task | None = None,
    preactivations: str | Sequence[str] = "l1",
    label: str = "mine",
    seed: int | None = None,
    inputs: Any = None,
) -> Circuit:
    """Make a circuit of a module: it is run on all inputs in evaluation mode, and its submodules are watched.

    The module is called with int64 rows of tokens (a, b), and with other forms if that one does not run: (a, b, "=")
    with n or 2 n as the token of "="; b's tokens from n on; one argument for each token; two one-hot blocks. If
    several forms run, the one in which the network is right is taken. Logits and pre-activations are those of the last
    token where the outputs have an axis of tokens. The nonlinearity behind a submodule, and the map from there to the
    logits, are found from gradients. The module is left as it was.

    Parameters
    ----------
    module : torch.nn.Module
        Any module. It may return a tensor, a tuple whose first part is the logits, or an object with ``logits``.
    task : Task, optional
        What it was trained on. Without one, there are as many tokens as logits, or one fewer if one is "=", and the
        task is read off the table of its answers.
    preactivations : str or list of str
        Name of the submodule whose output is the input of the nonlinearity, as ``module.named_modules()`` gives it;
        a list has one for each layer. In TransformerLens it is ``"blocks.0.mlp.hook_pre"``.
    label : str
        What tables call the network.
    seed : int, optional
        The seed that it was trained with.
    inputs : array_like, optional
        (n_inputs, ...) rows for the module, in the order of ``task.inputs()``, for a module that takes another form.

    Returns
    -------
    Circuit
        ``converged`` is True if all answers are right. It keeps the module, so that a layer can be given other
        pre-activations (:func:`topomod.move_group`); a file of circuits does not hold it.

    Raises
    ------
    ValueError
        If a submodule is not there, the module does not run, its outputs are no function of the input, do not fit
        the task, or are not finite.

    Examples
    --------
    >>> import torch
    >>> import topomod
    >>> class Mine(torch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.embed, self.l1 = torch.nn.Embedding(11, 8), torch.nn.Linear(16, 32)
    ...         self.l2 = torch.nn.Linear(32, 11)
    ...     def forward(self, x):
    ...         return self.l2(torch.relu(self.l1(self.embed(x).flatten(1))))
    >>> circuit = topomod.from_module(Mine(), topomod.ModularAddition(11), preactivations="l1")
    >>> circuit.preactivations().shape, circuit.readout().shape
    ((11, 11, 32), (11, 32))
    """
    if not isinstance(module, nn.Module):
        raise ValueError(f"module must be a torch.nn.Module, found {type(module).__name__}")
    names = [preactivations] if isinstance(preactivations, str) else preactivations
    sites = find_submodules(module, names)
    with evaluated(module):
        try:
            found = choose_reading(module, sites, task, inputs)
            check_function(module, sites, found.arguments, found.run)
            arrays = _arrays(module, sites, found)
        except ValueError:
            raise
        except Exception as error:  # whatever a module of somebody else raises when it is watched or differentiated
            reason = str(error).partition("\n")[0]
            raise ValueError(f"the module cannot be read ({type(error).__name__}: {reason})") from error
    own = {name: real_array(value, name) for name, value in arrays.items()}
    return given_circuit(own, task, label, seed, lambda read: ModuleRest(module, sites, found, read))


def _arrays(module: nn.Module, sites: Sites, found: Reading) -> dict[str, Tensor]:
    """What the module computes, and what lies behind each submodule where that is found, by name."""
    arrays = {"logits": found.run.logits.unflatten(0, found.shape)}
    after = find_nonlinearity(module, found.arguments, list(found.run.outputs.values()))
    for index, (name, own) in enumerate(found.run.outputs.items()):
        arrays[array_name("preactivations", index)] = own.unflatten(0, found.shape)
        readout = find_readout(module, sites[name], found.arguments, own)
        activations = after[index] if readout is None else readout.activations
        if activations is not None:
            arrays[array_name("activations", index)] = activations.unflatten(0, found.shape)
        if readout is not None:
            arrays[array_name("readout", index)] = readout.matrix.to(own.dtype)
    return arrays
