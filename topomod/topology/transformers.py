"""Transformers of scikit-learn for pipelines: clouds to diagrams, diagrams to features, clouds to verdicts."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float, Shaped
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from topomod.topology.classify import classify_manifold
from topomod.topology.complexes import rips_diagrams
from topomod.topology.diagrams import Diagram, check_diagram
from topomod.topology.inputs import cloud_rows
from topomod.topology.persistence_images import BIRTHS, PERSISTENCES, PIXEL, persistence_images
from topomod.topology.scale import is_constant
from topomod.topology.verdict import ManifoldVerdict


def check_clouds(X: Any, name: str = "X") -> list[np.ndarray]:
    """Several point clouds as (n_points, n_features) arrays.

    Raises
    ------
    ValueError
        For one cloud in place of several, no cloud, and for entries that are no finite numbers.
    """
    wanted = f"{name} must be a sequence of clouds, each (n_points, n_features)"
    if isinstance(X, np.ndarray) and X.dtype != object and X.ndim != 3:
        raise ValueError(f"{wanted}; found an array of shape {X.shape}. One cloud is given as [cloud]")
    if isinstance(X, str | bytes) or not hasattr(X, "__len__"):
        raise ValueError(f"{wanted}; found {type(X).__name__}")
    if len(X) == 0:
        raise ValueError(f"{wanted}; found none")
    return [cloud_rows(cloud, f"{name}[{place}]") for place, cloud in enumerate(X)]


class _OfClouds(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """What the transformers share: nothing is learnt from the data but that they were checked."""

    def fit(self, X: Any, y: Any = None) -> Any:
        """Check the parameters and the input.

        Parameters
        ----------
        X : sequence
            As `transform` takes it.
        y : None
            Not used.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For a parameter or an input that cannot be used.
        """
        self._check(X)
        self.n_samples_fit_ = len(X)
        return self

    def _check(self, X: Any) -> None:
        check_clouds(X)

    def _more_tags(self) -> dict[str, Any]:
        return {"X_types": ["3darray"], "requires_fit": True, "no_validation": True}


class CloudsToDiagrams(_OfClouds):
    """Persistence diagrams of point clouds, by ripser; each cloud is first brought to unit root mean square radius.

    Parameters
    ----------
    maxdim : int
        Highest homology dimension.
    n_perm : int or None
        Landmarks of each cloud; None for all points.
    coeff : int
        Prime field of coefficients.
    seed : int
        Seed of the first landmark.

    Examples
    --------
    >>> turns = 2 * np.pi * np.arange(40) / 40
    >>> circle = np.column_stack([np.cos(turns), np.sin(turns)])
    >>> (diagrams,) = CloudsToDiagrams().fit_transform([circle])
    >>> len(diagrams), diagrams[1].shape
    (2, (1, 2))
    """

    def __init__(self, maxdim: int = 1, n_perm: int | None = 200, coeff: int = 2, seed: int = 0) -> None:
        self.maxdim = maxdim
        self.n_perm = n_perm
        self.coeff = coeff
        self.seed = seed

    def _check(self, X: Any) -> None:
        if self.maxdim < 0 or (self.n_perm is not None and self.n_perm < 2):
            raise ValueError(
                f"maxdim must be at least 0 and n_perm at least 2 or None, found {self.maxdim}, {self.n_perm}"
            )
        check_clouds(X)

    def transform(self, X: Any) -> list[tuple[Diagram, ...]]:
        """Diagrams of each cloud.

        Parameters
        ----------
        X : sequence of array_like
            (n_points, n_features) each, in any unit; clouds may differ in both.

        Returns
        -------
        list of tuple of ndarray
            For each cloud (n_pairs, 2) births and deaths for H0 to H``maxdim``, as radii in rms units. The bar of H0
            that never dies is kept.

        Raises
        ------
        ValueError
            As `fit`.
        """
        check_is_fitted(self)
        return [self._diagrams(cloud) for cloud in check_clouds(X)]

    def _diagrams(self, cloud: Float[np.ndarray, "n k"]) -> tuple[Diagram, ...]:
        centred = np.asarray(cloud, float) - np.mean(cloud, axis=0, dtype=float)
        if is_constant(centred):
            centred = np.zeros_like(centred)
        else:
            centred = centred / np.sqrt(np.mean(np.sum(centred**2, axis=1)))
        found = rips_diagrams(centred, self.maxdim, self.n_perm, self.coeff, self.seed)
        return tuple(diagram / 2 for diagram in found.diagrams)


class DiagramsToFeatures(_OfClouds):
    """Persistence images of diagrams as rows of numbers.

    Parameters
    ----------
    dimension : int
        Which homology dimension. The range of the images suits the loops (1) of clouds of unit rms radius.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> rng = np.random.default_rng(0)
    >>> clouds = [rng.normal(size=(50, 3)) for _ in range(3)]
    >>> make_pipeline(CloudsToDiagrams(), DiagramsToFeatures()).fit_transform(clouds).shape
    (3, 625)
    """

    def __init__(self, dimension: int = 1) -> None:
        self.dimension = dimension

    def _check(self, X: Any) -> None:
        if self.dimension < 0:
            raise ValueError(f"dimension must be at least 0, found {self.dimension}")
        self._finite(X)

    def _finite(self, X: Any) -> list[Diagram]:
        kept = []
        for place, diagrams in enumerate(X):
            if not len(diagrams) > self.dimension:
                raise ValueError(f"X[{place}] has {len(diagrams)} diagrams, and dimension is {self.dimension}")
            diagram = check_diagram(diagrams[self.dimension], f"X[{place}][{self.dimension}]")
            kept.append(diagram[np.isfinite(diagram[:, 1])])
        return kept

    def transform(self, X: Any) -> Float[np.ndarray, "n k"]:
        """One row of pixels for each cloud's diagrams.

        Parameters
        ----------
        X : sequence of sequence of array_like
            As `CloudsToDiagrams` returns them. Bars that never die are left out.

        Returns
        -------
        ndarray
            (n, 625), see :func:`topomod.topology.persistence_images.persistence_images`.

        Raises
        ------
        ValueError
            If the dimension is missing, and for arrays that are no diagrams.
        """
        check_is_fitted(self)
        images = persistence_images(self._finite(X))
        return np.asarray(images.reshape(len(images), -1), float)

    def get_feature_names_out(self, input_features: Any = None) -> Shaped[np.ndarray, " k"]:
        """Names of the columns: dimension, and birth and persistence at the corner of the pixel."""
        check_is_fitted(self)
        births, lengths = (np.arange(round((high - low) / PIXEL)) * PIXEL + low for low, high in (BIRTHS, PERSISTENCES))
        names = [f"h{self.dimension}_birth{b:.2f}_persistence{q:.2f}" for q in lengths for b in births]
        return np.array(names, dtype=object)


class CloudsToVerdicts(_OfClouds):
    """What each point cloud is, by :func:`topomod.classify_manifold`.

    Parameters
    ----------
    p : int or None
        Modulus, where rows are in the order of ``a * p + b``.
    seed : int
        Seed of the jitter and the subsamples.

    Examples
    --------
    >>> import topomod
    >>> disc = topomod.reference_manifold("disc", p=31, frequency=2)
    >>> CloudsToVerdicts(p=31).fit([disc]).predict([disc]).tolist()
    ['disc']
    """

    def __init__(self, p: int | None = None, seed: int = 0) -> None:
        self.p = p
        self.seed = seed

    def transform(self, X: Any) -> list[ManifoldVerdict]:
        """The verdict on each cloud, with its evidence.

        Parameters
        ----------
        X : sequence of array_like
            (n_points, n_features) each.

        Returns
        -------
        list of ManifoldVerdict

        Raises
        ------
        ValueError
            As :func:`topomod.classify_manifold`.
        """
        check_is_fitted(self)
        return [classify_manifold(cloud, self.p, self.seed) for cloud in check_clouds(X)]

    def predict(self, X: Any) -> Shaped[np.ndarray, " n"]:
        """The label of each cloud; parameters and errors as in `transform`."""
        return np.array([verdict.label for verdict in self.transform(X)])
