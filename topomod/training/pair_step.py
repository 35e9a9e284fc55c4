"""Loss and gradients of a stack of pair forms, block by block: for CUDA, and for stacks on a CPU.

The pairs are taken in blocks small enough for the cache: pre-activations, logits and their gradients of one
block are used up before the next is made. Gradients stop at the tensors of the pair form; autograd takes them
through the few token-level products behind it. The tests check them against plain autograd in float64.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from topomod.networks.pair_form import PairForm
from topomod.training.batches import Batch

BLOCK_PAIRS = 960  # 960 x 512 float32 = 2 MB; of 120 to 1800, measured as best or nearly for every architecture


class PairStep:
    """One training step's work over all pairs, for a stack of circuits of one shape.

    Row r pairs ``left[r]`` with all of ``right``. For symmetric forms row k pairs each a with a + k mod p, so that
    ``p // 2 + 1`` rows cover every unordered pair. The object keeps the buffers of a block, because page faults of
    fresh memory for each block would cost more time than the arithmetic.

    Parameters
    ----------
    targets : Tensor
        (p, p) correct class of (a, b).
    form : PairForm
        Pair form of the stack. It tells the shapes and whether (a, b) and (b, a) agree.
    """

    def __init__(self, targets: Tensor, form: PairForm) -> None:
        stack, n, n_neurons = form.right.shape
        n_classes = form.readout.shape[1]
        self._windows = form.symmetric
        self._all_targets = targets
        a = torch.arange(n, device=targets.device)
        self._pairs = (a, (a + torch.arange(n // 2 + 1, device=targets.device)[:, None]) % n)
        self._targets = targets[self._pairs] if self._windows else targets
        self.block_rows = min(len(self._targets), max(1, BLOCK_PAIRS // n))
        empty = form.left.new_empty
        self._hidden = empty(stack * self.block_rows * n * n_neurons)
        self._d_hidden = torch.empty_like(self._hidden)
        self._by_b = torch.empty_like(self._hidden)
        self._logits = empty(stack * self.block_rows * n * n_classes)
        self._skip = torch.empty_like(self._logits)

    def _weights(self, batches: Sequence[Batch], like: Tensor) -> Tensor:
        """Shares of the loss in the order of the rows, (S, n_rows, n); zero for pairs outside the batch."""
        dense = np.zeros((len(batches), *self._all_targets.shape))
        for weights, batch in zip(dense, batches, strict=True):
            weights[batch.a, batch.b] = batch.shares
        weights = torch.from_numpy(dense).to(like)
        if not self._windows:
            return weights
        a, b = self._pairs
        both = weights[:, a, b] + weights[:, b, a]
        # k = 0 has each pair once but adds it twice; for even p, k = p / 2 has each pair twice
        both[:, 0] /= 2
        if len(a) % 2 == 0:
            both[:, -1] /= 2
        return both

    def __call__(self, form: PairForm, batches: Sequence[Batch]) -> tuple[Tensor, dict[str, Tensor]]:
        """Loss and gradients of one step.

        Parameters
        ----------
        form : PairForm
            Pair form of the stack, detached from autograd.
        batches : sequence of Batch
            One for each circuit.

        Returns
        -------
        loss : Tensor
            (S,) mean cross entropy over the batch.
        gradients : dict of Tensor
            By the names of ``form.tensors()``.
        """
        weights = self._weights(batches, form.left)
        gradients = {name: torch.zeros_like(tensor) for name, tensor in form.tensors().items()}
        loss = form.left.new_zeros(len(form.left))
        p = form.left.shape[1]
        doubled = torch.cat([form.left, form.left], dim=1) if self._windows else None
        d_doubled = None if doubled is None else torch.zeros_like(doubled)
        for start in range(0, len(self._targets), self.block_rows):
            rows = slice(start, min(start + self.block_rows, len(self._targets)))
            hidden = self._hidden_block(form, rows, doubled)
            block_loss, d_logits = self._logit_block(form, rows, hidden, weights[:, rows])
            loss += block_loss
            d_hidden = self._backward_block(form, d_logits, hidden, gradients)
            if d_doubled is not None:
                gradients["left"] += d_hidden.sum(1)
                for i, k in enumerate(range(rows.start, rows.stop)):
                    d_doubled[:, k : k + p] += d_hidden[:, i]
                continue
            self._table_gradients(form, "", rows, d_hidden, gradients)
            if form.skip_left is not None:
                d_skip = d_logits.mT.unflatten(1, hidden.shape[1:3]).contiguous()
                self._table_gradients(form, "skip_", rows, d_skip, gradients)
        if d_doubled is not None:
            gradients["left"] += d_doubled[:, :p] + d_doubled[:, p:]
        return loss, gradients

    def all_right(self, form: PairForm) -> Tensor:
        """Whether every pair, trained on or not, gets its class, (S,) bool."""
        return form.all_right(self._all_targets)

    def _view(self, buffer: Tensor, *shape: int) -> Tensor:
        return buffer[: math.prod(shape)].view(shape)

    def _hidden_block(self, form: PairForm, rows: slice, doubled: Tensor | None) -> Tensor:
        """Post-activations of one block, (S, n_rows, n, n_neurons)."""
        stack, n, n_neurons = form.right.shape
        hidden = self._view(self._hidden, stack, rows.stop - rows.start, n, n_neurons)
        if doubled is not None:
            return torch.add(form.left[:, None], doubled.unfold(1, n, 1).mT[:, rows], out=hidden).relu_()
        return self._mix(form, "", rows, hidden).relu_()

    def _mix(self, form: PairForm, prefix: str, rows: slice, out: Tensor) -> Tensor:
        """Sum the tables named ``prefix*`` over one block into ``out``, (S, n_rows, n, n_columns)."""
        tables = form.tensors()
        torch.add(tables[f"{prefix}left"][:, rows, None], tables[f"{prefix}right"][:, None], out=out)
        if form.gate is not None:
            gate = form.gate[:, :, rows]
            gate_left, gate_right = tables[f"{prefix}gate_left"], tables[f"{prefix}gate_right"]
            flat = out.flatten(0, 1)
            by_a, of_a = gate.permute(0, 2, 3, 1).flatten(0, 1), gate_left[:, :, rows].transpose(1, 2).flatten(0, 1)
            torch.baddbmm(flat, by_a, of_a, out=flat)
            for head in range(gate.shape[1]):
                out.addcmul_(gate[:, head, :, :, None], gate_right[:, head, None], value=-1)
        return out

    def _logit_block(self, form: PairForm, rows: slice, hidden: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Loss (S,) and the gradient of the logits (S, n_classes, n_pairs)."""
        stack, n_rows, n, _ = hidden.shape
        n_classes = form.readout.shape[1]
        logits = self._view(self._logits, stack, n_classes, n_rows * n)
        torch.matmul(form.readout, hidden.flatten(1, 2).mT, out=logits)
        if form.skip_left is not None:
            skip = self._view(self._skip, stack, n_rows, n, n_classes)
            logits += self._mix(form, "skip_", rows, skip).flatten(1, 2).mT
        weights = weights.flatten(1)[:, None]
        index = self._targets[rows].reshape(1, 1, -1).expand(stack, 1, -1)
        logits -= logits.amax(1, keepdim=True)
        correct = logits.gather(1, index)
        logits.exp_()
        total = logits.sum(1, keepdim=True)
        loss = ((total.log() - correct) * weights).sum((1, 2))
        logits *= weights / total
        logits.scatter_add_(1, index, -weights)
        return loss, logits

    def _backward_block(self, form: PairForm, d_logits: Tensor, hidden: Tensor, gradients: dict[str, Tensor]) -> Tensor:
        """Gradient of the block's pre-activations, (S, n_rows, n, n_neurons); adds to the read-out's."""
        gradients["readout"] += d_logits @ hidden.flatten(1, 2)
        d_hidden = self._view(self._d_hidden, *hidden.shape)
        torch.matmul(d_logits.mT, form.readout, out=d_hidden.flatten(1, 2))
        torch.ops.aten.threshold_backward(d_hidden, hidden, 0, grad_input=d_hidden)
        return d_hidden

    def _table_gradients(
        self, form: PairForm, prefix: str, rows: slice, d_mixed: Tensor, gradients: dict[str, Tensor]
    ) -> None:
        """Take the gradient of :meth:`_mix`, (S, n_rows, n, n_columns), to its tables and the gate."""
        torch.sum(d_mixed, 2, out=gradients[f"{prefix}left"][:, rows])
        gradients[f"{prefix}right"] += d_mixed.sum(1)
        if form.gate is None:
            return
        tables, gate = form.tensors(), form.gate[:, :, rows]
        # gathered by b: batched products over strided memory fall back to one call per matrix
        stack, n_rows, n, n_columns = d_mixed.shape
        by_b = self._view(self._by_b, stack, n, n_rows, n_columns)
        by_b.copy_(d_mixed.transpose(1, 2))
        d_gate = (d_mixed @ tables[f"{prefix}gate_left"][:, :, rows].permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        d_gate_right = (by_b @ tables[f"{prefix}gate_right"].permute(0, 2, 3, 1)).permute(0, 3, 2, 1)
        gradients["gate"][:, :, rows] += d_gate - d_gate_right
        gradients[f"{prefix}gate_left"][:, :, rows] = (gate.transpose(1, 2) @ d_mixed).transpose(1, 2)
        gradients[f"{prefix}gate_right"] -= (gate.permute(0, 3, 1, 2).contiguous() @ by_b).transpose(1, 2)
