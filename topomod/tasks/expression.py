"""Expressions in a and b as polynomials mod p, whose exponents may be negative.

The text is parsed, never run: each part of its syntax tree has to be one of those in this module.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

import numpy as np
from jaxtyping import Int

MAX_LENGTH = 200  # letters of an expression
MAX_EXPONENT = 50  # of a or b, also of what an expression in brackets is raised to
LETTERS = r"[-+*/()0-9ab\s]+"  # all that an expression is written with
ALLOWED = "a, b, whole numbers, + - * / ** and brackets"

Polynomial = dict[tuple[int, int], int]  # (i, j) to the coefficient, not 0 mod p, of a^i b^j


class ExpressionError(ValueError):
    """What is wrong with an expression, as the end of a sentence."""


def normal_form(text: str) -> str:
    """The same expression with the field's spacing: ``a-b`` becomes ``a - b``.

    Raises
    ------
    ExpressionError
        If the text is not an expression.
    """
    return ast.unparse(_tree(text)).replace(" ** ", "**")


def polynomial(text: str, p: int) -> Polynomial:
    """Read an expression as a polynomial mod p.

    Parameters
    ----------
    text : str
        Such as ``a**3 + a*b`` or ``2 * a - b / 3``.
    p : int
        Modulus.

    Raises
    ------
    ExpressionError
        If it is too long, holds anything but a, b, whole numbers, ``+ - * / **`` and brackets, divides by a sum or by a
        number without an inverse, or has too large exponents.

    Examples
    --------
    >>> polynomial("(a + b)**2 - 2 * a / b", p=7)
    {(2, 0): 1, (1, 1): 2, (0, 2): 1, (1, -1): 5}
    """
    return _read(_tree(text), p)


def _tree(text: str) -> ast.expr:
    if not isinstance(text, str) or not 0 < len(text) <= MAX_LENGTH:
        raise ExpressionError(f"must be a text of 1 to {MAX_LENGTH} letters")
    if not re.fullmatch(LETTERS, text):
        strange = re.sub(LETTERS, "", text)
        raise ExpressionError(f"holds {strange[0]!r}; allowed are {ALLOWED}")
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ExpressionError(f"is not an expression; allowed are {ALLOWED}") from None


def _read(node: ast.expr, p: int) -> Polynomial:
    if isinstance(node, ast.Name) and node.id in ("a", "b"):
        return {(1, 0): 1} if node.id == "a" else {(0, 1): 1}
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return _reduced({(0, 0): node.value}, p)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.UAdd | ast.USub):
        sign = 1 if isinstance(node.op, ast.UAdd) else -1
        return _reduced({key: sign * value for key, value in _read(node.operand, p).items()}, p)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        return _power(_read(node.left, p), node.right, p)
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        return OPERATORS[type(node.op)](_read(node.left, p), _read(node.right, p), p)
    raise ExpressionError(f"holds {ast.unparse(node)!r}; allowed are {ALLOWED}")


def _reduced(terms: Polynomial, p: int) -> Polynomial:
    if any(max(abs(i), abs(j)) > MAX_EXPONENT for i, j in terms):
        raise ExpressionError(f"has an exponent beyond {MAX_EXPONENT}")
    return {key: value % p for key, value in terms.items() if value % p}


def _sum(x: Polynomial, y: Polynomial, p: int) -> Polynomial:
    return _reduced({key: x.get(key, 0) + y.get(key, 0) for key in (*x, *y)}, p)


def _difference(x: Polynomial, y: Polynomial, p: int) -> Polynomial:
    return _reduced({key: x.get(key, 0) - y.get(key, 0) for key in (*x, *y)}, p)


def _product(x: Polynomial, y: Polynomial, p: int) -> Polynomial:
    found: Polynomial = {}
    for (i, j), c in x.items():
        for (k, m), d in y.items():
            found[i + k, j + m] = found.get((i + k, j + m), 0) + c * d
    return _reduced(found, p)


def _quotient(x: Polynomial, y: Polynomial, p: int) -> Polynomial:
    if len(y) != 1:
        raise ExpressionError("divides by 0" if not y else "divides by a sum; by a product or a number is allowed")
    (((i, j), c),) = y.items()
    try:
        inverse = pow(c, -1, p)
    except ValueError:
        raise ExpressionError(f"divides by {c}, which has no inverse mod {p}") from None
    return _product(x, {(-i, -j): inverse}, p)


def _power(base: Polynomial, exponent: ast.expr, p: int) -> Polynomial:
    if not isinstance(exponent, ast.Constant) or type(exponent.value) is not int or exponent.value > MAX_EXPONENT:
        raise ExpressionError(f"has the exponent {ast.unparse(exponent)!r}; allowed are 0 to {MAX_EXPONENT}")
    found: Polynomial = {(0, 0): 1}
    for _ in range(exponent.value):
        found = _product(found, base, p)
    return found


OPERATORS: dict[type[ast.operator], Callable[[Polynomial, Polynomial, int], Polynomial]] = {
    ast.Add: _sum,
    ast.Sub: _difference,
    ast.Mult: _product,
    ast.Div: _quotient,
}


def values_of(terms: Polynomial, a: Int[np.ndarray, " n"], b: Int[np.ndarray, " m"], p: int) -> Int[np.ndarray, "n m"]:
    """Values mod p at every pair; where exponents are negative, a and b must have inverses."""
    found = np.zeros((len(a), len(b)), dtype=np.int64)
    for (i, j), c in terms.items():
        powers_a, powers_b = ([pow(int(x), e, p) for x in own] for own, e in ((a, i), (b, j)))
        found = (found + c * np.multiply.outer(powers_a, powers_b)) % p
    return found
