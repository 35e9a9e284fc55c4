"""Estimate, permutation test and confidence bound of the distance between two mean embeddings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import linalg

from topomod.statistics.resampling import count_p, resampled_counts

N_RESAMPLES = 4999


@dataclass(frozen=True)
class Comparison:
    """Mean kernels between networks, those of x first: inner products of their mean embeddings."""

    kernel: Float[np.ndarray, "n n"]
    n_x: int
    bandwidths: tuple[float, ...]

    @property
    def n_y(self) -> int:
        """Number of networks of y."""
        return len(self.kernel) - self.n_x


def unbiased_squared_mmd(
    kernel: Float[np.ndarray, "n n"], memberships: Float[np.ndarray, "b n"]
) -> Float[np.ndarray, " b"]:
    """Unbiased squared MMD for each assignment of the networks to x (1) and y (0)."""
    n_x = memberships.sum(axis=1)
    n_y = memberships.shape[1] - n_x
    between = kernel - np.diag(np.diag(kernel))
    towards_x = memberships @ between
    total = between.sum()
    within_x = (towards_x * memberships).sum(axis=1)
    across = towards_x.sum(axis=1) - within_x
    within_y = total - within_x - 2 * across
    squared: Float[np.ndarray, " b"] = (
        within_x / (n_x * (n_x - 1)) + within_y / (n_y * (n_y - 1)) - 2 * across / (n_x * n_y)
    )
    return squared


def observed_squared_mmd(comparison: Comparison) -> float:
    """Unbiased squared MMD of the comparison as it stands."""
    membership = np.zeros((1, len(comparison.kernel)))
    membership[0, : comparison.n_x] = 1
    return float(unbiased_squared_mmd(comparison.kernel, membership)[0])


def random_memberships(n: int, n_x: int, n_draws: int, rng: np.random.Generator) -> Float[np.ndarray, "b n"]:
    """Random assignments of n networks, n_x of them to x (1)."""
    first = np.tile(np.arange(n) < n_x, (n_draws, 1))
    return rng.permuted(first, axis=1).astype(float)


def permutation_p(comparison: Comparison, rng: np.random.Generator) -> float:
    """P-value of the squared MMD among random assignments of the networks to x and y."""
    memberships = random_memberships(len(comparison.kernel), comparison.n_x, N_RESAMPLES, rng)
    permuted = unbiased_squared_mmd(comparison.kernel, memberships)
    # With few networks many assignments tie with the observed one; rounding must not make them count as smaller.
    observed = observed_squared_mmd(comparison) - 1e-12
    return float(count_p(int((permuted >= observed).sum()), N_RESAMPLES))


def bound_draws(comparison: Comparison, rng: np.random.Generator) -> Float[np.ndarray, " b"]:
    """Confidence draws of the MMD, from bootstrap errors of the mean embeddings.

    The MMD is the length of d = mu_x - mu_y. If its true length is m and its direction is u (see `_direction`), an
    estimate with error e has the unbiased square m^2 + 2 m <u, e> + |e|^2 - E|e|^2. Each draw of e gives the
    largest m for which this is the observed square. The upper quantile of these m is the bound. Errors are resampled
    over networks, and scaled for the variance that resampling n networks loses. Along u they are studentised
    (bootstrap-t), because the spread along u is underestimated when some kinds of networks are rare. Resamples without
    spread along u count against equivalence.

    A kind of network that a sample does not show cannot be bounded from that sample.

    Raises
    ------
    ValueError
        If the networks of each sample are identical.
    """
    kernel, n_x, n_y = comparison.kernel, comparison.n_x, comparison.n_y
    mean = np.concatenate([np.full(n_x, 1 / n_x), np.full(n_y, -1 / n_y)])
    spread_x, spread_y = _squared_error(kernel[:n_x, :n_x]), _squared_error(kernel[n_x:, n_x:])
    spread = spread_x + spread_y
    if spread <= 1e-14:
        raise ValueError("the networks of X are all identical, and those of Y too; no bound can be put on what varies")
    counts_x, counts_y = (resampled_counts(n, N_RESAMPLES, rng) for n in (n_x, n_y))
    errors = np.concatenate([_errors(counts_x), -_errors(counts_y)], axis=1)
    projections = _direction(comparison, mean, spread)
    along = errors @ projections
    across_squared = ((errors @ kernel) * errors).sum(axis=1) - along**2
    studentised = along * _spread_ratio(projections[:n_x], projections[n_x:], counts_x, counts_y)
    reached = observed_squared_mmd(comparison) + spread - across_squared
    draws: Float[np.ndarray, " b"] = np.where(reached > 0, np.sqrt(np.maximum(reached, 0)) - studentised, 0.0)
    return np.where(np.isnan(draws), np.inf, draws)


def _direction(comparison: Comparison, mean: Float[np.ndarray, " n"], spread: float) -> Float[np.ndarray, " n"]:
    """Projections of the networks on the direction that the true difference is taken to have.

    As far as the estimate is noise, its direction says nothing about the true one, which may be the direction in which
    networks vary most. The direction therefore lies between that of the estimate and that of the largest variance, by
    the share of noise.
    """
    kernel, n_x, n_y = comparison.kernel, comparison.n_x, comparison.n_y
    centring = np.eye(n_x + n_y)
    centring[:n_x, :n_x] -= 1 / n_x
    centring[n_x:, n_x:] -= 1 / n_y
    scale = np.repeat([n_x * (n_x - 1.0), n_y * (n_y - 1.0)], [n_x, n_y]) ** -0.5
    gram = scale[:, None] * (centring @ kernel @ centring) * scale
    values, vectors = linalg.eigh(gram, subset_by_index=[n_x + n_y - 1] * 2)
    largest = kernel @ centring @ (scale * vectors[:, 0]) / np.sqrt(values[0])
    squared_length = float(mean @ kernel @ mean)
    if squared_length < 1e-12:  # the same networks twice: the estimate has no direction
        return np.asarray(largest)
    estimate = kernel @ mean / np.sqrt(squared_length)
    noise = np.sqrt(min(1.0, spread / squared_length))
    overlap = float(mean @ largest) / np.sqrt(squared_length)
    both = np.sqrt(1 - noise**2) * estimate + noise * np.copysign(1, overlap) * largest
    return np.asarray(both / np.sqrt(1 + 2 * noise * np.sqrt(1 - noise**2) * abs(overlap)))


def _spread_ratio(
    x: Float[np.ndarray, " n"],
    y: Float[np.ndarray, " m"],
    counts_x: Float[np.ndarray, "b n"],
    counts_y: Float[np.ndarray, "b m"],
) -> Float[np.ndarray, " b"]:
    """Standard error of ``mean(x) - mean(y)`` over that of each resample, NaN where the latter is zero."""

    def variance(values: Float[np.ndarray, " n"], counts: Float[np.ndarray, "b n"]) -> Float[np.ndarray, " b"]:
        n = len(values)
        centred = values - values.mean()
        squares: Float[np.ndarray, " b"] = counts @ centred**2 / n - (counts @ centred / n) ** 2
        return squares / (n - 1)

    whole = variance(x, np.ones((1, len(x)))) + variance(y, np.ones((1, len(y))))
    resampled = variance(x, counts_x) + variance(y, counts_y)
    ratio: Float[np.ndarray, " b"] = np.sqrt(whole / np.where(resampled > 1e-12 * whole, resampled, np.nan))
    return ratio


def _squared_error(kernel: Float[np.ndarray, "n n"]) -> float:
    """Unbiased estimate of the expected squared error of the mean embedding of n networks."""
    n = len(kernel)
    return float(np.trace(kernel) - kernel.sum() / n) / (n * (n - 1))


def _errors(counts: Float[np.ndarray, "b n"]) -> Float[np.ndarray, "b n"]:
    """Weights of the error of the mean of each bootstrap sample."""
    n = counts.shape[1]
    errors: Float[np.ndarray, "b n"] = (counts - 1) / n * np.sqrt(n / (n - 1))
    return errors
