"""Loss and gradients of one circuit's pair form on a CPU, compiled.

Only the pairs trained on are computed. Each block of them is small enough for the cache: its pre-activations,
logits and their gradients are used up before the next is made. The three matrix products of a block are left to
BLAS; everything between them is one pass over memory. Gradients stop at the tensors of the pair form; autograd
takes them through the few token-level products behind it. The tests check them against plain autograd in float64.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numba import njit
from torch import Tensor

from topomod.networks.pair_form import PairForm
from topomod.training.batches import Batch

BLOCK_PAIRS = 320  # 320 x 512 float32 = 0.6 MB; of 120 to 960, measured as best or nearly for every architecture


def compiled(loop: Callable[..., None]) -> Callable[..., None]:
    """Compile a loop once per machine, without what a type checker at run time has wrapped around it."""
    fast = njit(cache=True, fastmath={"reassoc", "contract", "nsz", "arcp"})
    return fast(inspect.unwrap(loop))


@compiled
def _mix(a, b, left, right, gate, gate_left, gate_right, out):  # type: ignore[no-untyped-def]
    """Row i of ``out`` gets ``left[a_i] + right[b_i] + sum_h gate[h, a_i, b_i] (gate_left - gate_right)``."""
    for i in range(len(a)):
        row, x, y = out[i], left[a[i]], right[b[i]]
        for m in range(len(row)):
            row[m] = x[m] + y[m]
        for head in range(len(gate)):
            share, x, y = gate[head, a[i], b[i]], gate_left[head, a[i]], gate_right[head, b[i]]
            for m in range(len(row)):
                row[m] += share * (x[m] - y[m])


@compiled
def _unmix(a, b, d, gate, gate_left, gate_right, d_left, d_right, d_gate, d_gate_left, d_gate_right):  # type: ignore[no-untyped-def]
    """Add the gradient ``d`` of :func:`_mix`'s result to the gradients of its tables and of the gate."""
    for i in range(len(a)):
        row, x, y = d[i], d_left[a[i]], d_right[b[i]]
        for m in range(len(row)):
            x[m] += row[m]
            y[m] += row[m]
        for head in range(len(gate)):
            share, x, y = gate[head, a[i], b[i]], gate_left[head, a[i]], gate_right[head, b[i]]
            d_x, d_y = d_gate_left[head, a[i]], d_gate_right[head, b[i]]
            total = row[0] * 0
            for m in range(len(row)):
                total += row[m] * (x[m] - y[m])
                d_x[m] += share * row[m]
                d_y[m] -= share * row[m]
            d_gate[head, a[i], b[i]] += total


@compiled
def _rectify(hidden):  # type: ignore[no-untyped-def]
    """ReLU in place."""
    flat = hidden.reshape(-1)
    for i in range(len(flat)):
        flat[i] = max(flat[i], flat[i] * 0)


@compiled
def _unrectify(hidden, d):  # type: ignore[no-untyped-def]
    """Set the gradient ``d`` to zero where the ReLU gave zero."""
    flat, flat_d = hidden.reshape(-1), d.reshape(-1)
    for i in range(len(flat)):
        flat_d[i] = flat_d[i] if flat[i] > 0 else flat_d[i] * 0


