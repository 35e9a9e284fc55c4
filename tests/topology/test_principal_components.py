"""Principal axes against the singular value decomposition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from topomod.topology.principal_components import principal_axes


@given(n=st.integers(1, 30), m=st.integers(1, 30), n_components=st.integers(1, 12), seed=st.integers(0, 999))
def test_axes_are_those_of_the_svd(n, m, n_components, seed):
    rng = np.random.default_rng(seed)
    # singular values a factor apart: equal ones have no axes of their own
    kept = min(n, m)
    left, right = (np.linalg.qr(rng.normal(size=(size, kept)))[0] for size in (n, m))
    singular = 0.7 ** np.arange(kept)
    values, axes = principal_axes((left * singular) @ right.T, n_components)
    count = min(n_components, kept)
    assert values.shape == (count,) and axes.shape == (m, count)
    assert values == pytest.approx(singular[:count] ** 2, abs=1e-12)
    assert np.abs(np.sum(axes * right[:, :count], axis=0)) == pytest.approx(1, abs=1e-6)
