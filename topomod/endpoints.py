"""The endpoints on which architectures are compared: one entry here and one margin in the YAML each."""

from __future__ import annotations

from dataclasses import dataclass

FIRST_LAYER = "first-layer geometry"
READ_OUT = "read-out geometry"
MECHANISM = "mechanism"
ORGANISATION = "organisation"
STATEMENTS = (FIRST_LAYER, READ_OUT, MECHANISM, ORGANISATION)


@dataclass(frozen=True)
class Endpoint:
    """One number per circuit.

    Parameters
    ----------
    title : str
        As the report prints it.
    statement : str
        Which of the separate claims it bears on; tests are adjusted within a statement.
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
    statement: str
    table: str
    column: str
    site: str | None = None
    equals: str | None = None
    bounds: tuple[float, float] | None = None


UNIT = (0.0, 1.0)


def _group(title: str, column: str, statement: str = FIRST_LAYER) -> Endpoint:
    return Endpoint(title, statement, "groups", column)


def _share(shape: str, site: str) -> Endpoint:
    statement = FIRST_LAYER if site == "preactivations" else READ_OUT
    return Endpoint(f"share labelled {shape} ({site})", statement, "homology", "label", site, shape, UNIT)


def _homology(title: str, column: str, site: str, bounds: tuple[float, float] | None = None) -> Endpoint:
    statement = FIRST_LAYER if site == "preactivations" else READ_OUT
    return Endpoint(f"{title} ({site})", statement, "homology", column, site, bounds=bounds)


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
    "h2_preactivations": _homology("H2 maximal persistence", "h2_persistence", "preactivations", UNIT),
    "logit_circle_cka": _group("CKA of group logits to circle", "logit_circle_cka", READ_OUT),
    "logit_disc_cka": _group("CKA of group logits to disc", "logit_disc_cka", READ_OUT),
    "coordinate_circle_cka": _group("CKA of logit coordinate to circle", "coordinate_circle_cka", READ_OUT),
    "readout_sum_r2": Endpoint("R2 of a + b in the read-out directions", READ_OUT, "circuits", "readout_sum_r2"),
    "winding_is_sum": Endpoint("share of groups winding (1, 1)", READ_OUT, "groups", "winding_is_sum", bounds=UNIT),
    **{f"share_{shape}_logits": _share(shape, "logits") for shape in ("disc", "circle", "torus")},
    "hole_logits": _homology("hole radius", "hole", "logits"),
    "h1_logits": _homology("H1 maximal persistence", "h1_persistence", "logits"),
    "h2_logits": _homology("H2 maximal persistence", "h2_persistence", "logits", UNIT),
    "gradient_symmetricity": Endpoint("gradient symmetricity", MECHANISM, "circuits", "gradient_symmetricity"),
    "distance_irrelevance": Endpoint(
        "distance irrelevance (correct logit)", MECHANISM, "circuits", "distance_irrelevance"
    ),
    "circularity": Endpoint("circularity", MECHANISM, "circuits", "circularity"),
    "n_groups": Endpoint("number of groups", ORGANISATION, "circuits", "n_groups"),
    "normalized_frequency": _group("normalized frequency f / p", "normalized_frequency", ORGANISATION),
}
