"""Architectures that are trained here, written so that work per token stays apart from work per pair.

Everything before the nonlinearity is a function of ``p`` tokens, not of ``p**2`` inputs. Each architecture that
is trained here therefore states its *pair form* (:class:`PairForm`), which training and analysis evaluate alike.
Every tensor has a leading axis of circuits, so one call serves a whole stack.

Weight names are the field's: ``W_E`` embedding (p, d_model), ``W_in`` (d_mlp, d_model), ``W_out``, ``W_U``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from topomod.networks.activations import Activations


@dataclass(frozen=True)
class PairForm:
    """Pre-activations of all pairs as ``left[a] + right[b] + sum_h gate[h,a,b] (gate_left[h,a] - gate_right[h,b])``.

    Logits are ``relu(preactivations) @ readout^T``, plus what the residual stream adds: the same sum over the
    tables named ``skip_*``. There are S circuits, n_left x n_right pairs and h heads.

    Parameters
    ----------
    left, right : Tensor
        (S, n_left, n_neurons) and (S, n_right, n_neurons).
    readout : Tensor
        (S, n_classes, n_neurons), ``W_U^T W_out``.
    gate : Tensor, optional
        (S, h, n_left, n_right), the share of attention that token a gets.
    gate_left, gate_right : Tensor, optional
        (S, h, n_left, n_neurons) and (S, h, n_right, n_neurons).
    skip_left, skip_right, skip_gate_left, skip_gate_right : Tensor, optional
        As the four tables above, with n_classes columns.
    symmetric : bool
        True when ``left`` and ``right`` are the same tensor, so that (a, b) and (b, a) agree.
    """

    left: Tensor
    right: Tensor
    readout: Tensor
    gate: Tensor | None = None
    gate_left: Tensor | None = None
    gate_right: Tensor | None = None
    skip_left: Tensor | None = None
    skip_right: Tensor | None = None
    skip_gate_left: Tensor | None = None
    skip_gate_right: Tensor | None = None
    symmetric: bool = False

    def tensors(self) -> dict[str, Tensor]:
        """The tensors that are there, by name; a symmetric form has no ``right`` of its own."""
        present = {name: value for name, value in vars(self).items() if isinstance(value, Tensor)}
        if self.symmetric:
            del present["right"]
        return present

    def rows(self, part: slice) -> PairForm:
        """The same form for some of the left tokens only."""
        return replace(
            self,
            left=self.left[:, part],
            skip_left=None if self.skip_left is None else self.skip_left[:, part],
            gate=None if self.gate is None else self.gate[:, :, part],
            gate_left=None if self.gate_left is None else self.gate_left[:, :, part],
            skip_gate_left=None if self.skip_gate_left is None else self.skip_gate_left[:, :, part],
            symmetric=False,
        )

    def all_right(self, targets: Tensor, n_pairs: int = 4096) -> Tensor:
        """Whether every pair gets its class of ``targets`` (n_left, n_right), (S,) bool; ``n_pairs`` at a time."""
        n_rows = max(1, n_pairs // len(targets[0]))
        right = torch.ones(len(self.left), dtype=torch.bool, device=targets.device)
        for start in range(0, len(targets), n_rows):
            part = slice(start, start + n_rows)
            form = self.rows(part)
            right &= (form.logits(form.preactivations()).argmax(-1) == targets[part]).flatten(1).all(1)
        return right

    def preactivations(self) -> Tensor:
        """Pre-activations of all pairs, (S, n_left, n_right, n_neurons)."""
        return self._mix(self.left, self.right, self.gate_left, self.gate_right)

    def logits(self, preactivations: Tensor) -> Tensor:
        """Logits from :meth:`preactivations`, (S, n_left, n_right, n_classes)."""
        logits = torch.relu(preactivations) @ self.readout.mT[:, None]
        if self.skip_left is None or self.skip_right is None:
            return logits
        return logits + self._mix(self.skip_left, self.skip_right, self.skip_gate_left, self.skip_gate_right)

    def activations(self) -> Activations:
        """Everything a stack of one hidden layer computes on all pairs."""
        pre = self.preactivations()
        return Activations((pre,), (torch.relu(pre),), (self.readout,), self.logits(pre))

    def _mix(self, left: Tensor, right: Tensor, gate_left: Tensor | None, gate_right: Tensor | None) -> Tensor:
        mixed = left[:, :, None] + right[:, None]
        if self.gate is None or gate_left is None or gate_right is None:
            return mixed
        mixed = mixed + torch.einsum("shab,sham->sabm", self.gate, gate_left)
        return mixed - torch.einsum("shab,shbm->sabm", self.gate, gate_right)
