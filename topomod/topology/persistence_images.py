"""Persistence images: vectors of fixed length for the loops of point clouds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from topomod.topology.diagrams import check_finite_diagram

# In rms units. The loop of a circle of unit rms radius is born at half the widest gap between its points and dies at 1.
BIRTHS = (-0.25, 1.0)  # below 0 there is room for the Gaussians of pairs born near 0
PERSISTENCES = (0.0, 1.25)
PIXEL = 0.05
SPREAD = 0.05  # standard deviation of the Gaussian around each pair
WEIGHT_POWER = 1.0  # pairs weigh as much as they persist, so that pairs on the diagonal weigh nothing


def persistence_images(diagrams: Sequence[object]) -> Float[np.ndarray, "n height width"]:
    """Images of H1 diagrams: each pair is a Gaussian over (birth, persistence), weighted by its persistence.

    Range, pixels and weight are constants of this module. The image of a diagram is therefore the same in any sample.

    Parameters
    ----------
    diagrams : sequence of array_like
        (n_pairs, 2) births and finite deaths as radii, of clouds of unit root mean square radius. What lies beyond a
        birth of 1 or a persistence of 1.25 is left out.

    Returns
    -------
    ndarray
        (n_diagrams, 25, 25). Rows are persistences from 0 on, columns births from -0.25 on, in steps of 0.05. A pixel
        holds the integral over its square, so that an image sums to about the total persistence. An empty diagram gives
        zeros.

    Raises
    ------
    ValueError
        For what :func:`topomod.topology.diagrams.check_diagram` refuses, and for infinite deaths.

    References
    ----------
    Adams et al. 2017, arXiv 1507.06217; persim.

    Examples
    --------
    >>> image = persistence_images([[[0.325, 0.95]]])[0]
    >>> [int(index) for index in np.unravel_index(image.argmax(), image.shape)], round(float(image.sum()), 6)
    ([12, 11], 0.625)
    """
    checked = [check_finite_diagram(diagram, f"diagram {place}") for place, diagram in enumerate(diagrams)]
    from persim import PersistenceImager

    imager = PersistenceImager(
        birth_range=BIRTHS,
        pers_range=PERSISTENCES,
        pixel_size=PIXEL,
        weight="persistence",
        weight_params={"n": WEIGHT_POWER},
        kernel="gaussian",
        kernel_params={"sigma": [[SPREAD**2, 0.0], [0.0, SPREAD**2]]},
    )
    width, height = imager.resolution
    images = [imager.transform(diagram, skew=True).T for diagram in checked]
    return np.array(images).reshape(len(checked), height, width)
