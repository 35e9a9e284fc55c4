"""Loss and gradients of one circuit's pair form on a CPU, compiled.

Only the pairs trained on are computed. Each block of them is small enough for the cache: its pre-activations,
logits and their gradients are used up before the next is made. The three matrix products of a block are left to
BLAS; everything between them is one pass over memory. Gradients stop at the tensors of the pair form; autograd
takes them through the few token-level products behind it. The tests check them against plain autograd in float64.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numba import njit
from torch import Tensor

from topomod.networks.pair_form import PairForm
from topomod.training.batches import Batch

BLOCK_PAIRS = 240  # 240 x 512 float32 = 0.5 MB; of 160 to 1000, measured as best or nearly for every architecture


def compiled(loop: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a loop once per machine, without what a type checker at run time has wrapped around it."""
    fast = njit(cache=True, fastmath={"reassoc", "contract", "nsz", "arcp"})
    return fast(inspect.unwrap(loop))


@compiled
def _activate(a, b, left, right, gate, gate_left, gate_right, out):  # type: ignore[no-untyped-def]
    """Row i of ``out`` gets ``relu(left[a_i] + right[b_i] + sum_h gate[h, a_i, b_i] (gate_left - gate_right))``."""
    for i in range(len(a)):
        row, x, y = out[i], left[a[i]], right[b[i]]
        for m in range(len(row)):
            row[m] = x[m] + y[m]
        for head in range(len(gate)):
            share, x, y = gate[head, a[i], b[i]], gate_left[head, a[i]], gate_right[head, b[i]]
            for m in range(len(row)):
                row[m] += share * (x[m] - y[m])
        for m in range(len(row)):
            row[m] = row[m] if row[m] > 0 else row[m] * 0


@compiled
def _skip(a, b, left, right, gate, gate_left, gate_right, out):  # type: ignore[no-untyped-def]
    """Add the sum of :func:`_activate` before its ReLU, over other tables, to ``out``."""
    for i in range(len(a)):
        row, x, y = out[i], left[a[i]], right[b[i]]
        for m in range(len(row)):
            row[m] += x[m] + y[m]
        for head in range(len(gate)):
            share, x, y = gate[head, a[i], b[i]], gate_left[head, a[i]], gate_right[head, b[i]]
            for m in range(len(row)):
                row[m] += share * (x[m] - y[m])


@compiled
def _deactivate(hidden, d):  # type: ignore[no-untyped-def]
    """Set the gradient ``d`` of one pair to zero where the ReLU gave zero."""
    for m in range(len(d)):
        d[m] = d[m] if hidden[m] > 0 else d[m] * 0


@compiled
def _unmix(a, b, hidden, d, gate, gate_left, gate_right, d_left, d_right, d_gate, d_gate_left, d_gate_right):  # type: ignore[no-untyped-def]
    """Add the gradient ``d`` of a sum over tables to the gradients of the tables and of the gate.

    Rows of ``hidden`` are what the ReLU made of the sum; there are none where it is not followed by one.
    """
    for i in range(len(a)):
        if len(hidden):
            _deactivate(hidden[i], d[i])
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
def _center(logits, targets, correct):  # type: ignore[no-untyped-def]
    """Subtract from each row its largest value; ``correct`` gets what is then left of the right class."""
    for i in range(len(logits)):
        row = logits[i]
        largest = row[0]
        for c in range(len(row)):
            largest = max(largest, row[c])
        for c in range(len(row)):
            row[c] -= largest
        correct[i] = row[targets[i]]


