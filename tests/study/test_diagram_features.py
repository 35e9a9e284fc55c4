from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from topomod.study.diagram_features import (
    FEATURES,
    add_features,
    features_by_giotto,
    features_by_gudhi,
    group_features,
)
from topomod.study.tables import write_table

BARS = st.lists(st.tuples(st.floats(0, 1.4), st.floats(1e-3, 1.4)), min_size=1, max_size=12)


@pytest.mark.skipif(find_spec("gtda") is None, reason="giotto-tda comes with topomod[pipeline], up to Python 3.12")
@given(st.lists(BARS, min_size=1, max_size=5))
def test_gudhi_gives_what_giotto_gives(bars: list[list[tuple[float, float]]]) -> None:
    diagrams = [np.array([(birth, birth + length) for birth, length in diagram]) for diagram in bars]
    assert np.allclose(features_by_gudhi(diagrams), features_by_giotto(diagrams), rtol=1e-9, atol=1e-9)


def table(diagrams: dict[tuple[int, int], list[tuple[float, float]]]) -> pd.DataFrame:
    """Bars of H1 at the logits, by seed and frequency."""
    rows = [
        {"architecture": "mlp_add", "seed": seed, "step": 1, "frequency": f, "site": "logits", "dimension": 1}
        | {"birth": birth, "death": death}
        for (seed, f), bars in diagrams.items()
        for birth, death in bars
    ]
    return pd.DataFrame(rows)


def test_features_have_their_closed_forms() -> None:
    found = group_features(table({(0, 1): [(0.1, 0.5)], (1, 1): [(0.0, 0.3), (0.2, 0.5)]}))
    assert np.allclose(found["h1_entropy"], [0.0, 1.0], atol=1e-6)  # bits; two equal bars
    # 2-Wasserstein to the diagonal, ground metric L-infinity: half the lengths
    assert np.allclose(found["h1_wasserstein"], [0.2, np.sqrt(2) * 0.15], atol=1e-6)
    # squares of the Betti curve: 1 on .4; 1, 2, 1 on .2, .1, .2
    assert np.allclose(found["h1_betti"] / found["h1_betti"][0], [1, np.sqrt((0.2 + 4 * 0.1 + 0.2) / 0.4)], rtol=0.06)


def test_a_circuit_has_the_same_features_in_any_shard() -> None:
    one, both = {(0, 1): [(0.1, 0.5), (0.2, 0.3)]}, {(0, 1): [(0.1, 0.5), (0.2, 0.3)], (1, 1): [(0.0, 1.4)] * 5}
    alone, together = (group_features(table(diagrams)).iloc[0] for diagrams in (one, both))
    assert np.allclose(alone[list(FEATURES)].astype(float), together[list(FEATURES)].astype(float))


def test_groups_without_a_bar_have_zero(tmp_path: Path) -> None:
    write_table(table({(0, 1): [(0.1, 0.5)]}), tmp_path / "diagrams.parquet")
    keys = {"architecture": "mlp_add", "step": 1, "frequency": 1, "site": "logits", "label": "disc"}
    homology = pd.DataFrame([keys | {"seed": 0}, keys | {"seed": 1}])
    found = add_features(homology, [tmp_path / "diagrams.parquet"])
    assert found["h1_wasserstein"].tolist() == pytest.approx([0.2, 0.0])
    assert add_features(pd.DataFrame(columns=["architecture"]), []).empty
