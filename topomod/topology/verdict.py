"""What is said of a point cloud: a label, the evidence for it, and how large a hole could have been missed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from topomod.notebook import Shown
from topomod.topology.betti import Betti, ForcedLabel
from topomod.topology.coordinates import WindingMatrix
from topomod.topology.denoise import PreparedCloud
from topomod.topology.diagrams import Diagram

Label = Literal["disc", "circle", "torus", "other", "uncertain"]


@dataclass(frozen=True)
class ManifoldVerdict(Shown):
    """What a cloud is, how large the evidence for it is, and why no more was said.

    Lengths are in rms units: the cloud, whitened in its leading components, has root mean square radius 1.

    Parameters
    ----------
    label : {"disc", "circle", "torus", "other", "uncertain"}
        The verdict. "disc" means no hole larger than ``hole_upper_bound``.
    forced_label : {"disc", "circle", "torus", "other"}
        The label before any doubt.
    betti : tuple of int
        ``(b0, b1, b2)`` over Z/2; ``(1, 1, 0)`` where the order of the rows proves a hole.
    confidence : float
        Among verdicts of this confidence at least that share was right on labelled clouds (``docs/verdicts.md``);
        0 where the label is "uncertain".
    score : float
        Stability times purity times separation, in 0..1: what ``confidence`` is read from.
    doubtful : bool
        Whether something is missing that a sure label needs. The confidence of such labels has a table of its own.
    missing : str
        What is missing: little noise, more points, or evidence that only this shape shows. Empty if nothing is.
    hole : float
        Radius at which the most persistent loop is filled, or of the hole that the order proves; 0 without either.
    hole_upper_bound : float
        ``hole + 2.5 * (what is left of sigma) + 0.005``.
    rank, fine_rank : int
        Components with at least ``tau`` (0.10), respectively ``fine_tau`` (0.04), of the first one's variance.
    share : float or None
        Power of one frequency over the total; None without group order.
    frequency : int or None
        That frequency.
    sigma : float
        Noise per coordinate removed before homology.
    winding : tuple of int or None
        Turns ``(m_a, m_b)`` while a, respectively b, runs once through its values. At rank 2 they are those of the
        two leading components around their centre, at higher rank those of the circular coordinate of a circle. Their
        common sign is such that the first nonzero one is positive. None without group order and for other shapes.
    winding_matrix : tuple of tuple of int or None
        For a torus in group order, the turns of its two circular coordinates: ``((1, 0), (0, 1))``.
    winding_agreement, clearance : float or None
        As in :func:`topomod.winding_numbers`.
    agreement : float
        Share of random subsamples with the same label. Where the windings of a circle decide, it is the share of
        loops that wind alike. It is 1 for a torus that its windings confirm.
    n_points_used : int
        Points in the complex, after merging equal ones and thinning.
    reason : str
        Why "uncertain" or "other", empty otherwise.
    h1_persistence, h2_persistence : float
        Largest death minus birth, 0 without bars.
    diagrams : tuple of ndarray
        (n_pairs, 2) births and deaths as radii for H0, H1 and, from rank 3 on, H2; infinite deaths kept.
    """

    label: Label
    forced_label: ForcedLabel = "other"
    betti: Betti = (0, 0, 0)
    confidence: float = 0.0
    score: float = 0.0
    doubtful: bool = True
    missing: str = ""
    hole: float = 0.0
    hole_upper_bound: float = float("inf")
    rank: int = 0
    fine_rank: int = 0
    share: float | None = None
    frequency: int | None = None
    sigma: float = 0.0
    winding: tuple[int, int] | None = None
    winding_matrix: WindingMatrix | None = None
    winding_agreement: float | None = None
    clearance: float | None = None
    agreement: float = 0.0
    n_points_used: int = 0
    reason: str = ""
    h1_persistence: float = 0.0
    h2_persistence: float = 0.0
    diagrams: tuple[Diagram, ...] = field(default_factory=lambda: (np.zeros((0, 2)), np.zeros((0, 2))))

    @property
    def headline(self) -> str:
        """The label with its confidence, or the reason for doubt."""
        if self.label == "uncertain":
            return f"uncertain: {self.reason}"
        return f"{self.label}, confidence {self.confidence:.2f}"


def empty_verdict(label: Label, reason: str, n_points: int, cloud: PreparedCloud | None = None) -> ManifoldVerdict:
    """Verdict on a cloud whose homology cannot be read: each of its points is a component."""
    verdict = ManifoldVerdict(label, betti=(n_points, 0, 0), n_points_used=n_points, reason=reason)
    if cloud is None:
        return verdict
    return replace(
        verdict,
        rank=cloud.rank,
        fine_rank=cloud.fine_rank,
        share=cloud.share,
        frequency=cloud.frequency,
        sigma=cloud.sigma,
    )
