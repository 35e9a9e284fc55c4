"""Every training pair is in one batch, then all are shuffled again."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from topomod.training.batches import Batch, Batches


def dense(batch: Batch, p: int) -> np.ndarray:
    shares = np.zeros((p, p))
    shares[batch.a, batch.b] = batch.shares
    return shares


@given(p=st.integers(4, 12), n_batches=st.integers(1, 4), symmetric=st.booleans(), seed=st.integers(0, 99))
def test_batches_hold_every_training_pair_once(p: int, n_batches: int, symmetric: bool, seed: int) -> None:
    mask = np.random.default_rng(seed).random((p, p)) < 0.8
    mask[0, :n_batches] = True
    in_order = Batches(mask, symmetric, n_batches, np.random.default_rng(seed))
    batches = [in_order.next() for _ in range(n_batches)]
    counts = sum(dense(batch, p) > 0 for batch in batches)
    trained = np.triu(mask | mask.T) if symmetric else mask
    assert np.array_equal(counts, trained)
    sizes = [len(batch.a) for batch in batches]
    assert max(sizes) - min(sizes) <= 1
    for batch in batches:
        assert batch.shares.sum() == pytest.approx(1)
        assert np.all(np.diff(batch.a) >= 0)


def test_a_pair_trained_on_in_both_orders_counts_twice() -> None:
    mask = np.array([[True, True, False], [True, True, True], [False, False, False]])
    shares = dense(Batches(mask, True, 1, np.random.default_rng(0)).next(), 3)
    assert np.allclose(shares, np.array([[1, 2, 0], [0, 1, 1], [0, 0, 0]]) / 5)


def test_each_shuffle_is_another_and_decided_by_the_generator() -> None:
    mask = np.ones((7, 7), dtype=bool)
    first, again = (Batches(mask, False, 2, np.random.default_rng(3)) for _ in range(2))
    seen = [dense(first.next(), 7) > 0 for _ in range(4)]
    assert np.array_equal(seen[0], ~seen[1]) and not np.array_equal(seen[0], seen[2])
    assert all(np.array_equal(batch, dense(again.next(), 7) > 0) for batch in seen)


def test_more_batches_than_pairs_are_refused() -> None:
    with pytest.raises(ValueError, match=r"batches must be in 1\.\.2, .* found 3"):
        Batches(np.eye(2, dtype=bool), False, 3, np.random.default_rng(0))
