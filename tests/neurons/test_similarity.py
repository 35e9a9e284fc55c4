"""Similarities in any unit, of constant clouds, with few points, and of what is no cloud."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topomod.neurons.similarity import linear_cka, rsm_similarity, similarities, top_variance

rng = np.random.default_rng(0)
X = rng.normal(size=(50, 3)).astype(np.float32).astype(float)
Y = (rng.normal(size=(50, 5)) + 0.8 * X[:, :1]).astype(np.float32).astype(float)


def debiased_cka(X: object, Y: object) -> float:
    return linear_cka(X, Y, debiased=True)


def first_variance(X: np.ndarray, _Y: np.ndarray) -> float:
    return top_variance(X, 1)


MEASURES = (linear_cka, debiased_cka, rsm_similarity, first_variance)
Measure = Callable[[np.ndarray, np.ndarray], float]


@pytest.mark.parametrize("measure", MEASURES)
@settings(max_examples=30)
@given(x=st.integers(-980, 1020), y=st.integers(-980, 1020))
def test_powers_of_two_change_nothing(measure: Measure, x: int, y: int) -> None:
    assert measure(np.ldexp(X, x), np.ldexp(Y, y)) == measure(X, Y)


@pytest.mark.parametrize("measure", MEASURES)
@settings(max_examples=30)
@given(x=st.integers(-300, 300), y=st.integers(-300, 300))
def test_any_unit_gives_one_value(measure: Measure, x: int, y: int) -> None:
    assert measure(X * 10.0**x, Y * 10.0**y) == pytest.approx(measure(X, Y), rel=1e-9)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("size", [1e-38, 1e-30, 1e30, 1e38])
def test_single_precision_has_its_whole_range(measure: Measure, size: float) -> None:
    small = (X * size / np.abs(X).max()).astype(np.float32)
    assert measure(small, Y.astype(np.float32)) == pytest.approx(measure(X, Y), rel=1e-5)


@pytest.mark.parametrize("measure", MEASURES)
def test_small_features_count_as_little_as_their_squares(measure: Measure) -> None:
    mixed = np.column_stack([X, 1e-200 * rng.normal(size=(50, 2))])
    assert measure(mixed, Y) == pytest.approx(measure(X, Y), rel=1e-12)
    assert measure(1e200 * mixed, Y) == pytest.approx(measure(X, Y), rel=1e-12)


@pytest.mark.parametrize("measure", [linear_cka, debiased_cka, rsm_similarity])
@settings(max_examples=30)
@given(
    value=st.floats(-1e300, 1e300),
    other=st.floats(-1e300, 1e300),
    dtype=st.sampled_from([np.float32, np.float64]),
    n=st.integers(4, 60),
)
def test_constant_clouds_have_no_similarity(measure: Measure, value: float, other: float, dtype: type, n: int) -> None:
    with np.errstate(over="ignore"):
        flat = np.nan_to_num(np.full((n, 3), value).astype(dtype), posinf=1, neginf=1)
    assert np.isnan(measure(flat, np.full((n, 2), other)))
    assert np.isnan(measure(flat, rng.normal(size=(n, 4)))) and np.isnan(measure(rng.normal(size=(n, 4)), flat))
    assert np.isnan(top_variance(flat, 1))


def test_constants_whose_mean_is_rounded_have_no_similarity() -> None:
    assert np.isnan(linear_cka(np.full((50, 3), 0.1), np.full((50, 2), 0.17)))
    assert np.isnan(rsm_similarity(np.full((50, 3), 0.1), np.full((50, 2), 0.17)))


@pytest.mark.parametrize("n", [4, 10, 40])
def test_equal_distances_have_no_correlation(n: int) -> None:
    rotation = np.linalg.qr(rng.normal(size=(n, n)))[0]
    simplex = np.eye(n) @ rotation + rng.normal(size=n)
    assert np.isnan(rsm_similarity(simplex, rng.normal(size=(n, 3))))
    assert np.isnan(linear_cka(simplex, rng.normal(size=(n, 3)), debiased=True))


def test_a_vector_is_one_column() -> None:
    assert linear_cka(X[:, 0], Y[:, 0]) == pytest.approx(np.corrcoef(X[:, 0], Y[:, 0])[0, 1] ** 2)
    assert rsm_similarity(X[:, 0], Y) == rsm_similarity(X[:, :1], Y)
    assert top_variance(X[:, 0], 2) == pytest.approx(1)
    assert linear_cka(X.tolist(), np.ma.array(Y)) == linear_cka(X, Y)


def hsic(K: np.ndarray, L: np.ndarray) -> float:
    """Unbiased estimate as Song et al. 2012 write it, equation 5."""
    n, ones = len(K), np.ones(len(K))
    K, L = K - np.diag(np.diag(K)), L - np.diag(np.diag(L))
    products = np.trace(K @ L) + (ones @ K @ ones) * (ones @ L @ ones) / ((n - 1) * (n - 2))
    return float(products - 2 * (ones @ K @ L @ ones) / (n - 2)) / (n * (n - 3))


@given(seed=st.integers(0, 10**6), n=st.integers(5, 30), shift=st.floats(-10, 10))
@settings(max_examples=30)
def test_debiased_cka_is_that_of_the_kernels(seed: int, n: int, shift: float) -> None:
    rng = np.random.default_rng(seed)
    X, Y = rng.normal(size=(n, 6)), rng.normal(size=(n, 3))
    Y[:, 0] += X[:, 0]
    K, L = X @ X.T, Y @ Y.T
    own = hsic(K, K), hsic(L, L)
    wanted = hsic(K, L) / np.sqrt(own[0] * own[1]) if min(own) > 0 else np.nan
    found = linear_cka(X + shift, Y, debiased=True)
    assert found == pytest.approx(wanted, rel=1e-6, abs=1e-6, nan_ok=True)


def test_few_points_bias_cka_and_not_its_debiased_estimate() -> None:
    pairs = [rng.normal(size=(2, 10, 1000)) for _ in range(40)]
    assert np.mean([linear_cka(*pair) for pair in pairs]) > 0.98
    debiased = [linear_cka(*pair, debiased=True) for pair in pairs]
    assert abs(np.mean(debiased)) < 4 * np.std(debiased) / np.sqrt(40)
    cloud = pairs[0][0]
    assert linear_cka(cloud, 3 * cloud + 1, debiased=True) == pytest.approx(1)
    with pytest.raises(ValueError, match="at least 4 points, found 3"):
        linear_cka(np.eye(3), np.eye(3), debiased=True)


hidden = np.ma.array(X, mask=np.arange(150).reshape(50, 3) == 7)
BAD = {
    "a mask": (hidden, "has 1 masked value"),
    "a list of masked rows": (list(hidden), "has 1 masked value"),
    "NaN": (np.where(np.eye(50, 3), np.nan, X), "must be finite, found 3 NaN or infinite entries"),
    "infinity": (np.full((50, 3), np.inf), "must be finite, found 150 NaN or infinite entries"),
    "complex numbers": (X + 0j, "must hold real numbers, found dtype complex128"),
    "objects": (X.astype(object), "must hold real numbers, found dtype object"),
    "text": (X.astype(str), "must hold real numbers, found dtype <U"),
    "a grid": (X[:49].reshape(7, 7, 3), r"found shape \(7, 7, 3\); reshape it to \(49, 3\)"),
    "four axes": (np.ones((2, 2, 2, 2)), r"found shape \(2, 2, 2, 2\)$"),
    "a number": (np.array(1.0), r"found shape \(\)$"),
    "no points": (np.zeros((0, 3)), r"found shape \(0, 3\)$"),
    "no features": (np.zeros((50, 0)), r"found shape \(50, 0\)$"),
    "rows of two lengths": ([[1.0, 2.0], [3.0]], "of type list cannot be read as an array"),
}


@pytest.mark.parametrize("measure", [linear_cka, debiased_cka, rsm_similarity])
@pytest.mark.parametrize("name", ["X", "Y"])
@pytest.mark.parametrize(("bad", "match"), BAD.values(), ids=BAD)
def test_what_is_no_cloud_is_refused_by_name(measure: Measure, name: str, bad: object, match: str) -> None:
    with pytest.raises(ValueError, match=f"^{name} .*{match}") as caught:
        measure(**({"X": X, "Y": Y} | {name: bad}))
    assert "\n" not in str(caught.value)


def test_references_are_refused_by_their_names() -> None:
    assert similarities(X, {"own": X})["own"] == pytest.approx((1, 1))
    with pytest.raises(ValueError, match="^disc must be finite"):
        similarities(X, {"disc": X * np.nan})
    with pytest.raises(ValueError, match="same rows"):
        rsm_similarity(X, Y[1:])
