"""Principal components: the axes along which the rows of a matrix vary most."""

from __future__ import annotations

import numpy as np
import scipy.linalg
from jaxtyping import Float


def principal_axes(
    rows: Float[np.ndarray, "n m"], n_components: int
) -> tuple[Float[np.ndarray, " c"], Float[np.ndarray, "m c"]]:
    """Leading eigenvalues and orthonormal eigenvectors of ``rows.T @ rows``.

    Parameters
    ----------
    rows : ndarray
        (n, m), centred by the caller where that is wanted.
    n_components : int
        At most this many are returned.

    Returns
    -------
    eigenvalues, axes : ndarray
        (c,) largest first and (m, c), with c = min(n_components, n, m). Signs are as the solver gives them. If m is
        larger than n, an axis whose eigenvalue is 0 up to rounding has no unit length.
    """
    n, m = rows.shape
    wide = m > n
    gram = rows @ rows.T if wide else rows.T @ rows
    count = min(n_components, len(gram))
    values, vectors = scipy.linalg.eigh(gram, subset_by_index=[len(gram) - count, len(gram) - 1])
    values, vectors = np.maximum(values[::-1], 0), vectors[:, ::-1]
    if wide:
        length = np.sqrt(np.where(values > 0, values, 1))
        vectors = rows.T @ vectors / length
    return values, vectors
