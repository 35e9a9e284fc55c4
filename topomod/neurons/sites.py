"""Point clouds of neuron groups, reference manifolds, and similarity between the two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from topomod.networks.circuit import Circuit
from topomod.neurons.groups import IrrepGroup, NeuronGroup
from topomod.tasks.spectra import spectrum

SITES = ("preactivations", "logits")  # of a study; the other two are looked at in single networks
ALL_SITES = ("preactivations", "activations", "logits", "readout")
SHAPES = ("disc", "circle", "torus")


@dataclass(frozen=True)
class Layer:
    """Arrays of one hidden layer of a circuit over Z_p x Z_p, computed once for all measurements.

    Parameters
    ----------
    preactivations, activations : ndarray
        (p, p, n_neurons), before and after the nonlinearity.
    readout : ndarray or None
        (p, n_neurons), linear map from activations to logits; None where another nonlinearity lies between.
    logits : ndarray
        (p, p, p), of the whole circuit.
    """

    preactivations: Float[np.ndarray, "p p m"]
    activations: Float[np.ndarray, "p p m"]
    readout: Float[np.ndarray, "p m"] | None
    logits: Float[np.ndarray, "p p p"]

    @property
    def sites(self) -> tuple[str, ...]:
        """The sites this layer has."""
        return ALL_SITES if self.readout is not None else ALL_SITES[:2]

    def cloud(self, group: NeuronGroup | IrrepGroup, site: str) -> Float[np.ndarray, "n k"]:
        """Point cloud of a group at a site, as :func:`manifold` describes it."""
        if site not in ALL_SITES:
            raise ValueError(f"unknown site {site!r}; known sites: {', '.join(ALL_SITES)}")
        if site == "preactivations":
            values = self.preactivations[:, :, group.neurons]
        elif site == "activations":
            values = self.activations[:, :, group.neurons]
        elif self.readout is None:
            raise ValueError(f"no {site}: the layer reaches the logits only through another nonlinearity")
        elif site == "logits":
            values = self.activations[:, :, group.neurons] @ self.readout[:, group.neurons].T
        elif isinstance(group, IrrepGroup):
            raise ValueError("no readout: which directions the logits read is known for frequencies, not for irreps")
        else:
            values = self.activations @ readout_directions(self.readout, group.frequency)
        return np.asarray(values.reshape(-1, values.shape[-1]))


def circuit_layers(circuit: Circuit) -> list[Layer]:
    """Run a circuit on all pairs; one :class:`Layer` per nonlinearity."""
    found = circuit.activations()
    logits = found.logits[0].numpy()
    return [
        Layer(pre[0].numpy(), post[0].numpy(), None if readout is None else readout[0].numpy(), logits)
        for pre, post, readout in zip(found.preactivations, found.activations, found.readouts, strict=True)
    ]


def readout_directions(readout: Float[np.ndarray, "p m"], frequency: int) -> Float[np.ndarray, "m 2"]:
    """Orthonormal basis of the two directions of a layer that the logits' cosine and sine at a frequency read.

    References
    ----------
    The question of what is left of a representation after projecting it on the read-out: reviews of
    arXiv 2512.25060.
    """
    angle = 2 * np.pi * frequency * np.arange(len(readout)) / len(readout)
    return np.asarray(np.linalg.qr(readout.T @ np.stack([np.cos(angle), np.sin(angle)], axis=1))[0])


def readout_orders(layer: Layer, frequencies: Sequence[int]) -> tuple[float, float, float]:
    """What the directions that the logits read hold, two for each key frequency.

    Parameters
    ----------
    layer : Layer
        With a read-out.
    frequencies : sequence of int
        Key frequencies.

    Returns
    -------
    first_order, second_order, variance : float
        Shares of the projected activations' variance in cosines of ``a`` or ``b`` alone, and in cosines of
        ``a + b``, at the key frequencies; share of the activations' variance that lies in those directions. NaN
        without frequencies or variance.

    Raises
    ------
    ValueError
        If the layer has no read-out.
    """
    if layer.readout is None:
        raise ValueError("the layer reaches the logits only through another nonlinearity")
    key = np.unique(np.asarray(frequencies, dtype=int))
    if not len(key):
        return float("nan"), float("nan"), float("nan")
    directions = np.linalg.svd(layer.readout, full_matrices=False)[2][: 2 * len(key)].T
    centred = layer.activations - layer.activations.mean(axis=(0, 1))
    power = np.sum(np.abs(spectrum((centred @ directions).astype(np.float64))) ** 2, axis=2)
    total = power.sum()
    if not total > 0:
        return float("nan"), float("nan"), float("nan")
    signed = np.unique(np.concatenate([key, -key]) % len(power))
    first = power[signed, 0].sum() + power[0, signed].sum()
    whole = np.mean(np.sum(centred.astype(np.float64) ** 2, axis=2))
    return float(first / total), float(power[signed, signed].sum() / total), float(total / whole)


def manifold(
    circuit: Circuit, group: NeuronGroup | IrrepGroup, site: str = "preactivations"
) -> Float[np.ndarray, "n k"]:
    """Point cloud of a group: one row per input pair, in the order of ``a * p + b``.

    Parameters
    ----------
    circuit : Circuit
        Where the group was found.
    group : NeuronGroup or IrrepGroup
        From :func:`topomod.group_neurons`, or of a power network from :func:`topomod.irrep_groups`.
    site : {"preactivations", "activations", "logits", "readout"}
        The group's neurons before or after the nonlinearity (n_features = its neurons); its contribution to the
        logits (n_features = p); all activations of its layer, projected on the two directions that the logits read
        at its frequency (n_features = 2).

    Returns
    -------
    ndarray
        (p * p, n_features).

    Raises
    ------
    ValueError
        If the site is not known, the layer reaches the logits only through another nonlinearity, or the read-out of
        an irrep is asked for.
    """
    return circuit_layers(circuit)[group.layer].cloud(group, site)


def reference_manifold(shape: str, p: int, frequency: int = 1, phase: float = 0.0) -> Float[np.ndarray, "n k"]:
    """Coordinates of an ideal disc, circle or torus, rows in the order of ``a * p + b``.

    With ``t = 2 pi frequency / p``: the disc is ``exp(i t a) + exp(i (t b + phase))``, the circle
    ``exp(i (t (a + b) + phase))``, the torus ``(exp(i t a), exp(i (t b + phase)))``.

    Parameters
    ----------
    shape : {"disc", "circle", "torus"}
        Which one.
    p : int
        Modulus.
    frequency : int
        Cycles per p steps.
    phase : float
        Shift of b against a, radians.

    Returns
    -------
    ndarray
        (p * p, 2), or (p * p, 4) for the torus.

    Raises
    ------
    ValueError
        If the shape is not known.

    References
    ----------
    arXiv 2512.25060.

    Examples
    --------
    >>> reference_manifold("torus", p=5).shape
    (25, 4)
    """
    angle = 2 * np.pi * frequency * np.arange(p) / p
    a, b = (grid.ravel() for grid in np.meshgrid(angle, angle + phase, indexing="ij"))
    if shape == "disc":
        return np.stack([np.cos(a) + np.cos(b), np.sin(a) + np.sin(b)], axis=1)
    if shape == "circle":
        return np.stack([np.cos(a + b), np.sin(a + b)], axis=1)
    if shape == "torus":
        return np.stack([np.cos(a), np.sin(a), np.cos(b), np.sin(b)], axis=1)
    raise ValueError(f"unknown shape {shape!r}; known shapes: {', '.join(SHAPES)}")


@dataclass(frozen=True)
class _Moments:
    """What similarities need of a cloud: centred rows, their squared lengths, squared norm of ``rows.T @ rows``."""

    rows: Float[np.ndarray, "n k"]
    lengths: Float[np.ndarray, " n"]
    gram: float


def _moments(X: np.ndarray) -> _Moments:
    X = np.atleast_2d(np.asarray(X, np.float64))
    X = X - X.mean(0)
    return _Moments(X, np.einsum("nk,nk->n", X, X), float(np.linalg.norm(X.T @ X) ** 2))


def _cross(X: _Moments, Y: _Moments) -> float:
    if len(X.rows) != len(Y.rows):
        raise ValueError(f"point clouds must have the same rows, found {X.rows.shape} and {Y.rows.shape}")
    return float(np.linalg.norm(Y.rows.T @ X.rows) ** 2)


def _cka(X: _Moments, Y: _Moments) -> float:
    cross, norm = _cross(X, Y), np.sqrt(X.gram * Y.gram)
    return float(cross / norm) if norm > 0 else float("nan")


def _rsm(X: _Moments, Y: _Moments) -> float:
    n = len(X.rows)
    n_pairs = n * (n - 1)

    def mean_product(U: _Moments, V: _Moments, cross: float) -> float:
        return float(2 * (n * U.lengths @ V.lengths + U.lengths.sum() * V.lengths.sum() + 2 * cross) / n_pairs)

    mean_x, mean_y = (2 * n * U.lengths.sum() / n_pairs for U in (X, Y))
    variance = (mean_product(X, X, X.gram) - mean_x**2) * (mean_product(Y, Y, Y.gram) - mean_y**2)
    covariance = mean_product(X, Y, _cross(X, Y)) - mean_x * mean_y
    return float(covariance / np.sqrt(variance)) if variance > 0 else float("nan")


def similarities(X: np.ndarray, references: Mapping[str, np.ndarray]) -> dict[str, tuple[float, float]]:
    """:func:`linear_cka` and :func:`rsm_similarity` of one cloud to several, by name; its moments are taken once."""
    x = _moments(X)
    others = {name: _moments(Y) for name, Y in references.items()}
    return {name: (_cka(x, y), _rsm(x, y)) for name, y in others.items()}


def linear_cka(X: np.ndarray, Y: np.ndarray) -> float:
    """Linear centred kernel alignment between two clouds of the same points, in [0, 1].

    Parameters
    ----------
    X, Y : ndarray
        (n_points, n_features), rows in the same order; NaN comes back for a constant cloud.

    Raises
    ------
    ValueError
        If the numbers of rows differ.

    References
    ----------
    Kornblith et al., arXiv 1905.00414.

    Examples
    --------
    >>> disc, torus = reference_manifold("disc", 59), reference_manifold("torus", 59)
    >>> round(linear_cka(disc, torus), 12)
    0.707106781187
    """
    return _cka(_moments(X), _moments(Y))


def rsm_similarity(X: np.ndarray, Y: np.ndarray) -> float:
    """Pearson correlation between the squared-distance matrices of two clouds over all pairs of points.

    Computed from row norms and cross products, exactly and without the n x n matrices.

    Parameters
    ----------
    X, Y : ndarray
        (n_points, n_features), rows in the same order; NaN comes back where all distances are equal.

    Raises
    ------
    ValueError
        If the numbers of rows differ.

    References
    ----------
    Kriegeskorte et al. 2008, doi 10.3389/neuro.06.004.2008. The value .578 that arXiv 2512.25060 prints for
    torus against disc fixes the dissimilarity as a distance, not a dot product.

    Examples
    --------
    >>> round(rsm_similarity(reference_manifold("disc", 59), reference_manifold("torus", 59)), 4)
    0.5771
    """
    return _rsm(_moments(X), _moments(Y))


def top_variance(X: Float[np.ndarray, "n k"], n_components: int) -> float:
    """Share of the variance in the first principal components."""
    X = np.asarray(X, np.float64) - np.mean(X, 0, dtype=np.float64)
    eigenvalues = np.linalg.eigvalsh(X.T @ X)[::-1]
    total = eigenvalues.sum()
    return float(eigenvalues[:n_components].sum() / total) if total > 0 else float("nan")
