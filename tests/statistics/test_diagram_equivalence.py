import numpy as np
import persim
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topomod.statistics.diagram_equivalence import METRICS, diagram_distances, diagram_equivalence_test, diagram_kernel

WIDTHS = (0.125, 0.25, 0.5, 1.0)
bars = st.lists(st.tuples(st.floats(0, 1), st.floats(0.01, 1)), min_size=0, max_size=6).map(
    lambda pairs: np.array([(birth, birth + length) for birth, length in pairs]).reshape(-1, 2)
)


def population(n: int, long: float, rng: np.random.Generator) -> list[np.ndarray]:
    """One bar each, near 0.35 or, in a share ``long``, near 0.9; and noise bars."""
    deaths = np.where(rng.random(n) < long, 0.9, 0.35) + 0.03 * rng.standard_normal(n)
    return [np.array([[0.1, death], [0.1, 0.12], [0.15, 0.16]]) for death in deaths]


@given(first=bars, second=bars)
@settings(max_examples=30, deadline=None)
def test_sliced_distance_agrees_with_persim(first: np.ndarray, second: np.ndarray) -> None:
    ours = diagram_distances([first, second])[0, 1]
    if len(first) == 0 or len(second) == 0:
        return
    theirs = persim.sliced_wasserstein(first, second, M=200)
    assert ours == pytest.approx(theirs, rel=0.1, abs=0.05)


@pytest.mark.parametrize("metric", METRICS)
@given(diagrams=st.lists(bars, min_size=3, max_size=5))
@settings(max_examples=20, deadline=None)
def test_distances_are_a_metric(metric: str, diagrams: list[np.ndarray]) -> None:
    distances = diagram_distances(diagrams, metric)
    assert np.allclose(distances, distances.T) and np.allclose(np.diag(distances), 0)
    through = (distances[:, :, None] + distances[None]).min(axis=1)
    assert (distances <= through + 0.02 * (1 + distances)).all()  # hera is exact to 1 %


def test_one_bar_against_none_and_against_a_longer_one() -> None:
    short, long, none = np.array([[0.0, 0.4]]), np.array([[0.0, 1.0]]), np.zeros((0, 2))
    assert diagram_distances([short, none], "bottleneck")[0, 1] == pytest.approx(0.2)
    assert diagram_distances([short, long], "wasserstein")[0, 1] == pytest.approx(0.6, rel=0.02)
    # a bar of length l is l / sqrt(2) |cos(angle to the normal)| from its shadow: 2 / pi of it on average
    both = 2 / np.pi * 0.4 / np.sqrt(2)
    assert diagram_distances([short, none])[0, 1] == pytest.approx(both, rel=0.03)


def test_the_sliced_kernel_is_positive_and_the_share_of_others_is_told() -> None:
    diagrams = population(20, 0.5, np.random.default_rng(0))
    assert diagram_kernel(diagram_distances(diagrams), WIDTHS)[2] == 0
    kernel, used, share = diagram_kernel(diagram_distances(diagrams, "bottleneck"), None)
    assert len(used) == 4 and 0 <= share < 0.05
    assert np.linalg.eigvalsh(kernel).min() > -1e-9


@pytest.mark.parametrize("metric", METRICS)
def test_equal_populations_are_equivalent_and_others_different(metric: str) -> None:
    rng = np.random.default_rng(1)
    same, again, other = (population(40, share, rng) for share in (0.1, 0.1, 0.9))
    alike = diagram_equivalence_test(same, again, 0.4, metric=metric, bandwidths=WIDTHS)
    assert alike.verdict == "equivalent" and alike.n_x == 40
    apart = diagram_equivalence_test(same, other, 0.4, metric=metric, bandwidths=WIDTHS)
    assert apart.verdict == "different" and apart.difference > 0.4
    assert apart.between > max(apart.within_x, apart.within_y)


def test_groups_of_one_network_are_one_network() -> None:
    rng = np.random.default_rng(2)
    x, y = population(12, 0.2, rng), population(12, 0.2, rng)
    once = diagram_equivalence_test(x, y, 0.3, bandwidths=WIDTHS)
    thrice = [diagram for diagram in x for _ in range(3)]
    again = diagram_equivalence_test(thrice, y, 0.3, clusters_x=np.repeat(np.arange(12), 3), bandwidths=WIDTHS)
    assert again.n_x == 12
    assert (again.ci_high, again.p_difference) == pytest.approx((once.ci_high, once.p_difference))
    assert again.between == pytest.approx(once.between)


def test_few_networks_are_inconclusive() -> None:
    rng = np.random.default_rng(3)
    result = diagram_equivalence_test(population(3, 0, rng), population(3, 0, rng), 0.05, bandwidths=WIDTHS)
    assert result.verdict == "inconclusive"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"metric": "chessboard"}, "metric is 'chessboard'; choose one of sliced wasserstein"),
        ({"margin": -1.0}, "margin is -1"),
        ({"alpha": 0.5}, "alpha is 0.5"),
        ({"clusters_x": [0, 1]}, r"clusters_x has shape \(2,\) but diagrams_x has 6 rows"),
        ({"bandwidths": (0.0,)}, "bandwidths are"),
        ({"diagrams_y": [np.array([[0.0, np.inf]])] * 5}, r"diagrams_y\[0\] has infinite deaths; leave out"),
        ({"diagrams_y": [np.zeros((0, 2))] * 2}, r"diagrams_y has 2 diagram\(s\); at least 3"),
    ],
)
def test_bad_input(changes: dict, message: str) -> None:
    rng = np.random.default_rng(4)
    arguments = {"diagrams_x": population(6, 0, rng), "diagrams_y": population(6, 0, rng), "margin": 0.1}
    with pytest.raises(ValueError, match=message):
        diagram_equivalence_test(**(arguments | changes))


def test_diagrams_that_coincide_give_no_bandwidth() -> None:
    with pytest.raises(ValueError, match="give bandwidths"):
        diagram_equivalence_test([np.zeros((0, 2))] * 5, [np.zeros((0, 2))] * 5, 0.1)
