"""How often clouds of a kind were labelled rightly, told before anyone measures one."""

import pytest

from topomod.topology.detectable import detectable
from topomod.topology.shapes import ALL_FREE_SHAPES, ALL_GROUP_SHAPES


@pytest.mark.parametrize("shape", sorted(ALL_FREE_SHAPES | ALL_GROUP_SHAPES))
def test_every_shape_was_measured(shape: str) -> None:
    found = detectable(3000, 20, 0.05, shape)
    assert found.n_clouds >= 8
    assert 0 <= found.low <= found.right <= found.high <= 1
    assert found.right + found.uncertain <= 1 + 1e-12
    assert found.points[0] <= found.points[1] and found.noise[0] <= found.noise[1]


def test_many_points_without_noise_are_labelled_rightly_more_often_than_few_with_noise() -> None:
    clear, poor = detectable(4000, 10, 0.0, "torus"), detectable(60, 10, 0.2, "torus")
    assert clear.right > poor.right
    assert poor.points[0] < clear.points[0] and poor.noise[1] > clear.noise[0]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((5, 10, 0.0, "circle"), "n must be a number from 10"),
        ((1000, 1, 0.0, "circle"), "dimension must be"),
        ((1000, 10, -0.1, "circle"), "noise must be"),
        ((1000, 10, float("nan"), "circle"), "noise must be"),
        ((1000, 10, 0.0, "cube"), "shape must be one of"),
    ],
)
def test_what_was_not_measured_is_refused_by_name(arguments: tuple, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        detectable(*arguments)
