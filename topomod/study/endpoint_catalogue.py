"""What architectures are compared on. Each is one entry here, and has a margin and a family in the YAML."""

from __future__ import annotations

import math
from dataclasses import dataclass

from topomod.networks.architectures import Part

UNIT = (0.0, 1.0)


@dataclass(frozen=True)
class Endpoint:
    """One number per circuit.

    Parameters
    ----------
    title : str
        As the report prints it.
    table : {"circuits", "groups", "homology"}
        The table that it comes from.
    column : str
        Column of that table. Group and homology columns are averaged over a circuit's groups, weighted by their
        neurons.
    unit : str
        Unit of the number; empty for shares, similarities and other numbers without one.
    site : str or None
        Site of the homology rows; None for the other tables.
    equals : str or None
        The value is the share of groups whose column equals this.
    bounds : tuple of float or None
        Natural range, where the bounded test is used. It holds for any distribution within these bounds, also for
        constant samples. Similarities, R2, shares of variance and the measures of mechanism have a range as well, but
        it is so wide for their margins that 50 circuits would conclude less or nothing (``docs/tests.md``, "Natural
        bounds").
    value : part
        How the column is measured, where the stage does not measure it already: ``(circuit, layer) -> float`` for the
        table of circuits, ``(circuit, layer, group) -> float`` for that of groups.
    """

    title: str
    table: str
    column: str
    unit: str = ""
    site: str | None = None
    equals: str | None = None
    bounds: tuple[float, float] | None = None
    value: Part = ""


def _group(title: str, column: str, unit: str = "", bounds: tuple[float, float] | None = None) -> Endpoint:
    return Endpoint(title, "groups", column, unit, bounds=bounds)


def _circuit(title: str, column: str, unit: str = "", bounds: tuple[float, float] | None = None) -> Endpoint:
    return Endpoint(title, "circuits", column, unit, bounds=bounds)


def _share(shape: str, site: str) -> Endpoint:
    return Endpoint(f"share labelled {shape} ({site})", "homology", "label", "", site, shape, UNIT)


def _homology(
    title: str, column: str, site: str, unit: str = "", bounds: tuple[float, float] | None = None
) -> Endpoint:
    return Endpoint(f"{title} ({site})", "homology", column, unit, site, bounds=bounds)


def _shapes(site: str) -> dict[str, Endpoint]:
    """Labels and persistence of the clouds at one site."""
    return {
        **{f"share_{shape}_{site}": _share(shape, site) for shape in ("disc", "circle", "torus")},
        f"hole_{site}": _homology("hole radius", "hole", site, "rms"),
        f"h1_{site}": _homology("H1 maximal persistence", "h1_persistence", site, "rms"),
        f"h1_entropy_{site}": _homology("H1 persistent entropy", "h1_entropy", site, "bits"),
        f"h1_betti_{site}": _homology("H1 Betti curve, L2 norm", "h1_betti", site),
        f"h1_amplitude_{site}": _homology("H1 Wasserstein amplitude", "h1_wasserstein", site, "rms"),
        f"h2_{site}": _homology("H2 maximal persistence", "h2_persistence", site, "rms", UNIT),
    }


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
    "torus_distance": _group("mean torus distance of the PAD", "torus_distance", "steps"),
    **_shapes("preactivations"),
    "logit_circle_cka": _group("CKA of group logits to circle", "logit_circle_cka"),
    "logit_disc_cka": _group("CKA of group logits to disc", "logit_disc_cka"),
    "coordinate_circle_cka": _group("CKA of logit coordinate to circle", "coordinate_circle_cka"),
    "readout_sum_r2": _circuit("R2 of a + b in the read-out directions", "readout_sum_r2"),
    "winding_is_sum": Endpoint("share of groups winding (1, 1)", "groups", "winding_is_sum", bounds=UNIT),
    **_shapes("logits"),
    "gradient_symmetricity": _circuit("gradient symmetricity", "gradient_symmetricity"),
    "distance_irrelevance": _circuit("distance irrelevance (correct logit)", "distance_irrelevance"),
    "circularity": _circuit("circularity", "circularity"),
    "sufficiency_accuracy": _circuit("accuracy with the manifolds alone", "sufficiency_accuracy", bounds=UNIT),
    "sufficiency_loss": _circuit("loss with the manifolds alone", "sufficiency_loss", "nats"),
    "sufficiency_r2": _circuit("R2 of the logits with the manifolds alone", "sufficiency_r2"),
    "necessity_accuracy": _circuit("accuracy without the manifolds", "necessity_accuracy", bounds=UNIT),
    "necessity_loss": _circuit("loss without the manifolds", "necessity_loss", "nats"),
    "steering_share": _circuit("pairs whose answer follows the moved manifolds", "steering_share", bounds=UNIT),
    "steering_control": _circuit("the same under the strongest control", "steering_control", bounds=UNIT),
    "steering_phase_error": _circuit(
        "phase error of the logits when the manifolds move", "steering_phase_error", "radians", (0.0, math.pi)
    ),
    "separability": _circuit("change at the moved group's own frequency", "separability", bounds=UNIT),
    "off_manifold": _circuit("change of the logits by what is off the manifolds / variance", "off_manifold"),
    "clock_position": _circuit("position between pizza (0) and clock (1) by intervention", "clock_position"),
    "n_groups": _circuit("number of groups", "n_groups", "groups"),
    "normalized_frequency": _group("normalized frequency f / p", "normalized_frequency", bounds=(0.0, 0.5)),
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
        Site of the diagrams; None for phases.
    columns : tuple of str
        Columns of the table of neurons that hold the phases.
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


def all_endpoints() -> dict[str, Endpoint | Population]:
    """Scalar endpoints and distributions, each of which needs a margin and a family."""
    return {**ENDPOINTS, **POPULATIONS}