@compiled
def _cross_entropy(exponentials, targets, shares, correct):  # type: ignore[no-untyped-def]
    """Weighted sum of the cross entropies of rows of exponentials, which become the gradient of the logits."""
    loss = 0.0
    for i in range(len(exponentials)):
        row = exponentials[i]
        total = row[0] * 0
        for c in range(len(row)):
            total += row[c]
        loss += shares[i] * (np.log(total) - correct[i])
        scale = shares[i] / total
        for c in range(len(row)):
            row[c] *= scale
        row[targets[i]] -= shares[i]
    return loss


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
        self._targets = targets.numpy()
        self._hidden = torch.empty(BLOCK_PAIRS, n_neurons, dtype=dtype)
        self._d_hidden = torch.empty_like(self._hidden)
        self._logits = torch.empty(BLOCK_PAIRS, n_classes, dtype=dtype)
        self._correct = torch.empty(BLOCK_PAIRS, dtype=dtype).numpy()
        self._views: dict[int, _Buffers] = {}

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
        targets = self._targets[batch.a, batch.b]
        shares = batch.shares.astype(self._correct.dtype)
        gradients = {name: torch.zeros_like(tensor) for name, tensor in form.tensors().items()}
        to_neurons, to_classes = (_Tables(form, gradients, prefix) for prefix in ("", "skip_"))
        readout, d_readout = form.readout[0], gradients["readout"][0]
        across = readout.mT.contiguous()
        loss = 0.0
        for block in _blocks(len(batch.a)):
            a, b = batch.a[block], batch.b[block]
            view, correct = self._forward(across, to_neurons, to_classes, a, b), self._correct[: len(a)]
            _center(view.at_logits, targets[block], correct)
            view.logits.exp_()
            loss += _cross_entropy(view.at_logits, targets[block], shares[block], correct)
            d_readout.addmm_(view.logits_T, view.hidden)
            torch.mm(view.logits, readout, out=view.d_hidden)
            to_neurons.unmix(a, b, view.at_hidden, view.at_d_hidden)
            if to_classes.present:
                to_classes.unmix(a, b, view.at_hidden[:0], view.at_logits)
        return torch.tensor([loss], dtype=form.left.dtype), gradients

    def all_right(self, form: PairForm) -> Tensor:
        """Whether every pair, trained on or not, gets its class, (1,) bool."""
        to_neurons, to_classes = (_Tables(form, {}, prefix) for prefix in ("", "skip_"))
        across = form.readout[0].mT.contiguous()
        a, b = (part.ravel() for part in np.indices(self._targets.shape))
        for block in _blocks(len(a)):
            found = self._forward(across, to_neurons, to_classes, a[block], b[block]).at_logits.argmax(1)
            if not np.array_equal(found, self._targets[a[block], b[block]]):
                return torch.tensor([False])
        return torch.tensor([True])

    def _forward(
        self, across: Tensor, to_neurons: _Tables, to_classes: _Tables, a: np.ndarray, b: np.ndarray
    ) -> _Buffers:
        """Post-activations and logits of a block, in buffers of this object."""
        n = len(a)
        if n not in self._views:  # making them anew for each block would cost as much as a pass over memory
            self._views[n] = _Buffers(self._hidden[:n], self._d_hidden[:n], self._logits[:n])
        view = self._views[n]
        _activate(a, b, *to_neurons.tables, view.at_hidden)
        torch.mm(view.hidden, across, out=view.logits)
        if to_classes.present:
            _skip(a, b, *to_classes.tables, view.at_logits)
        return view


class _Buffers:
    """Post-activations and their gradient (n, n_neurons), logits (n, n_classes), as tensors and as arrays ``at_*``."""

    def __init__(self, hidden: Tensor, d_hidden: Tensor, logits: Tensor) -> None:
        self.hidden, self.d_hidden, self.logits, self.logits_T = hidden, d_hidden, logits, logits.mT
        self.at_hidden, self.at_d_hidden, self.at_logits = (part.numpy() for part in (hidden, d_hidden, logits))


def _blocks(n: int) -> Iterator[slice]:
    """Slices of at most ``BLOCK_PAIRS`` that cover ``n`` pairs, as equal as can be."""
    n_blocks = -(-n // BLOCK_PAIRS)
    for i in range(n_blocks):
        yield slice(n * i // n_blocks, n * (i + 1) // n_blocks)


class _Tables:
    """The tables named ``prefix*`` of a form and their gradients, as arrays the compiled loops read."""

    def __init__(self, form: PairForm, gradients: dict[str, Tensor], prefix: str) -> None:
        tensors = form.tensors()
        self.present = f"{prefix}left" in tensors
        none = form.left.new_zeros(1, 0, 0, 0)
        shared = f"{prefix}right" not in tensors
        names = [f"{prefix}left", f"{prefix}left" if shared else f"{prefix}right"]
        gated = ["gate", f"{prefix}gate_left", f"{prefix}gate_right"]
        self.tables = [tensors.get(name, none)[0].contiguous().numpy() for name in names + gated]
        self._gradients = [gradients.get(name, none)[0].numpy() for name in names + gated]

    def unmix(self, a: np.ndarray, b: np.ndarray, hidden: np.ndarray, d: np.ndarray) -> None:
        _unmix(a, b, hidden, d, *self.tables[2:], *self._gradients)
