"""Persistence images against the integrals that define them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from topomod.topology.classify import classify_manifold
from topomod.topology.persistence_images import BIRTHS, PERSISTENCES, PIXEL, SPREAD, persistence_images

lengths = st.floats(0, 1.4)
diagrams = st.lists(st.tuples(lengths, lengths), max_size=5).map(
    lambda pairs: np.array([(birth, birth + length) for birth, length in pairs]).reshape(-1, 2)
)


def defined(diagram: np.ndarray) -> np.ndarray:
    rows = np.linspace(*PERSISTENCES, round(PERSISTENCES[1] / PIXEL) + 1)
    columns = np.linspace(*BIRTHS, round((BIRTHS[1] - BIRTHS[0]) / PIXEL) + 1)
    image = np.zeros((len(rows) - 1, len(columns) - 1))
    for birth, death in diagram:
        across = np.diff(norm.cdf(columns, birth, SPREAD))
        image += (death - birth) * np.outer(np.diff(norm.cdf(rows, death - birth, SPREAD)), across)
    return image


@settings(max_examples=50)
@given(sample=st.lists(diagrams, max_size=4))
def test_images_are_the_same_integrals_in_any_sample(sample):
    images = persistence_images(sample)
    assert images.shape == (len(sample), 25, 25)
    for image, diagram in zip(images, sample, strict=True):
        np.testing.assert_allclose(image, defined(diagram), atol=1e-12)
        np.testing.assert_array_equal(image, persistence_images([diagram])[0])


def test_an_empty_diagram_gives_zeros():
    assert not persistence_images([[], np.zeros((0, 2))]).any()


@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e3])
def test_the_loop_of_a_circle_is_inside_the_image(unit):
    angle = 2 * np.pi * np.arange(200) / 200
    verdict = classify_manifold(unit * np.column_stack([np.cos(angle), np.sin(angle)]))
    bars = verdict.diagrams[1]
    image = persistence_images([bars])[0]
    assert image.sum() == pytest.approx(np.ptp(bars, axis=1).sum(), rel=1e-3)
    row, column = np.unravel_index(image.argmax(), image.shape)
    birth, death = bars[np.ptp(bars, axis=1).argmax()]
    assert (row * PIXEL, BIRTHS[0] + column * PIXEL) == pytest.approx((death - birth, birth), abs=PIXEL)
