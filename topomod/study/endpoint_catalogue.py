"""What architectures are compared on: one entry here, one margin and one family in the YAML each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Endpoint:
    """One number per circuit.

    Parameters
    ----------
    title : str
        As the report prints it.
    table : {"circuits", "groups", "homology"}
        Where it comes from.
    column : str
        Column of that table. Group and homology columns are averaged over a circuit's groups, weighted by their
        neurons.
    site : str or None
        For homology rows, which site.
    equals : str or None
        The value is the share of groups whose column equals this.
    bounds : tuple of float or None
        Range of a share, or of the H2 persistence, which is 0 in every circuit where no group has rank 3; the test
        then holds for any distribution inside, constant samples included.
    """

    title: str
    table: str
    column: str
    site: str | None = None
    equals: str | None = None
    bounds: tuple[float, float] | None = None


UNIT = (0.0, 1.0)


def _group(title: str, column: str) -> Endpoint:
    return Endpoint(title, "groups", column)


def _share(shape: str, site: str) -> Endpoint:
    return Endpoint(f"share labelled {shape} ({site})", "homology", "label", site, shape, UNIT)


def _homology(title: str, column: str, site: str, bounds: tuple[float, float] | None = None) -> Endpoint:
    return Endpoint(f"{title} ({site})", "homology", column, site, bounds=bounds)


ENDPOINTS: dict[str, Endpoint] = {
    "disc_cka": _group("CKA to disc, aligned", "disc_cka"),
    "torus_cka": _group("CKA to torus", "torus_cka"),
    "circle_cka": _group("CKA to circle", "circle_cka"),
    "disc_rsm": _group("RSM to disc, aligned", "disc_rsm"),
    "torus_rsm": _group("RSM to torus", "torus_rsm"),
    "circle_rsm": _group("RSM to circle", "circle_rsm"),
    "top2_variance": _group("variance in top 2 PCs", "top2_variance"),
    "top4_variance": _group("variance in top 4 PCs", "top4_variance"),
    "first_order_r2": _group("first-order R2", "first_order_r2"),
    "second_order_r2": _group("second-order R2", "second_order_r2"),
    "phase_coherence": _group("phase coherence", "phase_coherence"),
    "torus_distance": _group("mean torus distance of the PAD", "torus_distance"),
    **{f"share_{shape}_preactivations": _share(shape, "preactivations") for shape in ("disc", "circle", "torus")},
    "hole_preactivations": _homology("hole radius", "hole", "preactivations"),
    "h1_preactivations": _homology("H1 maximal persistence", "h1_persistence", "preactivations"),
    "h1_entropy_preactivations": _homology("H1 persistent entropy", "h1_entropy", "preactivations"),
    "h1_betti_preactivations": _homology("H1 Betti curve, L2 norm", "h1_betti", "preactivations"),
    "h1_amplitude_preactivations": _homology("H1 Wasserstein amplitude", "h1_wasserstein", "preactivations"),
    "h2_preactivations": _homology("H2 maximal persistence", "h2_persistence", "preactivations", UNIT),
    "logit_circle_cka": _group("CKA of group logits to circle", "logit_circle_cka"),
    "logit_disc_cka": _group("CKA of group logits to disc", "logit_disc_cka"),
    "coordinate_circle_cka": _group("CKA of logit coordinate to circle", "coordinate_circle_cka"),
    "readout_sum_r2": Endpoint("R2 of a + b in the read-out directions", "circuits", "readout_sum_r2"),
    "winding_is_sum": Endpoint("share of groups winding (1, 1)", "groups", "winding_is_sum", bounds=UNIT),
    **{f"share_{shape}_logits": _share(shape, "logits") for shape in ("disc", "circle", "torus")},
    "hole_logits": _homology("hole radius", "hole", "logits"),
    "h1_logits": _homology("H1 maximal persistence", "h1_persistence", "logits"),
    "h1_entropy_logits": _homology("H1 persistent entropy", "h1_entropy", "logits"),
    "h1_betti_logits": _homology("H1 Betti curve, L2 norm", "h1_betti", "logits"),
    "h1_amplitude_logits": _homology("H1 Wasserstein amplitude", "h1_wasserstein", "logits"),
    "h2_logits": _homology("H2 maximal persistence", "h2_persistence", "logits", UNIT),
    "gradient_symmetricity": Endpoint("gradient symmetricity", "circuits", "gradient_symmetricity"),
    "distance_irrelevance": Endpoint("distance irrelevance (correct logit)", "circuits", "distance_irrelevance"),
    "circularity": Endpoint("circularity", "circuits", "circularity"),
    "n_groups": Endpoint("number of groups", "circuits", "n_groups"),
    "normalized_frequency": _group("normalized frequency f / p", "normalized_frequency"),
}


@dataclass(frozen=True)
class Population:
    """A whole distribution over circuits, compared by its maximum mean discrepancy.

    Parameters
    ----------
    title : str
        As the report prints it.
    kind : {"phases", "diagrams"}
        Phases of all neurons, or the H1 diagram of each circuit's strongest group.
    site : str or None
        Of the diagrams.
    columns : tuple of str
        Where a neuron's phases stand.
    """

    title: str
    kind: str
    site: str | None = None
    columns: tuple[str, str] = ("a", "b")


POPULATIONS: dict[str, Population] = {
    "pad": Population("PAD by argmax (MMD)", "phases"),
    "pad_centroid": Population("PAD by centroid (MMD)", "phases", columns=("centroid_a", "centroid_b")),
    "h1_diagrams_preactivations": Population("H1 diagrams (preactivations, MMD)", "diagrams", "preactivations"),
    "h1_diagrams_logits": Population("H1 diagrams (logits, MMD)", "diagrams", "logits"),
}
ALL_ENDPOINTS: dict[str, Endpoint | Population] = {**ENDPOINTS, **POPULATIONS}
