"""Transformers of scikit-learn: its own checks where they apply, pipelines, and invariances of what they compute."""

from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_checks

import topomod
from topomod.topology.diagrams import diagram_distance

TRANSFORMERS = [topomod.CloudsToDiagrams(), topomod.DiagramsToFeatures(), topomod.CloudsToVerdicts()]
# Checks of scikit-learn that do not feed a matrix of samples and features: clouds are no such matrix.
CHECKS = [
    "check_no_attributes_set_in_init",
    "check_parameters_default_constructible",
    "check_get_params_invariance",
    "check_set_params",
]


def clouds(n: int = 6, seed: int = 0) -> tuple[list[np.ndarray], list[str]]:
    """Noisy circles and discs in turn, of several sizes and units."""
    rng = np.random.default_rng(seed)
    out = []
    for place in range(n):
        turns, size = rng.uniform(0, 2 * np.pi, 60 + place), 10.0 ** rng.uniform(-3, 3)
        radius = 1 if place % 2 else np.sqrt(rng.uniform(size=len(turns)))
        out.append(size * np.column_stack([radius * np.cos(turns), radius * np.sin(turns)]))
    return out, ["circle" if place % 2 else "disc" for place in range(n)]


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("check", CHECKS)
def test_checks_of_scikit_learn(transformer: Any, check: str) -> None:
    getattr(estimator_checks, check)(type(transformer).__name__, clone(transformer))


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=lambda one: type(one).__name__)
def test_parameters_survive_a_clone_and_fit_is_needed(transformer: Any) -> None:
    changed = clone(transformer).set_params(**dict.fromkeys(list(transformer.get_params())[:1], 3))
    assert clone(changed).get_params() == changed.get_params() != transformer.get_params()
    with pytest.raises(NotFittedError):
        transformer.transform([np.zeros((5, 2))])


def test_a_pipeline_tells_circles_from_discs() -> None:
    model = make_pipeline(topomod.CloudsToDiagrams(), topomod.DiagramsToFeatures(), KNeighborsClassifier(3))
    model.fit(*clouds(20))
    held_out, labels = clouds(10, seed=1)
    assert model.predict(held_out).tolist() == labels
    assert len(model[1].get_feature_names_out()) == 625


def test_diagrams_do_not_depend_on_unit_and_rotation() -> None:
    (cloud, *_), _ = clouds()
    turned = 1e3 * cloud @ np.array([[0.6, -0.8], [0.8, 0.6]]) + 5
    (first,), (second,) = (topomod.CloudsToDiagrams().fit_transform([one]) for one in (cloud, turned))
    for one, two in zip(first, second, strict=True):
        assert diagram_distance(one, two, infinite="match") < 1e-5


def test_features_do_not_depend_on_the_other_clouds() -> None:
    many, _ = clouds()
    steps = make_pipeline(topomod.CloudsToDiagrams(), topomod.DiagramsToFeatures())
    assert steps.fit_transform(many)[2] == pytest.approx(steps.fit_transform([many[2]])[0])


def test_verdicts_are_those_of_classify_manifold() -> None:
    discs = [topomod.reference_manifold("disc", p=31, frequency=f) for f in (1, 2)]
    verdicts = topomod.CloudsToVerdicts(p=31).fit_transform(discs)
    assert [v.label for v in verdicts] == [topomod.classify_manifold(X, p=31).label for X in discs] == ["disc"] * 2
    assert topomod.CloudsToVerdicts(p=31).fit(discs).predict(discs).tolist() == ["disc"] * 2


@pytest.mark.parametrize(
    ("transformer", "X", "sentence"),
    [
        (topomod.CloudsToDiagrams(), np.zeros((5, 2)), r"found an array of shape \(5, 2\). One cloud is given as"),
        (topomod.CloudsToDiagrams(), [], "found none"),
        (topomod.CloudsToDiagrams(), 3, "found int"),
        (topomod.CloudsToDiagrams(), [np.full((5, 2), np.nan)], r"X\[0\] must be finite"),
        (topomod.CloudsToDiagrams(maxdim=-1), [np.zeros((5, 2))], "maxdim must be at least 0"),
        (topomod.DiagramsToFeatures(), [[np.zeros((0, 2))]], r"X\[0\] has 1 diagrams, and dimension is 1"),
        (topomod.DiagramsToFeatures(-1), [[np.zeros((0, 2))]], "dimension must be at least 0, found -1"),
        (topomod.CloudsToVerdicts(), "cloud", "found str"),
    ],
)
def test_bad_input_gets_one_sentence(transformer: Any, X: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        transformer.fit(X)


def test_a_constant_cloud_has_one_bar_that_never_dies() -> None:
    ((zero, one),) = topomod.CloudsToDiagrams().fit_transform([np.ones((5, 2))])
    assert np.isinf(zero).sum() == 1 and len(one) == 0
