"""Representations of every group the tasks build: homomorphisms, complete, and projections that share out power."""

import numpy as np
import pytest

from topomod.tasks.finite_group import GroupComposition
from topomod.tasks.irreps import irrep_power, real_irreps

NAMES = ["C2", "C7", "C8", "D5", "D6", "S2", "S3", "S4", "S5", "A3", "A4", "A5", "Q8"]
DIMENSIONS = {  # (name, complex dimension, commutant)
    "C8": [("0", 1, 1), ("1", 1, 2), ("2", 1, 2), ("3", 1, 2), ("4", 1, 1)],
    "D6": [("A1", 1, 1), ("A2", 1, 1), ("B1", 1, 1), ("B2", 1, 1), ("E1", 2, 1), ("E2", 2, 1)],
    "S4": [("(4)", 1, 1), ("(3,1)", 3, 1), ("(2,2)", 2, 1), ("(2,1,1)", 3, 1), ("(1,1,1,1)", 1, 1)],
    "A4": [("1", 1, 1), ("2", 1, 2), ("3", 3, 1)],
    "A5": [("1", 1, 1), ("3", 3, 1), ("3'", 3, 1), ("4", 4, 1), ("5", 5, 1)],
    "Q8": [("1", 1, 1), ("1'", 1, 1), ("1''", 1, 1), ("1'''", 1, 1), ("4", 2, 4)],
}


@pytest.mark.parametrize("name", NAMES)
def test_irreps_are_orthogonal_homomorphisms_and_complete(name: str) -> None:
    task = GroupComposition(name)
    irreps, table = real_irreps(task), task.targets()
    some = np.arange(0, task.order, max(1, task.order // 24))
    for irrep in irreps:
        for M in (irrep.matrices, irrep.complex_matrices()):
            product = np.einsum("aij,bjk->abik", M[some], M, optimize=True)
            assert np.abs(M[table[some]] - product).max() < 1e-12
            assert np.abs(M @ M.conj().swapaxes(1, 2) - np.eye(M.shape[1])).max() < 1e-12
        d = irrep.dimension
        assert irrep.complex_matrices().shape == (task.order, d, d)
        chi = np.trace(irrep.complex_matrices(), axis1=1, axis2=2)
        assert np.mean(np.abs(chi) ** 2) == pytest.approx(1, abs=1e-12)  # irreducible over the complex numbers
        squares = chi[table[np.arange(task.order), np.arange(task.order)]]
        indicator = {1: 1, 2: 0, 4: -1}[irrep.commutant]  # Frobenius-Schur
        assert np.mean(squares) == pytest.approx(indicator, abs=1e-12)
    characters = np.stack([irrep.character for irrep in irreps])
    expected = np.diag([irrep.commutant for irrep in irreps])
    assert np.allclose(characters @ characters.T / task.order, expected, rtol=0, atol=1e-12)
    assert np.all(irreps[0].matrices == 1) or np.allclose(irreps[0].matrices, 1, rtol=0, atol=1e-12)
    assert sum(i.real_dimension**2 / i.commutant for i in irreps) == task.order


@pytest.mark.parametrize("name", DIMENSIONS)
def test_names_dimensions_and_types(name: str) -> None:
    found = [(i.name, i.dimension, i.commutant) for i in real_irreps(GroupComposition(name))]
    assert found == DIMENSIONS[name]


def test_partitions_name_the_right_representation() -> None:
    """(n-1,1) counts fixed points less one; transposing a partition multiplies by the sign."""
    task = GroupComposition("S5")
    irreps = {irrep.name: irrep.character for irrep in real_irreps(task)}
    fixed = np.sum(task.elements() == np.arange(5), axis=1)
    assert np.allclose(irreps["(4,1)"], fixed - 1)
    sign = irreps["(1,1,1,1,1)"]
    assert np.allclose(irreps["(2,1,1,1)"], sign * irreps["(4,1)"])
    assert np.allclose(irreps["(2,2,1)"], sign * irreps["(3,2)"])
    swap = np.flatnonzero(fixed == 3)[0]
    assert irreps["(3,2)"][swap] == pytest.approx(1) and irreps["(3,1,1)"][swap] == pytest.approx(0)


@pytest.mark.parametrize("name", ["C8", "D6", "S4", "A4", "A5", "Q8"])
def test_power_shares_are_those_of_orthogonal_projections(name: str) -> None:
    task = GroupComposition(name)
    irreps, table = real_irreps(task), task.targets()
    inverse = np.argmin(table, axis=1)
    projections = [
        i.real_dimension / (i.commutant * task.order) * i.character[table[inverse]].T for i in irreps
    ]  # (P u)(h) = D / (e |G|) sum_g chi(g^-1 h) u(g)
    u = np.random.default_rng(0).standard_normal((5, task.order))
    shares = irrep_power(u, irreps)
    for i, (irrep, P) in enumerate(zip(irreps, projections, strict=True)):
        assert np.allclose(P @ P, P, rtol=0, atol=1e-12) and np.allclose(P, P.T, rtol=0, atol=1e-12)
        assert np.trace(P) == pytest.approx(irrep.real_dimension**2 / irrep.commutant, abs=1e-10)
        assert np.allclose(shares[:, i], np.sum((u @ P) ** 2, axis=1) / np.sum(u**2, axis=1), rtol=0, atol=1e-12)
        inside = irrep_power(u @ P, irreps)
        assert np.allclose(inside, np.eye(len(irreps))[i], rtol=0, atol=1e-12)
    assert np.allclose(sum(projections), np.eye(task.order), rtol=0, atol=1e-12)
    assert np.allclose(shares.sum(axis=1), 1, rtol=0, atol=1e-12)


def test_power_on_a_cyclic_group_is_fourier_power() -> None:
    u = np.random.default_rng(1).standard_normal(11)
    power = np.abs(np.fft.fft(u)) ** 2 / 11 / np.sum(u**2)
    expected = np.append(power[0], 2 * power[1:6])
    assert np.allclose(irrep_power(u, real_irreps(GroupComposition("C11"))), expected, rtol=0, atol=1e-12)


def test_zero_functions_and_wrong_lengths() -> None:
    irreps = real_irreps(GroupComposition("S3"))
    assert np.all(irrep_power(np.zeros((2, 6)), irreps) == 0)
    with pytest.raises(ValueError, match=r"u must be \(\.\.\., 6\)"):
        irrep_power(np.zeros((6, 2)), irreps)
    with pytest.raises(ValueError, match="a real value for each element of the group, found complex128"):
        irrep_power(np.zeros((2, 6), complex), irreps)