class CompiledStep:
    """One training step's work over one circuit's batch of pairs: on a CPU what :class:`PairStep` is on CUDA.

    The object keeps the buffers of a block, because page faults of fresh memory for each block would cost more time
    than the arithmetic.

    Parameters
    ----------
    targets : Tensor
        (p, p) correct class of (a, b).
    form : PairForm
        Pair form of the circuit. It tells the shapes and whether (a, b) and (b, a) agree.
    """

    def __init__(self, targets: Tensor, form: PairForm) -> None:
        n_neurons, n_classes, dtype = form.left.shape[-1], form.readout.shape[1], form.left.dtype
        self._targets = targets
        self._hidden = torch.empty(BLOCK_PAIRS, n_neurons, dtype=dtype)
        self._d_hidden = torch.empty_like(self._hidden)
        self._logits = torch.empty(BLOCK_PAIRS * n_classes, dtype=dtype)
        self._skip = torch.empty(BLOCK_PAIRS, n_classes, dtype=dtype)

    def __call__(self, form: PairForm, batches: Sequence[Batch]) -> tuple[Tensor, dict[str, Tensor]]:
        """Loss and gradients of one step.

        Parameters
        ----------
        form : PairForm
            Pair form of one circuit, detached from autograd.
        batches : sequence of Batch
            One batch, that of the circuit.

        Returns
        -------
        loss : Tensor
            (1,) mean cross entropy over the batch.
        gradients : dict of Tensor
            By the names of ``form.tensors()``.
        """
        (batch,) = batches
        targets = torch.from_numpy(self._targets.numpy()[batch.a, batch.b])
        shares = torch.from_numpy(batch.shares).to(form.left.dtype)
        gradients = {name: torch.zeros_like(tensor) for name, tensor in form.tensors().items()}
        to_neurons, to_classes = (_Tables(form, gradients, prefix) for prefix in ("", "skip_"))
        readout, d_readout = form.readout[0], gradients["readout"][0]
        loss = form.left.new_zeros(1)
        for start in range(0, len(batch.a), BLOCK_PAIRS):
            block = slice(start, start + BLOCK_PAIRS)
            a, b = batch.a[block], batch.b[block]
            hidden, logits = self._forward(readout, to_neurons, to_classes, a, b)
            loss += cross_entropy_(logits, targets[block], shares[block])
            torch.addmm(d_readout, logits, hidden, out=d_readout)
            d_hidden = torch.mm(logits.mT, readout, out=self._d_hidden[: len(a)])
            _unrectify(hidden.numpy(), d_hidden.numpy())
            to_neurons.unmix(a, b, d_hidden)
            if to_classes.present:
                to_classes.unmix(a, b, logits.mT.contiguous())
        return loss, gradients

    def all_right(self, form: PairForm) -> Tensor:
        """Whether every pair, trained on or not, gets its class, (1,) bool."""
        to_neurons, to_classes = (_Tables(form, {}, prefix) for prefix in ("", "skip_"))
        every = torch.ones_like(self._targets)
        a, b = (part.split(BLOCK_PAIRS) for part in torch.nonzero(every, as_tuple=True))
        for block_a, block_b in zip(a, b, strict=True):
            _, logits = self._forward(form.readout[0], to_neurons, to_classes, block_a.numpy(), block_b.numpy())
            if not torch.equal(logits.argmax(0), self._targets[block_a, block_b]):
                return torch.tensor([False])
        return torch.tensor([True])

    def _forward(
        self, readout: Tensor, to_neurons: _Tables, to_classes: _Tables, a: np.ndarray, b: np.ndarray
    ) -> tuple[Tensor, Tensor]:
        """Post-activations (n, n_neurons) and logits (n_classes, n) of a block, in this object's buffers."""
        hidden = self._hidden[: len(a)]
        to_neurons.mix(a, b, hidden)
        _rectify(hidden.numpy())
        logits = self._logits[: len(a) * len(readout)].view(len(readout), len(a))
        torch.mm(readout, hidden.mT, out=logits)
        if to_classes.present:
            to_classes.mix(a, b, self._skip[: len(a)])
            logits += self._skip[: len(a)].mT
        return hidden, logits


class _Tables:
    """The tables named ``prefix*`` of a form and their gradients, as arrays the compiled loops read."""

    def __init__(self, form: PairForm, gradients: dict[str, Tensor], prefix: str) -> None:
        tensors = form.tensors()
        self.present = f"{prefix}left" in tensors
        left = form.left
        none = left.new_zeros(1, 0, 0, 0)
        shared = f"{prefix}right" not in tensors
        names = [f"{prefix}left", f"{prefix}left" if shared else f"{prefix}right"]
        gated = ["gate", f"{prefix}gate_left", f"{prefix}gate_right"]
        self._tables = [tensors.get(name, none)[0].contiguous().numpy() for name in names + gated]
        self._gradients = [gradients.get(name, none)[0].numpy() for name in names + gated]

    def mix(self, a: np.ndarray, b: np.ndarray, out: Tensor) -> None:
        _mix(a, b, *self._tables, out.numpy())

    def unmix(self, a: np.ndarray, b: np.ndarray, d: Tensor) -> None:
        _unmix(a, b, d.numpy(), *self._tables[2:], *self._gradients)


def cross_entropy_(logits: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """Weighted sum of the cross entropies of ``logits`` (n_classes, n), which become their own gradient."""
    logits -= logits.amax(0)
    index = targets[None]
    correct = logits.gather(0, index)
    logits.exp_()
    total = logits.sum(0)
    loss = ((total.log() - correct[0]) * weights).sum()
    logits *= weights / total
    logits.scatter_add_(0, index, -weights[None])
    return loss
